//! Salts that can be taken away one by one: the puncturable tree of Goldreich, Goldwasser and Micali.
//!
//! A seed has two children, SHA-256(0x10 ‖ seed) and SHA-256(0x11 ‖ seed); the salt of record `i` is
//! the seed that is reached by the bits of `i`, the highest first. To take a salt away, the seeds
//! above it are replaced by the siblings along its path: all other salts remain, and that one cannot
//! be found again.
//!
//! Those of many records are found level by level: seeds beside each other are hashed at once.

use std::ops::Range;

use zeroize::ZeroizeOnDrop;

use crate::{Hash, lanes, sha256};

/// The depth of the tree: a segment has at most 2^24 records.
pub(crate) const DEPTH: u8 = 24;
/// A node as bytes: its depth, its index (big-endian), its seed.
pub(crate) const NODE: usize = 1 + 4 + 32;
/// Salts that are found at once for records that come one by one.
const AHEAD: u32 = 32;
/// What is hashed before a seed, for its children.
const LEFT: u8 = 0x10;
const RIGHT: u8 = 0x11;

#[derive(Clone, ZeroizeOnDrop)]
struct Node {
    depth: u8,
    index: u32,
    seed: Hash,
}

/// The salts of a part in a segment.
#[derive(Clone)]
pub(crate) struct Salts {
    /// In the order of the records below them, none below another.
    cover: Vec<Node>,
    /// The way to the salt that was asked for last: most of it serves for the next.
    way: Option<Box<Way>>,
    levels: Levels,
    /// The records whose salts were found last.
    ahead: Range<u32>,
}

/// Seeds of a subtree, level by level, and the salts that were found. Their memory is used again.
#[derive(Clone, Default, ZeroizeOnDrop)]
struct Levels {
    level: Vec<Hash>,
    below: Vec<Hash>,
    found: Vec<Hash>,
}

impl Levels {
    /// Adds the salts so many levels below a seed.
    fn descend(&mut self, seed: Hash, levels: u32) {
        const SIDES: [&[u8]; 2] = [&[LEFT], &[RIGHT]];
        self.level.clear();
        self.level.push(seed);
        for _ in 0..levels {
            self.below.clear();
            let children = self.level.iter().flat_map(|seed| SIDES.map(|side| [side, seed]));
            lanes::sha256_each(children, &mut self.below);
            std::mem::swap(&mut self.level, &mut self.below);
        }
        self.found.extend_from_slice(&self.level);
    }
}

/// The seeds that lead to a record, at their depths: from that of a node of the cover on.
#[derive(Clone, ZeroizeOnDrop)]
struct Way {
    record: u32,
    /// From here down to there it is known.
    top: u8,
    bottom: u8,
    seeds: [Hash; DEPTH as usize + 1],
}

impl Salts {
    /// All salts below a seed.
    pub(crate) fn new(seed: Hash) -> Self {
        Self {
            cover: vec![Node { depth: 0, index: 0, seed }],
            way: None,
            levels: Levels::default(),
            ahead: 0..0,
        }
    }

    /// No salts: those of a class whose content is gone.
    pub(crate) fn none() -> Self {
        Self { cover: Vec::new(), way: None, levels: Levels::default(), ahead: 0..0 }
    }

    /// The salt of a record; `None` when it was taken away.
    pub(crate) fn salt(&mut self, record: u32) -> Option<Hash> {
        self.seed(record, DEPTH)
    }

    /// The same, where the salts of the records after it are asked for next: some are found together.
    pub(crate) fn next(&mut self, record: u32) -> Option<&Hash> {
        if !self.ahead.contains(&record) {
            let first = record - record % AHEAD;
            self.each(first, AHEAD as usize)?;
            self.ahead = first..first + AHEAD;
        }
        Some(&self.levels.found[(record - self.ahead.start) as usize])
    }

    /// The salts of so many records from this one on; `None` when one of them was taken away.
    pub(crate) fn each(&mut self, first: u32, count: usize) -> Option<&[Hash]> {
        self.ahead = 0..0;
        self.levels.found.clear();
        while self.levels.found.len() < count {
            let found =
                u32::try_from(self.levels.found.len()).expect("a segment has fewer records");
            let (record, left) = (first + found, count - self.levels.found.len());
            // The largest subtree that begins here and does not reach beyond the last of them.
            let levels = record.trailing_zeros().min(left.ilog2()).min(u32::from(DEPTH));
            let above = DEPTH - u8::try_from(levels).expect("it is shallow");
            let seed = self.seed(record, above)?;
            self.levels.descend(seed, levels);
        }
        Some(&self.levels.found)
    }

    /// The seed above a record at a depth; `None` when it is not known any more.
    fn seed(&mut self, record: u32, depth: u8) -> Option<Hash> {
        let part = |way: &Way| (DEPTH - bits(way.record ^ record)).min(way.bottom);
        let known = |way: &Way| part(way) >= way.top && way.top <= depth;
        let from = match self.way.as_deref().filter(|way| known(way)).map(part) {
            Some(known) => known,
            None => self.set_out(record, depth)?,
        };
        let way = self.way.as_mut().expect("it was set out on");
        for at in from..depth {
            let right = record >> (DEPTH - at - 1) & 1 == 1;
            let at = usize::from(at);
            way.seeds[at + 1] = child(&way.seeds[at], right);
        }
        (way.record, way.bottom) = (record, from.max(depth));
        Some(way.seeds[usize::from(depth)])
    }

