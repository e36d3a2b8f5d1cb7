//! Where the log of the guarded program goes.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::json;
use toml::{Spanned, de::DeValue};

use crate::value::{Value, choice, from_list, one_of, resolve, to_list};
use crate::vocabulary::vocabulary;

/// Where a log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkTarget {
    /// Where standard output and standard error lead anyhow, each to its own.
    Stdio,
    /// A file of this user alone, which is rotated.
    File(PathBuf),
    /// A syslog server.
    Syslog(SyslogServer),
    /// An OTLP/HTTP receiver: the URL of its logs, or what OpenTelemetry's variables say.
    Otlp(Option<String>),
    /// A journal, in this directory.
    Journal(PathBuf),
}

/// How a syslog server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogServer {
    /// Over the socket of this machine's own: `/dev/log`, on macOS `/var/run/syslog`.
    Local,
    /// Over this Unix-domain socket.
    Socket(PathBuf),
    /// Over the network.
    Remote(SyslogTransport, Host),
}

vocabulary! {
    /// What carries syslog messages over a network.
    pub enum SyslogTransport {
        /// A datagram each (RFC 5426); port 514.
        Udp = "udp",
        /// Counted octets on a connection (RFC 6587); port 601.
        Tcp = "tcp",
        /// The same, encrypted (RFC 5425); port 6514.
        Tls = "tls",
    }
}

/// A machine and a port of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// A name or an address, without brackets.
    pub name: String,
    /// The port.
    pub port: u16,
}

vocabulary! {
    /// The facility of syslog messages (RFC 5424, 6.2.1).
    pub enum Facility {
        /// User-level messages.
        User = "user",
        /// System daemons.
        Daemon = "daemon",
        /// Security and authorization messages.
        Auth = "auth",
        /// Local use 0.
        Local0 = "local0",
        /// Local use 1.
        Local1 = "local1",
        /// Local use 2.
        Local2 = "local2",
        /// Local use 3.
        Local3 = "local3",
        /// Local use 4.
        Local4 = "local4",
        /// Local use 5.
        Local5 = "local5",
        /// Local use 6.
        Local6 = "local6",
        /// Local use 7.
        Local7 = "local7",
    }
}

choice!(Facility);

impl Facility {
    /// Its numerical code.
    pub const fn code(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Daemon => 3,
            Self::Auth => 4,
            Self::Local0 => 16,
            Self::Local1 => 17,
            Self::Local2 => 18,
            Self::Local3 => 19,
            Self::Local4 => 20,
            Self::Local5 => 21,
            Self::Local6 => 22,
            Self::Local7 => 23,
        }
    }
}

vocabulary! {
    /// How syslog messages are written.
    pub enum SyslogFormat {
        /// As RFC 5424 says: with year, fraction of a second, time zone and host.
        Rfc5424 = "rfc5424",
        /// As RFC 3164 describes it, without a host: what systemd's journal and older daemons
        /// understand on the local socket.
        Rfc3164 = "rfc3164",
    }
}

choice!(SyslogFormat);

impl SinkTarget {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, place) = text.split_once(':').map_or((text, None), |(s, p)| (s, Some(p)));
        match (scheme, place) {
            ("stdio", None) => Some(Self::Stdio),
            ("file", Some(path)) => {
                let is_file = !path.contains('\0') && !path.ends_with('/');
                let path = Path::new(path);
                (is_file && path.file_name().is_some()).then(|| Self::File(path.to_owned()))
            }
            ("syslog", place) => SyslogServer::parse(place.unwrap_or("")).map(Self::Syslog),
            ("otlp", None | Some("")) => Some(Self::Otlp(None)),
            ("otlp", Some(url)) => is_url(url).then(|| Self::Otlp(Some(url.to_owned()))),
            ("journal", Some(path)) => {
                let is_directory = !path.is_empty() && !path.contains('\0');
                is_directory.then(|| Self::Journal(path.into()))
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for SinkTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdio => f.write_str("stdio"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Syslog(SyslogServer::Local) => f.write_str("syslog"),
            Self::Syslog(SyslogServer::Socket(path)) => write!(f, "syslog:{}", path.display()),
            Self::Syslog(SyslogServer::Remote(transport, host)) => {
                write!(f, "syslog:{transport}://{host}")
            }
            Self::Otlp(None) => f.write_str("otlp"),
            Self::Otlp(Some(url)) => write!(f, "otlp:{url}"),
            Self::Journal(path) => write!(f, "journal:{}", path.display()),
        }
    }
}

impl SyslogServer {
    fn parse(place: &str) -> Option<Self> {
        if place.is_empty() {
            return Some(Self::Local);
        }
        if let Some((transport, host)) = place.split_once("://") {
            let transport = SyslogTransport::from_name(transport)?;
            return Some(Self::Remote(transport, Host::parse(host, transport.port())?));
        }
        (place.starts_with('/') && !place.contains('\0')).then(|| Self::Socket(place.into()))
    }
}

impl SyslogTransport {
    const fn port(self) -> u16 {
        match self {
            Self::Udp => 514,
            Self::Tcp => 601,
            Self::Tls => 6514,
        }
    }
}

