//! Runs after the first: only those parts of a file run again that would do something else.

use ruff_python_ast::name::Name;

use super::{Outcome, Run, Walker};
use crate::value::Value;

impl Run {
    /// Joins a value to what an attribute of the objects of a class holds.
    pub(super) fn keep(&mut self, class: &(u32, Name), field: &Name, value: &Value) {
        let place = self.attributes.entry(class.clone()).or_default();
        let joined = match place.remove(field) {
            Some(before) => before.join(value),
            None => value.clone(),
        };
        place.insert(field.clone(), joined);
    }
}

impl Walker<'_> {
    /// Notes what an attribute was found to hold.
    pub(super) fn note_asked(&mut self, class: &(u32, Name), field: &Name, held: Option<&Value>) {
        let asked = &mut self.outcome.asked;
        if !asked.iter().any(|(of, name, _)| name == field && of == class) {
            asked.push((class.clone(), field.clone(), held.cloned()));
        }
    }

    /// Closes the part of the file that was run.
    pub(super) fn close(&mut self) {
        let mut outcome = std::mem::take(&mut self.outcome);
        outcome.looked_around = self.looked_around.take();
        self.run.outcomes.push(outcome);
    }

    /// Whether a part would do the same again: the functions that it calls do, and the attributes that
    /// it asks about hold the same.
    pub(super) fn holds(&self, before: &Outcome) -> bool {
        let same = |(class, field, held): &((u32, Name), Name, Option<Value>)| {
            self.looked_up(class, field).0 == *held
        };
        self.calls_the_same(before) && before.asked.iter().all(same)
    }

    fn calls_the_same(&self, before: &Outcome) -> bool {
        !before.looked_around && before.callees.is_disjoint(self.shared.changed)
    }

    /// Whether all parts would do the same again; then what they keep is kept. Otherwise nothing is.
    pub(super) fn all_hold(&mut self, before: &[Outcome]) -> bool {
        let hold = !before.is_empty()
            && self.module_keeps.is_none()
            && before.iter().all(|outcome| self.calls_the_same(outcome))
            && before.iter().all(|outcome| {
                let holds = self.holds(outcome);
                if holds {
                    self.take_over(outcome);
                }
                holds
            });
        if !hold {
            self.run = Run::default();
        }
        hold
    }

    /// Keeps what a part kept before.
    pub(super) fn take_over(&mut self, outcome: &Outcome) {
        for (class, field, value) in &outcome.attributes {
            self.run.keep(class, field, value);
        }
    }
}
