//! Good configs; bad ones and senseless ones have files of their own.

mod account_files;
mod alerts;
mod apps;
mod arbitrary;
mod logs;
mod recovery;
mod refused;
mod source;
mod traces;

use std::{collections::BTreeMap, path::Path, time::Duration};

use secrecy::ExposeSecret;

use super::*;

const BOTS: &[&str] = &["echo", "counter"];
/// Stands for a secret in every bad config; no error may show it.
const MARKER: &str = "s3cr3tM4rk3r";

type Vars = BTreeMap<String, String>;

fn vars(vars: &[(&str, &str)]) -> Vars {
    vars.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn parse_with(
    text: &str,
    env: &[(&str, &str)],
    set: &[(&str, &str)],
) -> Result<Config, ConfigErrors> {
    let overrides: Vec<(String, String)> = set
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Config::parse(Sources {
        file: "config.toml",
        text,
        env: &vars(env),
        overrides: &overrides,
        known_bots: BOTS,
    })
}

fn parse(text: &str) -> Result<Config, ConfigErrors> {
    parse_with(text, &[], &[])
}

/// The smallest config that is right, on lines 1 to 6; `more` starts on line 7.
fn with(more: &str) -> String {
    format!(
        "[app]\nsdk_app_id = 1400000001\nsecret_key = \"{MARKER}\"\n[[accounts]]\nuser_id = \"a\"\n\
         bots = [\"echo\"]\n{more}"
    )
}

#[test]
fn f6_the_sandbox_speaks_tls_with_a_certificate_of_its_own_or_with_files() {
    let tls = |more: &str| parse(&with(&format!("[sandbox]\n{more}"))).map(|c| c.sandbox.tls);
    assert_eq!(tls(""), Ok(SandboxTlsConfig::Off));
    assert_eq!(tls("tls = true"), Ok(SandboxTlsConfig::SelfSigned));
    let files = SandboxTlsConfig::Files {
        certificate: "c.pem".into(),
        key: "k.pem".into(),
    };
    assert_eq!(tls("tls_cert = \"c.pem\"\ntls_key = \"k.pem\""), Ok(files));
    for half in [
        "tls_cert = \"c.pem\"",
        "tls_key = \"k.pem\"",
        "tls_cert = \"\"\ntls_key = \"k\"",
    ] {
        let refused = tls(half).unwrap_err().to_string();
        assert!(refused.contains("sandbox.tls_"), "{refused}");
    }
}

#[test]
fn an_account_has_settings_of_its_own_over_those_of_all() {
    let text = with(
        "settings.echo = { tone.loud = true, n = 2 }\n[[accounts]]\nuser_id = \"b-{1..2}\"\nbots = [\"echo\", \"counter\"]\n\
         [accounts.settings.counter]\nword = \"${WORD:-Wort}\"\n[bots.echo]\nn = 1\ntone = { loud = false, low = 3 }\n",
    );
    let config = parse(&text).unwrap();
    let shown = |account: usize, bot: &str| {
        let (settings, is_own) = config.accounts[account].bot_settings(bot, &config.bots);
        (settings.unwrap().table().to_string(), is_own)
    };
    let own = "n = 2\n\n[tone]\nloud = true\nlow = 3\n".to_owned();
    let common = "n = 1\n\n[tone]\nloud = false\nlow = 3\n".to_owned();
    assert_eq!(shown(0, "echo"), (own, true));
    assert_eq!(shown(1, "echo"), (common, false));
    let word = ("word = \"Wort\"\n".to_owned(), true);
    assert_eq!(shown(1, "counter"), word);
    assert_eq!(shown(2, "counter"), word);
    let of = |account: usize| config.accounts[account].settings.as_ref().unwrap();
    assert!(
        std::sync::Arc::ptr_eq(of(1), of(2)),
        "accounts of one entry share them"
    );
}

/// What a bot needs may be said by each of its accounts, or by `[bots.…]` in part.
#[test]
fn the_settings_of_accounts_are_checked_as_a_whole() {
    let check = |name: &str, user: &crate::account::AccountName, settings: Option<&BotSettings>| {
        let table = settings.map(BotSettings::table);
        let is_text = |key| {
            table
                .and_then(|table| table.get(key))
                .is_some_and(toml::Value::is_str)
        };
        match name {
            "echo" if !is_text("shop") => {
                Some((vec!["shop".to_owned()], format!("no shop for {user}")))
            }
            "echo" if !is_text("town") => {
                Some((vec!["town".to_owned()], format!("no town for {user}")))
            }
            _ => None,
        }
    };
    let parse = |more: &str| {
        let (text, env) = (with(more), vars(&[]));
        let parsed =
            Config::parse_with(Sources::new("c.toml", &text, &env).known_bots(BOTS), &check);
        parsed.map_err(|errors| errors.to_string())
    };
    let second = "[[accounts]]\nuser_id = \"b\"\nbots = [\"echo\"]\n";
    let shops =
        format!("settings.echo = {{ shop = \"A\" }}\n{second}settings.echo = {{ shop = \"B\" }}\n");
    assert!(parse(&format!("{shops}[bots.echo]\ntown = \"X\"\n")).is_ok());
    for (more, expected) in [
        (
            shops.clone(),
            vec![
                "c.toml:7:17: accounts[0].settings.echo: no town for a",
                "c.toml:11:17: accounts[1].settings.echo: no town for b",
            ],
        ),
        (
            format!("settings.echo = {{ shop = 1, town = \"X\" }}\n{second}"),
            vec![
                "c.toml:7:26: accounts[0].settings.echo.shop: no shop for a",
                "bots.echo: no shop for b",
            ],
        ),
        (
            format!("settings.echo = {{ shop = \"A\" }}\n{second}[bots.echo]\ntown = \"X\"\n"),
            vec!["bots.echo: no shop for b"],
        ),
    ] {
        let said = parse(&more).unwrap_err();
        for expected in expected {
            assert!(said.contains(expected), "expected {expected:?} in:\n{said}");
        }
    }
}

#[test]
fn the_smallest_config_takes_the_defaults() {
    let config = parse(&with("")).unwrap();
    assert_eq!(config.apps[0].endpoint, Endpoint::Sandbox);
    assert_eq!(config.apps[0].sdk_app_id.get(), 1_400_000_001);
    assert_eq!(
        config.apps[0].secret_key.as_ref().unwrap().expose_secret(),
        MARKER
    );
    let [account] = &config.accounts[..] else {
        panic!("one account")
    };
    assert_eq!(account.name.as_str(), "a");
    assert_eq!(
        account.bots.iter().map(|bot| &**bot).collect::<Vec<_>>(),
        ["echo"]
    );
    assert!(account.enabled && account.user_sig.is_none());
    assert_eq!(account.user_sig_lifetime, defaults::USER_SIG_LIFETIME);
    assert_eq!(account.user_sig_timeout, defaults::USER_SIG_TIMEOUT);
    assert_eq!(
        *account.policy,
        Policy {
            login_spacing: defaults::LOGIN_SPACING_SANDBOX,
            ..Policy::standard()
        }
    );
    assert_eq!(config.sandbox.listen.to_string(), "127.0.0.1:7080");
    assert_eq!(config.sandbox.admins[0].as_str(), "administrator");
    assert_eq!(config.apps[0].governor.logins_per_second, 200);
    assert_eq!(config.host.queue, 1_024);
    assert_eq!(config.io.arbiters, 1);
    assert_eq!(config.io.hang_after, Duration::from_secs(15));
    assert!(config.network.bind.is_empty());
    assert_eq!(config.network.keepalive, Some(Duration::from_secs(60)));
    assert_eq!(config.shutdown.grace, Duration::from_secs(10));
    assert_eq!(config.store.path, Path::new("botroupe.db"));
    assert_eq!(
        (config.store.quota, config.store.spill),
        (64 << 20, 64 << 20)
    );
    assert_eq!(config.store.delay, Duration::from_millis(5));
    assert_eq!(config.log, LogConfig::default());
}

#[test]
fn every_key_is_read() {
    let text = r#"
        endpoint = "wss://im.example.com/prefix/"
        [app]
        sdk_app_id = 20000001
        secret_key = "${KEY:-k}"
        [defaults]
        bots = ["counter"]
        user_sig_lifetime = "1d"
        backoff = { min = "2s" }
        login_spacing = "1s"
        send_timeout = "5s"
        proxy = "socks5://own.example:9050"
        enabled = false
        [[accounts]]
        user_id = "a"
        [[accounts]]
        user_id = "b-{01..03}"
        bots = ["echo", "counter"]
        backoff = { max = "9s" }
        proxy = "direct"
        enabled = true
        [sandbox]
        listen = "[::1]:0"
        max_web_instances = 2
        hello_interval = "2s"
        unknown = "refuse"
        dedupe = "none"
        auto_import = false
        admins = ["root"]
        [governor]
        logins_per_second = 10
        burst = 20
        [host]
        threads = 4
        handler_timeout = "1m"
        queue = 5
        block_warning = "20ms"
        [io]
        arbiters = 3
        hang_after = "20s"
        bind = ["10.0.0.4", "fd00::1"]
        keepalive = "90s"
        [shutdown]
        grace = "0s"
        [store]
        path = "state/bots.db"
        read = "2h"
        handled = "8d"
        keys = "31d"
        dead_letters = "1d"
        keep_audit = "400d"
        quota = "1GiB"
        spill = "2MiB"
        delay = "0ms"
        [log]
        level = "debug"
        format = "json"
        [bots.echo]
        greeting = "hi ${NAME}, $$5"
        nested = { list = [1, 2.5, true, "${NAME}"] }
    "#;
    let config = parse_with(text, &[("NAME", "Ann")], &[]).unwrap();
    assert_eq!(
        config.apps[0].endpoint,
        Endpoint::Url("wss://im.example.com/prefix".to_owned())
    );
    let names: Vec<&str> = config.accounts.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["a", "b-01", "b-02", "b-03"]);
    let (a, b) = (&config.accounts[0], &config.accounts[1]);
    assert!(!a.enabled && b.enabled);
    let hosts = [a, b].map(|account| match account.proxy.as_deref() {
        Some(AccountProxy::Through(proxy)) => proxy.host().to_owned(),
        other => format!("{other:?}"),
    });
    assert_eq!(hosts, ["own.example", "Some(Direct)"]);
    assert_eq!(&*a.bots[0], "counter");
    assert_eq!(a.policy.backoff.min(), Duration::from_secs(2));
    assert_eq!(a.policy.backoff.max(), Backoff::DEFAULT.max());
    assert_eq!(b.policy.backoff.min(), Duration::from_secs(2));
    assert_eq!(b.policy.backoff.max(), Duration::from_secs(9));
    assert_eq!(b.policy.login_spacing, Duration::from_secs(1));
    assert_eq!(config.sandbox.listen.to_string(), "[::1]:0");
    assert_eq!(
        (config.sandbox.max_web_instances, config.sandbox.auto_import),
        (2, false)
    );
    assert_eq!(config.sandbox.hello_interval, Duration::from_secs(2));
    assert!(config.sandbox.refuse_unknown);
    assert_eq!(config.sandbox.dedupe, SandboxDedupe::None);
    let governor = config.apps[0].governor;
    assert_eq!((governor.logins_per_second, governor.burst), (10, 20));
    assert_eq!(config.io.hang_after, Duration::from_secs(20));
    let network = &config.network;
    assert_eq!(network.bind.len(), 2);
    assert_eq!(network.keepalive, Some(Duration::from_secs(90)));
    assert_eq!(
        (config.host.threads, config.host.queue, config.io.arbiters),
        (4, 5, 3)
    );
    assert_eq!(config.shutdown.grace, Duration::ZERO);
    let store = &config.store;
    assert_eq!(store.path, Path::new("state/bots.db"));
    let hours = [store.read, store.handled, store.keys, store.dead_letters];
    assert_eq!(hours.map(|it| it.as_secs() / 3600), [2, 192, 744, 24]);
    let days = store.keep_audit.map(|keep| keep.as_secs() / 86_400);
    assert_eq!(days, Some(400));
    assert_eq!((store.quota, store.spill), (1 << 30, 2 << 20));
    assert_eq!(store.delay, Duration::ZERO);
    assert_eq!(
        (config.log.level, config.log.format),
        (LogLevel::Debug, LogFormat::Json)
    );
    let echo = config.bots["echo"].table();
    assert_eq!(echo["greeting"].as_str(), Some("hi Ann, $5"));
    assert_eq!(echo["nested"]["list"][1].as_float(), Some(2.5));
    assert_eq!(echo["nested"]["list"][3].as_str(), Some("Ann"));
}

