//! The limit of open files, and the number of accounts that it suffices for.

use crate::config::{Config, Endpoint};
use crate::gateway::BESIDE_LINKS as BESIDE;

/// With fewer, not even the threads can be started.
const LEAST: u64 = 48;
/// The most that is ever requested: some systems report "unlimited" and then refuse larger numbers.
const MOST: u64 = 1 << 20;

/// File handles that are allowed, and that a config needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handles {
    /// The current limit; `None` if there is none.
    pub(super) allowed: Option<u64>,
    /// The limit to which the process itself can raise that.
    pub(super) most: Option<u64>,
    needed: u64,
    each: u64,
    accounts: u64,
}

impl Handles {
    /// Reads the limits without changing them.
    pub(super) fn of(config: &Config) -> Self {
        let enabled = config.accounts.iter().filter(|account| account.enabled);
        let accounts = enabled.count() as u64;
        let (allowed, most) = limits();
        Self::new(
            accounts,
            config
                .apps
                .iter()
                .any(|app| app.endpoint == Endpoint::Sandbox),
            allowed,
            most,
        )
    }

    const fn new(accounts: u64, sandbox: bool, allowed: Option<u64>, most: Option<u64>) -> Self {
        // The sandbox's side of a connection is in the same process.
        let each = if sandbox { 2 } else { 1 };
        Self {
            allowed,
            most,
            needed: accounts * each + BESIDE,
            each,
            accounts,
        }
    }

    /// Raises the limit as far as needed and possible.
    pub(super) fn raise(self) -> Self {
        let wanted = self.most.unwrap_or(MOST).min(MOST);
        if self.allowed.is_some_and(|allowed| allowed < wanted) {
            set_limit(wanted);
        }
        let (allowed, most) = limits();
        Self {
            allowed,
            most,
            ..self
        }
    }

    /// Whether the process can run at all.
    pub(super) fn is_enough_to_start(&self) -> bool {
        self.allowed.is_none_or(|allowed| allowed >= LEAST)
    }

    /// How many accounts fit; `None` when all do.
    pub(super) fn fitting(&self, allowed: Option<u64>) -> Option<u64> {
        let allowed = allowed.filter(|allowed| *allowed < self.needed)?;
        Some((allowed.saturating_sub(BESIDE) / self.each).min(self.accounts))
    }

    /// How many the config needs.
    pub(super) const fn needed(&self) -> u64 {
        self.needed
    }

    /// What to do about it.
    pub(super) fn remedy(&self) -> String {
        format!(
            "allow {} (LimitNOFILE= of a systemd service, nofile in limits.conf, ulimit -n)",
            self.needed
        )
    }

    /// One line for `botroupe check`.
    pub(super) fn summary(&self) -> String {
        let Some(most) = self.most else {
            return "files     no limit".to_owned();
        };
        match self.fitting(self.most) {
            None => format!("files     {} needed, {most} allowed", self.needed),
            Some(fitting) => format!(
                "files     {} needed, {most} allowed: only {fitting} accounts fit; {}",
                self.needed,
                self.remedy()
            ),
        }
    }
}

#[cfg(unix)]
fn limits() -> (Option<u64>, Option<u64>) {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    (limit.current, limit.maximum)
}

#[cfg(unix)]
fn set_limit(wanted: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = Rlimit {
        current: Some(wanted),
        maximum: getrlimit(Resource::Nofile).maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, wanted, "the limit of open files stays as it is");
    }
}

#[cfg(not(unix))]
const fn limits() -> (Option<u64>, Option<u64>) {
    (None, None)
}

#[cfg(not(unix))]
const fn set_limit(_: u64) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_many_accounts_fit() {
        let cloud = Handles::new(2000, false, Some(1024), Some(4096));
        assert_eq!(cloud.fitting(cloud.allowed), Some(960));
        assert_eq!(cloud.fitting(cloud.most), None, "after raising");
        let sandbox = Handles::new(2000, true, Some(1024), Some(1024));
        assert_eq!(sandbox.fitting(sandbox.allowed), Some(480));
        assert!(sandbox.summary().contains("only 480 accounts fit"));
        assert!(sandbox.summary().contains("allow 4064 (LimitNOFILE="));
        assert_eq!(Handles::new(7, true, None, None).fitting(None), None);
        let tiny = Handles::new(7, true, Some(20), Some(20));
        assert!(!tiny.is_enough_to_start());
        assert_eq!(tiny.fitting(tiny.allowed), Some(0));
    }
}
