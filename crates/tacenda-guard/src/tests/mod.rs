//! The filter against a redactor whose work is plain to see.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use proptest::prelude::*;
use tacenda_detect::Engine;
use tacenda_policy::Policy;
use tacenda_redact::{Carry, Crossed, Keys, MARKER, Part, Redactor, Report};

use crate::{JsonLinesFilter, Redact, StreamFilter, TextFilter};

mod idle;

/// Redacts words: 16 digits become `[card]`, `sk-` with at least 8 letters or digits behind it
/// `[key N]`, `data:` with base64 behind it `[data]`, and words between `<` and `>` `[words]`.
/// `PANIC` panics.
#[derive(Clone, Copy)]
struct Words;

impl Words {
    fn label(word: &[u8]) -> Option<String> {
        assert!(word != b"PANIC", "a test panics on purpose");
        if word.len() == 16 && word.iter().all(u8::is_ascii_digit) {
            return Some("[card]".to_owned());
        }
        let key = word.strip_prefix(b"sk-").filter(|key| key.len() >= 8);
        if key.is_some_and(|key| key.iter().all(u8::is_ascii_alphanumeric)) {
            return Some(format!("[key {}]", word.len()));
        }
        word.strip_prefix(b"data:").filter(|data| !data.is_empty()).map(|_| "[data]".to_owned())
    }
}

impl Words {
    /// Where each value lies, and what stands for it.
    fn values(record: &[u8]) -> Vec<(Range<usize>, String)> {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-:+/".contains(byte);
        let mut values = Vec::new();
        let mut at = 0;
        while let Some(word) = record[at..].chunk_by(|a, b| is_word(a) && is_word(b)).next() {
            let words = word == b"<";
            let words = words.then(|| memchr::memchr(b'>', &record[at..])).flatten();
            let (end, label) = match words {
                Some(end) => (at + end + 1, Some("[words]".to_owned())),
                None => (at + word.len(), Self::label(word)),
            };
            values.extend(label.map(|label| (at..end, label)));
            at = end;
        }
        values
    }
}

impl Redact for Words {
    fn redact_range<'t>(
        &self,
        carry: &mut Carry,
        around: &'t [u8],
        record: Range<usize>,
        report: &mut Report,
    ) -> Cow<'t, [u8]> {
        let record = &around[record];
        self.redact_part(carry, record, 0..record.len(), report).unwrap().redacted
    }

    fn redact_part<'t>(
        &self,
        _: &mut Carry,
        record: &'t [u8],
        wanted: Range<usize>,
        _: &mut Report,
    ) -> Result<Part<'t>, Crossed> {
        let Range { start, mut end } = wanted;
        let mut values = Self::values(record);
        if let Some((value, _)) =
            values.iter().find(|(value, _)| value.start < end && end < value.end)
        {
            if value.start < start + Redactor::PART {
                return Err(Crossed { start: value.start, end: value.end });
            }
            end = value.start;
        }
        values.retain(|(value, _)| start < value.end && value.end <= end);
        if values.is_empty() {
            return Ok(Part { end, redacted: Cow::Borrowed(&record[start..end]) });
        }
        let (mut out, mut at) = (Vec::new(), start);
        for (value, label) in values {
            out.extend_from_slice(&record[at..value.start.max(start)]);
            out.extend_from_slice(label.as_bytes());
            at = value.end;
        }
        out.extend_from_slice(&record[at..end]);
        Ok(Part { end, redacted: Cow::Owned(out) })
    }
}

fn whole(text: &[u8]) -> Vec<u8> {
    chunks([text])
}

fn chunks<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> Vec<u8> {
    filtered(&mut StreamFilter::new(Words), chunks)
}

fn filtered<'c>(
    filter: &mut StreamFilter<impl Redact>,
    chunks: impl IntoIterator<Item = &'c [u8]>,
) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in chunks {
        filter.push(chunk, &mut out);
    }
    filter.finish(&mut out);
    assert!(!filter.is_holding());
    out
}

