//! The parts of a record: what it is about, and one for the fields of each class.

use tacenda_policy::Class;

/// A part of a record. Each part has a column, a key and a salt of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Time, level, logger and kinds: what every reader of the journal may see.
    Head,
    /// The fields of a class.
    Of(Class),
}

impl Part {
    /// Every part, in the order of the format.
    pub const ALL: [Self; 5] = [
        Self::Head,
        Self::Of(Class::Public),
        Self::Of(Class::Internal),
        Self::Of(Class::Confidential),
        Self::Of(Class::Restricted),
    ];

    /// Its number in the format, from 0.
    pub fn index(self) -> usize {
        match self {
            Self::Head => 0,
            Self::Of(Class::Public) => 1,
            Self::Of(Class::Internal) => 2,
            Self::Of(Class::Confidential) => 3,
            Self::Of(Class::Restricted) => 4,
        }
    }

    /// Its name, also that of its column and of its key.
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Of(class) => class.name(),
        }
    }
}
