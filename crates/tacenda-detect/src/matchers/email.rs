//! E-mail addresses (RFC 5321, the form that people use), with `@` plain or as `%40`.

use std::ops::Range;

use crate::boundary;

/// RFC 5321, 4.5.3.1: octets of a local part and of a domain.
const LOCAL: usize = 64;
const DOMAIN: usize = 255;

/// The address around the `@` at `at`, which is `width` bytes wide.
pub(crate) fn around(text: &[u8], at: usize, width: usize) -> Option<Range<usize>> {
    // Most signs stand alone: the neighbours tell.
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80;
    let before = text[at.checked_sub(1)?];
    if !word(*text.get(at + width)?) || !(word(before) || matches!(before, b'_' | b'+' | b'-')) {
        return None;
    }
    let start = local_start(text, at)?;
    let end = domain_end(text, at + width)?;
    if is_userinfo(text, start) || is_ssh_remote(&text[start..at], text, end) {
        return None;
    }
    Some(start..end)
}

fn local_start(text: &[u8], at: usize) -> Option<usize> {
    let mut start = at;
    // Text only: in bytes of another sort an `@` is a chance.
    let before = &text[at.saturating_sub(LOCAL)..at];
    let floor = if before.is_ascii() {
        at - before.len()
    } else {
        let last = before.utf8_chunks().last().filter(|last| last.invalid().is_empty())?;
        at - last.valid().len()
    };
    while start > floor {
        match text[start - 1] {
            b if b.is_ascii_alphanumeric() || b >= 0x80 => {}
            b'.' | b'_' | b'+' | b'-' => {}
            // Percent-encoded: `%2B` is a plus in the local part, `%3D` ends a key before it.
            b'%' => match text.get(start..start + 2) {
                Some(b"2B" | b"2b" | b"2E" | b"2e" | b"2D" | b"2d" | b"5F" | b"5f") => {}
                Some(hex) if hex.iter().all(u8::is_ascii_hexdigit) => {
                    start += 2;
                    break;
                }
                _ => break,
            },
            _ => break,
        }
        start -= 1;
    }
    if start > at {
        return None;
    }
    start = boundary::out_of_escape(text, start).min(at);
    while start < at && matches!(text[start], b'.' | b'-' | b'+') {
        start += 1;
    }
    (start < at && text[at - 1] != b'.').then_some(start)
}

fn domain_end(text: &[u8], from: usize) -> Option<usize> {
    let limit = text.len().min(from + DOMAIN);
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | 0x80..);
    let limit = from + text[from..limit].iter().take_while(|b| part(b)).count();
    let limit = from + text[from..limit].utf8_chunks().next()?.valid().len();
    let word = |i: usize| i < limit && (text[i].is_ascii_alphanumeric() || text[i] >= 0x80);
    if !word(from) {
        return None;
    }
    let mut end = from;
    let mut label = from;
    let mut last_dot = None;
    while end < limit {
        let dash = text[end] == b'-' && (word(end + 1) || text.get(end + 1) == Some(&b'-'));
        if word(end) || dash {
            end += 1;
        } else if text[end] == b'.' && word(end + 1) {
            last_dot = Some(end);
            end += 1;
            label = end;
        } else {
            break;
        }
    }
    last_dot?;
    let top = &text[label..end];
    let letters = top.iter().take_while(|b| b.is_ascii_alphabetic() || **b >= 0x80).count();
    let encoded = top.len() > 4 && top[..4].eq_ignore_ascii_case(b"xn--");
    if encoded || letters == top.len() && letters >= 2 {
        return (!is_file_suffix(top)).then_some(end);
    }
    // `jane@example.com-old`: the address ends with the letters.
    (letters >= 2 && top[letters] == b'-').then_some(label + letters)
}

/// `icon@2x.png`, `module@main.py`, and systemd's units: `getty@tty1.service`.
fn is_file_suffix(top: &[u8]) -> bool {
    const SUFFIXES: [&[u8]; 29] = [
        b"png",
        b"jpg",
        b"jpeg",
        b"gif",
        b"svg",
        b"webp",
        b"js",
        b"mjs",
        b"css",
        b"ts",
        b"tsx",
        b"json",
        b"html",
        b"txt",
        b"toml",
        b"yaml",
        b"yml",
        b"lock",
        b"service",
        b"socket",
        b"timer",
        b"target",
        b"slice",
        b"scope",
        b"mount",
        b"automount",
        b"swap",
        b"device",
        b"path",
    ];
    SUFFIXES.iter().any(|suffix| top.eq_ignore_ascii_case(suffix))
}

/// `scheme://user@host` and `scheme://user:password@host`: the user of a URL, not an address.
fn is_userinfo(text: &[u8], start: usize) -> bool {
    const LOOK_BACK: usize = 96;
    let before = &text[start.saturating_sub(LOOK_BACK)..start];
    let word = before
        .iter()
        .rposition(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'<' | b'='));
    let before = word.map_or(before, |i| &before[i + 1..]);
    match memchr::memmem::rfind(before, b"://") {
        Some(i) => !before[i + 3..].iter().any(|b| matches!(b, b'/' | b'?' | b'#')),
        None => false,
    }
}

/// `git@host:path`.
fn is_ssh_remote(local: &[u8], text: &[u8], end: usize) -> bool {
    local == b"git"
        && text.get(end) == Some(&b':')
        && text.get(end + 1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &[u8]) -> Option<&[u8]> {
        let at = memchr::memchr(b'@', text)?;
        around(text, at, 1).map(|range| &text[range])
    }

    #[test]
    fn an_address_is_text() {
        assert_eq!(
            found("von jörg@müller.example an".as_bytes()),
            Some("jörg@müller.example".as_bytes())
        );
        // Quotes of Latin-1 are none of it.
        assert_eq!(found(b"\xabjane@example.com\xbb"), Some(&b"jane@example.com"[..]));
        for bytes in
            [&b"\xf3\x91@\x9a\xc5.\xfe\xd0"[..], b"a@\xffb.cd", b"\xe9\x80@b.cd", b"a@b.c\xff"]
        {
            assert_eq!(found(bytes), None, "{bytes:02x?}");
        }
        // The bound on the local part may cut a letter.
        let long = format!("{}a@example.com", "é".repeat(40));
        assert!(found(long.as_bytes()).is_some_and(|address| str::from_utf8(address).is_ok()));
    }
}