/// A text cut into chunks of these sizes, over and over.
fn cut<'t>(text: &'t [u8], sizes: &[usize]) -> Vec<&'t [u8]> {
    let mut rest = text;
    let mut cut = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, after) = rest.split_at((*size).min(rest.len()));
        cut.push(chunk);
        rest = after;
    }
    cut
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

const KEY: &str = "sk-abcDEF123456";

#[test]
fn line_ends_come_out_as_they_came_in() {
    let input = format!("a\n\nb\r\n{KEY}\r\n\r\r\n 10%\r 20%\r{KEY}\rend {KEY}");
    let output = whole(input.as_bytes());
    assert_eq!(text(&output), "a\n\nb\r\n[key 15]\r\n\r\r\n 10%\r 20%\r[key 15]\rend [key 15]");
}

#[test]
fn any_bytes_pass() {
    let input: Vec<u8> = (0..=255).filter(|byte| *byte != b'>').cycle().take(5000).collect();
    assert_eq!(whole(&input), input);
}

#[test]
fn a_value_between_any_two_chunks_is_caught() {
    let input = format!("first {KEY} x\r\n\x1b[1m{KEY}\x1b[m 4111111111111111\rlast {KEY}");
    let expected = whole(input.as_bytes());
    assert!(!text(&expected).contains("sk-"));
    for at in 0..=input.len() {
        let (a, b) = input.as_bytes().split_at(at);
        assert_eq!(text(&chunks([a, b])), text(&expected), "split at {at}");
    }
    assert_eq!(chunks(input.as_bytes().chunks(1)), expected, "byte by byte");
}

#[test]
fn the_products_own_detectors_do_not_mind_chunks_either() {
    let body = "MIIEpAIBAAKCAQEA7bq3Tz0vYkq1yUuXw2mJ8cL0sR4nE5fG6hH7jJ8kK9lL0zXc";
    let key = format!(
        "-----BEGIN RSA PRIVATE KEY-----\r\n{body}\r\n{body}\r\n-----END RSA PRIVATE KEY-----"
    );
    let input = format!(
        "mail \x1b[31mbob@example.com\x1b[0m, card 4111 1111 1111 1111\r{key}\r\nafter\n\
         {{\"password\": \"hunter2-hunter2\"}}\nlast bob@example.com"
    );
    let redactor = Redactor::new(Engine::builtin(), Policy::default(), Keys::random());
    let run = |chunks: &[&[u8]]| {
        let mut filter = StreamFilter::new(&redactor);
        let mut out = Vec::new();
        for chunk in chunks {
            filter.push(chunk, &mut out);
        }
        filter.finish(&mut out);
        text(&out).into_owned()
    };
    let expected = run(&[input.as_bytes()]);
    for value in ["bob@", "4111 1111", &body[..8], "hunter2"] {
        assert!(!expected.contains(value), "{expected:?}");
    }
    assert!(expected.contains("\x1b[31m[email #") && expected.contains("]\x1b[0m, card ["));
    assert!(expected.contains("[private-key]") && expected.contains("after\n"), "{expected:?}");
    for at in 0..=input.len() {
        let (a, b) = input.as_bytes().split_at(at);
        assert_eq!(run(&[a, b]), expected, "split at {at}");
    }
}

#[test]
fn no_escape_hides_a_value() {
    let cases = [
        (format!("\x1b]0;{KEY}\x07x"), "\x1b]0;[key 15]\x07x"),
        (format!("\x1b]8;;{KEY}\x1b\\x\x1b]8;;\x1b\\"), "\x1b]8;;[key 15]\x1b\\x\x1b]8;;\x1b\\"),
        (format!("\x1b(B\x1b[m{KEY}\x1b[1m"), "\x1b(B\x1b[m[key 15]\x1b[1m"),
        // Taken for an escape, the first letter would be lost.
        (format!("\x1b {KEY}"), "\x1b [key 15]"),
        (format!("\x1b[{KEY}"), "\x1b[[key 15]"),
        ("\x1b[4111111111111111;m".to_owned(), "\x1b[[card];m"),
    ];
    for (input, expected) in cases {
        assert_eq!(text(&whole(input.as_bytes())), expected);
    }
}

