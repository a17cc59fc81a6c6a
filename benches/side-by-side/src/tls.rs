//! TLS of the programs: a certificate that the server makes, and clients that trust that one.

use crate::error::{Error, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::path::Path;
use std::sync::Arc;

/// The name that links within the machine have for their server.
pub(crate) const NAME: &str = "localhost";

/// Makes a certificate for `host` and [`NAME`] and writes it to `file`, so that clients can trust it.
pub(crate) fn server(host: &str, file: &Path) -> Result<Arc<ServerConfig>> {
    let key = rcgen::KeyPair::generate()?;
    let names = vec![host.to_owned(), NAME.to_owned()];
    let certificate = rcgen::CertificateParams::new(names)?.self_signed(&key)?;
    std::fs::write(file, certificate.pem())?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok(Arc::new(config))
}

/// Trusts the certificate of `file` only.
pub(crate) fn client(file: &Path) -> Result<Arc<ClientConfig>> {
    let certificate =
        CertificateDer::from_pem_file(file).map_err(|error| Error::new(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
