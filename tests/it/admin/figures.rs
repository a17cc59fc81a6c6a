//! What `/metrics` says is what is so.

use super::server;
use crate::harness;
use serde_json::json;
use std::collections::BTreeSet;

/// The value of a series.
fn value(text: &str, series: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("no {series}: {text}"));
    line.parse().unwrap()
}

/// Names in rules and dashboards.
fn names_in(file: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names = words.filter(|word| word.starts_with("botroupe_"));
    names.map(str::to_owned).collect()
}

#[actix_rt::test]
async fn what_rules_and_dashboards_ask_for_is_there() {
    let server = server("").await;
    let text = server.get("/metrics").await.text;
    for file in ["prometheus/botroupe.rules.yml", "grafana/botroupe.json"] {
        let file = format!("{}/packaging/{file}", env!("CARGO_MANIFEST_DIR"));
        let names = names_in(&file);
        assert!(!names.is_empty(), "{file}");
        for name in names {
            let is_there = text.contains(&format!("# TYPE {name} "));
            assert!(is_there, "{file} asks for {name}");
        }
    }
    server.end().await;
}

#[actix_rt::test]
async fn the_figures_are_true_few_and_name_no_account() {
    let server = server("ready_share = 0.7").await;
    let told = server.get("/metrics").await;
    let kind = told.headers.get("content-type").unwrap().to_str().unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let text = told.text;
    let series: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(
        (60..=200).contains(&series.len()),
        "{}: {text}",
        series.len()
    );
    for line in &series {
        let name = line.split(['{', ' ']).next().unwrap();
        assert!(
            name.starts_with("botroupe_") || name.starts_with("process_"),
            "{line}"
        );
        assert!(
            !line.contains("echo-bot") && !line.contains("support"),
            "{line}"
        );
        let kind = format!("# TYPE {name} ");
        let kind = text.lines().find_map(|line| line.strip_prefix(&*kind));
        let kind = kind.unwrap_or_else(|| panic!("{name} has no type"));
        assert_eq!(
            kind == "counter",
            name.ends_with("_total"),
            "{name} is a {kind}"
        );
    }
    assert_eq!(value(&text, "botroupe_accounts{state=\"online\"}"), 4.0);
    assert_eq!(value(&text, "botroupe_online_share"), 1.0);
    assert_eq!(value(&text, "botroupe_supervisor_up"), 1.0);
    assert_eq!(value(&text, "botroupe_logins_total{kind=\"login\"}"), 4.0);

    let message = json!({"to": {"user": "echo-bot"}, "text": "one"});
    let sent = server
        .send("POST", "/api/v1/accounts/support-1/messages", message)
        .await;
    assert_eq!(sent.status, 200);
    harness::eventually("it is answered and counted", || async {
        let text = server.get("/metrics").await.text;
        let count = |outcome: &str| {
            value(
                &text,
                &format!("botroupe_messages_total{{outcome=\"{outcome}\"}}"),
            )
        };
        // Accounts of a fleet do not answer each other.
        (count("sent") == 1.0 && count("received") == 1.0).then_some(())
    })
    .await;
    server
        .app
        .sandbox()
        .unwrap()
        .kick("support-2", botroupe::sandbox::KickType::Rest)
        .unwrap();
    harness::eventually("the kick is counted", || async {
        let text = server.get("/metrics").await.text;
        let kicks = value(&text, "botroupe_kicks_total{kind=\"REST_API_Kick\"}");
        let away = value(&text, "botroupe_accounts_away{cause=\"REST_API_Kick\"}");
        (kicks == 1.0 && away == 1.0 && value(&text, "botroupe_online_share") == 0.75).then_some(())
    })
    .await;
    assert_eq!(
        server.get("/readyz").await.status,
        200,
        "three of four are enough"
    );
    assert_eq!(server.order("support-1", "hold").await.status, 200);
    harness::eventually("half of them are not", || async {
        (server.get("/readyz").await.status == 503).then_some(())
    })
    .await;
    assert_eq!(server.get("/healthz").await.status, 200);
    server.end().await;
}
