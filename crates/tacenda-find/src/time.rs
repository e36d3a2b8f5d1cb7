//! The time that a line of a log names, in the usual spellings.
//!
//! ISO 8601 and RFC 3339, Python's `logging`, `asctime`, syslog (RFC 3164), the common log format
//! of web servers, nginx's error log, klog, and seconds, milliseconds, micro- or nanoseconds since
//! 1970. A time without an offset from UTC is taken as UTC; one without a year as the latest that
//! is not after the file's own time.

use jiff::Timestamp;
use jiff::civil::DateTime;

/// How far into a line its time is looked for.
const FAR: usize = 512;

/// Members of structured records that hold the time of the record, most telling first.
const KEYS: [&[u8]; 9] = [
    b"@timestamp",
    b"__REALTIME_TIMESTAMP",
    b"timestamp",
    b"asctime",
    b"datetime",
    b"time",
    b"ts",
    b"date",
    b"created",
];

/// The time of a line, if it names one. What it leaves out, a year or a day, is that of its file.
pub fn of_line(line: &[u8], file_time: Timestamp) -> Option<Timestamp> {
    let begin = line.trim_ascii_start();
    if begin.starts_with(b"{") {
        let keyed = KEYS.iter().find_map(|key| keyed(line, key, file_time));
        if keyed.is_some() {
            return keyed;
        }
    }
    if let Some(time) = begin.strip_prefix(b"__REALTIME_TIMESTAMP=") {
        return epoch(time);
    }
    let text = &line[..line.len().min(FAR)];
    if let Some(time) = epoch(begin.strip_prefix(b"[").unwrap_or(begin)) {
        return Some(time);
    }
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let found = match rest[0] {
            b'0'..=b'9' => numeric(rest),
            b'A'..=b'Z' => month_first(rest, file_time).or_else(|| klog(rest, file_time)),
            b't' => logfmt(rest, file_time),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        // On to the next word, past a colour.
        let is_word = u8::is_ascii_alphanumeric;
        at += match rest.strip_prefix(b"\x1b[") {
            Some(colour) => {
                3 + colour.iter().take_while(|byte| !byte.is_ascii_alphabetic()).count()
            }
            None => rest.iter().take_while(|byte| is_word(byte)).count().max(1),
        };
    }
    None
}

/// The member `"key": value` of a JSON object.
fn keyed(line: &[u8], key: &[u8], file_time: Timestamp) -> Option<Timestamp> {
    let quoted = [b"\"", key, b"\""].concat();
    let after = memchr::memmem::find(line, &quoted)? + quoted.len();
    let rest = line[after..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    let rest = &rest[..rest.len().min(64)];
    epoch(rest).or_else(|| numeric(rest)).or_else(|| month_first(rest, file_time))
}

/// `ts=`, `time=` and `timestamp=` of logfmt.
fn logfmt(text: &[u8], file_time: Timestamp) -> Option<Timestamp> {
    let value =
        [&b"ts="[..], b"time=", b"timestamp="].iter().find_map(|key| text.strip_prefix(*key))?;
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    epoch(value).or_else(|| numeric(value)).or_else(|| month_first(value, file_time))
}

/// Seconds since 1970 with a fraction or without, or milli-, micro- or nanoseconds.
fn epoch(text: &[u8]) -> Option<Timestamp> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let after = text.get(digits).copied();
    if after.is_some_and(|byte| byte.is_ascii_alphabetic() || b"_-:/".contains(&byte)) {
        return None;
    }
    let number: i64 = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    let (of_a_second, more) = match digits {
        10 => (1, fraction(&text[digits..]).1),
        13 => (1000, 0),
        16 => (1_000_000, 0),
        19 => (1_000_000_000, 0),
        _ => return None,
    };
    let (seconds, rest) = (number / of_a_second, number % of_a_second);
    let nanoseconds = i32::try_from(rest * (NANOSECONDS / of_a_second)).ok()? + more;
    // 2001 to 2100: what else has as many digits is a number.
    (1_000_000_000..4_102_444_800)
        .contains(&seconds)
        .then(|| Timestamp::new(seconds, nanoseconds).ok())?
}

const NANOSECONDS: i64 = 1_000_000_000;

