//! `accounts_from`: accounts in files of their own.

use super::*;

const HEAD: &str = "accounts_from = [\"accounts.d/*.toml\", \"a.csv\"]\n\
    [app]\nsdk_app_id = 1400000001\nsecret_key = \"k\"\n[defaults]\nbots = [\"echo\"]\n";

fn with(files: &[(&str, Result<&str, &str>)]) -> Result<Config, String> {
    let files: Vec<AccountFile> = files
        .iter()
        .map(|(name, text)| {
            let text = text.map(str::to_owned).map_err(str::to_owned);
            AccountFile::new((*name).to_owned(), text)
        })
        .collect();
    let sources = Sources {
        file: "config.toml",
        text: HEAD,
        env: &BTreeMap::from([("SIG".to_owned(), "s".to_owned())]),
        overrides: &[],
        known_bots: &["echo", "faq"],
    };
    let parsed = Config::parse_files(sources, Some(&files), &|_, _, _| None);
    parsed.map_err(|errors| errors.to_string())
}

fn shown(config: &Config) -> Vec<String> {
    let accounts = config.accounts.iter();
    let shown = accounts.map(|it| format!("{} {} {:?}", it.name, it.enabled, it.bots));
    shown.collect()
}

#[test]
fn accounts_of_all_files_are_those_of_the_config() {
    let config = with(&[
        (
            "accounts.d/a.toml",
            Ok("[[accounts]]\nuser_id = \"a-{1..2}\"\n"),
        ),
        (
            "a.csv",
            Ok("user_id, bots, enabled\nb,,\n\"c\",faq echo,no\n"),
        ),
    ])
    .unwrap();
    assert_eq!(
        shown(&config),
        [
            "a-1 true [\"echo\"]",
            "a-2 true [\"echo\"]",
            "b true [\"echo\"]",
            "c false [\"faq\", \"echo\"]",
        ]
    );
    assert_eq!(config.accounts[3].place.to_string(), "a.csv:3:1");
    assert_eq!(
        config.accounts[0].place.to_string(),
        "accounts.d/a.toml:2:11"
    );
}

#[test]
fn mistakes_stand_where_they_were_made() {
    let good = ("g.toml", Ok("[[accounts]]\nuser_id = \"a\"\n"));
    for (file, expected) in [
        (
            (
                "b.toml",
                Ok("[[accounts]]\nuser_id = \"b\"\nbots = [\"ecko\"]\n"),
            ),
            "b.toml:3:9: ",
        ),
        (
            ("b.toml", Ok("[[accounts]]\nuser_id = \"a\"\n")),
            "already at g.toml:2:11",
        ),
        (
            ("b.toml", Ok("\n[app]\nsdk_app_id = 1\n")),
            "b.toml:2:2: app: a file of accounts holds [[accounts]]",
        ),
        (("b.toml", Ok("[[accounts]\n")), "b.toml:1:"),
        (("b.csv", Ok("user_id,bots\nb,ecko\n")), "b.csv:2:1: "),
        (
            ("b.csv", Ok("user_id,bot\nb,echo\n")),
            "b.csv:2:1: accounts[1].bot: unknown key",
        ),
        (
            ("b.csv", Ok("user_id,bots\nb\n")),
            "b.csv:2:1: a line has another number of fields than the 2",
        ),
        (
            ("b.csv", Err("permission denied")),
            "config.toml:1:17: accounts_from: b.csv: permission denied",
        ),
    ] {
        let error = with(&[good, file]).unwrap_err();
        assert!(error.contains(expected), "{expected}\n{error}");
    }
    let none = parse(HEAD).unwrap_err().to_string();
    assert!(
        none.contains("config.toml:1:17: accounts_from: this program reads no files"),
        "{none}"
    );
}

const ASKED: &str = "accounts_command = [\"list\", \"--all\"]\n\
    [app]\nsdk_app_id = 1400000001\nsecret_key = \"k\"\n[defaults]\nbots = [\"echo\"]\n";

fn answered(text: &str, answer: Result<&str, &str>) -> Result<Config, String> {
    let env = BTreeMap::from([("TOKEN".to_owned(), "s3cr3t".to_owned())]);
    let sources = || Sources {
        file: "conf/config.toml",
        text,
        env: &env,
        overrides: &[],
        known_bots: &["echo", "faq"],
    };
    let source = Config::account_source(&sources()).map_err(|errors| errors.to_string())?;
    let answer = source.map(|(source, _)| {
        assert!(!format!("{source:?} {source}").contains("s3cr3t"));
        let answer = answer.map(str::to_owned).map_err(str::to_owned);
        AccountFile::answer(&source, answer)
    });
    let parsed = Config::parse_files(sources(), Some(answer.as_slice()), &|_, _, _| None);
    parsed.map_err(|errors| errors.to_string())
}

