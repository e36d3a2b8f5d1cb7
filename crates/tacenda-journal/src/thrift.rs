//! Thrift's compact protocol, as far as Parquet's page headers and file footers need it: a struct is
//! read into its fields by number.

/// A value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Field<'b> {
    Bool(bool),
    Int(i64),
    Bytes(&'b [u8]),
    Struct(Struct<'b>),
    /// What Tacenda has no use for: lists, sets, maps, floating point.
    Other,
}

/// A struct: its fields with their numbers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Struct<'b>(Vec<(i16, Field<'b>)>);

impl<'b> Struct<'b> {
    /// Reads a struct, and gives what follows it.
    pub(crate) fn read(mut bytes: &'b [u8]) -> Option<(Self, &'b [u8])> {
        let read = read_struct(&mut bytes, 0)?;
        Some((read, bytes))
    }

    fn field(&self, number: i16) -> Option<&Field<'b>> {
        self.0.iter().find(|(id, _)| *id == number).map(|(_, field)| field)
    }

    /// A whole number.
    pub(crate) fn int(&self, number: i16) -> Option<i64> {
        match self.field(number)? {
            Field::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// Bytes.
    pub(crate) fn bytes(&self, number: i16) -> Option<&'b [u8]> {
        match self.field(number)? {
            Field::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A struct in it.
    pub(crate) fn inner(&self, number: i16) -> Option<&Self> {
        match self.field(number)? {
            Field::Struct(inner) => Some(inner),
            _ => None,
        }
    }
}

/// What a field holds, as its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Int,
    Bytes,
    List,
    Struct,
    Other,
}

impl Kind {
    fn of(number: u8) -> Self {
        match number {
            1 | 2 => Self::Bool,
            4..=6 => Self::Int,
            8 => Self::Bytes,
            9 => Self::List,
            12 => Self::Struct,
            _ => Self::Other,
        }
    }
}

/// What stands somewhere in a struct.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seen {
    /// A field. Some readers go by its number alone, and read on elsewhere than where it ends when it is of
    /// another kind than they expect.
    Field(Kind),
    /// A list of so many.
    List(u64),
    /// A whole number.
    Int(i64),
    /// So many bytes.
    Bytes(usize),
}

/// Goes through a struct, and keeps nothing of it: whether it is one, and all that is seen in it, by the
/// numbers of the fields that lead there, is as it should be.
pub(crate) fn is_sound(mut bytes: &[u8], sound: &dyn Fn(&[i16], Seen) -> bool) -> bool {
    let mut way = Way { numbers: [0; DEEPEST as usize], length: 0, lists: 0 };
    walk_struct(&mut bytes, &mut way, sound).is_some()
}

/// The numbers of fields that lead to a place.
struct Way {
    numbers: [i16; DEEPEST as usize],
    length: usize,
    /// Lists within lists have no numbers.
    lists: u8,
}

fn walk_struct(
    bytes: &mut &[u8],
    way: &mut Way,
    sound: &dyn Fn(&[i16], Seen) -> bool,
) -> Option<()> {
    let mut number = 0_i16;
    let at = way.length;
    way.numbers.get(at)?;
    loop {
        let head = byte(bytes)?;
        if head == 0 {
            return Some(());
        }
        // Parquet's are few enough for the short form, and stand in their order.
        let delta = Some(head >> 4).filter(|delta| *delta > 0)?;
        number = number.checked_add(i16::from(delta))?;
        way.numbers[at] = number;
        way.length = at + 1;
        let kind = Kind::of(head & 15);
        sound(&way.numbers[..way.length], Seen::Field(kind)).then_some(())?;
        // In a struct the kind of a truth is its value.
        if !matches!(head & 15, 1 | 2) {
            walk(head & 15, bytes, way, sound)?;
        }
        way.length = at;
    }
}

fn walk(
    kind: u8,
    bytes: &mut &[u8],
    way: &mut Way,
    sound: &dyn Fn(&[i16], Seen) -> bool,
) -> Option<()> {
    let check = |way: &Way, seen| sound(&way.numbers[..way.length], seen).then_some(());
    match kind {
        1..=3 => byte(bytes).map(drop),
        4..=6 => check(way, Seen::Int(zigzag(varint(bytes)?))),
        7 => take(bytes, 8).map(drop),
        8 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            check(way, Seen::Bytes(take(bytes, length)?.len()))
        }
        9 | 10 => {
            let head = byte(bytes)?;
            let count = if head >> 4 == 15 { varint(bytes)? } else { u64::from(head >> 4) };
            check(way, Seen::List(count))?;
            way.lists = way.lists.checked_add(1).filter(|lists| *lists <= DEEPEST)?;
            for _ in 0..count {
                walk(head & 15, bytes, way, sound)?;
            }
            way.lists -= 1;
            Some(())
        }
        12 => walk_struct(bytes, way, sound),
        // Parquet has no maps.
        _ => None,
    }
}

/// Deeper than any struct of Parquet.
const DEEPEST: u8 = 8;
/// More fields than any struct of Parquet has.
const MOST_FIELDS: usize = 64;

