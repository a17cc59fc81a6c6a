//! The console in a real browser. `tests/console/drive.mjs` uses it as a person would.

use super::logs::put;
use super::{Server, server, server_of};
use botroupe::config::LogLevel;
use botroupe::prelude::Conversation;
use botroupe::sandbox::KickType;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use tokio::io::{AsyncBufReadExt, BufReader};

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console")
}

/// The folder with the Node packages, as the registry delivers them.
fn packages() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let lock = fs::read(sources().join("package-lock.json")).unwrap();
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // The folder name contains the versions, so an existing folder is complete and current.
        let folder = scratch.join(format!("console-{:08x}", crc32fast::hash(&lock)));
        if !folder.exists() {
            let fresh = tempfile::tempdir_in(scratch).unwrap();
            for name in ["package.json", "package-lock.json", ".npmrc"] {
                fs::copy(sources().join(name), fresh.path().join(name)).unwrap();
            }
            let npm = Command::new("npm")
                .args(["ci", "--ignore-scripts", "--prefer-offline"])
                .current_dir(fresh.path())
                .output()
                .unwrap();
            assert!(
                npm.status.success(),
                "{}",
                String::from_utf8_lossy(&npm.stderr)
            );
            // Whoever was faster has the same.
            let _ = fs::rename(fresh.path(), &folder);
        }
        folder
    })
}

fn chromium() -> String {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| {
            let about = Command::new(name)
                .arg("--version")
                .stdout(Stdio::null())
                .status();
            about.is_ok_and(|status| status.success())
        });
    let Some(name) = found else {
        panic!("there is no Chromium; on Debian the package is called chromium");
    };
    let which = Command::new("sh")
        .args(["-c", &format!("command -v {name}")])
        .output()
        .unwrap();
    String::from_utf8(which.stdout).unwrap().trim().to_owned()
}

/// Plays a scenario. `now` is told of what the page waits for.
async fn play(server: &Server, scenario: &str, more: Value, mut now: impl AsyncFnMut(&str)) {
    let link = server
        .send("POST", "/api/v1/console-link", Value::Null)
        .await;
    let mut setting = json!({
        "scenario": scenario,
        "url": server.url(),
        "link": link.json()["url"],
        "token": server.token,
        "sender": server.tokens["sender"],
        "chromium": chromium(),
        "packages": packages(),
        // Set to a folder, it gets pictures of the views.
        "pictures": std::env::var("BOTROUPE_PICTURES").ok(),
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        setting[key] = value.clone();
    }
    let mut node = tokio::process::Command::new("node")
        .arg(sources().join("drive.mjs"))
        .arg(setting.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(what) = line.strip_prefix("now: ") {
            now(what).await;
        }
        said.push(line);
    }
    let said = said.join("\n");
    assert!(node.wait().await.unwrap().success(), "{said}");
    assert!(said.ends_with("all done"), "{said}");
}

#[actix_rt::test]
#[ignore = "needs Chromium and Node.js"]
async fn a_person_sees_a_kick_brings_the_account_back_and_talks_to_a_bot() {
    let server = server("").await;
    let api = server.app.api("support-1").unwrap();
    let none = Conversation::group("none");
    let refused = api.send(none, "<b>dear</b> friend").await;
    assert!(refused.is_err(), "it is a dead letter now");
    let more = "[[accounts]]\nuser_id = \"newcomer\"\nbots = [\"echo\"]\n";
    play(&server, "whole", json!({}), async |what| match what {
        "kick support-2" => {
            let sandbox = server.app.sandbox().unwrap();
            sandbox.kick("support-2", KickType::Rest).unwrap();
        }
        "log for support-2" => {
            put(&server, LogLevel::Info, Some("echo-bot"), "of another");
            put(&server, LogLevel::Debug, Some("support-2"), "in detail");
            put(
                &server,
                LogLevel::Warn,
                Some("support-2"),
                "a line of <b>support-2</b>",
            );
        }
        "let a greeter fail" => {
            let path = "/api/v1/accounts/support-3/bots";
            let set = server
                .send("PUT", path, json!({"bots": ["signup", "greeter"]}))
                .await;
            assert_eq!(set.status, 200, "{}", set.text);
            let sandbox = server.app.sandbox().unwrap();
            sandbox.say("carol", "support-3", "fail").unwrap();
        }
        "begin dialogues" => {
            let path = "/api/v1/accounts/support-3/bots";
            let set = server.send("PUT", path, json!({"bots": ["signup"]})).await;
            assert_eq!(set.status, 200, "{}", set.text);
            let sandbox = server.app.sandbox().unwrap();
            for user in ["alice", "bob"] {
                sandbox.say(user, "support-3", "hello").unwrap();
            }
        }
        "add an account to the config" => server.text.lock().unwrap().push_str(more),
        _ => {
            assert_eq!(what, "take an account from the config");
            let text = server.text.lock().unwrap().replace(more, "");
            *server.text.lock().unwrap() = text;
            let done = server.send("POST", "/api/v1/reload", Value::Null).await;
            assert_eq!(done.status, 200, "{}", done.text);
        }
    })
    .await;
    server.end().await;
}

#[actix_rt::test]
#[ignore = "needs Chromium and Node.js"]
async fn a_page_of_another_site_orders_nothing_and_kicks_nobody() {
    let server = server("").await;
    let sandbox = server
        .app
        .sandbox_url()
        .unwrap()
        .replace("ws://", "http://");
    let urls = [
        format!("{}/api/v1/accounts/support-1/orders", server.url()),
        format!("{}/api/v1/session", server.url()),
        format!("{sandbox}/sandbox/kick"),
        format!("{sandbox}/v4/im_open_login_svc/kick"),
    ];
    play(&server, "stranger", json!({ "urls": urls }), async |_| {}).await;
    let account = server.get("/api/v1/accounts/support-1").await.json();
    assert_eq!(account["state"], "online");
    let records = account["records"].as_array().unwrap();
    assert_eq!(records.len(), 1, "nothing has happened to it: {account}");
    server.end().await;
}

#[actix_rt::test]
#[ignore = "needs Chromium and Node.js"]
async fn ten_thousand_accounts_are_on_one_page() {
    // Nobody listens there: what counts here is how many they are.
    let accounts = "[defaults.recovery]\nconnect_timeout = \"1s\"\n\
                    [[accounts]]\nuser_id = \"shop-{00001..10000}\"\nbots = [\"echo\"]\n\
                    backoff = { min = \"1h\", max = \"1h\" }\n";
    let server = server_of("ws://127.0.0.1:9", accounts, "").await;
    let more = json!({ "accounts": 10_000, "last": "shop-10000", "within": 3000 });
    play(&server, "large", more, async |_| {}).await;
    server.end().await;
}