impl Host {
    fn parse(text: &str, port: u16) -> Option<Self> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        };
        let (name, rest) = if let Some(bracketed) = text.strip_prefix('[') {
            let (name, rest) = bracketed.split_once(']')?;
            name.parse::<std::net::Ipv6Addr>().ok()?;
            (name, rest)
        } else {
            let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            is_name(name).then_some(())?;
            (name, rest)
        };
        let port = match rest.strip_prefix(':') {
            Some(digits) => digits.parse().ok().filter(|port| *port > 0)?,
            None if rest.is_empty() => port,
            None => return None,
        };
        Some(Self { name: name.to_owned(), port })
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.name.contains(':') {
            return write!(f, "[{}]:{}", self.name, self.port);
        }
        write!(f, "{}:{}", self.name, self.port)
    }
}

/// A URL without a user, a query, a fragment or anything that would have to be escaped. Who may send
/// is said in a header, which no policy file has to hold and no report can show.
fn is_url(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or_default();
    Host::parse(authority, 80).is_some()
        && url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#?".contains(&byte))
}

/// The sinks of a log; at least one, and none twice. In a variable they are separated by commas,
/// as paths are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sinks(pub(crate) Vec<SinkTarget>);

impl Sinks {
    /// Makes relative paths stand on the directory of the layer that named them.
    pub(crate) fn resolve(&mut self, base: Option<&Path>) {
        for target in &mut self.0 {
            if let SinkTarget::File(path) | SinkTarget::Journal(path) = target {
                resolve(path, base);
            }
        }
    }

    fn of(targets: Vec<SinkTarget>) -> Option<Self> {
        let twice = |(at, target): (usize, &SinkTarget)| targets[..at].contains(target);
        let right = !targets.is_empty() && !targets.iter().enumerate().any(twice);
        right.then_some(Self(targets))
    }
}

impl Value for Sinks {
    fn expected() -> String {
        "a list of `stdio`, `file:PATH`, `syslog`, `syslog:PATH`, `syslog:TRANSPORT://HOST:PORT` \
         (`udp`, `tcp` or `tls`), `otlp` or `otlp:URL` (no \
         key in it: that is for `OTEL_EXPORTER_OTLP_HEADERS`), `journal:DIRECTORY`, none twice"
            .to_owned()
    }

    fn choices() -> &'static [&'static str] {
        &["stdio", "syslog", "otlp"]
    }

    fn from_text(text: &str) -> Option<Self> {
        let targets = from_list(text)?;
        Self::of(
            targets.iter().map(|target| SinkTarget::parse(target.trim())).collect::<Option<_>>()?,
        )
    }

    fn from_toml(value: &Spanned<DeValue<'_>>) -> Result<Self, Range<usize>> {
        let list = value.as_ref().as_array().ok_or_else(|| value.span())?;
        let target = |item: &Spanned<DeValue<'_>>| {
            item.as_ref().as_str().and_then(SinkTarget::parse).ok_or_else(|| item.span())
        };
        let targets = list.iter().map(target).collect::<Result<_, _>>()?;
        Self::of(targets).ok_or_else(|| value.span())
    }

    fn text(&self) -> String {
        to_list(self.0.iter().map(SinkTarget::to_string))
    }

    fn json(&self) -> serde_json::Value {
        self.0.iter().map(SinkTarget::to_string).collect()
    }

    fn schema() -> serde_json::Value {
        json!({
            "items": { "pattern": "^(stdio$|file:.|syslog$|syslog:.|otlp$|otlp:https?://.|journal:.)", "type": "string" },
            "minItems": 1,
            "type": "array",
            "uniqueItems": true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_as_they_are_written() {
        for text in [
            "stdio",
            "file:/var/log/app/app.log",
            "syslog",
            "syslog:/run/systemd/journal/syslog",
            "syslog:udp://logs.example.com:514",
            "syslog:tls://[2001:db8::7]:6514",
            "otlp",
            "otlp:https://collector.example.com:4318/v1/logs",
            "journal:/var/log/app/sealed",
        ] {
            assert_eq!(SinkTarget::parse(text).map(|it| it.to_string()).as_deref(), Some(text));
        }
        let of = |text| SinkTarget::parse(text).map(|target| target.to_string());
        assert_eq!(of("syslog:tcp://logs"), Some("syslog:tcp://logs:601".to_owned()));
        assert_eq!(of("otlp:"), Some("otlp".to_owned()));
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for text in [
            "",
            "stderr",
            "stdio:x",
            "file",
            "file:",
            "file:/var/log/",
            "file:..",
            "syslog:logs.example.com",
            "syslog:http://logs",
            "syslog:udp://",
            "syslog:udp://a b",
            "syslog:udp://logs:0",
            "syslog:udp://logs:99999",
            "syslog:tcp://[::1",
            "otlp:grpc://collector",
            "otlp:https://",
            "otlp:https://ines:word@collector/v1/logs",
            "otlp:https://collector/v1/logs#part",
            "otlp:https://collector/v1/logs?key=word",
            "otlp:https://collector?key=word",
            "otlp:https://collector/a b",
            "journal",
            "journal:",
        ] {
            assert_eq!(SinkTarget::parse(text), None, "{text}");
        }
        assert_eq!(Sinks::from_text(""), None);
        assert_eq!(Sinks::from_text("stdio,stdio"), None);
    }

    #[test]
    fn a_path_may_hold_a_comma() {
        let sinks = Sinks(vec![SinkTarget::Stdio, SinkTarget::File("/a,b/c.log".into())]);
        assert_eq!(Sinks::from_text(&sinks.text()), Some(sinks));
    }
}
