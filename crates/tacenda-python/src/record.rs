//! One look at a log record, before any handler sees it.
//!
//! The hook hands over the attributes one by one: reading them here, or through `__dict__`, costs
//! several times as much as in the interpreter, which caches where they lie.

use std::borrow::Cow;
use std::cell::RefCell;

use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyString, PyTuple};
use tacenda_detect::Followed;
use tacenda_redact::{Redactor, Report};

/// What the hook has to do.
#[derive(Clone, Copy)]
pub(crate) enum Verdict {
    /// Nothing: the record is clean.
    Clean = 0,
    /// Scrub it: it holds something sensitive, or something that has to be turned into text once.
    Scrub = 1,
    /// Drop it: it is one more token of a completion.
    Token = 2,
    /// First write the summary of the tokens that came before it; then ask again.
    EndOfRun = 3,
    /// One more token stands in it among other words: `taken` gives it without that.
    Piece = 4,
}

/// The last message of this thread that was clean. The same two objects give the same text: as
/// long as they are held here, no others can take their place.
struct Clean {
    msg: Py<PyAny>,
    args: Py<PyAny>,
    text: Py<PyString>,
}

thread_local! {
    static LAST: RefCell<Option<Clean>> = const { RefCell::new(None) };
    /// The last message of this thread without the token that was in it.
    static TAKEN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What stands for one token of a completion.
const PIECE: &str = "[completion]";

pub(crate) fn check(
    redactor: &Redactor,
    msg: Bound<'_, PyAny>,
    args: Bound<'_, PyAny>,
    thread: &Bound<'_, PyAny>,
) -> PyResult<Verdict> {
    if !msg.is_exact_instance_of::<PyString>() {
        return Ok(Verdict::Scrub);
    }
    let text = if args.is_truthy()? {
        match args.cast_exact::<PyTuple>() {
            // Formatting anything else calls code of the application, which must happen once.
            Ok(args) if args.iter().all(|arg| is_primitive(&arg)) => {
                let Ok(text) = msg.rem(args) else { return Ok(Verdict::Scrub) };
                text
            }
            _ => return Ok(Verdict::Scrub),
        }
    } else {
        msg.clone()
    };
    let text = text.cast_into::<PyString>()?;
    let Ok(utf8) = text.to_str() else { return Ok(Verdict::Scrub) };
    if !redactor.protected().is_empty() {
        let log = thread.extract().unwrap_or_default();
        match redactor.protected().follow(log, utf8) {
            Followed::No => {
                if let Some(rest) = without_piece(redactor, log, utf8) {
                    TAKEN.set(Some(rest));
                    return Ok(Verdict::Piece);
                }
            }
            Followed::Started | Followed::Continued => return Ok(Verdict::Token),
            Followed::Ended => return Ok(Verdict::EndOfRun),
        }
    }
    if !matches!(redactor.redact(utf8.as_bytes(), &mut Report::default()), Cow::Borrowed(_)) {
        return Ok(Verdict::Scrub);
    }
    let clean = Clean { msg: msg.unbind(), args: args.unbind(), text: text.unbind() };
    // Dropped outside the borrow: a destructor is code of the application.
    drop(LAST.replace(Some(clean)));
    Ok(Verdict::Clean)
}

/// A text without the token of a completion that stands in it among other words, if one does.
pub(crate) fn without_piece(redactor: &Redactor, log: u64, text: &str) -> Option<String> {
    let piece = redactor.protected().follow_framed(log, text)?;
    Some([&text[..piece.start], PIECE, &text[piece.end..]].concat())
}

/// The message of a record in which `check` found a piece, without that.
pub(crate) fn taken() -> Option<String> {
    TAKEN.take()
}

/// The text of a message that `check` found clean in this thread; None for any other.
pub(crate) fn message(msg: &Bound<'_, PyAny>, args: &Bound<'_, PyAny>) -> Option<Py<PyString>> {
    LAST.with_borrow(|last| {
        let last = last.as_ref().filter(|last| last.msg.is(msg) && last.args.is(args))?;
        Some(last.text.clone_ref(msg.py()))
    })
}

fn is_primitive(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_none()
}
