//! What the filter asks of a redactor.

use std::borrow::Cow;
use std::ops::Range;

use tacenda_redact::{AtPath, Carry, Crossed, Part, Redactor, Report};

/// Replaces sensitive values in the records of a stream. Implemented by [`Redactor`]; a test may
/// put something smaller in its place.
pub trait Redact {
    /// A record (a line with or without its end, or a part of one) with every sensitive value
    /// replaced; borrowed when there is none. It is a range of a text: see
    /// [`Redactor::redact_range`]. `carry` is what the records before left open.
    fn redact_range<'t>(
        &self,
        carry: &mut Carry,
        around: &'t [u8],
        record: Range<usize>,
        report: &mut Report,
    ) -> Cow<'t, [u8]>;

    /// The same for a record that stands by itself.
    fn redact_next<'t>(
        &self,
        carry: &mut Carry,
        record: &'t [u8],
        report: &mut Report,
    ) -> Cow<'t, [u8]> {
        self.redact_range(carry, record, 0..record.len(), report)
    }

    /// How many characters of a value that is being made are too few to be told from other text;
    /// none while none is.
    fn too_few(&self) -> Option<usize> {
        None
    }

    /// The next part of a record that is too long to be looked at as a whole: see
    /// [`Redactor::redact_part`].
    ///
    /// # Errors
    /// When a value covers the part and goes on behind it.
    fn redact_part<'t>(
        &self,
        carry: &mut Carry,
        record: &'t [u8],
        wanted: Range<usize>,
        report: &mut Report,
    ) -> Result<Part<'t>, Crossed>;
}

/// Implements [`Redact`] by the methods of the same name of `$redactor`, to which the type leads.
macro_rules! redact_by {
    ($redactor:ident for $type:ty $(where $generic:ident: Redact)?) => {
        impl$(<$generic: Redact + ?Sized>)? Redact for $type {
            fn redact_range<'t>(
                &self,
                carry: &mut Carry,
                around: &'t [u8],
                record: Range<usize>,
                report: &mut Report,
            ) -> Cow<'t, [u8]> {
                $redactor::redact_range(self, carry, around, record, report)
            }

            fn too_few(&self) -> Option<usize> {
                $redactor::too_few(self)
            }

            fn redact_part<'t>(
                &self,
                carry: &mut Carry,
                record: &'t [u8],
                wanted: Range<usize>,
                report: &mut Report,
            ) -> Result<Part<'t>, Crossed> {
                $redactor::redact_part(self, carry, record, wanted, report)
            }
        }
    };
}

redact_by!(Redactor for Redactor);
redact_by!(AtPath for AtPath<'_>);
redact_by!(R for &R where R: Redact);
redact_by!(R for std::sync::Arc<R> where R: Redact);
