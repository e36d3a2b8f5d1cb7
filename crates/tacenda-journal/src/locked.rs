//! Memory for keys: never swapped out, and in no core dump, where the system grants it.

use std::io;
use std::sync::OnceLock;

use memmap2::MmapMut;
use zeroize::Zeroize as _;

use crate::Hash;

/// Keys of 32 bytes in pages of their own. They are overwritten when this is dropped.
pub(crate) struct Locked<const COUNT: usize> {
    pages: MmapMut,
}

impl<const COUNT: usize> Locked<COUNT> {
    /// Room for keys, which are zeros so far.
    ///
    /// # Errors
    /// When there is no memory. That it is not locked is none: [`keys_stay_in_memory`] tells.
    pub(crate) fn new() -> io::Result<Self> {
        let pages = MmapMut::map_anon(COUNT * size_of::<Hash>())?;
        let _ = protect(&pages);
        Ok(Self { pages })
    }

    pub(crate) fn keys(&self) -> &[Hash] {
        &self.pages.as_chunks().0[..COUNT]
    }

    pub(crate) fn keys_mut(&mut self) -> &mut [Hash] {
        &mut self.pages.as_chunks_mut().0[..COUNT]
    }
}

impl<const COUNT: usize> Drop for Locked<COUNT> {
    fn drop(&mut self) {
        self.pages.zeroize();
    }
}

/// Keeps pages out of the swap and, where the system has a way to say so, out of core dumps.
fn protect(pages: &MmapMut) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    pages.advise(memmap2::Advice::DontDump)?;
    pages.lock()
}

/// Whether this process may keep keys out of the swap. Not so where `RLIMIT_MEMLOCK` is used up; it
/// writes all the same.
pub fn keys_stay_in_memory() -> bool {
    static TRIED: OnceLock<bool> = OnceLock::new();
    *TRIED.get_or_init(|| MmapMut::map_anon(1).and_then(|page| protect(&page)).is_ok())
}