/// The fraction of a second that a text begins with: how long it is, and its nanoseconds.
fn fraction(text: &[u8]) -> (usize, i32) {
    let [b'.' | b',', rest @ ..] = text else { return (0, 0) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let known = rest[..digits].iter().chain(std::iter::repeat(&b'0')).take(9);
    (1 + digits, known.fold(0, |all, digit| all * 10 + i32::from(digit - b'0')))
}

/// A time that begins with a digit.
fn numeric(text: &[u8]) -> Option<Timestamp> {
    let mut read = Reader { text, at: 0 };
    let year_first = text.get(4).is_some_and(|byte| b"-/".contains(byte));
    if year_first {
        let year = read.number(4)?;
        let sign = read.sign(b"-/")?;
        let month = read.number(2)?;
        read.sign(&[sign])?;
        let day = read.number(2)?;
        read.sign(b"T_ :")?;
        let _ = read.sign(b" ");
        return read.clock((year, month, day));
    }
    // `20261121T100000Z`
    if text.get(8) == Some(&b'T') {
        let (year, month, day) = (read.number(4)?, read.number(2)?, read.number(2)?);
        read.sign(b"T")?;
        let (hour, minute, second) = (read.number(2)?, read.number(2)?, read.number(2)?);
        let time = Clock { hour, minute, second, nanosecond: read.fraction() };
        return civil((year, month, day), time, read.offset());
    }
    // `21/Nov/2026:10:00:00 +0000`
    let day = read.number(2)?;
    read.sign(b"/-")?;
    let month = read.month()?;
    read.sign(b"/-")?;
    let year = read.number(4)?;
    read.sign(b": ")?;
    read.clock((year, month, day))
}

/// `Nov 21 10:00:00`, with the year behind it or without one.
fn month_first(text: &[u8], file_time: Timestamp) -> Option<Timestamp> {
    let mut read = Reader { text, at: 0 };
    if text.get(3) != Some(&b' ') {
        return None;
    }
    let month = read.month()?;
    read.sign(b" ")?;
    let _ = read.sign(b" ");
    let day = read.number(2).or_else(|| read.number(1))?;
    read.sign(b" ")?;
    let time = read.time()?;
    let mut rest = &text[read.at.min(text.len())..];
    // `date` writes the name of the zone before the year.
    if let Some(zone) = rest.strip_prefix(b" ") {
        let letters = zone.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
        if (3..=4).contains(&letters) {
            rest = &zone[letters..];
        }
    }
    let mut year = Reader { text: rest, at: 0 };
    let after = year.sign(b" ").and_then(|_| year.number(4));
    if let Some(year) = after.filter(|year| (1970..2100).contains(year)) {
        return civil((year, month, day), time, 0);
    }
    without_year(month, day, time, file_time)
}

/// `I1121 10:00:00.123456`
fn klog(text: &[u8], file_time: Timestamp) -> Option<Timestamp> {
    let mut read = Reader { text, at: 0 };
    read.sign(b"IWEF")?;
    let (month, day) = (read.number(2)?, read.number(2)?);
    read.sign(b" ")?;
    let time = read.time()?;
    without_year(month, day, time, file_time)
}

fn without_year(month: u16, day: u16, time: Clock, file_time: Timestamp) -> Option<Timestamp> {
    let year = u16::try_from(file_time.to_zoned(jiff::tz::TimeZone::UTC).year()).ok()?;
    // The clock of the log may be a day ahead of ours: it is in a zone that is not named.
    let latest = file_time.as_second() + 86_400;
    [year + 1, year, year - 1]
        .into_iter()
        .filter_map(|year| civil((year, month, day), time, 0))
        .find(|time| time.as_second() <= latest)
}

/// The time of a day.
#[derive(Clone, Copy)]
struct Clock {
    hour: u16,
    minute: u16,
    second: u16,
    nanosecond: i32,
}

fn civil((year, month, day): (u16, u16, u16), time: Clock, offset: i64) -> Option<Timestamp> {
    let small = |number: u16| i8::try_from(number).ok();
    // A leap second is written as the last of its minute.
    let second = time.second.min(59);
    let date = DateTime::new(
        i16::try_from(year).ok()?,
        small(month)?,
        small(day)?,
        small(time.hour)?,
        small(time.minute)?,
        small(second)?,
        time.nanosecond,
    );
    let utc = date.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    utc.checked_sub(jiff::SignedDuration::from_secs(offset)).ok()
}

/// Reads a text from left to right.
struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    /// Exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<u16> {
        let text = self.text.get(self.at..self.at + digits)?;
        let number = text.iter().try_fold(0_u16, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + u16::from(byte - b'0'))
        })?;
        self.at += digits;
        Some(number)
    }

    /// One of these signs.
    fn sign(&mut self, signs: &[u8]) -> Option<u8> {
        let sign = *self.text.get(self.at).filter(|byte| signs.contains(byte))?;
        self.at += 1;
        Some(sign)
    }

    fn month(&mut self) -> Option<u16> {
        const MONTHS: [&[u8]; 12] = [
            b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
            b"Dec",
        ];
        let name = self.text.get(self.at..self.at + 3)?;
        let month = MONTHS.iter().position(|month| *month == name)?;
        self.at += 3;
        u16::try_from(month + 1).ok()
    }

    /// `10:00` or `10:00:00`, with a fraction or without.
    fn time(&mut self) -> Option<Clock> {
        let hour = self.number(2)?;
        self.sign(b":")?;
        let minute = self.number(2)?;
        let second = match self.sign(b":") {
            Some(_) => self.number(2)?,
            None => 0,
        };
        Some(Clock { hour, minute, second, nanosecond: self.fraction() })
    }

    fn fraction(&mut self) -> i32 {
        let (length, nanoseconds) = fraction(&self.text[self.at.min(self.text.len())..]);
        self.at += length;
        nanoseconds
    }

    /// The time of the day and the offset behind a date.
    fn clock(&mut self, date: (u16, u16, u16)) -> Option<Timestamp> {
        let time = self.time()?;
        civil(date, time, self.offset())
    }

    /// Seconds east of UTC; none are written for UTC itself.
    fn offset(&mut self) -> i64 {
        let mut ahead = Reader { text: self.text, at: self.at };
        let _ = ahead.sign(b" ");
        let Some(sign) = ahead.sign(b"+-") else { return 0 };
        let Some(hours) = ahead.number(2) else { return 0 };
        let _ = ahead.sign(b":");
        let minutes = ahead.number(2).unwrap_or(0);
        let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
        if hours > 14 || minutes > 59 {
            return 0;
        }
        if sign == b'+' { seconds } else { -seconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(line: &str) -> Option<String> {
        let file_time = "2026-11-22T00:00:00Z".parse().unwrap();
        of_line(line.as_bytes(), file_time).map(|time| time.to_string())
    }

    #[test]
    fn the_usual_spellings_are_understood() {
        for line in [
            "2026-11-21T10:00:05Z INFO start",
            "2026-11-21T10:00:05.123456+00:00 start",
            "2026-11-21T12:00:05+02:00 start",
            "2026-11-21T12:00:05 +0200 start",
            "2026-11-21 10:00:05,123 - INFO - start",
            "[2026-11-21 10:00:05] start",
            "Log started: 2026-11-21  10:00:05",
            "time=\"2026-11-21T10:00:05Z\" level=info",
            "ts=1795255205.123 level=info",
            "2026/11/21 10:00:05 [error] 12#12: start",
            "20261121T100005Z start",
            "10.0.0.1 - - [21/Nov/2026:10:00:05 +0000] \"GET / HTTP/1.1\" 200",
            "127.0.0.1 - - [21/Nov/2026 10:00:05] \"POST /v1 HTTP/1.1\" 200 -",
            "Nov 21 10:00:05 host sshd[1]: start",
            "<34>Nov 21 10:00:05 host su: start",
            "Sat Nov 21 10:00:05 2026 start",
            "Sat Nov 21 10:00:05 UTC 2026 start",
            "I1121 10:00:05.123456   12 main.go:3] start",
            "1795255205.123    1 10.0.0.1 TCP_MISS/200",
            "1795255205123 start",
            "[1795255205] start",
            "{\"level\":\"info\",\"ts\":1795255205.12,\"msg\":\"at 2020-01-01 00:00:00\"}",
            "{\"msg\":\"x\",\"time\": \"2026-11-21T10:00:05Z\"}",
            "{\"__REALTIME_TIMESTAMP\":\"1795255205000000\",\"MESSAGE\":\"x\"}",
            "__REALTIME_TIMESTAMP=1795255205000000",
            "\u{1b}[32m2026-11-21 10:00:05\u{1b}[0m start",
        ] {
            let found = time(line);
            let to_the_second = found.as_deref().and_then(|found| found.get(..19));
            assert_eq!(to_the_second, Some("2026-11-21T10:00:05"), "{line}");
        }
    }

    #[test]
    fn fractions_of_a_second_are_kept() {
        for line in [
            "2026-11-21 10:00:05,123 - INFO - start",
            "2026-11-21T12:00:05.123000+02:00 start",
            "20261121T100005.123Z start",
            "ts=1795255205.123 level=info",
            "1795255205123 start",
            "1795255205123000 start",
            "1795255205123000000 start",
            "I1121 10:00:05.123000   12 main.go:3] start",
            "{\"ts\":1795255205.123}",
        ] {
            assert_eq!(time(line).as_deref(), Some("2026-11-21T10:00:05.123Z"), "{line}");
        }
        let more = time("2026-11-21T10:00:05.1234567891Z start");
        assert_eq!(more.as_deref(), Some("2026-11-21T10:00:05.123456789Z"));
        assert_eq!(time("2026-11-21T10:00:05. start").as_deref(), Some("2026-11-21T10:00:05Z"));
    }

    #[test]
    fn a_time_without_a_year_is_not_in_the_future() {
        assert_eq!(time("Dec 31 23:59:59 host x").as_deref(), Some("2025-12-31T23:59:59Z"));
        assert_eq!(time("Nov  1 00:00:01 host x").as_deref(), Some("2026-11-01T00:00:01Z"));
    }

    #[test]
    fn other_numbers_are_no_time() {
        for line in [
            "",
            "took 1234567890 ns",
            "version 1.2.3",
            "2026-13-21 10:00:05",
            "2026-02-30 10:00:05",
            "2026-11-21",
            "order 12345678901234567890",
            "Nov 40 10:00:00 host",
            "1763692660-abc",
            "May be 10:00:00",
        ] {
            assert_eq!(time(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read_without_a_panic(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = of_line(&line, Timestamp::UNIX_EPOCH);
        }

        #[test]
        fn pieces_of_times_are_read_without_a_panic(
            line in "[ \\[T:/+,.Z0-9-]{0,30}(Nov|Feb|I)?[ 0-9:/]{0,20}",
        ) {
            let _ = of_line(line.as_bytes(), Timestamp::UNIX_EPOCH);
        }
    }
}
