//! The sinks that a policy names, opened.

#[cfg(feature = "journal")]
mod journal;

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;

use tacenda_guard::run::Log;
use tacenda_policy::{Policy, SinkTarget};
#[cfg(feature = "otlp")]
use tacenda_sink::TlsError;
use tacenda_sink::{
    FileError, FileSink, Header, Identity, Rotation, Sink, Sinks, SyslogError, SyslogSink,
};

use crate::failure::Failure;

/// Opens the sinks of a log. `program` is whose log it is.
pub(crate) fn open(policy: &Policy, program: &str) -> Result<Log, Failure> {
    let mut log = Log { stdio: false, sinks: Sinks::default(), wait: policy.sink_wait() };
    let mut files = HashSet::new();
    for target in policy.sinks() {
        let sink: Box<dyn Sink> = match target {
            SinkTarget::Stdio => {
                log.stdio = true;
                continue;
            }
            SinkTarget::File(path) => {
                let sink = file(path, policy)?;
                if !files.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                    let named_twice = "the sinks name the same file twice";
                    return Err(Failure::new(named_twice.to_owned()).at(path));
                }
                log.sinks.direct(target.to_string(), sink);
                continue;
            }
            SinkTarget::Syslog(server) => {
                let header = Header {
                    facility: policy.syslog_facility(),
                    format: policy.syslog_format(),
                    program: program.to_owned(),
                };
                let identity = policy.syslog_identity().map(|(certificate, key)| Identity {
                    certificate: certificate.to_owned(),
                    key: key.to_owned(),
                });
                let opened = SyslogSink::open(server, &header, identity.as_ref());
                Box::new(opened.map_err(|error| syslog(target, &error))?)
            }
            SinkTarget::Otlp(url) => otlp(url.as_deref(), target, program)?,
            SinkTarget::Journal(path) => journal(path, target, program, policy)?,
        };
        let (bytes, wait) = (policy.sink_queue(), policy.sink_wait());
        let queued = log.sinks.queued(target.to_string(), sink, bytes, wait);
        queued.map_err(|error| cannot(target, &error))?;
    }
    Ok(log)
}

/// The name of a program, without its path.
pub(crate) fn program(command: &[OsString]) -> String {
    let program = command.first().map(Path::new).and_then(Path::file_name).unwrap_or_default();
    program.to_string_lossy().into_owned()
}

fn file(path: &Path, policy: &Policy) -> Result<Box<dyn Sink>, Failure> {
    let rotation = Rotation {
        size: policy.sink_file_size(),
        age: policy.sink_file_age(),
        keep: policy.sink_file_keep(),
    };
    FileSink::open(path, rotation).map(|sink| Box::new(sink) as Box<dyn Sink>).map_err(|error| {
        let failure = Failure::new(format!("cannot write to the log: {error}")).at(path);
        match error {
            FileError::System(_) => failure,
            FileError::OpenDirectory => {
                failure.hint("chmod 700 the directory, or name one below it")
            }
            FileError::LinkedDirectory => failure.hint("name the directory that it leads to"),
            FileError::NotPrivate => failure.hint("chmod 600 the file, or name another one"),
        }
    })
}

fn syslog(target: &SinkTarget, error: &SyslogError) -> Failure {
    let failure = cannot(target, error);
    match error {
        SyslogError::System(_) if target.to_string().starts_with("syslog://") => failure
            .hint("name the transport of a server: `syslog:udp://HOST:PORT`, or `tcp`, `tls`"),
        SyslogError::System(_) => {
            failure.hint("is a syslog daemon running? name its socket: `syslog:PATH`")
        }
        #[cfg(feature = "otlp")]
        SyslogError::Tls(TlsError::NoTrust) => {
            failure.hint("SSL_CERT_FILE names a file with certificates")
        }
        #[cfg(feature = "otlp")]
        SyslogError::Tls(TlsError::OpenKey(_)) => failure.hint("chmod 600 the file"),
        _ => failure,
    }
}

#[cfg(feature = "otlp")]
fn otlp(url: Option<&str>, target: &SinkTarget, program: &str) -> Result<Box<dyn Sink>, Failure> {
    let resource = tacenda_sink::Resource { program: program.to_owned() };
    let variable = |name: &str| std::env::var(name).ok();
    let opened = tacenda_sink::OtlpSink::open(url, &resource, &variable);
    opened.map(|sink| Box::new(sink) as Box<dyn Sink>).map_err(|error| cannot(target, &error))
}

#[cfg(not(feature = "otlp"))]
fn otlp(_: Option<&str>, target: &SinkTarget, _: &str) -> Result<Box<dyn Sink>, Failure> {
    Err(cannot(target, &"this command was built without OTLP"))
}

#[cfg(feature = "journal")]
fn journal(
    path: &Path,
    target: &SinkTarget,
    program: &str,
    policy: &Policy,
) -> Result<Box<dyn Sink>, Failure> {
    let opened = journal::JournalSink::open(path, program, policy.sink_journal_class());
    opened
        .map(|sink| Box::new(sink) as Box<dyn Sink>)
        .map_err(|error| journal::failure(target, &error))
}

#[cfg(not(feature = "journal"))]
fn journal(_: &Path, target: &SinkTarget, _: &str, _: &Policy) -> Result<Box<dyn Sink>, Failure> {
    Err(cannot(target, &"this command was built without the journal"))
}

fn cannot(target: &SinkTarget, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("cannot use the sink `{target}`: {error}"))
}
