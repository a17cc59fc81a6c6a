//! Tests of a fleet that is embedded in another program.

use botroupe::bot::Bots;
use botroupe::fleet::{Command, Fleet, FleetAccount, FleetError, OrderError, Phase};
use botroupe::prelude::*;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn echo() -> Bot {
    Bot::new("echo").on_text(|text: Text| async move { text.into_inner() })
}

async fn last_word(sandbox: &botroupe::sandbox::Sandbox, from: &str, to: &str) -> String {
    let said = async {
        loop {
            if let Some(text) = crate::harness::said(sandbox, from, to).pop() {
                return text;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, said).await.unwrap()
}

/// Runs under tokio, without an actix system.
#[tokio::test]
async fn a_fleet_runs_under_any_runtime_and_its_accounts_can_be_used() {
    let (sender, mut changes) = tokio::sync::mpsc::unbounded_channel();
    let fleet = Fleet::builder()
        .sandbox()
        .bot(echo)
        .bot_for_account("clerk", |account| {
            let user = account.user_id().to_owned();
            Bot::new("clerk").on_text(move || {
                let user = user.clone();
                async move { format!("this is {user}") }
            })
        })
        .account(FleetAccount::new("e-{1..2}").bots(["echo"]))
        .account(FleetAccount::new("desk").bots(["clerk"]))
        .on_change(move |status| drop(sender.send((status.account.to_string(), status.phase))))
        .start()
        .await
        .unwrap();
    tokio::time::timeout(PATIENCE, fleet.ready())
        .await
        .unwrap()
        .unwrap();
    let status = fleet.status().await;
    let users: Vec<&str> = status
        .iter()
        .map(|status| status.account.as_str())
        .collect();
    assert_eq!(users, ["e-1", "e-2", "desk"]);
    assert!(status.iter().all(|status| status.phase == Phase::Online));
    assert!(changes.try_recv().is_ok());

    let sandbox = fleet.sandbox().unwrap();
    let api = fleet.api("e-1").unwrap();
    api.send_text("desk", "who is there?").await.unwrap();
    // Bots of one process do not receive each other's messages, but those of users.
    sandbox.say("alice", "desk", "who is there?").unwrap();
    assert_eq!(last_word(sandbox, "desk", "alice").await, "this is desk");
    assert!(crate::harness::said(sandbox, "desk", "e-1").is_empty());
    assert!(fleet.api("nobody").is_none());

    fleet.order("e-2", Command::Hold).await.unwrap();
    let unknown = fleet.order("nobody", Command::Hold).await;
    assert_eq!(unknown, Err(OrderError::Unknown("nobody".to_owned())));

    let stopped = fleet.stop().await.unwrap();
    assert!(stopped.drained && stopped.logged_out && stopped.saved);
}

#[tokio::test]
async fn who_waits_for_all_accounts_hears_that_one_that_is_away_was_removed() {
    let fleet = Fleet::builder()
        .sandbox()
        .bot(echo)
        .account("a-{1..2}")
        .start()
        .await
        .unwrap();
    fleet.ready().await.unwrap();
    fleet.order("a-2", Command::Hold).await.unwrap();
    fleet.add("a-3").await.unwrap();
    let sandbox = fleet.sandbox().unwrap();
    let mut wait = Box::pin(tokio::time::timeout(PATIENCE, fleet.ready()));
    let in_time = async {
        while !sandbox.is_online("a-3") || sandbox.is_online("a-2") {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = &mut wait => panic!("a-2 is away"),
        () = in_time => {}
    }
    // Nobody goes online or offline for that.
    fleet.remove("a-2").await.unwrap();
    wait.as_mut().await.unwrap().unwrap();
    drop(wait);
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn all_accounts_share_what_main_gave_to_the_fleet() {
    use std::sync::atomic::{AtomicU32, Ordering};
    async fn count(count: State<AtomicU32>) -> String {
        let before = count.fetch_add(1, Ordering::Relaxed);
        format!("number {}", before + 1)
    }
    let fleet = Fleet::builder()
        .sandbox()
        .state(AtomicU32::new(0))
        .bot(|| Bot::new("counter").on_text(count))
        .account("a-{1..2}")
        .start()
        .await
        .unwrap();
    tokio::time::timeout(PATIENCE, fleet.ready())
        .await
        .unwrap()
        .unwrap();
    let sandbox = fleet.sandbox().unwrap();
    for (user, answer) in [("a-1", "number 1"), ("a-2", "number 2")] {
        sandbox.say("alice", user, "hi").unwrap();
        assert_eq!(last_word(sandbox, user, "alice").await, answer);
    }
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn a_config_file_runs_with_bots_that_hold_what_main_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(
        &path,
        "[app]\nsdk_app_id = 1400000001\nsecret_key = \"${KEY:-k}\"\n[bots.faq]\nmark = \"!\"\n\
         [[accounts]]\nuser_id = \"desk\"\nbots = [\"faq\"]\n\
         [[accounts]]\nuser_id = \"third\"\nbots = [\"faq\"]\nsettings.faq.mark = \"?\"\n",
    )
    .unwrap();

    #[derive(serde::Deserialize)]
    struct Settings {
        mark: String,
    }
    async fn answer(pool: State<Arc<String>>, settings: Config<Settings>) -> String {
        format!("{}{}", **pool, settings.mark)
    }
    let pool = Arc::new("from the pool".to_owned());
    let fleet = Fleet::from_config(&path)
        .sandbox()
        .bot(move || {
            Bot::new("faq")
                .state(pool.clone())
                .config::<Settings>()
                .on_text(answer)
        })
        .account("second")
        .start()
        .await
        .unwrap();
    let sandbox = fleet.sandbox().unwrap();
    for (bot, mark) in [("desk", "!"), ("second", "!"), ("third", "?")] {
        sandbox.say("alice", bot, "hello").unwrap();
        let expected = format!("from the pool{mark}");
        assert_eq!(last_word(sandbox, bot, "alice").await, expected);
    }
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn a_fleet_that_is_described_wrongly_says_everything_that_is_wrong() {
    let wrong = Fleet::builder()
        .sandbox()
        .bot(echo)
        .account(FleetAccount::new("a").bots(["ecko"]))
        .set("io.arbiters", "0")
        .start()
        .await;
    let Err(FleetError::Config(errors)) = wrong else {
        panic!("{wrong:?}");
    };
    let said = errors.to_string();
    assert_eq!(errors.errors().len(), 2, "{said}");
    assert!(said.contains("did you mean \"echo\"?"), "{said}");
    assert!(said.contains("--set io.arbiters"), "{said}");

    let panics = Fleet::builder()
        .sandbox()
        .bot(|| panic!("no database"))
        .account("a")
        .start()
        .await;
    let said = panics.unwrap_err().to_string();
    assert!(said.contains("no database"), "{said}");

    let missing = Fleet::from_config("/nowhere/at/all.toml").start().await;
    assert!(matches!(missing, Err(FleetError::ConfigFile { .. })));
}

#[tokio::test]
async fn secrets_of_the_builder_are_not_shown() {
    let marker = "[marker-$$of a \"key\"]";
    let builder = Fleet::builder()
        .app(1_400_000_001, marker)
        .endpoint("ws://127.0.0.1:9")
        .bots(Bots::new().with("echo", echo))
        .account("a");
    assert!(!format!("{builder:?}").contains("marker"));
    // Special characters in a key have no meaning.
    let fleet = builder.start().await.unwrap();
    assert!(!format!("{fleet:?}").contains("marker"));
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn the_admin_api_of_a_config_is_served_by_an_embedded_fleet_too() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let token = botroupe::admin::NewToken::make().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let text = format!(
        "[app]\nsdk_app_id = 1400000001\nsecret_key = \"k\"\n[[accounts]]\nuser_id = \"desk\"\nbots = [\"echo\"]\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n[[admin.tokens]]\nname = \"a\"\nhash = \"{}\"\n",
        token.config_hash()
    );
    fs::write(&path, text).unwrap();
    let fleet = Fleet::from_config(&path).sandbox().bot(echo);
    let fleet = fleet.start().await.unwrap();
    fleet.ready().await.unwrap();
    let address = fleet.admin_url().unwrap().strip_prefix("http://").unwrap();
    let address: std::net::SocketAddr = address.parse().unwrap();
    let ask = async |path: &str| {
        let mut link = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            token.text()
        );
        link.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        link.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = ask("/api/v1/status").await;
    assert!(answer.contains("\"states\":{\"online\":1}"), "{answer}");
    let answer = ask("/api/v1/logs").await;
    assert!(
        answer.starts_with("HTTP/1.1 409") && answer.contains("sets up its own log"),
        "{answer}"
    );
    // Where another one listens there is no second one.
    let taken = fs::read_to_string(&path).unwrap();
    fs::write(&path, taken.replace("127.0.0.1:0", &address.to_string())).unwrap();
    let second = Fleet::from_config(&path).sandbox().bot(echo).start().await;
    assert!(matches!(second, Err(FleetError::Admin(_))), "{second:?}");
    fleet.stop().await.unwrap();
}
