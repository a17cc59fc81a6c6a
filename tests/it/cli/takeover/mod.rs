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

/// Two apps have accounts of the same UserIDs: each goes on with its own login, and one whose app has become another
/// app logs in anew.
#[test]
fn each_app_goes_on_with_its_own_logins() {
    use botroupe::proto::id::SdkAppId;
    use botroupe::sandbox::{Sandbox, SandboxConfig};
    let server = |id: u32| {
        let config = SandboxConfig::new(SdkAppId::new(id).unwrap(), KEY.to_owned());
        Sandbox::spawn_thread(config, ([127, 0, 0, 1], 0).into()).unwrap()
    };
    let (shop, school, club) = (
        server(1_400_000_001),
        server(1_400_000_002),
        server(1_400_000_003),
    );
    let text = |other: u32, url: &str| {
        let app = |name: &str, id: u32, url: &str| {
            format!(
                "[[apps]]\nname = \"{name}\"\nsdk_app_id = {id}\nsecret_key = \"{KEY}\"\nendpoint = \"{url}\"\n\
                 [[accounts]]\napp = \"{name}\"\nuser_id = \"desk-{{1..3}}\"\nbots = [\"echo\"]\n"
            )
        };
        app("shop", 1_400_000_001, &shop.url()) + &app("school", other, url)
    };
    let folder = tempfile::tempdir().unwrap();
    let path = config(&folder, &text(1_400_000_002, &school.url()));
    let mut old = Running::start(&["run", &path]);
    old.line("6 of 6 accounts online");
    // The numbers that the servers gave to the logins.
    let logins = |server: &Sandbox| ["desk-1", "desk-2", "desk-3"].map(|it| server.instances(it));
    let (of_shop, of_school) = (logins(&shop), logins(&school));
    let mut takeover = || {
        let mut new = Running::start(&["run", &path, "--takeover"]);
        for _ in 0..6 {
            new.line(" online");
        }
        let (code, _, err) = std::mem::replace(&mut old, new).end();
        assert_eq!(code.code(), Some(0), "{err}");
    };
    takeover();
    assert_eq!(
        (logins(&shop), logins(&school)),
        (of_shop.clone(), of_school)
    );
    config(&folder, &text(1_400_000_003, &club.url()));
    takeover();
    assert_eq!(logins(&shop), of_shop);
    assert!(logins(&club).iter().all(|of| of.len() == 1));
    let refused = [&shop, &school, &club].map(|it| it.status().counters.refused_logins);
    assert_eq!(refused, [0; 3], "no login of one app was tried in another");
    assert_eq!(shop.status().counters.kicks, 0);
}
