//! The redactor: one text in, one text out.

use std::borrow::Cow;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use tacenda_detect::{
    Confidence, DetectorId, Engine, Limits, ProtectedSpan, ProtectedValues, Span, Trail, Value,
};
use tacenda_policy::{Action, Kind, Policy};

use crate::block::{self, OpenBlock};
use crate::vault::Spool;
use crate::{AllowList, Canonical, Keys, Pseudonym, Report, Scope, render, token};

/// What stands in place of a text that could not be redacted because of an internal error.
pub const MARKER: &str = "[tacenda: text withheld after an internal error]";

/// What one record of a stream leaves open for the next: a private key block without its end, a
/// protected value that goes on.
#[derive(Clone, Debug, Default)]
pub struct Carry {
    block: Option<OpenBlock>,
    trail: Trail,
    key: Option<String>,
}

impl Carry {
    /// For a text that is no part of a stream.
    fn alone() -> Self {
        Self { trail: Trail::alone(), ..Self::default() }
    }

    /// Whether a private key has begun and not ended: all that comes belongs to it.
    pub fn is_in_key(&self) -> bool {
        self.block.is_some()
    }

    /// For a text that is the value of this key, and does not show it.
    #[must_use]
    pub fn under(key: &[u8]) -> Self {
        let letters = key.iter().filter(|byte| byte.is_ascii_alphanumeric());
        let key = letters.map(|byte| char::from(byte.to_ascii_lowercase())).collect();
        Self { key: Some(key), ..Self::default() }
    }
}

/// Detectors, protected values, policy and keys, ready to redact.
#[derive(Debug)]
pub struct Redactor {
    engine: &'static Engine,
    policy: Policy,
    keys: Keys,
    spool: Option<Spool>,
    protected: ProtectedValues,
    disabled: Vec<DetectorId>,
    /// The detector of what goes on over the ends of records.
    private_key: Option<DetectorId>,
    allowed: AllowList,
    /// The entries of `allowed` that name no path.
    anywhere: Scope,
    #[cfg(test)]
    fault: Option<Stage>,
}

/// A redactor at work on the log at one path, which entries of the allow-list may be about.
#[derive(Clone, Debug)]
pub struct AtPath<'r> {
    redactor: &'r Redactor,
    scope: Scope,
}

impl AtPath<'_> {
    /// As [`Redactor::redact_range`].
    pub fn redact_range<'t>(
        &self,
        carry: &mut Carry,
        around: &'t [u8],
        record: Range<usize>,
        report: &mut Report,
    ) -> Cow<'t, [u8]> {
        self.redactor.redact_in(&self.scope, carry, around, record, report)
    }

    /// As [`Redactor::redact_part`].
    ///
    /// # Errors
    /// As there.
    pub fn redact_part<'t>(
        &self,
        carry: &mut Carry,
        text: &'t [u8],
        wanted: Range<usize>,
        report: &mut Report,
    ) -> Result<Part<'t>, Crossed> {
        self.redactor.redact_part_in(&self.scope, carry, text, 0..text.len(), wanted, report)
    }

    /// As [`Redactor::too_few`].
    pub fn too_few(&self) -> Option<usize> {
        self.redactor.too_few()
    }
}

/// The next part of a text that is redacted in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'t> {
    /// Where it ends in the text.
    pub end: usize,
    /// What comes out for it.
    pub redacted: Cow<'t, [u8]>,
}

/// A value lies where a part was to end, and begins less than [`Redactor::PART`] behind its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// Where the value begins in the text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// Where a test makes the redactor panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Detect,
    Protected,
    Render,
}

/// A part of the text to replace.
struct Replacement {
    start: usize,
    end: usize,
    action: Action,
    found: Found,
}

enum Found {
    Block,
    Detected(DetectorId, Confidence),
    Protected(Option<Arc<Value>>),
}

impl Found {
    /// Of overlapping replacements, the highest rank gives the label.
    fn rank(&self) -> u8 {
        match self {
            Self::Block => u8::MAX,
            Self::Protected(_) => u8::MAX - 1,
            Self::Detected(_, confidence) => *confidence as u8,
        }
    }
}

