//! A real Prometheus scrapes a fleet, with the rules that are shipped.

use crate::harness::{APP, KEY, eventually, sandbox};
use botroupe::admin::NewToken;
use botroupe::prelude::*;
use botroupe::sandbox::KickType;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// More than [`BotroupeKicked`](../../packaging/prometheus/botroupe.rules.yml) takes in an hour.
const ACCOUNTS: usize = 12;

/// Prometheus; it ends with the test.
struct Prometheus {
    process: Child,
    url: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Prometheus {
    /// Scrapes this target every second, with the rules of the packaging.
    fn start(folder: &Path, target: &str, token: &str) -> Self {
        let rules = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/packaging/prometheus/botroupe.rules.yml"
        );
        let config = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
             rule_files: [\"{rules}\"]\n\
             scrape_configs:\n\
             - job_name: botroupe\n\
             \x20 authorization: {{ credentials_file: token }}\n\
             \x20 static_configs: [{{ targets: [\"{target}\"] }}]\n"
        );
        fs::write(folder.join("prometheus.yml"), config).unwrap();
        fs::write(folder.join("token"), token).unwrap();
        // It tells nobody which port the system gave it.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let log = fs::File::create(folder.join("prometheus.log")).unwrap();
        let process = Command::new("prometheus")
            .arg(format!("--web.listen-address={address}"))
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let process = process.unwrap_or_else(|error| {
            panic!("prometheus: {error}; install Debian's package prometheus")
        });
        Self {
            process,
            url: format!("http://{address}"),
        }
    }

    /// What its API answers; `None` as long as it does not.
    async fn ask(&self, path: &str) -> Option<Value> {
        let client = awc::Client::default();
        let mut answer = client
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .ok()?;
        let answer: Value = answer.json().limit(1 << 20).await.ok()?;
        (answer["status"] == "success").then(|| answer["data"].clone())
    }

    /// The value of a query that has one.
    async fn value(&self, query: &str) -> Option<f64> {
        let query = query.replace('{', "%7B").replace('}', "%7D");
        let query = query.replace('"', "%22").replace(' ', "%20");
        let data = self.ask(&format!("/api/v1/query?query={query}")).await?;
        let [result] = &data["result"].as_array()?[..] else {
            return None;
        };
        result["value"][1].as_str()?.parse().ok()
    }

    async fn until(&self, query: &str, expected: f64) {
        eventually(&format!("{query} is {expected}"), || async {
            (self.value(query).await == Some(expected)).then_some(())
        })
        .await;
    }

    /// The states of alerts with this name.
    async fn alerts(&self, name: &str) -> Vec<String> {
        let data = self.ask("/api/v1/alerts").await.unwrap_or_default();
        let alerts = data["alerts"].as_array().into_iter().flatten();
        let alerts = alerts.filter(|alert| alert["labels"]["alertname"] == name);
        let states = alerts.map(|alert| alert["state"].as_str().unwrap().to_owned());
        states.collect()
    }
}

fn echo() -> Bot {
    Bot::new("echo").on_text(|text: Text| async move { text.into_inner() })
}

#[actix_rt::test]
#[ignore = "needs prometheus, of Debian's package prometheus"]
async fn prometheus_sees_what_is_so_and_its_rules_fire() {
    let sandbox = sandbox(|_| {});
    let token = NewToken::make().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let text = format!(
        "endpoint = \"{}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n\
         [[accounts]]\nuser_id = \"desk-{{1..{ACCOUNTS}}}\"\nbots = [\"echo\"]\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n\
         [[admin.tokens]]\nname = \"prometheus\"\nhash = \"{}\"\nscopes = [\"read\"]\n",
        sandbox.url(),
        token.config_hash()
    );
    fs::write(&path, text).unwrap();
    let fleet = Fleet::from_config(&path).bot(echo).start().await.unwrap();
    fleet.ready().await.unwrap();
    let target = fleet.admin_url().unwrap().strip_prefix("http://").unwrap();
    let prometheus = Prometheus::start(folder.path(), target, token.text());

    prometheus.until("up{job=\"botroupe\"}", 1.0).await;
    let accounts = ACCOUNTS as f64;
    prometheus
        .until("botroupe_accounts{state=\"online\"}", accounts)
        .await;
    prometheus.until("botroupe_online_share", 1.0).await;
    prometheus
        .until("botroupe_logins_total{kind=\"login\"}", accounts)
        .await;
    sandbox.say("alice", "desk-1", "hi").unwrap();
    prometheus
        .until("botroupe_messages_total{outcome=\"sent\"}", 1.0)
        .await;
    let series = prometheus.value("scrape_samples_scraped").await.unwrap();
    assert!((60.0..=200.0).contains(&series), "{series} series");
    let rules = prometheus.ask("/api/v1/rules").await.unwrap();
    let rules = rules["groups"][0]["rules"].as_array().unwrap().clone();
    assert!(rules.len() >= 10, "{rules:?}");
    for rule in &rules {
        assert_ne!(rule["health"], "err", "{rule}");
    }
    assert_eq!(prometheus.alerts("BotroupeKicked").await, [""; 0]);

    for number in 1..=ACCOUNTS {
        let account = format!("desk-{number}");
        sandbox.kick(&account, KickType::Rest).unwrap();
    }
    prometheus
        .until("botroupe_accounts{state=\"held\"}", accounts)
        .await;
    prometheus.until("botroupe_online_share", 0.0).await;
    eventually("the rule about kicks fires", || async {
        let states = prometheus.alerts("BotroupeKicked").await;
        (states == ["firing"]).then_some(())
    })
    .await;
    // Others wait for the time that they give the fleet.
    assert_eq!(prometheus.alerts("BotroupeShareLow").await, ["pending"]);
    assert_eq!(prometheus.alerts("BotroupeStoreDown").await, [""; 0]);

    fleet.stop().await.unwrap();
    prometheus.until("up{job=\"botroupe\"}", 0.0).await;
}
