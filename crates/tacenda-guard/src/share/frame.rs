//! What goes over the socket, in frames: a length (32 bits, little-endian), a tag, the fields.

use std::time::Duration;

use tacenda_detect::{SharedKey, SharedValue, Value, ValueId};
use tacenda_policy::Kind;

/// Changes with the frames and with how fingerprints are made: processes of different releases
/// share nothing.
const VERSION: u8 = 2;

/// Fingerprints in one frame.
pub(super) const MOST: usize = 4096;

/// Longest frame: a tag, two numbers and fingerprints.
const LONGEST: usize = 1 + 16 + 8 * MOST;

const LENGTH: usize = 4;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The key of all fingerprints: the first frame of who has it.
    Key(SharedKey),
    /// A value, new or renewed.
    Value(SharedValue),
    /// Fingerprints of it, from this one on.
    Fingerprints(ValueId, usize, Vec<u64>),
    /// To a filter that takes over: that was all that is known.
    Begin,
}

/// A peer sends what is no frame, or one of another release.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no frame of this release")]
pub struct Malformed;

impl Frame {
    /// Appends the frame to `out`; fingerprints in as many as it takes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Key(SharedKey(key)) => frame(out, b'K', |out| {
                out.push(VERSION);
                out.extend_from_slice(key);
            }),
            Self::Value(value) => encode_value(value, out),
            Self::Fingerprints(id, from, hashes) => encode_fingerprints(*id, *from, hashes, out),
            Self::Begin => frame(out, b'B', |_| {}),
        }
    }
}

/// As [`Frame::Value`].
pub(super) fn encode_value(shared: &SharedValue, out: &mut Vec<u8>) {
    frame(out, b'V', |out| {
        let Value { kind, name_chars, chars, tokens, fingerprint } = &shared.value;
        let kind = Kind::ALL.iter().position(|known| known == kind).unwrap_or_default();
        out.extend_from_slice(&shared.id.0.to_le_bytes());
        out.push(u8::try_from(kind).unwrap_or_default());
        out.push(shared.short.and_then(|len| u8::try_from(len).ok()).unwrap_or_default());
        out.extend_from_slice(fingerprint);
        out.extend_from_slice(&shared.holds.to_le_bytes());
        out.extend_from_slice(&name_chars.to_le_bytes());
        out.extend_from_slice(&number(*chars));
        out.extend_from_slice(&tokens.map_or(u64::MAX.to_le_bytes(), number));
        let expires = u64::try_from(shared.expires.as_millis()).unwrap_or(u64::MAX);
        out.extend_from_slice(&expires.to_le_bytes());
    });
}

/// As [`Frame::Fingerprints`], in frames of at most [`MOST`].
pub(super) fn encode_fingerprints(id: ValueId, from: usize, hashes: &[u64], out: &mut Vec<u8>) {
    for (index, part) in hashes.chunks(MOST).enumerate() {
        frame(out, b'F', |out| {
            out.extend_from_slice(&id.0.to_le_bytes());
            out.extend_from_slice(&number(from + index * MOST));
            out.extend(part.iter().flat_map(|hash| hash.to_le_bytes()));
        });
    }
}

fn number(number: usize) -> [u8; 8] {
    (number as u64).to_le_bytes()
}

fn frame(out: &mut Vec<u8>, tag: u8, fields: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH]);
    out.push(tag);
    fields(out);
    let length = u32::try_from(out.len() - start - LENGTH).expect("a frame is short");
    out[start..start + LENGTH].copy_from_slice(&length.to_le_bytes());
}

/// Takes a stream of bytes apart into frames.
#[derive(Debug, Default)]
pub struct Decoder {
    /// What has come of frames that are not complete.
    bytes: Vec<u8>,
    at: usize,
}

impl Decoder {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.at));
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame that is complete.
    ///
    /// # Errors
    /// When it is none: what follows cannot be told apart any more.
    pub fn frame(&mut self) -> Result<Option<Frame>, Malformed> {
        let mut rest = Fields(&self.bytes[self.at..]);
        let Ok(length) = rest.array::<LENGTH>() else { return Ok(None) };
        let length = u32::from_le_bytes(length) as usize;
        if length == 0 || length > LONGEST {
            return Err(Malformed);
        }
        let Some(content) = rest.0.get(..length) else { return Ok(None) };
        let frame = decode(content)?;
        self.at += LENGTH + length;
        Ok(Some(frame))
    }
}