#[test]
fn accounts_of_one_pattern_share_what_they_have_in_common() {
    let config = parse(&with(
        "[[accounts]]\nuser_id = \"m-{0001..5000}\"\nbots = [\"echo\"]\nlogin_spacing = \"0s\"",
    ))
    .unwrap();
    assert_eq!(config.accounts.len(), 5_001);
    let (first, last) = (&config.accounts[1], &config.accounts[5_000]);
    assert!(std::sync::Arc::ptr_eq(&first.policy, &last.policy));
    assert!(std::sync::Arc::ptr_eq(&first.bots, &last.bots));
}

#[test]
fn endpoints() {
    use crate::proto::endpoint::Site;
    for (text, expected) in [
        ("sandbox", Endpoint::Sandbox),
        ("auto", Endpoint::Auto),
        ("singapore", Endpoint::Site(Site::Singapore)),
        (
            "ws://127.0.0.1:7080",
            Endpoint::Url("ws://127.0.0.1:7080".to_owned()),
        ),
    ] {
        let config = parse(&format!("endpoint = {text:?}\n{}", with(""))).unwrap();
        assert_eq!(config.apps[0].endpoint, expected);
        assert!(text.starts_with(&config.apps[0].endpoint.to_string()));
    }
}

#[test]
fn the_command_line_wins_over_the_environment_over_the_file() {
    let text = format!(
        "endpoint = \"auto\"\n{}",
        with("[governor]\nburst = 1\nlogins_per_second = 2\n")
    );
    let config = parse_with(
        &text,
        &[
            ("BOTROUPE__ENDPOINT", "china"),
            ("BOTROUPE__GOVERNOR__BURST", "5"),
            ("BOTROUPE__APP__SECRET_KEY", "12345"),
            ("BOTROUPE__DEFAULTS__BACKOFF__MIN", "5s"),
            ("BOTROUPE__BOTS__ECHO__TIMES", "3"),
            ("BOTROUPE__SANDBOX__ADMINS", "x, y"),
            ("BOTROUPE_SECRET_KEY", "only for ${}"),
        ],
        &[
            ("endpoint", "sandbox"),
            ("governor.burst", "6"),
            ("sandbox.auto_import", "false"),
            ("accounts[0].bots", "[\"counter\", 'echo']"),
            ("sandbox.listen", "\"127.0.0.1:0\""),
        ],
    )
    .unwrap();
    assert_eq!(config.apps[0].endpoint, Endpoint::Sandbox);
    assert_eq!(
        (
            config.apps[0].governor.burst,
            config.apps[0].governor.logins_per_second
        ),
        (6, 2)
    );
    assert_eq!(
        config.apps[0].secret_key.as_ref().unwrap().expose_secret(),
        "12345"
    );
    assert_eq!(
        config.accounts[0].policy.backoff.min(),
        Duration::from_secs(5)
    );
    assert_eq!(config.bots["echo"].table()["times"].as_integer(), Some(3));
    assert_eq!(config.sandbox.admins.len(), 2);
    assert!(!config.sandbox.auto_import);
    assert_eq!(&*config.accounts[0].bots[0], "counter");
    assert_eq!(config.sandbox.listen.port(), 0);
    let summary = config.summary().to_string();
    assert!(
        summary.contains("--set endpoint, governor.burst"),
        "{summary}"
    );
    assert!(
        summary.contains("environment BOTROUPE__APP__SECRET_KEY"),
        "{summary}"
    );
    assert!(!summary.contains("12345"), "{summary}");
}

