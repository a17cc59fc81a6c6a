//! `botroupe sandbox`: the embedded server alone.

use super::args::{SandboxArgs, TlsKind};
use super::exit::{Failure, saved};
use crate::fleet::Signals;
use crate::sandbox::{Sandbox, SandboxConfig, SandboxError, SandboxTls};
use actix::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use std::io::Write;
use std::net::SocketAddr;

/// The settings of the sandbox from the arguments. An empty token counts as none.
pub(super) fn settings(
    args: SandboxArgs,
    key: SecretString,
    token: Option<SecretString>,
) -> SandboxConfig {
    let mut config = SandboxConfig::new(args.sdk_app_id, key);
    config.administrators = args.admins;
    config.auto_import = args.auto_import;
    config.max_web_instances = args.max_web_instances as usize;
    config.hello_interval = args.hello_interval;
    config.seed_file = args.seed;
    config.store_file = args.store;
    config.origins = args.origins;
    config.hosts = args.hosts;
    config.token = token.filter(|token| !token.expose_secret().trim().is_empty());
    config.tls = match (args.tls_cert, args.tls_key) {
        (Some(certificate), Some(key)) => Some(SandboxTls::Files { certificate, key }),
        _ => args.tls.map(|TlsKind::SelfSigned| SandboxTls::SelfSigned),
    };
    config.tls_ca_file = args.tls_ca;
    config
}

/// Serves until Ctrl-C or SIGTERM. Writes one line when it accepts connections, with TLS a second one,
/// and the certificate that it made if no file was named for it.
///
/// # Errors
/// When the store or the seed is refused or the address cannot be listened on.
pub(super) fn sandbox(
    listen: SocketAddr,
    config: SandboxConfig,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let prints_certificate = config.tls_ca_file.is_none();
    System::new().block_on(async {
        let mut signals = Signals::listen().map_err(|error| Failure::Runtime(error.into()))?;
        let sandbox = Sandbox::start(config, listen)
            .await
            .map_err(|error| match error {
                SandboxError::Seed(_)
                | SandboxError::SeedFile { .. }
                | SandboxError::Store(_)
                | SandboxError::StoreFile { .. }
                | SandboxError::Tls(_) => Failure::Usage(error.to_string()),
                error => Failure::Runtime(error.into()),
            })?;
        ready(&sandbox, prints_certificate, out).map_err(Failure::Output)?;
        signals.stop().await;
        tracing::info!("stopping");
        tokio::select! {
            is_saved = sandbox.stop() => saved(is_saved),
            () = signals.again() => Err(Failure::Interrupted),
        }
    })
}

/// Tells where the sandbox is, and whom to trust for it.
fn ready(sandbox: &Sandbox, prints_certificate: bool, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "sandbox ready {}", sandbox.url())?;
    if let Some(url) = sandbox.secure_url() {
        writeln!(out, "sandbox ready {url}")?;
    }
    if let Some(certificate) = sandbox.certificate().filter(|_| prints_certificate) {
        write!(out, "{certificate}")?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Args, Command};
    use clap::Parser;

    #[test]
    fn e2_a_sandbox_alone_can_be_told_whom_to_let_in() {
        let line = "botroupe sandbox --sdk-app-id 1400000001 --origin https://a.example \
                    --origin https://b.example --host sandbox.internal";
        let args = Args::try_parse_from(line.split_whitespace()).unwrap();
        let Command::Sandbox(args) = args.into_command() else {
            panic!("another command");
        };
        let config = settings(args.clone(), "k".into(), Some("geheim".into()));
        assert_eq!(config.origins, ["https://a.example", "https://b.example"]);
        assert_eq!(config.hosts, ["sandbox.internal"]);
        assert_eq!(config.token.unwrap().expose_secret(), "geheim");
        let without = settings(args, "k".into(), Some(" ".into()));
        assert!(
            without.token.is_none(),
            "an empty token would let everybody in"
        );
    }

    #[actix_rt::test]
    async fn whom_to_trust_is_printed_or_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        for ca in [None, Some(file.clone())] {
            let mut line = "botroupe sandbox --sdk-app-id 1400000001 --tls".to_owned();
            if let Some(file) = &ca {
                line.push_str(&format!(" --tls-ca {}", file.display()));
            }
            let args = Args::try_parse_from(line.split_whitespace()).unwrap();
            let Command::Sandbox(args) = args.into_command() else {
                panic!("another command");
            };
            let config = settings(args, "k".into(), None);
            assert_eq!(config.tls_ca_file, ca);
            let sandbox = Sandbox::start(config, ([127, 0, 0, 1], 0).into()).await;
            let sandbox = sandbox.unwrap();
            let mut out = Vec::new();
            ready(&sandbox, ca.is_none(), &mut out).unwrap();
            let told = String::from_utf8(out).unwrap();
            let (plain, secure) = (sandbox.url(), sandbox.secure_url().unwrap());
            let mut expected = format!("sandbox ready {plain}\nsandbox ready {secure}\n");
            let certificate = sandbox.certificate().unwrap().to_owned();
            match ca {
                None => expected.push_str(&certificate),
                Some(file) => assert_eq!(std::fs::read_to_string(file).unwrap(), certificate),
            }
            assert_eq!(told, expected);
            assert!(sandbox.stop().await);
        }
    }
}
