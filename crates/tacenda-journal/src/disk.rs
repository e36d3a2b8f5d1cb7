//! What all files of a journal have in common: steps that may fail, and the reserve.
//!
//! Deleting, erasing and sealing make room on a disk, and need some first: the log grows by an entry
//! for each. The file `reserve` keeps it. Work that makes room gives it back when there is no other,
//! and makes it anew when it is done.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::AtFlags;

use crate::error::JournalError;
use crate::place::Folder;

/// The name of the reserve.
pub(crate) const RESERVE: &str = "reserve";
/// Its bytes: entries of the log are short. A segment that is too long to be sealed with its help is
/// noted as it is.
const BYTES: usize = 8 << 20;
const BLOCK: usize = 1 << 20;

/// A step of the work with files that may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A new file or directory.
    Create,
    /// Bytes at the end of a file: half of them are there when it fails.
    Write,
    /// A file onto the disk.
    Sync,
    /// Another length of a file.
    Truncate,
    /// Another name.
    Rename,
    /// Removal.
    Remove,
    /// A directory onto the disk.
    SyncFolder,
}

/// Lets steps fail, in tests of what happens then.
pub type Fault = Arc<dyn Fn(Step) -> io::Result<()> + Send + Sync>;

/// The disk that a journal lies on.
pub(crate) struct Disk {
    /// The directory of the journal.
    root: Arc<OwnedFd>,
    fault: Option<Fault>,
    /// Whether what is being done makes room: then it may have that of the reserve.
    makes_room: AtomicBool,
}

impl Disk {
    pub(crate) fn new(root: Arc<OwnedFd>, fault: Option<Fault>) -> Arc<Self> {
        Arc::new(Self { root, fault, makes_room: AtomicBool::new(false) })
    }

    /// Fails where a test says so.
    pub(crate) fn step(&self, step: Step) -> io::Result<()> {
        self.fault.as_ref().map_or(Ok(()), |fault| fault(step))
    }

    /// Does what needs room; where there is none, goes on with that of the reserve.
    pub(crate) fn with_room<T>(&self, mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        match work() {
            Err(error) if is_full(&error) && self.give_back() => work(),
            done => done,
        }
    }

    fn give_back(&self) -> bool {
        if !self.makes_room.load(Ordering::Relaxed) {
            return false;
        }
        let given = rustix::fs::unlinkat(&self.root, RESERVE, AtFlags::empty()).is_ok();
        // Some systems have the room only then.
        given && rustix::fs::fsync(self.root.as_fd()).is_ok()
    }
}

/// Whether there was no room for what failed.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The reserve, lent to work that makes room.
pub(crate) struct Lent {
    root: Folder,
    /// Whether the work is part of other work that has it already.
    within: bool,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.within {
            self.root.disk().makes_room.store(false, Ordering::Relaxed);
            // There may be no room for it yet. Whoever makes some tries again.
            let _ = self.root.keep_reserve();
        }
    }
}

impl Folder {
    /// Lends the reserve to the work that follows, until this is dropped; it is made anew then.
    pub(crate) fn lend_reserve(&self) -> Lent {
        let within = self.disk().makes_room.swap(true, Ordering::Relaxed);
        Lent { root: self.clone(), within }
    }

    /// Makes the reserve in the directory of a journal, where it is not there.
    pub(crate) fn keep_reserve(&self) -> Result<(), JournalError> {
        if self.open(RESERVE).is_ok() {
            return Ok(());
        }
        let new = format!("{RESERVE}.new");
        let made = self.clear(&new).and_then(|()| {
            let mut file = self.create(&new)?;
            // Not zeros: a file system may keep those in no room at all.
            let mut block = vec![0; BLOCK];
            getrandom::fill(&mut block).expect("the system gives random bytes");
            for _ in 0..BYTES / BLOCK {
                file.write(&block)?;
            }
            file.sync()?;
            self.rename(&new, self, RESERVE)
        });
        if made.is_err() {
            let _ = self.discard(&new);
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    /// A journal's directory on a disk that is full for as long as the reserve is there.
    fn full() -> (tempfile::TempDir, Folder) {
        let parent = crate::support::folder();
        let path = parent.path().join("journal");
        let reserve = path.join(RESERVE);
        let fault = move |step| {
            let needs_room = matches!(step, Step::Create | Step::Write | Step::Rename);
            let fails = needs_room && reserve.exists();
            if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        };
        let root = Folder::root(&path, true, &[Place::Temporary], Some(Arc::new(fault))).unwrap();
        root.keep_reserve().unwrap();
        (parent, root)
    }

    #[test]
    fn the_reserve_takes_room_and_is_for_work_that_makes_some() {
        use std::os::unix::fs::MetadataExt as _;
        let (_parent, root) = full();
        let reserve = root.path().join(RESERVE);
        let metadata = std::fs::metadata(&reserve).unwrap();
        assert_eq!(metadata.len(), BYTES as u64);
        assert!(metadata.blocks() * 512 >= BYTES as u64);
        root.replace("file", b"content").unwrap_err();
        assert!(reserve.exists());
        let lent = root.lend_reserve();
        drop(root.lend_reserve());
        root.replace("file", b"content").unwrap();
        assert!(!reserve.exists(), "what is within has not ended the loan");
        drop(lent);
        assert!(reserve.exists());
        root.replace("file", b"other").unwrap_err();
        assert_eq!(root.read("file").unwrap().unwrap(), b"content");
    }

    #[test]
    fn what_is_half_written_goes_on_where_it_was() {
        let (_parent, root) = full();
        let output = {
            let _lent = root.lend_reserve();
            root.create("file")
        };
        let mut output = output.unwrap();
        output.write(b"first").unwrap_err();
        let _lent = root.lend_reserve();
        output.cut(0).unwrap();
        output.write(b"first and second").unwrap();
        assert_eq!(root.read("file").unwrap().unwrap(), b"first and second");
    }
}
