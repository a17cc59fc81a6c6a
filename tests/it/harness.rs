//! Shared helpers of the tests: a sandbox, an app that uses it, and waiting.

use botroupe::account::{Phase, Status};
use botroupe::app::App;
use botroupe::bot::Bots;
use botroupe::config::{Config, Sources};
use botroupe::proto::id::SdkAppId;
use botroupe::proto::message::Element;
use botroupe::sandbox::{Sandbox, SandboxConfig, Unknown};
use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, OnceLock};
use std::time::Duration;
use tokio::time::{Instant, interval};

/// The SDKAppID of all tests.
pub(crate) const APP: u32 = 1_400_000_001;
/// The SecretKey of all tests. It must not appear in any output.
pub(crate) const KEY: &str = "marker-secret-key";

/// The time limit of every wait. It is generous, because it only determines how long a failing test
/// takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a sandbox on its own thread. It rejects unknown commands, because an empty success could
/// hide a missing feature from a test.
pub(crate) fn sandbox(change: impl FnOnce(&mut SandboxConfig)) -> Sandbox {
    let mut config = SandboxConfig::new(SdkAppId::new(APP).unwrap(), KEY);
    config.unknown = Unknown::Refuse;
    change(&mut config);
    Sandbox::spawn_thread(config, ([127, 0, 0, 1], 0).into()).unwrap()
}

/// Creates a config in `folder` with one account and its own sandbox. `line` contains further
/// settings of the sandbox.
pub(crate) fn config_in(folder: &Path, line: &str) -> Config {
    let text = format!(
        "endpoint = \"sandbox\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n\
         [sandbox]\nlisten = \"127.0.0.1:0\"\n{line}\n\
         [[accounts]]\nuser_id = \"bot\"\nbots = []\n"
    );
    Config::parse(Sources::new(
        &folder.join("config.toml").display().to_string(),
        &text,
        &BTreeMap::new(),
    ))
    .unwrap()
}

/// Creates a config for `endpoint` with short waits after every fault, and appends `more`.
pub(crate) fn config(endpoint: &str, bots: &Bots, more: &str) -> Config {
    let text = format!(
        r#"
        endpoint = "{endpoint}"
        [app]
        sdk_app_id = {APP}
        secret_key = "{KEY}"
        [defaults]
        login_spacing = "0s"
        backoff = {{ min = "20ms", max = "200ms" }}
        {more}
        "#
    );
    let names: Vec<&str> = bots.names().collect();
    let file = file_in_fresh_folder();
    Config::parse(Sources::new(&file, &text, &BTreeMap::new()).known_bots(&names)).unwrap()
}

/// The name of a config file in a folder of its own, where its store will be.
pub(crate) fn file_in_fresh_folder() -> String {
    static FOLDERS: OnceLock<PathBuf> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let folders = FOLDERS.get_or_init(|| {
        let folders = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stores");
        // What an earlier run has left.
        let _ = fs::remove_dir_all(&folders);
        folders
    });
    let folder = folders.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
    fs::create_dir_all(&folder).unwrap();
    folder.join("config.toml").display().to_string()
}

/// Starts `accounts`, each with all of `bots`.
pub(crate) async fn start(endpoint: &str, bots: &Bots, accounts: &[&str], more: &str) -> App {
    let names: Vec<&str> = bots.names().collect();
    let entries: String = accounts
        .iter()
        .map(|user| format!("[[accounts]]\nuser_id = \"{user}\"\nbots = {names:?}\n"))
        .collect();
    App::start(
        &config(endpoint, bots, &format!("{more}\n{entries}")),
        bots,
        None,
    )
    .await
    .unwrap()
}

/// Waits until `look` returns a value.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut ticks = interval(Duration::from_millis(5));
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "still waiting after {PATIENCE:?}: {what}"
        );
        ticks.tick().await;
    }
}

/// Returns the status of one account.
pub(crate) async fn status(app: &App, user: &str) -> Status {
    app.status()
        .await
        .into_iter()
        .find(|status| status.account.as_str() == user)
        .unwrap()
}

/// Waits until an account is in `phase`.
pub(crate) async fn phase(app: &App, user: &str, phase: Phase) -> Status {
    eventually(&format!("{user} {}", phase.word()), || async {
        Some(status(app, user).await).filter(|status| status.phase == phase)
    })
    .await
}

/// Returns the messages from `from` to `to`, oldest first.
pub(crate) fn said(sandbox: &Sandbox, from: &str, to: &str) -> Vec<String> {
    sandbox
        .history(from, to)
        .into_iter()
        .filter(|item| item.from.as_str() == from)
        .filter_map(|item| {
            let elements: Vec<Element> = serde_json::from_str(&item.body).unwrap();
            elements.into_iter().find_map(|element| match element {
                Element::Text(text) => Some(text.text),
                _ => None,
            })
        })
        .collect()
}

/// Blocks every thread that calls it, until the test opens it.
pub(crate) struct Gate(Mutex<bool>, Condvar);

impl Gate {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(false), Condvar::new())
    }

    pub(crate) fn block(&self) {
        let closed = self.0.lock().unwrap();
        drop(self.1.wait_while(closed, |open| !*open).unwrap());
    }

    pub(crate) fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }
}
