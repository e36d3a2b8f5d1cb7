//! Addresses of machines, and the names and addresses of people.

use super::{BLOCK, Pass, each_bit};
use crate::candidates;
use crate::masks::Masks;
use crate::matchers::address;
use crate::names::Matcher;
use crate::people::{self, Candidates, Judged};

impl Pass<'_, '_, '_> {
    /// IPv6 and MAC addresses, by the distances of their colons and dashes.
    #[cold]
    pub(super) fn addresses(&mut self, base: usize, masks: &Masks, before: &Masks) {
        let window = |before: u64, now: u64| u128::from(before) | u128::from(now) << 64;
        let colons = window(before.colon, masks.colon);
        let dashes = window(before.dash, masks.dash);
        let three = |bits: u128| bits & bits >> 3 & bits >> 6;
        let five = |bits: u128| three(bits) & bits >> 9 & bits >> 12;
        let pairs = colons & colons >> 1;
        let full = if candidates::near_each_other(colons) { colons } else { 0 };
        let (macs, others) = if self.is_exhaustive() {
            (colons | dashes, colons)
        } else {
            (five(colons) | five(dashes), pairs | full)
        };
        self.address_candidates(base, macs | others);
    }

    fn address_candidates(&mut self, base: usize, mut candidates: u128) {
        while candidates != 0 {
            let bit = candidates.trailing_zeros();
            candidates &= candidates - 1;
            // The window begins one block before `base`; in the first block there is none.
            let Some(at) = (base + bit as usize).checked_sub(BLOCK) else { continue };
            if at < self.colons_read || self.opaque.has(at) {
                continue;
            }
            // Where the block ends in its middle, the bitmap does not show it yet.
            if let Some(range) = address::mac(self.text, at) {
                self.colons_read = range.end;
                self.push_shape(Matcher::Mac, range);
                continue;
            }
            if self.text[at] == b':' {
                if let Some(range) = address::ipv6(self.text, at) {
                    self.colons_read = range.end;
                    self.push_shape(Matcher::Ipv6, range);
                } else {
                    // What is no address here is none at the next colon either.
                    self.colons_read = address::colons_end(self.text, at);
                }
            }
        }
    }

    /// Names, at capitalised words.
    #[inline]
    pub(super) fn people(&mut self, base: usize, masks: &Masks, before: &Masks) {
        let candidates = self.capitals.of(masks, before, base == 0);
        if candidates.pairs | candidates.singles | candidates.houses != 0 {
            self.capitalised(base, candidates, masks);
        }
    }

    #[inline(never)]
    fn capitalised(&mut self, base: usize, candidates: Candidates, masks: &Masks) {
        each_bit(candidates.pairs | candidates.singles | candidates.houses, |bit| {
            let at = base + bit;
            if at < self.names_read || self.opaque.has(at) {
                return;
            }
            let house = candidates.houses >> bit & 1 == 1;
            let length = |bits: u64| (!(bits >> bit)).trailing_zeros() as usize;
            if house && (self.is_status(at) || self.is_count(at, length(masks.digit))) {
                return;
            }
            let read = length(masks.word);
            let small_way = people::before_small_way(self.text, at, read);
            let way = house || small_way || people::behind_lead(self.text, at);
            if way && let Some(range) = people::address(self.text, at, small_way) {
                self.names_read = range.end;
                self.push_shape(Matcher::StreetAddress, range);
                return;
            }
            if (candidates.pairs | candidates.singles) >> bit & 1 == 0 {
                return;
            }
            let pair = candidates.pairs >> bit & 1 == 1;
            let mentioned = &mut self.mentioned;
            let judged = if pair {
                people::pair(self.text, at, mentioned)
            } else {
                people::single(self.text, at, mentioned)
            };
            if let Some(Judged { found, read_to }) = judged {
                self.names_read = read_to;
                if let Some((matcher, range)) = found {
                    self.push_shape(matcher, range);
                }
            }
        });
    }

    /// Whether the number before `at` is the status of an answer: `"GET / HTTP/1.1" 404 Not Found`.
    #[inline]
    fn is_status(&self, at: usize) -> bool {
        let (status, digit) = (b'1'..=b'5', b'0'..=b'9');
        matches!(
            self.text[..at].last_chunk(),
            Some([b'H', b'T', b'T', b'P', b'/', _, b'.', _, b'"', b' ', a, b, c, b' '])
                if status.contains(a) && digit.contains(b) && digit.contains(c)
        )
    }

    /// Whether the first `length` bytes from `at` are the digits of a number that is no house's:
    /// `Iter 10:`, `Rate 1.0`.
    #[inline]
    fn is_count(&self, at: usize, length: usize) -> bool {
        let rest = &self.text[at..];
        length > 0
            && match rest.get(length) {
                Some(b':' | b'%' | b'_' | b'=' | b'(' | b'@') => true,
                Some(b'.') => rest.get(length + 1).is_some_and(u8::is_ascii_alphanumeric),
                _ => false,
            }
    }
}
