//! Several apps in one process: their accounts may have the same UserIDs, and nothing of one reaches another.

use crate::harness::eventually;
use awc::http::Method;
use botroupe::fleet::{Action, Cause, Command, Fleet, FleetError, FleetHandle, Phase, ReloadError};
use botroupe::prelude::*;
use botroupe::proto::id::SdkAppId;
use botroupe::sandbox::{Sandbox, SandboxConfig};
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Answers with what it has heard from a user, which it keeps in the store.
fn parrot() -> Bot {
    async fn repeat(text: Text, heard: Store<String>) -> Result<String, ValueError> {
        let values = heard.user()?;
        let before = values.get("said").await?.unwrap_or_default();
        values.set("said", &text.to_string()).await?;
        Ok(format!("before: {before}"))
    }
    Bot::new("parrot").on_text(repeat)
}

/// The embedded server of an app of the test.
fn server(id: u32, key: &str) -> Sandbox {
    let config = SandboxConfig::new(SdkAppId::new(id).unwrap(), key.to_owned());
    Sandbox::spawn_thread(config, ([127, 0, 0, 1], 0).into()).unwrap()
}

/// One of `[[apps]]`.
fn app(name: &str, id: u32, key: &str, url: &str, more: &str) -> String {
    format!(
        "[[apps]]\nname = \"{name}\"\nsdk_app_id = {id}\nsecret_key = \"{key}\"\nendpoint = \"{url}\"\n{more}\n"
    )
}

fn account(app: &str, user: &str) -> String {
    format!("[[accounts]]\napp = \"{app}\"\nuser_id = \"{user}\"\nbots = [\"parrot\"]\n")
}

async fn start(path: &Path, text: &str) -> FleetHandle {
    std::fs::write(path, text).unwrap();
    Fleet::from_config(path).bot(parrot).start().await.unwrap()
}

async fn ready(fleet: &FleetHandle) {
    let ready = tokio::time::timeout(PATIENCE, fleet.ready()).await;
    ready.unwrap().unwrap();
}

/// Says something, and waits for the answer.
async fn ask(server: &Sandbox, to: &str, text: &str) -> String {
    let before = server.history("alice", to).len();
    server.import("alice").unwrap();
    server.say("alice", to, text).unwrap();
    eventually("the answer", || async {
        let said = server.history("alice", to);
        let answer = said.get(before + 1)?;
        Some(answer.body.clone())
    })
    .await
}

async fn phase(fleet: &FleetHandle, account: &str) -> Option<Phase> {
    let status = fleet.status().await;
    let status = status.into_iter().find(|it| it.account == *account)?;
    Some(status.phase)
}

