//! One definition of a closed set of names: the type, its names, and its line in the reference.

/// Defines an enum whose variants have a name in the policy file and a description for people,
/// which is their doc comment.
macro_rules! vocabulary {
    (
        $(#[$meta:meta])*
        pub enum $type:ident {
            $($(#[doc = $doc:literal])+ $variant:ident = $name:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(serde::Serialize, serde::Deserialize)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant),+
        }

        impl $type {
            /// Every one, in the order of the reference.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Every name, in the order of the reference.
            pub const NAMES: &[&str] = &[$($name),+];

            /// The name used in the policy file and in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it means, for people.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii()),+ }
            }

            /// The one of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

pub(crate) use vocabulary;