impl Redactor {
    /// A redactor under this policy, with no protected values yet.
    pub fn new(engine: &'static Engine, policy: Policy, keys: Keys) -> Self {
        let limits = Limits {
            min_chars: policy.protect_min_chars(),
            max_bytes: policy.protect_max_bytes(),
            expire: policy.protect_expire(),
            phrases: policy.protect_phrases().to_vec(),
        };
        let names = policy.disabled_detectors().iter();
        let disabled = names.filter_map(|name| engine.detector_named(name)).collect();
        let allowed = AllowList::new(&policy, engine);
        let anywhere = allowed.scope(None);
        let fingerprinter = keys.clone();
        let protected =
            ProtectedValues::new(limits, Box::new(move |value| fingerprinter.fingerprint(value)));
        Self {
            engine,
            policy,
            keys,
            spool: None,
            protected,
            disabled,
            private_key: engine.detector_named("private-key"),
            allowed,
            anywhere,
            #[cfg(test)]
            fault: None,
        }
    }

    /// Puts the values behind tokens into a vault. Without it a token is a pseudonym of another
    /// form, which nobody turns back into the value.
    #[must_use]
    pub fn with_spool(mut self, spool: Option<Spool>) -> Self {
        self.spool = spool;
        self
    }

    /// Values behind tokens that could not be put into the vault.
    pub fn lost(&self) -> u64 {
        self.spool.as_ref().map_or(0, Spool::lost)
    }

    /// The detectors in use.
    pub fn engine(&self) -> &'static Engine {
        self.engine
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The keys in force.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The pseudonym of what a detector found: equal for equal values in any spelling. In a label
    /// stand its first `hash.digits` digits.
    pub fn pseudonym(&self, detector: DetectorId, text: &[u8]) -> Pseudonym {
        self.keys.pseudonym(&self.canonical(detector, text))
    }

    fn canonical<'v>(&'v self, detector: DetectorId, text: &'v [u8]) -> Canonical<'v> {
        let detector = self.engine.detector(detector);
        Canonical::new(detector.id, detector.kind, text, self.policy.hash_country_code())
    }

    /// The values that are protected besides what detectors know.
    pub fn protected(&self) -> &ProtectedValues {
        &self.protected
    }

    /// The values that the policy allows.
    pub fn allowed(&self) -> &AllowList {
        &self.allowed
    }

