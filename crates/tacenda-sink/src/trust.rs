//! TLS: whom to trust.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A client that trusts whom this system trusts, or the certificates that `SSL_CERT_FILE` or
/// `SSL_CERT_DIR` name. None if there are none.
pub(crate) fn client() -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let config = config.ok().filter(|_| !roots.is_empty())?;
    Some(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
