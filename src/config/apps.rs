//! Reads `[app]`, or `[[apps]]` where one process runs accounts of several: the SDKAppID, the SecretKey, where to
//! connect, and how quick the accounts log in.

use std::collections::HashMap;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    defaults,
    error::Problem,
    model::{App, Endpoint, GovernorConfig, SandboxConfig, SecretSource},
    place::Place,
    read::{Node, Section},
    secret_source::{self, SECRET_KEY, Source},
};
use crate::proto::{
    endpoint::Site,
    id::{SdkAppId, UserId},
};
use botroupe_core::account::{AccountName, Policy};

const FLEET: (u32, u32) = (1, 100_000);
/// The longest name of an app, in bytes.
const MAX_NAME: usize = 32;

/// An app as far as it could be read.
pub(super) struct AppParts {
    /// In front of the names of its accounts; `None` for `[app]`.
    name: Option<Arc<str>>,
    pub(super) sdk_app_id: Option<SdkAppId>,
    endpoint: Endpoint,
    governor: GovernorConfig,
    secret_key: Option<SecretString>,
    secret_key_source: Option<Arc<SecretSource>>,
    /// Whether a SecretKey is given, valid or not.
    pub(super) secret_key_given: bool,
    admin: Option<UserId>,
    /// The key of its SecretKey, and where it stands when it is the published one.
    key: String,
    published_key: Option<Place>,
}

/// Reads `app` or `apps`, and `endpoint` and `governor`, which hold for apps that have none of their own. At least
/// one app comes back.
pub(super) fn read(root: &mut Section<'_>) -> Vec<AppParts> {
    let endpoint = root
        .get("endpoint")
        .and_then(|node| endpoint(&node))
        .unwrap_or(Endpoint::Sandbox);
    let governor = governor(root.section("governor"), GovernorConfig::default());
    let Some(list) = root.get("apps") else {
        return vec![one(
            root.section("app"),
            "app".to_owned(),
            endpoint,
            governor,
        )];
    };
    if let Some(alone) = root.get("app") {
        alone.report(Problem::Unusable {
            reason: "there are [[apps]] as well; move it there, with a name of its own".to_owned(),
        });
    }
    let mut apps = Vec::new();
    let (mut names, mut ids) = (HashMap::new(), HashMap::new());
    for (number, mut section) in list.sections().into_iter().enumerate() {
        let name = section.get("name");
        let id = section.get("sdk_app_id");
        let own_endpoint = section
            .get("endpoint")
            .and_then(|node| self::endpoint(&node));
        let own_governor = self::governor(section.section("governor"), governor);
        let text = name.as_ref().and_then(app_name);
        let key = format!("apps[{number}]");
        let mut app = one(
            section,
            key,
            own_endpoint.unwrap_or_else(|| endpoint.clone()),
            own_governor,
        );
        let app_id = app.sdk_app_id;
        let called = text.or_else(|| Some(app_id?.get().to_string()));
        if let (Some(node), Some(app_id)) = (&id, app_id)
            && ids.insert(app_id, ()).is_some()
        {
            node.report(Problem::Unusable {
                reason: format!(
                    "another app has the SDKAppID {}; one is enough",
                    app_id.get()
                ),
            });
        }
        if let (Some(node), Some(called)) = (name.or(id), &called)
            && names.insert(called.clone(), ()).is_some()
        {
            node.report(Problem::Unusable {
                reason: format!("another app is called {called:?}; give each a name of its own"),
            });
        }
        app.name = Some(called.unwrap_or_default().into());
        apps.push(app);
    }
    if apps.is_empty() {
        if list.is_list() {
            list.report(Problem::Empty {
                remedy: "write one [[apps]] for each app, or a single [app]",
            });
        }
        apps.push(one_of_none(endpoint, governor));
    }
    apps
}

impl AppParts {
    /// The app, if it could be read.
    pub(super) fn whole(self) -> Option<App> {
        Some(App {
            name: self.name,
            sdk_app_id: self.sdk_app_id?,
            endpoint: self.endpoint,
            governor: self.governor,
            secret_key: self.secret_key,
            secret_key_source: self.secret_key_source,
            admin: self.admin,
        })
    }

    /// What an account of it is called.
    pub(super) fn account(&self, user: UserId) -> AccountName {
        match &self.name {
            Some(app) => AccountName::of_app(app, user),
            None => user.into(),
        }
    }

    /// Whether an account is of this app.
    pub(super) fn has(&self, account: &AccountName) -> bool {
        account.app() == self.name.as_deref()
    }

    /// Its name; empty for `[app]`.
    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The key that gives its SecretKey.
    pub(super) fn secret_key(&self) -> String {
        format!("{}.secret_key", self.key)
    }

    /// What its accounts do by themselves, where nothing is written. The sandbox takes logins as quickly as they come.
    pub(super) fn policy(&self, policy: &Policy) -> Policy {
        match self.endpoint {
            Endpoint::Sandbox => Policy {
                login_spacing: defaults::LOGIN_SPACING_SANDBOX,
                ..policy.clone()
            },
            _ => policy.clone(),
        }
    }

    /// Whether `[app]` or one of `[[apps]]` connects to the embedded server.
    pub(super) fn is_in_sandbox(&self) -> bool {
        self.endpoint == Endpoint::Sandbox
    }

