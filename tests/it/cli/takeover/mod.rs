//! One process goes on with the logins of another.

mod judge;

use super::*;
use judge::{Plan, judge};

fn text(url: &str) -> String {
    format!(
        "endpoint = \"{url}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n\
         [[accounts]]\nuser_id = \"echo-bot\"\nbots = [\"echo\"]\n\
         [[accounts]]\nuser_id = \"a-{{1..20}}\"\nbots = [\"echo\"]\n"
    )
}

async fn status(url: &str) -> serde_json::Value {
    let http = url.replacen("ws", "http", 1);
    let client = awc::Client::default();
    let mut answer = client
        .get(format!("{http}/sandbox/status"))
        .send()
        .await
        .unwrap();
    answer.json().await.unwrap()
}

fn started(path: &str, more: &[&str]) -> Running {
    let mut run = Running::start(&[&["run", path], more].concat());
    run.line("21 of 21 accounts online");
    run
}

#[actix_rt::test]
async fn a_new_process_goes_on_with_every_login_of_the_old_one() {
    let (sandbox, url) = sandbox();
    let folder = tempfile::tempdir().unwrap();
    let path = config(&folder, &text(&url));
    let mut old = started(&path, &[]);
    let held = output(&["hold", "a-7", "--config", &path]);
    assert_eq!(held.status.code(), Some(0));
    old.line("account a-7 offline");
    let before = status(&url).await;

    for _ in 0..3 {
        let mut new = Running::start(&["run", &path, "--takeover"]);
        for _ in 0..20 {
            new.line(" online");
        }
        let (code, _, err) = std::mem::replace(&mut old, new).end();
        assert_eq!(code.code(), Some(0), "{err}");
    }
    let after = status(&url).await;
    assert_eq!(after["online"], before["online"], "the same logins");
    for counter in ["kicks", "logouts", "refused_logins"] {
        let (now, then) = (&after["counters"][counter], &before["counters"][counter]);
        assert_eq!(now, then, "{counter}");
    }
    let chat = output(&[
        "chat", "--as", "alice", "--to", "echo-bot", "--config", &path,
    ]);
    drop(chat);
    let told = output(&["status", "--config", &path]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.starts_with("21 accounts: 1 held, 20 online"), "{told}");
    old.signal("TERM");
    assert_eq!(old.end().0.code(), Some(0));
    sandbox.signal("TERM");
    sandbox.end();
}

#[test]
fn a_takeover_of_nobody_is_a_start_and_the_embedded_server_is_not_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let mut run = Running::start(&["run", &path, "--takeover"]);
    run.line("4 of 4");
    let refused = output(&["run", &path, "--takeover"]);
    assert_eq!(refused.status.code(), Some(1));
    let err = String::from_utf8(refused.stderr).unwrap();
    assert!(
        err.contains("the embedded server ends with this process"),
        "{err}"
    );
    let told = output(&["status", "--config", &path]);
    assert!(
        String::from_utf8(told.stdout)
            .unwrap()
            .starts_with("4 accounts: 4 online")
    );
}

#[test]
fn nothing_is_lost_or_doubled_while_a_fleet_is_taken_over_again_and_again() {
    let plan = Plan {
        accounts: 20,
        takeovers: 4,
        rate: 40.0,
        pause: Duration::from_millis(500),
    };
    let verdict = judge(env!("CARGO_BIN_EXE_botroupe"), plan);
    assert!(verdict.said > 80, "{verdict}");
    let wrong = [verdict.lost, verdict.doubled, verdict.new_logins];
    assert_eq!((wrong, verdict.kicks), ([0; 3], 0), "{verdict}");
}