fn read_struct<'b>(bytes: &mut &'b [u8], depth: u8) -> Option<Struct<'b>> {
    let mut fields = Vec::new();
    let mut number = 0_i16;
    loop {
        let head = byte(bytes)?;
        if head == 0 {
            return Some(Struct(fields));
        }
        number = match head >> 4 {
            0 => i16::try_from(zigzag(varint(bytes)?)).ok()?,
            delta => number.checked_add(i16::from(delta))?,
        };
        if fields.len() == MOST_FIELDS {
            return None;
        }
        fields.push((number, value(head & 15, bytes, depth, true)?));
    }
}

fn value<'b>(kind: u8, bytes: &mut &'b [u8], depth: u8, in_struct: bool) -> Option<Field<'b>> {
    if depth > DEEPEST {
        return None;
    }
    Some(match kind {
        // In a struct the kind is the value.
        1 | 2 if in_struct => Field::Bool(kind == 1),
        1 | 2 => Field::Bool(byte(bytes)? == 1),
        3 => Field::Int(i64::from(byte(bytes)?.cast_signed())),
        4..=6 => Field::Int(zigzag(varint(bytes)?)),
        7 => {
            take(bytes, 8)?;
            Field::Other
        }
        8 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            Field::Bytes(take(bytes, length)?)
        }
        9 | 10 => {
            let head = byte(bytes)?;
            let count = if head >> 4 == 15 { varint(bytes)? } else { u64::from(head >> 4) };
            for _ in 0..count {
                value(head & 15, bytes, depth + 1, false)?;
            }
            Field::Other
        }
        11 => {
            let count = varint(bytes)?;
            let kinds = if count == 0 { 0 } else { byte(bytes)? };
            for _ in 0..count {
                value(kinds >> 4, bytes, depth + 1, false)?;
                value(kinds & 15, bytes, depth + 1, false)?;
            }
            Field::Other
        }
        12 => Field::Struct(read_struct(bytes, depth + 1)?),
        _ => return None,
    })
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

fn take<'b>(bytes: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

/// A number of up to 64 bits, seven to a byte.
pub(crate) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let next = byte(bytes)?;
        value |= u64::from(next & 0x7f) << shift;
        if next < 0x80 {
            return Some(value);
        }
    }
    None
}

fn zigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_header() {
        // type 0, sizes 300 and 132, a data page header with 2 values and encoding 6.
        let bytes = [0x15, 0, 0x15, 0xd8, 4, 0x15, 0x88, 2, 0x2c, 0x15, 4, 0x15, 12, 0, 0, 99];
        let (header, rest) = Struct::read(&bytes).unwrap();
        assert_eq!((header.int(1), header.int(2), header.int(3)), (Some(0), Some(300), Some(132)));
        let data = header.inner(5).unwrap();
        assert_eq!((data.int(1), data.int(2), data.int(3)), (Some(2), Some(6), None));
        assert_eq!(rest, [99]);
    }

    #[test]
    fn what_is_seen_in_a_struct_has_its_place() {
        // 1: 5, 2: a list of two structs with 3: "ab" and with nothing, 4: true, 7: a list of no list.
        let bytes = [0x15, 10, 0x19, 0x2c, 0x38, 2, b'a', b'b', 0, 0, 0x21, 0x39, 0x09, 0];
        let seen = std::cell::RefCell::new(Vec::new());
        assert!(is_sound(&bytes, &|way, what| {
            seen.borrow_mut().push(format!("{way:?} {what:?}"));
            true
        }));
        let (fields, held): (Vec<_>, Vec<_>) =
            seen.into_inner().into_iter().partition(|one| one.contains("Field"));
        assert_eq!(held, ["[1] Int(5)", "[2] List(2)", "[2, 3] Bytes(2)", "[7] List(0)"]);
        let kinds = ["[1] Int", "[2] List", "[2, 3] Bytes", "[4] Bool", "[7] List"];
        let kinds = kinds.map(|one| one.replace("] ", "] Field(") + ")");
        assert_eq!(fields, kinds);
        let (long, backwards) = ([0x05, 2, 10, 0], [0x25, 10, 0x05, 2, 10, 0]);
        assert!(!is_sound(&long, &|_, _| true) && !is_sound(&backwards, &|_, _| true));
        for at in 0..bytes.len() {
            assert!(!is_sound(&bytes[..at], &|_, _| true), "cut at {at}");
        }
        assert!(!is_sound(&bytes, &|way, what| !matches!((way, what), ([2], Seen::List(2)))));
        let deep = [vec![0x1c; 100], vec![0; 100]].concat();
        assert!(!is_sound(&deep, &|_, _| true), "it is as deep as no struct");
        let lists = [vec![0x19], vec![0x19; 100], vec![0x10, 0]].concat();
        assert!(!is_sound(&lists, &|_, _| true), "lists of lists");
        assert!(Struct::read(&[[0x11; 70].as_slice(), &[0]].concat()).is_none(), "so many fields");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Struct::read(&bytes);
            is_sound(&bytes, &|_, _| true);
        }
    }
}
