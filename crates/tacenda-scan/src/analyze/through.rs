//! What is written by a function that it is handed to.

use super::{Found, ParameterSink, Walker};
use crate::Confidence;
use crate::ir::{Expr, ExprKind, Span};
use crate::lexicon::words;
use crate::value::{Origin, Value, What};

impl Walker<'_> {
    /// A parameter of a function that is called has been written out there.
    pub(super) fn reached(&mut self, sink: &ParameterSink, value: &Value, place: Span, call: Span) {
        for flow in &value.flows {
            if self.is_word_of(sink.file, flow) {
                continue;
            }
            let way = self.step(place, What::Passed, flow.way.clone());
            match flow.origin {
                Origin::Source(label, confidence) => {
                    let confidence = self.on_channel(label, confidence, sink.channel);
                    self.note_handed(sink, label, confidence, flow.field.as_ref(), call);
                    let (file, at, argument) = if sink.wrapper {
                        (self.file, call, place)
                    } else {
                        (sink.file, sink.call, sink.argument)
                    };
                    let confidence =
                        if sink.wrapper { confidence } else { confidence.min(Confidence::Medium) };
                    let way = self.joined(&way, sink.way.as_ref());
                    self.outcome.found.push(Found {
                        file,
                        call: at,
                        argument,
                        channel: sink.channel,
                        label,
                        confidence,
                        whole: flow.is_part(),
                        way: Some(way),
                    });
                }
                Origin::Parameter(parameter) => {
                    let way = Some(self.joined(&way, sink.way.as_ref()));
                    let (file, at, argument) = if sink.wrapper {
                        (self.file, call, place)
                    } else {
                        (sink.file, sink.call, sink.argument)
                    };
                    let named = self.frame.name.as_ref().is_some_and(|name| is_log_name(name));
                    let relays = sink.relays && named;
                    let wrapper = sink.wrapper && (named || self.frame.only == Some(call));
                    self.note_sink(ParameterSink {
                        parameter,
                        channel: sink.channel,
                        way,
                        file,
                        call: at,
                        argument,
                        wrapper,
                        relays,
                        site: sink.site,
                    });
                }
                Origin::Inner(inner) => {
                    let way = Some(self.joined(&way, sink.way.as_ref()));
                    if self.frame.inner.len() < super::MAX_SINKS {
                        self.frame.inner.push((inner, ParameterSink { way, ..sink.clone() }));
                    }
                }
            }
        }
    }

    /// The way to a call, followed by the way inside of what is called.
    fn joined(
        &self,
        way: &std::sync::Arc<crate::value::Step>,
        inside: Option<&std::sync::Arc<crate::value::Step>>,
    ) -> std::sync::Arc<crate::value::Step> {
        let mut steps = Vec::new();
        let mut next = inside;
        while let Some(step) = next {
            steps.push(step.clone());
            next = step.before.as_ref();
        }
        steps.into_iter().rev().fold(way.clone(), |before, step| {
            let length = before.length + 1;
            if length > super::MAX_STEPS + 4 {
                return before;
            }
            std::sync::Arc::new(crate::value::Step {
                length,
                before: Some(before),
                ..(*step).clone()
            })
        })
    }

    /// Whether the function is there to hand on what it is handed as a message.
    pub(super) fn relays(&self, expr: &Expr, parameter: u8) -> bool {
        let named = self.frame.name.as_ref().is_some_and(|name| is_log_name(name));
        let of_name = self.frame.parameters.get(usize::from(parameter));
        let message = of_name.is_some_and(|name| {
            matches!(
                name.as_str(),
                "msg" | "message" | "text" | "line" | "fmt" | "format" | "s" | "string"
            )
        });
        named || message && matches!(expr.kind, ExprKind::Name(_))
    }
}

/// Whether a function of this name writes what is a log, wherever it goes: `log`, `_debug_log`.
pub(super) fn is_log_of(name: &str) -> bool {
    let words = words(name);
    words.len() <= 3
        && !words.iter().any(|word| matches!(word.as_str(), "in" | "out" | "on" | "off"))
        && words.iter().any(|word| matches!(word.as_str(), "log" | "logger" | "debug" | "trace"))
}

/// Whether a function of this name is there to write: `log_debug`, `_print`, `audit_log`.
pub(super) fn is_log_name(name: &str) -> bool {
    let words = words(name);
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let writes = |word: &str| {
        matches!(
            word,
            "log"
                | "logger"
                | "debug"
                | "print"
                | "dprint"
                | "vprint"
                | "echo"
                | "trace"
                | "logging"
                | "vlog"
        )
    };
    let alone = words.len() == 1
        && matches!(
            &**first,
            "info"
                | "warn"
                | "warning"
                | "error"
                | "notice"
                | "msg"
                | "verbose"
                | "display"
                | "out"
                | "critical"
                | "fail"
        );
    words.len() <= 3 && (writes(first) || writes(last) || alone)
}
