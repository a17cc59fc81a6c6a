//! Reads each section of the merged tree into its type. Accounts are in their own module.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{
    account_files::{self, AccountFile},
    account_source::{self, AccountSource},
    accounts, admin, alerts,
    apps::{self, AppParts},
    bot_settings, defaults,
    error::{ConfigErrors, Problem},
    layers::{self, Merged},
    log,
    model::{
        BotSettings, Config, HostConfig, IoConfig, NetworkConfig, Origin, SandboxConfig,
        SandboxDedupe, SandboxTlsConfig, ShutdownConfig, StoreConfig,
    },
    place::{Place, Positions},
    read::{Context, Node, Section},
    secret_source,
    sources::Sources,
    traces,
};
use crate::proto::id::UserId;
use botroupe_core::account::AccountName;

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const THREADS: (u32, u32) = (1, 256);

impl Config {
    /// Reads and checks a config.
    ///
    /// ```
    /// use botroupe::config::{Config, Sources};
    ///
    /// let text = "[app]\nsdk_app_id = 1400000001\nsecret_key = \"k\"\n\n[[accounts]]\nuser_id = \"a\"\nbots = [\"ecko\"]\n";
    /// let env = std::collections::BTreeMap::new();
    /// let errors = Config::parse(Sources::new("config.toml", text, &env).known_bots(&["echo"])).unwrap_err();
    /// assert!(errors.to_string().starts_with("config.toml:7:9: accounts[0].bots: "));
    /// assert!(errors.to_string().contains("did you mean \"echo\"?"));
    /// ```
    ///
    /// # Errors
    /// [`ConfigErrors`] with every mistake found, not only the first. None holds a secret.
    pub fn parse(sources: Sources<'_>) -> Result<Self, ConfigErrors> {
        Self::parse_with(sources, &|_, _, _| None)
    }

    /// Like [`parse`](Self::parse), and checks the settings of bots with `check`.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse), including the mistakes that `check` finds.
    pub fn parse_with(
        sources: Sources<'_>,
        check: &SettingsCheck<'_>,
    ) -> Result<Self, ConfigErrors> {
        Self::parse_files(sources, None, check)
    }

    /// Who has to be asked for accounts before the whole config can be read, and how to reach them.
    ///
    /// # Errors
    /// The mistakes in what is needed for that.
    pub fn account_source(
        sources: &Sources<'_>,
    ) -> Result<Option<(AccountSource, NetworkConfig)>, ConfigErrors> {
        let mut positions = Positions::new(sources.file, sources.text);
        let mut errors = Vec::new();
        let layers = (sources.env, sources.overrides);
        let text = (sources.text, &[][..]);
        let merged = layers::merge(text, layers.0, layers.1, &mut positions, &mut errors);
        // What else is wrong is told with the rest.
        let Some(Merged { root, .. }) = merged else {
            return Ok(None);
        };
        let context = Context {
            positions: &positions,
            env: sources.env,
            errors: RefCell::default(),
        };
        let found = Node::root(&context, &root).section().and_then(|mut root| {
            let source = account_source::read(&mut root)?;
            let mut io = root.section("io");
            let mut network = network(&mut root, &mut io, &mut BTreeMap::new());
            let ca_file = &mut network.ca_file;
            let folder = Path::new(sources.file).parent();
            if let (Some(file), Some(folder)) = (ca_file.as_mut(), folder) {
                *file = folder.join(&*file);
            }
            Some((source, network))
        });
        match context.errors.into_inner() {
            errors if errors.is_empty() || found.is_none() => Ok(found),
            errors => Err(ConfigErrors::new(errors)),
        }
    }

