//! From the words of the config to those of an account: what it logs in with, and how it recovers.

use crate::account::{Credential, External, Policy, Redacted, TakeBack};
use crate::config::{AccountConfig, AccountPolicy, Config, TakeBackConfig, UserSigSource};
use crate::policy::Backoff;
use crate::proto::usersig::UserSig;
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Shares the SecretKey and the sources of UserSigs among all accounts.
pub(crate) struct Credentials {
    pub(super) key: Option<Arc<SecretString>>,
    /// By the address of what the config shares, which outlives this, and the time allowed.
    sources: HashMap<(usize, Duration), Arc<External>>,
}

impl Credentials {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            key: config.app.secret_key.clone().map(Arc::new),
            sources: HashMap::new(),
        }
    }

    pub(crate) fn minted(&self, lifetime: Duration) -> Option<Credential> {
        Some(Credential::Minted {
            key: self.key.clone()?,
            lifetime,
        })
    }

    pub(super) const fn any_for(&self, account: &AccountConfig) -> bool {
        account.user_sig.is_some() || account.user_sig_source.is_some() || self.key.is_some()
    }

    pub(super) fn of(&mut self, account: &AccountConfig) -> Option<Credential> {
        if let Some(sig) = &account.user_sig {
            let sig = UserSig::from(sig.expose_secret().to_owned());
            return Some(Credential::Static(sig));
        }
        if let Some(source) = &account.user_sig_source {
            let timeout = account.policy.user_sig_timeout;
            let shared = self
                .sources
                .entry((Arc::as_ptr(source).addr(), timeout))
                .or_insert_with(|| Arc::new(external(source, timeout)));
            return Some(Credential::External(shared.clone()));
        }
        self.minted(account.policy.user_sig_lifetime)
    }
}

fn external(source: &UserSigSource, timeout: Duration) -> External {
    let redacted = |secret: &SecretString| Redacted(secret.expose_secret().to_owned());
    match source {
        UserSigSource::File(path) => External::File(path.into()),
        UserSigSource::Env(name) => External::Env(name.clone()),
        UserSigSource::Command { program, args } => External::Command {
            program: program.clone(),
            args: args.clone(),
            timeout,
        },
        UserSigSource::Http { url, body, headers } => External::Http {
            url: url.clone(),
            body: body.as_ref().map(redacted),
            headers: headers
                .iter()
                .map(|(name, value)| (name.clone(), redacted(value)))
                .collect(),
            timeout,
        },
    }
}

/// Shares equal policies among accounts.
#[derive(Default)]
pub(super) struct Policies(Vec<(Arc<AccountPolicy>, Arc<Policy>)>);

impl Policies {
    pub(super) fn of(&mut self, config: &Arc<AccountPolicy>) -> Arc<Policy> {
        if let Some((_, policy)) = self.0.iter().find(|(known, _)| Arc::ptr_eq(known, config)) {
            return policy.clone();
        }
        let policy = Arc::new(policy(config));
        self.0.push((config.clone(), policy.clone()));
        policy
    }
}

pub(crate) fn policy(config: &AccountPolicy) -> Policy {
    let recovery = &config.recovery;
    Policy {
        // Checked by the config: longer than zero, in order.
        backoff: Backoff::new(config.backoff.min, config.backoff.max).unwrap_or_default(),
        stable_after: recovery.stable_after,
        login_spacing: config.login_spacing,
        connect_limit: recovery.connect_timeout,
        multiple_account: take_back(&recovery.multiple_account),
        multiple_device: take_back(&recovery.multiple_device),
        return_after: recovery.return_after,
        renew_at: recovery.renew_at,
        send_timeout: config.send_timeout,
        mark_read: recovery.mark_read,
    }
}

