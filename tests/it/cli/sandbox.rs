//! Tests of the program's output and behaviour with a sandbox seed and store.

use super::*;

/// Checks that the program does not start, and names the mistake and its place.
#[track_caller]
fn refused(args: &[&str], place: &str) {
    let output = output(args);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{args:?}: {err}");
    assert!(err.contains(place), "{args:?}: {err}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_wrong_seed_names_its_place_and_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let seed = folder.path().join("people.toml");
    fs::write(&seed, "[[users]]\nid = \"alice\"\nfriends = [\"bob\"]\n").unwrap();
    let seed = seed.to_str().unwrap();
    // A path in a config is relative to the config, not to the working directory.
    let set = ["--set", "sandbox.seed=people.toml"];
    for args in [
        [&["run", "--config", &path], &set[..]].concat(),
        [&["check", &path], &set[..]].concat(),
        alone(&["--seed", seed]),
    ] {
        refused(
            &args,
            &format!("{seed}:3:12: there is no account \"bob\"; add [[users]]"),
        );
    }
}

#[test]
fn a_store_is_gone_on_from_and_a_wrong_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let store = folder.path().join("store.json");
    let name = store.to_str().unwrap();
    let seed = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/seed.toml");
    let more = ["--store", name, "--seed", seed];
    let send = r#"{"From_Account":"alice","To_Account":"bob","MsgRandom":1,
        "MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"remember"}}]}"#;
    let ask = r#"{"From_Account":"alice","To_Account":"bob","MaxCnt":10}"#;
    for (start, logged) in [
        ["there is no store yet", "the sandbox starts with its seed"],
        ["goes on from its store", "the seed is not used"],
    ]
    .iter()
    .enumerate()
    {
        let (sandbox, url) = sandbox_with(&more);
        actix_rt::System::new().block_on(async {
            if start == 0 {
                assert_eq!(rest(&url, "openim/sendmsg", send).await["ErrorCode"], 0);
            }
            let history = rest(&url, "openim/admin_getroammsg", ask).await;
            assert_eq!(history["MsgCnt"], 3, "two of them out of the seed");
        });
        sandbox.signal("INT");
        let (status, _, err) = sandbox.end();
        assert!(status.success(), "{err}");
        assert!(logged.iter().all(|words| err.contains(words)), "{err}");
    }
    fs::write(&store, "{\n\"format\": \"one\"}").unwrap();
    let set = ["--set", "sandbox.store=store.json"];
    for args in [
        [&["run", "--config", &path], &set[..]].concat(),
        [&["check", &path], &set[..]].concat(),
        alone(&more),
    ] {
        refused(
            &args,
            &format!("{name}:2:15: no store of a sandbox: invalid type: string"),
        );
    }
}

#[test]
fn a_store_that_cannot_be_written_is_told_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("nowhere/store.json");
    let name = store.to_str().unwrap();
    let (sandbox, _) = sandbox_with(&["--store", name]);
    sandbox.signal("INT");
    let (status, _, err) = sandbox.end();
    assert_eq!(status.code(), Some(1), "{err}");
    assert!(err.contains("does not hold the last changes"), "{err}");
    let told: Vec<&str> = err.lines().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(told.len(), 1, "{err}");
    for words in ["cannot be written; make its folder", name] {
        assert!(told[0].contains(words), "{err}");
    }
}

#[test]
fn e2_names_and_pages_that_are_listed_may_use_a_sandbox_that_runs_alone() {
    use std::net::TcpStream;
    let (_sandbox, url) =
        sandbox_with(&["--host", "box.internal", "--origin", "https://a.example"]);
    let at = url.strip_prefix("ws://").unwrap();
    let status = |host: &str, origin: &str| {
        let mut link = TcpStream::connect(at).unwrap();
        let asked =
            format!("GET /sandbox/status HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n\r\n");
        link.write_all(asked.as_bytes()).unwrap();
        let mut answer = [0; 12];
        link.read_exact(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[9..]).into_owned()
    };
    assert_eq!(status("box.internal", "https://a.example"), "200");
    assert_eq!(status("box.internal", "https://b.example"), "403");
    assert_eq!(status("evil.example", "https://a.example"), "403");
}
