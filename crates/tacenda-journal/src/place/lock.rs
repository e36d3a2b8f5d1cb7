//! The lock of the process that writes to a journal.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;

use super::{Folder, unusable};
use crate::error::JournalError;

/// That this process writes to the journal. The directory is locked as well as the file: somebody may
/// remove that one, and another process would make it anew.
pub(crate) struct Lock {
    folder: Arc<OwnedFd>,
    file: File,
    /// Whoever took it. A process that was forked off has the descriptors too, but not the journal.
    process: rustix::process::Pid,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // To close is not enough: a process that another thread is just starting has the descriptors until
        // it becomes another program, and the lock with them.
        if rustix::process::getpid() == self.process {
            let _ = rustix::fs::flock(&self.file, FlockOperation::NonBlockingUnlock);
            let _ = rustix::fs::flock(&self.folder, FlockOperation::NonBlockingUnlock);
        }
    }
}

/// How long whoever only looks may keep a lock from its owner to be.
const LOOKS: Duration = Duration::from_secs(5);

/// Locks, unless another process has. Who looks whether one has ([`Folder::is_owned`]) holds a lock as well,
/// for a moment, and is told apart by sharing it: that one is waited for.
fn is_locked(file: impl AsFd) -> rustix::io::Result<bool> {
    let file = file.as_fd();
    let over = Instant::now() + LOOKS;
    loop {
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {}
            done => return done.map(|()| true),
        }
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockShared) {
            Err(Errno::WOULDBLOCK) => return Ok(false),
            shared => shared?,
        }
        rustix::fs::flock(file, FlockOperation::NonBlockingUnlock)?;
        if Instant::now() > over {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl Folder {
    /// The lock of who writes to the journal; held until it is dropped.
    pub(crate) fn lock(&self) -> Result<Lock, JournalError> {
        let in_use = || JournalError::InUse { path: self.path.clone() };
        // Of its own: with the descriptor of another the lock would be shared.
        let folder = self.again()?.descriptor;
        match is_locked(&folder) {
            // A file system may not lock directories. The file is locked in any case.
            Ok(true) | Err(Errno::BADF | Errno::INVAL | Errno::NOTSUP) => {}
            Ok(false) => return Err(in_use()),
            Err(error) => return Err(unusable(&self.path, error.into())),
        }
        let process = rustix::process::getpid();
        let lock =
            Lock { folder, file: self.open_with("lock", OFlags::RDWR | OFlags::CREATE)?, process };
        match is_locked(&lock.file) {
            Ok(true) => Ok(lock),
            Ok(false) => Err(in_use()),
            Err(error) => Err(unusable(&self.path.join("lock"), error.into())),
        }
    }

    /// Whether a process writes to the journal at this moment.
    pub(crate) fn is_owned(&self) -> bool {
        let Ok(file) = self.open("lock") else { return false };
        let locked = rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared);
        locked == Err(Errno::WOULDBLOCK)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::Place;

    fn open(folder: &tempfile::TempDir) -> Folder {
        Folder::root(&folder.path().join("j"), true, &[Place::Temporary], None).unwrap()
    }

    #[test]
    fn one_process_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (root, path) = (open(&folder), folder.path().join("j"));
        let lock = root.lock().unwrap();
        assert!(matches!(root.lock(), Err(JournalError::InUse { .. })));
        fs::remove_file(path.join("lock")).unwrap();
        assert!(
            matches!(root.lock(), Err(JournalError::InUse { .. })),
            "it is locked all the same"
        );
        drop(lock);
        root.lock().unwrap();
    }

    #[test]
    fn who_looks_keeps_nobody_from_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let root = open(&folder);
        drop(root.lock().unwrap());
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        root.is_owned();
                    }
                });
            }
            let locked = (0..1000).all(|_| root.lock().is_ok());
            done.store(true, Ordering::Relaxed);
            assert!(locked);
        });
    }

    #[test]
    fn the_lock_is_given_back_by_whoever_took_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = open(&folder);
        let lock = root.lock().unwrap();
        // What a process has that is just being started: the descriptors, as they are.
        let descriptors = (lock.folder.try_clone().unwrap(), lock.file.try_clone().unwrap());
        drop(lock);
        let lock = root.lock().unwrap();
        drop(descriptors);
        assert!(root.is_owned());
        // What was forked off gives nothing back.
        let file = lock.file.try_clone().unwrap();
        drop(Lock { folder: Arc::clone(&lock.folder), file, process: rustix::process::Pid::INIT });
        assert!(root.is_owned());
    }
}