fn take_back(config: &TakeBackConfig) -> TakeBack {
    // As above.
    let cool_down = Backoff::new(config.cool_down_min, config.cool_down_max);
    let contest_retry = Backoff::new(config.contest_min, config.contest_max);
    TakeBack {
        cool_down: cool_down.unwrap_or(Backoff::COOL_DOWN),
        window: config.window,
        max: config.take_backs,
        contest_within: config.contest_within,
        contest_after: config.contest_after,
        contest_retry: contest_retry.unwrap_or(Backoff::CONTEST),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use crate::config::Sources;
    use std::collections::BTreeMap;

    fn config(text: &str) -> Config {
        Config::parse(Sources {
            file: "test.toml",
            text,
            env: &BTreeMap::new(),
            overrides: &[],
            known_bots: &[],
        })
        .unwrap()
    }

    #[test]
    fn a_config_that_says_nothing_gives_the_standard_policy() {
        let config = config(
            "endpoint = \"auto\"\n[app]\nsdk_app_id = 1400000001\nsecret_key = \"k\"\n\
             [[accounts]]\nuser_id = \"a\"\nbots = []\n",
        );
        assert_eq!(policy(&config.accounts[0].policy), Policy::standard());
    }

    #[test]
    fn every_key_of_recovery_arrives() {
        let config = config(
            r#"
            [app]
            sdk_app_id = 1400000001
            secret_key = "k"
            [[accounts]]
            user_id = "a"
            bots = []
            [accounts.recovery]
            stable_after = "1s"
            connect_timeout = "2s"
            return_after = "3s"
            renew_at = 0.5
            mark_read = false
            multiple_account = { cool_down_min = "4s", cool_down_max = "5s", window = "6s", take_backs = 7 }
            multiple_device = { contest_within = "8s", contest_after = 9, contest_min = "10s", contest_max = "11s" }
            "#,
        );
        let secs = Duration::from_secs;
        let expected = Policy {
            stable_after: secs(1),
            login_spacing: secs(1),
            connect_limit: secs(2),
            return_after: Some(secs(3)),
            renew_at: 0.5,
            mark_read: false,
            multiple_account: TakeBack {
                cool_down: Backoff::new(secs(4), secs(5)).unwrap(),
                window: secs(6),
                max: 7,
                ..TakeBack::STANDARD
            },
            multiple_device: TakeBack {
                contest_within: secs(8),
                contest_after: 9,
                contest_retry: Backoff::new(secs(10), secs(11)).unwrap(),
                ..TakeBack::STANDARD
            },
            ..Policy::standard()
        };
        assert_eq!(policy(&config.accounts[0].policy), expected);
    }

    #[test]
    fn accounts_share_a_source_and_what_stands_with_one_wins() {
        let config = config(
            r#"
            [app]
            sdk_app_id = 1400000001
            secret_key = "k"
            [defaults]
            bots = []
            user_sig_command = ["sign", "{user_id}"]
            [[accounts]]
            user_id = "a-{1..2}"
            [[accounts]]
            user_id = "slow"
            user_sig_timeout = "1m"
            [[accounts]]
            user_id = "own"
            user_sig_http = { url = "https://h/", body = "b", headers = { X = "y" } }
            "#,
        );
        let mut credentials = Credentials::new(&config);
        let found: Vec<Arc<External>> = config
            .accounts
            .iter()
            .map(|account| match credentials.of(account) {
                Some(Credential::External(source)) => source,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(Arc::ptr_eq(&found[0], &found[1]));
        let command = |secs| External::Command {
            program: "sign".to_owned(),
            args: vec!["{user_id}".to_owned()],
            timeout: Duration::from_secs(secs),
        };
        assert_eq!((&*found[1], &*found[2]), (&command(10), &command(60)));
        let http = External::Http {
            url: "https://h/".to_owned(),
            body: Some(Redacted("b".to_owned())),
            headers: vec![("X".to_owned(), Redacted("y".to_owned()))],
            timeout: Duration::from_secs(10),
        };
        assert_eq!(*found[3], http);
    }
}