#[test]
fn the_summary_says_what_would_start() {
    let config = parse(&with(
        "[[accounts]]\nuser_id = \"s-{1..9}\"\nbots = [\"echo\", \"counter\"]\n\
         [[accounts]]\nuser_id = \"off\"\nbots = []\nenabled = false\n[bots.counter]\nstep = 2\n",
    ))
    .unwrap();
    assert_eq!(
        config.summary().to_string(),
        "endpoint  sandbox (embedded server at 127.0.0.1:7080)\n\
         app       1400000001 with a secret key\n\
         accounts  10, 1 not enabled\n\
         bot       counter on 9 accounts, with settings\n\
         bot       echo on 10 accounts\n\
         layers    10 values in config.toml; defaults for the rest\n"
    );
}

#[test]
fn nothing_shows_a_secret() {
    let text = with(&format!("[bots.echo]\npassword = \"{MARKER}\"\n"));
    let config = parse(&text).unwrap();
    for shown in [
        format!("{config:?}"),
        format!("{config:#?}"),
        config.summary().to_string(),
    ] {
        assert!(!shown.contains(MARKER), "{shown}");
    }
    let env = Vars::new();
    let overrides = [("app.secret_key".to_owned(), MARKER.to_owned())];
    let sources = Sources {
        file: "config.toml",
        text: &text,
        env: &env,
        overrides: &overrides,
        known_bots: BOTS,
    };
    assert!(!format!("{sources:?}").contains(MARKER));
}

