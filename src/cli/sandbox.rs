//! `botroupe sandbox`: the embedded server alone.

use super::args::SandboxArgs;
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
        _ => args.tls.then_some(SandboxTls::SelfSigned),
    };
    config
}

/// Serves until Ctrl-C or SIGTERM. Writes one line when it accepts connections.
///
/// # Errors
/// When the store or the seed is refused or the address cannot be listened on.
pub(super) fn sandbox(
    listen: SocketAddr,
    config: SandboxConfig,
    out: &mut dyn Write,
) -> Result<(), Failure> {
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
        writeln!(out, "sandbox ready {}", sandbox.url())
            .and_then(|()| out.flush())
            .map_err(Failure::Output)?;
        signals.stop().await;
        tracing::info!("stopping");
        tokio::select! {
            is_saved = sandbox.stop() => saved(is_saved),
            () = signals.again() => Err(Failure::Interrupted),
        }
    })
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
}
