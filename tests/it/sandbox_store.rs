//! Tests of a sandbox store over restarts: complete after a stop, slightly older after a kill, and
//! rejected if it is invalid.

use crate::harness::{APP, KEY, config_in, eventually};
use crate::sandbox::connect;
use awc::http::{Method, StatusCode};
use botroupe::app::App;
use botroupe::bot::Bots;
use botroupe::proto::id::SdkAppId;
use botroupe::sandbox::{Sandbox, SandboxConfig, SandboxError, SnapshotError};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn config(store: &Path) -> SandboxConfig {
    let mut config = SandboxConfig::new(SdkAppId::new(APP).unwrap(), KEY);
    config.store_file = Some(store.to_owned());
    config.store_interval = Duration::from_millis(2);
    config
}

async fn start(config: SandboxConfig) -> Sandbox {
    Sandbox::start(config, ([127, 0, 0, 1], 0).into())
        .await
        .unwrap()
}

fn run(test: impl Future<Output = ()>) {
    actix_rt::System::new().block_on(test);
}

async fn http(method: Method, url: &str, body: &'static str) -> (StatusCode, Vec<u8>) {
    let mut answer = awc::Client::new()
        .request(method, url)
        .content_type("application/json")
        .send_body(body)
        .await
        .unwrap();
    let status = answer.status();
    (status, answer.body().await.unwrap().to_vec())
}

/// Rewrites the address of a file for a server that now listens on another port.
fn moved(url: &str, sandbox: &Sandbox) -> String {
    let at = url.find("/media/").unwrap();
    format!("{}{}", sandbox.rest_url(), &url[at..])
}

/// Returns the content of the store, once it has any.
fn content(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_fresh_login_sees_everything_of_before() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.json");
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/seed.toml");
    let media = folder.path().join("media");
    let config = || {
        let mut config = config(&store);
        // The store is only written at the end.
        config.store_interval = Duration::from_secs(3600);
        config.seed_file = Some(seed.clone());
        config.media_dir = Some(media.clone());
        config
    };
    run(async {
        let sandbox = start(config()).await;
        assert_eq!(sandbox.history("alice", "bob").len(), 2, "out of the seed");
        let mut bob = connect(&sandbox).await;
        assert_eq!(bob.login(&sandbox, "bob").await["ErrorCode"], 0);
        let said = json!({
            "From_Account": "bob", "To_Account": "alice", "MsgSeq": 1, "MsgRandom": 1,
            "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "remember me"}}],
        });
        assert_eq!(bob.call("openim.sendmsg", said).await["ErrorCode"], 0);
        sandbox.say_to_group("carol", "team", "and me").unwrap();
        let url = sandbox.media_url("alice", "a.txt").unwrap();
        assert_eq!(http(Method::PUT, &url, "a file").await.0, 200);
        let old = (bob.a2.clone(), sandbox.url());
        sandbox.stop().await;
        assert_eq!(
            names_in(folder.path()),
            ["media", "store.json", "store.json.lock"]
        );
        assert!(!content(&store).contains(KEY));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&store).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }

        let sandbox = start(config()).await;
        assert_eq!(
            sandbox.history("alice", "bob").len(),
            3,
            "the seed is not used again"
        );
        assert_eq!(sandbox.group_history("team").len(), 3);
        let url = moved(&url, &sandbox);
        assert_eq!(
            http(Method::GET, &url, "").await,
            (StatusCode::OK, b"a file".to_vec())
        );
        assert_eq!(http(Method::PUT, &url, "another").await.0, 409);
        let mut alice = connect(&sandbox).await;
        alice.a2 = old.0;
        let hello = alice.call("im_open_status.wshello", json!({})).await;
        assert_eq!(hello["ErrorCode"], 70001, "tickets end with the server");
        alice.a2 = None;
        assert_eq!(alice.login(&sandbox, "alice").await["ErrorCode"], 0);
        let missed = alice.call("openim.getmsg", json!({"Cookie": ""})).await;
        let texts: Vec<&Value> = missed["MsgList"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item["MsgBody"][0]["MsgContent"]["Text"])
            .collect();
        assert_eq!(texts, ["Look:", "remember me"], "{missed}");
        sandbox.stop().await;
    });
}

