//! The certificate of the server.

use crate::config::AdminTlsConfig;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or has nothing of the kind in it.
    #[error("{}: {source}; name a PEM file that this user can read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
    /// A file without a certificate.
    #[error("{}: there is no certificate in it; name a PEM file with one", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// They do not go together, or rustls does not take them.
    #[error("the certificate and the key cannot be used: {0}; name a pair that belongs together")]
    Pair(#[from] rustls::Error),
}

/// Reads the files.
///
/// # Errors
/// [`TlsError`].
pub(super) fn acceptor(config: &AdminTlsConfig) -> Result<TlsAcceptor, TlsError> {
    let bad = |path: &Path| {
        let path = path.to_owned();
        |source| TlsError::File { path, source }
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&config.cert)
        .and_then(Iterator::collect)
        .map_err(bad(&config.cert))?;
    if chain.is_empty() {
        let path = config.cert.clone();
        return Err(TlsError::Empty { path });
    }
    let key = PrivateKeyDer::from_pem_file(&config.key).map_err(bad(&config.key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
