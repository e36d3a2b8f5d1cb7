//! Protected values of other processes, for the filter of what programs write.
//!
//! A guarded process knows the values that entered it; native code and other programs write past
//! it, through the filter. So it tells the filter of each value over a Unix-domain socket: keyed
//! fingerprints, their kind and their length, never the text.
//!
//! **Order.** What is sent on such a socket lies in the receiver's queue when `send` returns. The
//! filter empties its queues after each read of output and before it looks at what it has read
//! ([`Server::catch_up`]). So a value that was registered before something was written is known
//! when that is looked at, and nobody waits for an answer. What was written before a value was
//! released is looked at before the value is removed ([`Server::expire`]).

mod client;
mod frame;
mod server;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use client::Client;
pub use frame::{Decoder, Frame, Malformed};
pub use server::Server;
pub(crate) use server::listen;

/// Names the sockets to guarded processes, with colons between.
pub const SHARE_VARIABLE: &str = "TACENDA_SHARE";

/// How long a peer is waited for that does not answer: it is stopped, or the machine stands still.
/// Looks are counted and not the time: then the peer had none of it either.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// A pause of the filter after each look: what many requests tell, a token each, and what they log,
/// a line each, is taken in one go.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `fd` is ready; false when it was not after that many looks.
pub(crate) fn wait_for(
    fd: impl std::os::fd::AsFd,
    flags: rustix::event::PollFlags,
    most: u32,
) -> bool {
    use rustix::event::{PollFd, Timespec, poll};
    let between = Timespec::try_from(BETWEEN_LOOKS).unwrap_or_default();
    let mut looks = 0;
    while looks < most {
        match poll(&mut [PollFd::new(&fd, flags)], Some(&between)) {
            Ok(0) => looks += 1,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
    false
}

/// Whether the process at the other end runs as who we are. Where the system does not tell, the
/// private directory of the socket is what keeps others out.
fn is_ours(socket: impl std::os::fd::AsFd) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let own = rustix::process::geteuid();
        rustix::net::sockopt::socket_peercred(socket).is_ok_and(|peer| peer.uid == own)
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = socket;
        true
    }
}

/// A peer that is gone is an error and not a signal.
pub(crate) fn no_signal() -> rustix::net::SendFlags {
    #[cfg(not(target_vendor = "apple"))]
    {
        rustix::net::SendFlags::NOSIGNAL
    }
    // There it is a property of the socket: see `without_signal`.
    #[cfg(target_vendor = "apple")]
    {
        rustix::net::SendFlags::empty()
    }
}

/// The same for what is sent without such a flag.
pub(crate) fn without_signal(socket: impl std::os::fd::AsFd) {
    #[cfg(target_vendor = "apple")]
    {
        // Refused when the peer has gone already, which a send tells as well.
        let _ = rustix::net::sockopt::set_socket_nosigpipe(socket, true);
    }
    #[cfg(not(target_vendor = "apple"))]
    let _ = socket;
}
