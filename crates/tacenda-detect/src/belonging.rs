//! Which key a value belongs to, asked from the value: for values that are allowed by their key.

use std::ops::Range;

use crate::assignment::{self, Join, Key};

/// Farthest back that the key of a value is looked for, in bytes.
const LOOK_BACK: usize = 512;

/// Whether the value at `range`, or what it is a part of, is the value of a key of this name: lower
/// case, letters and digits only. Of `contact.mail` both the whole and the last part are names.
///
/// ```
/// let text = br#"{"supportMail": "Desk <desk@example.org>"}"#;
/// let mail = 22..38;
/// assert!(tacenda_detect::belongs_to(text, mail.clone(), "supportmail"));
/// assert!(!tacenda_detect::belongs_to(text, mail, "mail"));
/// ```
pub fn belongs_to(text: &[u8], range: Range<usize>, name: &str) -> bool {
    let from = range.start.saturating_sub(LOOK_BACK);
    let line = text[from..range.start].iter().rposition(|&byte| byte == b'\n');
    let from = line.map_or(from, |at| from + at + 1);
    let signs = (from..range.start).rev().filter(|&at| matches!(text[at], b':' | b'='));
    let assigned = |at: usize| {
        let join = if text[at] == b'=' { Join::Equals } else { Join::Colon };
        let key = name_before(text, at, from).filter(|key| is(&text[key.clone()], name));
        let value = key.and_then(|key| {
            let found = Key::named(&text[key.clone()], key.start);
            assignment::read(text, found, true, at + 1, join)
        });
        value.is_some_and(|found| {
            found.value.start <= range.start && range.end <= found.value.end.max(range.start + 1)
                || found.value.contains(&range.start)
        })
    };
    signs.into_iter().any(assigned) || is_flag(text, range.start, from, name)
}

/// The name that ends before the sign at `at`.
fn name_before(text: &[u8], at: usize, from: usize) -> Option<Range<usize>> {
    let back = |end: usize, skipped: fn(u8) -> bool| {
        let run = text[from..end].iter().rev().take_while(|byte| skipped(**byte)).count();
        end - run
    };
    let blank = |byte: u8| matches!(byte, b' ' | b'\t' | b':');
    let end = back(at, blank);
    let end = back(end, |byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b']'));
    let start = back(end, |byte| byte.is_ascii_alphanumeric() || b"_-.$".contains(&byte));
    (start < end).then_some(start..end)
}

/// `--name value`.
fn is_flag(text: &[u8], at: usize, from: usize, name: &str) -> bool {
    let before = text[from..at].trim_ascii_end();
    let before = before.strip_suffix(b"'").or(before.strip_suffix(b"\"")).unwrap_or(before);
    let before = before.trim_ascii_end();
    let before = before.strip_suffix(b"',").or(before.strip_suffix(b"\",")).unwrap_or(before);
    let word = before.iter().rposition(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'-'));
    let word = &before[word.map_or(0, |at| at + 1)..];
    word.strip_prefix(b"--").is_some_and(|word| is(word, name))
}

/// Whether a written name, or its last part, is `name`.
fn is(written: &[u8], name: &str) -> bool {
    let same = |written: &[u8]| {
        let letters = written.iter().filter(|byte| byte.is_ascii_alphanumeric());
        letters.map(u8::to_ascii_lowercase).eq(name.bytes())
    };
    same(written) || written.rsplit(|byte| *byte == b'.').next().is_some_and(same)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn belongs(text: &str, name: &str) -> bool {
        let at = text.find("v4lue").expect("the text holds the value");
        belongs_to(text.as_bytes(), at..at + 5, name)
    }

    #[test]
    fn every_spelling_of_a_key() {
        for text in [
            "support_mail=v4lue",
            "INFO sent, support-mail: v4lue, next",
            "Support.Mail := 'v4lue'",
            r#"{"supportMail": "v4lue"}"#,
            r#"{\"support_mail\": \"v4lue\"}"#,
            "{'support_mail': b'v4lue'}",
            "environ['SUPPORT_MAIL'] = 'v4lue'",
            "?support_mail=v4lue&n=1",
            "to --support-mail v4lue now",
            "['--support-mail', 'v4lue']",
            "contact.support_mail=v4lue",
            r#""support_mail": "Desk <v4lue>""#,
        ] {
            assert!(belongs(text, "supportmail"), "{text}");
        }
    }

    #[test]
    fn the_keys_of_others_do_not_count() {
        for text in [
            "mail=v4lue",
            "xsupport_mail=v4lue",
            "support_mail=none v4lue",
            "support_mail=none, mail=v4lue",
            r#"{"support_mail": "none", "mail": "v4lue"}"#,
            "support_mail=\nv4lue",
            "support_mail v4lue",
            "v4lue support_mail=1",
        ] {
            assert!(!belongs(text, "supportmail"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_range_of_any_bytes(text in any::<Vec<u8>>(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
            let (a, b) = (a.index(text.len() + 1), b.index(text.len() + 1));
            let _: bool = belongs_to(&text, a.min(b)..a.max(b), "key");
        }
    }
}