    /// The same redactor for the log at this path.
    pub fn at_path(&self, log: Option<&Path>) -> AtPath<'_> {
        AtPath { redactor: self, scope: self.allowed.scope(log) }
    }

    /// `text` with every sensitive value replaced as the policy says; borrowed when there is none.
    /// Never panics: an internal error gives [`MARKER`].
    pub fn redact<'t>(&self, text: &'t [u8], report: &mut Report) -> Cow<'t, [u8]> {
        self.redact_next(&mut Carry::alone(), text, report)
    }

    /// The same for the next record (a line with or without its end, or a part of one) of a
    /// stream. A record inside a private key block may come out empty.
    pub fn redact_next<'t>(
        &self,
        carry: &mut Carry,
        record: &'t [u8],
        report: &mut Report,
    ) -> Cow<'t, [u8]> {
        self.redact_range(carry, record, 0..record.len(), report)
    }

    /// The same for a record that is a range of a text: see [`Engine::scan_range`].
    pub fn redact_range<'t>(
        &self,
        carry: &mut Carry,
        around: &'t [u8],
        record: Range<usize>,
        report: &mut Report,
    ) -> Cow<'t, [u8]> {
        self.redact_in(&self.anywhere, carry, around, record, report)
    }

    /// Fewest bytes that a part has which ends before `wanted.end`.
    pub const PART: usize = 4 * 1024;

    /// Redacts the next part of a text that is too long to be looked at as a whole: from
    /// `wanted.start`, where the part before it ended, to `wanted.end` or, if a value lies there, to
    /// the start of the value. The text around the part is looked at and not written, so nothing
    /// is lost of what tells a value, and each part is looked at once.
    ///
    /// # Errors
    /// When a value lies at `wanted.end` and that leaves less than [`Redactor::PART`] before it.
    pub fn redact_part<'t>(
        &self,
        carry: &mut Carry,
        text: &'t [u8],
        wanted: Range<usize>,
        report: &mut Report,
    ) -> Result<Part<'t>, Crossed> {
        self.redact_part_in(&self.anywhere, carry, text, 0..text.len(), wanted, report)
    }

    /// While a completion is being generated: how many characters of it are too few to be told from
    /// other text.
    pub fn too_few(&self) -> Option<usize> {
        let protected = self.protected();
        protected.grows().then(|| protected.limits().min_chars.saturating_sub(1))
    }

    /// What stands in place of a text that is known to be of this kind, whatever it looks like.
    /// Borrowed where the policy keeps that kind.
    pub fn redact_known<'t>(&self, text: &'t str, kind: Kind) -> Cow<'t, str> {
        let action = self.policy.action(kind);
        if action == Action::Keep {
            return Cow::Borrowed(text);
        }
        let render = || {
            let fingerprint = self.keys.fingerprint(text.as_bytes());
            let chars = text.chars().count();
            let value = Value { kind, name_chars: 0, chars, tokens: None, fingerprint };
            render::protected(Some(&value), action)
        };
        let rendered = catch_unwind(AssertUnwindSafe(render));
        Cow::Owned(rendered.unwrap_or_else(|_| MARKER.to_owned()))
    }

    /// `data` with `*` in place of each byte of every sensitive value, for formats that count bytes.
    /// Borrowed when there is none. Never panics: an internal error leaves nothing but `*`.
    pub fn blank<'d>(&self, data: &'d [u8]) -> Cow<'d, [u8]> {
        let blank = || {
            let (mut spans, mut protected) = (Vec::new(), Vec::new());
            self.fault(Stage::Detect);
            self.engine.scan(data, &mut spans);
            self.protected.scan(data, &mut Trail::alone(), &mut protected);
            self.leave_allowed(&self.anywhere, &Carry::default(), data, &mut spans, &mut protected);
            let found = self.decide(data, spans, protected);
            if found.is_empty() {
                return Cow::Borrowed(data);
            }
            let mut out = data.to_vec();
            for Replacement { start, end, .. } in found {
                out[start..end].fill(b'*');
            }
            Cow::Owned(out)
        };
        catch_unwind(AssertUnwindSafe(blank)).unwrap_or_else(|_| Cow::Owned(vec![b'*'; data.len()]))
    }

    fn redact_in<'t>(
        &self,
        scope: &Scope,
        carry: &mut Carry,
        around: &'t [u8],
        record: Range<usize>,
        report: &mut Report,
    ) -> Cow<'t, [u8]> {
        let all = 0..record.len();
        match self.redact_part_in(scope, carry, around, record, all, report) {
            Ok(part) => part.redacted,
            Err(Crossed { .. }) => unreachable!("no value goes on behind the end of the text"),
        }
    }

    fn redact_part_in<'t>(
        &self,
        scope: &Scope,
        carry: &mut Carry,
        around: &'t [u8],
        text: Range<usize>,
        wanted: Range<usize>,
        report: &mut Report,
    ) -> Result<Part<'t>, Crossed> {
        let redact = AssertUnwindSafe(|| {
            self.part(scope, carry, around, text.clone(), wanted.clone(), report)
        });
        catch_unwind(redact).unwrap_or_else(|_| {
            *carry = Carry::default();
            report.withheld += 1;
            let part = &around[text.clone()][wanted.clone()];
            let line_end = &part[part.trim_ascii_end().len()..];
            let redacted = Cow::Owned([MARKER.as_bytes(), line_end].concat());
            Ok(Part { end: wanted.end, redacted })
        })
    }

    fn part<'t>(
        &self,
        scope: &Scope,
        carry: &mut Carry,
        around: &'t [u8],
        text: Range<usize>,
        wanted: Range<usize>,
        report: &mut Report,
    ) -> Result<Part<'t>, Crossed> {
        let (range, text) = (text.clone(), &around[text]);
        let Range { start, mut end } = wanted;
        let is_last = end == text.len();
        // Nothing is allocated before there is something to put in.
        let (mut spans, mut protected) = (Vec::new(), Vec::new());
        self.fault(Stage::Detect);
        self.engine.scan_range(around, range, &mut spans);
        self.fault(Stage::Protected);
        if is_last {
            self.protected.scan(&text[start..], &mut carry.trail, &mut protected);
        } else if !self.protected.is_empty() {
            self.protected.scan(&text[start..], &mut carry.trail.clone(), &mut protected);
        }
        if is_last && spans.is_empty() && protected.is_empty() && carry.block.is_none() {
            return Ok(Part { end, redacted: Cow::Borrowed(&text[start..]) });
        }
        if start > 0 {
            spans.retain(|span| span.end > start);
            for span in &mut protected {
                (span.start, span.end) = (span.start + start, span.end + start);
            }
        }
        let mut allowed = Vec::new();
        if !scope.is_empty() {
            allowed = self.leave_allowed(scope, carry, text, &mut spans, &mut protected);
        }
        let has_spans = !spans.is_empty();
        let mut replacements = Vec::new();
        if has_spans || !protected.is_empty() {
            replacements = self.decide(text, spans, protected);
            if !is_last
                && let Some(crossed) = uncross(&mut replacements, &mut end)
                && end < start + Self::PART
            {
                return Err(crossed);
            }
            for replacement in &mut replacements {
                replacement.start = replacement.start.max(start);
            }
        }
        if !is_last {
            // What is behind the part is looked at with the next one.
            self.protected.scan(&text[start..end], &mut carry.trail, &mut Vec::new());
        }
        report.allowed +=
            allowed.iter().filter(|place| (start..end).contains(*place)).count() as u64;

        let part = &text[start..end];
        self.blocks(carry, part, start, has_spans, &mut replacements);
        let redacted = if replacements.is_empty() {
            Cow::Borrowed(part)
        } else {
            self.fault(Stage::Render);
            Cow::Owned(self.replace(text, start..end, replacements, report))
        };
        Ok(Part { end, redacted })
    }

    /// Follows private keys over the ends of records: adds what belongs to one in a record or a part
    /// of one, which begins at `start`.
    fn blocks(
        &self,
        carry: &mut Carry,
        part: &[u8],
        start: usize,
        has_spans: bool,
        replacements: &mut Vec<Replacement>,
    ) {
        // A block that does not end here is a span too.
        let opened = if has_spans { block::opened(part) } else { None };
        if let Some((end, block)) = carry.block.take().map(|block| block.next(part)) {
            carry.block = block;
            // The label of the block stands where it began; here its part goes without a trace.
            let end = if block.is_some() { part.len() } else { end };
            replacements.push(Replacement {
                start,
                end: start + end,
                action: Action::Drop,
                found: Found::Block,
            });
        }
        if let Some((at, block)) = opened
            && self.policy.action(Kind::Credential) != Action::Keep
        {
            carry.block = Some(block);
            let (at, end) = (start + at, start + part.trim_ascii_end().len());
            replacements.retain(|replacement| replacement.start < at);
            replacements.push(Replacement {
                start: at,
                end,
                action: Action::Mask,
                found: Found::Block,
            });
        }
    }

    /// Takes out what the policy allows; says where it begins.
    fn leave_allowed(
        &self,
        scope: &Scope,
        carry: &Carry,
        text: &[u8],
        spans: &mut Vec<Span>,
        protected: &mut Vec<ProtectedSpan>,
    ) -> Vec<usize> {
        let key = carry.key.as_deref();
        let mut allowed = Vec::new();
        spans.retain(|span| {
            let kind = self.engine.detector(span.detector).kind;
            let allows = self.allowed.allows(scope, text, key, span, kind);
            allowed.extend(allows.then_some(span.start));
            !allows
        });
        protected.retain(|span| {
            let allows = self.allowed.allows_protected(scope, text, key, span);
            allowed.extend(allows.then_some(span.start));
            !allows
        });
        allowed
    }

    /// What the policy says of each span.
    fn decide(
        &self,
        text: &[u8],
        spans: Vec<Span>,
        protected: Vec<ProtectedSpan>,
    ) -> Vec<Replacement> {
        let enabled = spans.into_iter().filter(|span| {
            !self.disabled.contains(&span.detector)
                && !token::covers(self.engine, text, span.start, span.end)
        });
        let detected = enabled.map(|span| {
            let detector = self.engine.detector(span.detector);
            Replacement {
                start: span.start,
                end: span.end,
                action: self.policy.action(detector.kind),
                found: Found::Detected(span.detector, detector.confidence),
            }
        });
        let protected = protected.into_iter().map(|span| Replacement {
            start: span.start,
            end: span.end,
            action: self
                .policy
                .action(span.value.as_ref().map_or(Kind::Prompt, |value| value.kind)),
            found: Found::Protected(span.value),
        });
        detected.chain(protected).filter(|replacement| replacement.action != Action::Keep).collect()
    }

    /// Overlapping replacements become one, over their union, named by the highest rank.
    fn replace(
        &self,
        text: &[u8],
        part: Range<usize>,
        mut replacements: Vec<Replacement>,
        report: &mut Report,
    ) -> Vec<u8> {
        replacements.sort_by_key(|replacement| (replacement.start, replacement.end));
        let mut out = Vec::with_capacity(part.len());
        let mut at = part.start;
        let mut rest = replacements.into_iter().peekable();
        while let Some(mut union) = rest.next() {
            let mut named = union.start..union.end;
            while let Some(next) = rest.next_if(|next| next.start < union.end) {
                union.end = union.end.max(next.end);
                if next.found.rank() > union.found.rank() {
                    (union.action, union.found) = (next.action, next.found);
                    named = next.start..next.end;
                }
            }
            // What may be shown of one value may not be shown of another that it runs into.
            if named != (union.start..union.end)
                && matches!(union.action, Action::Partial | Action::Fpe)
            {
                union.action = Action::Mask;
            }
            out.extend_from_slice(&text[at..union.start]);
            out.extend_from_slice(
                self.render(&text[union.start..union.end], &union, report).as_bytes(),
            );
            at = union.end;
        }
        out.extend_from_slice(&text[at..part.end]);
        out
    }

    fn render(&self, text: &[u8], replacement: &Replacement, report: &mut Report) -> String {
        match &replacement.found {
            Found::Block if replacement.action == Action::Drop => String::new(),
            Found::Block => {
                if let Some(id) = self.private_key {
                    *report.redacted.entry(id).or_default() += 1;
                }
                "[private-key]".to_owned()
            }
            Found::Detected(id, _) => {
                *report.redacted.entry(*id).or_default() += 1;
                let name = self.engine.detector(*id).id;
                let pseudonym = || self.pseudonym(*id, text).hex(self.policy.hash_digits());
                match replacement.action {
                    Action::Token => self.token(*id, text),
                    Action::Fpe => self
                        .keys
                        .numbers()
                        .encrypt(name, text, self.policy.fpe_luhn())
                        .unwrap_or_else(|| format!("[{name}]")),
                    action => render::detected(name, text, pseudonym, action),
                }
            }
            Found::Protected(value) => {
                let kind = value.as_ref().map_or(Kind::Prompt, |value| value.kind);
                *report.protected.entry(kind).or_default() += 1;
                render::protected(value.as_deref(), replacement.action)
            }
        }
    }

    fn token(&self, detector: DetectorId, text: &[u8]) -> String {
        let canonical = self.canonical(detector, text);
        let token = self.keys.token(&canonical);
        if let Some(spool) = &self.spool {
            spool.put(&token, &canonical, text);
        }
        token
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the test build reads it")]
    fn fault(&self, _: Stage) {}

    #[cfg(test)]
    fn fault(&self, stage: Stage) {
        assert!(self.fault != Some(stage), "injected");
    }
}

/// Moves the end of a part to the start of the value that lies there, if one does, and takes out what
/// is behind it.
fn uncross(replacements: &mut Vec<Replacement>, end: &mut usize) -> Option<Crossed> {
    replacements.sort_by_key(|replacement| replacement.start);
    let mut crossed: Option<Crossed> = None;
    // Backwards: a value may reach over the end, and another into its start.
    for replacement in replacements.iter().rev() {
        if replacement.start < *end && *end < replacement.end {
            *end = replacement.start;
            let to = crossed.map_or(0, |crossed| crossed.end).max(replacement.end);
            crossed = Some(Crossed { start: *end, end: to });
        }
    }
    replacements.retain(|replacement| replacement.start < *end);
    crossed
}

/// Makes panics say where they happened and nothing else: a panic message may quote the text that
/// was being redacted. For processes that are Tacenda's own.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        use std::io::Write as _;
        if let Some(place) = panic.location() {
            let _ = writeln!(
                std::io::stderr(),
                "tacenda: internal error at {}:{}; the text was withheld",
                place.file(),
                place.line()
            );
        }
    }));
}

#[cfg(test)]
mod tests;
