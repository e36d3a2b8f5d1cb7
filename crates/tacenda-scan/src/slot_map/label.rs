//! What the values in a logging call are.

use std::collections::BTreeMap;

use ruff_python_ast::name::Name;
use tacenda_policy::{ANY_FIELD, Kind, Piece, Slot, SlotLabel};

use super::call::{Field, Shape};
use super::template::Part;
use crate::Confidence;
use crate::analyze::{Found, Handed, Noted, Notes};
use crate::ir::Span;
use crate::judge::rank;
use crate::label::Label;

/// What is known of the values in a call.
pub(super) struct Labels<'a> {
    pub(super) notes: &'a Notes,
    /// What callers of the function around hand to it.
    pub(super) handed: &'a [&'a Handed],
    /// What was found in it.
    pub(super) found: &'a [&'a Found],
    pub(super) least: Confidence,
}

/// The slots of a call.
pub(super) struct Slots {
    pub(super) template: Vec<Piece>,
    pub(super) arguments: Vec<Slot>,
    pub(super) rest: Option<Slot>,
    pub(super) fields: BTreeMap<String, Slot>,
}

/// What one thing is, and how sure that is.
type Told = (Label, Confidence);

impl Labels<'_> {
    /// What the slots of a call are.
    pub(super) fn of(&self, shape: &Shape) -> Slots {
        let mut template: Vec<(Span, Slot)> = Vec::new();
        for part in &shape.parts {
            if let Part::Value(span) = part {
                template.push((*span, self.slot(*span, shape)));
            }
        }
        self.account(shape, &mut template);
        let mut values = template.into_iter().map(|(_, slot)| slot);
        let piece = |part: &Part| match part {
            Part::Text(text) => Piece::Text(text.clone()),
            Part::Value(_) => {
                Piece::Slot(values.next().expect("each value of the message has a slot"))
            }
            Part::Hidden => Piece::Slot(Slot::plain(SlotLabel::Unknown)),
        };
        let template = shape.parts.iter().map(piece).collect();
        let slots = |spans: &[Span]| spans.iter().map(|span| self.slot(*span, shape)).collect();
        let rest: Vec<Slot> = slots(&shape.rest);
        Slots {
            template,
            arguments: slots(&shape.arguments),
            rest: rest.into_iter().reduce(graver),
            fields: self.fields(shape),
        }
    }

    fn fields(&self, shape: &Shape) -> BTreeMap<String, Slot> {
        let mut fields = BTreeMap::new();
        for field in &shape.fields {
            match field {
                Field::Named(name, span) => {
                    fields.insert(name.clone(), self.slot(*span, shape));
                }
                Field::Members(span) => {
                    for (name, told) in self.members(*span, shape) {
                        let name = name.unwrap_or_else(|| ANY_FIELD.to_owned());
                        let slot = sensitive(told);
                        let before = fields.remove(&name).unwrap_or(slot);
                        fields.insert(name, graver(before, slot));
                    }
                }
            }
        }
        fields
    }

    /// What the members of a mapping are: all of them, or the one of a name.
    fn members(&self, span: Span, shape: &Shape) -> Vec<(Option<String>, Told)> {
        let mut members: Vec<(Option<String>, Told)> = Vec::new();
        let mut add = |field: Option<&Name>, label, confidence| {
            if let Some(told) = self.told(label, confidence) {
                members.push((field.filter(|name| *name != ANY_FIELD).map(Name::to_string), told));
            }
        };
        if let Some(noted) = self.notes.values.get(&span) {
            for (field, label, confidence) in &noted.labels {
                add(field.as_ref(), *label, *confidence);
            }
            for one in self.handed_in(span, noted, shape) {
                add(one.field.as_ref(), one.label, one.confidence);
            }
        }
        for one in self.found.iter().filter(|one| one.argument == span) {
            // Which of the members it is was noted, if that is known.
            let is_told = |(_, (label, _)): &(Option<String>, Told)| *label == one.label;
            if !members.iter().any(is_told)
                && let Some(told) = self.told(one.label, one.confidence)
            {
                members.push((None, told));
            }
        }
        members
    }

    /// What the value at a place is.
    fn slot(&self, span: Span, shape: &Shape) -> Slot {
        let noted = self.notes.values.get(&span);
        let mut told: Vec<Told> = Vec::new();
        let mut doubtful = false;
        if let Some(noted) = noted {
            let labels = noted.labels.iter();
            told.extend(labels.filter_map(|(_, label, sure)| self.told(*label, *sure)));
            let handed = self.handed_in(span, noted, shape);
            told.extend(handed.filter_map(|one| self.told(one.label, one.confidence)));
        }
        for one in self.found.iter().filter(|one| is_in(one.argument, span)) {
            told.extend(self.told(one.label, one.confidence));
            doubtful = true;
        }
        match told.into_iter().max_by_key(|(label, sure)| (*sure, rank(*label))) {
            Some(told) => sensitive(told),
            None if !doubtful && noted.is_some_and(|noted| noted.safe) => {
                Slot::plain(SlotLabel::Safe)
            }
            None => Slot::plain(SlotLabel::Unknown),
        }
    }

    /// What callers hand to the function that comes to this value.
    fn handed_in<'h>(
        &'h self,
        span: Span,
        noted: &'h Noted,
        shape: &'h Shape,
    ) -> impl Iterator<Item = &'h Handed> {
        self.handed.iter().copied().filter(move |one| match one.site.parameter {
            // A function that hands on whole messages: what each caller's holds is told there.
            Some(parameter) => {
                noted.parameters.contains(&parameter)
                    && !(one.by.is_some() && hands_on(span, noted, shape))
            }
            None => is_in(span, one.site.argument),
        })
    }

    /// Finds the values of the message that what was found in the whole of it may be about, where no
    /// value is known to be it.
    fn account(&self, shape: &Shape, template: &mut [(Span, Slot)]) {
        for one in self.found {
            let whole = shape.message == Some(one.argument);
            let Some(told) = self.told(one.label, one.confidence).filter(|_| whole) else {
                continue;
            };
            let kind = told.0.kind();
            if template
                .iter()
                .any(|(span, slot)| *span == one.argument || slot.kind() == Some(kind))
            {
                continue;
            }
            for (_, slot) in template.iter_mut() {
                if slot.label == SlotLabel::Unknown {
                    *slot = sensitive(told);
                }
            }
        }
    }

    /// The label, if it is one of something sensitive and sure enough.
    fn told(&self, label: Label, confidence: Confidence) -> Option<Told> {
        // As in findings: who works on arrays prints them.
        let confidence = match (label, confidence) {
            (Label::Tensor, Confidence::High) => Confidence::Medium,
            (Label::Tensor, _) => Confidence::Low,
            (_, confidence) => confidence,
        };
        (label != Label::Untrusted && confidence >= self.least).then_some((label, confidence))
    }
}

/// Whether a value is the whole message, or what follows it, of a call that hands both on as they
/// are. A function that makes the message of them itself leaves nothing by which callers' templates
/// could be known.
fn hands_on(span: Span, noted: &Noted, shape: &Shape) -> bool {
    // Where more than one flows in it, it was given another value before.
    shape.is_parameter
        && noted.parameters.len() == 1
        && (shape.message == Some(span) || shape.rest.contains(&span))
}

fn is_in(inner: Span, outer: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

fn sensitive((label, confidence): Told) -> Slot {
    Slot { label: SlotLabel::Kind(label.kind()), confidence: Some(confidence) }
}

/// Of two labels of one slot that which hides more.
fn graver(one: Slot, other: Slot) -> Slot {
    let weight = |slot: Slot| {
        (slot.kind().map(Kind::default_class), slot.label == SlotLabel::Unknown, slot.confidence)
    };
    if weight(other) > weight(one) { other } else { one }
}
