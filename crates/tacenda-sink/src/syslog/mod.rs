//! A syslog server: on this machine, or over UDP, TCP or TLS.

mod connection;
mod message;

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use tacenda_policy::{Facility, SyslogFormat, SyslogServer, SyslogTransport};

use self::connection::{Connection, Way};
use crate::{Record, Refusal, Retry, Sink, words};

/// Where the daemon of this machine listens.
const LOCAL: &str = if cfg!(target_vendor = "apple") { "/var/run/syslog" } else { "/dev/log" };

/// The longest message: what servers take by default, and over UDP what they take surely
/// (RFC 5426, 3.2). A longer record becomes several messages.
const LONGEST: usize = 8192;
const LONGEST_DATAGRAM: usize = 2048;
/// Over a local socket: what the system takes by default.
const LONGEST_LOCAL: usize = if cfg!(target_vendor = "apple") { 2048 } else { LONGEST };

/// What stands before each message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The facility.
    pub facility: Facility,
    /// How messages are written.
    pub format: SyslogFormat,
    /// The name of the program.
    pub program: String,
}

/// Who this client is to a server that asks for a certificate (RFC 5425, 4.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The file with the certificate and those that it is signed by, PEM.
    pub certificate: PathBuf,
    /// The file with the private key, PEM.
    pub key: PathBuf,
}

/// Why there is nothing to send to.
#[derive(Debug, thiserror::Error)]
pub enum SyslogError {
    /// The local socket cannot be used.
    #[error("{}", words(.0))]
    System(#[from] io::Error),
    /// The name of the server is no name of a host.
    #[error("the name of the server is none that a certificate could have")]
    BadName,
    /// TLS cannot be set up.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] crate::TlsError),
    /// This command was built without TLS.
    #[error("this command was built without TLS")]
    NoTls,
}

/// Sends each record as a syslog message.
pub struct SyslogSink {
    way: Way,
    longest: usize,
    header: message::Prepared,
    connection: Option<Connection>,
}

impl SyslogSink {
    /// Opens the local socket. A server of the network may be away: it is connected to when there
    /// is something to send.
    ///
    /// # Errors
    /// When the local socket is not there, or TLS cannot be set up.
    pub fn open(
        server: &SyslogServer,
        header: &Header,
        identity: Option<&Identity>,
    ) -> Result<Self, SyslogError> {
        let way = match server {
            SyslogServer::Local => Way::Socket(Path::new(LOCAL).to_owned()),
            SyslogServer::Socket(path) => Way::Socket(path.clone()),
            SyslogServer::Remote(SyslogTransport::Udp, host) => Way::Udp(host.clone()),
            SyslogServer::Remote(SyslogTransport::Tcp, host) => Way::Tcp(host.clone()),
            SyslogServer::Remote(SyslogTransport::Tls, host) => Way::tls(host, identity)?,
        };
        let connection = match &way {
            Way::Socket(_) => Some(way.connect()?),
            _ => None,
        };
        let longest = if matches!(way, Way::Udp(_)) {
            LONGEST_DATAGRAM
        } else if matches!(way, Way::Socket(_)) {
            LONGEST_LOCAL
        } else {
            LONGEST
        };
        Ok(Self { way, longest, header: message::Prepared::new(header), connection })
    }

    fn send(&mut self, record: &Record) -> io::Result<()> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.way.connect()?),
        };
        for message in self.header.messages(record, self.longest) {
            connection.send(&message)?;
        }
        connection.flush()
    }
}

impl Sink for SyslogSink {
    fn write(&mut self, records: &[Record]) -> Result<(), Refusal> {
        // A server that has gone takes the first message without a word. With TLS 1.3, one that
        // does not accept our certificate says so only when records are on their way.
        match self.connection.as_mut().map(Connection::has_ended) {
            None | Some(Ok(false)) => {}
            Some(Ok(true)) => self.connection = None,
            Some(Err(error)) => {
                self.connection = None;
                return Err(Refusal::of(&error, Retry::Later));
            }
        }
        for (taken, record) in records.iter().enumerate() {
            if let Err(error) = self.send(record) {
                let too_long = Errno::from_io_error(&error) == Some(Errno::MSGSIZE);
                let retry = if too_long { Retry::Skip } else { Retry::Later };
                if !too_long {
                    self.connection = None;
                }
                return Err(Refusal { taken, ..Refusal::of(&error, retry) });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
