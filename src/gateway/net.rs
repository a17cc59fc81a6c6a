//! Certificates and proxies, the same for links, the REST API and files.

use super::proxy::Proxies;
use super::sources::Sources;
use super::tickets::Tickets;
use crate::config::{NetworkConfig, ProxyError, ProxyUrl};
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CipherSuite, ClientConfig, RootCertStore};
use secrecy::ExposeSecret;
use socket2::TcpKeepalive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

/// Why a [`NetworkConfig`] cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// The certificates cannot be read.
    #[error("cannot read the certificates of {path}: {reason}; it has to be a PEM file", path = .path.display())]
    Ca {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The proxy cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

/// Certificates, proxies and sockets, ready for use.
#[derive(Debug)]
pub(super) struct Net {
    tls: OnceLock<Arc<ClientConfig>>,
    pub(super) proxies: Proxies,
    /// Where links come from.
    pub(super) sources: Sources,
    /// How the system finds out that the other side of a link is gone.
    pub(super) keepalive: Option<TcpKeepalive>,
    /// Number of the configuration; threads compare it with that of the client they keep.
    pub(super) number: u64,
}

static NET: RwLock<Option<Arc<Net>>> = RwLock::new(None);
static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// Makes every new connection of the process use this configuration.
///
/// # Errors
/// When it cannot be used; nothing changes then.
pub fn use_net(config: &NetworkConfig) -> Result<(), NetError> {
    let net = Arc::new(Net::new(config)?);
    *NET.write().unwrap_or_else(PoisonError::into_inner) = Some(net);
    Ok(())
}

/// Makes new connections use this configuration, unless another one is in use already.
///
/// # Errors
/// When it cannot be used; nothing changes then.
pub fn use_first_net(config: &NetworkConfig) -> Result<(), NetError> {
    if NET.read().unwrap_or_else(PoisonError::into_inner).is_some() {
        return Ok(());
    }
    use_net(config)
}

/// Reads what a configuration names, and changes nothing.
///
/// # Errors
/// When it cannot be used.
pub fn check_net(config: &NetworkConfig) -> Result<(), NetError> {
    Net::new(config).map(drop)
}

/// The configuration in use; the defaults if none was set.
pub(super) fn net() -> Arc<Net> {
    if let Some(net) = &*NET.read().unwrap_or_else(PoisonError::into_inner) {
        return net.clone();
    }
    let mut slot = NET.write().unwrap_or_else(PoisonError::into_inner);
    slot.get_or_insert_with(|| Arc::new(Net::with(&NetworkConfig::default(), environment())))
        .clone()
}

impl Net {
    fn new(config: &NetworkConfig) -> Result<Self, NetError> {
        let mut proxies = match &config.proxy {
            Some(proxy) => {
                let proxy = ProxyUrl::parse(proxy.expose_secret())?;
                Proxies {
                    plain: Some(proxy.clone()),
                    secure: Some(proxy),
                    except: Vec::new(),
                }
            }
            None => environment(),
        };
        proxies.except.extend(config.no_proxy.iter().cloned());
        let net = Self::with(config, proxies);
        if let Some(path) = &config.ca_file {
            let mut roots = system_roots();
            add_file(&mut roots, path)?;
            net.tls.get_or_init(|| client_config(roots));
        }
        Ok(net)
    }

    pub(super) fn with(config: &NetworkConfig, proxies: Proxies) -> Self {
        Self {
            tls: OnceLock::new(),
            proxies,
            sources: Sources::new(&config.bind),
            keepalive: config.keepalive.map(keepalive),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// For TLS. Without it nobody needs certificates, so they are read when they are.
    pub(super) fn tls(&self) -> &Arc<ClientConfig> {
        self.tls.get_or_init(|| client_config(system_roots()))
    }
}

/// Asks after so much silence, and a few times more before the connection counts as broken.
fn keepalive(after: Duration) -> TcpKeepalive {
    TcpKeepalive::new()
        .with_time(after)
        .with_interval((after / 4).max(Duration::from_secs(1)))
        .with_retries(3)
}

fn environment() -> Proxies {
    Proxies::from_env(|name| std::env::var(name).ok())
}

/// The certificates the system trusts (or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name); Mozilla's
/// when it has none.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "some of the system's certificates cannot be read");
    }
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), NetError> {
    let wrong = |reason: String| NetError::Ca {
        path: path.to_owned(),
        reason,
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong("there is none in it".to_owned()));
    }
    for certificate in certificates {
        roots
            .add(certificate)
            .map_err(|error| wrong(error.to_string()))?;
    }
    Ok(())
}

fn client_config(roots: RootCertStore) -> Arc<ClientConfig> {
    let mut provider = rustls::crypto::ring::default_provider();
    // First what browsers ask for first: its hash is the one that processors compute themselves.
    let first = CipherSuite::TLS13_AES_128_GCM_SHA256;
    provider
        .cipher_suites
        .sort_by_key(|suite| suite.suite() != first);
    let builder = ClientConfig::builder_with_provider(Arc::new(provider));
    #[expect(
        clippy::expect_used,
        reason = "ring offers both versions the feature flags name"
    )]
    let builder = builder
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    // HTTP/2 cannot carry the upgrade.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::store(Arc::new(Tickets::default()));
    Arc::new(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_holds_no_certificate_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [("empty.pem", ""), ("text.pem", "no certificate")] {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            let config = NetworkConfig {
                ca_file: Some(path),
                ..NetworkConfig::default()
            };
            let error = check_net(&config).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("PEM"), "{error}");
        }
        let config = NetworkConfig {
            ca_file: Some("/no/such.pem".into()),
            ..NetworkConfig::default()
        };
        assert!(check_net(&config).is_err());
    }
}
