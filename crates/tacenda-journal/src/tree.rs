//! The Merkle tree of RFC 6962 (RFC 9162, 2.1): roots, and proofs of inclusion and consistency.

use crate::{Hash, lanes, sha256};

/// What is hashed before the two nodes below a node (RFC 6962, 2.1).
const NODE: &[u8] = &[1];

/// The hash of a leaf.
pub(crate) fn leaf(data: &[u8]) -> Hash {
    sha256(&[&[0], data])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[NODE, left, right])
}

/// So few leaves are added one by one.
const FEW: usize = 4;

/// A tree that grows: the roots of its complete subtrees, the largest first.
#[derive(Clone, Default)]
pub(crate) struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// Adds a leaf by its hash.
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut root = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.roots.pop().expect("a set bit of the size has its subtree");
            root = node(&left, &root);
        }
        self.roots.push(root);
        self.size += 1;
    }

    /// Adds leaves by their hashes, level by level: nodes beside each other are hashed at once.
    pub(crate) fn extend(&mut self, mut level: Vec<Hash>) {
        if level.len() < FEW {
            for leaf in level {
                self.push(leaf);
            }
            return;
        }
        let size = self.size + level.len() as u64;
        let mut complete = Vec::new();
        for depth in 0.. {
            if level.is_empty() {
                break;
            }
            if self.size >> depth & 1 == 1 {
                level.insert(0, self.roots.pop().expect("a set bit of the size has its subtree"));
            }
            let (pairs, last) = level.as_chunks();
            complete.extend(last);
            let mut next = Vec::with_capacity(pairs.len());
            let nodes = pairs.iter().map(|[left, right]| [NODE, left.as_slice(), right]);
            lanes::sha256_each(nodes, &mut next);
            level = next;
        }
        self.roots.extend(complete.iter().rev());
        self.size = size;
    }

    /// The number of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The root; that of no leaves is the hash of nothing.
    pub(crate) fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else { return sha256(&[]) };
        roots.fold(*last, |right, left| node(left, &right))
    }
}

/// The root over the hashes of leaves.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    frontier.extend(leaves.to_vec());
    frontier.root()
}

/// The largest power of two below a size of at least two.
fn split(size: usize) -> usize {
    1 << (size - 1).ilog2()
}

/// The proof that a leaf is in a tree (RFC 6962, 2.1.1).
pub(crate) fn inclusion(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    if index < left.len() {
        let mut path = inclusion(left, index);
        path.push(root(right));
        path
    } else {
        let mut path = inclusion(right, index - left.len());
        path.push(root(left));
        path
    }
}

/// The root that a proof of inclusion leads to (RFC 9162, 2.1.3.2); `None` when it does not fit.
pub(crate) fn root_of_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut at, mut last, mut root) = (index, size - 1, leaf);
    for hash in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            root = node(hash, &root);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            root = node(&root, hash);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

/// The proof that a tree begins with its first `old` leaves (RFC 6962, 2.1.2). For none of them, and
/// for all, there is nothing to prove.
pub(crate) fn consistency(leaves: &[Hash], old: usize) -> Vec<Hash> {
    if old == 0 || old >= leaves.len() {
        return Vec::new();
    }
    subproof(leaves, old, true)
}

/// `known`: the root of these leaves is the old root, which whoever checks the proof has.
fn subproof(leaves: &[Hash], old: usize, known: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if known { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, other) = if old <= left.len() {
        (subproof(left, old, known), right)
    } else {
        (subproof(right, old - left.len(), false), left)
    };
    path.push(root(other));
    path
}

