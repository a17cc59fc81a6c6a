//! Reads `[defaults]` and `[[accounts]]`: expands patterns, applies defaults, finds duplicates, and checks that
//! every account can log in.

use std::{collections::HashMap, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use super::bot_settings::Own;
use super::{
    apps::AppParts,
    defaults,
    error::Problem,
    model::{AccountConfig, SecretSource},
    parse::{HOUR, whole_seconds},
    pattern::{MAX_ACCOUNTS, expand_pattern, is_pattern},
    place::Place,
    policy,
    proxy::AccountProxy,
    read::{Node, Section},
    secret_source::{self, Source},
};
use crate::proto::{
    id::{SdkAppId, UserId},
    usersig,
};
use botroupe_core::account::{AccountName, Policy};

const MILLI: Duration = Duration::from_millis(1);

/// The values of an account where its entry has none.
struct Common<'c> {
    /// The place of their app.
    app: Option<usize>,
    /// `None` if neither is given.
    bots: Option<Arc<[Arc<str>]>>,
    enabled: bool,
    user_sig_lifetime: Duration,
    user_sig_timeout: Duration,
    proxy: Option<Arc<AccountProxy>>,
    policy: Arc<Policy>,
    /// Whether the pause between logins is written down.
    paces_logins: bool,
    /// Where UserSigs are fetched from.
    source: Source<'c>,
}

impl Common<'_> {
    /// The policy of accounts in the embedded server.
    fn policy_in_sandbox(&self, apps: &[AppParts]) -> Arc<Policy> {
        let app = apps.iter().find(|app| app.is_in_sandbox());
        match app.filter(|_| !self.paces_logins) {
            Some(app) => Arc::new(app.policy(&self.policy)),
            None => Arc::clone(&self.policy),
        }
    }
}

/// Reads `defaults` and `accounts` of `root`. Every mistake is reported there.
pub(super) fn read<'c>(
    root: &mut Section<'c>,
    apps: &[AppParts],
    known_bots: &[&str],
) -> (Vec<AccountConfig>, Vec<Own<'c>>) {
    let built_in = Common {
        app: None,
        bots: None,
        enabled: defaults::ENABLED,
        user_sig_lifetime: defaults::USER_SIG_LIFETIME,
        user_sig_timeout: defaults::USER_SIG_TIMEOUT,
        proxy: None,
        policy: Arc::new(Policy::standard()),
        paces_logins: false,
        source: Source::None,
    };
    let mut section = root.section("defaults");
    let common = common(&mut section, &built_in, (apps, known_bots), None);
    section.finish();

    let Some(node) = root.get("accounts") else {
        root.node().report(Problem::NoAccounts);
        return (Vec::new(), Vec::new());
    };
    let entries = node.sections();
    let is_list = node.is_list();
    let mut fleet = Fleet {
        in_sandbox: common.policy_in_sandbox(apps),
        accounts: Vec::new(),
        seen: HashMap::new(),
        own: Vec::new(),
        shared: Vec::new(),
        full: false,
        broken: false,
    };
    if entries.is_empty() && is_list {
        node.report(Problem::NoAccounts);
    }
    for entry in entries {
        account(entry, &common, (apps, known_bots), &mut fleet);
    }
    for (node, _, accounts) in &fleet.shared {
        if *accounts > 1 {
            node.report(Problem::SharedSource {
                accounts: *accounts,
            });
        }
    }
    report_same_sources(&fleet.accounts, apps, &node);
    if !fleet.broken
        && !fleet.accounts.is_empty()
        && fleet.accounts.iter().all(|account| !account.enabled)
    {
        node.report(Problem::NoneEnabled);
    }
    // A key that is there but wrong is already reported, and so are entries that are.
    for app in apps {
        if app.secret_key_given || fleet.broken {
            continue;
        }
        let mut lacking = fleet
            .accounts
            .iter()
            .filter(|account| account.enabled && app.has(&account.name))
            .filter(|account| account.user_sig.is_none() && account.user_sig_source.is_none());
        if let Some(first) = lacking.next() {
            node.report(Problem::NoCredentials {
                user_id: first.name.to_string(),
                more: lacking.count(),
                key: app.secret_key(),
            });
        }
    }
    (fleet.accounts, fleet.own)
}

/// Reports accounts that would read the same file or variable, because some characters are replaced in names.
fn report_same_sources(accounts: &[AccountConfig], apps: &[AppParts], node: &Node<'_>) {
    let mut seen: HashMap<String, &AccountName> = HashMap::new();
    for account in accounts {
        let source = account.user_sig_source.as_ref();
        // A source that all accounts share is reported elsewhere.
        let Some(source) = source.filter(|source| source.is_per_account()) else {
            continue;
        };
        let app = apps.iter().find(|app| app.has(&account.name));
        let app = app.and_then(|app| app.sdk_app_id);
        let Some(name) = app.and_then(|app| source.resolved(app, account.name.user())) else {
            continue;
        };
        if let Some(first) = seen.get(&name) {
            let problem = Problem::SameSource {
                first: first.to_string(),
                second: account.name.to_string(),
                name,
            };
            node.context_report(Place::clone(&account.place), source.key(), problem);
        } else {
            seen.insert(name, &account.name);
        }
    }
}

