//! TLS of the sandbox, for browsers: an https page rewrites file addresses to `https`.
//!
//! TLS uses the same port: a connection that begins with a TLS handshake is TLS, any other is plain
//! HTTP. So clients without TLS keep working.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use crate::SandboxTls;
use rustls::{
    ServerConfig,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::cut::Wire;

/// Why the sandbox cannot serve TLS.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read as PEM.
    #[error("{path}: {source}; name a PEM file", path = path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The error in the file.
        source: pem::Error,
    },
    /// The file contains no certificate.
    #[error("{path}: no certificate in it; name a PEM file with one", path = path.display())]
    Empty {
        /// The path of the file.
        path: PathBuf,
    },
    /// Certificate and key do not match or cannot be used.
    #[error("certificate and key cannot be used: {0}; name a matching pair")]
    Unfit(#[from] rustls::Error),
    /// The self-signed certificate could not be created.
    #[error("no certificate could be created: {0}")]
    Making(#[from] rcgen::Error),
}

/// The first byte of a TLS connection: a record of the handshake.
const HANDSHAKE: u8 = 0x16;
/// The time limit for the first byte and the handshake of a connection.
const PATIENCE: Duration = Duration::from_secs(10);

impl SandboxTls {
    /// Reads the files, or creates a self-signed certificate.
    pub(super) fn acceptor(&self, listen: SocketAddr) -> Result<TlsAcceptor, TlsError> {
        let (chain, key) = match self {
            Self::SelfSigned => self_signed(listen.ip())?,
            Self::Files { certificate, key } => {
                let bad = |path: &PathBuf| {
                    let path = path.clone();
                    |source| TlsError::File { path, source }
                };
                let chain = CertificateDer::pem_file_iter(certificate)
                    .and_then(Iterator::collect)
                    .map_err(bad(certificate))?;
                let chain: Vec<CertificateDer<'static>> = chain;
                if chain.is_empty() {
                    let path = certificate.clone();
                    return Err(TlsError::Empty { path });
                }
                let key = PrivateKeyDer::from_pem_file(key).map_err(bad(key))?;
                (chain, key)
            }
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn self_signed(listen: IpAddr) -> Result<Pair, rcgen::Error> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    let own = listen.to_string();
    if !listen.is_unspecified() && !names.contains(&own) {
        names.push(own);
    }
    let made = rcgen::generate_simple_self_signed(names)?;
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    Ok((vec![made.cert.der().clone()], key))
}

/// Detects the protocol of a connection and performs the TLS handshake. Returns `None` if the
/// connection fails.
pub(super) async fn greet(acceptor: Option<&TlsAcceptor>, io: TcpStream) -> Option<Wire> {
    let Some(acceptor) = acceptor else {
        return Some(Wire::Plain(io));
    };
    let greeting = async {
        let mut first = [0];
        if io.peek(&mut first).await? == 0 || first != [HANDSHAKE] {
            return Ok(Wire::Plain(io));
        }
        let secure = acceptor.accept(io).await?;
        Ok::<_, std::io::Error>(Wire::Secure(Box::new(secure)))
    };
    match tokio::time::timeout(PATIENCE, greeting).await {
        Ok(Ok(wire)) => Some(wire),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake with the sandbox failed");
            None
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier},
        pki_types::{ServerName, UnixTime},
    };

    #[test]
    fn f6_the_own_certificate_is_for_this_machine_and_nothing_else() {
        let listen: SocketAddr = "192.0.2.7:1".parse().unwrap();
        assert!(SandboxTls::SelfSigned.acceptor(listen).is_ok());
        let (chain, _) = self_signed(listen.ip()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(chain[0].clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
        let verifier = verifier.build().unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_795_000_000));
        for (name, right) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("example.com", false),
        ] {
            let server = ServerName::try_from(name).unwrap();
            let verdict = verifier.verify_server_cert(&chain[0], &[], &server, &[], now);
            assert_eq!(verdict.is_ok(), right, "{name}: {verdict:?}");
        }
    }

    #[test]
    fn f6_files_that_are_no_certificate_or_key_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (empty, missing) = (path("empty.pem", ""), folder.path().join("none.pem"));
        let listen: SocketAddr = "127.0.0.1:1".parse().unwrap();
        for (certificate, key, named) in [
            (&missing, &empty, "none.pem"),
            (&empty, &missing, "empty.pem"),
        ] {
            let (certificate, key) = (certificate.clone(), key.clone());
            let refused = SandboxTls::Files { certificate, key }.acceptor(listen);
            let refused = refused.err().unwrap().to_string();
            assert!(refused.contains(named), "{refused}");
        }
    }
}
