//! Whether the footer of a segment is one that the journal writes: it may be that of whoever has the keys of
//! today, and the `parquet` crate makes room for what it says that it has.

use crate::entry::SegmentState;
use crate::segment::LEAF;
use crate::thrift::{Kind, Seen, is_sound};

/// Bytes of what a footer has of a column, sealed with the key of the column.
const LONGEST_COLUMN: usize = 64 << 10;

/// The fields of `FileMetaData`, by the numbers that lead there (parquet.thrift), as far as they are written.
const FIELDS: [(&[i16], Kind); 34] = [
    // Version, schema, rows, row groups, pairs, who created it, and how columns are ordered.
    (&[1], Kind::Int),
    (&[2], Kind::List),
    (&[3], Kind::Int),
    (&[4], Kind::List),
    (&[5], Kind::List),
    (&[6], Kind::Bytes),
    (&[7], Kind::List),
    // An element of the schema: type, length, repetition, name, children, and what it stands for.
    (&[2, 1], Kind::Int),
    (&[2, 2], Kind::Int),
    (&[2, 3], Kind::Int),
    (&[2, 4], Kind::Bytes),
    (&[2, 5], Kind::Int),
    (&[2, 6], Kind::Int),
    (&[2, 10], Kind::Struct),
    // A text, or a time: whether it is UTC, and in nanoseconds.
    (&[2, 10, 1], Kind::Struct),
    (&[2, 10, 8], Kind::Struct),
    (&[2, 10, 8, 1], Kind::Bool),
    (&[2, 10, 8, 2], Kind::Struct),
    (&[2, 10, 8, 2, 3], Kind::Struct),
    // A row group: columns, bytes, rows, offset, bytes in the file, number.
    (COLUMNS, Kind::List),
    (&[4, 2], Kind::Int),
    (ROWS, Kind::Int),
    (&[4, 5], Kind::Int),
    (&[4, 6], Kind::Int),
    (&[4, 7], Kind::Int),
    // A column: offset, key with path and metadata, and what is sealed with it.
    (&[4, 1, 2], Kind::Int),
    (&[4, 1, 8], Kind::Struct),
    (&[4, 1, 8, 2], Kind::Struct),
    (&[4, 1, 8, 2, 1], Kind::List),
    (&[4, 1, 8, 2, 2], Kind::Bytes),
    (COLUMN, Kind::Bytes),
    // A pair, and the order of a column.
    (&[5, 1], Kind::Bytes),
    (&[5, 2], Kind::Bytes),
    (&[7, 1], Kind::Struct),
];
const SCHEMA: &[i16] = &[2];
const CHILDREN: &[i16] = &[2, 5];
const ROW_GROUPS: &[i16] = &[4];
const COLUMNS: &[i16] = &[4, 1];
const ROWS: &[i16] = &[4, 3];
const COLUMN: &[i16] = &[4, 1, 9];

/// Whether a footer asks for no more memory than one that the journal writes.
pub(crate) fn is_bounded(footer: &[u8], segment: &SegmentState) -> bool {
    let columns = (LEAF + usize::from(segment.rewritten)) as u64;
    let groups = segment.records.min(i16::MAX.cast_unsigned().into());
    is_sound(footer, &|way, seen| match seen {
        Seen::Field(kind) => FIELDS.contains(&(way, kind)),
        Seen::List(count) if way == SCHEMA => count == columns + 1,
        Seen::List(count) if way == ROW_GROUPS => count <= groups,
        Seen::List(count) if way == COLUMNS => count == columns,
        Seen::List(count) => count <= columns,
        Seen::Int(count) if way == CHILDREN => (0..=columns.cast_signed()).contains(&count),
        Seen::Bytes(length) if way == COLUMN => length <= LONGEST_COLUMN,
        Seen::Int(_) | Seen::Bytes(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::Fixture;

    /// A footer of one row group: elements of the schema, children of the first of them, row groups, columns
    /// of each, bytes of each of these, and rows of each row group.
    fn footer([elements, children, groups, columns, bytes, rows]: [usize; 6]) -> Vec<u8> {
        let varint = |mut value: usize| {
            let mut bytes = Vec::new();
            while value > 0x7f {
                bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
                value >>= 7;
            }
            bytes.push(u8::try_from(value).unwrap());
            bytes
        };
        let list =
            |count: usize, one: &[u8]| [&[0xfc], &*varint(count), &one.repeat(count)].concat();
        let element = [&[0x55], &*varint(2 * children), &[0]].concat();
        let column = [&[0x98], &*varint(bytes), &vec![7; bytes], &[0]].concat();
        let group = [&[0x19], &*list(columns, &column), &[0x26], &*varint(2 * rows), &[0]].concat();
        [&[0x29], &*list(elements, &element), &[0x29], &*list(groups, &group), &[0]].concat()
    }

    #[test]
    fn a_footer_has_no_more_than_one_that_is_written() {
        let fixture = Fixture::new();
        fixture.fill(0, 3);
        let segment = fixture.reader().segments().next().unwrap().state;
        let whole = [16, 15, 3, 15, 100, 1 << 17];
        assert!(is_bounded(&footer(whole), &segment));
        let anew = SegmentState { rewritten: true, ..segment.clone() };
        assert!(is_bounded(&footer([17, 16, 3, 16, 100, 1]), &anew));
        let wrong = [(0, 17), (0, 15), (1, 16), (1, i32::MAX as usize), (2, 4), (3, 16)];
        for (at, wrong) in wrong.into_iter().chain([(4, 1 << 20)]) {
            let mut changed = whole;
            changed[at] = wrong;
            assert!(!is_bounded(&footer(changed), &segment), "{at}: {wrong}");
        }
        assert!(!is_bounded(&footer(whole), &anew));
    }

    /// The `parquet` crate goes by the numbers of fields: what one of another kind hides it reads.
    #[test]
    fn a_footer_has_the_kinds_of_fields_that_are_written() {
        let fixture = Fixture::new();
        fixture.fill(0, 3);
        let segment = fixture.reader().segments().next().unwrap().state;
        assert!(is_bounded(&footer([16, 15, 3, 15, 100, 1]), &segment));
        let hidden = footer([1 << 20, 15, 3, 15, 100, 1]);
        // The version is so many bytes; in the place of the schema there is a number that begins as a list of
        // as many as 28 bits say; nobody knows a list of truths; and a number has the long form.
        let swallowed = [&[0x18, 100], &hidden[..100], &[0]].concat();
        let number = vec![0x26, 0xfc, 0xff, 0xff, 0xff, 0x7f, 0];
        let truths = vec![0xb9, 0x31, 0x29, 0xfc, 0x7f, 0];
        let long = vec![0x05, 0x02, 0x00, 0x00];
        for wrong in [swallowed, number, truths, long] {
            assert!(is_sound_but_for_kinds(&wrong), "{wrong:x?}");
            assert!(!is_bounded(&wrong, &segment), "{wrong:x?}");
        }
    }

    /// Whether it is refused for nothing else.
    fn is_sound_but_for_kinds(footer: &[u8]) -> bool {
        footer[0] == 0x05 || is_sound(footer, &|_, _| true)
    }
}
