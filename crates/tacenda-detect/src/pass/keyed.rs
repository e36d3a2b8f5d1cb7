//! Keywords, and the values of keys that rules name.

use super::{OPAQUE, Pass, work};
use crate::assignment::{self, Assignment, Join, Key};
use crate::lookup;
use crate::matchers::{token, url};
use crate::names::Matcher;
use crate::recognise::Site;
use crate::{DetectorId, element, pair};

impl Pass<'_, '_, '_> {
    /// A token begins at `at`: keywords.
    #[inline]
    pub(super) fn token(&mut self, at: usize) {
        let head = lookup::head(&self.text[at..]);
        if self.is_exhaustive() || self.engine.keywords.has(head) {
            self.keywords(at);
        }
    }

    /// Keywords that may begin at `at`.
    #[inline(never)]
    pub(super) fn keywords(&mut self, at: usize) {
        if self.opaque.has(at) {
            return;
        }
        let engine = self.engine;
        let head = lookup::head(&self.text[at..]);
        for entry in engine.keywords.beginning(head) {
            let rule = &engine.rules[usize::from(entry.rule)];
            let width = entry.text.len();
            let Some(head) = self.text.get(at..at + width) else { continue };
            let same = head == entry.text.as_bytes()
                || rule.ignore_case && head.eq_ignore_ascii_case(entry.text.as_bytes());
            if same {
                let index = usize::from(entry.rule);
                let site = Site::Keyword { at, width };
                work::add(1);
                if let Some(range) = engine.patterns.recognise(self.text, index, rule, site) {
                    self.push(DetectorId(entry.rule), range);
                }
            }
        }
    }

    /// A `:` or `=` at `at` that no other follows from.
    #[inline]
    pub(super) fn assignment(&mut self, at: usize) {
        // `:=` and `::=` are one separator; the last sign tells where the value begins.
        let mut at = at;
        while matches!(self.text.get(at + 1), Some(b'=' | b':')) {
            at += 1;
        }
        let join = if self.text[at] == b'=' { Join::Equals } else { Join::Colon };
        if join == Join::Colon && self.text[at + 1..].starts_with(b"//") {
            self.url(at);
            return;
        }
        if join == Join::Colon
            && self.text[at + 1..].starts_with(b"AA")
            && let Some(range) = token::telegram(self.text, at)
        {
            self.push_shape(Matcher::TelegramToken, range);
        }
        self.assigned(at, join);
    }

    #[inline]
    pub(super) fn assigned(&mut self, at: usize, join: Join) {
        let engine = self.engine;
        let key = assignment::key_before(self.text, at, join, |key| engine.keys.wants(key));
        let Some((mut key, mut leads)) = key.filter(|_| !self.opaque.has(at)) else { return };
        if pair::KEYS.iter().any(|pair| key.as_bytes() == pair.as_bytes()) {
            if pair::is_object(&self.text[at + 1..]) {
                return;
            }
            // A name belongs to one value: no stretch is searched twice.
            let floor = std::mem::replace(&mut self.pairs_read, key.start);
            let Some(name) = pair::name_before(self.text, key.start, floor) else { return };
            (key, leads) = (Key::named(&self.text[name.clone()], name.start), true);
        }
        let rules = engine.keys.rules(key.as_bytes());
        if !rules.is_empty()
            && self.may_read_value(at)
            && let Some(found) = assignment::read(self.text, key, leads, at + 1, join)
        {
            work::add(found.value.len());
            if found.value.len() >= OPAQUE {
                self.values_read = self.values_read.max(found.value.end);
            }
            self.value(&found, rules);
        }
    }

    /// Whether a value may be read behind `at`: of a long value the inside is read as values of
    /// other keys a few times only, or `key=key=key=` would be read from each key to its end.
    fn may_read_value(&mut self, at: usize) -> bool {
        const INSIDE: u32 = 4;
        if at >= self.values_read {
            self.values_inside = 0;
        }
        self.values_inside += 1;
        self.values_inside <= INSIDE || at >= self.values_read
    }

    /// An XML element may open at `at`.
    pub(super) fn element(&mut self, at: usize) {
        let keys = &self.engine.keys;
        let wanted = |name: &[u8]| !keys.rules(Key::named(name, at).as_bytes()).is_empty();
        if let Some([name, value]) = element::at(self.text, at, wanted) {
            let key = Key::named(&self.text[name.clone()], name.start);
            let rules = keys.rules(key.as_bytes());
            let join = Join::Equals;
            let found = Assignment::new(key, value, join, true);
            self.value(&found, rules);
        }
    }

    /// The value of a key that `rules` want.
    #[cold]
    fn value(&mut self, found: &Assignment, rules: &[u16]) {
        let engine = self.engine;
        for &index in rules {
            let rule = &engine.rules[usize::from(index)];
            let site = Site::Value(found);
            if let Some(range) =
                engine.patterns.recognise(self.text, usize::from(index), rule, site)
            {
                self.push(DetectorId(index), range);
            }
        }
    }

    pub(super) fn flag(&mut self, second: usize) {
        let at = second - 1;
        let begins = at == 0 || matches!(self.text[at - 1], b' ' | b'\'' | b'"' | b'\n');
        if !begins || !self.text.get(at + 2).is_some_and(u8::is_ascii_alphabetic) {
            return;
        }
        let engine = self.engine;
        if let Some(found) = assignment::flag(self.text, at, |key| engine.keys.wants(key)) {
            let rules = engine.keys.rules(found.key.as_bytes());
            self.value(&found, rules);
        }
    }

    fn url(&mut self, colon: usize) {
        match url::userinfo(self.text, colon) {
            Some(url::Userinfo::Password(range)) => self.push_shape(Matcher::UrlPassword, range),
            Some(url::Userinfo::Token(range)) => self.push_shape(Matcher::UrlToken, range),
            None => {}
        }
    }
}