    /// Begins the way to a record at the node of the cover that is above it, if that is no deeper; the
    /// depth of the node.
    fn set_out(&mut self, record: u32, deepest: u8) -> Option<u8> {
        let Node { depth, seed, .. } =
            self.above(record).map(|at| &self.cover[at]).filter(|node| node.depth <= deepest)?;
        let seeds = [[0; 32]; DEPTH as usize + 1];
        let way = Way { record, top: *depth, bottom: *depth, seeds };
        let way = self.way.insert(Box::new(way));
        way.seeds[usize::from(*depth)] = *seed;
        Some(*depth)
    }

    /// Where the node above a record stands.
    fn above(&self, record: u32) -> Option<usize> {
        let at = self.cover.partition_point(|node| node.last() < record);
        self.cover.get(at).filter(|node| node.is_above(record)).map(|_| at)
    }

    /// Takes the salt of a record away.
    pub(crate) fn puncture(&mut self, record: u32) {
        let Some(at) = self.above(record) else { return };
        (self.way, self.ahead) = (None, 0..0);
        let mut node = self.cover[at].clone();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        while node.depth < DEPTH {
            let (left, right) = (node.child(false), node.child(true));
            if record >> (DEPTH - node.depth - 1) & 1 == 0 {
                after.push(right);
                node = left;
            } else {
                before.push(left);
                node = right;
            }
        }
        after.reverse();
        self.cover.splice(at..=at, before.into_iter().chain(after));
    }

    /// The nodes as bytes.
    pub(crate) fn to_bytes(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(NODE * self.cover.len()));
        for node in &self.cover {
            bytes.push(node.depth);
            bytes.extend_from_slice(&node.index.to_be_bytes());
            bytes.extend_from_slice(&node.seed);
        }
        bytes
    }

    /// The inverse; `None` where they are not in their order.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (nodes, rest) = bytes.as_chunks::<NODE>();
        let cover = nodes.iter().map(|node| {
            let (depth, index) = (node[0], u32::from_be_bytes(*node[1..].first_chunk()?));
            (depth <= DEPTH && u64::from(index) >> depth == 0)
                .then(|| Some(Node { depth, index, seed: *node[5..].first_chunk()? }))?
        });
        let cover: Vec<Node> = cover.collect::<Option<_>>()?;
        let in_order = cover.is_sorted_by(|one, next| one.last() < next.first());
        (rest.is_empty() && in_order).then_some(Self { cover, ..Self::none() })
    }
}

impl Node {
    fn is_above(&self, record: u32) -> bool {
        (self.first()..=self.last()).contains(&record)
    }

    /// The first record below it.
    fn first(&self) -> u32 {
        self.index << (DEPTH - self.depth)
    }

    /// The last one.
    fn last(&self) -> u32 {
        self.first() + ((1 << (DEPTH - self.depth)) - 1)
    }

    fn child(&self, right: bool) -> Self {
        let index = self.index << 1 | u32::from(right);
        Self { depth: self.depth + 1, index, seed: child(&self.seed, right) }
    }
}

fn child(seed: &Hash, right: bool) -> Hash {
    sha256(&[&[if right { RIGHT } else { LEFT }], seed])
}

/// How many bits a number has.
fn bits(number: u32) -> u8 {
    (u32::BITS - number.leading_zeros()).try_into().expect("there are 32 at most")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_that_was_taken_away_is_gone_and_the_others_stay() {
        let mut all = Salts::new([7; 32]);
        let before: Vec<Hash> = (0..300).map(|record| all.salt(record).unwrap()).collect();
        assert_eq!(all.salt(0), Some(before[0]), "in any order");
        for record in [0, 1, 31, 32, 299, 7, 298] {
            assert_eq!(all.next(record), Some(&before[record as usize]), "{record}, one by one");
            let _ = all.each(40, 3);
        }
        let mut left = all.clone();
        assert!(left.next(17).is_some());
        for gone in [0, 17, 18, 299, 17] {
            left.puncture(gone);
        }
        assert_eq!(left.next(17), None);
        let mut left = Salts::from_bytes(&left.to_bytes()).unwrap();
        for record in 0..300 {
            let expected = (![0, 17, 18, 299].contains(&record)).then_some(before[record as usize]);
            assert_eq!(left.salt(record), expected, "{record}");
        }
        assert_eq!(left.salt((1 << DEPTH) - 1), all.salt((1 << DEPTH) - 1));
        // Wherever the way to the one before went.
        for (one, other) in [(299, 16), (17, 5), (16, 19), (256, 1 << 20), (1 << 20, 255)] {
            let _ = left.salt(one);
            assert_eq!(left.salt(other), Salts::new([7; 32]).salt(other), "{other} after {one}");
        }
        for (first, count) in [(0, 300), (5, 1), (7, 200), (19, 250), (256, 43), (17, 1), (20, 0)] {
            let each = left.each(first, count).map(<[Hash]>::to_vec);
            let end = first + u32::try_from(count).unwrap();
            let expected = (first..end).map(|record| left.salt(record)).collect::<Option<Vec<_>>>();
            assert_eq!(each, expected, "{count} from {first}");
            // What was found for all of them serves for the next, or does not.
            assert_eq!(left.salt(301), Salts::new([7; 32]).salt(301), "after {end}");
        }
        assert!(left.to_bytes().len() < NODE * 4 * usize::from(DEPTH));
        assert!(Salts::from_bytes(&[25; NODE]).is_none() && Salts::from_bytes(&[0; 5]).is_none());
        let bytes = left.to_bytes();
        let (first, second) = bytes.split_at(NODE);
        for wrong in [[second, first].concat(), [first, bytes.as_slice()].concat()] {
            assert!(Salts::from_bytes(&wrong).is_none(), "in their order, and each once");
        }
    }
}