#[test]
fn what_is_overridden_need_not_be_right() {
    let text = "[app]\nsdk_app_id = 1\nsecret_key = \"${UNSET}\"\n[[accounts]]\nuser_id = \"a\"\nbots = []\n";
    assert!(parse(text).is_err());
    let config = parse_with(text, &[], &[("app.secret_key", "k")]).unwrap();
    assert_eq!(
        config.apps[0].secret_key.as_ref().unwrap().expose_secret(),
        "k"
    );
}

/// The `config.toml` people start from.
const SHIPPED: &str = include_str!("../../../config.toml");

#[test]
fn the_shipped_config_runs_as_it_stands() {
    let config = parse(SHIPPED).unwrap();
    assert_eq!(config.apps[0].endpoint, Endpoint::Sandbox);
    assert_eq!(config.accounts.len(), 7);
    let config = parse_with(SHIPPED, &[("BOTROUPE_SECRET_KEY", "other")], &[]).unwrap();
    assert_eq!(
        config.apps[0].secret_key.as_ref().unwrap().expose_secret(),
        "other"
    );
}

#[test]
fn the_defaults_written_in_the_shipped_config_are_the_defaults() {
    // Every "# key = value" as a line of its own, so that the file cannot fall behind the code.
    // The keys of a section that is a comment itself have no default.
    let mut in_comment = false;
    let shown: String = SHIPPED
        .lines()
        .map(|line| {
            in_comment = line.starts_with("# [") || in_comment && !line.starts_with('[');
            (line, in_comment)
        })
        .map(|(line, in_comment)| match line.strip_prefix("# ") {
            Some(_) if in_comment => String::new(),
            Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| is_key(key)) => {
                let (key, rest) = rest.split_once(" = ").unwrap();
                let value = rest.split("  ").next().unwrap().trim_end();
                match key {
                    // None has a default, or its section is a comment, too.
                    "isolation" | "on_unknown" | "language" | "prefixes" | "admins" | "roles"
                    | "user_sig" | "user_sig_file" | "user_sig_env" | "user_sig_command"
                    | "user_sig_http" | "return_after" | "bots" | "accounts_from"
                    | "accounts_command" | "accounts_http" | "accounts_every"
                    | "secret_key_file" | "secret_key_env" | "secret_key_command"
                    | "secret_key_http" => String::new(),
                    _ => format!("{key} = {value}\n"),
                }
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let (bare, full) = (
        parse(SHIPPED).unwrap(),
        parse(&shown).unwrap_or_else(|e| panic!("{e}\n{shown}")),
    );
    assert!(
        full.contributions.file >= bare.contributions.file + 35,
        "{shown}"
    );
    assert_eq!(full.accounts[0].policy, bare.accounts[0].policy);
    assert_eq!(format!("{:?}", full.sandbox), format!("{:?}", bare.sandbox));
    assert_eq!(full.apps[0].governor, bare.apps[0].governor);
    assert_eq!(full.host, bare.host);
    assert_eq!(format!("{:?}", full.network), format!("{:?}", bare.network));
    assert_eq!(
        (full.io, full.shutdown, full.log),
        (bare.io, bare.shutdown, bare.log)
    );
    assert_eq!(full.store, bare.store);
}

fn is_key(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[test]
fn d_certificates_and_a_proxy_can_be_named() {
    let config = parse(&with(
        "[tls]\nca_file = \"ca.pem\"\n[proxy]\nurl = \"http://p:1\"\nexcept = [\"x.y\"]\n",
    ))
    .unwrap();
    let network = &config.network;
    assert_eq!(network.ca_file, Some("ca.pem".into()));
    assert_eq!(
        network.proxy.as_ref().unwrap().expose_secret(),
        "http://p:1"
    );
    assert_eq!(network.no_proxy, ["x.y"]);
    // Their sections count as known wherever a key may come from.
    let set = parse_with(
        &with(""),
        &[("BOTROUPE__PROXY__URL", "http://p:2")],
        &[("tls.ca_file", "b.pem")],
    );
    let network = set.unwrap().network;
    assert_eq!(network.ca_file, Some("b.pem".into()));
    assert_eq!(network.proxy.unwrap().expose_secret(), "http://p:2");
}

#[test]
fn the_store_is_beside_the_config_under_its_name() {
    let path = |file: &str, more: &str| {
        let text = with(more);
        let env = BTreeMap::<String, String>::new();
        let sources = Sources::new(file, &text, &env).known_bots(BOTS);
        Config::parse(sources).unwrap().store.path
    };
    assert_eq!(
        path("/etc/bots/config.toml", ""),
        Path::new("/etc/bots/botroupe.db")
    );
    assert_eq!(
        path("bots/prod.toml", ""),
        Path::new("bots/botroupe-prod.db")
    );
    let memory = path("bots/prod.toml", "[store]\npath = \":memory:\"\n");
    assert_eq!(memory, Path::new(":memory:"));
    let other = path("bots/prod.toml", "[store]\npath = \"/var/lib/x.db\"\n");
    assert_eq!(other, Path::new("/var/lib/x.db"));
}
