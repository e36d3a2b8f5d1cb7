//! An OTLP receiver, over HTTP (OTLP 1.x, binary Protobuf).

mod exporter;
mod messages;

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use prost::Message;
use tacenda_policy::Level;
use ureq::Agent;
use ureq::http::{HeaderName, HeaderValue, Response, header::RETRY_AFTER};

use self::exporter::{Variables, packs, pairs, timeout, url, variable};
use self::messages::{
    AnyValue, ExportLogsServiceRequest, ExportLogsServiceResponse, InstrumentationScope, KeyValue,
    LogRecord, ResourceLogs, ScopeLogs,
};
use crate::{Record, Refusal, Retry, Sink, words};

/// How long records are gathered: as long as OpenTelemetry's own processor does by default.
const GATHERS: Duration = Duration::from_secs(1);

/// What is read of an answer.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Who the records are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The name of the program.
    pub program: String,
}

/// Why there is nothing to send to. Values of variables are not told: they hold keys.
#[derive(Debug, thiserror::Error)]
pub enum OtlpError {
    /// What a variable says cannot be used.
    #[error("the value of {0} cannot be used")]
    Variable(String),
    /// A file that a variable names cannot be used.
    #[error("the file of {name} cannot be used: {}", words(.error))]
    Unreadable {
        /// The variable.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// The file that a variable names holds no certificate.
    #[error("the file of {0} holds no certificate")]
    NoCertificate(String),
    /// What a variable wants to be spoken is not.
    #[error("{0} names a protocol that is not spoken: only `http/protobuf` is")]
    Protocol(String),
    /// The endpoint is no URL of a receiver.
    #[error("the URL of the receiver cannot be used")]
    Url,
}

/// Sends records in batches.
pub struct OtlpSink {
    agent: Agent,
    url: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    packs: bool,
    resource: messages::Resource,
}

impl OtlpSink {
    /// Prepares to send to `written`, or to where OpenTelemetry's variables say.
    ///
    /// # Errors
    /// When a variable says what cannot be.
    pub fn open(
        written: Option<&str>,
        resource: &Resource,
        variables: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, OtlpError> {
        let url = url(written, variables)?;
        let agent = Agent::config_builder()
            .timeout_global(Some(timeout(variables)?))
            .http_status_as_error(false)
            // Records go where they were sent to, and nowhere else.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // The variables of a proxy are those of others.
            .proxy(None)
            .user_agent(concat!("tacenda/", env!("CARGO_PKG_VERSION")))
            .tls_config(exporter::tls(variables)?)
            .build()
            .new_agent();
        Ok(Self {
            agent,
            url,
            headers: headers(variables)?,
            packs: packs(variables)?,
            resource: attributes(resource, variables)?,
        })
    }

    fn request(&self, records: &[Record]) -> io::Result<Vec<u8>> {
        let scope = InstrumentationScope {
            name: "tacenda".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let log_records = records.iter().map(log_record).collect();
        let scope_logs = vec![ScopeLogs { scope: Some(scope), log_records }];
        let resource = Some(self.resource.clone());
        let resource_logs = vec![ResourceLogs { resource, scope_logs }];
        let body = ExportLogsServiceRequest { resource_logs }.encode_to_vec();
        if !self.packs {
            return Ok(body);
        }
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&body)?;
        packed.finish()
    }

    fn post(&self, body: &[u8]) -> Result<Response<ureq::Body>, ureq::Error> {
        let mut request = self.agent.post(&self.url).content_type("application/x-protobuf");
        if self.packs {
            request = request.header("content-encoding", "gzip");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.send(body)
    }
}

impl Sink for OtlpSink {
    fn write(&mut self, records: &[Record]) -> Result<(), Refusal> {
        let body = self.request(records).map_err(|error| Refusal::of(&error, Retry::Never))?;
        let mut answer = self.post(&body).map_err(|error| unsent(&error))?;
        let status = answer.status().as_u16();
        if (200..300).contains(&status) {
            return accepted(&mut answer, records.len());
        }
        // Those that the specification names, and no others, may be sent again.
        let retry = match status {
            413 if records.len() > 1 => Retry::Fewer,
            413 => Retry::Skip,
            429 | 502 | 503 | 504 => retry_after(&answer).map_or(Retry::Later, Retry::After),
            _ => Retry::Never,
        };
        Err(Refusal { taken: 0, retry, why: format!("the receiver answered {status}") })
    }

    fn gathers(&self) -> Duration {
        GATHERS
    }
}

/// All was accepted, or all but so many, which are not to be sent again.
fn accepted(answer: &mut Response<ureq::Body>, sent: usize) -> Result<(), Refusal> {
    let body = answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_vec();
    let body = body.unwrap_or_default();
    let decoded = ExportLogsServiceResponse::decode(body.as_slice()).unwrap_or_default();
    let rejected = decoded.partial_success.map_or(0, |partial| partial.rejected_log_records);
    match usize::try_from(rejected) {
        Ok(0) | Err(_) => Ok(()),
        Ok(rejected) => Err(Refusal {
            taken: sent.saturating_sub(rejected),
            retry: Retry::Never,
            why: "the receiver rejected them".to_owned(),
        }),
    }
}

/// What happened, in fixed words: an error may quote a URL.
fn unsent(error: &ureq::Error) -> Refusal {
    let why = match error {
        ureq::Error::Io(error) => words(error),
        ureq::Error::Timeout(_) => "the receiver took too long".to_owned(),
        ureq::Error::HostNotFound => "the receiver's name is not known".to_owned(),
        ureq::Error::ConnectionFailed => "the receiver cannot be connected to".to_owned(),
        ureq::Error::Rustls(error) => crate::trust::words(error).to_owned(),
        ureq::Error::Tls(_) => "TLS failed".to_owned(),
        _ => "the request failed".to_owned(),
    };
    Refusal { taken: 0, retry: Retry::Later, why }
}

/// Seconds; of a date the usual pause is as good.
fn retry_after(answer: &Response<ureq::Body>) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(Duration::from_secs(3600)))
}

fn headers(variables: Variables<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, OtlpError> {
    let Some((name, text)) = variable(variables, "HEADERS") else { return Ok(Vec::new()) };
    let header = |(key, value): (String, String)| {
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_bytes(key.as_bytes()).ok()?, value))
    };
    let pairs = pairs(&text).map(|pairs| pairs.into_iter().map(header).collect::<Option<_>>());
    pairs.flatten().ok_or(OtlpError::Variable(name))
}

