//! The leaf of a record: the hash that its segment's tree is made of, and that a proof begins with.

use tacenda_policy::Class;

use crate::part::Part;
use crate::salt::Salts;
use crate::{Hash, sha256, tree};

/// Commitments to parts that are gone, in the order of [`Class::ALL`].
pub(crate) type Expired = [Option<Hash>; 4];

/// The fields of a record, in the order of [`Class::ALL`].
pub(crate) type Fields<'f> = [Option<&'f [u8]>; 4];

/// The commitment to a part: it binds to the content and, without the salt, tells nothing of it.
pub(crate) fn commitment(part: Part, salt: &Hash, content: &[u8]) -> Hash {
    let number = u8::try_from(part.index()).expect("there are five parts");
    sha256(&[&[2, number], salt, content])
}

/// The hash of the leaf of a record: the parts that it has, and the commitments to them; of what has
/// expired the commitment is given. `None` when a salt is gone.
pub(crate) fn leaf(
    salts: &mut [Salts; 5],
    number: u32,
    head: &[u8],
    fields: &Fields<'_>,
    expired: &Expired,
) -> Option<Hash> {
    let mut data = [0; 1 + 5 * 32];
    let (mask, commitments) = data.split_first_mut().expect("it has room for all of them");
    let (commitments, _) = commitments.as_chunks_mut();
    *mask = 1;
    commitments[0] = commitment(Part::Head, &salts[0].salt(number)?, head);
    let mut count = 1;
    for class in Class::ALL {
        let part = Part::Of(*class);
        let at = part.index();
        commitments[count] = match (expired[at - 1], fields[at - 1]) {
            (Some(gone), _) => gone,
            (None, Some(fields)) => commitment(part, &salts[at].salt(number)?, fields),
            (None, None) => continue,
        };
        *mask |= 1 << at;
        count += 1;
    }
    Some(tree::leaf(&data[..=32 * count]))
}
