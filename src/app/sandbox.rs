//! The embedded server of a config.

use super::AppError;
use super::talk::Trouble;
use crate::config::{App, Config, Endpoint, SandboxDedupe, SandboxTlsConfig};
use crate::proto::id::UserId;
use crate::sandbox::{Dedupe, Fault, SandboxConfig, SandboxTls, Unknown};
use secrecy::SecretString;
use std::ffi::OsStr;
use std::path::PathBuf;

pub(super) use crate::sandbox::{Sandbox, SandboxError, SandboxRemote as Remote};

/// What two users have said to each other, oldest first: the sender, the time and the elements in JSON.
pub(super) fn history(remote: &Remote, a: &UserId, b: &UserId) -> Vec<(UserId, u64, String)> {
    let items = remote.history(a, b).into_iter();
    let items = items.filter(|item| !item.recalled);
    items
        .map(|item| (item.from, item.time, item.body))
        .collect()
}

/// The messages of a group, oldest first: the sender and the elements in JSON.
pub(super) fn group_history(remote: &Remote, group: &str) -> Vec<(String, String)> {
    let items = remote.group_history(group).into_iter();
    let items = items.filter(|item| !item.recalled);
    items.map(|item| (item.from, item.body)).collect()
}

/// Does what a server does to an account when it misbehaves.
pub(super) fn trouble(remote: &Remote, user: &UserId, kind: Trouble) -> Result<(), String> {
    let user = user.clone();
    let kick = |kind: u8, user| Fault::Kick { user, kind };
    let fault = match kind {
        Trouble::MultipleAccount => kick(1, user),
        Trouble::MultipleDevice => kick(2, user),
        Trouble::RestApiKick => kick(3, user),
        Trouble::UserSigExpired => Fault::Expire { user },
        Trouble::DropLink => Fault::DropLink { user },
        Trouble::StopAnswering => Fault::StopAnswering {
            user,
            seconds: Some(SILENCE),
        },
    };
    remote.fault(fault).map_err(|error| error.to_string())
}

/// For how many seconds a server does not answer: longer than a client waits.
const SILENCE: u64 = 60;

/// Starts the server that `[sandbox]` describes, for one app; `number` servers are there before it.
pub(super) async fn start(config: &Config, app: &App, number: usize) -> Result<Sandbox, AppError> {
    let listen = config.sandbox.listen_of(number);
    Ok(Sandbox::start(settings(config, app), listen).await?)
}

/// Reads the seed, the store and the certificate, and starts nothing.
///
/// # Errors
/// [`AppError::Sandbox`] for a file that cannot be read or is refused.
pub fn check_sandbox(config: &Config) -> Result<(), AppError> {
    let apps = config.apps.iter();
    for app in apps.filter(|app| app.endpoint == Endpoint::Sandbox) {
        Sandbox::check(settings(config, app))?;
    }
    Ok(())
}

/// The key of the config that causes the error.
pub(super) const fn key(error: &SandboxError) -> &'static str {
    match error {
        SandboxError::Seed(_) | SandboxError::SeedFile { .. } => "sandbox.seed",
        SandboxError::Store(_)
        | SandboxError::StoreFile { .. }
        | SandboxError::StoreInUse { .. } => "sandbox.store",
        SandboxError::Tls(_) => "sandbox.tls",
        SandboxError::Bind { .. } | SandboxError::Thread { .. } | SandboxError::Random(_) => {
            "sandbox.listen"
        }
    }
}

/// Whether a file that the config names causes the error, and not the machine.
pub(super) const fn is_mistake(error: &SandboxError) -> bool {
    matches!(
        error,
        SandboxError::Seed(_)
            | SandboxError::SeedFile { .. }
            | SandboxError::Store(_)
            | SandboxError::StoreFile { .. }
    )
}

/// A file or folder of one app alone: its name is in the file's.
fn own(path: Option<&PathBuf>, app: &App) -> Option<PathBuf> {
    let path = path?;
    let Some(name) = &app.name else {
        return Some(path.clone());
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let end = path.extension().map(OsStr::to_string_lossy);
    let end = end.map_or_else(String::new, |end| format!(".{end}"));
    Some(path.with_file_name(format!("{stem}-{name}{end}")))
}

fn settings(config: &Config, app: &App) -> SandboxConfig {
    let key = app
        .secret_key
        .clone()
        .unwrap_or_else(|| SecretString::from(String::new()));
    let mut sandbox = SandboxConfig::new(app.sdk_app_id, key);
    sandbox.administrators.clone_from(&config.sandbox.admins);
    sandbox.auto_import = config.sandbox.auto_import;
    sandbox.max_web_instances = config.sandbox.max_web_instances as usize;
    sandbox.hello_interval = config.sandbox.hello_interval;
    sandbox.media_dir = own(config.sandbox.media_dir.as_ref(), app);
    sandbox.seed_file.clone_from(&config.sandbox.seed);
    sandbox.store_file = own(config.sandbox.store.as_ref(), app);
    sandbox.origins.clone_from(&config.sandbox.origins);
    sandbox.hosts.clone_from(&config.sandbox.hosts);
    sandbox.token.clone_from(&config.sandbox.token);
    sandbox.unknown = if config.sandbox.refuse_unknown {
        Unknown::Refuse
    } else {
        Unknown::Warn
    };
    sandbox.dedupe = match config.sandbox.dedupe {
        SandboxDedupe::Documented => Dedupe::Documented,
        SandboxDedupe::None => Dedupe::None,
        SandboxDedupe::Forever => Dedupe::Forever,
    };
    sandbox.tls = match &config.sandbox.tls {
        SandboxTlsConfig::Off => None,
        SandboxTlsConfig::SelfSigned => Some(SandboxTls::SelfSigned),
        SandboxTlsConfig::Files { certificate, key } => Some(SandboxTls::Files {
            certificate: certificate.clone(),
            key: key.clone(),
        }),
    };
    sandbox.tls_ca_file = own(config.sandbox.tls_ca.as_ref(), app);
    // The accounts of the config exist, even where nobody else is imported.
    sandbox.accounts = config
        .accounts
        .iter()
        .filter(|account| account.name.app() == app.name.as_deref())
        .map(|account| account.name.user().clone())
        .collect();
    sandbox
}
