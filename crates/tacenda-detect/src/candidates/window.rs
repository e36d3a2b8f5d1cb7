//! A block with the bytes around it.

use crate::masks::BLOCK;

/// Bytes before and after a block that its candidates are judged by.
const BEFORE: usize = 8;
const AFTER: usize = BLOCK;

/// A block with the bytes around it; zeros where the text has none.
#[derive(Clone, Copy)]
pub(crate) struct Window<'t>(&'t Bytes);

type Bytes = [u8; BEFORE + BLOCK + AFTER];

/// Room for a window at an edge of the text.
pub(crate) const EDGE: Bytes = [0; BEFORE + BLOCK + AFTER];

impl<'t> Window<'t> {
    /// The block at `base` of `text`; `edge` is room for one at an edge of it.
    #[inline]
    pub(crate) fn of(text: &'t [u8], base: usize, edge: &'t mut Bytes) -> Self {
        let whole = base.checked_sub(BEFORE).and_then(|from| text[from..].first_chunk());
        Self(whole.unwrap_or_else(|| {
            *edge = EDGE;
            let before = base.min(BEFORE);
            let part = &text[base - before..text.len().min(base + BLOCK + AFTER)];
            edge[BEFORE - before..][..part.len()].copy_from_slice(part);
            edge
        }))
    }

    /// The block itself.
    #[inline]
    pub(crate) fn block(self) -> &'t [u8; BLOCK] {
        self.0[BEFORE..].first_chunk().expect("a window has more bytes than its block")
    }

    /// The block behind it.
    #[inline]
    pub(crate) fn next(self) -> &'t [u8; BLOCK] {
        self.0.last_chunk().expect("a window has more bytes than its block")
    }

    /// The byte at bit `bit` of the block, or as many bytes behind it.
    #[inline]
    pub(super) fn behind(self, bit: u32) -> u8 {
        self.0.get(BEFORE + bit as usize).copied().unwrap_or(0)
    }

    /// Whether the letter at `bit` is that of `2A` or `2B`.
    #[inline]
    pub(super) fn is_corsica(self, bit: u32) -> bool {
        let at = BEFORE + (bit & 63) as usize;
        matches!(self.0[at - 1..=at], [b'2', b'A' | b'B'])
    }

    /// The four bytes from bit `bit` of the block on.
    #[inline]
    pub(super) fn four(self, bit: u32) -> u32 {
        let at = BEFORE + (bit & 63) as usize;
        let [a, b, c, d] = [self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]];
        u32::from_le_bytes([a, b, c, d])
    }

    /// Whether four digits of this century or the last begin at `bit`.
    #[inline]
    pub(super) fn is_year(self, bit: u32) -> bool {
        matches!(self.four(bit).to_le_bytes(), [b'1', b'9', ..] | [b'2', b'0', ..])
    }

    /// Whether `127.0.0.1` begins at `bit`, up to its last dot.
    #[inline]
    pub(super) fn is_loopback(self, bit: u32) -> bool {
        let at = BEFORE + (bit & 63) as usize;
        self.0[at..].starts_with(b"127.0.0.1")
    }

    /// The eight bytes before bit `bit`, the last of them lowest.
    #[inline]
    pub(super) fn eight_before(self, bit: u32) -> u64 {
        let at = (bit & 63) as usize;
        let bytes: [u8; 8] = std::array::from_fn(|i| self.0[at + i]);
        u64::from_be_bytes(bytes)
    }
}
