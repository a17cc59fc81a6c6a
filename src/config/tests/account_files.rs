//! `accounts_from`: accounts in files of their own.

use super::*;

const HEAD: &str = "accounts_from = [\"accounts.d/*.toml\", \"a.csv\"]\n\
    [app]\nsdk_app_id = 1400000001\nsecret_key = \"k\"\n[defaults]\nbots = [\"echo\"]\n";

fn with(files: &[(&str, Result<&str, &str>)]) -> Result<Config, String> {
    let files: Vec<AccountFile> = files
        .iter()
        .map(|(name, text)| AccountFile {
            name: (*name).to_owned(),
            text: text.map(str::to_owned).map_err(str::to_owned),
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
