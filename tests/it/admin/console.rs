//! The console in a real browser. `tests/console/drive.mjs` uses it as a person would.

use super::logs::put;
use super::{Server, server, server_of};
use crate::harness::{self, APP, KEY};
use botroupe::config::LogLevel;
use botroupe::gateway::now;
use botroupe::prelude::Conversation;
use botroupe::sandbox::KickType;
use serde_json::{Value, json};
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use tokio::io::{AsyncBufReadExt, BufReader};

/// 240 times 160 red pixels, as PNG in Base64.
const SQUARE: &str = "iVBORw0KGgoAAAANSUhEUgAAAPAAAACgCAIAAAC9uXYyAAABRUlEQVR42u3SMQ0AAAgEsVfCjH8VyEIFC2lSBZfLdMEbkQBDg6HB0GBoDA2GBkODocHQGBoMDYYGQ4OhMTQYGgwNhgZDY2gwNBgaDA2GxtBgaDA0GBoMjaHB0GBoMDQYGkODocHQYGgMDYYGQ4OhwdAYGgwNhgZDg6ExNBgaDA2GBkNjaDA0GBoMDYbG0GBoMDQYGgyNocHQYGgwNBgaQ4OhwdBgaDA0hgZDg6HB0BgaDA2GBkODoTE0GBoMDYYGQ2NoMDQYGgwNhsbQYGgwNBgaDI2hwdBgaDA0GBpDg6HB0GBoMDSGBkODocHQGFoFDA2GBkODoTE0GBoMDYYGQ2NoMDQYGgwNhsbQYGgwNBgaDI2hwdBgaDA0GBpDg6HB0GBoMDSGBkODocHQYGgMDYYGQ4OhMTQYGgwNhgZDY2gwNBgabiy0Dj1D+c3fmQAAAABJRU5ErkJggg==";

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

/// Says what was measured, for whoever runs it with `--nocapture`.
#[expect(clippy::print_stdout, reason = "figures are read by people")]
fn tell(what: &str) {
    println!("{what}");
}

/// Plays a scenario. `told` hears what the page waits for.
async fn play(server: &Server, scenario: &str, more: Value, mut told: impl AsyncFnMut(&str)) {
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
        // A red square.
        "picture": SQUARE,
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
            told(what).await;
        }
        if let Some(what) = line.strip_prefix("told: ") {
            tell(what);
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

#[actix_rt::test]
#[ignore = "needs Chromium and Node.js"]
async fn accounts_of_two_apps_are_told_apart() {
    let app = |name: &str, id: u32| {
        format!(
            "[[apps]]\nname = \"{name}\"\nsdk_app_id = {id}\nsecret_key = \"{KEY}\"\n\
             [[accounts]]\napp = \"{name}\"\nuser_id = \"desk\"\nbots = [\"echo\"]\n"
        )
    };
    let apps = app("shop", APP) + &app("school", APP + 1);
    let server = server_of("sandbox", &apps, "").await;
    play(&server, "apps", json!({}), async |_| {}).await;
    let held = server.get("/api/v1/accounts/school%2Fdesk").await.json();
    assert_eq!(held["state"], "held");
    server.end().await;
}

/// The sandbox in a process of its own: two ends of ten thousand links are more files than one process may have.
fn apart() -> (std::process::Child, String) {
    let mut sandbox = Command::new(env!("CARGO_BIN_EXE_botroupe"))
        .args(["sandbox", "--listen", "127.0.0.1:0", "--secret-key", KEY])
        .args(["--sdk-app-id", &APP.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(sandbox.stdout.take().unwrap()).lines();
    let ready =
        lines.find_map(|line| Some(line.unwrap().strip_prefix("sandbox ready ")?.to_owned()));
    // It may say more, and must not wait for somebody who reads that.
    std::thread::spawn(move || lines.count());
    (sandbox, ready.unwrap())
}

/// How many accounts are online in the page: a thousand, or as many as the environment says. Ten thousand want more than ten
/// thousand open files, and a machine that does nothing else.
fn accounts_online() -> usize {
    let set = std::env::var("BOTROUPE_CONSOLE_ACCOUNTS").ok();
    set.map_or(1_000, |accounts| accounts.parse().unwrap())
}

#[actix_rt::test]
#[ignore = "needs Chromium and Node.js"]
async fn accounts_that_are_online_are_seen_and_a_change_within_a_second() {
    let (mut sandbox, url) = apart();
    let count = accounts_online();
    let accounts = format!(
        "[governor]\nlogins_per_second = 2000\nburst = 200\n\
         [[accounts]]\nuser_id = \"shop-{{00001..{count:05}}}\"\nbots = [\"echo\"]\n"
    );
    let server = server_of(&url, &accounts, "").await;
    let began = now().mono;
    harness::eventually("all are online", || async {
        (server.app.controller().online().await == count).then_some(())
    })
    .await;
    let took = now().mono.saturating_sub(began);
    tell(&format!("{count} accounts online after {took:?}"));
    let last = format!("shop-{count:05}");
    let kicked = [
        "shop-00007",
        "shop-00250",
        "shop-00500",
        "shop-00777",
        &last,
    ];
    let more = json!({ "accounts": count, "last": last, "within": 3000, "kicked": kicked });
    let kick = format!("{}/sandbox/kick", url.replace("ws://", "http://"));
    play(&server, "online", more, async |what| {
        let name = what.strip_prefix("kick ").unwrap();
        let order = awc::Client::default().post(&kick);
        let order = order.send_json(&json!({"user": name, "type": 3})).await;
        assert!(order.unwrap().status().is_success());
    })
    .await;
    server.end().await;
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
}