#[test]
fn a_panic_withholds_the_record_and_not_the_next() {
    let mut filter = StreamFilter::new(Words);
    let mut out = Vec::new();
    filter.push(b"before\nuser said PANIC loudly\r\nafter\n", &mut out);
    assert_eq!(text(&out), format!("before\n{MARKER}\r\nafter\n"));
    assert_eq!(filter.tally().report.withheld, 1);
    assert_eq!(filter.tally().records, 3);
}

/// A line of `len` bytes with `value` at `at`.
fn long_line(len: usize, at: usize, value: &str, filler: &str) -> Vec<u8> {
    let mut line: Vec<u8> = filler.bytes().cycle().take(at).collect();
    line.push(b' ');
    line.extend_from_slice(value.as_bytes());
    line.push(b' ');
    let rest = len.saturating_sub(line.len());
    line.extend(filler.bytes().cycle().take(rest));
    line.push(b'\n');
    line
}

fn unsplit(line: &[u8]) -> Vec<u8> {
    Words.redact_next(&mut Carry::default(), line, &mut Report::default()).into_owned()
}

/// Every place around each cut of a long line.
#[test]
fn a_value_at_a_cut_of_a_long_line_is_caught() {
    const KIB: usize = 1024;
    for filler in ["lorem ipsum dolor ", "x"] {
        for cut in [48 * KIB, 64 * KIB, 96 * KIB, 112 * KIB] {
            for value in [KEY, "<a b cd efg h>"] {
                for at in cut - value.len() - 3..cut + 3 {
                    let line = long_line(140 * KIB, at, value, filler);
                    let output = whole(&line);
                    assert!(output == unsplit(&line), "{filler:?} at {at}");
                }
            }
        }
    }
}

#[test]
fn a_giant_value_is_one_label() {
    let image: String = "QUJD".repeat(100_000);
    for before in ["", "x ", &"word ".repeat(9000)] {
        let line = format!("{before}data:{image} and {KEY}\nnext\n");
        assert_eq!(text(&whole(line.as_bytes())), format!("{before}[data] and [key 15]\nnext\n"));
    }
}

#[test]
fn a_long_line_is_held_in_bounded_memory() {
    let mut filter = StreamFilter::new(Words);
    let mut out = Vec::new();
    let part = "some words ".repeat(100);
    let mut longest = 0;
    for _ in 0..2000 {
        filter.push(part.as_bytes(), &mut out);
        longest = longest.max(out.len());
        out.clear();
    }
    assert!(longest <= 64 * 1024, "{longest}");
}

fn json(input: &str) -> String {
    let mut filter = JsonLinesFilter::new(Words);
    let mut out = Vec::new();
    filter.push(input.as_bytes(), &mut out);
    filter.finish(&mut out);
    text(&out).into_owned()
}

