//! Tests of many accounts over real sockets: server restarts, and kicks of many accounts at once.

use crate::harness::{APP, KEY, eventually, phase, sandbox, start, status};
use botroupe::account::Phase;
use botroupe::app::App;
use botroupe::bot::Bots;
use botroupe::config::{Config, Sources};
use botroupe::proto::id::SdkAppId;
use botroupe::sandbox::{KickType, Sandbox, SandboxConfig};
use std::collections::BTreeMap;
use std::net::SocketAddr;

fn no_bots() -> Bots {
    Bots::new()
}
const ACCOUNTS: usize = 300;

fn names() -> Vec<String> {
    (0..ACCOUNTS).map(|n| format!("bot-{n:03}")).collect()
}

async fn phases(app: &App) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for status in app.status().await {
        *counts.entry(status.phase.word()).or_default() += 1;
    }
    counts
}

async fn all_online(app: &App) {
    eventually("all are online", || async {
        (phases(app).await.get("online") == Some(&ACCOUNTS)).then_some(())
    })
    .await;
}

/// Restarts a sandbox at a given address. It does not know the earlier logins.
fn again(addr: SocketAddr) -> Option<Sandbox> {
    let config = SandboxConfig::new(SdkAppId::new(APP).unwrap(), KEY);
    Sandbox::spawn_thread(config, addr).ok()
}

#[actix_rt::test]
async fn three_hundred_accounts_survive_ten_deaths_of_the_server_and_end_each_kick_as_told() {
    let mut server = sandbox(|_| {});
    let (url, addr) = (server.url(), server.addr());
    let names = names();
    let users: Vec<&str> = names.iter().map(String::as_str).collect();
    let governor = "[governor]\nlogins_per_second = 2000\nburst = 100";
    let app = start(&url, &no_bots(), &users, governor).await;
    all_online(&app).await;
    for _ in 0..10 {
        server.stop().await;
        eventually("nobody is online", || async {
            (!phases(&app).await.contains_key("online")).then_some(())
        })
        .await;
        server = eventually("the port is free again", || async { again(addr) }).await;
        all_online(&app).await;
    }
    for status in app.status().await {
        assert!(
            server.is_online(status.account.as_str()),
            "{} is online on one side only",
            status.account
        );
        assert!(status.counters.lost_links >= 10, "{:?}", status.counters);
    }
    let (account, device) = (KickType::Account, KickType::Device);
    for (n, user) in users.iter().take(150).enumerate() {
        server
            .kick(user, [account, device, KickType::Rest][n / 50])
            .unwrap();
    }
    for user in users.iter().skip(150).take(50) {
        server.expire(user).unwrap();
        // An expired login shows in the answer to a request; the acknowledgement of a push has no
        // answer.
        app.order(
            &botroupe::proto::id::UserId::parse(user).unwrap(),
            botroupe::account::Command::Relogin,
        )
        .await
        .unwrap();
    }
    let expected = [("cooling down", 100), ("held", 50), ("online", 150)];
    eventually("every account is where the table says", || async {
        (phases(&app).await == BTreeMap::from(expected)).then_some(())
    })
    .await;
    for status in app
        .status()
        .await
        .iter()
        .filter(|status| status.phase == Phase::CoolingDown)
    {
        assert!(
            status.next.is_some(),
            "{} does not say when it comes back",
            status.account
        );
    }
    app.order(
        &botroupe::proto::id::UserId::parse("bot-120").unwrap(),
        botroupe::account::Command::Resume,
    )
    .await
    .unwrap();
    phase(&app, "bot-120", Phase::Online).await;
    let stopped = app.stop().await;
    assert!(stopped.logged_out);
    assert!(
        users.iter().all(|user| !server.is_online(user)),
        "a login is left behind"
    );
}

#[actix_rt::test]
async fn an_account_comes_back_when_the_other_login_has_gone_and_not_before() {
    let server = sandbox(|_| {});
    let quick = "[defaults]\nlogin_spacing = \"0s\"";
    let cool =
        "[defaults.recovery.multiple_account]\ncool_down_min = \"20ms\"\ncool_down_max = \"40ms\"";
    let account = "[[accounts]]\nuser_id = \"bot\"\nbots = []";
    let text = format!("admin = \"administrator\"\n{quick}\n{cool}\n{account}");
    let app = start_text(&server.url(), &text).await;
    phase(&app, "bot", Phase::Online).await;
    let other = start_text(&server.url(), &format!("{quick}\n{account}")).await;
    phase(&other, "bot", Phase::Online).await;
    // The bot detects the other login and does not replace it, cool-down after cool-down.
    let status = eventually("it waits for the other login", || async {
        Some(status(&app, "bot").await).filter(|status| status.waits_for.is_some())
    })
    .await;
    assert_eq!(
        (status.phase, status.counters.kicked_by_account),
        (Phase::CoolingDown, 1)
    );
    assert_eq!(
        crate::harness::status(&other, "bot")
            .await
            .counters
            .kicked_by_account,
        0
    );
    other.stop().await;
    phase(&app, "bot", Phase::Online).await;
    app.stop().await;
}

/// Starts an app whose config continues with `more` after the SecretKey.
async fn start_text(endpoint: &str, more: &str) -> App {
    let text = format!(
        "endpoint = \"{endpoint}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n{more}"
    );
    let file = crate::harness::file_in_fresh_folder();
    let config = Config::parse(Sources::new(&file, &text, &BTreeMap::new())).unwrap();
    App::start(&config, &no_bots(), None).await.unwrap()
}
