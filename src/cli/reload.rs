//! Reads the config anew while the process runs, and puts it in the place of the running one.

use super::args::ReloadArgs;
use super::control;
use super::exit::Failure;
use super::load::load;
use super::output;
use super::run::look_at_handles;
use crate::app::{Action, Controller, Plan, ReloadError};
use crate::bot::Bots;
use crate::config::{AccountFile, Config, LogFormat, RecordConfig, SecretSource};
use crate::fleet::{FleetError, ProcessEnv, account_files, ask_again};
use crate::gateway::now;
use crate::store::Deed;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often a watched config is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What the config of a process is made from, each time anew: the file, and what the command line said.
pub(super) struct ConfigSource {
    pub(super) path: PathBuf,
    pub(super) overrides: Vec<(String, String)>,
    pub(super) record: Option<RecordConfig>,
    pub(super) bots: Bots,
}

impl ConfigSource {
    /// Reads and checks it. Blocks.
    ///
    /// # Errors
    /// [`Failure::ConfigFile`], [`Failure::Config`].
    pub(super) fn read(&self) -> Result<Config, Failure> {
        let mut config = load(&self.path, &self.overrides, &ProcessEnv, &self.bots)?;
        config.record.clone_from(&self.record);
        // More accounts need more files.
        look_at_handles(&config)?;
        Ok(config)
    }

    /// The running config, with what its source of accounts says now; `None` without one. Blocks.
    fn ask_again(&self, running: &Config) -> Result<Option<Config>, Failure> {
        let asked = ask_again(running, &self.overrides, &ProcessEnv, &self.bots);
        let asked = asked.map_err(|error| match error {
            FleetError::Config(errors) => Failure::Config(errors),
            other => Failure::Runtime(other.into()),
        })?;
        let Some(mut config) = asked else {
            return Ok(None);
        };
        config.record.clone_from(&self.record);
        look_at_handles(&config)?;
        Ok(Some(config))
    }
}

/// `botroupe plan` and, with `is_done`, `botroupe reload`.
///
/// # Errors
/// When no process answers, the config is wrong, or it cannot be put in the place of the running one.
pub(super) fn order(args: &ReloadArgs, is_done: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let plan = control::reload(args.path(), is_done)?;
    let text = if args.json {
        let json = serde_json::to_string(&plan);
        json.map_err(|error| Failure::Internal(error.to_string()))? + "\n"
    } else {
        plan.text
    };
    out.write_all(text.as_bytes()).map_err(Failure::Output)
}

/// Plans and carries out reloads. Cheap to clone.
#[derive(Clone)]
pub(super) struct Reloads {
    source: Arc<ConfigSource>,
    controller: Controller,
}

impl Reloads {
    pub(super) const fn new(source: Arc<ConfigSource>, controller: Controller) -> Self {
        Self { source, controller }
    }

    /// How many accounts run.
    pub(super) fn accounts(&self) -> usize {
        self.controller.accounts()
    }

    async fn read(&self) -> Result<Config, Failure> {
        let source = self.source.clone();
        // The disk may be slow, and bots are made to check their settings.
        let read = tokio::task::spawn_blocking(move || source.read());
        let died = |error: tokio::task::JoinError| Failure::Internal(error.to_string());
        read.await.map_err(died)?
    }

    /// Reads the config and puts it in the place of the running one.
    ///
    /// # Errors
    /// When the config cannot be read, is wrong, or cannot be put in the place of the running one; then nothing has
    /// changed.
    pub(super) async fn reload(&self) -> Result<Plan, Failure> {
        let config = self.read().await?;
        let done = self.controller.reload(config).await;
        done.map_err(|error| match error {
            ReloadError::NeedsRestart(_) | ReloadError::Start(_) | ReloadError::NotMade { .. } => {
                Failure::Usage(error.to_string())
            }
            other => Failure::Runtime(other.into()),
        })
    }

