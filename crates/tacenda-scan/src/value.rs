//! What is known about a value: what flows in it, from where, and on which way.

use std::sync::Arc;

use ruff_python_ast::name::Name;

use crate::Confidence;
use crate::ir::Span;
use crate::label::Label;
use crate::model::Channel;

/// More flows in one value are dropped: the first say enough.
const MAX_FLOWS: usize = 12;
/// Of a value that may be one of more texts none is known.
const MAX_TEXTS: usize = 64;

/// A value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Value {
    /// What flows in it.
    pub(crate) flows: Vec<Flow>,
    /// What else is known.
    pub(crate) known: Known,
}

/// What is known about a value besides its flows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing.
    #[default]
    Nothing,
    /// That it cannot leak: a number, an answer.
    Harmless,
    /// That what was sensitive in it was taken out or hidden.
    Treated,
    /// That it is a container made here, with nothing sensitive in it so far.
    Built,
    /// That it is one of these literals.
    Texts(Arc<[Box<str>]>),
    /// That it is a function that writes: `log = logger.debug`.
    Writer(Channel),
    /// That it is an object that logs: `out = logging.getLogger()`.
    LogObject,
    /// That it is a request or what came back of one, with the credentials in its address.
    Exchange(Arc<[Flow]>),
    /// That it is a file of which the name says that a credential is in it.
    SecretFile,
    /// That it is a function that is here, the first of whose arguments so many are bound already:
    /// `partial(write, level)`.
    Function(usize, usize),
    /// That it is a function inside the function that is run, by its number among these.
    Local(usize),
    /// That it is an object of this class, by its name.
    Object(Name),
}

/// Something sensitive, or a parameter, in a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// The field of the value it is in; the whole value without.
    pub(crate) field: Option<Name>,
    /// The way it has come, last step first.
    pub(crate) way: Option<Arc<Step>>,
}

/// Where a flow comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From something sensitive.
    Source(Label, Confidence),
    /// From the parameter of this index.
    Parameter(u8),
    /// From a call of the function that a function inside this one stands for.
    Inner(Inner),
}

/// What a decorator sees of a call of the function that it decorates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inner {
    /// The arguments by place.
    Arguments,
    /// The arguments by name.
    Keywords,
    /// What the function gives back.
    Result,
}

/// A step on the way from the source to the sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The file, by its number.
    pub(crate) file: u32,
    /// The place.
    pub(crate) span: Span,
    /// What happens there.
    pub(crate) what: What,
    /// How many steps came before.
    pub(crate) length: u8,
    /// The step before.
    pub(crate) before: Option<Arc<Step>>,
}

/// What happens in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The name says so.
    Named,
    /// A call gives it.
    Given,
    /// It is stored in a variable.
    Stored,
    /// It is handed over to a function.
    Passed,
    /// A function gives it back.
    Returned,
    /// It is raised in an exception.
    Raised,
    /// It is written out.
    Written,
}

impl Step {
    /// What happens in the first step of the way.
    pub(crate) fn root(&self) -> What {
        self.before.as_ref().map_or(self.what, |before| before.root())
    }

    /// The file of the first step of the way.
    pub(crate) fn root_file(&self) -> u32 {
        self.before.as_ref().map_or(self.file, |before| before.root_file())
    }
}

impl What {
    /// In words, for a report.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Named => "the name says what it is",
            Self::Given => "it comes from here",
            Self::Stored => "it is stored here",
            Self::Passed => "it is passed on here",
            Self::Returned => "it is given back here",
            Self::Raised => "it is part of this exception",
            Self::Written => "it is written here",
        }
    }
}

impl Known {
    /// Whether a message says no more of a value than this does. Of what clients and servers make of
    /// requests and responses, the text is a line that tells no content.
    pub(crate) fn outdoes_message(&self) -> bool {
        const MADE: &[&str] = &[
            "Response",
            "ClientResponse",
            "HTTPResponse",
            "HttpResponse",
            "StreamResponse",
            "Request",
            "ClientRequest",
            "HttpRequest",
            "PreparedRequest",
        ];
        match self {
            Self::Harmless | Self::Treated | Self::Texts(_) | Self::Exchange(_) => true,
            Self::Object(class) => MADE.contains(&class.as_str()),
            _ => false,
        }
    }
}

impl Flow {
    /// Whether it is in a place of a tuple or list, and in which.
    pub(crate) fn place(&self) -> Option<usize> {
        self.field.as_ref()?.parse().ok()
    }

    /// Whether it is in a field of an object.
    pub(crate) fn is_part(&self) -> bool {
        self.field.is_some() && self.place().is_none() && !self.is_of_query()
    }

