//! Tests of the terminal chat: with users and groups, with invalid receivers, and without a server.

use super::*;

/// Runs a chat that sends one line and ends. Returns its exit code and its output.
fn say(path: &str, who: &[&str], line: &str) -> (Option<i32>, String, String) {
    let args = [&["chat", "--config", path][..], who].concat();
    let mut chat = Running::start(&args);
    // The process may have ended without reading its input.
    let _ = writeln!(chat.child.stdin.as_mut().unwrap(), "{line}");
    let (status, out, err) = chat.end();
    (status.code(), out, err)
}

/// Starts a fleet with a sandbox whose address the config contains.
fn running() -> (Running, Running, tempfile::TempDir, String) {
    let (sandbox, url) = sandbox();
    let folder = tempfile::tempdir().unwrap();
    // Only one bot: several bots in a group would answer each other.
    let path = config(
        &folder,
        &format!(
            "endpoint = \"{url}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n\
             [[accounts]]\nuser_id = \"echo-bot\"\nbots = [\"echo\"]\n"
        ),
    );
    let mut run = Running::start(&["run", "--config", &path]);
    run.line("1 of 1");
    (sandbox, run, folder, path)
}

#[test]
fn a_chat_shows_nothing_that_an_earlier_one_has_shown() {
    let (_sandbox, _run, _folder, path) = running();
    let who = ["--as", "alice", "--to", "echo-bot"];
    for line in ["m1", "m2", "m3"] {
        let (code, out, err) = say(&path, &who, line);
        assert_eq!((code, out), (Some(0), format!("echo-bot: {line}")), "{err}");
    }
}

#[test]
fn a_long_chat_shows_all_of_it() {
    let (_sandbox, _run, _folder, path) = running();
    let lines: Vec<String> = (0..300).map(|n| format!("line {n}")).collect();
    let who = ["--as", "alice", "--to", "echo-bot"];
    let (code, out, err) = say(&path, &who, &lines.join("\n"));
    let expected: Vec<String> = lines
        .iter()
        .map(|line| format!("echo-bot: {line}"))
        .collect();
    assert_eq!((code, out), (Some(0), expected.join("\n")), "{err}");
}

#[test]
fn nobody_of_that_name_and_no_server_are_said() {
    let (_sandbox, _run, _folder, path) = running();
    let (_, _, err) = say(&path, &["--as", "alice", "--to", "ecko-bot"], "x");
    assert!(
        err.contains("has no account ecko-bot; did you mean echo-bot?")
            && err.contains("no answer from ecko-bot"),
        "{err}"
    );
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", free.local_addr().unwrap());
    drop(free);
    let wrong = [
        "--as",
        "alice",
        "--to",
        "echo-bot",
        "--url",
        "http://u:s3cr3t@h",
    ];
    let (code, _, err) = say(&path, &wrong, "x");
    assert_eq!(code, Some(64), "{err}");
    assert!(
        err.contains("ws:// or wss://") && !err.contains("s3cr3t"),
        "{err}"
    );
    let who = ["--as", "alice", "--to", "echo-bot", "--url", &url];
    let (code, _, err) = say(&path, &who, "x");
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("connection refused") && err.contains(&url[5..]),
        "{err}"
    );
}

#[test]
fn a_group_is_founded_joined_and_talked_in() {
    let (_sandbox, _run, _folder, path) = running();
    let (code, _, err) = say(&path, &["--as", "alice", "--group", "g1"], "x");
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("there is no group g1; --create founds it"),
        "{err}"
    );
    for (who, more) in [
        ("alice", &["--create"][..]),
        ("bob", &[]),
        ("bob", &["--create"]),
    ] {
        let args = [&["--as", who, "--group", "g1"][..], more].concat();
        let line = format!("hello from {who}");
        let (code, out, err) = say(&path, &args, &line);
        assert_eq!(code, Some(0), "{err}");
        let last = format!("echo-bot: {line}");
        assert!(out.lines().any(|line| line == last), "{out}\n{err}");
    }
}