#[test]
fn json_is_redacted_value_by_value() {
    let cases = [
        // Untouched, byte for byte.
        (r#" {"a" : [1, 2.50e+1 ,null], "b":"\u0041\/" }"#, None),
        (
            r#"{"a": "sk-abcDEF123456", "b": {"c":["x 4111111111111111"]}}"#,
            Some(r#"{"a": "[key 15]", "b": {"c":["x [card]"]}}"#),
        ),
        // Hidden by an escape, and escapes that have to be made again.
        (r#"{"a":"sk\u002dabcDEF123456"}"#, Some(r#"{"a":"[key 15]"}"#)),
        (r#"{"a":"\"q\" sk-abcDEF123456\n"}"#, Some(r#"{"a":"\"q\" [key 15]\n"}"#)),
        // A number becomes a string: it stays JSON.
        (r#"{"n": 4111111111111111}"#, Some(r#"{"n": "[card]"}"#)),
        (r"[[1, 4111111111111111]]", Some(r#""[[1, [card]]]""#)),
        // Keys are kept.
        (r#"{"sk-abcDEF123456": "x"}"#, None),
        // Not JSON: text. The last is JSON that is no text.
        (r#"{"a": sk-abcDEF123456}"#, Some(r#"{"a": [key 15]}"#)),
        (r#"{"a": "\ud800 sk-abcDEF123456"}"#, Some(r#"{"a": "\ud800 [key 15]"}"#)),
    ];
    for (input, expected) in cases {
        assert_eq!(json(input), expected.unwrap_or(input));
        assert_eq!(
            json(&format!("{input}\n{input}\r\n")),
            format!("{0}\n{0}\r\n", expected.unwrap_or(input))
        );
    }
}

#[test]
fn json_that_is_too_deep_or_too_long_is_text() {
    let deep = format!("{}\"{KEY}\"{}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(json(&deep), deep.replace(KEY, "[key 15]"));
    let long = format!("[\"{}\", \"{KEY}\"]\n[\"{KEY}\"]\n", "word ".repeat(2 << 20));
    assert!(json(&long) == long.replace(KEY, "[key 15]"));
}

static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::new(Engine::builtin(), Policy::default(), Keys::random()));

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// A line of several windows, colours, titles and all: the same comes out however it is cut, and
    /// no value.
    #[test]
    fn a_long_line_is_the_same_in_any_chunks(
        parts in prop::collection::vec(
            (
                prop_oneof![
                    4 => Just("nothing to be seen here, and a good deal of it"),
                    2 => Just("mail ines.moreau@example.org and"),
                    2 => Just("card 5555 5555 5555 4444, charged"),
                    1 => Just("\x1b[31mred\x1b[0m \x1b]0;a title\x07"),
                    1 => Just("[0.125, 0.25, 0.5,"),
                    1 => Just("x1y2z3"),
                ],
                prop_oneof![3 => 1_usize..40, 1 => 500_usize..3000],
            ),
            4..30,
        ),
        sizes in prop::collection::vec(300_usize..30_000, 1..10),
    ) {
        let line = |(part, times): &(&str, usize)| format!("{part} ").repeat(*times);
        let text = parts.iter().map(line).collect::<String>() + "\n";
        let run = |sizes: &[usize]| {
            let mut filter = StreamFilter::new(&*REDACTOR);
            let out = filtered(&mut filter, cut(text.as_bytes(), sizes));
            (String::from_utf8(out).unwrap(), filter.tally().clone())
        };
        let (out, tally) = run(&[text.len()]);
        prop_assert!(run(&sizes) == (out.clone(), tally));
        for value in ["moreau", "example.org", "5555", "4444"] {
            let label = out.matches("…4444]").count();
            let shown = out.matches(value).count();
            prop_assert_eq!(shown, if value == "4444" { label } else { 0 }, "{}", value);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn chunks_do_not_matter(
        parts in prop::collection::vec(
            prop_oneof![
                Just(format!(" {KEY} ")), Just("4111111111111111".to_owned()), Just("\r\n".to_owned()),
                Just("\n".to_owned()), Just("\r".to_owned()), Just("\x1b[31m".to_owned()),
                Just(" ".to_owned()), Just("\x1b]0;".to_owned()), Just("\x07".to_owned()),
                "[ -~]{0,12}", ".{0,4}",
                (1_usize..70_000, "[a-z ]{1,9}").prop_map(|(len, word)| word.repeat(len / word.len())),
            ],
            0..24,
        ),
        sizes in prop::collection::vec(1_usize..9000, 1..40),
    ) {
        let input = parts.concat();
        let expected = whole(input.as_bytes());
        prop_assert!(chunks(cut(input.as_bytes(), &sizes)) == expected);
        prop_assert!(!text(&expected).contains(KEY), "{:?}", text(&expected));
    }

    /// However a log is cut into chunks, each record comes out as if it had come alone.
    #[test]
    fn records_are_redacted_one_by_one(
        records in prop::collection::vec(
            (
                prop_oneof![
                    Just("2026-11-21 10:00:00 INFO served /v1/models in 17 ms".to_owned()),
                    Just("mail to ines.moreau@example.org refused".to_owned()),
                    Just("card 5555 5555 5555 4444,".to_owned()),
                    Just("5555 5555".to_owned()),
                    Just("5555 4444".to_owned()),
                    Just("password:".to_owned()),
                    Just("x = [0.125, 0.25, 0.5, 0.75,".to_owned()),
                    Just("-----BEGIN RSA PRIVATE KEY-----".to_owned()),
                    Just("MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu".to_owned()),
                    Just("-----END RSA PRIVATE KEY-----".to_owned()),
                    "[ -~]{0,30}",
                ],
                prop_oneof![8 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\r")],
            ),
            0..30,
        ),
        sizes in prop::collection::vec(1_usize..300, 1..20),
    ) {
        let redactor = &*REDACTOR;
        let (mut carry, mut report) = (Carry::default(), Report::default());
        let mut expected = Vec::new();
        let mut text = Vec::new();
        for (record, end) in &records {
            // Behind a bare `\r` an empty line is the other half of its end.
            let record = if record.is_empty() { " " } else { record };
            let record = [record, end].concat().into_bytes();
            expected.extend_from_slice(&redactor.redact_next(&mut carry, &record, &mut report));
            text.extend_from_slice(&record);
        }
        let mut filter = StreamFilter::new(redactor);
        let out = filtered(&mut filter, cut(&text, &sizes));
        prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&expected));
        prop_assert_eq!(&filter.tally().report, &report);
        prop_assert_eq!(filter.tally().records, records.len() as u64);
    }
}

/// A text through a [`TextFilter`] in chunks of these sizes, over and over.
fn read(text: &str, sizes: &[usize]) -> (String, crate::Tally) {
    let redactor = Redactor::new(Engine::builtin(), Policy::default(), Keys::random());
    let mut filter = TextFilter::new(&redactor);
    let mut out = Vec::new();
    for chunk in cut(text.as_bytes(), sizes) {
        filter.push(chunk, &mut out);
    }
    filter.finish(&mut out);
    (String::from_utf8(out).unwrap(), filter.tally().clone())
}

#[test]
fn a_value_that_is_broken_over_lines_is_redacted_as_one() {
    let wide = format!("{} ines.moreau@exa", "x".repeat(64));
    let text = format!(
        "first\n{wide}\n  mple.org and more\nTo: ines.mor=\neau@exam=\r\nple.org\nlast ines@example.org"
    );
    for sizes in [&[1][..], &[7], &[80, 3], &[1000]] {
        let (out, tally) = read(&text, sizes);
        let lines: Vec<&str> = out.split('\n').collect();
        assert_eq!(lines.len(), 4, "{out}");
        assert_eq!(lines[0], "first");
        assert!(lines[1].starts_with(&format!("{} [email #", "x".repeat(64))), "{out}");
        assert!(lines[1].ends_with("] and more"), "{out}");
        assert!(lines[2].starts_with("To: [email #") && lines[2].ends_with(']'), "{out}");
        assert!(lines[3].starts_with("last [email #"), "{out}");
        assert_eq!(tally.report.redacted.values().sum::<u64>(), 3);
        assert_eq!((tally.bytes_in, tally.bytes_out), (text.len() as u64, out.len() as u64));
    }
}

#[test]
fn a_line_that_ends_where_it_ends_is_not_held() {
    let redactor = Redactor::new(Engine::builtin(), Policy::default(), Keys::random());
    let (mut filter, mut out) = (TextFilter::new(&redactor), Vec::new());
    filter.push(b"one\n", &mut out);
    assert_eq!(out, b"one\n");
    filter.push(format!("{}\n", "x".repeat(80)).as_bytes(), &mut out);
    assert_eq!(out, b"one\n", "it may go on in the next one");
    filter.push(b"two\n", &mut out);
    assert!(out.ends_with(b"\ntwo\n"));
}

proptest! {
    /// Lines that do not go on in one another are redacted as in a stream, and chunks make no
    /// difference.
    #[test]
    fn a_text_is_redacted_as_a_stream_is(
        lines in proptest::collection::vec(
            prop_oneof![
                3 => "[ -<>-~]{0,39}",
                1 => Just("from ines.moreau@example.org".to_owned()),
                1 => Just("-----BEGIN RSA PRIVATE KEY-----".to_owned()),
                1 => Just("x".repeat(70_000)),
                1 => "[a-z]{79}[.]",
            ],
            0..12,
        ),
        sizes in proptest::collection::vec(1_usize..5000, 1..4),
    ) {
        let text = lines.join("\n");
        let keys = Keys::random();
        let redactor = Redactor::new(Engine::builtin(), Policy::default(), keys);
        let mut filter = TextFilter::new(&redactor);
        let mut out = Vec::new();
        for chunk in cut(text.as_bytes(), &sizes) {
            filter.push(chunk, &mut out);
        }
        filter.finish(&mut out);
        let mut stream = StreamFilter::new(&redactor);
        let mut expected = Vec::new();
        stream.push(text.as_bytes(), &mut expected);
        stream.finish(&mut expected);
        prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&expected));
        prop_assert_eq!(filter.tally(), stream.tally());
    }
}

#[test]
fn an_array_over_several_lines_is_one() {
    let (policy, keys) = (Policy::default(), Keys::random());
    let redactor = Redactor::new(Engine::builtin(), policy, keys);
    let rows = "[ 0.12573022 -0.13210486  0.64042265  0.10490012 -0.53566937  0.36159505\n  1.30400005  0.94708096]";
    let ids = "[151644    872    198   3838    374    279   6722\n    315   9625]";
    let tensor = "tensor([[0.1257, 0.6404],\n        [0.1049, 0.3616]])";
    for array in [rows, ids, tensor] {
        let text = format!("before\nx = {array}\n[INFO] after [1, 2]\n{array}\nlast");
        let mut filter = StreamFilter::new(&redactor);
        let mut out = Vec::new();
        filter.push(text.as_bytes(), &mut out);
        filter.finish(&mut out);
        let out = String::from_utf8(out).unwrap();
        assert!(out.starts_with("before\nx = ["), "{out}");
        assert!(out.contains("]\n[INFO] after [1, 2]\n[") && out.ends_with("]\nlast"), "{out}");
        assert!(!out.contains("0.3") && !out.contains("198") && !out.contains("1.304"), "{out}");
        assert_eq!(filter.tally().bytes_in, text.len() as u64);
    }
    let mut filter = StreamFilter::new(&redactor);
    let mut out = Vec::new();
    for part in ["ids:", " ", ids, "\n"] {
        filter.push(part.as_bytes(), &mut out);
    }
    let out = String::from_utf8(out).unwrap();
    assert!(out.starts_with("ids: [token-ids") && !out.contains("198"), "{out}");
    assert_eq!(filter.tally().bytes_in, ids.len() as u64 + 6);
    let text = "[00:10<00:20]\n[ 1 ]\n[2026-11-21 02:37:40,123]\n[3/7]\n";
    let mut filter = StreamFilter::new(&redactor);
    let mut out = Vec::new();
    filter.push(text.as_bytes(), &mut out);
    assert_eq!(out, text.as_bytes());
}
