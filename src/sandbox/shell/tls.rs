//! TLS of the sandbox, for browsers: an https page rewrites file addresses to `https`.
//!
//! TLS uses the same port: a connection that begins with a TLS handshake is TLS, any other is plain
//! HTTP. So clients without TLS keep working.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::SandboxTls;
use base64::Engine;
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
    /// The own certificate cannot be written for clients.
    #[error("{path}: {source}; name a file that can be written", path = path.display())]
    Ca {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The self-signed certificate could not be created.
    #[error("no certificate could be created: {0}")]
    Making(#[from] rcgen::Error),
}

/// The first byte of a TLS connection: a record of the handshake.
const HANDSHAKE: u8 = 0x16;
/// The time limit for the first byte and the handshake of a connection.
const PATIENCE: Duration = Duration::from_secs(10);

impl SandboxTls {
    /// Reads the files, or creates a self-signed certificate. Writes the latter to `ca_file`.
    pub(super) fn acceptor(
        &self,
        listen: SocketAddr,
        ca_file: Option<&Path>,
    ) -> Result<Acceptor, TlsError> {
        let mut own = None;
        let (chain, key) = match self {
            Self::SelfSigned => {
                let made = self_signed(listen.ip())?;
                if let Some(path) = ca_file {
                    let path = path.to_owned();
                    std::fs::write(&path, &made.pem)
                        .map_err(|source| TlsError::Ca { path, source })?;
                }
                own = Some(made.pem);
                made.pair
            }
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
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        // The sessions are kept by the clients: a fleet that comes back resumes, however large it is.
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
        Ok(Acceptor {
            tls: TlsAcceptor::from(Arc::new(config)),
            own,
        })
    }
}

/// What serves TLS.
pub(super) struct Acceptor {
    pub(super) tls: TlsAcceptor,
    /// The certificate that the sandbox made itself, as PEM.
    pub(super) own: Option<String>,
}

/// A certificate made for this start.
struct Made {
    pair: (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>),
    pem: String,
}

fn self_signed(listen: IpAddr) -> Result<Made, rcgen::Error> {
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
    Ok(Made {
        pair: (vec![made.cert.der().clone()], key),
        pem: pem(made.cert.der()),
    })
}

/// A certificate as PEM.
fn pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for (at, letter) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str("\n-----END CERTIFICATE-----\n");
    pem
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
        assert!(SandboxTls::SelfSigned.acceptor(listen, None).is_ok());
        let (chain, _) = self_signed(listen.ip()).unwrap().pair;
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

    /// Connects once; returns how the handshake went.
    async fn shake_hands(
        acceptor: &TlsAcceptor,
        client: &Arc<rustls::ClientConfig>,
    ) -> Option<rustls::HandshakeKind> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let serving = async {
            let (io, _) = listener.accept().await.unwrap();
            let mut wire = greet(Some(acceptor), io).await.unwrap();
            wire.write_all(b"hello").await.unwrap();
            wire.flush().await.unwrap();
            wire
        };
        let asking = async {
            let io = TcpStream::connect(addr).await.unwrap();
            let name = ServerName::try_from("127.0.0.1").unwrap();
            let connector = tokio_rustls::TlsConnector::from(Arc::clone(client));
            let mut io = connector.connect(name, io).await.unwrap();
            // The tickets come with the first data.
            io.read_exact(&mut [0; 5]).await.unwrap();
            io.get_ref().1.handshake_kind()
        };
        tokio::join!(serving, asking).1
    }

    #[actix_rt::test]
    async fn clients_trust_the_written_certificate_and_resume() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let listen: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let acceptor = SandboxTls::SelfSigned
            .acceptor(listen, Some(&file))
            .unwrap();
        let written = std::fs::read_to_string(&file).unwrap();
        assert_eq!(acceptor.own, Some(written));
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&file).unwrap() {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let first = {
            let config = rustls::ClientConfig::builder_with_provider(provider);
            let config = config.with_safe_default_protocol_versions().unwrap();
            let config = config.with_root_certificates(roots);
            Arc::new(config.with_no_client_auth())
        };
        let kind = shake_hands(&acceptor.tls, &first).await;
        assert_eq!(kind, Some(rustls::HandshakeKind::Full));
        // The clients keep the sessions: a cache of the server would be too small for a fleet.
        assert!(acceptor.tls.config().ticketer.enabled());
        let kind = shake_hands(&acceptor.tls, &first).await;
        assert_eq!(kind, Some(rustls::HandshakeKind::Resumed));
    }

    #[actix_rt::test]
    async fn a_handshake_has_a_deadline() {
        let acceptor = SandboxTls::SelfSigned.acceptor("127.0.0.1:1".parse().unwrap(), None);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (silent, accepted) = tokio::join!(TcpStream::connect(addr), listener.accept());
        let (silent, (io, _)) = (silent.unwrap(), accepted.unwrap());
        tokio::time::pause();
        assert!(greet(Some(&acceptor.unwrap().tls), io).await.is_none());
        drop(silent);
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
            let refused = SandboxTls::Files { certificate, key }.acceptor(listen, None);
            let refused = refused.err().unwrap().to_string();
            assert!(refused.contains(named), "{refused}");
        }
    }
}
