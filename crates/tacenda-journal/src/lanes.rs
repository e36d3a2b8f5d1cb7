//! SHA-256 of many short messages: a processor works on two of them in little more time than on one.
//!
//! Each step of SHA-256 waits for the one before, and the next message begins when the last has ended.
//! Here blocks of several messages follow each other instead, and none waits for its neighbour.

use crate::{BEGIN, Hash, hash_of, sha256};

/// Messages that are hashed side by side. More take no less time.
const LANES: usize = 8;
/// The bytes of a block.
const BLOCK: usize = 64;
/// Beside a longer message the others would have ended long before it.
const LONGEST: usize = 4096;

/// Adds the hash of each message to the hashes; a message is given in parts, one after the other.
pub(crate) fn sha256_each<'m, const PARTS: usize>(
    mut messages: impl Iterator<Item = [&'m [u8]; PARTS]>,
    hashes: &mut Vec<Hash>,
) {
    let (mut bytes, mut group) = (Vec::new(), [[[].as_slice(); PARTS]; LANES]);
    loop {
        let mut count = 0;
        for (place, message) in group.iter_mut().zip(&mut messages) {
            *place = message;
            count += 1;
        }
        match &group[..count] {
            [] => return,
            [one] => hashes.push(sha256(one)),
            some if some.iter().any(|message| length(message) > LONGEST) => {
                hashes.extend(some.iter().map(|message| sha256(message)));
            }
            some => side_by_side(some, &mut bytes, hashes),
        }
    }
}

fn length(message: &[&[u8]]) -> usize {
    message.iter().map(|part| part.len()).sum()
}

/// Hashes as many messages as there are lanes, or fewer.
fn side_by_side<const PARTS: usize>(
    messages: &[[&[u8]; PARTS]],
    bytes: &mut Vec<u8>,
    hashes: &mut Vec<Hash>,
) {
    bytes.clear();
    // Where the blocks of each message begin, and where they end.
    let mut lanes = [(0, 0); LANES];
    for (lane, message) in lanes.iter_mut().zip(messages) {
        let begin = bytes.len();
        for part in message {
            bytes.extend_from_slice(part);
        }
        let length = bytes.len() - begin;
        // A bit and the length stand behind it.
        let end = begin + (length + 9).next_multiple_of(BLOCK);
        bytes.push(0x80);
        bytes.resize(end - 8, 0);
        bytes.extend_from_slice(&(8 * length as u64).to_be_bytes());
        *lane = (begin / BLOCK, end / BLOCK);
    }
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let mut states = [BEGIN; LANES];
    let mut running = true;
    while running {
        running = false;
        for ((at, end), state) in lanes.iter_mut().zip(&mut states) {
            if at < end {
                sha2::block_api::compress256(state, &blocks[*at..=*at]);
                *at += 1;
                running = true;
            }
        }
    }
    hashes.extend(states[..messages.len()].iter().map(|state| hash_of(*state)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_each_message_by_itself() {
        let bytes: Vec<u8> = (0..=250).cycle().take(9000).collect();
        // Lengths around a block, and around the longest that has a lane.
        let lengths =
            [0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 200, 4000, 4095, 4096, 1, 4097, 2, 9];
        for count in 0..=lengths.len() {
            let messages =
                lengths[..count].iter().map(|length| bytes[..*length].split_at(length / 3));
            let messages = messages.map(|(one, other)| [one, &[], other]);
            let mut hashes = vec![[7; 32]];
            sha256_each(messages.clone(), &mut hashes);
            let expected = messages.map(|message| crate::sha256_long(&message));
            assert_eq!(hashes, [vec![[7; 32]], expected.collect()].concat(), "{count} messages");
        }
    }
}
