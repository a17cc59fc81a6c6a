//! `--set KEY=VALUE`, for every command that reads a config.

use std::{convert::Infallible, fmt};

use clap::Args as ClapArgs;

use crate::config;

/// `--set`, wherever a config is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, ClapArgs)]
pub(super) struct SetArgs {
    /// Sets one key of the config, over the file and the environment; can be repeated.
    ///
    /// Lists are written as in TOML or with commas: --set defaults.bots=echo,counter.
    #[arg(long, value_name = "KEY=VALUE", value_parser = Override::read)]
    set: Vec<Override>,
}

impl SetArgs {
    /// The pairs, in the order given.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let pairs = self.set.iter();
        pairs
            .map(|set| (set.key.clone(), set.value.clone().unwrap_or_default()))
            .collect()
    }

    /// What is wrong with them, without their values.
    pub(super) fn mistake(&self) -> Option<String> {
        if let Some(set) = self.set.iter().find(|set| is_secret(set)) {
            return Some(format!(
                "--set {0}: a secret on the command line can be read by every user of this machine; \
                 give it as the environment variable {1}, or write ${{NAME}} in the config",
                set.key,
                config::env_name(&set.key)
            ));
        }
        let is_no_pair = |set: &Override| set.value.is_none() || set.key.is_empty();
        let found = self.set.iter().any(is_no_pair);
        found.then(|| "--set takes KEY=VALUE, as in `--set sandbox.listen=127.0.0.1:0`".to_owned())
    }
}

/// One `--set`. `Debug` shows the key only, because the value may be a secret. For the same reason parsing never
/// fails here: clap would print the whole text.
#[derive(Clone, PartialEq, Eq)]
struct Override {
    key: String,
    /// `None` without `=`.
    value: Option<String>,
}

impl Override {
    #[expect(clippy::unnecessary_wraps, reason = "clap wants a Result")]
    fn read(text: &str) -> Result<Self, Infallible> {
        Ok(match text.split_once('=') {
            Some((key, value)) => Self {
                key: key.trim().to_owned(),
                value: Some(value.to_owned()),
            },
            None => Self {
                key: String::new(),
                value: None,
            },
        })
    }
}

impl fmt::Debug for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Override").field(&self.key).finish()
    }
}

/// Whether the value is a secret: the key tells, and a proxy URL does if it holds a password.
fn is_secret(set: &Override) -> bool {
    let key = set.key.trim();
    let last = key.rsplit('.').next().unwrap_or_default().trim();
    let is_for_proxy = key == "proxy.url" || key == "proxy";
    matches!(last, "secret_key" | "user_sig")
        || key == "sandbox.token"
        || (is_for_proxy && set.value.as_ref().is_some_and(|value| value.contains('@')))
}
