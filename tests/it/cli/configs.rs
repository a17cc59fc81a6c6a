//! Tests of invalid configs: `check` names the place of each mistake and the remedy.

use super::*;

const APP_SECTION: &str = "[app]\nsdk_app_id = 1400000001\nsecret_key = \"marker-secret-key\"\n";
const ACCOUNT: &str = "[[accounts]]\nuser_id = \"a\"\nbots = [\"echo\"]\n";

fn check(bytes: &[u8], env: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    fs::write(&path, bytes).unwrap();
    let mut command = botroupe();
    command.args(["check", path.to_str().unwrap()]);
    command.envs(env.iter().copied());
    let output = command.output().unwrap();
    let said =
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    let said = said.replace(path.to_str().unwrap(), "c.toml");
    assert!(!said.contains(KEY) && !said.contains("panicked"), "{said}");
    (output.status.code(), said)
}

/// Each row contains a description, the file and the expected output.
#[test]
fn every_wrong_config_is_told_with_its_place_and_what_to_do() {
    let with = |more: &str| format!("{APP_SECTION}{ACCOUNT}{more}");
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(with("").encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let gbk = [with("# ").as_bytes(), &[0xc4, 0xe3, 0xba, 0xc3], b"\n"].concat();
    let rows: Vec<(&str, Vec<u8>, &[&str])> = vec![
        (
            "06 one table for a list",
            format!("{APP_SECTION}[accounts]\nuser_id = \"a\"\nbots = []\n").into(),
            &["c.toml:4:1: accounts: ", "[[accounts]]", "\n1 mistake found"],
        ),
        ("13 GBK", gbk, &["c.toml:7:3: ", "GBK", "save the file as UTF-8"]),
        ("14 UTF-16", utf16, &["c.toml: this is UTF-16; save the file as UTF-8"]),
        (
            "15 YAML",
            b"app:\n  sdk_app_id: 1\naccounts:\n  - user_id: a\n    bots: [echo]\n".to_vec(),
            &["c.toml:1:1: this looks like YAML; a config is TOML", "\n1 mistake found"],
        ),
        (
            "16 JSON",
            b"{\n  \"app\": {\"sdk_app_id\": 1}\n}\n".to_vec(),
            &["c.toml:1:1: this looks like JSON", "\n1 mistake found"],
        ),
        (
            "23 marks of another language",
            with("").replace("\"a\"", "“a”").into(),
            &["c.toml:5:11: “ is no mark of TOML; write \""],
        ),
        (
            "28 a key that the bot does not know",
            with("[bots.counter]\nwrod = \"s3cr3t\"\n").into(),
            &["c.toml:8:8: bots.counter.wrod: unknown key; did you mean \"word\"?"],
        ),
        (
            "29 a value that the bot does not take, of a bot that nobody runs",
            with("[bots.counter]\nword = 5\n").into(),
            &["c.toml:8:8: bots.counter.word: expected a string, found an integer"],
        ),
        (
            "37 a port for an address",
            with("[sandbox]\nlisten = 7080\n").into(),
            &["c.toml:8:10: sandbox.listen: \"7080\" is not an address and a port; write for example \"127.0.0.1:7080\""],
        ),
        (
            "42 a NUL byte",
            with("# \0\n").into(),
            &["c.toml:7:3: a NUL byte"],
        ),
        (
            "46 a seed that is not there",
            with("[sandbox]\nseed = \"nosuch.toml\"\n").into(),
            &["c.toml:8:8: sandbox.seed: ", "nosuch.toml"],
        ),
        (
            "50 the key of the sandbox for the cloud",
            format!("endpoint = \"auto\"\n{}", with(""))
                .replace(KEY, "sandbox-only-key-not-for-the-cloud")
                .into(),
            &["c.toml:4:14: app.secret_key: ", "everybody knows it", "BOTROUPE_SECRET_KEY"],
        ),
        (
            "60 a file that is not there",
            with("user_sig_file = \"nosuch.sig\"\n").into(),
            &["c.toml:5:11: user_sig_file: ", "nosuch.sig: No such file"],
        ),
        (
            "61 a program that is not there",
            with("user_sig_command = [\"no-such-program\", \"{user_id}\"]\n").into(),
            &["c.toml:5:11: user_sig_command: there is no program \"no-such-program\""],
        ),
        (
            "a variable that is not set",
            with("user_sig_env = \"NO_SUCH_{user_id}\"\n").into(),
            &["c.toml:5:11: user_sig_env: ", "environment variable NO_SUCH_A: it is not set"],
        ),
        (
            "62 and 64 all mistakes, those of bots among them",
            with("[bots.counter]\nwrod = \"x\"\n[log]\nlevel = \"loud\"\n[bots.echo]\nx = 1\n").into(),
            &["8:8: bots.counter.wrod: ", "10:9: log.level: ", "bots.echo: bot \"echo\" takes no settings", "\n3 mistakes found"],
        ),
        (
            "63 the sandbox's key beyond this machine",
            with("[sandbox]\nlisten = \"0.0.0.0:7080\"\n")
                .replace(KEY, "sandbox-only-key-not-for-the-cloud")
                .into(),
            &["c.toml:3:14: app.secret_key: ", "beyond this machine"],
        ),
        (
            "69 nobody is enabled",
            with("enabled = false\n").into(),
            &["accounts: no account is enabled"],
        ),
        (
            "J10 one variable for two accounts",
            format!("{APP_SECTION}[defaults]\nbots = []\nuser_sig_env = \"SIG_{{user_id}}\"\n[[accounts]]\nuser_id = \"a.b\"\n[[accounts]]\nuser_id = \"a-b\"\n").into(),
            &["c.toml:10:11: user_sig_env: \"a.b\" and \"a-b\" both end at environment variable SIG_A_B"],
        ),
        (
            "J10 one file for two accounts",
            format!("{APP_SECTION}[defaults]\nbots = []\nuser_sig_file = \"{{user_id}}.sig\"\n[[accounts]]\nuser_id = \"a/b\"\n[[accounts]]\nuser_id = \"a_b\"\n").into(),
            &["c.toml:10:11: user_sig_file: \"a/b\" and \"a_b\" both end at file a_b.sig"],
        ),
        (
            "a key known twice is named once",
            with("user_sgi = \"x\"\n").into(),
            &["(known: user_id, bots, user_sig, enabled, "],
        ),
    ];
    for (name, bytes, expected) in rows {
        let (code, said) = check(&bytes, &[]);
        assert_eq!(code, Some(64), "{name}: {said}");
        for fragment in expected {
            assert!(
                said.contains(fragment),
                "{name}: expected {fragment:?} in:\n{said}"
            );
        }
        assert!(!said.contains("s3cr3t"), "{name}: {said}");
    }
}

#[test]
fn a_usersig_that_is_over_is_told_with_the_time_of_its_end() {
    let who = [
        "--sdk-app-id",
        "1400000001",
        "--user-id",
        "a",
        "--secret-key",
        KEY,
    ];
    let when = ["--time", "1577836800", "--expire", "1d"];
    let sig = output(&[&["usersig", "sign"][..], &who, &when].concat());
    let sig = String::from_utf8(sig.stdout).unwrap();
    let text = format!(
        "[app]\nsdk_app_id = 1400000001\n{ACCOUNT}user_sig = \"{}\"\n",
        sig.trim()
    );
    let (code, said) = check(text.as_bytes(), &[]);
    assert_eq!(code, Some(64), "{said}");
    assert!(
        said.contains("c.toml:4:11: user_sig: the UserSig of a is over since 2020-01-02"),
        "{said}"
    );
}

#[test]
fn a_variable_with_one_underscore_too_few_is_told() {
    let text = format!("{APP_SECTION}{ACCOUNT}");
    let (code, said) = check(text.as_bytes(), &[("BOTROUPE_ENDPOINT", "auto")]);
    assert_eq!(code, Some(64), "{said}");
    assert!(
        said.contains("environment variable BOTROUPE_ENDPOINT: sets nothing")
            && said.contains("BOTROUPE__ENDPOINT"),
        "{said}"
    );
}

#[test]
fn a_folder_is_told_and_both_ways_to_name_a_config_work() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap();
    let refused = output(&["check", name]);
    let err = String::from_utf8(refused.stderr).unwrap();
    assert!(err.contains("this is a folder"), "{err}");
    let path = config(&folder, &format!("{APP_SECTION}{ACCOUNT}"));
    for args in [&["check", &path][..], &["check", "--config", &path]] {
        let checked = output(args);
        let out = String::from_utf8(checked.stdout).unwrap();
        assert!(
            checked.status.success() && out.contains("files     "),
            "{out}"
        );
    }
    // An override is a text if the bot expects a text, even if it looks like a number.
    let set = output(&["check", &path, "--set", "bots.counter.word=5"]);
    assert!(
        set.status.success(),
        "{}",
        String::from_utf8_lossy(&set.stderr)
    );
    let absent = output(&["status", "--config", "/nowhere/c.toml"]);
    let err = String::from_utf8(absent.stderr).unwrap();
    assert_eq!(absent.status.code(), Some(64), "{err}");
    assert!(err.contains("there is no such config"), "{err}");
}
