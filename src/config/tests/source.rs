//! `user_sig_file`, `user_sig_env`, `user_sig_command`, `user_sig_http`.

use super::refused::refused;
use super::*;

/// Like [`with`], but with no secret key; `more` starts on line 6.
fn keyless(more: &str) -> String {
    format!(
        "[app]\nsdk_app_id = 1400000001\n[[accounts]]\nuser_id = \"a-{{1..3}}\"\nbots = []\n{more}"
    )
}

fn source(config: &Config, at: usize) -> &SecretSource {
    config.accounts[at].user_sig_source.as_deref().unwrap()
}

#[test]
fn each_source_is_read_and_serves_a_pattern_without_a_secret_key() {
    let config = parse(&keyless("user_sig_file = \"d/{user_id}.sig\"\n")).unwrap();
    assert!(matches!(source(&config, 2), SecretSource::File(path) if path == "d/{user_id}.sig"));
    assert_eq!(
        config.accounts[0].user_sig_timeout,
        defaults::USER_SIG_TIMEOUT
    );
    let (first, last) = (&config.accounts[0], &config.accounts[2]);
    assert!(std::sync::Arc::ptr_eq(
        first.user_sig_source.as_ref().unwrap(),
        last.user_sig_source.as_ref().unwrap()
    ));
    let summary = config.summary().to_string();
    assert!(
        summary.contains("3 with UserSigs from outside"),
        "{summary}"
    );

    let config = parse(&keyless("user_sig_env = \"SIG_{user_id}\"\n")).unwrap();
    assert!(matches!(source(&config, 0), SecretSource::Env(name) if name == "SIG_{user_id}"));

    let config = parse(&keyless(
        "user_sig_timeout = \"1m\"\nuser_sig_command = [\"sign\", \"--for\", \"{user_id}\"]\n",
    ))
    .unwrap();
    assert!(matches!(
        source(&config, 0),
        SecretSource::Command { program, args } if program == "sign" && *args == ["--for", "{user_id}"]
    ));
    assert_eq!(config.accounts[0].user_sig_timeout, Duration::from_secs(60));

    let text = keyless(&format!(
        "[defaults.user_sig_http]\nurl = \"https://h:1/x?key={MARKER}\"\n\
         body = \"{{\\\"user\\\": \\\"{{user_id}}\\\", \\\"key\\\": \\\"{MARKER}\\\"}}\"\n\
         headers = {{ Authorization = \"Bearer ${{TOKEN}}\", X-Key = \"{MARKER}\" }}\n"
    ));
    let config = parse_with(&text, &[("TOKEN", MARKER)], &[]).unwrap();
    let SecretSource::Http { url, body, headers } = source(&config, 0) else {
        panic!("another source")
    };
    assert!(url.ends_with(MARKER));
    let body = body.as_ref().unwrap().expose_secret();
    assert_eq!(
        body,
        format!("{{\"user\": \"{{user_id}}\", \"key\": \"{MARKER}\"}}")
    );
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose_secret()))
        .collect();
    assert_eq!(
        headers,
        [
            ("Authorization", &*format!("Bearer {MARKER}")),
            ("X-Key", MARKER)
        ]
    );
    for shown in [
        format!("{config:?}"),
        format!("{config:#?}"),
        config.summary().to_string(),
    ] {
        assert!(!shown.contains(MARKER), "{shown}");
    }
}

#[test]
fn what_stands_with_an_account_wins() {
    let config = parse(&with(
        "user_sig_env = \"A\"\n[[accounts]]\nuser_id = \"b\"\nbots = []\n\
         [defaults]\nuser_sig_file = \"{user_id}\"\n",
    ))
    .unwrap();
    assert!(matches!(source(&config, 0), SecretSource::Env(name) if name == "A"));
    assert!(matches!(source(&config, 1), SecretSource::File(_)));
}