#[test]
fn a_store_is_for_one_sandbox_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.json");
    let config = || {
        let mut config = SandboxConfig::new(SdkAppId::new(APP).unwrap(), KEY);
        config.store_file = Some(store.clone());
        config
    };
    let here = ([127, 0, 0, 1], 0).into();
    run(async {
        let first = start(config()).await;
        let second = Sandbox::start(config(), here).await.unwrap_err();
        assert!(
            matches!(&second, SandboxError::StoreInUse { path } if path.ends_with("store.json")),
            "{second}"
        );
        assert!(Sandbox::check(config()).is_ok(), "looking is free");
        assert!(first.stop().await);
        assert!(start(config()).await.stop().await);
    });
}

#[test]
fn a_kill_loses_at_most_what_was_not_written_yet() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.json");
    run(async {
        let sandbox = start(config(&store)).await;
        sandbox.say("bob", "alice", "written").unwrap();
        eventually("the snapshot", || async {
            content(&store).contains("written").then_some(())
        })
        .await;
        // The sandbox gets no stop signal: its runtime ends first.
        std::mem::forget(sandbox);
    });
    run(async {
        let sandbox = start(config(&store)).await;
        let said = sandbox.history("alice", "bob");
        assert!(said.len() == 1 && said[0].body.contains("written"));
        sandbox.stop().await;
    });
}

#[test]
fn what_changes_nothing_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.json");
    run(async {
        let sandbox = start(config(&store)).await;
        let mut alice = connect(&sandbox).await;
        alice.login(&sandbox, "alice").await;
        sandbox.say("bob", "bob", "the last change").unwrap();
        eventually("the snapshot", || async {
            content(&store).contains("the last change").then_some(())
        })
        .await;
        let written = || std::fs::metadata(&store).unwrap().modified().unwrap();
        let before = written();
        for _ in 0..500 {
            alice.call("heartbeat.alive", json!({})).await;
            alice.call("im_open_status.wshello", json!({})).await;
        }
        assert_eq!(written(), before);
        sandbox.stop().await;
    });
}

#[test]
fn files_in_memory_are_gone_with_it_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.json");
    run(async {
        let sandbox = start(config(&store)).await;
        sandbox.say("alice", "bob", "hello").unwrap();
        let url = sandbox.media_url("alice", "a.txt").unwrap();
        assert_eq!(http(Method::PUT, &url, "a file").await.0, 200);
        sandbox.stop().await;
        let sandbox = start(config(&store)).await;
        let url = moved(&url, &sandbox);
        assert_eq!(http(Method::GET, &url, "").await.0, 404);
        assert_eq!(sandbox.history("alice", "bob").len(), 1);
        sandbox.stop().await;
    });
}

#[test]
fn leftovers_of_a_killed_server_go_and_kept_files_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.json");
    let media = folder.path().join("media");
    let config = || {
        let mut config = config(&store);
        config.media_dir = Some(media.clone());
        config
    };
    run(async {
        let sandbox = start(config()).await;
        sandbox.import("alice").unwrap();
        let (kept, short) = (
            sandbox.media_url("alice", "kept").unwrap(),
            sandbox.media_url("alice", "short").unwrap(),
        );
        for url in [&kept, &short] {
            assert_eq!(http(Method::PUT, url, "a file").await.0, 200);
        }
        sandbox.stop().await;
        assert_eq!(names_in(&media).len(), 2);
        // This is the state after a kill: one file that no record names, and one that is incomplete
        // on disk.
        std::fs::write(media.join(format!("media-{}", "0a".repeat(16))), "x").unwrap();
        let token = short.split('/').nth(4).unwrap();
        std::fs::write(media.join(format!("media-{token}")), "a f").unwrap();
        // This is an incomplete snapshot.
        std::fs::write(folder.path().join("store.json.new"), "{\"format\":1,").unwrap();
        let sandbox = start(config()).await;
        assert_eq!(http(Method::GET, &moved(&kept, &sandbox), "").await.0, 200);
        assert_eq!(http(Method::GET, &moved(&short, &sandbox), "").await.0, 404);
        assert_eq!(names_in(&media).len(), 1);
        sandbox.stop().await;
        assert_eq!(
            names_in(folder.path()),
            ["media", "store.json", "store.json.lock"]
        );
    });
}

