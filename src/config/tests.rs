//! The config as a whole: good ones, and a table of bad ones with what is said about each.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
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

fn errors(result: Result<Config, ConfigErrors>) -> String {
    let text = result.expect_err("a bad config was accepted").to_string();
    assert!(!text.contains(MARKER), "a secret is shown: {text}");
    text
}

#[track_caller]
fn refused(text: &str, expected: &[&str]) {
    let said = errors(parse(text));
    for fragment in expected {
        assert!(
            said.contains(fragment),
            "expected {fragment:?} in:\n{said}\nfor:\n{text}"
        );
    }
}

#[test]
fn the_smallest_config_takes_the_defaults() {
    let config = parse(&with("")).unwrap();
    assert_eq!(config.endpoint, Endpoint::Sandbox);
    assert_eq!(config.app.sdk_app_id.get(), 1_400_000_001);
    assert_eq!(config.app.secret_key.unwrap().expose_secret(), MARKER);
    let [account] = &config.accounts[..] else {
        panic!("one account")
    };
    assert_eq!(account.user_id.as_str(), "a");
    assert_eq!(
        account.bots.iter().map(|bot| &**bot).collect::<Vec<_>>(),
        ["echo"]
    );
    assert!(account.enabled && account.user_sig.is_none());
    assert_eq!(
        *account.policy,
        AccountPolicy {
            user_sig_lifetime: defaults::USER_SIG_LIFETIME,
            backoff: BackoffConfig {
                min: defaults::BACKOFF_MIN,
                max: defaults::BACKOFF_MAX
            },
            login_spacing: defaults::LOGIN_SPACING,
            send_timeout: defaults::SEND_TIMEOUT,
        }
    );
    assert_eq!(config.sandbox.listen.to_string(), "127.0.0.1:7080");
    assert_eq!(config.sandbox.admins[0].as_str(), "administrator");
    assert_eq!(config.governor.logins_per_second, 200);
    assert_eq!(config.host.queue, 1_024);
    assert_eq!(config.io.arbiters, 1);
    assert_eq!(config.shutdown.grace, Duration::from_secs(10));
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
        enabled = false
        [[accounts]]
        user_id = "a"
        [[accounts]]
        user_id = "b-{01..03}"
        bots = ["echo", "counter"]
        backoff = { max = "9s" }
        enabled = true
        [sandbox]
        listen = "[::1]:0"
        max_web_instances = 2
        hello_interval = "2s"
        auto_import = false
        admins = ["root"]
        [governor]
        logins_per_second = 10
        burst = 20
        connecting = 30
        [host]
        threads = 4
        handler_timeout = "1m"
        queue = 5
        block_warning = "20ms"
        [io]
        arbiters = 3
        [shutdown]
        grace = "0s"
        [log]
        level = "debug"
        format = "json"
        [bots.echo]
        greeting = "hi ${NAME}, $$5"
        nested = { list = [1, 2.5, true, "${NAME}"] }
    "#;
    let config = parse_with(text, &[("NAME", "Ann")], &[]).unwrap();
    assert_eq!(
        config.endpoint,
        Endpoint::Url("wss://im.example.com/prefix".to_owned())
    );
    let names: Vec<&str> = config.accounts.iter().map(|a| a.user_id.as_str()).collect();
    assert_eq!(names, ["a", "b-01", "b-02", "b-03"]);
    let (a, b) = (&config.accounts[0], &config.accounts[1]);
    assert!(!a.enabled && b.enabled);
    assert_eq!(&*a.bots[0], "counter");
    assert_eq!(a.policy.backoff.min, Duration::from_secs(2));
    assert_eq!(a.policy.backoff.max, defaults::BACKOFF_MAX);
    assert_eq!(b.policy.backoff.min, Duration::from_secs(2));
    assert_eq!(b.policy.backoff.max, Duration::from_secs(9));
    assert_eq!(b.policy.login_spacing, Duration::from_secs(1));
    assert_eq!(config.sandbox.listen.to_string(), "[::1]:0");
    assert_eq!(
        (config.sandbox.max_web_instances, config.sandbox.auto_import),
        (2, false)
    );
    assert_eq!(config.sandbox.hello_interval, Duration::from_secs(2));
    let governor = config.governor;
    assert_eq!(
        (
            governor.logins_per_second,
            governor.burst,
            governor.connecting
        ),
        (10, 20, 30)
    );
    assert_eq!(
        (config.host.threads, config.host.queue, config.io.arbiters),
        (4, 5, 3)
    );
    assert_eq!(config.shutdown.grace, Duration::ZERO);
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
        assert_eq!(config.endpoint, expected);
        assert!(text.starts_with(&config.endpoint.to_string()));
    }
}

