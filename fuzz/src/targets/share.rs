//! What comes over the socket for protected values is frames or an error, however it is cut; frames
//! that are written anew are the same; and none of them makes the filter panic or exceed its memory.

use std::collections::HashMap;

use tacenda_detect::{Limits, ProtectedValues, Trail};
use tacenda_guard::share::{Decoder, Frame, Malformed};

/// The property.
pub fn run(input: &[u8]) {
    let (size, rest) = super::first(input);
    let whole = decode(rest, rest.len());
    assert_eq!(whole, decode(rest, size));

    let (frames, _) = whole;
    let mut written = Vec::new();
    for frame in &frames {
        frame.encode(&mut written);
    }
    let (again, end) = decode(&written, 7);
    // A frame without fingerprints is not written.
    let some =
        |frame: &&Frame| !matches!(frame, Frame::Fingerprints(_, _, hashes) if hashes.is_empty());
    assert!(frames.iter().filter(some).eq(again.iter()) && end.is_ok());

    let limits = Limits { max_bytes: 64 << 10, ..Limits::default() };
    let values = ProtectedValues::new(limits, Box::new(|_| [0; 3]));
    let mut known = HashMap::new();
    for frame in frames {
        match frame {
            Frame::Key(key) => values.adopt(&key),
            Frame::Value(shared) => {
                let id = values.put(known.get(&shared.id).copied(), &shared);
                known.insert(shared.id, id);
            }
            Frame::Fingerprints(id, from, hashes) => {
                if let Some(id) = known.get(&id) {
                    values.add(*id, from, &hashes);
                }
            }
            Frame::Begin => values.expire(),
        }
    }
    assert!(values.usage().bytes <= 64 << 10);
    values.scan(rest, &mut Trail::default(), &mut Vec::new());
}

fn decode(bytes: &[u8], size: usize) -> (Vec<Frame>, Result<(), Malformed>) {
    let (mut decoder, mut frames) = (Decoder::default(), Vec::new());
    for part in bytes.chunks(size.max(1)) {
        decoder.push(part);
        loop {
            match decoder.frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(malformed) => return (frames, Err(malformed)),
            }
        }
    }
    (frames, Ok(()))
}
