//! What stands where a secret would: nothing, a type, a template, a mask, or what Tacenda itself
//! has written there.

use std::ops::Range;

/// Words that a key may be given without telling anything.
const WORDS: [&[u8]; 50] = [
    b"deleted",
    b"revoked",
    b"none",
    b"null",
    b"nil",
    b"true",
    b"false",
    b"undefined",
    b"nan",
    b"str",
    b"string",
    b"bytes",
    b"int",
    b"float",
    b"bool",
    b"optional",
    b"any",
    b"dict",
    b"list",
    b"object",
    b"secretstr",
    b"redacted",
    b"hidden",
    b"masked",
    b"filtered",
    b"censored",
    b"removed",
    b"omitted",
    b"withheld",
    b"empty",
    b"required",
    b"missing",
    b"invalid",
    b"unset",
    b"not_set",
    b"notset",
    b"disabled",
    b"enabled",
    b"yes",
    b"no",
    b"on",
    b"off",
    b"n/a",
    b"present",
    b"absent",
    b"unknown",
    b"default",
    b"expired",
    b"(sensitive",
    b"(known",
];

/// The longest of them.
const WORD: usize = 10;

/// Whether a token is filled up with one masking character: `hvs.xxxxxxxxxxxx`.
pub(crate) fn is_filled_up(token: &[u8]) -> bool {
    const RUN: usize = 8;
    let filler = |b: u8| matches!(b, b'x' | b'X' | b'*' | b'.' | b'#' | b'_' | b'-');
    token.windows(RUN).any(|run| filler(run[0]) && run.iter().all(|b| *b == run[0]))
}

/// Whether `value` is no secret whatever its key.
pub(crate) fn is_stand_in(value: &[u8]) -> bool {
    // What fills more than this is no mask.
    const LONGEST: usize = 256;
    let Some(&first) = value.first() else { return true };
    let value = &value[..value.len().min(LONGEST)];
    is_label(value)
        || is_template(value, first)
        || value.len() <= WORD && WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
        || is_mask(value)
        || is_of_a_manual(value)
        || is_account_line(value)
        || is_reference(value)
}

/// `x:0:0:root`: the fields of an account in `/etc/passwd`, whose password is elsewhere.
fn is_account_line(value: &[u8]) -> bool {
    let mut fields = value.split(|byte| *byte == b':');
    let number = |field: Option<&[u8]>| {
        field.is_some_and(|field| !field.is_empty() && field.iter().all(u8::is_ascii_digit))
    };
    matches!(fields.next(), Some(b"x" | b"*" | b"!"))
        && number(fields.next())
        && number(fields.next())
}

/// `var.client_secret`, `module.db.password`: what Terraform writes for a value.
fn is_reference(value: &[u8]) -> bool {
    const ROOTS: [&[u8]; 5] = [b"var.", b"local.", b"module.", b"data.", b"each."];
    ROOTS.iter().any(|root| value.starts_with(root))
        && value.iter().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_'))
}

/// `user:password`, `ops_…[Redacted]`: what manuals write.
fn is_of_a_manual(value: &[u8]) -> bool {
    const USERS: [&[u8]; 6] = [b"user", b"username", b"login", b"test", b"foo", b"xxx"];
    const PASSWORDS: [&[u8]; 9] =
        [b"pass", b"password", b"passwd", b"pwd", b"token", b"secret", b"test", b"bar", b"yyy"];
    const LONGEST_PAIR: usize = 20;
    let is =
        |part: &[u8], words: &[&[u8]]| words.iter().any(|word| part.eq_ignore_ascii_case(word));
    let pair = || {
        value.len() <= LONGEST_PAIR
            && memchr::memchr(b':', value)
                .is_some_and(|i| is(&value[..i], &USERS) && is(&value[i + 1..], &PASSWORDS))
    };
    let cut = || {
        memchr::memchr_iter(b'[', value).any(|i| {
            value[i + 1..].get(..8).is_some_and(|word| word.eq_ignore_ascii_case(b"redacted"))
        })
    };
    pair() || cut()
}

/// `[email #a1b2c3]`, `[credential]`: a label of Tacenda's, or of a tool like it.
pub(crate) fn is_label(value: &[u8]) -> bool {
    const KIND: usize = 32;
    let Some(inner) = value.strip_prefix(b"[") else { return false };
    let kind = inner
        .iter()
        .take(KIND)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        .count();
    inner.first().is_some_and(u8::is_ascii_alphabetic)
        && matches!(inner.get(kind), Some(b']' | b' ' | b':') | None)
}

/// How many digits the fingerprint in a label has, when no policy says otherwise.
pub(crate) const FINGERPRINT: usize = 12;

/// Whether `range` is in the fingerprint of a label: `[email #a1b2c3]`, `[prompt 5 chars, #a1b2c3]`.
pub(crate) fn is_fingerprint(text: &[u8], range: &Range<usize>) -> bool {
    const LABEL: usize = 80;
    let before = &text[range.start.saturating_sub(LABEL)..range.start];
    let Some(sign) = memchr::memrchr(b'#', before) else { return false };
    let Some(open) = memchr::memrchr2(b'[', b']', &before[..sign]) else { return false };
    let hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let value = &text[range.clone()];
    let value = value.strip_suffix(b"]").unwrap_or(value);
    let mut words = before[open..sign].split(|byte| *byte == b' ');
    let kind = words.next().and_then(|word| word.strip_prefix(b"["));
    let name = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    kind.is_some_and(|kind| {
        kind.first().is_some_and(u8::is_ascii_lowercase) && kind.iter().all(name)
    }) && before[..sign].ends_with(b" ")
        && before[sign + 1..].iter().chain(value).all(hex)
}