#[test]
fn what_cannot_be() {
    for (more, expected) in [
        (
            "user_sig_file = \"{user_id}\"\nuser_sig_env = \"S_{user_id}\"\n",
            "config.toml:7:16: accounts[0].user_sig_env: user_sig_file and user_sig_env are both given; keep one",
        ),
        (
            "[defaults]\nuser_sig_command = [\"s\"]\nuser_sig_http = { url = \"http://h\" }\n",
            "config.toml:8:17: defaults.user_sig_http: user_sig_command and user_sig_http are both given",
        ),
        (
            "user_sig_file = \"\"\n",
            "config.toml:6:17: accounts[0].user_sig_file: empty; write the path",
        ),
        (
            "user_sig_env = \"$SIG\"\n",
            "config.toml:6:16: accounts[0].user_sig_env: this is not the name of an environment variable",
        ),
        (
            "user_sig_env = \"1\"\n",
            "this is not the name of an environment variable",
        ),
        (
            "user_sig_command = []\n",
            "config.toml:6:20: accounts[0].user_sig_command: empty; write a program",
        ),
        (
            "user_sig_command = \"sign me\"\n",
            "accounts[0].user_sig_command: expected a list like",
        ),
        (
            "user_sig_timeout = \"1ms\"\n",
            "accounts[0].user_sig_timeout: 1ms is out of range: expected 100ms to 5m",
        ),
        (
            "user_sig_http = \"https://h\"\n",
            "accounts[0].user_sig_http: expected a table, found text",
        ),
        (
            "user_sig_http = { body = \"x\" }\n",
            "accounts[0].user_sig_http.url: missing; write where",
        ),
        (
            "user_sig_http = { url = \"ftp://s3cr3tM4rk3r/{user_id}\" }\n",
            "config.toml:6:25: accounts[0].user_sig_http.url: not a URL to fetch from: it must start with http://",
        ),
        (
            "user_sig_http = { url = \"https://u:s3cr3tM4rk3r@h/{user_id}\" }\n",
            "must not hold a user name or password; use headers",
        ),
        (
            "user_sig_http = { url = \"s3cr3tM4rk3r\" }\n",
            "not a URL to fetch from: it cannot be read",
        ),
        (
            "user_sig_http = { url = \"http://h/{user_id}\", headers = { \"X Y\" = \"s3cr3tM4rk3r\" } }\n",
            "not a header field: its name holds",
        ),
        (
            "user_sig_http = { url = \"http://h/{user_id}\", headers = { X = \"s3cr3t\\nM4rk3r\" } }\n",
            "config.toml:6:63: accounts[0].user_sig_http.headers.X: not a header field: its value holds",
        ),
        (
            "user_sig_http = { url = \"http://h/{user_id}\", headers = { X = \"\" } }\n",
            "headers.X: the secret is empty",
        ),
        (
            "user_sig_http = { url = \"http://h/{user_id}\", header = { X = \"y\" } }\n",
            "unknown key; did you mean \"headers\"?",
        ),
        (
            "user_sig_file = \"all.sig\"\n",
            "config.toml:6:17: accounts[0].user_sig_file: one UserSig belongs to one account, and 3 would get theirs here; write {user_id}",
        ),
        (
            "[[accounts]]\nuser_id = \"b\"\nbots = []\n[defaults]\nuser_sig_command = [\"sign\"]\n",
            "defaults.user_sig_command: one UserSig belongs to one account, and 4 would",
        ),
    ] {
        refused(&keyless(more), &[expected]);
        if !more.contains("timeout") {
            let said = parse(&keyless(more)).unwrap_err();
            assert_eq!(said.errors().len(), 1, "one mistake, one error: {said}");
        }
    }
    let sig = "eJw1yUELgjAYxvHv8p5DtpItBh3sYIHVpTCvY3uV17KGTguj7x44e27P7-*By*EcDdiCgmXEYDF9svjwVNLE*k4G59DZm3aOLCgeszAeiqcGQXE5KwuKb0ctglqL*E8dVaAgMeNIg9gWMhfFLk91VvnmJK-7rE*PLnHG2RWW9bN-mQ18f5FvMWM_";
    let text = format!(
        "[app]\nsdk_app_id = 1400000001\n[[accounts]]\nuser_id = \"alice\"\nbots = []\n\
         user_sig = \"{sig}\"\nuser_sig_env = \"SIG\"\n"
    );
    refused(
        &text,
        &["config.toml:7:16: accounts[0].user_sig_env: user_sig and user_sig_env are both given"],
    );
}

#[test]
fn a_secret_key_may_stand_elsewhere_and_only_in_one_place() {
    let accounts = "[[accounts]]\nuser_id = \"a\"\nbots = []\n";
    let text = |key: &str| format!("[app]\nsdk_app_id = 1400000001\n{key}\n{accounts}");
    let config = parse(&text("secret_key_command = [\"vault\", \"read\", \"key\"]")).unwrap();
    let source = config.apps[0].secret_key_source.as_deref().unwrap();
    assert!(matches!(source, SecretSource::Command { program, .. } if program == "vault"));
    let summary = config.summary().to_string();
    assert!(
        summary.contains("with a secret key from outside"),
        "{summary}"
    );
    let both = text("secret_key = \"k\"\nsecret_key_file = \"key\"");
    let errors = parse(&both).unwrap_err().to_string();
    assert!(
        errors.contains("secret_key_file") && errors.contains("4:19"),
        "{errors}"
    );
}

#[test]
fn files_of_secrets_lie_beside_the_config_and_stay_shared() {
    let text = "[app]\nsdk_app_id = 1400000001\nsecret_key_file = \"key\"\n\
        [[accounts]]\nuser_id = \"a-{1..2}\"\nbots = []\nuser_sig_file = \"sigs/{user_id}\"\n";
    let config = Config::parse(Sources {
        file: "/etc/bots/config.toml",
        text,
        env: &BTreeMap::new(),
        overrides: &[],
        known_bots: &[],
    })
    .unwrap();
    let key = config.apps[0].secret_key_source.as_deref().unwrap();
    assert!(
        matches!(key, SecretSource::File(path) if path == "/etc/bots/key"),
        "{key:?}"
    );
    assert!(
        matches!(source(&config, 0), SecretSource::File(path) if path == "/etc/bots/sigs/{user_id}")
    );
    let shared = |at: usize| config.accounts[at].user_sig_source.clone().unwrap();
    assert!(std::sync::Arc::ptr_eq(&shared(0), &shared(1)));
}
