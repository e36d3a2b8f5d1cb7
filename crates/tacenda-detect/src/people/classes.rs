//! What is known of a word. `build.rs` includes this file too.

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Class(u16);

#[allow(dead_code, reason = "each side of the build needs a part")]
impl Class {
    pub(crate) const NONE: Self = Self(0);
    /// A given name.
    pub(crate) const GIVEN: Self = Self(1);
    /// A given name in several languages.
    pub(crate) const COMMON: Self = Self(1 << 1);
    /// A given name, although it is a word as well.
    pub(crate) const PERSON: Self = Self(1 << 2);
    /// A family name.
    pub(crate) const FAMILY: Self = Self(1 << 3);
    /// A word of a language.
    pub(crate) const WORD: Self = Self(1 << 4);
    /// A town, region or country.
    pub(crate) const PLACE: Self = Self(1 << 5);
    /// What ends the name of an organisation, a work or a place.
    pub(crate) const ORGANISATION: Self = Self(1 << 6);
    /// A title or form of address.
    pub(crate) const TITLE: Self = Self(1 << 7);
    /// A word that comes before people.
    pub(crate) const ANNOUNCE: Self = Self(1 << 8);
    /// A word that comes behind people.
    pub(crate) const FOLLOW: Self = Self(1 << 9);
    /// A word that comes before places and things.
    pub(crate) const LEAD: Self = Self(1 << 10);
    /// What begins the name of a place.
    pub(crate) const HEAD: Self = Self(1 << 11);
    /// A kind of way, behind its name.
    pub(crate) const STREET: Self = Self(1 << 12);
    /// A kind of way, before its name.
    pub(crate) const STREET_LEAD: Self = Self(1 << 13);
    /// No part of a name, however it is written.
    pub(crate) const NEVER: Self = Self(1 << 14);
    /// What somebody is called in the records of an application: `patient`, `kunde`.
    pub(crate) const ROLE: Self = Self(1 << 15);

    /// What a word may be besides a name.
    pub(crate) const OTHER: Self = Self::WORD
        .with(Self::PLACE)
        .with(Self::NEVER)
        .with(Self::ORGANISATION)
        .with(Self::TITLE)
        .with(Self::HEAD)
        .with(Self::STREET);

    /// Slots of the table.
    pub(crate) const SLOTS: usize = 1 << Self::SLOT_BITS;
    const SLOT_BITS: u32 = 18;
    const CLASS_BITS: u32 = 16;

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether one of `others` is in it.
    pub(crate) const fn any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    pub(crate) const fn bits(self) -> u16 {
        self.0
    }

    /// Where a word of this hash is looked for first, and its fingerprint, in the bits of a slot.
    #[allow(clippy::cast_possible_truncation, reason = "a fingerprint is a part of the hash")]
    pub(crate) const fn place(hash: u64) -> (usize, u32) {
        let at = (hash >> (64 - Self::SLOT_BITS)) as usize;
        (at, ((hash >> 16) as u32) << Self::CLASS_BITS)
    }

    /// The classes of a slot, if it has this fingerprint.
    #[allow(clippy::cast_possible_truncation, reason = "the classes are the lowest bits")]
    pub(crate) const fn of_slot(slot: u32, print: u32) -> Option<Self> {
        if slot >> Self::CLASS_BITS == print >> Self::CLASS_BITS {
            Some(Self((slot & ((1 << Self::CLASS_BITS) - 1)) as u16))
        } else {
            None
        }
    }
}