/// Whether the tree with the new size and root begins with the one that had the old size and root
/// (RFC 9162, 2.1.4.2). Every tree begins with that of no leaves.
pub(crate) fn is_consistent(old: (u64, Hash), new: (u64, Hash), path: &[Hash]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 {
        return old_root == root(&[]) && path.is_empty();
    }
    if old_size >= new_size {
        return old == new && path.is_empty();
    }
    let mut steps = path.iter().copied();
    let first = if old_size.is_power_of_two() { Some(old_root) } else { steps.next() };
    let Some(first) = first else { return false };
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    let shared = at.trailing_ones();
    (at, last) = (at >> shared, last >> shared);
    let (mut before, mut after) = (first, first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            before = node(&step, &before);
            after = node(&step, &after);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            after = node(&after, &step);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && (before, after) == (old_root, new_root)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of RFC 6962's reference implementation.
    #[test]
    fn roots_as_in_certificate_transparency() {
        let data: [&[u8]; 8] = [
            b"",
            b"\0",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let leaves: Vec<Hash> = data.iter().map(|data| leaf(data)).collect();
        for (size, expected) in [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ] {
            assert_eq!(crate::hex(&root(&leaves[..size])), expected, "{size} leaves");
        }
    }

    #[test]
    fn leaves_are_added_one_by_one_or_many_at_once() {
        let leaves: Vec<Hash> = (0_u8..70).map(|i| leaf(&[i])).collect();
        for (start, end) in
            (0..leaves.len()).flat_map(|start| (start..70).map(move |end| (start, end)))
        {
            let mut one = Frontier::default();
            leaves[..end].iter().for_each(|leaf| one.push(*leaf));
            let mut many = Frontier::default();
            many.extend(leaves[..start].to_vec());
            many.extend(leaves[start..end].to_vec());
            assert_eq!((many.size, &many.roots), (one.size, &one.roots), "{start}, {end}");
        }
    }

    #[test]
    fn every_leaf_is_proven_and_no_other() {
        let leaves: Vec<Hash> = (0_u8..33).map(|i| leaf(&[i])).collect();
        for size in 1..=leaves.len() {
            let (leaves, whole) = (&leaves[..size], root(&leaves[..size]));
            for (index, hash) in leaves.iter().enumerate() {
                let path = inclusion(leaves, index);
                let of = |leaf, index: usize, path: &[Hash]| {
                    root_of_inclusion(leaf, index as u64, size as u64, path)
                };
                assert_eq!(of(*hash, index, &path), Some(whole));
                assert_ne!(of([9; 32], index, &path), Some(whole));
                assert_ne!(of(*hash, index + 1, &path), Some(whole));
                assert!(path.is_empty() || of(*hash, index, &path[1..]) != Some(whole));
            }
        }
    }

    #[test]
    fn a_tree_begins_with_every_smaller_one_and_with_no_other() {
        let leaves: Vec<Hash> = (0_u8..33).map(|i| leaf(&[i])).collect();
        for new in 0..=leaves.len() {
            for old in 0..=new {
                let path = consistency(&leaves[..new], old);
                let [(old_size, old_root), (new_size, new_root)] =
                    [old, new].map(|size| (size as u64, root(&leaves[..size])));
                assert!(
                    is_consistent((old_size, old_root), (new_size, new_root), &path),
                    "{old} {new}"
                );
                if old == 0 || old == new {
                    assert!(path.is_empty());
                    continue;
                }
                assert!(
                    !is_consistent((old_size, [9; 32]), (new_size, new_root), &path),
                    "{old} {new}"
                );
                assert!(
                    !is_consistent((old_size, old_root), (new_size, [9; 32]), &path),
                    "{old} {new}"
                );
                assert!(!is_consistent((old_size, old_root), (new_size, new_root), &path[1..]));
                let longer = [path.as_slice(), &[[9; 32]]].concat();
                assert!(!is_consistent((old_size, old_root), (new_size, new_root), &longer));
                for at in 0..path.len() {
                    let mut other = path.clone();
                    other[at][0] ^= 1;
                    assert!(!is_consistent((old_size, old_root), (new_size, new_root), &other));
                }
            }
        }
        assert!(!is_consistent((2, root(&leaves[..2])), (1, root(&leaves[..1])), &[]));
    }
}
