//! What functions put into what they are handed: a list, a dictionary, headers.

use ruff_python_ast::name::Name;

use super::apply::Call;
use super::{MAX_SINKS, Walker};
use crate::label::Label;
use crate::value::{Flow, Origin, Value};

impl<'a> Walker<'a> {
    /// Notes that something is put into what a variable stands for, if that is a parameter: then it
    /// is the caller's.
    pub(super) fn note_fill(&mut self, variable: &Name, field: &Name, value: &Value) {
        if !self.frame.top {
            return;
        }
        let Some(at) = self.frame.parameters.iter().position(|name| name == variable) else {
            return;
        };
        let Ok(at) = u8::try_from(at) else { return };
        // One that was bound anew is no longer the caller's.
        let own = |flow: &Flow| matches!(flow.origin, Origin::Parameter(one) if one == at);
        let as_handed = |flow: &Flow| own(flow) && flow.way.is_none();
        if !self.env.get(variable).is_some_and(|held| held.flows.iter().any(as_handed)) {
            return;
        }
        for flow in &value.flows {
            let put = match flow.origin {
                Origin::Parameter(_) => !own(flow),
                Origin::Source(label, _) => {
                    label.is_model_text()
                        || matches!(label, Label::Credential | Label::Financial | Label::Personal)
                }
                Origin::Inner(_) => false,
            };
            let field = if field == "*" { flow.field.clone() } else { Some(field.clone()) };
            let known = |(to, one): &(u8, Flow)| {
                *to == at && one.origin == flow.origin && one.field == field
            };
            if put && self.frame.fills.len() < MAX_SINKS && !self.frame.fills.iter().any(known) {
                self.frame.fills.push((at, Flow { field, ..flow.clone() }));
            }
        }
    }

    /// What a function that is called has put into what it was handed is there from now on.
    pub(super) fn fill(&mut self, fills: &[(u8, Flow)], call: &Call<'_, 'a>) {
        for (parameter, flow) in fills {
            let held = self.filled(call, std::slice::from_ref(flow));
            if let Some((holder, _)) = call.expression(usize::from(*parameter)) {
                self.put_in(holder, &Name::new_static("*"), &held);
            }
        }
    }
}
