//! Log levels: how low a logger may go.

use std::ops::Range;

use serde_json::json;
use toml::{Spanned, de::DeValue};

use crate::value::{Value, choice, one_of};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// A level of a log record, of those that Python's `logging` has.
    pub enum Level {
        /// What happens inside, for whoever looks for a fault.
        Debug = "debug",
        /// What happens.
        Info = "info",
        /// What may go wrong.
        Warning = "warning",
        /// What went wrong.
        Error = "error",
        /// What ends the program.
        Critical = "critical",
    }
}

impl Level {
    /// Its number in Python's `logging`.
    pub fn number(self) -> u8 {
        match self {
            Self::Debug => 10,
            Self::Info => 20,
            Self::Warning => 30,
            Self::Error => 40,
            Self::Critical => 50,
        }
    }
}

vocabulary! {
    /// What happens to the query string of a request in an access log.
    pub enum QueryStrings {
        /// Left out: `GET /search?…`.
        Cut = "cut",
        /// Redacted as any other text.
        Keep = "keep",
    }
}

choice!(QueryStrings);

/// The level below which no logger goes, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Floor(pub(crate) Option<Level>);

/// No floor.
const INHERIT: &str = "inherit";

impl Value for Floor {
    fn expected() -> String {
        format!("{}, or `{INHERIT}`", one_of(Level::NAMES))
    }

    fn choices() -> &'static [&'static str] {
        &["debug", "info", "warning", "error", "critical", INHERIT]
    }

    fn from_text(text: &str) -> Option<Self> {
        if text == INHERIT {
            return Some(Self(None));
        }
        Level::from_name(text).map(|level| Self(Some(level)))
    }

    fn text(&self) -> String {
        self.0.map_or(INHERIT, Level::name).to_owned()
    }

    fn schema() -> serde_json::Value {
        json!({ "enum": Self::choices() })
    }
}

/// The level below which each of these loggers, and those below it, do not go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoggerFloors(pub(crate) Vec<(String, Floor)>);

impl LoggerFloors {
    /// Loggers of HTTP clients, whose lower levels log URLs and headers.
    pub(crate) fn third_party() -> Self {
        let floors =
            [("httpcore", Level::Info), ("httpx", Level::Warning), ("urllib3", Level::Info)];
        Self(floors.map(|(name, level)| (name.to_owned(), Floor(Some(level)))).into())
    }

    fn is_pattern(text: &str) -> bool {
        !text.is_empty() && text.len() <= 200 && !text.contains([',', '=', '\0', '\n', '\r'])
    }

    /// The floor of the longest pattern that fits.
    pub(crate) fn floor(&self, logger: &str) -> Option<Floor> {
        let fits = self.0.iter().filter(|(pattern, _)| covers(pattern, logger));
        fits.max_by_key(|(pattern, _)| pattern.len()).map(|(_, floor)| *floor)
    }
}

impl Value for LoggerFloors {
    fn expected() -> String {
        let levels = Floor::expected();
        format!(
            "a table of loggers and levels, such as `{{ \"httpx\" = \"warning\" }}`, each {levels}"
        )
    }

    fn from_text(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Self(Vec::new()));
        }
        let one = |entry: &str| {
            let (pattern, level) = entry.split_once('=')?;
            let pattern = pattern.trim();
            Some((
                Self::is_pattern(pattern).then(|| pattern.to_owned())?,
                Floor::from_text(level.trim())?,
            ))
        };
        text.split(',').map(one).collect::<Option<_>>().map(Self)
    }

    fn from_toml(value: &Spanned<DeValue<'_>>) -> Result<Self, Range<usize>> {
        let table = value.as_ref().as_table().ok_or_else(|| value.span())?;
        let one = |(key, level): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
            let pattern = key.as_ref().trim();
            if !Self::is_pattern(pattern) {
                return Err(key.span());
            }
            Ok((pattern.to_owned(), Floor::from_toml(level)?))
        };
        table.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    fn text(&self) -> String {
        let one = |(pattern, floor): &(String, Floor)| format!("{pattern}={}", floor.text());
        self.0.iter().map(one).collect::<Vec<_>>().join(",")
    }

    fn json(&self) -> serde_json::Value {
        self.0.iter().map(|(pattern, floor)| (pattern.clone(), floor.json())).collect()
    }

    fn schema() -> serde_json::Value {
        json!({
            "additionalProperties": Floor::schema(),
            "propertyNames": { "minLength": 1 },
            "type": "object",
        })
    }
}

/// Whether a logger is meant by a pattern: a name is that logger and those below it, `*` stands for
/// any letters.
pub fn covers(pattern: &str, logger: &str) -> bool {
    let mut starts = vec![logger];
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(rest) = logger.strip_prefix(first) else { return false };
    starts[0] = rest;
    for part in parts {
        // Every place at which the part may lie: the last one need not be the right one.
        let rests: Vec<&str> = starts
            .iter()
            .flat_map(|rest| rest.match_indices(part).map(|(at, _)| &rest[at + part.len()..]))
            .collect();
        starts = rests;
        starts.sort_unstable();
        starts.dedup();
    }
    starts.iter().any(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_a_logger_and_those_below_it() {
        for (pattern, logger, is_covered) in [
            ("httpx", "httpx", true),
            ("httpx", "httpx._client", true),
            ("httpx", "httpx2", false),
            ("app.*.sql", "app.db.sql", true),
            ("app.*.sql", "app.db.sql.engine", true),
            ("app.*.sql", "app.sql", false),
            ("*", "anything", true),
            ("*.access", "uvicorn.access", true),
            ("*.access", "a.access.access", true),
            ("u*n", "uvicorn", true),
            ("", "", true),
            ("x*", "", false),
        ] {
            assert_eq!(covers(pattern, logger), is_covered, "{pattern} {logger}");
        }
    }

    #[test]
    fn the_longest_pattern_holds() {
        let floors = LoggerFloors::from_text("app=warning, app.db=debug, *=error").unwrap();
        let floor = |logger| floors.floor(logger).and_then(|floor| floor.0).map(Level::name);
        assert_eq!(floor("app.db.sql"), Some("debug"));
        assert_eq!(floor("app.web"), Some("warning"));
        assert_eq!(floor("other"), Some("error"));
    }
}
