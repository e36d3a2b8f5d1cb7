//! What is sensitive about a value.

use serde::{Deserialize, Serialize};
use tacenda_policy::Kind;

/// What is sensitive about a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// A password, key, token, cookie.
    Credential,
    /// What names a person.
    Personal,
    /// Payment data.
    Financial,
    /// What goes into a model.
    Prompt,
    /// What comes out of a model.
    Completion,
    /// Token ids: with the public tokenizer they are the text.
    TokenIds,
    /// Values of an array.
    Tensor,
    /// The body of a request or of a response.
    Body,
    /// HTTP headers, and with them authorization and cookies.
    Headers,
    /// A URL with its query string or its user and password.
    Url,
    /// An object that holds much, and credentials among it.
    Settings,
    /// A value that a stranger chose.
    Untrusted,
}

impl Label {
    /// The kind of the policy's vocabulary.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Credential | Self::Headers | Self::Url | Self::Settings => Kind::Credential,
            Self::Personal => Kind::Personal,
            Self::Financial => Kind::Financial,
            Self::Prompt | Self::Body | Self::Untrusted => Kind::Prompt,
            Self::Completion => Kind::Completion,
            Self::TokenIds => Kind::TokenIds,
            Self::Tensor => Kind::Tensor,
        }
    }

    /// In words, for a message.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Credential => "a credential",
            Self::Personal => "personal data",
            Self::Financial => "payment data",
            Self::Prompt => "a prompt",
            Self::Completion => "a model's output",
            Self::TokenIds => "token ids",
            Self::Tensor => "array values",
            Self::Body => "the body of a request or response",
            Self::Headers => "HTTP headers",
            Self::Url => "a URL with its query string",
            Self::Settings => "an object that holds credentials",
            Self::Untrusted => "a value that a stranger chose",
        }
    }

    /// Whether it is text of a model: what `TAC6xx` is about.
    pub const fn is_model_text(self) -> bool {
        matches!(self, Self::Prompt | Self::Completion | Self::TokenIds | Self::Tensor)
    }
}