    /// Asks the source of accounts again, and takes over what it says. When it fails, what runs goes on.
    pub(super) async fn ask_again(&self, format: LogFormat) {
        let (source, running) = (self.source.clone(), self.controller.config());
        let asked = tokio::task::spawn_blocking(move || source.ask_again(&running)).await;
        let asked = asked.unwrap_or_else(|error| Err(Failure::Internal(error.to_string())));
        let config = match asked {
            Ok(Some(config)) => config,
            Ok(None) => return,
            Err(failure) => {
                tracing::warn!(reason = %failure, "the source of accounts was asked in vain; the accounts stay as they are");
                return;
            }
        };
        let accounts = self.controller.reload_accounts(config).await;
        match accounts {
            Ok(plan) if plan.is_empty() => {}
            Ok(plan) => {
                let what = serde_json::json!({"accounts": {
                    "started": plan.count(Action::Start), "stopped": plan.count(Action::Stop),
                    "changed": plan.count(Action::Change) + plan.count(Action::Relink),
                }});
                self.write_down("the source of accounts", what.to_string())
                    .await;
                shown(&plan, format);
            }
            Err(error) => {
                tracing::warn!(reason = %error, "what the source of accounts says was not taken over; the accounts stay as they are");
            }
        }
    }

    async fn write_down(&self, origin: &str, what: String) {
        let deed = Deed {
            at: now().unix_secs(),
            who: "the system".to_owned(),
            origin: origin.to_owned(),
            what,
        };
        if let Err(error) = self.controller.audit(deed).await {
            tracing::error!(%error, "a reload is not written down in the store");
        }
    }

    /// A reload that a signal or a change of the file has asked for: what comes of it goes to the terminal and the log.
    pub(super) async fn reload_aloud(&self, format: LogFormat) {
        let what = "{\"reload\":true}".to_owned();
        self.write_down("SIGHUP or --watch", what).await;
        match self.reload().await {
            Ok(plan) => shown(&plan, format),
            // The config that runs goes on: that is what people have to know first.
            Err(failure) if format == LogFormat::Pretty => {
                tracing::error!("the config was not reloaded; the one before goes on");
                output::err(&failure.to_string());
            }
            Err(reason) => {
                tracing::error!(%reason, "the config was not reloaded; the one before goes on");
            }
        }
    }
}

/// Says what was done.
fn shown(plan: &Plan, format: LogFormat) {
    match format {
        LogFormat::Pretty => output::out(plan.to_string().trim_end()),
        LogFormat::Json => output::out(&serde_json::json!({ "reloaded": plan }).to_string()),
    }
}

/// Looks at the config file from time to time, at those of its accounts, and at that of its SecretKey.
pub(super) struct Watch {
    config: PathBuf,
    /// The files of SecretKeys.
    keys: Vec<PathBuf>,
    /// What the process runs, or has refused.
    known: Contents,
    /// What was seen a moment ago: somebody may still be writing.
    seen: Contents,
}

/// The contents of all files; `None` when the config or a key is gone.
type Contents = Option<(String, Vec<Vec<u8>>, Vec<AccountFile>)>;

impl Watch {
    /// Starts with the files as they are now.
    pub(super) fn new(source: &ConfigSource, config: &Config) -> Self {
        let sources = config.apps.iter();
        let keys = sources.filter_map(|app| match app.secret_key_source.as_deref() {
            Some(SecretSource::File(path)) => Some(path.into()),
            _ => None,
        });
        let keys: Vec<PathBuf> = keys.collect();
        let known = read_all(&source.path, &keys);
        Self {
            config: source.path.clone(),
            keys,
            seen: known.clone(),
            known,
        }
    }

    /// Waits until something has changed and is the same for two looks. A file that is gone is no change.
    pub(super) async fn changed(&mut self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let (config, keys) = (self.config.clone(), self.keys.clone());
            let read = tokio::task::spawn_blocking(move || read_all(&config, &keys)).await;
            let Ok(now @ Some(_)) = read else {
                continue;
            };
            let is_settled = now == self.seen;
            let is_new = now != self.known;
            self.seen.clone_from(&now);
            if is_settled && is_new {
                self.known = now;
                return;
            }
        }
    }
}

fn read_all(config: &Path, keys: &[PathBuf]) -> Contents {
    let text = std::fs::read_to_string(config).ok()?;
    let keys = keys.iter().map(|key| std::fs::read(key).ok());
    let keys: Option<Vec<Vec<u8>>> = keys.collect();
    let files = account_files(config, &text);
    Some((text, keys?, files))
}
