//! The environments that exist without a policy file.

use crate::{Class, Kind};

/// An environment that exists without a section in the file.
#[derive(Debug)]
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// Which kinds have another class there than elsewhere.
    pub classes: &'static [(Kind, Class)],
    /// One line for people.
    pub description: &'static str,
}

/// The environments that exist without a section in the file. The first is in force when no layer
/// names another.
pub const BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        name: "production",
        classes: &[],
        description: "Everything confidential or restricted is protected.",
    },
    BuiltIn {
        name: "development",
        classes: &[(Kind::Network, Class::Internal), (Kind::Device, Class::Internal)],
        description: "As `production`, but addresses and device names of one's own machines stay \
                      readable.",
    },
];

/// The built-in environment of this name.
pub(crate) fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|environment| environment.name == name)
}
