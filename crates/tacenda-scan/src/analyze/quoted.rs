//! What exceptions quote: the text that could not be read, the address that was asked, the words of a
//! command.

use super::Walker;
use super::call::Arguments;
use crate::Confidence;
use crate::ir::{Call, Expr, Ident, Span};
use crate::label::Label;
use crate::lexicon::words;
use crate::value::{Known, Origin, Value, What};

impl<'a> Walker<'a> {
    /// A parser that is handed something sensitive puts it into its exceptions.
    pub(super) fn note_parsing(&mut self, name: &Ident, arguments: &Arguments<'a>, span: Span) {
        if self.catching.is_empty()
            || matches!(name.name.as_str(), "loads" | "load" | "get" | "decode" | "encode")
        {
            return;
        }
        let parses = words(&name.name).iter().any(|word| {
            matches!(
                word.as_str(),
                "parse"
                    | "parser"
                    | "validate"
                    | "convert"
                    | "eval"
                    | "strptime"
                    | "deserialize"
                    | "unmarshal"
            )
        });
        if !parses {
            return;
        }
        let mut carried = Value::default();
        for value in arguments.values() {
            for (label, confidence, flow) in value.sources() {
                if confidence >= Confidence::Medium
                    && !matches!(
                        label,
                        Label::Settings | Label::Url | Label::Headers | Label::Tensor
                    )
                {
                    carried.add(flow.clone());
                }
            }
        }
        let carried = self.stepped(carried, span, What::Raised);
        if let Some(catching) = self.catching.last_mut() {
            catching.absorb(&carried);
        }
    }

    /// A request puts the address that it was sent to into its exceptions, and a command its words.
    pub(super) fn note_request(
        &mut self,
        call: &'a Call,
        name: &Ident,
        (receiver, address): (Option<&Value>, Option<&Value>),
        span: Span,
    ) {
        // Commands fail by an exception only if that is asked for.
        if name.name == "run" && !call.keyword("check").is_some_and(Expr::is_true) {
            return;
        }
        let carried = match (receiver.map(|value| &value.known), address) {
            (_, Some(address)) => address.clone(),
            // What came back quotes it as well.
            (Some(Known::Exchange(address)), None) if name.name == "raise_for_status" => {
                Value { flows: address.to_vec(), known: Known::Nothing }
            }
            _ => return,
        };
        let carried = self.stepped(carried, span, What::Raised);
        match self.catching.last_mut() {
            Some(catching) => catching.absorb(&carried),
            None => self.frame.raises.absorb(&carried),
        }
    }

    /// The credentials in the address that a request is sent to, or among the words of a command; nothing
    /// if the call is neither.
    pub(super) fn address(
        &self,
        call: &'a Call,
        name: &Ident,
        receiver: Option<&Value>,
        arguments: &Arguments<'a>,
    ) -> Option<Value> {
        let method_of = || match &receiver?.known {
            Known::Object(class) => Some(format!("{class}.{}", name.name)),
            _ => None,
        };
        if !self.models().requests(&name.name, method_of)
            && !self.models().requests(&name.name, || self.path(&call.callee))
        {
            return None;
        }
        let mut carried = Value::default();
        for (expr, value) in arguments.by_place.iter().take(2) {
            if expr.text().is_none() {
                carried.absorb(value);
            }
        }
        for (key, _, value) in &arguments.by_name {
            if key.is_some_and(|key| matches!(key.name.as_str(), "url" | "params")) {
                carried.absorb(value);
            }
        }
        carried.flows.retain(|flow| {
            matches!(flow.origin, Origin::Source(Label::Credential, sure) if sure >= Confidence::Medium)
        });
        for flow in &mut carried.flows {
            flow.field = None;
        }
        Some(carried)
    }
}
