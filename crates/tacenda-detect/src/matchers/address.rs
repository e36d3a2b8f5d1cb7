//! Network addresses: IPv4 (dotted decimal), IPv6 (RFC 4291), MAC (IEEE 802, EUI-48).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::context::{WordList, follows_word};
use crate::boundary;

/// The longest text of an IPv6 address, with an IPv4 address at its end.
const IPV6: usize = 45;
const MAC: usize = 17;

/// Whether the four numbers at `range` are the address of a host rather than a version.
pub(crate) fn is_ipv4(text: &[u8], range: &Range<usize>) -> bool {
    let Ok(digits) = std::str::from_utf8(&text[range.clone()]) else { return false };
    let Ok(address) = digits.parse::<Ipv4Addr>() else { return false };
    let quiet = address.is_loopback() || address.is_unspecified() || address.is_broadcast();
    !quiet && !is_version(text, range) && !is_section(text, range, address) && !is_netmask(address)
}

/// `255.255.255.0` says nothing of a host.
fn is_netmask(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    bits.leading_ones() >= 8 && bits.leading_ones() + bits.trailing_zeros() == 32
}

/// Words behind which four numbers are a place in a document.
const SECTION_WORDS: [&[u8]; 17] = [
    b"section",
    b"sections",
    b"sec",
    b"chapter",
    b"clause",
    b"paragraph",
    b"subsection",
    b"figure",
    b"fig",
    b"table",
    b"appendix",
    b"annex",
    b"article",
    b"rule",
    b"requirement",
    b"item",
    b"control",
];

/// `section 4.2.1.3`, `see 1.2.3.4 of the manual`: numbers of sections are small.
fn is_section(text: &[u8], range: &Range<usize>, address: Ipv4Addr) -> bool {
    const MOST: u8 = 50;
    const OF: [&[u8]; 4] = [b" of the ", b" of this ", b" in the ", b" of RFC "];
    let before = &text[range.start.saturating_sub(24)..range.start];
    let small = address.octets().into_iter().all(|number| number < MOST);
    let word = last_word(before);
    let named = SECTION_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
        || before.ends_with("§".as_bytes())
        || before.ends_with("§ ".as_bytes());
    let seen = [&b"see"[..], b"in", b"under", b"per"].iter().any(|w| word.eq_ignore_ascii_case(w));
    small && (named || seen && OF.iter().any(|of| text[range.end..].starts_with(of)))
}

/// The letters before the value, blanks, quotes and signs of assignment aside.
fn last_word(before: &[u8]) -> &[u8] {
    let end = before.iter().rposition(u8::is_ascii_alphanumeric).map_or(0, |i| i + 1);
    let gap = &before[end..];
    if !gap.iter().all(|b| matches!(b, b' ' | b':' | b'=' | b'"' | b'\'' | b'.' | b'#')) {
        return b"";
    }
    let start = before[..end].iter().rposition(|b| !b.is_ascii_alphabetic()).map_or(0, |i| i + 1);
    &before[start..end]
}

/// Words behind which four numbers are a version.
const VERSION_WORDS: [&[u8]; 18] = [
    b"rv",
    b"version",
    b"versions",
    b"ver",
    b"v",
    b"build",
    b"release",
    b"driver",
    b"schema",
    b"firmware",
    b"rev",
    b"revision",
    b"openssl",
    b"python",
    b"cuda",
    b"cudnn",
    b"nccl",
    b"tensorrt",
];