    /// Reports the SecretKey that everybody knows, wherever others could reach the app.
    pub(super) fn check_published(&self, root: &Section<'_>, sandbox: &SandboxConfig) {
        let Some(place) = &self.published_key else {
            return;
        };
        let remedy = match &self.endpoint {
            Endpoint::Sandbox if sandbox.listen.ip().is_loopback() => return,
            Endpoint::Sandbox => {
                "with [sandbox] listen beyond this machine, give another one: export BOTROUPE_SECRET_KEY=…"
            }
            Endpoint::Url(url) if is_local(url) => return,
            Endpoint::Auto | Endpoint::Site(_) | Endpoint::Url(_) => {
                "off the sandbox the app's own is needed: export BOTROUPE_SECRET_KEY=… with the key that the console shows"
            }
        };
        let problem = Problem::PublicKey { remedy };
        root.node()
            .context_report(place.clone(), &self.secret_key(), problem);
    }
}

/// The name of an app, which has no slash: it stands before one.
fn app_name(node: &Node<'_>) -> Option<String> {
    let text = node.text()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.len() > MAX_NAME || !text.chars().all(is_plain) {
        node.report(Problem::Unusable {
            reason: format!("the name of an app has 1 to {MAX_NAME} letters, digits, - _ or ."),
        });
        return None;
    }
    Some(text)
}

/// Stands for the apps of a config that has none.
fn one_of_none(endpoint: Endpoint, governor: GovernorConfig) -> AppParts {
    AppParts {
        name: None,
        sdk_app_id: None,
        endpoint,
        governor,
        secret_key: None,
        secret_key_source: None,
        secret_key_given: true,
        admin: None,
        key: String::new(),
        published_key: None,
    }
}

/// Reads one app. `key` is where it stands.
fn one(
    mut section: Section<'_>,
    key: String,
    endpoint: Endpoint,
    governor: GovernorConfig,
) -> AppParts {
    let sdk_app_id = match section.get("sdk_app_id") {
        Some(node) => node
            .integer(0, u32::MAX)
            .and_then(|number| match SdkAppId::new(number) {
                Ok(id) => Some(id),
                Err(error) => {
                    node.report(error);
                    None
                }
            }),
        None => {
            section.missing(
                "sdk_app_id",
                "write the SDKAppID that the console shows (any number will do for the sandbox)",
            );
            None
        }
    };
    let admin = section.get("admin").and_then(|node| {
        let text = node.text()?;
        match UserId::parse(&text) {
            Ok(id) => Some(id),
            Err(error) => {
                node.report(error);
                None
            }
        }
    });
    let node = section.get("secret_key");
    let source = secret_source::read(&mut section, &SECRET_KEY, node.as_ref());
    let place = node.as_ref().map(Node::place);
    let given = node.is_some() || !matches!(source, Source::None);
    let secret_key = node.and_then(|node| node.secret());
    let is_published = secret_key
        .as_ref()
        .is_some_and(|key| key.expose_secret() == PUBLISHED_KEY);
    let parts = AppParts {
        name: None,
        endpoint,
        governor,
        key,
        admin,
        sdk_app_id,
        secret_key_given: given,
        secret_key,
        secret_key_source: match source {
            Source::From(_, source) => Some(source),
            Source::None | Source::Broken => None,
        },
        published_key: place.filter(|_| is_published),
    };
    section.finish();
    parts
}

/// The SecretKey of the config that ships with the project.
const PUBLISHED_KEY: &str = "sandbox-only-key-not-for-the-cloud";

/// Whether a gateway is on this machine.
fn is_local(url: &str) -> bool {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host);
    match host {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn endpoint(node: &Node<'_>) -> Option<Endpoint> {
    let text = node.text()?;
    match text.as_str() {
        "sandbox" => return Some(Endpoint::Sandbox),
        "auto" => return Some(Endpoint::Auto),
        _ => {}
    }
    if let Some(site) = Site::from_name(&text) {
        return Some(Endpoint::Site(site));
    }
    if text.contains("://") {
        return match websocket_url(&text) {
            Ok(url) => Some(Endpoint::Url(url)),
            Err(reason) => {
                node.report(Problem::Url { reason });
                None
            }
        };
    }
    let names = ["sandbox", "auto"]
        .into_iter()
        .chain(Site::ALL.map(Site::name))
        .chain(["ws://…", "wss://…"]);
    node.unknown_name("endpoint", &text, names);
    None
}

/// Checks a gateway's URL and returns it without a slash at its end.
///
/// # Errors
/// What is wrong with it; the text itself is never shown, since it may hold a password.
pub fn websocket_url(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text).map_err(|_| "it cannot be read")?;
    if !matches!(url.scheme(), "ws" | "wss") {
        return Err("it must start with ws:// or wss://");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it names no host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not hold a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it must end with the host, a port or a path (the rest is added)");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn governor(mut section: Section<'_>, base: GovernorConfig) -> GovernorConfig {
    let config = GovernorConfig {
        logins_per_second: section.integer("logins_per_second", base.logins_per_second, FLEET),
        burst: section.integer("burst", base.burst, FLEET),
    };
    section.finish();
    config
}
