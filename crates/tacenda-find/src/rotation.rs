//! Rotated sets: `app.log`, `app.log.1`, `app.log.2.gz` and `app.log-20261121` are one log.
//!
//! The names are those that logrotate, Python's `RotatingFileHandler` and
//! `TimedRotatingFileHandler`, loguru and log4j give.

/// How old a file of a set is, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Age {
    /// Named after a date, and a number within it: the digits of both.
    Dated(String, u32),
    /// Named by a number: the higher, the older.
    Numbered(std::cmp::Reverse<u32>),
    /// The file that is written to.
    Current,
}

/// Ends of names that say how a file is packed.
const PACKED: [&str; 5] = [".gz", ".zst", ".zstd", ".xz", ".gzip"];

/// The name of the log that a file belongs to, and its age in it.
pub(crate) fn parse(name: &str) -> (String, Age) {
    let packed =
        PACKED.iter().find_map(|end| name.strip_suffix(end)).filter(|rest| !rest.is_empty());
    let unpacked = packed.unwrap_or(name);
    let (bare, number) = match unpacked.rsplit_once('.') {
        Some((rest, digits)) if !rest.is_empty() && is_number(digits) => {
            (rest, digits.parse().ok())
        }
        _ => (unpacked, None),
    };
    // The date or the number before the ending: `app-2026-11-21.log`, `app.1.log`.
    let (stem, ending) = match bare.rsplit_once('.') {
        Some((stem, ending))
            if !stem.is_empty() && !ending.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            (stem, Some(ending))
        }
        _ => (bare, None),
    };
    let with_ending = |stem: &str| match ending {
        Some(ending) => format!("{stem}.{ending}"),
        None => stem.to_owned(),
    };
    let whole = dated(bare).map(|(rest, date)| (rest.to_owned(), date));
    let before_ending = || dated(stem).map(|(rest, date)| (with_ending(rest), date));
    if let Some((base, date)) = whole.or_else(before_ending) {
        return (base, Age::Dated(date, number.unwrap_or(0)));
    }
    if let Some(number) = number {
        return (bare.to_owned(), Age::Numbered(std::cmp::Reverse(number)));
    }
    if let (Some(_), Some((rest, digits))) = (ending, stem.rsplit_once('.'))
        && !rest.is_empty()
        && is_number(digits)
        && let Ok(number) = digits.parse()
    {
        return (with_ending(rest), Age::Numbered(std::cmp::Reverse(number)));
    }
    (bare.to_owned(), Age::Current)
}

/// A count of rotations has few digits.
fn is_number(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A text that ends in a date, behind a dot, a hyphen or an underscore: what is before it, and its
/// digits.
fn dated(text: &str) -> Option<(&str, String)> {
    let is_part = |byte: u8| byte.is_ascii_digit() || b"-_.:T".contains(&byte);
    let from = text.bytes().rposition(|byte| !is_part(byte)).map_or(0, |at| at + 1);
    let tail = &text[from..];
    // The separator belongs to neither.
    let (sign, date) = tail.split_at_checked(1)?;
    if from == 0 || !"-_.".contains(sign) {
        return None;
    }
    let digits: String = date.chars().filter(char::is_ascii_digit).collect();
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<u32>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let is_date =
        (1970..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let whole = matches!(digits.len(), 8 | 10 | 12 | 14..=20);
    (is_date && whole).then(|| (&text[..from], digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(names: &[&str]) -> Vec<String> {
        let mut aged: Vec<_> =
            names.iter().map(|name| (parse(name).1, (*name).to_owned())).collect();
        aged.sort();
        aged.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn the_names_of_a_set_have_one_base() {
        for name in [
            "app.log",
            "app.log.1",
            "app.log.2.gz",
            "app.log.10.zst",
            "app.log-20261121",
            "app.log-20261121.gz",
            "app.log-20261121-1763692660.xz",
            "app.log.2026-11-21",
            "app.log.2026-11-21_10-00",
            "app-2026-11-21.log",
            "app-2026-11-21.log.gz",
            "app-2026-11-21.log.3.gz",
            "app.2026-11-21_10-00-00_123456.log",
            "app.1.log",
        ] {
            assert_eq!(parse(name).0, "app.log", "{name}");
        }
    }

    #[test]
    fn other_names_stand_for_themselves() {
        for name in ["app.log", "v1.2.3", "20261121", "app", "a.b.c", ".hidden", "x-99999999"] {
            let (base, age) = parse(name);
            if age == Age::Current {
                assert_eq!(base, name);
            }
        }
        assert_eq!(parse("access.log.gz"), ("access.log".to_owned(), Age::Current));
        assert_eq!(parse("2026-11-21.log").1, Age::Current, "no name is left");
    }

    #[test]
    fn the_oldest_comes_first() {
        let names = ["app.log.1", "app.log", "app.log.10.gz", "app.log.2.gz"];
        assert_eq!(order(&names), ["app.log.10.gz", "app.log.2.gz", "app.log.1", "app.log"]);
        let names = ["app.log", "app.log-20261122", "app.log-20261121.gz"];
        assert_eq!(order(&names), ["app.log-20261121.gz", "app.log-20261122", "app.log"]);
    }
}
