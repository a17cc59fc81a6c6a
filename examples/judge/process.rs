//! The processes of bots: configured, started, killed, and started again.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use botroupe::sandbox::Sandbox;
use botroupe::store::{Store, StoreConfig};

use crate::{Result, trial::Plan};

/// Whether a fleet keeps a store. Unknown keys of a config are refused.
pub(crate) const HAS_STORE: bool = true;
/// The first word of a process of bots.
pub(crate) const BOTS: &str = "bots";
/// The SecretKey of the sandbox.
pub(crate) const KEY: &str = "judge";
/// Accounts of a process.
const ACCOUNTS: usize = 4;

/// A process of bots.
#[derive(Debug)]
pub(crate) struct Process {
    config: PathBuf,
    log: PathBuf,
    errors: PathBuf,
    store: PathBuf,
    bots: Vec<String>,
    child: Child,
}

impl Process {
    /// Writes the config of the process with this number, and starts it.
    pub(crate) fn start(
        folder: &Path,
        number: usize,
        plan: &Plan,
        sandbox: &Sandbox,
    ) -> Result<Self> {
        let file = |kind: &str| folder.join(format!("bots-{number}.{kind}"));
        let (config, log, errors, store) = (file("toml"), file("log"), file("err"), file("db"));
        let bots: Vec<String> = (0..ACCOUNTS)
            .map(|at| format!("bot-{number}-{at}"))
            .collect();
        fs::write(&config, text(plan, sandbox, &store, &bots))?;
        // Handlers may never run.
        File::create(&log)?;
        let child = spawn(&config, &log, &errors, plan.die_at.as_deref())?;
        Ok(Self {
            config,
            log,
            errors,
            store,
            bots,
            child,
        })
    }

    /// The UserIDs of its accounts.
    pub(crate) fn bots(&self) -> &[String] {
        &self.bots
    }

    /// The file of the runs of handlers.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// The store of its accounts.
    pub(crate) fn store(&self) -> &Path {
        &self.store
    }

    /// What it complained of.
    pub(crate) fn complaints(&self) -> String {
        fs::read_to_string(&self.errors).unwrap_or_default()
    }

    /// Kills it, with no chance to finish anything.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Kills it and starts it again at once.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.kill()?;
        self.child = spawn(&self.config, &self.log, &self.errors, None)?;
        Ok(())
    }

    /// Starts it again if it has ended by itself. Returns true if it had.
    pub(crate) fn revive(&mut self) -> Result<bool> {
        let is_dead = self.child.try_wait()?.is_some();
        if is_dead {
            self.child = spawn(&self.config, &self.log, &self.errors, None)?;
        }
        Ok(is_dead)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.kill();
    }
}

fn spawn(config: &Path, log: &Path, errors: &Path, die_at: Option<&str>) -> Result<Child> {
    let child = Command::new(std::env::current_exe()?)
        .arg(BOTS)
        .args([config, log])
        .args(die_at)
        // Its end tells the process that this one has ended.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(File::options().create(true).append(true).open(errors)?)
        .spawn()?;
    Ok(child)
}

/// The text of a config. Logins are as quick as the sandbox allows: what is judged is what survives.
fn text(plan: &Plan, sandbox: &Sandbox, store: &Path, bots: &[String]) -> String {
    let mut text = format!(
        "endpoint = \"{}\"\n\
         [app]\n\
         sdk_app_id = {}\n\
         secret_key = \"{KEY}\"\n\
         [governor]\n\
         logins_per_second = 10000\n\
         burst = 1000\n\
         [host]\n\
         threads = 1\n",
        sandbox.url(),
        sandbox.app(),
    );
    if HAS_STORE {
        let path = match plan.stores {
            true => store.display().to_string(),
            false => ":memory:".to_owned(),
        };
        text.push_str(&format!("[store]\npath = {path:?}\n"));
    }
    text.push_str(
        "[defaults]\n\
         user_sig_lifetime = \"365d\"\n\
         login_spacing = \"0s\"\n\
         backoff = { min = \"20ms\", max = \"200ms\" }\n",
    );
    if HAS_STORE && !plan.dedupes {
        text.push_str("recovery = { trust_send_keys = false }\n");
    }
    for bot in bots {
        text.push_str(&format!(
            "[[accounts]]\nuser_id = \"{bot}\"\nbots = [\"judge\"]\n"
        ));
    }
    text
}

/// How many replies the store of a process has settled as unknown.
pub(crate) fn unknown_in_store(store: &Path) -> Result<u64> {
    if !store.exists() {
        return Ok(0);
    }
    let store = Store::open(store, StoreConfig::default())?;
    let unknown = store.condition().counts.unknown;
    store.close();
    Ok(unknown)
}