    /// Whether it is in the query string of an address.
    pub(crate) fn is_of_query(&self) -> bool {
        self.field.as_deref() == Some(QUERY)
    }
}

/// The part of an address behind its `?`.
pub(crate) const QUERY: &str = "?";

impl Value {
    /// The value, with nothing known of which place of it what is in.
    pub(crate) fn without_places(mut self) -> Self {
        for flow in &mut self.flows {
            if flow.place().is_some() {
                flow.field = None;
            }
        }
        self
    }

    /// An address without its query string.
    pub(crate) fn without_query(self) -> Self {
        self.retain(|flow| {
            !flow.is_of_query() && !matches!(flow.origin, Origin::Source(Label::Url, _))
        })
    }

    /// A value that cannot leak.
    pub(crate) fn harmless() -> Self {
        Self { flows: Vec::new(), known: Known::Harmless }
    }

    /// A value with one flow from a source.
    pub(crate) fn source(label: Label, confidence: Confidence, way: Arc<Step>) -> Self {
        let mut value = Self::default();
        value.add(Flow { origin: Origin::Source(label, confidence), field: None, way: Some(way) });
        value
    }

    /// A value that was made fit to be written.
    pub(crate) fn treated() -> Self {
        Self { flows: Vec::new(), known: Known::Treated }
    }

    /// Whether it is known not to leak.
    pub(crate) fn is_harmless(&self) -> bool {
        matches!(self.known, Known::Harmless | Known::Treated)
    }

    /// Whether all is known of it, and nothing of that is sensitive.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_harmless() || matches!(self.known, Known::Texts(_))
    }

    /// Adds a flow, unless the value has it.
    pub(crate) fn add(&mut self, flow: Flow) {
        let same = |one: &Flow| {
            one.field == flow.field
                && match (one.origin, flow.origin) {
                    (Origin::Source(one, _), Origin::Source(other, _)) => one == other,
                    (one, other) => one == other,
                }
        };
        if let Some(one) = self.flows.iter_mut().find(|one| same(one)) {
            if let (Origin::Source(_, before), Origin::Source(_, now)) = (one.origin, flow.origin)
                && now > before
            {
                *one = flow;
            }
        } else if self.flows.len() < MAX_FLOWS {
            self.flows.push(flow);
        }
    }

    /// Takes over the flows of another value.
    pub(crate) fn absorb(&mut self, other: &Self) {
        for flow in &other.flows {
            self.add(flow.clone());
        }
    }

    /// Takes over the flows of another value, as of a field of this one.
    pub(crate) fn absorb_field(&mut self, field: &Name, other: &Self) {
        for flow in &other.flows {
            self.add(Flow { field: Some(field.clone()), ..flow.clone() });
        }
    }

    /// One or the other. Who hides a value on one branch has seen to it: `if body: body = mask(body)`.
    pub(crate) fn join(mut self, other: &Self) -> Self {
        if matches!(self.known, Known::Treated) || matches!(other.known, Known::Treated) {
            return Self::treated();
        }
        self.absorb(other);
        self.known = match (self.known, &other.known) {
            (Known::Harmless, Known::Harmless) => Known::Harmless,
            (Known::Texts(one), Known::Texts(two)) => {
                let more = two.iter().filter(|text| !one.contains(text));
                let texts: Vec<_> = one.iter().chain(more).cloned().collect();
                if texts.len() > MAX_TEXTS { Known::Harmless } else { Known::Texts(texts.into()) }
            }
            (Known::Texts(_), Known::Harmless) | (Known::Harmless, Known::Texts(_)) => {
                Known::Harmless
            }
            (Known::Built, Known::Built) => Known::Built,
            (Known::Exchange(one), Known::Exchange(_)) => Known::Exchange(one),
            (Known::Object(one), Known::Object(two)) if one == *two => Known::Object(one),
            (Known::Writer(channel), _) => Known::Writer(channel),
            (_, Known::Writer(channel)) => Known::Writer(*channel),
            _ => Known::Nothing,
        };
        self
    }

    /// The value without what is known only of its fields, each flow passed through `keep`.
    pub(crate) fn retain(mut self, keep: impl Fn(&Flow) -> bool) -> Self {
        self.flows.retain(keep);
        self
    }

    /// Its flows from sources: label, confidence, flow.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (Label, Confidence, &Flow)> {
        self.flows.iter().filter_map(|flow| match flow.origin {
            Origin::Source(label, confidence) => Some((label, confidence, flow)),
            Origin::Parameter(_) | Origin::Inner(_) => None,
        })
    }

    /// Whether something of this label is in it.
    pub(crate) fn has(&self, label: Label) -> bool {
        self.sources().any(|(one, ..)| one == label)
    }
}
