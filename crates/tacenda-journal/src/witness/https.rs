//! The way to a witness: HTTPS, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::Answer;
use crate::error::JournalError;

/// Longer than any answer of a witness.
const LONGEST: u64 = 64 << 10;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A witness at an address.
#[derive(Debug)]
pub struct Https {
    agent: Agent,
    url: String,
}

impl Https {
    /// The witness at `url`, which begins with `https://`: the part before `/add-checkpoint`. It has
    /// to show a certificate of an authority that the system trusts, or of one of these, in PEM.
    ///
    /// # Errors
    /// When the address is none, or there is no certificate to trust.
    pub fn new(url: &str, authorities: Option<&[u8]>) -> Result<Self, JournalError> {
        let bad = |what: &str| JournalError::BadSetting { what: what.to_owned() };
        if !url.starts_with("https://") {
            return Err(bad("the address of a witness begins with https://"));
        }
        let trusted: Vec<Certificate<'static>> = match authorities {
            Some(pem) => parse_pem(pem)
                .filter_map(|item| match item {
                    Ok(PemItem::Certificate(one)) => Some(one),
                    _ => None,
                })
                .collect(),
            None => rustls_native_certs::load_native_certs()
                .certs
                .iter()
                .map(|one| Certificate::from_der(one).to_owned())
                .collect(),
        };
        if trusted.is_empty() {
            return Err(bad("there is no certificate of an authority to trust"));
        }
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::from(trusted))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .user_agent(concat!("tacenda/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { agent, url: format!("{}/add-checkpoint", url.trim_end_matches('/')) })
    }

    /// Posts a text; the status, and what is answered.
    pub fn send(&self, text: &str) -> Result<Answer, JournalError> {
        let failed = |error: ureq::Error| JournalError::Unreachable {
            url: self.url.clone(),
            what: error.to_string(),
        };
        let mut response = self.agent.post(&self.url).send(text).map_err(failed)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(LONGEST);
        Ok((status, body.read_to_string().map_err(failed)?))
    }
}