/// What is left of `range` behind a label that it begins in: `[email #a1b2c3] and more`.
pub(crate) fn behind_label(text: &[u8], range: &Range<usize>) -> Option<Range<usize>> {
    const LABEL: usize = 120;
    let floor = range.start.saturating_sub(LABEL);
    let before = &text[floor..range.start];
    let open = memchr::memrchr2(b'[', b']', before).filter(|at| before[*at] == b'[')?;
    let close = range.start + memchr::memchr(b']', &text[range.clone()])?;
    let label = &text[floor + open..close];
    let digits = label.iter().rev().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let ends = digits > 0 && label[..label.len() - digits].ends_with(b" #");
    (ends && is_label(label)).then_some(close + 1..range.end)
}

/// `${API_KEY}`, `$TOKEN`, `{{ token }}`, `<your key>`, `%(key)s`, `{key}`.
fn is_template(value: &[u8], first: u8) -> bool {
    let second = value.get(1).copied();
    match first {
        b'$' => {
            second.is_some_and(|b| matches!(b, b'{' | b'(' | b'_') || b.is_ascii_uppercase())
                || value[1..].iter().all(|b| b.is_ascii_lowercase() || *b == b'_')
        }
        b'{' | b'<' => true,
        b'%' => matches!(second, Some(b'(' | b's' | b'r' | b'd') | None),
        _ => memchr::memchr_iter(b'{', value).any(|i| i > 0 && matches!(value[i - 1], b'$' | b'{')),
    }
}

/// `***`, `xxxx`, `sk-****`, `••••`: a masking character, little else.
fn is_mask(value: &[u8]) -> bool {
    const RUN: usize = 6;
    let signs = b"*xX.#-_?";
    // The bytes of `•` and `…` count one by one.
    let masked = value
        .iter()
        .filter(|b| signs.contains(b) || matches!(b, 0xe2 | 0x80 | 0xa2 | 0xa6))
        .count();
    let stars = || value.windows(3).any(|three| three == b"***");
    let filled = || {
        value.windows(RUN).any(|run| b"xX*#".contains(&run[0]) && run.iter().all(|b| *b == run[0]))
    };
    masked == value.len()
        || masked >= 3 && masked * 2 >= value.len() && (stars() || filled())
        || value.len() >= 3 && value.iter().all(|byte| *byte == value[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_belongs_to_its_label() {
        for (text, told) in [
            ("[hardware-serial #«a1b2c3d4e5f6»]", true),
            ("[prompt 5 chars, 2 tokens, #«a1b2c3»]", true),
            ("[hardware-serial #a1«b2c3d4»e5f6]", true),
            ("[email] #«a1b2c3d4e5f6»", false),
            ("issue #«a1b2c3d4e5f6»", false),
            ("[hardware-serial #«R58M42ABCDE»]", false),
        ] {
            let (before, rest) = text.split_once('«').unwrap();
            let (value, after) = rest.split_once('»').unwrap();
            let range = before.len()..before.len() + value.len();
            let plain = format!("{before}{value}{after}");
            assert_eq!(is_fingerprint(plain.as_bytes(), &range), told, "{text}");
        }
    }

    #[test]
    fn a_value_begins_behind_a_label() {
        for (text, left) in [
            ("[street-address «#a1b2c3] and more»", Some(" and more")),
            ("[prompt «5 chars, #a1b2c3]»", Some("")),
            ("[street-address #a1b2c3] «and [more]»", None),
            ("the list [«5 chars, #a1b2c3]»", None),
        ] {
            let (before, rest) = text.split_once('«').unwrap();
            let (value, after) = rest.split_once('»').unwrap();
            let range = before.len()..before.len() + value.len();
            let plain = format!("{before}{value}{after}");
            let found = behind_label(plain.as_bytes(), &range).map(|range| &plain[range]);
            assert_eq!(found, left, "{text}");
        }
    }

    #[test]
    fn stand_ins_and_secrets() {
        for text in [
            "None",
            "***",
            "${API_KEY}",
            "$TOKEN",
            "<your key>",
            "{{ token }}",
            "%(key)s",
            "xxxx",
            "[credential]",
            "[credential #a1b2c3]",
            "[ai21-key #a1b2c3]",
            "[REDACTED]",
            "••••",
            "sk-********",
            "AP6xxxxxx",
            "user:pass",
            "ops_eyJz..[Redacted]",
            "x:0:0",
            "x:1000:1000:Roe",
            "",
        ] {
            assert!(is_stand_in(text.as_bytes()), "{text}");
        }
        for text in [
            "hunter2",
            "correct horse",
            "$3cret!",
            "[1,2]",
            "x9x9x9",
            "p***word1",
            "jane:pass",
            "x:0:canary",
            "EXAMPLE7x",
        ] {
            assert!(!is_stand_in(text.as_bytes()), "{text}");
        }
    }
}
