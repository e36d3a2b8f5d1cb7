//! Messages as RFC 5424 has them, or as RFC 3164 tells of them.

use std::time::SystemTime;

use jiff::{Timestamp, tz::TimeZone};
use tacenda_policy::{Level, SyslogFormat};

use super::Header;
use crate::Record;
use crate::record::beginning;

/// What is known before there is a record.
pub(super) struct Prepared {
    facility: u8,
    format: SyslogFormat,
    host: String,
    program: String,
    process: u32,
}

impl Prepared {
    pub(super) fn new(header: &Header) -> Self {
        let system = rustix::system::uname();
        Self {
            facility: header.facility.code(),
            format: header.format,
            host: field(&system.nodename().to_string_lossy(), 255),
            program: field(&header.program, 48),
            process: std::process::id(),
        }
    }

    /// The messages that a record is, none longer than `longest`.
    pub(super) fn messages(&self, record: &Record, longest: usize) -> Vec<Vec<u8>> {
        let header = self.header(record);
        let room = longest - header.len();
        let mut rest = &*record.text;
        let mut messages = Vec::new();
        loop {
            let part = beginning(rest, room);
            messages.push([header.as_bytes(), part.as_bytes()].concat());
            rest = &rest[part.len()..];
            if rest.is_empty() {
                return messages;
            }
        }
    }

    fn header(&self, record: &Record) -> String {
        let Self { host, program, process, .. } = self;
        let priority = self.facility * 8 + severity(record.level);
        let time = timestamp(record.time);
        match self.format {
            SyslogFormat::Rfc5424 => {
                let time = time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ");
                let kind = record.output.map_or("-", crate::Output::name);
                format!("<{priority}>1 {time} {host} {program} {process} {kind} - ")
            }
            SyslogFormat::Rfc3164 => {
                // Its time is that of this place, and says so nowhere.
                let local = time.to_zoned(TimeZone::system());
                format!("<{priority}>{} {program}[{process}]: ", local.strftime("%b %e %H:%M:%S"))
            }
        }
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or_default()
}

/// RFC 5424, 6.2.1.
fn severity(level: Option<Level>) -> u8 {
    match level {
        Some(Level::Critical) => 2,
        Some(Level::Error) => 3,
        Some(Level::Warning) => 4,
        Some(Level::Info) | None => 6,
        Some(Level::Debug) => 7,
    }
}

/// A field of the header: printable ASCII without spaces, of this length at most.
fn field(text: &str, longest: usize) -> String {
    let text: String =
        text.chars().map(|c| if c.is_ascii_graphic() { c } else { '_' }).take(longest).collect();
    if text.is_empty() { "-".to_owned() } else { text }
}
