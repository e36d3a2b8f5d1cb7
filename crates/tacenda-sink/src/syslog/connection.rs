//! What carries messages to a server.

use std::io::{self, BufWriter, Read, Write};
#[cfg(feature = "tls")]
use std::net::Shutdown;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::time::Duration;

use tacenda_policy::Host;

use super::{Identity, SyslogError};

/// How long a peer may take to answer, and to take what is sent.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a peer may take to close, which is not needed.
#[cfg(feature = "tls")]
const LAST: Duration = Duration::from_millis(200);

/// The way to a server.
pub(super) enum Way {
    Socket(PathBuf),
    Udp(Host),
    Tcp(Host),
    #[cfg(feature = "tls")]
    Tls(Host, rustls::pki_types::ServerName<'static>, Arc<rustls::ClientConfig>),
}

/// The way when it is open.
pub(super) enum Connection {
    Socket(UnixDatagram),
    Udp(UdpSocket),
    /// What is sent is counted, octet by octet, before it (RFC 6587, 3.4.1).
    Stream(Box<dyn Duplex>),
}

/// A stream in both directions.
pub(super) trait Duplex: Write + Send {
    /// Whether the other end has closed it. Nothing is ever said there.
    ///
    /// # Errors
    /// When it has not been closed but broken off: what was sent last may not have been taken.
    fn has_ended(&mut self) -> io::Result<bool>;

    /// Says to the other end that nothing more comes.
    fn end(&mut self) -> io::Result<()>;
}

impl Way {
    #[cfg(feature = "tls")]
    pub(super) fn tls(host: &Host, identity: Option<&Identity>) -> Result<Self, SyslogError> {
        let name = rustls::pki_types::ServerName::try_from(host.name.clone());
        let name = name.map_err(|_| SyslogError::BadName)?;
        let config = crate::trust::client(crate::trust::system(), identity)?;
        Ok(Self::Tls(host.clone(), name, config))
    }

    #[cfg(not(feature = "tls"))]
    pub(super) fn tls(_: &Host, _: Option<&Identity>) -> Result<Self, SyslogError> {
        Err(SyslogError::NoTls)
    }

    pub(super) fn connect(&self) -> io::Result<Connection> {
        match self {
            Self::Socket(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                socket.set_write_timeout(Some(PATIENCE))?;
                Ok(Connection::Socket(socket))
            }
            Self::Udp(host) => first(host, |address| {
                let any = if address.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
                let socket = UdpSocket::bind(any)?;
                socket.connect(address)?;
                Ok(Connection::Udp(socket))
            }),
            Self::Tcp(host) => Ok(Connection::Stream(Box::new(BufWriter::new(connect(host)?)))),
            #[cfg(feature = "tls")]
            Self::Tls(host, name, config) => {
                let session = rustls::ClientConnection::new(Arc::clone(config), name.clone());
                let mut session = session.map_err(io::Error::other)?;
                let mut stream = connect(host)?;
                while session.is_handshaking() {
                    session.complete_io(&mut stream)?;
                }
                let stream = rustls::StreamOwned::new(session, stream);
                Ok(Connection::Stream(Box::new(BufWriter::new(stream))))
            }
        }
    }
}

impl Connection {
    pub(super) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Socket(socket) => socket.send(message).map(drop),
            Self::Udp(socket) => socket.send(message).map(drop),
            Self::Stream(stream) => {
                write!(stream, "{} ", message.len())?;
                stream.write_all(message)
            }
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stream(stream) => stream.flush(),
            Self::Socket(_) | Self::Udp(_) => Ok(()),
        }
    }

    pub(super) fn has_ended(&mut self) -> io::Result<bool> {
        match self {
            Self::Stream(stream) => stream.has_ended(),
            Self::Socket(_) | Self::Udp(_) => Ok(false),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Self::Stream(stream) = self {
            // Of one that is broken already nothing more can be said.
            let _ = stream.end();
        }
    }
}

impl Duplex for BufWriter<TcpStream> {
    fn has_ended(&mut self) -> io::Result<bool> {
        let stream = self.get_mut();
        stream.set_nonblocking(true)?;
        let ended = says_end(stream.read(&mut [0; 64]))?;
        stream.set_nonblocking(false)?;
        Ok(ended)
    }

    fn end(&mut self) -> io::Result<()> {
        self.flush()
    }
}

#[cfg(feature = "tls")]
impl Duplex for BufWriter<rustls::StreamOwned<rustls::ClientConnection, TcpStream>> {
    fn has_ended(&mut self) -> io::Result<bool> {
        let stream = self.get_mut();
        stream.sock.set_nonblocking(true)?;
        let ended = says_end(stream.read(&mut [0; 64]))?;
        stream.sock.set_nonblocking(false)?;
        Ok(ended)
    }

    /// As RFC 5425 wants it (4.4). What the server has sent is read before the socket is closed: a
    /// close with something unread would take back what is on its way.
    fn end(&mut self) -> io::Result<()> {
        self.flush()?;
        let stream = self.get_mut();
        stream.conn.send_close_notify();
        stream.conn.complete_io(&mut stream.sock)?;
        stream.sock.shutdown(Shutdown::Write)?;
        stream.sock.set_read_timeout(Some(LAST))?;
        let mut block = [0; 4096];
        for _ in 0..16 {
            if stream.sock.read(&mut block)? == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// Whether a look for what the peer has said found that it has gone.
fn says_end(read: io::Result<usize>) -> io::Result<bool> {
    match read {
        Ok(count) => Ok(count == 0),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

fn connect(host: &Host) -> io::Result<TcpStream> {
    first(host, |address| {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    })
}

/// The first of a host's addresses with which it works.
fn first<T>(host: &Host, open: impl Fn(SocketAddr) -> io::Result<T>) -> io::Result<T> {
    let mut failure = io::Error::other("the server has no address");
    for address in (host.name.as_str(), host.port).to_socket_addrs()? {
        match open(address) {
            Ok(it) => return Ok(it),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
