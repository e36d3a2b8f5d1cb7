//! The end of a process that appends through the owner.

use std::io::Write as _;
use std::os::unix::net::UnixStream;

use super::SOCKET;
use super::frame::{Reply, Request};
use super::server::{address, is_of};
use crate::place::Folder;

/// A connection to the owner.
#[derive(Debug)]
pub(super) struct Client {
    stream: Option<UnixStream>,
}

impl Client {
    /// Connects to the process that owns the journal in this directory, if it listens.
    pub(super) fn connect(folder: &Folder) -> Option<Self> {
        let stream = UnixStream::connect(address(folder).join(SOCKET)).ok()?;
        is_of(&stream, rustix::process::geteuid().as_raw()).then_some(Self { stream: Some(stream) })
    }

    pub(super) fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// Asks, and waits for the answer. Whoever gave none, or owns the journal no longer, is not asked
    /// again.
    pub(super) fn call(&mut self, request: &Request<'_>) -> Reply {
        let Some(stream) = &mut self.stream else { return Reply::Gone };
        let asked = stream.write_all(&request.to_bytes());
        // It may have answered before it hung up.
        let reply = Reply::read(stream).or_else(|error| asked.and(Err(error)));
        let reply = reply.unwrap_or(Reply::Gone);
        if matches!(reply, Reply::Moved | Reply::Busy | Reply::Gone) {
            self.stream = None;
        }
        reply
    }
}