    /// Like [`parse_with`](Self::parse_with), with the accounts of the files that `accounts_from` names. A config that
    /// names files is wrong without them.
    ///
    /// # Errors
    /// As for [`parse_with`](Self::parse_with), including the mistakes in the files.
    pub fn parse_files(
        sources: Sources<'_>,
        files: Option<&[AccountFile]>,
        check: &SettingsCheck<'_>,
    ) -> Result<Self, ConfigErrors> {
        let mut positions = Positions::new(sources.file, sources.text);
        let mut errors = Vec::new();
        let merged = layers::merge(
            (sources.text, files.unwrap_or_default()),
            sources.env,
            sources.overrides,
            &mut positions,
            &mut errors,
        );
        let Some(Merged {
            root,
            contributions,
        }) = merged
        else {
            return Err(ConfigErrors::new(errors));
        };
        let context = Context {
            positions: &positions,
            env: sources.env,
            errors: RefCell::new(errors),
        };
        let parts = Node::root(&context, &root)
            .section()
            .and_then(|root| read(root, sources.known_bots, files.is_some(), check));
        let errors = context.errors.into_inner();
        match parts {
            Some(mut parts) if errors.is_empty() => {
                let store = &mut parts.store.path;
                if store.as_os_str().is_empty() {
                    *store = default_store(Path::new(sources.file));
                }
                if let Some(folder) = Path::new(sources.file).parent() {
                    secret_source::beside(folder, &mut parts);
                }
                let sandbox = &mut parts.sandbox;
                if let Some(folder) = Path::new(sources.file).parent() {
                    admin::locate(&mut parts.admin, folder);
                    for file in [&mut sandbox.seed, &mut sandbox.store, &mut sandbox.tls_ca] {
                        *file = file.take().map(|file| folder.join(file));
                    }
                    if parts.store.path.as_os_str() != ":memory:" {
                        parts.store.path = folder.join(&parts.store.path);
                    }
                    let ca_file = &mut parts.network.ca_file;
                    *ca_file = ca_file.take().map(|file| folder.join(file));
                    parts.log.start_in(folder);
                    if let SandboxTlsConfig::Files { certificate, key } = &mut sandbox.tls {
                        *certificate = folder.join(&*certificate);
                        *key = folder.join(&*key);
                    }
                }
                Ok(Self {
                    contributions,
                    file: Arc::from(sources.file),
                    origin: Arc::new(Origin {
                        text: sources.text.to_owned(),
                        files: account_files::without_answers(files.unwrap_or_default()),
                    }),
                    ..parts
                })
            }
            _ => Err(ConfigErrors::new(errors)),
        }
    }
}

/// Tells what is wrong with the settings of a bot on an account: the keys that lead to the mistake, and the
/// reason, which holds no value. The settings are `None` when the config has no section for the bot.
pub type SettingsCheck<'a> =
    dyn Fn(&str, &AccountName, Option<&BotSettings>) -> Option<(Vec<String>, String)> + 'a;

/// Reads everything. `None` only after a missing key was reported.
fn read(
    mut root: Section<'_>,
    known_bots: &[&str],
    files_are_read: bool,
    check: &SettingsCheck<'_>,
) -> Option<Config> {
    let account_source = account_source::read(&mut root);
    let elsewhere = root.get(account_files::KEY);
    let elsewhere = elsewhere.filter(|node| node.texts().is_some_and(|names| !names.is_empty()));
    let sources = [account_source::COMMAND, account_source::HTTP];
    let elsewhere = elsewhere.or_else(|| sources.into_iter().find_map(|key| root.get(key)));
    if let Some(node) = elsewhere.filter(|_| !files_are_read) {
        node.report(Problem::Unusable {
            reason: "this program reads no files of accounts; write them under [[accounts]]"
                .to_owned(),
        });
    }
    let apps = apps::read(&mut root);
    let (mut accounts, own) = accounts::read(&mut root, &apps, known_bots);
    let known = bot_settings::Known {
        bots: known_bots,
        check,
    };
    let bots = known.read(&mut root, &mut accounts, &own);
    let mut places = BTreeMap::new();
    let sandbox = sandbox(root.section("sandbox"), &mut places);
    for app in &apps {
        app.check_published(&root, &sandbox);
    }
    let host = host(root.section("host"));
    let mut io_section = root.section("io");
    let network = network(&mut root, &mut io_section, &mut places);
    let io = io(&mut io_section);
    io_section.finish();
    let shutdown = shutdown(root.section("shutdown"));
    let store = store(root.section("store"), &mut places);
    let admin = admin::read(root.section("admin"), &mut places);
    let alerts = alerts::read(&mut root, &accounts);
    let log = log::read(root.section("log"), &accounts);
    let traces = traces::read(root.section("traces"));
    root.finish();
    Some(Config {
        apps: apps
            .into_iter()
            .map(AppParts::whole)
            .collect::<Option<_>>()?,
        accounts,
        account_source,
        bots,
        sandbox,
        host,
        network,
        io,
        shutdown,
        store,
        admin,
        log,
        alerts,
        traces,
        record: None,
        contributions: layers::Contributions::default(),
        places,
        file: Arc::from(""),
        origin: Arc::default(),
    })
}