#[actix_rt::test]
async fn accounts_of_two_apps_with_one_user_id_share_nothing() {
    let (shop, school) = (server(1_400_000_001, "one"), server(1_400_000_002, "two"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let text = [
        app("shop", 1_400_000_001, "one", &shop.url(), ""),
        app("school", 1_400_000_002, "two", &school.url(), ""),
        account("shop", "desk"),
        account("school", "desk"),
    ];
    let fleet = start(&path, &text.concat()).await;
    ready(&fleet).await;
    assert!(ask(&shop, "desk", "cheese").await.contains("before: \""));
    assert!(ask(&school, "desk", "chalk").await.contains("before: \""));
    assert!(ask(&shop, "desk", "milk").await.contains("before: cheese"));
    assert!(ask(&school, "desk", "ink").await.contains("before: chalk"));
    // Each is ordered and written as by its own name, and by no other.
    assert!(fleet.api("desk").is_none());
    assert!(fleet.order("desk", Command::Hold).await.is_err());
    fleet.order("school/desk", Command::Hold).await.unwrap();
    eventually("it is held", || async {
        (phase(&fleet, "school/desk").await == Some(Phase::Held)).then_some(())
    })
    .await;
    assert_eq!(phase(&fleet, "shop/desk").await, Some(Phase::Online));
    assert!(!school.is_online("desk") && shop.is_online("desk"));
    fleet.order("school/desk", Command::Resume).await.unwrap();
    ready(&fleet).await;
    let api = fleet.api("school/desk").unwrap();
    api.send_text("alice", "lesson one").await.unwrap();
    let said = school.history("alice", "desk");
    assert!(said.last().unwrap().body.contains("lesson one"));
    assert_eq!(shop.history("alice", "desk").len(), 4);
    assert!(fleet.stop().await.unwrap().logged_out);
}

#[actix_rt::test]
async fn a_slow_app_holds_up_no_other_one() {
    let (slow, quick) = (server(1_400_000_001, "one"), server(1_400_000_002, "two"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let pace = "governor = { logins_per_second = 1, burst = 1 }";
    let text = [
        app("slow", 1_400_000_001, "one", &slow.url(), pace),
        app("quick", 1_400_000_002, "two", &quick.url(), ""),
        account("slow", "s-{001..600}"),
        account("quick", "q-{01..20}"),
    ];
    let fleet = start(&path, &text.concat()).await;
    let online = async |app: &str| {
        let status = fleet.status().await;
        let of = status.iter().filter(|it| it.account.app() == Some(app));
        of.filter(|it| it.phase.is_online()).count()
    };
    eventually("the quick app is online", || async {
        (online("quick").await == 20).then_some(())
    })
    .await;
    // At its own pace, the other app takes ten minutes.
    assert!(online("slow").await < 300);
    fleet.stop().await.unwrap();
}

#[actix_rt::test]
async fn a_reload_adds_and_removes_apps_and_renews_a_key_and_the_others_stay() {
    let (shop, school) = (server(1_400_000_001, "one"), server(1_400_000_002, "two"));
    let club = server(1_400_000_003, "three");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let shop_app = app("shop", 1_400_000_001, "one", &shop.url(), "");
    let accounts = [
        account("shop", "desk"),
        account("school", "desk"),
        account("club", "desk"),
    ];
    let two = [
        &*shop_app,
        &app("school", 1_400_000_002, "two", &school.url(), ""),
        &accounts[0],
        &accounts[1],
    ];
    let fleet = start(&path, &two.concat()).await;
    ready(&fleet).await;
    let links = |server: &Sandbox| server.status().counters.connects;
    let before = links(&shop);

    // Another key, and another app.
    school.remote().set_key("renewed".to_owned().into());
    let school_app = app("school", 1_400_000_002, "renewed", &school.url(), "");
    let three = [
        &*shop_app,
        &school_app,
        &app("club", 1_400_000_003, "three", &club.url(), ""),
        &accounts.concat(),
    ];
    std::fs::write(&path, three.concat()).unwrap();
    let plan = fleet.plan().await.unwrap();
    assert_eq!(fleet.reload().await.unwrap(), plan);
    assert_eq!(plan.fleet, ["apps.club (new)", "apps.school.secret_key"]);
    assert_eq!((plan.count(Action::Start), plan.unchanged), (1, 1));
    ready(&fleet).await;
    assert!(ask(&club, "desk", "hello").await.contains("before: \""));
    fleet.order("school/desk", Command::Relogin).await.unwrap();
    assert!(ask(&school, "desk", "hello").await.contains("before: \""));

    // An app that leaves logs its accounts out.
    let left = [&*shop_app, &school_app, &accounts[0], &accounts[1]];
    std::fs::write(&path, left.concat()).unwrap();
    assert_eq!(fleet.reload().await.unwrap().count(Action::Stop), 1);
    assert!(!club.is_online("desk") && phase(&fleet, "club/desk").await.is_none());
    // It may come back, with what the store has of it.
    std::fs::write(&path, three.concat()).unwrap();
    fleet.reload().await.unwrap();
    ready(&fleet).await;
    assert!(ask(&club, "desk", "again").await.contains("before: hello"));
    assert_eq!(links(&shop), before, "nobody touched the shop");

    // An app does not move to another server while it runs.
    let moved = three.concat().replace(&club.url(), &school.url());
    std::fs::write(&path, moved).unwrap();
    match fleet.reload().await {
        Err(FleetError::Reload(ReloadError::NeedsRestart(keys))) => {
            assert_eq!(keys, ["apps.club.endpoint"]);
        }
        other => panic!("{other:?}"),
    }
    fleet.stop().await.unwrap();
}

#[actix_rt::test]
async fn each_app_of_a_sandbox_config_has_a_server_of_its_own() {
    use botroupe::fleet::{FleetAccount, FleetApp};
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.json").display().to_string();
    let fleet = Fleet::builder()
        .sandbox()
        .set("sandbox.store", format!("'{kept}'"))
        .add_app(FleetApp::new("shop", 1_400_000_001, "one$"))
        .add_app(FleetApp::new("school", 1_400_000_002, "two").pace(50, 5))
        .bot(parrot)
        .account(FleetAccount::new("desk").app("shop"))
        .account(FleetAccount::new("desk").app("school"))
        .start()
        .await
        .unwrap();
    ready(&fleet).await;
    let shop = fleet.api("shop/desk").unwrap();
    shop.send_text("alice", "hello").await.unwrap();
    let status = fleet.status().await;
    let causes = status.iter().filter(|it| it.cause != Cause::NotStarted);
    assert!(causes.count() <= 2 && status.len() == 2);
    fleet.remove("shop/desk").await.unwrap();
    assert!(fleet.api("shop/desk").is_none() && fleet.api("school/desk").is_some());
    fleet.stop().await.unwrap();
    let read = |app: &str| {
        let path = folder.path().join(format!("kept-{app}.json"));
        std::fs::read_to_string(path).unwrap()
    };
    assert!(read("shop").contains("hello") && !read("school").contains("hello"));
}

#[actix_rt::test]
async fn the_admin_api_knows_accounts_by_app_and_user_id() {
    let (shop, school) = (server(1_400_000_001, "one"), server(1_400_000_002, "two"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"; // of "secret"
    let admin = format!(
        "[admin]\nlisten = \"127.0.0.1:0\"\n[[admin.tokens]]\nname = \"shop\"\nhash = \"sha256:{hash}\"\n\
         scopes = [\"read\", \"operate\"]\naccounts = [\"shop/*\"]\n"
    );
    let text = [
        app("shop", 1_400_000_001, "one", &shop.url(), ""),
        app("school", 1_400_000_002, "two", &school.url(), ""),
        account("shop", "desk"),
        account("school", "desk"),
        admin,
    ];
    let fleet = start(&path, &text.concat()).await;
    ready(&fleet).await;
    let url = fleet.admin_url().unwrap().to_owned();
    let ask = async |method: Method, path: &str| {
        let request = awc::Client::default().request(method, format!("{url}/api/v1{path}"));
        let request = request.insert_header(("Authorization", "Bearer secret"));
        let mut answer = request
            .send_json(&serde_json::json!({"order": "hold"}))
            .await
            .unwrap();
        let json: serde_json::Value = answer.json().await.unwrap();
        (answer.status().as_u16(), json)
    };
    let (_, all) = ask(Method::GET, "/accounts").await;
    assert_eq!(all["total"], 1, "the token sees one app: {all}");
    let (status, one) = ask(Method::GET, "/accounts/shop%2Fdesk").await;
    assert_eq!((status, &one["account"]), (200, &"shop/desk".into()));
    for hidden in ["school%2Fdesk", "desk"] {
        assert_eq!(
            ask(Method::GET, &format!("/accounts/{hidden}")).await.0,
            404
        );
    }
    let (_, of) = ask(Method::GET, "/accounts?app=1400000001").await;
    assert_eq!(of["total"], 1);
    assert_eq!(ask(Method::GET, "/accounts?app=club").await.0, 422);
    let (status, answer) = ask(Method::POST, "/accounts/shop%2Fdesk/orders").await;
    assert_eq!(status, 200, "{answer}");
    eventually("it is held", || async {
        (phase(&fleet, "shop/desk").await == Some(Phase::Held)).then_some(())
    })
    .await;
    assert_eq!(phase(&fleet, "school/desk").await, Some(Phase::Online));
    let (_, told) = ask(Method::GET, "/status").await;
    assert_eq!(told["apps"][1]["name"], "school");
    fleet.stop().await.unwrap();
}