#[test]
fn the_command_line_wins_over_the_environment_over_the_file() {
    let text = format!(
        "endpoint = \"auto\"\n{}",
        with("[governor]\nburst = 1\nconnecting = 2\n")
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
    assert_eq!(config.endpoint, Endpoint::Sandbox);
    assert_eq!((config.governor.burst, config.governor.connecting), (6, 2));
    assert_eq!(
        config.app.secret_key.as_ref().unwrap().expose_secret(),
        "12345"
    );
    assert_eq!(
        config.accounts[0].policy.backoff.min,
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
fn keys_and_types() {
    for (more, expected) in [
        (
            "[[acounts]]\n",
            "config.toml:7:3: acounts: unknown key; did you mean \"accounts\"? (known: accounts, app,",
        ),
        (
            "[[accounts]]\nuserid = \"b\"\nbots = []\n",
            "config.toml:8:1: accounts[1].userid: unknown key; did you mean \"user_id\"?",
        ),
        (
            "[[accounts]]\nuserid = \"b\"\nbots = []\n",
            "config.toml:7:1: accounts[1].user_id: missing",
        ),
        (
            "[[accounts]]\nuser_id = \"b\"\n",
            "config.toml:7:1: accounts[1].bots: missing; name the bots",
        ),
        (
            "[sandbox]\nzzz = 1\n",
            "config.toml:8:1: sandbox.zzz: unknown key (known: listen, ",
        ),
        (
            "\"app.sdk_app_id\" = 1\n",
            "config.toml:7:1: accounts[0].\"app.sdk_app_id\": unknown key",
        ),
        (
            "backoff = { min = \"1s\", mux = \"2s\" }\n",
            "config.toml:7:25: accounts[0].backoff.mux: unknown key; did you mean \"max\"?",
        ),
        (
            "enabled = \"yes\"\n",
            "config.toml:7:11: accounts[0].enabled: expected true or false, found text",
        ),
        (
            "send_timeout = true\n",
            "config.toml:7:16: accounts[0].send_timeout: expected a duration like \"30s\", found true or false",
        ),
        (
            "backoff = 3\n",
            "config.toml:7:11: accounts[0].backoff: expected a table, found an integer",
        ),
        (
            "[host]\nthreads = \"2\"\n",
            "config.toml:8:11: host.threads: expected a whole number, found text",
        ),
        (
            "[host]\nthreads = 2.5\n",
            "config.toml:8:11: host.threads: expected a whole number, found a number with a fraction",
        ),
        (
            "[bots]\necho = 1\n",
            "config.toml:8:8: bots.echo: expected a table, found an integer",
        ),
        (
            "[log]\nlevel = 3\n",
            "config.toml:8:9: log.level: expected text in quotes, found an integer",
        ),
        (
            "[sandbox]\nadmins = \"root\"\n",
            "config.toml:8:10: sandbox.admins: expected a list like",
        ),
        (
            "[sandbox]\nadmins = [1]\n",
            "config.toml:8:11: sandbox.admins: expected text in quotes",
        ),
        (
            "[host]\nqueue = 99999999999999999999\n",
            "config.toml:8:9: host.queue: this integer is out of range",
        ),
    ] {
        refused(&with(more), &[expected]);
    }
    refused(
        "app = 1\n",
        &["config.toml:1:7: app: expected a table, found an integer"],
    );
    refused(
        "accounts = 1\n",
        &["config.toml:1:12: accounts: expected a list of tables"],
    );
    refused(
        "accounts = [1]\n",
        &["config.toml:1:13: accounts[0]: expected a table"],
    );
}

#[test]
fn values_out_of_range() {
    for (more, expected) in [
        (
            "[host]\nthreads = 0\n",
            "config.toml:8:11: host.threads: 0 is out of range: expected 1 to 256",
        ),
        ("[host]\nthreads = -1\n", "host.threads: -1 is out of range"),
        (
            "[governor]\nburst = 9999999\n",
            "config.toml:8:9: governor.burst: 9999999 is out of range: expected 1 to 100000",
        ),
        (
            "[shutdown]\ngrace = 10\n",
            "config.toml:8:9: shutdown.grace: which unit? write \"10s\"",
        ),
        (
            "[shutdown]\ngrace = \"10\"\n",
            "config.toml:8:9: shutdown.grace: which unit? write \"10s\"",
        ),
        (
            "[shutdown]\ngrace = \"2h\"\n",
            "shutdown.grace: 2h is out of range: expected 0s to 10m",
        ),
        (
            "[shutdown]\ngrace = \"soon\"\n",
            "shutdown.grace: \"soon\" is not a duration",
        ),
        (
            "[shutdown]\ngrace = \"3 weeks\"\n",
            "unknown unit \"weeks\"",
        ),
        (
            "backoff = { min = \"2m\" }\n",
            "config.toml:7:11: accounts[0].backoff: min (2m) is above max (1m)",
        ),
        (
            "[sandbox]\nlisten = \"localhost\"\n",
            "config.toml:8:10: sandbox.listen: \"localhost\" is not an address and a port",
        ),
        (
            "[sandbox]\nadmins = []\n",
            "sandbox.admins: empty; name at least one",
        ),
        (
            "[sandbox]\nadmins = [\"a b\"]\n",
            "config.toml:8:11: sandbox.admins: a UserID cannot contain ' '",
        ),
        (
            "[log]\nlevel = \"inof\"\n",
            "log.level: unknown log level \"inof\"; did you mean \"info\"? (known: error, warn",
        ),
        (
            "[log]\nformat = \"xml\"\n",
            "log.format: unknown log format \"xml\" (known: pretty, json)",
        ),
    ] {
        refused(&with(more), &[expected]);
    }
    refused(
        "[app]\nsdk_app_id = 0\n",
        &["config.toml:2:14: app.sdk_app_id: an SDKAppID is a number from 1"],
    );
    refused(
        "[app]\nsdk_app_id = 5000000000\n",
        &["config.toml:2:14: app.sdk_app_id: 5000000000 is out of range"],
    );
}

#[test]
fn endpoints_that_are_none() {
    for (endpoint, expected) in [
        (
            "chnia",
            "config.toml:1:12: endpoint: unknown endpoint \"chnia\"; did you mean \"china\"? (known: sandbox, auto, china",
        ),
        (
            "http://x",
            "config.toml:1:12: endpoint: not a WebSocket URL: it must start with ws:// or wss://",
        ),
        ("ws://", "not a WebSocket URL: it cannot be read"),
        (
            "ws://u:s3cr3tM4rk3r@h",
            "must not hold a user name or password",
        ),
        ("wss://h/?key=s3cr3tM4rk3r", "must end with the host"),
        ("://s3cr3tM4rk3r", "it cannot be read"),
    ] {
        refused(
            &format!("endpoint = {endpoint:?}\n{}", with("")),
            &[expected],
        );
    }
}

#[test]
fn accounts_that_cannot_be() {
    for (more, expected) in [
        (
            "[[accounts]]\nuser_id = \"b\"\nbots = [\n  \"echo\",\n  \"ecko\",\n]\n",
            "config.toml:11:3: accounts[1].bots: unknown bot \"ecko\"; did you mean \"echo\"? (known: echo, counter)",
        ),
        (
            "[[accounts]]\nuser_id = \"b\"\nbots = [\"echo\", \"echo\"]\n",
            "config.toml:9:17: accounts[1].bots: bot \"echo\" is listed twice",
        ),
        (
            "[defaults]\nbots = [\"weather\"]\n",
            "config.toml:8:9: defaults.bots: unknown bot \"weather\" (known: echo, counter)",
        ),
        (
            "[bots.counte]\n",
            "config.toml:7:7: bots.counte: unknown bot \"counte\"; did you mean \"counter\"?",
        ),
        (
            "[[accounts]]\nuser_id = \"a\"\nbots = []\n",
            "config.toml:8:11: accounts[1].user_id: duplicate account \"a\", already at config.toml:5:11",
        ),
        (
            "[[accounts]]\nuser_id = \"s-{1..5}\"\nbots = []\n[[accounts]]\nuser_id = \"s-{3..9}\"\nbots = []\n",
            "config.toml:11:11: accounts[2].user_id: duplicate account \"s-3\", already at config.toml:8:11 (and 2 more)",
        ),
        (
            "[[accounts]]\nuser_id = \"s-{x,x}\"\nbots = []\n",
            "accounts[1].user_id: duplicate account \"s-x\", already at config.toml:8:11",
        ),
        (
            "[[accounts]]\nuser_id = \"\"\nbots = []\n",
            "config.toml:8:11: accounts[1].user_id: a UserID cannot be empty",
        ),
        (
            "[[accounts]]\nuser_id = \"two words\"\nbots = []\n",
            "accounts[1].user_id: a UserID cannot contain ' '",
        ),
        (
            "[[accounts]]\nuser_id = \"123456789-123456789-123456789-x{10..19}\"\nbots = []\n",
            "accounts[1].user_id: \"123456789-123456789-123456789-x10\": a UserID has at most",
        ),
        (
            "[[accounts]]\nuser_id = \"x-{5..1}\"\nbots = []\n",
            "config.toml:8:11: accounts[1].user_id: \"{5..1}\" runs backwards; write {1..5}",
        ),
        (
            "[[accounts]]\nuser_id = \"x-{1..9\"\nbots = []\n",
            "accounts[1].user_id: \"{\" without a closing",
        ),
        (
            "[[accounts]]\nuser_id = \"x-{1..100001}\"\nbots = []\n",
            "accounts[1].user_id: expands to more than 100000 accounts",
        ),
        (
            "[[accounts]]\nuser_id = \"x-{1..60000}\"\nbots = []\n[[accounts]]\nuser_id = \"y-{1..60000}\"\nbots = []\n",
            "config.toml:11:11: accounts[2].user_id: more than 100000 accounts in all",
        ),
    ] {
        refused(&with(more), &[expected]);
    }
    refused(
        "[app]\nsdk_app_id = 1\n",
        &["config.toml: no accounts; add at least one:"],
    );
    refused(
        "accounts = []\n[app]\nsdk_app_id = 1\n",
        &["config.toml:1:12: accounts: no accounts"],
    );
    refused(
        "",
        &[
            "config.toml: no accounts",
            "config.toml: app.sdk_app_id: missing; write the SDKAppID",
        ],
    );
}

#[test]
fn secrets_that_cannot_be() {
    let app = |key: &str| {
        format!(
            "[app]\nsdk_app_id = 1400000001\nsecret_key = {key}\n[[accounts]]\nuser_id = \"a\"\nbots = []\n"
        )
    };
    for (key, expected) in [
        (
            "\"${BOTROUPE_SECRET_KEY}\"",
            "config.toml:3:14: app.secret_key: environment variable BOTROUPE_SECRET_KEY is not set; export it, or write a default: ${BOTROUPE_SECRET_KEY:-…}",
        ),
        ("\"${s3cr3tM4rk3r\"", "without a closing"),
        (
            "\"${s3cr3tM4rk3r-x}\"",
            "not the name of an environment variable",
        ),
        ("\"$${s3cr3tM4rk3r}\"", "looks like a placeholder"),
        ("\"<s3cr3tM4rk3r>\"", "looks like a placeholder"),
        (
            "\"s3cr3tM4rk3r\\n\"",
            "has white space or a line end around it",
        ),
        (
            "\"\"",
            "config.toml:3:14: app.secret_key: the secret is empty",
        ),
        (
            "12345",
            "app.secret_key: expected text in quotes, found an integer",
        ),
        (
            "[\"s3cr3tM4rk3r\"]",
            "app.secret_key: expected text in quotes, found a list",
        ),
        (
            "{ s3 = \"s3cr3tM4rk3r\" }",
            "app.secret_key: expected text in quotes, found a table",
        ),
    ] {
        refused(&app(key), &[expected]);
    }
    refused(
        "[app]\nsdk_app_id = 1\n[[accounts]]\nuser_id = \"s-{1..3}\"\nbots = []\n",
        &[
            "config.toml:3:1: accounts: account \"s-1\" (and 2 more) has nothing to log in with; set app.secret_key",
        ],
    );
    // A misspelt key, and broken TOML right behind a secret.
    refused(
        &with("[host]\nsecret_key = \"s3cr3tM4rk3r\"\n"),
        &["host.secret_key: unknown key"],
    );
    refused("[app]\nsecret_key = \"s3cr3tM4rk3r\n", &["config.toml:2:"]);
    refused(
        "[app]\nsecret_key = s3cr3tM4rk3r\n",
        &["config.toml:2:14: this is not TOML"],
    );
}

#[test]
fn a_user_sig_belongs_to_one_account_of_this_app() {
    let sig = "eJw1yUELgjAYxvHv8p5DtpItBh3sYIHVpTCvY3uV17KGTguj7x44e27P7-*By*EcDdiCgmXEYDF9svjwVNLE*k4G59DZm3aOLCgeszAeiqcGQXE5KwuKb0ctglqL*E8dVaAgMeNIg9gWMhfFLk91VvnmJK-7rE*PLnHG2RWW9bN-mQ18f5FvMWM_";
    let text = |app: u32, user: &str, sig: &str| {
        format!(
            "[app]\nsdk_app_id = {app}\n[[accounts]]\nuser_id = {user:?}\nbots = []\nuser_sig = {sig:?}\n"
        )
    };
    let config = parse(&text(1_400_000_001, "alice", sig)).unwrap();
    assert_eq!(
        config.accounts[0]
            .user_sig
            .as_ref()
            .unwrap()
            .expose_secret(),
        sig
    );
    assert!(config.app.secret_key.is_none());
    for (app, user, sig, expected) in [
        (
            1_400_000_001,
            "bob",
            sig,
            "config.toml:6:12: accounts[0].user_sig: this UserSig was made for another UserID",
        ),
        (
            1_400_000_002,
            "alice",
            sig,
            "this UserSig was made for another SDKAppID",
        ),
        (
            1_400_000_001,
            "alice",
            MARKER,
            "this UserSig cannot be read",
        ),
        (
            1_400_000_001,
            "alice-{1..4}",
            sig,
            "this pattern stands for 4",
        ),
        (1_400_000_001, "alice", "", "the secret is empty"),
    ] {
        let said = errors(parse(&text(app, user, sig)));
        assert!(said.contains(expected), "{said}");
        assert!(sig.is_empty() || !said.contains(sig), "{said}");
        assert!(
            !said.contains("nothing to log in"),
            "one mistake, one error: {said}"
        );
    }
}

#[test]
fn syntax_errors_have_a_place() {
    refused("[app\nsdk = 1\n", &["config.toml:1:5: this is not TOML"]);
    refused(
        "a = 1\na = 2\n",
        &["config.toml:2:1: this is not TOML: duplicate key"],
    );
    refused("ü = 1\n", &["config.toml:1:1: this is not TOML"]);
}

#[test]
fn layers_outside_the_file_are_named() {
    for (env, set, expected) in [
        (
            ("BOTROUPE__HOST__THREADS", "many"),
            ("io.arbiters", "2"),
            "environment variable BOTROUPE__HOST__THREADS: host.threads: expected a whole number, found text",
        ),
        (
            ("BOTROUPE__HOST__THREDS", "2"),
            ("io.arbiters", "2"),
            "environment variable BOTROUPE__HOST__THREDS: host.threds: unknown key; did you mean \"threads\"?",
        ),
        (
            ("BOTROUPE__HSOT__THREADS", "2"),
            ("io.arbiters", "2"),
            "environment variable BOTROUPE__HSOT__THREADS: hsot.threads: unknown key; did you mean \"host\"?",
        ),
        (
            ("BOTROUPE__", "2"),
            ("io.arbiters", "2"),
            "environment variable BOTROUPE__: unknown key",
        ),
        (
            ("BOTROUPE__APP", "s3cr3tM4rk3r"),
            ("io.arbiters", "2"),
            "environment variable BOTROUPE__APP: app: expected a table, found text",
        ),
        (
            ("BOTROUPE__APP__SECRET_KEY", "${s3cr3tM4rk3r}"),
            ("io.arbiters", "2"),
            "environment variable BOTROUPE__APP__SECRET_KEY: app.secret_key: the secret looks like a placeholder",
        ),
        (
            ("X", ""),
            ("io.arbiters", "0"),
            "--set io.arbiters: io.arbiters: 0 is out of range: expected 1 to 256",
        ),
        (
            ("X", ""),
            ("accounts[0].bots", "ecko"),
            "--set accounts[0].bots: accounts[0].bots: unknown bot \"ecko\"; did you mean \"echo\"?",
        ),
        (
            ("X", ""),
            ("accounts[7].bots", "echo"),
            "--set accounts[7].bots: accounts[7].bots: this does not name a key; the index must be",
        ),
        (
            ("X", ""),
            ("accounts[-1].bots", "echo"),
            "this does not name a key",
        ),
        (
            ("X", ""),
            ("accounts[999999999999].bots", "echo"),
            "this does not name a key",
        ),
        (
            ("X", ""),
            ("bots[0]", "echo"),
            "only accounts takes an index",
        ),
        (
            ("X", ""),
            ("io..arbiters", "1"),
            "this does not name a key; write the names with dots",
        ),
        (
            ("X", ""),
            ("app.secret_key", "s3cr3tM4rk3r "),
            "--set app.secret_key: app.secret_key: the secret has white space",
        ),
    ] {
        let said = errors(parse_with(&with(""), &[env], &[set]));
        assert!(said.contains(expected), "expected {expected:?} in:\n{said}");
    }
}

#[test]
fn every_mistake_is_reported_in_order() {
    let result = parse_with(
        &with("zzz = 1\n[host]\nthreads = 0\nqueue = \"x\"\n[log]\nlevel = \"loud\"\n"),
        &[("BOTROUPE__IO__ARBITERS", "x")],
        &[("endpoint", "mars")],
    );
    let errors = result.unwrap_err();
    let keys: Vec<&str> = errors
        .errors()
        .iter()
        .map(|error| error.key.as_str())
        .collect();
    assert_eq!(
        keys,
        [
            "accounts[0].zzz",
            "host.threads",
            "host.queue",
            "log.level",
            "io.arbiters",
            "endpoint"
        ]
    );
    assert_eq!(errors.to_string().lines().count(), 6);
}

#[test]
fn many_mistakes_are_cut_short_in_print_only() {
    let many: String = (0..80).map(|n| format!("k{n} = 1\n")).collect();
    let errors = parse(&with(&many)).unwrap_err();
    assert_eq!(errors.errors().len(), 80);
    assert!(errors.to_string().ends_with("\nand 30 more"));
}

#[test]
fn what_is_overridden_need_not_be_right() {
    let text = "[app]\nsdk_app_id = 1\nsecret_key = \"${UNSET}\"\n[[accounts]]\nuser_id = \"a\"\nbots = []\n";
    assert!(parse(text).is_err());
    let config = parse_with(text, &[], &[("app.secret_key", "k")]).unwrap();
    assert_eq!(config.app.secret_key.unwrap().expose_secret(), "k");
}

#[test]
fn deep_nesting_is_refused_or_read_but_never_overflows() {
    let dots = format!("[bots.echo]\n{}a = 1\n", "a.".repeat(50_000));
    let lists = format!(
        "[bots.echo]\na = {}{}\n",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    for text in [dots, lists] {
        assert!(parse(&with(&text)).is_err());
    }
    let deep = "a.".repeat(30_000) + "a";
    assert!(parse_with(&with(""), &[], &[(&format!("bots.echo.{deep}"), "1")]).is_err());
    let name = format!("BOTROUPE__BOTS__ECHO__{}A", "A__".repeat(30_000));
    assert!(parse_with(&with(""), &[(&name, "1")], &[]).is_err());
    let value = "[".repeat(30_000);
    assert!(parse_with(&with(""), &[], &[("app.secret_key", &value)]).is_ok());
}

/// Pieces that get further into the code than arbitrary text does.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "[app]\n",
            "[[accounts]]\n",
            "[defaults]\n",
            "[bots.echo]\n",
            "[sandbox]\n",
            "accounts = ",
            "sdk_app_id = ",
            "secret_key = ",
            "user_id = ",
            "bots = ",
            "backoff = ",
            "min = ",
            "user_sig = ",
            "enabled = ",
            "endpoint = ",
            "listen = ",
            "\"",
            "\n",
            "{",
            "}",
            "[",
            "]",
            "1",
            "\"a\"\n",
            "\"a-{1..3}\"\n",
            "\"${X}\"\n",
            "\"${X:-y}\"\n",
            "true\n",
            "1s",
            "\"1h\"\n",
            "[\"echo\"]\n",
            "1979-05-27\n",
            "inf\n",
            ",",
            "\"ws://h\"\n",
            "ü",
            "#",
            "'''",
            "\r\n",
            "\\u0000",
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_text_never_panics(
        pieces in prop::collection::vec(piece(), 0..24),
        key in "(accounts|app|bots|io)?[.\\[\\]a-z0-9-]{0,12}",
        value in ".{0,16}",
    ) {
        let text = pieces.concat();
        let variable = format!("BOTROUPE__{}", key.to_uppercase().replace('.', "__"));
        for text in [text.clone(), with(&text)] {
            if let Err(errors) = parse_with(&text, &[(&variable, &value)], &[(&key, &value)]) {
                prop_assert!(!errors.errors().is_empty());
                let _ = errors.to_string();
            }
        }
    }
}

/// The `config.toml` people start from.
const SHIPPED: &str = include_str!("../../config.toml");

#[test]
fn the_shipped_config_runs_as_it_stands() {
    let config = parse(SHIPPED).unwrap();
    assert_eq!(config.endpoint, Endpoint::Sandbox);
    assert_eq!(config.accounts.len(), 7);
    let config = parse_with(SHIPPED, &[("BOTROUPE_SECRET_KEY", "other")], &[]).unwrap();
    assert_eq!(config.app.secret_key.unwrap().expose_secret(), "other");
}

#[test]
fn the_defaults_written_in_the_shipped_config_are_the_defaults() {
    // Every "# key = value" as a line of its own, so that the file cannot fall behind the code.
    let shown: String = SHIPPED
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| is_key(key)) => {
                let (key, rest) = rest.split_once(" = ").unwrap();
                let value = rest.split("  ").next().unwrap().trim_end();
                match key {
                    // Neither has a default.
                    "user_sig" | "bots" => String::new(),
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
        full.contributions.file >= bare.contributions.file + 20,
        "{shown}"
    );
    assert_eq!(full.accounts[0].policy, bare.accounts[0].policy);
    assert_eq!(full.sandbox, bare.sandbox);
    assert_eq!(full.governor, bare.governor);
    assert_eq!(full.host, bare.host);
    assert_eq!(
        (full.io, full.shutdown, full.log),
        (bare.io, bare.shutdown, bare.log)
    );
}

fn is_key(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}
