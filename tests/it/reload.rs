//! A config that is replaced while its fleet runs: only what changed is touched.

use botroupe::fleet::{
    Action, Cause, Command, Fleet, FleetAccount, FleetError, FleetHandle, Phase, ReloadError,
};
use botroupe::prelude::*;
use botroupe::sandbox::{Sandbox, SandboxConfig};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
const HEAD: &str = "[app]\nsdk_app_id = 1400000001\nsecret_key = \"first-key\"\n\
    [governor]\nlogins_per_second = 100000\nburst = 100000\n";

#[derive(serde::Deserialize)]
struct Mark {
    mark: String,
}

/// Answers with its mark, which is a setting.
fn marker() -> Bot {
    async fn answer(settings: Config<Mark>) -> String {
        settings.mark.clone()
    }
    Bot::new("marker").config::<Mark>().command("mark", answer)
}

/// Counts what it heard on all accounts, as long as it lives.
fn counter() -> Bot {
    async fn count(heard: State<AtomicU32>) -> String {
        (heard.fetch_add(1, Ordering::Relaxed) + 1).to_string()
    }
    Bot::new("counter")
        .state(AtomicU32::new(0))
        .command("count", count)
}

struct File(tempfile::TempDir);

impl File {
    fn new(text: &str) -> Self {
        let file = Self(tempfile::tempdir().unwrap());
        file.write(text);
        file
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("config.toml")
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }
}

async fn start(path: &Path) -> FleetHandle {
    let fleet = Fleet::from_config(path).bot(marker).bot(counter);
    let fleet = fleet.set("sandbox.listen", "127.0.0.1:0");
    let fleet = fleet.start().await.unwrap();
    ready(&fleet).await;
    fleet
}

async fn ready(fleet: &FleetHandle) {
    let ready = tokio::time::timeout(PATIENCE, fleet.ready()).await;
    ready.unwrap().unwrap();
}

async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

async fn answer(fleet: &FleetHandle, to: &str, text: &str) -> String {
    let sandbox = fleet.sandbox().unwrap();
    let before = crate::harness::said(sandbox, to, "alice").len();
    sandbox.say("alice", to, text).unwrap();
    let said = || crate::harness::said(fleet.sandbox().unwrap(), to, "alice");
    until(async || said().len() > before).await;
    said().pop().unwrap()
}

async fn phase(fleet: &FleetHandle, user: &str) -> Option<Phase> {
    let all = fleet.status().await;
    let mut all = all.into_iter();
    Some(all.find(|status| status.account.as_str() == user)?.phase)
}

