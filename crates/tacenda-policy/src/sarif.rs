//! The vocabulary of SARIF 2.1.0 (OASIS), for every report in it.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::Severity;

/// The schema that reports are valid against.
pub const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The level of a result.
pub const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// A number on the scale of CVSS, as code scanning services read it in `security-severity`.
pub const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.0",
        Severity::Low => "2.0",
        Severity::Info => "0.1",
    }
}

/// A path as a URI reference (RFC 3986): what is not allowed in one is percent-encoded.
pub fn uri(path: &Path) -> String {
    let mut uri = String::from(if path.is_absolute() { "file://" } else { "" });
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(*byte));
            }
            _ => {
                let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value)]);
                uri.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri(Path::new("/var/log/a b.log")), "file:///var/log/a%20b.log");
        assert_eq!(uri(Path::new("logs/app.log.1")), "logs/app.log.1");
        assert_eq!(uri(Path::new("c:d")), "c%3Ad");
        assert_eq!(uri(Path::new("é%.py")), "%C3%A9%25.py");
    }
}
