//! TLS: whom to trust, and who we are.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, RootCertStore};

use crate::{Identity, words as system_words};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There are no certificates to trust.
    #[error("no certificate to trust was found")]
    NoTrust,
    /// A file of our own cannot be read.
    #[error("{}: {}", .0.display(), system_words(.1))]
    Unreadable(PathBuf, io::Error),
    /// A file holds no certificate.
    #[error("{}: there is no certificate in it", .0.display())]
    NoCertificate(PathBuf),
    /// A file holds no private key.
    #[error("{}: there is no private key in it", .0.display())]
    NoKey(PathBuf),
    /// The private key is none any more.
    #[error("{}: others may read the private key", .0.display())]
    OpenKey(PathBuf),
    /// A certificate and a key that are not of one pair.
    #[error("the certificate and the private key do not belong together")]
    Mismatch,
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The certificates that this system trusts, or those that `SSL_CERT_FILE` or `SSL_CERT_DIR` name.
pub(crate) fn system() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// A client that trusts those whom these certificates name, and shows its own where it has one.
pub(crate) fn client(
    trusted: Vec<CertificateDer<'static>>,
    identity: Option<&Identity>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let own = identity.map(|own| Ok((certificates(own)?, private_key(own)?))).transpose()?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted);
    if roots.is_empty() {
        return Err(TlsError::NoTrust);
    }
    let config =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let config = config.map_err(|_| TlsError::NoTrust)?.with_root_certificates(roots);
    Ok(Arc::new(match own {
        None => config.with_no_client_auth(),
        Some((chain, key)) => {
            config.with_client_auth_cert(chain, key).map_err(|_| TlsError::Mismatch)?
        }
    }))
}

/// Our certificate, and those that it is signed by.
fn certificates(identity: &Identity) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let path = &identity.certificate;
    let (pem, _) = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    chain.ok_or_else(|| TlsError::NoCertificate(path.clone()))
}

fn private_key(identity: &Identity) -> Result<PrivateKeyDer<'static>, TlsError> {
    const OTHERS: u32 = 0o007;
    let path = &identity.key;
    let (pem, mode) = read(path)?;
    if mode & OTHERS != 0 {
        return Err(TlsError::OpenKey(path.clone()));
    }
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TlsError::NoKey(path.clone()))
}

/// A file, and who may read it.
fn read(path: &Path) -> Result<(Vec<u8>, u32), TlsError> {
    const MOST: u64 = 1 << 20;
    let read = || {
        let file = File::open(path)?;
        let mode = file.metadata()?.mode();
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
        Ok((bytes, mode))
    };
    read().map_err(|error| TlsError::Unreadable(path.to_owned(), error))
}

/// What went wrong, in words that quote nothing of the peer's.
pub(crate) fn words(error: &Error) -> &'static str {
    use AlertDescription::{AccessDenied, BadCertificate, CertificateRequired, UnknownCA};
    let error = match error {
        Error::InvalidCertificate(error) => error,
        Error::AlertReceived(CertificateRequired) => {
            return "the server asks for a certificate of ours";
        }
        Error::AlertReceived(AccessDenied | BadCertificate | UnknownCA) => {
            return "the server does not accept our certificate";
        }
        _ => return "TLS failed",
    };
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
