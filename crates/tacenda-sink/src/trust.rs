//! TLS: whom to trust.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A client that trusts whom this system trusts, or the certificates that `SSL_CERT_FILE` or
/// `SSL_CERT_DIR` name. None if there are none.
pub(crate) fn client() -> Option<Arc<ClientConfig>> {
    client_of(rustls_native_certs::load_native_certs().certs)
}

/// A client that trusts those whom these certificates name.
pub(crate) fn client_of(certificates: Vec<CertificateDer<'static>>) -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    let config =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let config = config.ok().filter(|_| !roots.is_empty())?;
    Some(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// What went wrong, in words that quote nothing of the peer's.
pub(crate) fn words(error: &Error) -> &'static str {
    let Error::InvalidCertificate(error) = error else { return "TLS failed" };
    match error {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another name"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired"
        }
        CertificateError::UnknownIssuer => {
            "nobody who is trusted has signed the server's certificate"
        }
        _ => "the server's certificate is not valid",
    }
}