#[test]
fn a_store_that_is_no_store_stops_the_start_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.json");
    let refusal = |text: &str| {
        std::fs::write(&store, text).unwrap();
        let listen = ([127, 0, 0, 1], 0).into();
        let error = Sandbox::spawn_thread(config(&store), listen).unwrap_err();
        assert_eq!(content(&store), text, "left alone");
        error
    };
    let other = refusal("{\"format\": 1, \"app\": 7, \"state\": {}}");
    let newer = refusal(&format!(
        "{{\"format\": 99, \"app\": {APP}, \"state\": []}}"
    ));
    let SandboxError::Store(why) = &other else {
        panic!("{other}");
    };
    assert!(matches!(why.why, SnapshotError::OtherApp { found: 7, .. }));
    let file = store.display();
    for (error, expected) in [
        (
            &other,
            format!("{file}: it belongs to the app 7, and this sandbox serves {APP}"),
        ),
        (
            &newer,
            format!("{file}: it has format 99, and this program reads up to 2; run"),
        ),
        (
            &refusal(""),
            format!("{file}:1:0: no store of a sandbox: EOF while parsing"),
        ),
        (&refusal("[[users]]\n"), format!("{file}:1:1: no store")),
        (
            &refusal(&format!(
                "{{\"format\": 1, \"app\": {APP},\n\"state\": {{\"accounts\": 3}}}}"
            )),
            format!(
                "{file}:2:23: no store of a sandbox: invalid type: integer `3`, expected a map"
            ),
        ),
    ] {
        let error = error.to_string();
        assert!(
            error.starts_with(&expected),
            "expected {expected}\nfound {error}"
        );
        assert!(error.contains("name another file"), "{error}");
    }
    assert_eq!(
        names_in(folder.path()),
        ["store.json", "store.json.lock"],
        "nothing was written"
    );
    let folder = folder.path().to_owned();
    let no_file = Sandbox::check(config(&folder)).unwrap_err();
    assert!(
        matches!(no_file, SandboxError::StoreFile { .. }),
        "{no_file}"
    );
}

#[test]
fn a_store_that_cannot_be_written_ends_nothing_and_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let later = folder.path().join("later");
    let store = later.join("store.json");
    run(async {
        let sandbox = start(config(&store)).await;
        let failed = |more: u64| {
            let counters = sandbox.status().counters;
            async move { (counters.store_failed > more).then_some(counters.store_failed) }
        };
        eventually("a failure", || failed(0)).await;
        sandbox.say("bob", "alice", "first").unwrap();
        std::fs::create_dir(&later).unwrap();
        let first = || async { content(&store).contains("first").then_some(()) };
        eventually("a snapshot", first).await;

        // The next snapshot cannot be written, so the last good one remains.
        let beside = later.join("store.json.new");
        let before = sandbox.status().counters.store_failed;
        while std::fs::create_dir(&beside).is_err() {}
        sandbox.say("bob", "alice", "second").unwrap();
        eventually("another failure", || failed(before)).await;
        assert!(!content(&store).contains("second"));
        serde_json::from_str::<Value>(&content(&store)).unwrap();
        std::fs::remove_dir(&beside).unwrap();
        sandbox.stop().await;
        assert!(content(&store).contains("second"), "the stop waited for it");
    });
}

#[test]
fn the_config_names_the_store_relative_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let config = config_in(folder.path(), "store = \"here.json\"");
    let store: PathBuf = folder.path().join("here.json");
    assert_eq!(config.sandbox.store.as_ref(), Some(&store));
    run(async {
        for said in 1..3 {
            let app = App::start(&config, &Bots::default(), None).await.unwrap();
            let sandbox = app.sandbox().unwrap();
            sandbox.say("alice", "bot", "hello").unwrap();
            assert_eq!(sandbox.history("alice", "bot").len(), said);
            app.stop().await;
        }
        std::fs::write(&store, "{}").unwrap();
        let error = App::start(&config, &Bots::default(), None)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.ends_with("(key sandbox.store)"), "{error}");
    });
}
