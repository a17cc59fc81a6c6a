//! Accounts that stand elsewhere: in files, or with a program or a service that is asked.

use crate::app::{Controller, fetch_accounts};
use crate::config::{AccountFile, AccountSource, Config, NetworkConfig};
use crate::gateway::use_first_net;
use actix::System;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// Asks a source which accounts there are, and how it is reached.
#[cfg(feature = "cli")]
pub(super) fn ask_blocking(asked: (AccountSource, NetworkConfig)) -> AccountFile {
    let source = asked.0.clone();
    let answer = begin(asked).and_then(|answer| answer.blocking_recv().unwrap_or_else(|_| lost()));
    AccountFile::answer(&source, answer)
}

/// Like [`ask_blocking`], under whatever async runtime.
pub(super) async fn ask(asked: (AccountSource, NetworkConfig)) -> AccountFile {
    let source = asked.0.clone();
    let answer = match begin(asked) {
        Ok(answer) => answer.await.unwrap_or_else(|_| lost()),
        Err(error) => Err(error),
    };
    AccountFile::answer(&source, answer)
}

/// How often a config without a source is looked at: a reload may bring one.
const LOOK: Duration = Duration::from_secs(60);

/// When a source of accounts is asked again.
pub(crate) struct Again(tokio::time::Instant);

impl Again {
    pub(crate) fn new(config: &Config) -> Self {
        let mut again = Self(tokio::time::Instant::now());
        again.put_off(config);
        again
    }

    /// Waits for the time; for ever when the config has no source.
    pub(crate) async fn due(&mut self, controller: &Controller) {
        loop {
            tokio::time::sleep_until(self.0).await;
            let config = controller.config();
            self.put_off(&config);
            if config.account_source.is_some() {
                return;
            }
        }
    }

    fn put_off(&mut self, config: &Config) {
        let source = config.account_source.as_ref();
        // A reload may bring one.
        let every = source.map_or(LOOK, |source| source.every);
        self.0 = tokio::time::Instant::now() + every;
    }
}

fn lost() -> Result<String, String> {
    Err("it could not be asked: a part of this program crashed".to_owned())
}

/// Begins to ask, on a thread of its own: the caller's may belong to any runtime, or to none.
fn begin(
    (source, network): (AccountSource, NetworkConfig),
) -> Result<oneshot::Receiver<Result<String, String>>, String> {
    // A fleet that runs has the settings of its start.
    use_first_net(&network).map_err(|error| error.to_string())?;
    let (tell, told) = oneshot::channel();
    let thread = thread::Builder::new().name("accounts".to_owned());
    let spawned = thread.spawn(move || {
        let answer = System::new().block_on(fetch_accounts(&source));
        let _ = tell.send(answer); // Whoever asked may have given up waiting.
    });
    spawned.map_err(|error| error.to_string())?;
    Ok(told)
}

/// The files that `accounts_from` names, in the order of their names. Relative ones start in the folder of the config.
pub(crate) fn files(config: &Path, text: &str) -> Vec<AccountFile> {
    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(default)]
        accounts_from: Vec<String>,
    }
    // What is wrong with the config is told by whoever reads all of it.
    let named = toml::from_str::<Named>(text);
    let patterns = named.map(|named| named.accounts_from).unwrap_or_default();
    let folder = config.parent().unwrap_or(Path::new(""));
    let mut files = Vec::new();
    for pattern in &patterns {
        let whole = folder.join(pattern);
        let name = whole.display().to_string();
        let failed = |reason: String| AccountFile::new(name.clone(), Err(reason));
        let paths = match glob::glob(&name) {
            Ok(paths) => paths,
            Err(error) => {
                files.push(failed(error.to_string()));
                continue;
            }
        };
        let before = files.len();
        files.extend(paths.map(|path| match path {
            Ok(path) => {
                let text = fs::read_to_string(&path).map_err(|error| error.to_string());
                AccountFile::new(path.display().to_string(), text)
            }
            Err(error) => failed(error.to_string()),
        }));
        let is_one = !pattern.contains(['*', '?', '[']);
        if files.len() == before && is_one {
            files.push(failed("there is no such file".to_owned()));
        }
    }
    files
}