/// The attributes of the resource, by the conventions of OpenTelemetry.
fn attributes(
    resource: &Resource,
    variables: Variables<'_>,
) -> Result<messages::Resource, OtlpError> {
    const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let given = pairs(&variables(ATTRIBUTES).unwrap_or_default());
    let given = given.ok_or_else(|| OtlpError::Variable(ATTRIBUTES.to_owned()))?;
    let has = |key: &str| given.iter().any(|(given, _)| given == key);
    let mut attributes = Vec::new();
    let service = variables("OTEL_SERVICE_NAME").filter(|name| !name.is_empty());
    if service.is_some() || !has("service.name") {
        let unknown = || format!("unknown_service:{}", resource.program);
        attributes.push(KeyValue::text("service.name", &service.clone().unwrap_or_else(unknown)));
    }
    if !has("host.name") {
        let system = rustix::system::uname();
        attributes.push(KeyValue::text("host.name", &system.nodename().to_string_lossy()));
    }
    if !has("process.pid") {
        attributes.push(KeyValue::number("process.pid", std::process::id().into()));
    }
    let given = given.iter().filter(|(key, _)| key != "service.name" || service.is_none());
    attributes.extend(given.map(|(key, value)| KeyValue::text(key, value)));
    Ok(messages::Resource { attributes })
}

fn log_record(record: &Record) -> LogRecord {
    let since = record.time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let time = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
    let output = record.output.map(|output| KeyValue::text("log.iostream", output.name()));
    LogRecord {
        time_unix_nano: time,
        severity_number: record.level.map_or(0, severity),
        severity_text: record.level.map_or_else(String::new, |level| level.name().to_uppercase()),
        body: Some(AnyValue::text(&record.text)),
        attributes: output.into_iter().collect(),
        observed_time_unix_nano: time,
    }
}

/// The data model of logs, "Severity fields".
fn severity(level: Level) -> i32 {
    match level {
        Level::Debug => 5,
        Level::Info => 9,
        Level::Warning => 13,
        Level::Error => 17,
        Level::Critical => 21,
    }
}

#[cfg(test)]
mod tests;
