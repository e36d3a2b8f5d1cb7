//! What a value is: its kind, and how much its loss would hurt: its class.

use serde::{Deserialize, Serialize};

use crate::vocabulary::vocabulary;

vocabulary! {
    /// How much harm the value does in the wrong hands, least first.
    ///
    /// The four levels are those of ISO/IEC 27002:2022, 5.12 (classification of information), under
    /// their usual names.
    pub enum Class {
        /// Anyone may read it.
        Public = "public",
        /// Anyone in the organisation may read it.
        Internal = "internal",
        /// Only those who need it: personal data, prompts, completions, model internals.
        Confidential = "confidential",
        /// Its loss is an incident in itself: credentials, payment and health data.
        Restricted = "restricted",
    }
}

macro_rules! kinds {
    ($($variant:ident $name:literal $class:ident $doc:literal),+ $(,)?) => {
        /// What a value is. Every detector and every source maps to one kind.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind { $(#[doc = $doc] $variant),+ }

        impl Kind {
            /// Every kind, in the order of the reference.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Every name, in the order of the reference.
            pub const NAMES: &[&str] = &[$($name),+];

            /// The name used in the policy file, in reports and in summaries.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The one of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }

            /// The class that holds when the policy file does not say otherwise.
            pub const fn default_class(self) -> Class {
                match self { $(Self::$variant => Class::$class),+ }
            }

            /// One line for people.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $doc),+ }
            }
        }
    };
}

kinds! {
    Prompt "prompt" Confidential "What a user or an application sends to a model.",
    Completion "completion" Confidential "What a model answers, tool calls included.",
    TokenIds "token-ids" Confidential "Token ids: with the public tokenizer they are the text.",
    Tensor "tensor" Confidential "Values of an array: activations, embeddings, KV caches.",
    ModelParameter "model-parameter" Confidential "Weights and adapters.",
    TrainingSample "training-sample" Confidential "Rows of training or evaluation data.",
    Media "media" Confidential "Images, audio and other files carried inside text.",
    Credential "credential" Restricted "Keys, tokens, passwords, private keys, cookies.",
    Personal "personal" Confidential "What names a person: e-mail, phone, identity numbers, names.",
    Financial "financial" Restricted "Payment cards, bank accounts.",
    Health "health" Restricted "What tells a person's health.",
    Location "location" Confidential "Where a person is or lives.",
    Network "network" Confidential "Addresses of hosts and network interfaces.",
    Device "device" Confidential "Serial numbers and advertising ids of devices.",
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::from_name(name).ok_or(UnknownKind)
    }
}

/// The name of a kind that does not exist. It does not carry the name: that may be data.
#[derive(Debug, thiserror::Error)]
#[error("unknown kind; see `tacenda config --schema` for the names")]
pub struct UnknownKind;
