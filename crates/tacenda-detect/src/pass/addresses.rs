//! Addresses of machines, and the names and addresses of people.

use super::{BLOCK, Part, Pass, each_bit};
use crate::candidates;
use crate::masks::Masks;
use crate::matchers::address;
use crate::names::Matcher;
use crate::people::{self, Candidates, Judged};

impl Pass<'_, '_, '_> {
    /// IPv6 and MAC addresses, by the distances of their colons and dashes.
    #[cold]
    pub(super) fn addresses(&mut self, base: usize, masks: &Masks, before: &Masks, part: Part) {
        let window = |of: fn(&Masks) -> u64| {
            u128::from(of(before) & part.before) | u128::from(of(masks) & part.now) << BLOCK
        };
        let colons = window(|masks| masks.colon);
        let dashes = window(|masks| masks.dash);
        let three = |bits: u128| bits & bits >> 3 & bits >> 6;
        let five = |bits: u128| three(bits) & bits >> 9 & bits >> 12;
        let pairs = colons & colons >> 1;
        let full = if candidates::near_each_other(colons) { colons } else { 0 };
        let (macs, others) = if self.is_exhaustive() {
            (colons | dashes, colons)
        } else {
            (five(colons) | five(dashes), pairs | full)
        };
        // The window begins one block before `base`.
        self.address_candidates(base, macs | others);
    }

    fn address_candidates(&mut self, base: usize, mut candidates: u128) {
        if candidates != 0 {
            self.is_fresh = false;
        }
        while candidates != 0 {
            let bit = candidates.trailing_zeros();
            candidates &= candidates - 1;
            let at = base + bit as usize - BLOCK - self.start;
            if at < self.read.colons || self.read.opaque.has(at) {
                continue;
            }
            // Where the block ends in its middle, the bitmap does not show it yet.
            if let Some(range) = address::mac(self.text, at) {
                self.read.colons = range.end;
                self.push_shape(Matcher::Mac, range);
                continue;
            }
            if self.text[at] == b':' {
                if let Some(range) = address::ipv6(self.text, at) {
                    self.read.colons = range.end;
                    self.push_shape(Matcher::Ipv6, range);
                } else {
                    // What is no address here is none at the next colon either.
                    self.read.colons = address::colons_end(self.text, at);
                }
            }
        }
    }

    /// Names, at capitalised words.
    #[inline]
    pub(super) fn people(&mut self, base: usize, masks: &Masks, before: &Masks, part: Part) {
        let candidates = self.capitals.of(masks, before, part);
        if candidates.pairs | candidates.singles | candidates.houses != 0 {
            self.capitalised(base, candidates);
        }
    }

    #[inline(never)]
    fn capitalised(&mut self, base: usize, candidates: Candidates) {
        self.is_fresh = false;
        let start = self.start;
        each_bit(candidates.pairs | candidates.singles | candidates.houses, |bit| {
            let at = base + bit - start;
            if at < self.read.names || self.read.opaque.has(at) {
                return;
            }
            let house = candidates.houses >> bit & 1 == 1;
            if (house || people::behind_lead(self.text, at))
                && let Some(range) = people::address(self.text, at)
            {
                self.read.names = range.end;
                self.push_shape(Matcher::StreetAddress, range);
                return;
            }
            if (candidates.pairs | candidates.singles) >> bit & 1 == 0 {
                return;
            }
            let pair = candidates.pairs >> bit & 1 == 1;
            let mentioned = &mut self.read.mentioned;
            let judged = if pair {
                people::pair(self.text, at, mentioned)
            } else {
                people::single(self.text, at, mentioned)
            };
            if let Some(Judged { found, read_to }) = judged {
                self.read.names = read_to;
                if let Some((matcher, range)) = found {
                    self.push_shape(matcher, range);
                }
            }
        });
    }
}