fn sandbox(mut section: Section<'_>, places: &mut BTreeMap<&'static str, Place>) -> SandboxConfig {
    let default = SocketAddr::from(([127, 0, 0, 1], defaults::SANDBOX_PORT));
    let listen = section.get("listen").and_then(|node| {
        let text = node.word()?;
        let address = text.parse().ok();
        if address.is_none() {
            node.report(Problem::Address { text });
        }
        address
    });
    let admins = section.get("admins").and_then(|node| {
        let items = node.texts()?;
        if items.is_empty() {
            node.report(Problem::Empty {
                remedy: "name at least one account, or leave the key out",
            });
        }
        let ids = items
            .iter()
            .filter_map(|(node, text)| match UserId::parse(text) {
                Ok(id) => Some(id),
                Err(error) => {
                    node.report(error);
                    None
                }
            });
        Some(ids.collect())
    });
    let media_dir = section.get("media_dir").and_then(|node| {
        let text = node.text()?;
        if text.is_empty() {
            node.report(Problem::Empty {
                remedy: "name a folder, or leave the key out to keep files in memory",
            });
        }
        Some(PathBuf::from(text))
    });
    let seed = section.get("seed").and_then(|node| {
        places.insert("sandbox.seed", node.place());
        let text = node.text()?;
        if text.is_empty() {
            node.report(Problem::Empty {
                remedy: "name a seed file, or leave the key out to start with nothing",
            });
        }
        Some(PathBuf::from(text))
    });
    let store = section.get("store").and_then(|node| {
        places.insert("sandbox.store", node.place());
        let text = node.text()?;
        if text.is_empty() {
            node.report(Problem::Empty {
                remedy: "name a file, or leave the key out to keep nothing over a restart",
            });
        }
        Some(PathBuf::from(text))
    });
    let refuse_unknown = section.get("unknown").and_then(|node| {
        node.choice(
            "what becomes of unknown commands",
            &[("warn", false), ("refuse", true)],
        )
    });
    let dedupe = section.get("dedupe").and_then(|node| {
        node.choice(
            "which repeated sends it recognises",
            &[
                ("documented", SandboxDedupe::Documented),
                ("none", SandboxDedupe::None),
                ("forever", SandboxDedupe::Forever),
            ],
        )
    });
    let tls_ca = section
        .get("tls_ca")
        .and_then(|node| node.filled_text("name a file to write, or leave the key out"));
    let config = SandboxConfig {
        listen: listen.unwrap_or(default),
        max_web_instances: section.integer(
            "max_web_instances",
            defaults::SANDBOX_MAX_WEB_INSTANCES,
            (1, 100),
        ),
        hello_interval: whole_seconds(section.duration(
            "hello_interval",
            defaults::SANDBOX_HELLO_INTERVAL,
            (SECOND, HOUR),
        )),
        auto_import: section.boolean("auto_import", defaults::SANDBOX_AUTO_IMPORT),
        admins: admins
            .unwrap_or_else(|| UserId::parse(defaults::SANDBOX_ADMIN).into_iter().collect()),
        media_dir,
        seed,
        store,
        tls_ca: tls_ca.map(PathBuf::from),
        tls: sandbox_tls(&mut section),
        origins: names(&mut section, "origins"),
        hosts: names(&mut section, "hosts"),
        token: section.get("token").and_then(|node| node.secret()),
        dedupe: dedupe.unwrap_or_default(),
        refuse_unknown: refuse_unknown.unwrap_or(false),
    };
    section.finish();
    config
}

/// A list of texts, none by default.
fn names(section: &mut Section<'_>, key: &'static str) -> Vec<String> {
    let texts = section.get(key).and_then(|node| node.texts());
    let texts = texts.unwrap_or_default().into_iter();
    texts.map(|(_, text)| text).collect()
}

/// `[tls]`, `[proxy]`, and what `[io]` says of sockets.
fn network(
    root: &mut Section<'_>,
    io: &mut Section<'_>,
    places: &mut BTreeMap<&'static str, Place>,
) -> NetworkConfig {
    let mut tls = root.section("tls");
    let ca_file = tls.get("ca_file").and_then(|node| {
        places.insert("tls.ca_file", node.place());
        node.filled_text("name a PEM file, or leave the key out")
    });
    tls.finish();
    let mut proxy = root.section("proxy");
    let url = proxy.get("url").and_then(|node| {
        places.insert("proxy.url", node.place());
        node.secret()
    });
    let config = NetworkConfig {
        ca_file: ca_file.map(PathBuf::from),
        proxy: url,
        no_proxy: names(&mut proxy, "except"),
        bind: bind(io),
        keepalive: match io.get("keepalive") {
            Some(node) if node.is_text("never") => None,
            Some(node) => node.duration(SECOND, HOUR).map(whole_seconds),
            None => Some(defaults::IO_KEEPALIVE),
        },
    };
    proxy.finish();
    config
}

