//! `botroupe sandbox`: the embedded server alone.

use super::args::SandboxArgs;
use super::exit::{Failure, saved};
use super::signals::Signals;
use crate::sandbox::{Sandbox, SandboxConfig, SandboxError, SandboxTls};
use actix::prelude::*;
use secrecy::SecretString;
use std::io::Write;

/// Serves until Ctrl-C or SIGTERM. Writes one line when it accepts connections.
///
/// # Errors
/// When the store or the seed is refused or the address cannot be listened on.
pub(super) fn sandbox(
    args: SandboxArgs,
    key: SecretString,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    System::new().block_on(async {
        let mut signals = Signals::listen().map_err(|error| Failure::Runtime(error.into()))?;
        let mut config = SandboxConfig::new(args.sdk_app_id, key);
        config.administrators = args.admins;
        config.auto_import = args.auto_import;
        config.max_web_instances = args.max_web_instances as usize;
        config.hello_interval = args.hello_interval;
        config.seed_file = args.seed;
        config.store_file = args.store;
        config.tls = match (args.tls_cert, args.tls_key) {
            (Some(certificate), Some(key)) => Some(SandboxTls::Files { certificate, key }),
            _ => args.tls.then_some(SandboxTls::SelfSigned),
        };
        let sandbox = Sandbox::start(config, args.listen)
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
