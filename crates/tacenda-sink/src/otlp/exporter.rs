//! What OpenTelemetry's variables say about an exporter.
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>

use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::Uri;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use super::OtlpError;

/// Where an OTLP receiver listens by default.
const DEFAULT: &str = "http://localhost:4318";
/// What is below it for logs.
const LOGS: &str = "/v1/logs";

/// Looks up a variable.
pub(super) type Variables<'v> = &'v dyn Fn(&str) -> Option<String>;

/// The variable of an exporter: that of logs before that of all signals. Empty is unset.
pub(super) fn variable(variables: Variables<'_>, name: &str) -> Option<(String, String)> {
    let names = [format!("OTEL_EXPORTER_OTLP_LOGS_{name}"), format!("OTEL_EXPORTER_OTLP_{name}")];
    names.into_iter().find_map(|name| {
        let value = variables(&name).filter(|value| !value.is_empty())?;
        Some((name, value))
    })
}

/// The URL for logs.
pub(super) fn url(written: Option<&str>, variables: Variables<'_>) -> Result<String, OtlpError> {
    if let Some(url) = written {
        let parts = parts(url).ok_or(OtlpError::Url)?;
        return Ok(if parts.path().len() > 1 { url.to_owned() } else { below(url) });
    }
    // Who names the URL has chosen the protocol too.
    if let Some((name, protocol)) = variable(variables, "PROTOCOL")
        && protocol != "http/protobuf"
    {
        return Err(OtlpError::Protocol(name));
    }
    let Some((name, url)) = variable(variables, "ENDPOINT") else { return Ok(below(DEFAULT)) };
    let is_whole = name.ends_with("LOGS_ENDPOINT");
    match parts(&url) {
        Some(_) if is_whole => Ok(url),
        // Something goes behind it.
        Some(parts) if parts.query().is_none() => Ok(below(&url)),
        _ => Err(OtlpError::Variable(name)),
    }
}

/// The parts of a URL, if it is one of a receiver.
fn parts(url: &str) -> Option<Uri> {
    let parts: Uri = url.parse().ok()?;
    let is_http = matches!(parts.scheme_str(), Some("http" | "https"));
    let authority = parts.authority()?;
    let host = authority.host();
    let is_host = !host.is_empty() && !authority.as_str().contains('@');
    let is_place = authority.as_str() == host || authority.port_u16().is_some();
    (is_http && is_host && is_place && !url.contains('#')).then_some(parts)
}

fn below(base: &str) -> String {
    format!("{}{LOGS}", base.trim_end_matches('/'))
}

/// How long the receiver may take.
pub(super) fn timeout(variables: Variables<'_>) -> Result<Duration, OtlpError> {
    let Some((name, text)) = variable(variables, "TIMEOUT") else {
        return Ok(Duration::from_secs(10));
    };
    let milliseconds = text.parse().ok().filter(|number: &u64| *number > 0);
    milliseconds.map(Duration::from_millis).ok_or(OtlpError::Variable(name))
}

/// Whether what is sent is packed.
pub(super) fn packs(variables: Variables<'_>) -> Result<bool, OtlpError> {
    match variable(variables, "COMPRESSION") {
        None => Ok(false),
        Some((_, value)) if value == "none" => Ok(false),
        Some((_, value)) if value == "gzip" => Ok(true),
        Some((name, _)) => Err(OtlpError::Variable(name)),
    }
}

/// `key=value,key=value`, with escapes as in URLs: headers, attributes of the resource.
pub(super) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        let key = key.trim();
        (!key.is_empty()).then_some(())?;
        Some((key.to_owned(), unescaped(value.trim())?))
    };
    pairs.map(pair).collect()
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// Whom to trust, and who we are.
pub(super) fn tls(variables: Variables<'_>) -> Result<TlsConfig, OtlpError> {
    let read = |name: &str| -> Result<Option<(String, Vec<u8>)>, OtlpError> {
        let Some((name, path)) = variable(variables, name) else { return Ok(None) };
        match fs::read(path) {
            Ok(pem) => Ok(Some((name, pem))),
            Err(error) => Err(OtlpError::Unreadable { name, error }),
        }
    };
    let certificates = |name: &str, pem: &[u8]| -> Result<Vec<Certificate<'static>>, OtlpError> {
        let items = parse_pem(pem).collect::<Result<Vec<_>, _>>();
        let items = items.map_err(|_| OtlpError::Variable(name.to_owned()))?;
        let certificates = items.into_iter().filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        });
        let certificates: Vec<_> = certificates.collect();
        if certificates.is_empty() {
            return Err(OtlpError::NoCertificate(name.to_owned()));
        }
        Ok(certificates)
    };
    let roots = if let Some((name, pem)) = read("CERTIFICATE")? {
        certificates(&name, &pem)?
    } else {
        let native = rustls_native_certs::load_native_certs().certs;
        native.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
    };
    let client = match (read("CLIENT_CERTIFICATE")?, read("CLIENT_KEY")?) {
        (None, None) => None,
        (Some((name, chain)), Some((key_name, key))) => {
            let key = PrivateKey::from_pem(&key).map_err(|_| OtlpError::Variable(key_name))?;
            Some(ClientCert::new_with_certs(&certificates(&name, &chain)?, key))
        }
        (Some((name, _)), None) | (None, Some((name, _))) => {
            return Err(OtlpError::Unreadable {
                name,
                error: io::Error::other("a certificate needs its key, and a key its certificate"),
            });
        }
    };
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(crate::trust::provider())
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .client_cert(client)
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_found() {
        let none = |_: &str| None;
        let written = |text| url(Some(text), &none).unwrap();
        assert_eq!(url(None, &none).unwrap(), "http://localhost:4318/v1/logs");
        assert_eq!(written("https://c:4318"), "https://c:4318/v1/logs");
        assert_eq!(written("https://c:4318/"), "https://c:4318/v1/logs");
        assert_eq!(written("https://c/otlp"), "https://c/otlp");
        let of = |known: &'static str| {
            move |name: &str| (name == known).then(|| "http://c:1/".to_owned())
        };
        let found = |known| url(None, &of(known)).unwrap();
        assert_eq!(found("OTEL_EXPORTER_OTLP_ENDPOINT"), "http://c:1/v1/logs");
        assert_eq!(found("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"), "http://c:1/");
    }

    #[test]
    fn a_url_or_a_protocol_that_cannot_be_is_refused() {
        for (known, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:secret"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c/?key=secret"),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://c d/"),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "unix:/secret"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/json"),
        ] {
            let of = |name: &str| (name == known).then(|| value.to_owned());
            let error = url(None, &of).unwrap_err().to_string();
            assert!(error.contains(known) && !error.contains("secret"), "{value}: {error}");
        }
        let of = |name: &str| name.ends_with("PROTOCOL").then(|| "http/protobuf".to_owned());
        assert!(url(None, &of).is_ok());
    }

    #[test]
    fn headers_are_read() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            pairs("authorization=Bearer%20a, x=b=c,"),
            Some(vec![pair("authorization", "Bearer a"), pair("x", "b=c")])
        );
        for wrong in ["a", "=b", "a=%2", "a=%zz", "a=%ff"] {
            assert_eq!(pairs(wrong), None, "{wrong}");
        }
    }
}
