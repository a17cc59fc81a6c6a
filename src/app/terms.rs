//! Turns the UserSigs, sources and keys of a config into credentials of accounts.

use super::AppError;
use crate::account::{self, Credential, External, Redacted, fetch_key};
use crate::config::{AccountConfig, AccountSource, App, Config, SecretSource};
use crate::proto::usersig::UserSig;
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Shares the SecretKey and the sources of UserSigs among all accounts of an app.
pub(crate) struct Credentials {
    pub(super) key: Option<Arc<SecretString>>,
    /// Keyed by the address of the source, which the config keeps alive, and by its timeout.
    sources: HashMap<(usize, Duration), Arc<External>>,
}

impl Credentials {
    pub(crate) fn new(app: &App) -> Self {
        Self {
            key: app.secret_key.clone().map(Arc::new),
            sources: HashMap::new(),
        }
    }

    pub(crate) fn minted(&self, lifetime: Duration) -> Option<Credential> {
        Some(Credential::Minted {
            key: self.key.clone()?,
            lifetime,
        })
    }

    /// Whether there is any for an account of this app.
    pub(super) const fn any_for(app: &App, account: &AccountConfig) -> bool {
        account.user_sig.is_some() || account.user_sig_source.is_some() || app.secret_key.is_some()
    }

    pub(super) fn of(&mut self, account: &AccountConfig) -> Option<Credential> {
        if let Some(sig) = &account.user_sig {
            let sig = UserSig::from(sig.expose_secret().to_owned());
            return Some(Credential::Static(sig));
        }
        if let Some(source) = &account.user_sig_source {
            let timeout = account.user_sig_timeout;
            let shared = self
                .sources
                .entry((Arc::as_ptr(source).addr(), timeout))
                .or_insert_with(|| Arc::new(external(source, timeout)));
            return Some(Credential::External(shared.clone()));
        }
        self.minted(account.user_sig_lifetime)
    }
}

/// How long a program or a service may take to give the SecretKey.
const KEY_LIMIT: Duration = Duration::from_secs(30);
/// How long they may take to say which accounts there are.
const ACCOUNTS_LIMIT: Duration = Duration::from_secs(60);

/// Fetches the SecretKeys that are somewhere else, all at the same time.
///
/// # Errors
/// [`AppError::SecretKey`].
pub(crate) async fn fetch_secret_keys(config: &mut Config) -> Result<(), AppError> {
    let apps = config.apps.iter_mut();
    let fetched = apps.map(async |app| {
        let Some(source) = &app.secret_key_source else {
            return Ok(());
        };
        let source = external(source, KEY_LIMIT);
        let key = fetch_key(&source).await;
        app.secret_key = Some(key.map_err(|reason| AppError::SecretKey {
            from: source.to_string(),
            reason,
        })?);
        Ok(())
    });
    futures_util::future::try_join_all(fetched).await.map(drop)
}

/// Asks a source which accounts there are.
///
/// # Errors
/// Why there is no answer.
pub(crate) async fn fetch_accounts(source: &AccountSource) -> Result<String, String> {
    account::fetch_accounts(&external(&source.from, ACCOUNTS_LIMIT)).await
}

fn external(source: &SecretSource, timeout: Duration) -> External {
    let redacted = |secret: &SecretString| Redacted(secret.expose_secret().to_owned());
    match source {
        SecretSource::File(path) => External::File(path.into()),
        SecretSource::Env(name) => External::Env(name.clone()),
        SecretSource::Command { program, args } => External::Command {
            program: program.clone(),
            args: args.clone(),
            timeout,
        },
        SecretSource::Http { url, body, headers } => External::Http {
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
        let mut credentials = Credentials::new(&config.apps[0]);
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
