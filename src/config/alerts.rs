//! `[[alerts]]`: who is told when something is wrong with the fleet.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use botroupe_core::alerts::{Limits, Policy, Rule};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::error::Problem;
use super::log::account_pattern_covers;
use super::model::AccountConfig;
use super::read::{Node, Section};
use crate::proto::id::UserId;
use botroupe_core::account::AccountName;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// An outage of many accounts begins within seconds, and a person wants one message about it.
const GROUP_WAIT: Duration = Duration::from_secs(30);
/// Twice a working day.
const REPEAT: Duration = Duration::from_secs(4 * 3_600);
/// One in ten away is more than restarts and kicks take.
const SHARE: f64 = 0.9;
/// A restart of the whole fleet takes less.
const SHARE_FOR: Duration = Duration::from_secs(300);
/// Single messages fail in every fleet: users leave, groups are dismissed.
const LETTERS: u32 = 10;
/// Hours of writing, so that a person has time.
const DISK: u64 = 1 << 30;

/// One receiver of alerts.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AlertConfig {
    /// Its name; no two are the same.
    pub name: String,
    /// Where it is told.
    pub to: AlertTarget,
    /// What it is told, and when.
    pub policy: Policy,
    /// From where on it is told.
    pub limits: Limits,
}

/// Where alerts go. `Debug` shows neither URLs nor secrets: both open the door to a chat.
#[derive(Clone)]
#[non_exhaustive]
pub enum AlertTarget {
    /// An HTTP service of one's own.
    Webhook {
        /// Its URL.
        url: SecretString,
        /// The key of the signature.
        secret: Option<SecretString>,
    },
    /// A robot of a group in WeCom.
    WeCom {
        /// Its URL, which holds its key.
        url: SecretString,
    },
    /// A robot of a group in DingTalk.
    DingTalk {
        /// Its URL, which holds its token.
        url: SecretString,
        /// The key of the signature.
        secret: Option<SecretString>,
    },
    /// A robot of a group in Feishu or Lark.
    Feishu {
        /// Its URL, which holds its token.
        url: SecretString,
        /// The key of the signature.
        secret: Option<SecretString>,
    },
    /// An incoming webhook of Slack, or of what understands the same.
    Slack {
        /// Its URL, which holds its token.
        url: SecretString,
    },
    /// A user, to whom an account of this fleet writes.
    Account {
        /// The account that writes.
        account: AccountName,
        /// The user.
        user: UserId,
    },
}

impl AlertTarget {
    /// The kind, as it is written in a config.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::WeCom { .. } => "wecom",
            Self::DingTalk { .. } => "dingtalk",
            Self::Feishu { .. } => "feishu",
            Self::Slack { .. } => "slack",
            Self::Account { .. } => "account",
        }
    }
}

impl PartialEq for AlertTarget {
    fn eq(&self, other: &Self) -> bool {
        fn parts(
            to: &AlertTarget,
        ) -> (Option<&str>, Option<&str>, Option<(&AccountName, &UserId)>) {
            match to {
                AlertTarget::WeCom { url } | AlertTarget::Slack { url } => {
                    (Some(url.expose_secret()), None, None)
                }
                AlertTarget::Webhook { url, secret }
                | AlertTarget::DingTalk { url, secret }
                | AlertTarget::Feishu { url, secret } => {
                    let secret = secret.as_ref().map(ExposeSecret::expose_secret);
                    (Some(url.expose_secret()), secret, None)
                }
                AlertTarget::Account { account, user } => (None, None, Some((account, user))),
            }
        }
        self.kind() == other.kind() && parts(self) == parts(other)
    }
}

impl fmt::Debug for AlertTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlertTarget")
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}

/// The kinds of [`AlertTarget`].
#[derive(Clone, Copy)]
enum Kind {
    Webhook,
    WeCom,
    DingTalk,
    Feishu,
    Slack,
    Account,
}

const KINDS: [(&str, Kind); 6] = [
    ("webhook", Kind::Webhook),
    ("wecom", Kind::WeCom),
    ("dingtalk", Kind::DingTalk),
    ("feishu", Kind::Feishu),
    ("slack", Kind::Slack),
    ("account", Kind::Account),
];

/// When something is wrong with a fleet of which nothing is said.
#[cfg(feature = "cli")]
pub(crate) const fn usual_limits() -> Limits {
    Limits {
        share: SHARE,
        share_for: SHARE_FOR,
        letters: LETTERS as u64,
        disk: DISK,
    }
}

/// Reads every `[[alerts]]`.
pub(super) fn read(root: &mut Section<'_>, accounts: &[AccountConfig]) -> Vec<AlertConfig> {
    let sections = root.get("alerts").map(|node| node.sections());
    let mut names = HashSet::new();
    let read = sections.unwrap_or_default().into_iter();
    read.filter_map(|section| one(section, accounts, &mut names))
        .collect()
}