/// The keys that `[defaults]` and `[[accounts]]` share.
fn common<'c>(
    section: &mut Section<'c>,
    base: &Common<'c>,
    (apps, known_bots): (&[AppParts], &[&str]),
    user_sig: Option<&Node<'c>>,
) -> Common<'c> {
    let bots = section.get("bots").and_then(|node| bots(&node, known_bots));
    let enabled = section.boolean("enabled", base.enabled);
    let user_sig_lifetime = whole_seconds(section.duration(
        "user_sig_lifetime",
        base.user_sig_lifetime,
        (10 * 1_000 * MILLI, 365 * 24 * HOUR),
    ));
    let user_sig_timeout = section.duration(
        "user_sig_timeout",
        base.user_sig_timeout,
        (100 * MILLI, HOUR / 12),
    );
    let proxy = section.get("proxy").and_then(|node| proxy(&node));
    let policy = policy::read(section, &base.policy);
    let paces_logins = section.get("login_spacing").is_some();
    let app = section.get("app").and_then(|node| app(&node, apps));
    let source = match secret_source::read(section, &secret_source::USER_SIG, user_sig) {
        Source::None => base.source.clone(),
        source => source,
    };
    Common {
        app: app.or(base.app),
        paces_logins: paces_logins || base.paces_logins,
        bots: bots.or_else(|| base.bots.clone()),
        enabled,
        user_sig_lifetime,
        user_sig_timeout,
        proxy: proxy.or_else(|| base.proxy.clone()),
        policy: if policy == *base.policy {
            Arc::clone(&base.policy)
        } else {
            Arc::new(policy)
        },
        source,
    }
}

fn proxy(node: &Node<'_>) -> Option<Arc<AccountProxy>> {
    let text = node.secret()?;
    match AccountProxy::parse(text.expose_secret()) {
        Ok(proxy) => Some(Arc::new(proxy)),
        Err(error) => {
            node.report(Problem::Unusable {
                reason: error.to_string(),
            });
            None
        }
    }
}

fn bots(node: &Node<'_>, known_bots: &[&str]) -> Option<Arc<[Arc<str>]>> {
    let mut out: Vec<Arc<str>> = Vec::new();
    for (item, name) in node.texts()? {
        if !known_bots.contains(&name.as_str()) {
            item.unknown_name("bot", &name, known_bots.iter().copied());
        } else if out.iter().any(|bot| **bot == *name) {
            item.report(Problem::RepeatedBot { bot: name });
        } else {
            out.push(Arc::from(name));
        }
    }
    Some(out.into())
}

/// The app that an account names.
fn app(node: &Node<'_>, apps: &[AppParts]) -> Option<usize> {
    let text = node.word()?;
    let is_named = |app: &AppParts| {
        app.name() == text
            || app
                .sdk_app_id
                .is_some_and(|id| id.get().to_string() == text)
    };
    let found = apps.iter().position(is_named);
    if found.is_none() {
        node.unknown_name("app", &text, apps.iter().map(AppParts::name));
    }
    found
}

/// The accounts so far.
struct Fleet<'c> {
    /// The policy of the defaults for accounts in the embedded server.
    in_sandbox: Arc<Policy>,
    accounts: Vec<AccountConfig>,
    /// What entries change of the settings of bots.
    own: Vec<Own<'c>>,
    /// Every account with its place.
    seen: HashMap<AccountName, Arc<Place>>,
    /// Sources that give every account the same UserSig, with the number of their users.
    shared: Vec<(Node<'c>, Arc<SecretSource>, usize)>,
    /// Too many accounts; reported once.
    full: bool,
    /// An entry could not be read, so a missing account may be in it.
    broken: bool,
}