#[tokio::test]
async fn a_reload_touches_nobody_but_those_that_change() {
    let bots = "[defaults]\nbots = [\"marker\", \"counter\"]\n[bots.marker]\nmark = \"1\"\n";
    let file = File::new(&format!(
        "{HEAD}{bots}[[accounts]]\nuser_id = \"a-{{1..200}}\"\n"
    ));
    let fleet = start(&file.path()).await;
    assert_eq!(answer(&fleet, "a-30", "/mark").await, "1");
    assert_eq!(answer(&fleet, "a-30", "/count").await, "1");
    let before = fleet.sandbox().unwrap().status().counters;

    // 30 more, 20 fewer, another setting of one bot, and another SecretKey.
    let bots = bots.replace("mark = \"1\"", "mark = \"2\"");
    let head = HEAD.replace("first-key", "second-key");
    file.write(&format!(
        "{head}{bots}[[accounts]]\nuser_id = \"a-{{21..200}}\"\n[[accounts]]\nuser_id = \"b-{{1..30}}\"\n"
    ));
    let planned = fleet.plan().await.unwrap();
    let counts = [Action::Start, Action::Stop, Action::Change, Action::Relink];
    assert_eq!(counts.map(|action| planned.count(action)), [30, 20, 180, 0]);
    assert_eq!((planned.logins, planned.login_seconds), (30, 0));
    let done = fleet.reload().await.unwrap();
    assert_eq!(done, planned, "what was planned is what happened");
    ready(&fleet).await;

    let after = fleet.sandbox().unwrap().status();
    let (online, after) = (after.online.len(), after.counters);
    assert_eq!(online, 210);
    let new = |now: u64, then: u64| now - then;
    assert_eq!(
        new(after.connects, before.connects),
        30,
        "no other link was made"
    );
    assert_eq!(new(after.logins, before.logins), 30);
    assert_eq!(new(after.logouts, before.logouts), 20);
    assert_eq!((after.kicks, after.refused_logins), (0, 0));

    assert_eq!(answer(&fleet, "a-30", "/mark").await, "2");
    assert_eq!(answer(&fleet, "b-30", "/mark").await, "2");
    assert_eq!(
        answer(&fleet, "a-30", "/count").await,
        "2",
        "the other bot kept its state"
    );
    assert_eq!(answer(&fleet, "b-1", "/count").await, "1");
    assert!(fleet.api("a-20").is_none() && phase(&fleet, "a-20").await.is_none());

    // The next login is made with the new key, which is the only one that the server takes now.
    fleet.order("a-30", Command::Relogin).await.unwrap();
    let sandbox = fleet.sandbox().unwrap();
    until(async || sandbox.status().counters.logins > after.logins).await;
    assert_eq!(sandbox.status().counters.refused_logins, 0);
    assert!(fleet.plan().await.unwrap().is_empty(), "it is done");
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn a_config_that_is_wrong_or_cannot_run_changes_nothing() {
    let bots = "[defaults]\nbots = [\"marker\"]\n[bots.marker]\nmark = \"1\"\n";
    let account = "[[accounts]]\nuser_id = \"a\"\n";
    let good = format!("{HEAD}{bots}{account}");
    let file = File::new(&good);
    let fleet = start(&file.path()).await;

    let wrong_setting = good.replace("mark = \"1\"", "mark = 1");
    let wrong_account = format!("{good}{account}");
    let more = format!("{good}[[accounts]]\nuser_id = \"b\"\n");
    for (text, expected) in [
        (wrong_setting, "config.toml:10:8"),
        (wrong_account, "config.toml:14"),
        ("[app".to_owned(), "config.toml:1"),
    ] {
        file.write(&text);
        let error = fleet.reload().await.unwrap_err();
        assert!(matches!(error, FleetError::Config(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    file.write(&format!("{more}[io]\narbiters = 2\n"));
    let plan = fleet.plan().await.unwrap();
    assert_eq!(plan.needs_restart, ["io"]);
    match fleet.reload().await.unwrap_err() {
        FleetError::Reload(ReloadError::NeedsRestart(keys)) => assert_eq!(keys, ["io"]),
        other => panic!("{other}"),
    }
    assert!(phase(&fleet, "b").await.is_none(), "a whole or nothing");
    assert_eq!(answer(&fleet, "a", "/mark").await, "1");

    file.write(&more);
    fleet.reload().await.unwrap();
    ready(&fleet).await;
    assert_eq!(answer(&fleet, "b", "/mark").await, "1");
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn what_an_operator_ordered_outlives_a_reload() {
    let all =
        "[[accounts]]\nuser_id = \"a\"\nbots = []\n[[accounts]]\nuser_id = \"b\"\nbots = []\n";
    let file = File::new(&format!("{HEAD}{all}"));
    let fleet = start(&file.path()).await;
    fleet.order("b", Command::Hold).await.unwrap();
    until(async || phase(&fleet, "b").await == Some(Phase::Held)).await;
    file.write(&format!("{HEAD}{all}recovery.stable_after = \"30s\"\n"));
    fleet.reload().await.unwrap();
    assert_eq!(
        phase(&fleet, "b").await,
        Some(Phase::Held),
        "a change is no order"
    );

    file.write(&format!("{HEAD}[[accounts]]\nuser_id = \"a\"\nbots = []\n"));
    fleet.reload().await.unwrap();
    file.write(&format!("{HEAD}{all}"));
    fleet.reload().await.unwrap();
    until(async || phase(&fleet, "b").await == Some(Phase::Held)).await;
    fleet.order("b", Command::Resume).await.unwrap();
    ready(&fleet).await;
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn another_proxy_costs_a_link_and_no_login() {
    let account = "[[accounts]]\nuser_id = \"a-{1..20}\"\nbots = [\"counter\"]\n";
    let file = File::new(&format!("{HEAD}{account}"));
    let fleet = start(&file.path()).await;
    let before = fleet.sandbox().unwrap().status();
    file.write(&format!("{HEAD}{account}proxy = \"direct\"\n"));
    let plan = fleet.reload().await.unwrap();
    assert_eq!((plan.count(Action::Relink), plan.logins), (20, 0));
    let sandbox = fleet.sandbox().unwrap();
    until(async || sandbox.status().counters.connects >= before.counters.connects + 20).await;
    ready(&fleet).await;
    let after = sandbox.status();
    assert_eq!(after.online, before.online, "each kept its login");
    assert_eq!((after.counters.kicks, after.counters.logouts), (0, 0));
    assert_eq!(answer(&fleet, "a-7", "/count").await, "1");
    fleet.stop().await.unwrap();
}

#[tokio::test]
async fn the_right_key_brings_back_who_was_refused_with_the_wrong_one() {
    let app = botroupe::proto::id::SdkAppId::new(1_400_000_001).unwrap();
    let key = "second-key";
    let listen = "127.0.0.1:0".parse().unwrap();
    let server = Sandbox::spawn_thread(SandboxConfig::new(app, key), listen).unwrap();
    let text = |key: &str| {
        let head = HEAD.replace("first-key", key);
        format!(
            "endpoint = \"{}\"\n{head}[[accounts]]\nuser_id = \"a-{{1..3}}\"\nbots = []\n",
            server.url()
        )
    };
    let file = File::new(&text("first-key"));
    let fleet = Fleet::from_config(file.path())
        .bot(counter)
        .start()
        .await
        .unwrap();
    let all = async |wanted: Phase| {
        let all = fleet.status().await;
        all.len() == 3 && all.iter().all(|status| status.phase == wanted)
    };
    until(async || all(Phase::Quarantined).await).await;
    let status = fleet.status().await;
    assert!(
        matches!(status[0].cause, Cause::Refused { .. }),
        "{:?}",
        status[0].cause
    );
    file.write(&text("second-key"));
    let plan = fleet.reload().await.unwrap();
    assert_eq!(plan.count(Action::Change), 3);
    until(async || all(Phase::Online).await).await;
    fleet.stop().await.unwrap();
    assert!(server.stop().await);
}

#[tokio::test]
async fn a_key_that_stands_in_a_file_is_read_anew_and_nobody_goes_offline() {
    let head = HEAD.replace("secret_key = \"first-key\"", "secret_key_file = \"key\"");
    let file = File::new(&format!(
        "{head}[[accounts]]\nuser_id = \"a-{{1..50}}\"\nbots = []\n"
    ));
    let key = |text: &str| fs::write(file.0.path().join("key"), text).unwrap();
    let fleet = || {
        Fleet::from_config(file.path())
            .bot(counter)
            .set("sandbox.listen", "127.0.0.1:0")
    };
    let missing = fleet().start().await.unwrap_err().to_string();
    assert!(
        missing.starts_with("no SecretKey from file ") && missing.contains("key"),
        "{missing}"
    );

    key("first-key\n");
    let fleet = fleet().start().await.unwrap();
    ready(&fleet).await;
    let before = fleet.sandbox().unwrap().status();
    key("two words");
    let error = fleet.reload().await.unwrap_err().to_string();
    assert!(
        error.contains("not one word") && !error.contains("two"),
        "{error}"
    );
    key("second-key\n");
    let plan = fleet.reload().await.unwrap();
    assert_eq!((plan.count(Action::Change), plan.logins), (50, 0));
    let after = fleet.sandbox().unwrap().status();
    assert_eq!(after.online, before.online, "each kept its login");
    assert_eq!(after.counters.connects, before.counters.connects);

    fleet.order("a-1", Command::Relogin).await.unwrap();
    let sandbox = fleet.sandbox().unwrap();
    until(async || sandbox.status().counters.logins > after.counters.logins).await;
    assert_eq!(sandbox.status().counters.refused_logins, 0);
    fleet.stop().await.unwrap();
}

/// A service that answers every request with what is in it at that time, and shows what it was asked.
fn service(answer: &Arc<Mutex<String>>) -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/accounts?all=1", listener.local_addr().unwrap());
    let (tell, asked) = std::sync::mpsc::channel();
    let answer = answer.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap();
            let body = answer.lock().unwrap().clone();
            let head = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}",
                body.len()
            );
            // A client that knows enough may have closed.
            let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes());
            let _ = tell.send(String::from_utf8_lossy(&request[..read]).into_owned());
        }
    });
    (url, asked)
}