fn is_version(text: &[u8], range: &Range<usize>) -> bool {
    const LOOK_BACK: usize = 24;
    let before = &text[range.start.saturating_sub(LOOK_BACK)..range.start];
    let after = &text[range.end..];
    match after.first() {
        Some(b'+' | b'_' | b'~') => return true,
        Some(b'-') if after.get(1).is_some_and(u8::is_ascii_alphanumeric) => {
            // `10.0.0.1-10.0.0.9` is a range of hosts.
            let host = after[1..].iter().take(16).filter(|b| **b == b'.').count() >= 3;
            if !host {
                return true;
            }
        }
        _ => {}
    }
    if is_demanded(before) {
        return true;
    }
    let Some(&last) = before.last() else { return false };
    match last {
        b'_' | b'~' | b'^' => return true,
        b'-' => {
            return before.len() > 1
                && before[before.len() - 2].is_ascii_alphabetic()
                && !before.ends_with(b"ip-");
        }
        // `Chrome/120.0.0.0` is a product (RFC 9110, 10.1.5); `host/10.0.0.1:50010` is Java's.
        b'/' => {
            let product = before.len() > 1 && before[before.len() - 2].is_ascii_alphanumeric();
            return product && after.first() != Some(&b':');
        }
        b'=' if before.ends_with(b"==")
            || before.ends_with(b">=")
            || before.ends_with(b"<=")
            || before.ends_with(b"~=") =>
        {
            return true;
        }
        _ => {}
    }
    let word = last_word(before);
    VERSION_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// `libxi6 (>= 2:1.2.99.4)`: what a package asks for.
fn is_demanded(before: &[u8]) -> bool {
    const SIGNS: [&[u8]; 6] = [b"(>=", b"(<=", b"(=", b"(<<", b"(>>", b"(~>"];
    let epoch = match before {
        [rest @ .., b'0'..=b'9', b':'] => rest,
        _ => before,
    };
    epoch.strip_suffix(b" ").is_some_and(|rest| SIGNS.iter().any(|sign| rest.ends_with(sign)))
}

/// The IPv6 address around the colon at `colon`.
pub(crate) fn ipv6(text: &[u8], colon: usize) -> Option<Range<usize>> {
    let part = |b: &u8| b.is_ascii_hexdigit() || *b == b':';
    let back = text[..colon].iter().rev().take(IPV6).take_while(|b| part(b)).count();
    let start = boundary::out_of_escape(text, colon - back);
    let forward = text[colon..].iter().take(IPV6).take_while(|b| part(b) || **b == b'.').count();
    let mut end = colon + forward;
    // A colon or dot at the end is punctuation, unless it is the end of `fe80::`.
    while end > colon
        && (text[end - 1] == b'.' || text[end - 1] == b':' && !text[..end].ends_with(b"::"))
    {
        end -= 1;
    }
    let before = start.checked_sub(1).map(|i| text[i]);
    let inside = before.is_some_and(|b| {
        b.is_ascii_alphanumeric() && !boundary::opens(text, start)
            || matches!(b, b'_' | b'.' | b'-')
    });
    let after = text.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    if inside || after || start > colon {
        return None;
    }
    let candidate = std::str::from_utf8(&text[start..end]).ok()?;
    let address: Ipv6Addr = candidate.parse().ok()?;
    let told = !address.is_loopback() && !address.is_unspecified() && is_telling(candidate);
    told.then(|| start..end + zone(&text[end..]))
}

/// The end of the hexadecimal digits and colons from `at` on, as far as an address could reach.
pub(crate) fn colons_end(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take(IPV6).take_while(|b| b.is_ascii_hexdigit() || **b == b':').count()
}

/// The length of a zone (RFC 4007, 11): `%eth0`.
fn zone(after: &[u8]) -> usize {
    const LONGEST: usize = 16;
    let name = after.iter().skip(1).take(LONGEST).take_while(|b| b.is_ascii_alphanumeric()).count();
    if after.first() == Some(&b'%') && name > 0 { name + 1 } else { 0 }
}

/// `a::b` is C++ or Rust, `1::2` a slice: an address has more to it.
fn is_telling(candidate: &str) -> bool {
    let groups = candidate.split(':').filter(|group| !group.is_empty()).count();
    let longest = candidate.split(':').map(str::len).max().unwrap_or(0);
    let digits = candidate.bytes().any(|b| b.is_ascii_digit());
    // `04:3f:11:aa:bb:cc:dd:ee` is a serial number, or the name of a disk.
    let bytes = groups == 8 && candidate.len() == 8 * 3 - 1 && longest == 2;
    digits && !bytes && (groups >= 4 || groups >= 2 && longest >= 3)
        || candidate.starts_with("fe80:") && groups >= 2
}

static MAC_WORDS: WordList = WordList::new(&[
    b"bssid",
    b"eth",
    b"ether",
    b"ethernet",
    b"hardware address",
    b"hwaddr",
    b"lladdr",
    b"mac",
    b"mac address",
    b"macs",
    b"physical address",
    b"wlan",
]);

/// The MAC address whose first `:` or `-` is at `separator`.
pub(crate) fn mac(text: &[u8], separator: usize) -> Option<Range<usize>> {
    let start = separator.checked_sub(2)?;
    let end = start + MAC;
    let candidate = text.get(start..end)?;
    let sign = text[separator];
    let shaped = candidate
        .iter()
        .enumerate()
        .all(|(i, b)| if i % 3 == 2 { *b == sign } else { b.is_ascii_hexdigit() });
    if !shaped || !boundary::opens(text, start) || !boundary::closes(text, end) {
        return None;
    }
    // A fingerprint of a key has more of them.
    let goes_on =
        text.get(end) == Some(&sign) && text.get(end + 1).is_some_and(u8::is_ascii_hexdigit);
    let began = start > 0 && text[start - 1] == sign;
    let first = candidate[0];
    // Digits alone are a date, a time or a row of numbers, unless a word says otherwise.
    let digits = candidate.iter().all(|b| *b == sign || b.is_ascii_digit());
    if digits && !follows_word(text, start, &MAC_WORDS) {
        return None;
    }
    let told = candidate.iter().any(|b| *b != sign && !b.eq_ignore_ascii_case(&first));
    (told && !goes_on && !began).then_some(start..end)
}