#[test]
fn a_source_may_answer_with_json_toml_or_csv() {
    for answer in [
        r#" [{"user_id": "a"}, {"user_id": "b", "enabled": false, "bots": ["faq"], "user_sig": null}]"#,
        r#"{"accounts": [{"user_id": "a"}, {"user_id": "b", "enabled": false, "bots": ["faq"]}]}"#,
        "# ours\n[[accounts]]\nuser_id = \"a\"\n[[accounts]]\nuser_id = \"b\"\nenabled = false\nbots = [\"faq\"]\n",
        "user_id,enabled,bots\na,,\nb,false,faq\n",
    ] {
        let config = answered(ASKED, Ok(answer)).unwrap();
        assert_eq!(
            shown(&config),
            ["a true [\"echo\"]", "b false [\"faq\"]"],
            "{answer}"
        );
        assert_eq!(
            config.account_source.unwrap().every,
            Duration::from_secs(300)
        );
    }
    let http = ASKED.replace(
        "accounts_command = [\"list\", \"--all\"]",
        "accounts_every = \"10s\"\naccounts_http = { url = \"https://h/a?k=s3cr3t\", headers = { Token = \"${TOKEN}\" } }",
    );
    let config = answered(&http, Ok("user_id\na\n")).unwrap();
    let source = config.account_source.unwrap();
    assert_eq!(source.every, Duration::from_secs(10));
    assert_eq!(source.to_string(), "answer of https://h/a");
}

#[test]
fn what_is_wrong_with_a_source_or_its_answer_is_said() {
    for (text, answer, expected) in [
        (
            ASKED.to_owned(),
            Err("it does not start"),
            "conf/config.toml:1:20: accounts_command: answer of list: it does not start",
        ),
        (
            ASKED.to_owned(),
            Ok("user_id\n"),
            "answer of list:1:1: accounts_command: it names no account at all",
        ),
        (
            format!("{ASKED}[[accounts]]\nuser_id = \"own\"\n"),
            Ok("[]"),
            "answer of list:1:1: accounts_command: it names no account at all",
        ),
        (
            ASKED.to_owned(),
            Ok("[{\"user_id\": 1}]"),
            "answer of list:1:1: accounts[0].user_id: expected text in quotes",
        ),
        (
            ASKED.to_owned(),
            Ok("[{\"user_id\": \"a\", \"bot\": []}]"),
            "answer of list:1:1: accounts[0].bot: unknown key; did you mean \"bots\"?",
        ),
        (
            ASKED.to_owned(),
            Ok("{\"users\": []}"),
            "answer of list:1:1: accounts in JSON are a list of objects",
        ),
        (
            ASKED.to_owned(),
            Ok("[{\n\"user_id\" \"s3cr3t\"}]"),
            "answer of list:1:1: this is not JSON, from line 2, column 11 on",
        ),
        (
            ASKED.to_owned(),
            Ok("<html><body>503</body></html>"),
            "answer of list:1:1: the first line of a CSV of accounts names its columns",
        ),
        (
            format!("accounts_http = {{ url = \"http://h\" }}\n{ASKED}"),
            Ok("user_id\na\n"),
            "accounts_command and accounts_http are both given",
        ),
        (
            format!("accounts_every = \"0s\"\n{ASKED}"),
            Ok("user_id\na\n"),
            "conf/config.toml:1:18: accounts_every: ",
        ),
    ] {
        let said = answered(&text, answer).unwrap_err();
        assert!(
            said.contains(expected) && !said.contains("s3cr3t"),
            "{expected}\n{said}"
        );
    }
    let lonely = ASKED.replace(
        "accounts_command = [\"list\", \"--all\"]",
        "accounts_every = \"5m\"",
    );
    let said = parse(&lonely).unwrap_err().to_string();
    assert!(said.contains("accounts_every: nobody is asked"), "{said}");
    let said = parse(ASKED).unwrap_err().to_string();
    assert!(
        said.contains("accounts_command: this program reads no files"),
        "{said}"
    );
}
