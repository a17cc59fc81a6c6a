//! What is different between two configs, key by key, and what it takes to change it.

use super::plan::Action;
use crate::config::{
    AccountConfig, AccountProxy, AdminConfig, App, BotSettings, Config, Endpoint, LogConfig,
    LogLevel, NetworkConfig, SecretSource,
};
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeMap, BTreeSet};

/// A key of the whole fleet, and whether two configs have the same there.
type Key = (&'static str, fn(&Config, &Config) -> bool);

/// What only a start of the process can change.
const FIXED: [Key; 8] = [
    ("sandbox", |a, b| same_sandbox(a, b)),
    ("host", |a, b| a.host == b.host),
    ("tls, proxy or io", |a, b| {
        same_network(&a.network, &b.network)
    }),
    ("io", |a, b| a.io == b.io),
    ("store", |a, b| a.store == b.store),
    ("admin.listen or tls", |a, b| {
        (a.admin.listen, &a.admin.tls) == (b.admin.listen, &b.admin.tls)
    }),
    ("log.format, journal, burst or file", |a, b| {
        outlets(&a.log) == outlets(&b.log)
    }),
    ("traces", |a, b| a.traces == b.traces),
];

/// What changes while the fleet runs, besides accounts and bots.
const IN_PLACE: [Key; 4] = [
    ("alerts", |a, b| a.alerts == b.alerts),
    ("log levels", |a, b| levels(&a.log) == levels(&b.log)),
    ("admin.tokens, hosts, origins or ready_share", |a, b| {
        let of = |config: &Config| AdminConfig {
            listen: None,
            tls: None,
            ..config.admin.clone()
        };
        of(a) == of(b)
    }),
    ("shutdown", |a, b| a.shutdown == b.shutdown),
];

/// A key of an app, and whether two configs have the same there.
type AppKey = (&'static str, fn(&App, &App) -> bool);

/// What only a start of the process can change of an app.
const APP_FIXED: [AppKey; 2] = [
    ("endpoint", |a, b| a.endpoint == b.endpoint),
    ("sdk_app_id", |a, b| a.sdk_app_id == b.sdk_app_id),
];

/// What changes of an app while it runs.
const APP_IN_PLACE: [AppKey; 3] = [
    ("secret_key", |a, b| {
        same_secret(a.secret_key.as_ref(), b.secret_key.as_ref())
    }),
    ("admin", |a, b| a.admin == b.admin),
    ("governor", |a, b| a.governor == b.governor),
];

pub(super) fn needs_restart(running: &Config, new: &Config) -> Vec<String> {
    let mut keys = differing_in_apps(&APP_FIXED, running, new);
    // An embedded server begins and ends with the process.
    for (one, other) in [(running, new), (new, running)] {
        let served = one
            .apps
            .iter()
            .filter(|app| app.endpoint == Endpoint::Sandbox);
        let alone = served.filter(|app| same_app(app, other).is_none());
        keys.extend(alone.map(|app| match &app.name {
            Some(name) => format!("apps.{name} (in the sandbox)"),
            None => "app (in the sandbox)".to_owned(),
        }));
    }
    keys.extend(differing(&FIXED, running, new));
    keys
}

pub(super) fn changed_in_place(running: &Config, new: &Config) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for (one, other, word) in [(new, running, "new"), (running, new, "gone")] {
        let alone = one.apps.iter().filter(|app| same_app(app, other).is_none());
        keys.extend(alone.map(|app| match &app.name {
            Some(name) => format!("apps.{name} ({word})"),
            None => format!("app ({word})"),
        }));
    }
    keys.extend(differing_in_apps(&APP_IN_PLACE, running, new));
    keys.extend(differing(&IN_PLACE, running, new));
    keys
}

/// The app of the same name in another config.
pub(super) fn same_app<'c>(app: &App, other: &'c Config) -> Option<&'c App> {
    other.apps.iter().find(|it| it.name == app.name)
}

/// A key of an app, as it is written in the config.
fn app_key(app: &App, key: &str) -> String {
    match (&app.name, key) {
        (Some(name), _) => format!("apps.{name}.{key}"),
        (None, "endpoint" | "governor") => key.to_owned(),
        (None, _) => format!("app.{key}"),
    }
}

fn differing_in_apps(keys: &[AppKey], running: &Config, new: &Config) -> Vec<String> {
    let apps = new.apps.iter();
    let pairs = apps.filter_map(|after| Some((same_app(after, running)?, after)));
    let found = pairs.flat_map(|(before, after)| {
        let keys = keys.iter().filter(move |(_, same)| !same(before, after));
        keys.map(move |(key, _)| app_key(after, key))
    });
    found.collect()
}

fn differing(keys: &[Key], running: &Config, new: &Config) -> Vec<String> {
    let keys = keys.iter().filter(|(_, same)| !same(running, new));
    keys.map(|(key, _)| (*key).to_owned()).collect()
}

