//! Salts that can be taken away one by one: the puncturable tree of Goldreich, Goldwasser and Micali.
//!
//! A seed has two children, SHA-256(0x10 ‖ seed) and SHA-256(0x11 ‖ seed); the salt of record `i` is
//! the seed that is reached by the bits of `i`, the highest first. To take a salt away, the seeds
//! above it are replaced by the siblings along its path: all other salts remain, and that one cannot
//! be found again.

use zeroize::{Zeroize as _, ZeroizeOnDrop};

use crate::{Hash, sha256};

/// The depth of the tree: a segment has at most 2^24 records.
pub(crate) const DEPTH: u8 = 24;
/// A node as bytes: its depth, its index (big-endian), its seed.
const NODE: usize = 1 + 4 + 32;

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
    path: Vec<Node>,
}

impl Salts {
    /// All salts below a seed.
    pub(crate) fn new(seed: Hash) -> Self {
        Self { cover: vec![Node { depth: 0, index: 0, seed }], path: Vec::new() }
    }

    /// No salts: those of a class whose content is gone.
    pub(crate) fn none() -> Self {
        Self { cover: Vec::new(), path: Vec::new() }
    }

    /// The salt of a record; `None` when it was taken away.
    pub(crate) fn salt(&mut self, record: u32) -> Option<Hash> {
        let above = |node: &Node| record >> (DEPTH - node.depth) == node.index;
        while self.path.last().is_some_and(|node| !above(node)) {
            self.path.pop();
        }
        if self.path.is_empty() {
            self.path.push(self.cover.iter().find(|node| above(node))?.clone());
        }
        loop {
            let last = self.path.last().expect("the path has a node");
            if last.depth == DEPTH {
                return Some(last.seed);
            }
            let index = record >> (DEPTH - last.depth - 1);
            let next = child(last, index & 1 == 1);
            self.path.push(next);
        }
    }

    /// Takes the salt of a record away.
    pub(crate) fn puncture(&mut self, record: u32) {
        let covers = |node: &Node| record >> (DEPTH - node.depth) == node.index;
        let Some(at) = self.cover.iter().position(covers) else { return };
        self.path.clear();
        let mut node = self.cover[at].clone();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        while node.depth < DEPTH {
            let (left, right) = (child(&node, false), child(&node, true));
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

    /// The inverse.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (nodes, rest) = bytes.as_chunks::<NODE>();
        let cover = nodes.iter().map(|node| {
            let (depth, index) = (node[0], u32::from_be_bytes(*node[1..].first_chunk()?));
            (depth <= DEPTH && u64::from(index) >> depth == 0)
                .then(|| Some(Node { depth, index, seed: *node[5..].first_chunk()? }))?
        });
        let cover: Option<Vec<Node>> = cover.collect();
        rest.is_empty().then_some(Self { cover: cover?, path: Vec::new() })
    }
}

fn child(node: &Node, right: bool) -> Node {
    let seed = sha256(&[&[0x10 | u8::from(right)], &node.seed]);
    Node { depth: node.depth + 1, index: node.index << 1 | u32::from(right), seed }
}

impl Drop for Salts {
    fn drop(&mut self) {
        for node in self.cover.iter_mut().chain(&mut self.path) {
            node.seed.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_that_was_taken_away_is_gone_and_the_others_stay() {
        let mut all = Salts::new([7; 32]);
        let before: Vec<Hash> = (0..300).map(|record| all.salt(record).unwrap()).collect();
        assert_eq!(all.salt(0), Some(before[0]), "in any order");
        let mut left = all.clone();
        for gone in [0, 17, 18, 299, 17] {
            left.puncture(gone);
        }
        let mut left = Salts::from_bytes(&left.to_bytes()).unwrap();
        for record in 0..300 {
            let expected = (![0, 17, 18, 299].contains(&record)).then_some(before[record as usize]);
            assert_eq!(left.salt(record), expected, "{record}");
        }
        assert_eq!(left.salt((1 << DEPTH) - 1), all.salt((1 << DEPTH) - 1));
        assert!(left.to_bytes().len() < NODE * 4 * usize::from(DEPTH));
        assert!(Salts::from_bytes(&[25; NODE]).is_none() && Salts::from_bytes(&[0; 5]).is_none());
    }
}
