//! Methods of loggers, and where they take their message.

/// Methods that are given the message first.
const MESSAGE_FIRST: &[&str] = &[
    "adebug",
    "ainfo",
    "awarning",
    "awarn",
    "aerror",
    "aexception",
    "acritical",
    "afatal",
    "debug",
    "info",
    "warning",
    "warn",
    "error",
    "exception",
    "critical",
    "fatal",
    "success",
    "trace",
];
/// Methods that are given its level before it.
const LEVEL_FIRST: &[&str] = &["log", "alog"];

/// The place of the message among the arguments of a method of loggers.
pub(crate) fn message_place(method: &str) -> Option<usize> {
    if LEVEL_FIRST.contains(&method) {
        return Some(1);
    }
    MESSAGE_FIRST.contains(&method).then_some(0)
}