#[tokio::test]
async fn a_service_says_which_accounts_there_are_at_the_start_and_at_each_reload() {
    let answer = Arc::new(Mutex::new(
        "[{\"user_id\": \"a-{1..3}\", \"bots\": []}]".to_owned(),
    ));
    let (url, asked) = service(&answer);
    let file = File::new(&format!(
        "accounts_http = {{ url = \"{url}\", headers = {{ Authorization = \"Bearer t\" }} }}\n{HEAD}"
    ));
    let fleet = start(&file.path()).await;
    let request = asked.recv().unwrap().to_lowercase();
    assert!(
        request.starts_with("get /accounts?all=1 ") && request.contains("authorization: bearer t")
    );
    assert_eq!(fleet.status().await.len(), 3);
    "[{\"user_id\": \"a-{2..4}\", \"bots\": []}]".clone_into(&mut answer.lock().unwrap());
    let plan = fleet.reload().await.unwrap();
    assert_eq!(
        (
            plan.count(Action::Start),
            plan.count(Action::Stop),
            plan.unchanged
        ),
        (1, 1, 2)
    );
    // One that is added in code stays beside them.
    let own = FleetAccount::new("own").bots(["counter"]);
    fleet.add(own).await.unwrap();
    "no list".clone_into(&mut answer.lock().unwrap());
    let error = fleet.reload().await.unwrap_err().to_string();
    let place = format!("answer of {}:1:1: ", url.split('?').next().unwrap());
    assert!(error.contains(&place), "{error}");
    assert_eq!(fleet.status().await.len(), 4);
    fleet.stop().await.unwrap();
}