/// One `[[accounts]]` entry.
fn account<'c>(
    mut entry: Section<'c>,
    base: &Common<'c>,
    (apps, known_bots): (&[AppParts], &[&str]),
    fleet: &mut Fleet<'c>,
) {
    let id_node = entry.get("user_id");
    let names_bots = entry.get("bots").is_some() || base.bots.is_some();
    let sig_node = entry.get("user_sig");
    let common = common(&mut entry, base, (apps, known_bots), sig_node.as_ref());
    let settings = entry.get("settings");
    if !names_bots {
        entry.missing(
            "bots",
            "name the bots that run on it, as in bots = [\"echo\"]; bots = [] only keeps it online",
        );
    }
    let ids = match &id_node {
        Some(node) => user_ids(node, fleet),
        None => {
            entry.missing("user_id", "write the account's UserID");
            None
        }
    };
    let user_sig = sig_node.as_ref().and_then(Node::secret);
    let names_app = entry.get("app").is_some();
    let app = match (common.app.and_then(|number| apps.get(number)), apps) {
        (Some(app), _) => Some(app),
        (None, [app]) => Some(app),
        // An app that is not there was reported.
        (None, _) if names_app => None,
        (None, _) => {
            entry.missing(
                "app",
                "name the one of [[apps]] that it belongs to, here or in [defaults]",
            );
            None
        }
    };
    entry.finish();
    let (Some(node), Some(ids), Some(app)) = (id_node, ids, app) else {
        fleet.broken = true;
        return;
    };
    if let (Some(node), Some(sig)) = (&sig_node, &user_sig) {
        check_user_sig(node, sig, &ids, app.sdk_app_id);
    }
    fleet.broken |= sig_node.is_some() && user_sig.is_none();
    // The account's own key wins over that of the defaults.
    let source = match common.source {
        _ if sig_node.is_some() => None,
        Source::None => None,
        Source::Broken => {
            fleet.broken = true;
            None
        }
        Source::From(node, source) => {
            if !source.is_per_account() {
                count_users(&mut fleet.shared, node, &source, ids.len());
            }
            Some(source)
        }
    };
    let bots = common.bots.unwrap_or_else(|| Arc::from([]));
    let place = Arc::new(node.place());
    let first = fleet.accounts.len();
    let policy = match common.policy {
        policy if !app.is_in_sandbox() || common.paces_logins => policy,
        policy if Arc::ptr_eq(&policy, &base.policy) => Arc::clone(&fleet.in_sandbox),
        policy => Arc::new(app.policy(&policy)),
    };
    let mut duplicate: Option<(AccountName, Place)> = None;
    let mut more = 0;
    for name in ids.into_iter().map(|user| app.account(user)) {
        if let Some(first) = fleet.seen.get(&name) {
            match &duplicate {
                None => duplicate = Some((name, Place::clone(first))),
                Some(_) => more += 1,
            }
            continue;
        }
        fleet.seen.insert(name.clone(), Arc::clone(&place));
        fleet.accounts.push(AccountConfig {
            name,
            bots: Arc::clone(&bots),
            user_sig: user_sig.clone(),
            user_sig_source: source.clone(),
            enabled: common.enabled,
            user_sig_lifetime: common.user_sig_lifetime,
            user_sig_timeout: common.user_sig_timeout,
            proxy: common.proxy.clone(),
            policy: Arc::clone(&policy),
            settings: None,
            place: Arc::clone(&place),
        });
    }
    let made = fleet.accounts.len() - first;
    fleet
        .own
        .extend(settings.map(|node| Own::new(node, first, made)));
    if let Some((name, first)) = duplicate {
        node.report(Problem::DuplicateAccount {
            user_id: name.to_string(),
            first,
            more,
        });
    }
}

/// Counts `more` accounts that use a source.
fn count_users<'c>(
    shared: &mut Vec<(Node<'c>, Arc<SecretSource>, usize)>,
    node: Node<'c>,
    source: &Arc<SecretSource>,
    more: usize,
) {
    // The source of [defaults] comes first; every other one is seen only once.
    match shared
        .iter_mut()
        .find(|(_, known, _)| Arc::ptr_eq(known, source))
    {
        Some((_, _, users)) => *users += more,
        None => shared.push((node, Arc::clone(source), more)),
    }
}

/// The UserIDs that `user_id` stands for; `None` after a report.
fn user_ids(node: &Node<'_>, fleet: &mut Fleet<'_>) -> Option<Vec<UserId>> {
    let text = node.text()?;
    let left = MAX_ACCOUNTS.saturating_sub(fleet.accounts.len());
    if !is_pattern(&text) {
        if left == 0 {
            return too_many(node, fleet);
        }
        return match UserId::parse(&text) {
            Ok(id) => Some(vec![id]),
            Err(error) => {
                node.report(error);
                None
            }
        };
    }
    let texts = match expand_pattern(&text, MAX_ACCOUNTS) {
        Ok(texts) if texts.len() > left => return too_many(node, fleet),
        Ok(texts) => texts,
        Err(error) => {
            node.report(error);
            return None;
        }
    };
    let mut ids = Vec::with_capacity(texts.len());
    for id in texts {
        match UserId::parse(&id) {
            Ok(id) => ids.push(id),
            Err(source) => {
                node.report(Problem::ExpandedId { id, source });
                return None;
            }
        }
    }
    Some(ids)
}

fn too_many<T>(node: &Node<'_>, fleet: &mut Fleet<'_>) -> Option<T> {
    if !fleet.full {
        node.report(Problem::TooManyAccounts);
    }
    fleet.full = true;
    None
}

/// Checks that a UserSig can be read and belongs to this account of this app. Its expiry is checked at login,
/// because there is no clock here.
fn check_user_sig(node: &Node<'_>, sig: &SecretString, ids: &[UserId], app: Option<SdkAppId>) {
    let [id] = ids else {
        node.report(Problem::SharedUserSig {
            accounts: ids.len(),
        });
        return;
    };
    let reason = match usersig::inspect(sig.expose_secret()) {
        Err(_) => "cannot be read; it may be cut off",
        Ok(claims) if claims.user_id != id.as_str() => "was made for another UserID",
        Ok(claims) if app.is_some_and(|app| u64::from(app.get()) != claims.sdk_app_id) => {
            "was made for another SDKAppID"
        }
        Ok(_) => return,
    };
    node.report(Problem::UserSig { reason });
}
