//! What answers for an owner that erases, deletes or changes something: whoever would append waits, and
//! knows that somebody is there.

use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::LATER;
use super::frame::Reply;
use super::server::{end_listening, is_of, listen};
use crate::place::Folder;

/// Tells whoever connects that the owner is busy, until it is dropped.
pub(crate) struct Busy {
    folder: Folder,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Busy {
    /// Begins to. Where there can be no socket (a file system without them) nobody is told.
    pub(super) fn start(folder: Folder) -> Option<Self> {
        let listener = listen(&folder).ok()?;
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let thread = std::thread::Builder::new().name("tacenda-busy".to_owned());
        let thread = thread.spawn(move || answer(&listener, &ends)).ok();
        Some(Self { folder, over, thread })
    }
}

fn answer(listener: &UnixListener, over: &AtomicBool) {
    let own = rustix::process::geteuid().as_raw();
    loop {
        let accepted = listener.accept();
        if over.load(Ordering::Relaxed) {
            return;
        }
        match accepted {
            // An answer is short: it does not wait for who reads it, and stands before the question.
            Ok((mut stream, _)) if is_of(&stream, own) => drop(Reply::Busy.send(&mut stream)),
            Ok(_) => {}
            // There may be no descriptors for a while.
            Err(_) => std::thread::sleep(LATER),
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        end_listening(&self.folder);
        if let Some(thread) = self.thread.take() {
            // It ends by itself, and has nothing to say.
            let _ = thread.join();
        }
    }
}