/// What has to happen to an account that is enabled in both configs, and because of what; `None` for nothing.
pub(super) fn step(
    (running, before): (&Config, &AccountConfig),
    (new, after): (&Config, &AccountConfig),
) -> Option<(Action, Vec<String>)> {
    let mut because = Vec::new();
    if before.bots != after.bots {
        because.push("bots".to_owned());
    }
    for bot in changed_settings((running, before), (new, after)) {
        because.push(format!("settings of {bot}"));
    }
    because.extend(credential((running, before), (new, after)));
    if before.policy != after.policy {
        because.push("recovery, sending or reading".to_owned());
    }
    let apps = running.app_of(before).zip(new.app_of(after));
    let is_probing = |app: &App| app.admin.is_some() && app.secret_key.is_some();
    if let Some((one, other)) = apps
        && is_probing(one) != is_probing(other)
    {
        because.push(app_key(other, "admin"));
    }
    if !same_proxy(before.proxy.as_deref(), after.proxy.as_deref()) {
        because.insert(0, "proxy".to_owned());
        return Some((Action::Relink, because));
    }
    (!because.is_empty()).then_some((Action::Change, because))
}

/// The bots that run on the account before and after, with other settings.
pub(super) fn changed_settings<'a>(
    (running, before): (&'a Config, &'a AccountConfig),
    (new, after): (&'a Config, &'a AccountConfig),
) -> BTreeSet<&'a str> {
    let settings = |account: &'a AccountConfig,
                    config: &'a Config,
                    bot: &str|
     -> Option<&'a BotSettings> { account.bot_settings(bot, &config.bots).0 };
    let bots = after.bots.iter().map(|bot| &**bot);
    let stays = bots.filter(|bot| before.bots.iter().any(|known| **known == **bot));
    let others = stays.filter(|bot| settings(before, running, bot) != settings(after, new, bot));
    others.collect()
}

/// The keys on which the account's UserSigs depend and that are different.
pub(super) fn credential(
    (running, before): (&Config, &AccountConfig),
    (new, after): (&Config, &AccountConfig),
) -> Vec<String> {
    let mut keys = Vec::new();
    if !same_secret(before.user_sig.as_ref(), after.user_sig.as_ref()) {
        keys.push("user_sig".to_owned());
    }
    let sources = (
        before.user_sig_source.as_deref(),
        after.user_sig_source.as_deref(),
    );
    match sources {
        (None, None) => {}
        (Some(one), Some(other)) if same_source(one, other) => {
            if before.user_sig_timeout != after.user_sig_timeout {
                keys.push("user_sig_timeout".to_owned());
            }
        }
        (one, other) => keys.extend(other.or(one).map(|source| source.key().to_owned())),
    }
    let is_minted =
        |account: &AccountConfig| account.user_sig.is_none() && account.user_sig_source.is_none();
    if is_minted(before) && is_minted(after) {
        if let Some((one, other)) = running.app_of(before).zip(new.app_of(after))
            && !same_secret(one.secret_key.as_ref(), other.secret_key.as_ref())
        {
            keys.push(app_key(other, "secret_key"));
        }
        if before.user_sig_lifetime != after.user_sig_lifetime {
            keys.push("user_sig_lifetime".to_owned());
        }
    }
    keys
}

/// What a log is written to.
fn outlets(log: &LogConfig) -> LogConfig {
    let none = LogConfig::default();
    LogConfig {
        level: none.level,
        modules: none.modules,
        accounts: none.accounts,
        ..log.clone()
    }
}

type Levels = BTreeMap<String, LogLevel>;

fn levels(log: &LogConfig) -> (LogLevel, &Levels, &Levels) {
    (log.level, &log.modules, &log.accounts)
}

pub(super) fn same_secret(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(ExposeSecret::expose_secret) == other.map(ExposeSecret::expose_secret)
}

fn same_source(one: &SecretSource, other: &SecretSource) -> bool {
    match (one, other) {
        (SecretSource::File(one), SecretSource::File(other))
        | (SecretSource::Env(one), SecretSource::Env(other)) => one == other,
        (
            SecretSource::Command { program, args },
            SecretSource::Command {
                program: other_program,
                args: other_args,
            },
        ) => program == other_program && args == other_args,
        (
            SecretSource::Http { url, body, headers },
            SecretSource::Http {
                url: other_url,
                body: other_body,
                headers: other_headers,
            },
        ) => {
            let pairs = headers.iter().zip(other_headers);
            url == other_url
                && same_secret(body.as_ref(), other_body.as_ref())
                && headers.len() == other_headers.len()
                && pairs.into_iter().all(|(one, other)| {
                    one.0 == other.0 && same_secret(Some(&one.1), Some(&other.1))
                })
        }
        _ => false,
    }
}

fn same_proxy(one: Option<&AccountProxy>, other: Option<&AccountProxy>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.is_same(other),
        _ => false,
    }
}

fn same_network(one: &NetworkConfig, other: &NetworkConfig) -> bool {
    one.ca_file == other.ca_file
        && same_secret(one.proxy.as_ref(), other.proxy.as_ref())
        && one.no_proxy == other.no_proxy
        && one.bind == other.bind
        && one.keepalive == other.keepalive
}

fn same_sandbox(one: &Config, other: &Config) -> bool {
    let (one, other) = (&one.sandbox, &other.sandbox);
    // Its address may have been any free port.
    let plain = |config: &crate::config::SandboxConfig| {
        let mut config = config.clone();
        config.token = None;
        format!("{config:?}")
    };
    plain(one) == plain(other) && same_secret(one.token.as_ref(), other.token.as_ref())
}
