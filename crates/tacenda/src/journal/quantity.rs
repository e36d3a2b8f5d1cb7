//! Sizes, spans of time and moments, as people write them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tacenda_journal::system_clock;

/// Bytes: `64MiB`, `2GB`, `4096`.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let units = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("kB", 1000),
        ("KB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("B", 1),
        ("", 1),
    ];
    number(text, &units).ok_or_else(|| "a size, such as 64MiB or 2GB".to_owned())
}

/// Seconds: `90s`, `15m`, `12h`, `30d`.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 7 * 86_400)];
    number(text, &units).ok_or_else(|| "a span of time, such as 15m, 12h or 30d".to_owned())
}

/// A span of time, as `seconds` reads it: in the largest unit in which it is whole.
pub(super) fn span(seconds: u64) -> String {
    let units = [("d", 86_400), ("h", 3600), ("m", 60)];
    let whole =
        units.into_iter().find(|(_, factor)| seconds > 0 && seconds.is_multiple_of(*factor));
    let (unit, factor) = whole.unwrap_or(("s", 1));
    format!("{}{unit}", seconds / factor)
}

fn number(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (unit, factor) = units.iter().find(|(unit, _)| {
        text.strip_suffix(unit).is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_digit()))
    })?;
    let digits = text.strip_suffix(unit)?;
    digits.parse::<u64>().ok().filter(|_| !digits.starts_with('+'))?.checked_mul(*factor)
}

/// A moment, in nanoseconds since 1970: RFC 3339, a day (UTC), or so long ago.
pub(super) fn moment(text: &str) -> Result<i64, String> {
    if let Ok(ago) = seconds(text) {
        let ago = i64::try_from(ago).ok().and_then(|ago| ago.checked_mul(1_000_000_000));
        return ago.map(|ago| system_clock()() - ago).ok_or_else(|| "too long ago".to_owned());
    }
    let moment = text.parse::<Timestamp>().ok().or_else(|| start_of(day(text)?));
    moment.and_then(|moment| i64::try_from(moment.as_nanosecond()).ok()).ok_or_else(|| {
        "a time, such as 2026-03-01T10:00:00Z, a day (UTC), such as 2026-03-01, or so long ago, \
         such as 15m"
            .to_owned()
    })
}

/// The last moment that is meant: of a day that is its end.
pub(super) fn end(text: &str) -> Result<i64, String> {
    let after = day(text).and_then(|day| start_of(day.tomorrow().ok()?));
    let after = after.and_then(|after| i64::try_from(after.as_nanosecond()).ok());
    after.map_or_else(|| moment(text), |after| Ok(after - 1))
}

fn day(text: &str) -> Option<Date> {
    text.parse().ok().filter(|_| text.len() == 10)
}

fn start_of(day: Date) -> Option<Timestamp> {
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_write_them() {
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes("10"), Ok(10));
        assert_eq!(bytes("2GB"), Ok(2_000_000_000));
        assert_eq!(seconds("30d"), Ok(30 * 86_400));
        assert_eq!(bytes("100KB"), bytes("100kB"));
        assert_eq!(moment("1970-01-01T00:00:01.5Z"), Ok(1_500_000_000));
        assert_eq!(moment("1970-01-02"), Ok(86_400_000_000_000));
        assert!(moment("1h").unwrap() < system_clock()());
        assert_eq!(end("1970-01-01"), Ok(86_400_000_000_000 - 1));
        assert_eq!(end("1970-01-01T00:00:01Z"), Ok(1_000_000_000));
        assert!(end("yesterday").is_err());
        for wrong in ["", "MiB", "-1MB", "+1MB", "1.5GB", "99999999999999TB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
        for text in ["90s", "15m", "36h", "30d", "0s"] {
            assert_eq!(span(seconds(text).unwrap()), text);
        }
        assert!(seconds("5").is_err() && moment("yesterday").is_err());
    }
}