fn one(
    mut section: Section<'_>,
    accounts: &[AccountConfig],
    names: &mut HashSet<String>,
) -> Option<AlertConfig> {
    let kind = match section.get("to") {
        Some(node) => node.choice("receiver of alerts", &KINDS),
        None => {
            section.missing(
                "to",
                "write \"webhook\", \"wecom\", \"dingtalk\", \"feishu\", \"slack\" or \"account\"",
            );
            None
        }
    };
    let to = target(&mut section, kind, accounts);
    let name_node = section.get("name");
    let name = match &name_node {
        Some(node) => node.filled_text("write a name, or leave it out to use that of the kind"),
        None => to.as_ref().map(|to| to.kind().to_owned()),
    };
    if let Some(name) = &name
        && !names.insert(name.clone())
    {
        let reason = format!(
            "two receivers of alerts are called {name:?}; give each a name = \"…\" of its own"
        );
        match &name_node {
            Some(node) => node.report(Problem::Unusable { reason }),
            None => section.node().report(Problem::Unusable { reason }),
        }
    }
    let policy = Policy {
        rules: rules(&mut section),
        except: except(&mut section, accounts),
        group_wait: section.duration("group_wait", GROUP_WAIT, (Duration::ZERO, HOUR)),
        repeat: match section.get("repeat") {
            Some(node) if node.is_text("never") => None,
            Some(node) => node.duration(MINUTE, 30 * DAY),
            None => Some(REPEAT),
        },
        resolved: section.boolean("resolved", true),
    };
    let limits = Limits {
        share: section.number("share", SHARE, (0.0, 1.0)),
        share_for: section.duration("share_for", SHARE_FOR, (SECOND, DAY)),
        letters: section.integer("letters", LETTERS, (1, 1_000_000)).into(),
        disk: section
            .get("disk")
            .and_then(|node| node.size(0, 1 << 50))
            .unwrap_or(DISK),
    };
    section.finish();
    Some(AlertConfig {
        name: name?,
        to: to?,
        policy,
        limits,
    })
}

fn target(
    section: &mut Section<'_>,
    kind: Option<Kind>,
    accounts: &[AccountConfig],
) -> Option<AlertTarget> {
    let url = section.get("url");
    let secret = section.get("secret");
    let account = section.get("account");
    let user = section.get("user");
    let kind = kind?;
    let is_url = !matches!(kind, Kind::Account);
    let not_here = |node: Option<&Node<'_>>, remedy: &str| {
        if let Some(node) = node {
            let reason = format!("this kind of receiver has no such key; {remedy}");
            node.report(Problem::Unusable { reason });
        }
    };
    if is_url {
        let remedy = "write to = \"account\", or remove it";
        not_here(account.as_ref(), remedy);
        not_here(user.as_ref(), remedy);
        if matches!(kind, Kind::WeCom | Kind::Slack) {
            not_here(secret.as_ref(), "its URL is the secret; remove it");
        }
        let url = match url {
            Some(node) => checked_url(&node),
            None => {
                section.missing(
                    "url",
                    "write the URL of the webhook, best as \"${NAME}\" with an environment variable",
                );
                None
            }
        };
        let given = secret.is_some();
        let secret = secret.and_then(|node| node.secret());
        if given && secret.is_none() {
            return None;
        }
        let url = url?;
        return Some(match kind {
            Kind::WeCom => AlertTarget::WeCom { url },
            Kind::DingTalk => AlertTarget::DingTalk { url, secret },
            Kind::Feishu => AlertTarget::Feishu { url, secret },
            Kind::Slack => AlertTarget::Slack { url },
            Kind::Webhook | Kind::Account => AlertTarget::Webhook { url, secret },
        });
    }
    let remedy = "an account writes; remove it";
    not_here(url.as_ref(), remedy);
    not_here(secret.as_ref(), remedy);
    let Some(node) = account else {
        section.missing("account", "name the account of this fleet that writes");
        return None;
    };
    let user = id(section, "user", user, "name the user who is written to");
    let text = node.text()?;
    let named = |known: &&AccountConfig| known.enabled && known.name == *text;
    let Some(account) = accounts.iter().find(named) else {
        node.report(Problem::Unusable {
            reason: "no account of this name is enabled in this config".into(),
        });
        return None;
    };
    let account = account.name.clone();
    Some(AlertTarget::Account {
        account,
        user: user?,
    })
}

/// The UserID of a key that has to be there.
fn id<'c>(
    section: &Section<'c>,
    key: &'static str,
    node: Option<Node<'c>>,
    remedy: &'static str,
) -> Option<UserId> {
    let Some(node) = node else {
        section.missing(key, remedy);
        return None;
    };
    match UserId::parse(&node.text()?) {
        Ok(id) => Some(id),
        Err(error) => {
            node.report(error);
            None
        }
    }
}

/// A URL, whose text no mistake shows.
fn checked_url(node: &Node<'_>) -> Option<SecretString> {
    let text = node.secret()?;
    let reason = match Url::parse(text.expose_secret()) {
        Err(_) => "it cannot be read",
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            "it must start with http:// or https://"
        }
        Ok(url) if url.host_str().is_none_or(str::is_empty) => "it names no host",
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "it must not hold a user name or password"
        }
        Ok(_) => return Some(text),
    };
    node.report(Problem::Unusable {
        reason: format!("this is no URL of a webhook: {reason}"),
    });
    None
}

fn rules(section: &mut Section<'_>) -> Vec<Rule> {
    let Some(node) = section.get("rules") else {
        return Rule::ALL.to_vec();
    };
    let names = node.texts().unwrap_or_default();
    if names.is_empty() {
        node.report(Problem::Empty {
            remedy: "name at least one rule, or leave the key out to have all",
        });
    }
    let found = names.iter().filter_map(|(node, name)| {
        let rule = Rule::from_name(name);
        if rule.is_none() {
            node.unknown_name("rule", name, Rule::ALL.iter().map(|rule| rule.name()));
        }
        rule
    });
    found.collect()
}

fn except(section: &mut Section<'_>, accounts: &[AccountConfig]) -> Vec<String> {
    let texts = section.get("except").and_then(|node| node.texts());
    let mut names = Vec::new();
    for (node, name) in texts.unwrap_or_default() {
        let mut users = accounts.iter().map(|account| account.name.as_str());
        if users.any(|user| account_pattern_covers(&name, user)) {
            names.push(name);
        } else {
            node.report(Problem::Unusable {
                reason: format!(
                    "there is no account {name:?}; write a UserID, or its beginning and a *"
                ),
            });
        }
    }
    names
}
