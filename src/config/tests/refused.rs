//! Bad configs, and what is said about each.

use secrecy::ExposeSecret;

use super::*;

fn errors(result: Result<Config, ConfigErrors>) -> String {
    let text = result.expect_err("a bad config was accepted").to_string();
    assert!(!text.contains(MARKER), "a secret is shown: {text}");
    text
}

#[track_caller]
pub(super) fn refused(text: &str, expected: &[&str]) {
    let said = errors(parse(text));
    for fragment in expected {
        assert!(
            said.contains(fragment),
            "expected {fragment:?} in:\n{said}\nfor:\n{text}"
        );
    }
}

#[test]
fn keys_and_types() {
    for (more, expected) in [
        (
            "[[acounts]]\n",
            "config.toml:7:3: acounts: unknown key; did you mean \"accounts\"? (known: accounts, ",
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
            "settings.counter = {}\n",
            "config.toml:7:20: accounts[0].settings.counter: the account does not run the bot \"counter\"; add it to bots, or",
        ),
        (
            "settings.ecko = {}\n",
            "config.toml:7:10: accounts[0].settings.ecko: unknown bot \"ecko\"; did you mean \"echo\"?",
        ),
        (
            "settings = 1\n",
            "config.toml:7:12: accounts[0].settings: expected a table",
        ),
        (
            "settings.echo = 1\n",
            "config.toml:7:17: accounts[0].settings.echo: expected a table",
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
            "[store]\nquota = \"64MB\"\n",
            "store.quota: expected a size like \"64MiB\" (B, KiB, MiB, GiB), found text",
        ),
        (
            "[store]\nquota = 7\n",
            "store.quota: 7B is out of range: expected 1KiB to 1024GiB",
        ),
        ("[store]\npath = \"\"\n", "store.path: "),
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
            "[io]\nbind = [\"10.0.0.4\", \"10.0.0.4\"]\n",
            "config.toml:8:21: io.bind: \"10.0.0.4\" cannot be bound to; name each address",
        ),
        (
            "[io]\nbind = [\"eth0\"]\n",
            "io.bind: \"eth0\" cannot be bound to",
        ),
        ("[io]\nbind = [\"0.0.0.0\"]\n", "cannot be bound to"),
        (
            "[io]\nkeepalive = \"500ms\"\n",
            "io.keepalive: 500ms is out of range: expected 1s to 1h",
        ),
        (
            "proxy = \"socks4://u:s3cr3tM4rk3r@h\"\n",
            "config.toml:7:9: accounts[0].proxy: a proxy of kind socks4 is not known",
        ),
        ("proxy = \"\"\n", "accounts[0].proxy: the secret is empty"),
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
    assert!(config.apps[0].secret_key.is_none());
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