fn decode(content: &[u8]) -> Result<Frame, Malformed> {
    let mut fields = Fields(content);
    let [tag] = fields.array()?;
    let frame = match tag {
        b'K' => {
            if fields.array()? != [VERSION] {
                return Err(Malformed);
            }
            Frame::Key(SharedKey(fields.array()?))
        }
        b'V' => Frame::Value(value(&mut fields)?),
        b'F' => {
            let (id, from) = (ValueId(fields.u64()?), fields.usize()?);
            let (hashes, rest) = fields.0.as_chunks::<8>();
            fields.0 = rest;
            Frame::Fingerprints(
                id,
                from,
                hashes.iter().map(|hash| u64::from_le_bytes(*hash)).collect(),
            )
        }
        b'B' => Frame::Begin,
        _ => return Err(Malformed),
    };
    if fields.0.is_empty() { Ok(frame) } else { Err(Malformed) }
}

fn value(fields: &mut Fields<'_>) -> Result<SharedValue, Malformed> {
    let id = ValueId(fields.u64()?);
    let [kind, short] = fields.array()?;
    let kind = *Kind::ALL.get(usize::from(kind)).ok_or(Malformed)?;
    let fingerprint = fields.array()?;
    let holds = u32::from_le_bytes(fields.array()?);
    let name_chars = u16::from_le_bytes(fields.array()?);
    let chars = fields.usize()?;
    let tokens = match fields.u64()? {
        u64::MAX => None,
        tokens => Some(usize::try_from(tokens).map_err(|_| Malformed)?),
    };
    let expires = Duration::from_millis(fields.u64()?);
    let short = (short > 0).then_some(usize::from(short));
    let value = Value { kind, name_chars, chars, tokens, fingerprint };
    Ok(SharedValue { id, value, short, holds, expires })
}

struct Fields<'b>(&'b [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*array)
    }

    fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    fn usize(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.u64()?).map_err(|_| Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames() -> impl Strategy<Value = Frame> {
        let value = (
            any::<(u64, [u8; 3], u32)>(),
            (0..Kind::ALL.len(), any::<(u32, u16)>(), proptest::option::of(any::<u32>())),
            (proptest::option::of(1..16_usize), any::<u32>()),
        )
            .prop_map(
                |(
                    (id, fingerprint, holds),
                    (kind, (chars, name_chars), tokens),
                    (short, expires),
                )| {
                    let (chars, tokens) = (chars as usize, tokens.map(|tokens| tokens as usize));
                    let kind = Kind::ALL[kind];
                    let value = Value { kind, name_chars, chars, tokens, fingerprint };
                    let expires = Duration::from_millis(expires.into());
                    Frame::Value(SharedValue { id: ValueId(id), value, short, holds, expires })
                },
            );
        prop_oneof![
            any::<[u8; 16]>().prop_map(|key| Frame::Key(SharedKey(key))),
            value,
            (any::<u64>(), any::<u32>(), proptest::collection::vec(any::<u64>(), 1..50)).prop_map(
                |(id, from, hashes)| Frame::Fingerprints(ValueId(id), from as usize, hashes)
            ),
            Just(Frame::Begin),
        ]
    }

    proptest! {
        #[test]
        fn frames_come_back_however_they_are_cut(
            sent in proptest::collection::vec(frames(), 0..8),
            size in 1..40_usize,
        ) {
            let mut bytes = Vec::new();
            for frame in &sent {
                frame.encode(&mut bytes);
            }
            let (mut decoder, mut received) = (Decoder::default(), Vec::new());
            for part in bytes.chunks(size) {
                decoder.push(part);
                while let Some(frame) = decoder.frame()? {
                    received.push(frame);
                }
            }
            prop_assert_eq!(received, sent);
        }

        #[test]
        fn any_bytes_are_frames_or_an_error(bytes: Vec<u8>) {
            let mut decoder = Decoder::default();
            decoder.push(&bytes);
            while let Ok(Some(_)) = decoder.frame() {}
        }
    }

    #[test]
    fn many_fingerprints_take_several_frames() {
        let hashes: Vec<u64> = (0..10_000).collect();
        let mut bytes = Vec::new();
        encode_fingerprints(ValueId(7), 3, &hashes, &mut bytes);
        let mut decoder = Decoder::default();
        decoder.push(&bytes);
        let mut received = Vec::new();
        while let Some(frame) = decoder.frame().unwrap() {
            let Frame::Fingerprints(ValueId(7), from, part) = frame else { panic!("{frame:?}") };
            assert_eq!(from, 3 + received.len());
            received.extend(part);
        }
        assert_eq!(received, hashes);
    }

    #[test]
    fn a_peer_of_another_release_is_no_peer() {
        let mut bytes = Vec::new();
        Frame::Key(SharedKey([7; 16])).encode(&mut bytes);
        bytes[LENGTH + 1] += 1;
        let mut decoder = Decoder::default();
        decoder.push(&bytes);
        assert_eq!(decoder.frame(), Err(Malformed));
    }
}