/// `tls = true` makes a certificate; `tls_cert` and `tls_key` name one.
fn sandbox_tls(section: &mut Section<'_>) -> SandboxTlsConfig {
    let wanted = section.boolean("tls", false);
    let mut file = |key: &'static str, other: &'static str| {
        section.get(key).and_then(|node| {
            let text = node.text()?;
            if text.is_empty() {
                node.report(Problem::Empty { remedy: other });
            }
            Some((node, PathBuf::from(text)))
        })
    };
    let certificate = file("tls_cert", "name a PEM file, or leave the key out");
    let key = file("tls_key", "name a PEM file, or leave the key out");
    match (certificate, key) {
        (Some((_, certificate)), Some((_, key))) => SandboxTlsConfig::Files { certificate, key },
        (Some((node, _)), None) | (None, Some((node, _))) => {
            node.report(Problem::Empty {
                remedy: "tls_cert and tls_key go together: name both, or use tls = true",
            });
            SandboxTlsConfig::Off
        }
        (None, None) if wanted => SandboxTlsConfig::SelfSigned,
        (None, None) => SandboxTlsConfig::Off,
    }
}

fn host(mut section: Section<'_>) -> HostConfig {
    let config = HostConfig {
        threads: section.integer("threads", defaults::HOST_THREADS, THREADS),
        handler_timeout: section.duration(
            "handler_timeout",
            defaults::HOST_HANDLER_TIMEOUT,
            (10 * MILLI, DAY),
        ),
        queue: section.integer("queue", defaults::HOST_QUEUE, (1, 1_000_000)),
        block_warning: section.duration(
            "block_warning",
            defaults::HOST_BLOCK_WARNING,
            (MILLI, HOUR),
        ),
    };
    section.finish();
    config
}

/// Addresses of this machine.
fn bind(section: &mut Section<'_>) -> Vec<IpAddr> {
    let texts = section.get("bind").and_then(|node| node.texts());
    let mut addresses = Vec::new();
    for (node, text) in texts.unwrap_or_default() {
        match text.parse::<IpAddr>() {
            Ok(address)
                if !address.is_unspecified()
                    && !address.is_multicast()
                    && !addresses.contains(&address) =>
            {
                addresses.push(address);
            }
            _ => node.report(Problem::Source { text }),
        }
    }
    addresses
}

fn io(section: &mut Section<'_>) -> IoConfig {
    let base = IoConfig::default();
    IoConfig {
        arbiters: section.integer("arbiters", base.arbiters, THREADS),
        hang_after: section.duration("hang_after", base.hang_after, (SECOND, 10 * MINUTE)),
    }
}

fn shutdown(mut section: Section<'_>) -> ShutdownConfig {
    let config = ShutdownConfig {
        grace: section.duration(
            "grace",
            defaults::SHUTDOWN_GRACE,
            (Duration::ZERO, 10 * MINUTE),
        ),
    };
    section.finish();
    config
}

/// The file of the store when none is named.
fn default_store(config: &Path) -> PathBuf {
    match config.file_stem().and_then(|stem| stem.to_str()) {
        None | Some("config") => defaults::STORE_PATH.into(),
        Some(stem) => format!("botroupe-{stem}.db").into(),
    }
}

fn store(mut section: Section<'_>, places: &mut BTreeMap<&'static str, Place>) -> StoreConfig {
    let path = section.get("path").and_then(|node| {
        places.insert("store.path", node.place());
        node.filled_text("name a file, or \":memory:\" to keep nothing")
    });
    let long = (HOUR, 365 * DAY);
    let config = StoreConfig {
        // The default depends on the name of the config, and is filled in where that is known.
        path: path.unwrap_or_default().into(),
        read: section.duration("read", defaults::STORE_READ, (MINUTE, 365 * DAY)),
        handled: section.duration("handled", defaults::STORE_HANDLED, long),
        keys: section.duration("keys", defaults::STORE_KEYS, long),
        dead_letters: section.duration("dead_letters", defaults::STORE_DEAD_LETTERS, long),
        keep_audit: match section.get("keep_audit") {
            Some(node) if node.is_text("forever") => None,
            Some(node) => node.duration(DAY, 3650 * DAY),
            None => None,
        },
        quota: section
            .get("quota")
            .and_then(|node| node.size(1 << 10, 1 << 40))
            .unwrap_or(defaults::STORE_QUOTA),
        spill: section
            .get("spill")
            .and_then(|node| node.size(0, 1 << 40))
            .unwrap_or(defaults::STORE_SPILL),
        delay: section.duration("delay", defaults::STORE_DELAY, (Duration::ZERO, SECOND)),
    };
    section.finish();
    config
}

/// The wire counts in seconds; fractions are cut off.
pub(super) const fn whole_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}
