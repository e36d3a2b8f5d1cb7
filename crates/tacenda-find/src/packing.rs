//! How a file is packed: told by its first bytes, whatever its name.

use std::fmt::{self, Display};
use std::io::{self, BufRead, Read, Write};

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::{XzOptions, XzReader, XzWriter};

/// Memory that one xz stream may ask for, in KiB: `xz -9` asks for 65 MiB to unpack.
const XZ_MEMORY: u32 = 256 << 10;

/// Bytes that are unpacked of xz at a time.
const SIP: usize = 4 << 10;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// gzip (RFC 1952), of one member or several.
    Gzip,
    /// Zstandard (RFC 8878), of one frame or several.
    Zstd,
    /// xz, of one stream or several.
    Xz,
}

impl Packing {
    /// What the first bytes of a file say.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Self::Gzip,
            // A skippable frame may stand before the first one.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0x00, ..] => Self::Xz,
            _ => Self::Plain,
        }
    }

    /// What the name of a file promises.
    pub fn named(name: &str) -> Self {
        let is = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        match () {
            () if is(&[".gz", ".gzip"]) => Self::Gzip,
            () if is(&[".zst", ".zstd"]) => Self::Zstd,
            () if is(&[".xz"]) => Self::Xz,
            () => Self::Plain,
        }
    }

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
        }
    }

    /// Reads what is packed. What can be unpacked of a damaged file comes before the error.
    ///
    /// # Errors
    /// When the decoder cannot be made.
    pub fn unpack<'r>(self, packed: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
        Ok(match self {
            Self::Plain => Box::new(packed),
            Self::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Self::Zstd => Box::new(zstd::Decoder::with_buffer(packed)?),
            Self::Xz => Box::new(Sips(XzReader::new_mem_limit(packed, true, XZ_MEMORY))),
        })
    }

    /// Packs what is written. Call [`Packer::finish`] in the end.
    ///
    /// # Errors
    /// When the encoder cannot be made.
    pub fn pack<W: Write>(self, out: W) -> io::Result<Packer<W>> {
        Ok(match self {
            Self::Plain => Packer::Plain(out),
            Self::Gzip => {
                Packer::Gzip(flate2::write::GzEncoder::new(out, flate2::Compression::default()))
            }
            Self::Zstd => {
                let mut encoder = zstd::Encoder::new(out, 0)?;
                encoder.include_checksum(true)?;
                Packer::Zstd(encoder)
            }
            Self::Xz => Packer::Xz(Box::new(XzWriter::new(out, XzOptions::with_preset(6))?)),
        })
    }
}

impl Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads little at a time. When the decoder of xz comes upon an error, what it has put into the
/// buffer of that read is lost.
struct Sips<R>(R);

impl<R: Read> Read for Sips<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(SIP);
        self.0.read(&mut buffer[..len])
    }
}

/// Writes a file in its packing.
#[expect(missing_debug_implementations, reason = "not all encoders have one")]
pub enum Packer<W: Write> {
    /// As it is.
    Plain(W),
    /// gzip.
    Gzip(flate2::write::GzEncoder<W>),
    /// Zstandard.
    Zstd(zstd::Encoder<'static, W>),
    /// xz.
    Xz(Box<XzWriter<W>>),
}

impl<W: Write> Packer<W> {
    /// Writes what is left and the end of the format.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Xz(encoder) => Ok(encoder.finish()?),
        }
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Xz(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
            Self::Xz(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACKED: [Packing; 3] = [Packing::Gzip, Packing::Zstd, Packing::Xz];

    fn pack(packing: Packing, text: &[u8]) -> Vec<u8> {
        let mut packer = packing.pack(Vec::new()).unwrap();
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    fn unpack(packed: &[u8]) -> (Vec<u8>, io::Result<usize>) {
        let mut text = Vec::new();
        let done = Packing::of(packed).unpack(packed).and_then(|mut r| r.read_to_end(&mut text));
        (text, done)
    }

    proptest! {
        #[test]
        fn packed_text_comes_back(text in proptest::collection::vec(any::<u8>(), 0..5000)) {
            for packing in PACKED {
                let packed = pack(packing, &text);
                prop_assert_eq!(Packing::of(&packed), packing);
                let (again, done) = unpack(&packed);
                prop_assert!(done.is_ok());
                prop_assert_eq!(&again, &text);
            }
        }
    }

    #[test]
    fn members_one_after_the_other_are_one_text() {
        for packing in PACKED {
            let packed = [pack(packing, b"first\n"), pack(packing, b"second\n")].concat();
            let (text, done) = unpack(&packed);
            assert!(done.is_ok(), "{packing}");
            assert_eq!(text, b"first\nsecond\n", "{packing}");
        }
    }

    #[test]
    fn what_a_cut_file_still_holds_is_read_before_the_error() {
        // Nothing that packs well: xz unpacks 64 KiB of what it packed at a time.
        let line = |n: u64| format!("{:x}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).into_bytes();
        let text: Vec<u8> = (0..60_000).flat_map(line).collect();
        for packing in PACKED {
            let packed = pack(packing, &text);
            let (part, done) = unpack(&packed[..packed.len() / 2]);
            assert!(done.is_err(), "{packing}");
            assert!(text.starts_with(&part) && part.len() > text.len() / 10, "{packing}");
        }
    }
}
