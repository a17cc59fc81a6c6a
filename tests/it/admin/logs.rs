//! The log over the API.

use super::events::{Events, described, schema};
use super::schema::mistakes;
use super::{Server, server};
use botroupe::admin::types::LogLine;
use botroupe::config::LogLevel;
use serde_json::{Map, Value, json};

pub(super) fn put(server: &Server, level: LogLevel, account: Option<&str>, message: &str) {
    let line = LogLine {
        ts: "2026-11-29T12:00:00.000000Z".to_owned(),
        level: level.name().to_uppercase(),
        target: "botroupe::account".to_owned(),
        message: message.to_owned(),
        account: account.map(str::to_owned),
        fields: Map::from_iter([("bot".to_owned(), json!("echo"))]),
    };
    server.tail.put(level, &line);
}

/// Follows the log.
macro_rules! follow {
    ($server:expr, $query:expr, $token:expr, $last:expr) => {{
        let url = format!("{}/api/v1/logs/stream{}", $server.url(), $query);
        let mut request = awc::Client::default().get(url).bearer_auth($token);
        let last: Option<&str> = $last;
        if let Some(last) = last {
            request = request.insert_header(("Last-Event-ID", last));
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut events = Events::of(answer);
        let hello = events.next().await;
        assert_eq!(hello.name, "hello");
        let wrong = mistakes(&described(), &schema("HelloLog"), &hello.data);
        assert!(wrong.is_empty(), "{wrong:#?}");
        events
    }};
}

fn words(page: &Value) -> Vec<&str> {
    let lines = page["lines"].as_array().unwrap().iter();
    lines.filter_map(|line| line["message"].as_str()).collect()
}

#[actix_rt::test]
async fn the_log_of_an_account_is_followed_and_a_token_hears_of_its_accounts_only() {
    let server = server("").await;
    put(&server, LogLevel::Info, Some("support-1"), "one");
    put(&server, LogLevel::Info, Some("echo-bot"), "of another");
    put(&server, LogLevel::Debug, Some("support-1"), "two");
    put(&server, LogLevel::Warn, None, "of nobody");

    let mut events = follow!(server, "?account=support-1&level=info", &server.token, None);
    let mut shop = follow!(server, "", &server.tokens["shop"], None);
    let first = events.next().await;
    assert_eq!(
        (&*first.name, &first.data["message"]),
        ("line", &json!("one"))
    );
    let wrong = mistakes(&described(), &schema("LogLine"), &first.data);
    assert!(wrong.is_empty(), "{wrong:#?}");
    put(&server, LogLevel::Error, Some("support-2"), "of a third");
    put(&server, LogLevel::Error, Some("support-1"), "three");
    assert_eq!(events.next().await.data["message"], "three");
    for expected in ["one", "two", "of a third", "three"] {
        assert_eq!(shop.next().await.data["message"], expected);
    }

    let id = first.id.unwrap();
    let mut again = follow!(server, "?account=support-1", &server.token, Some(&id));
    assert_eq!(again.next().await.data["message"], "two");
    assert_eq!(again.next().await.data["message"], "three");

    let all = server.get("/api/v1/logs?last=3").await.json();
    assert_eq!(words(&all), ["of nobody", "of a third", "three"]);
    let shop = Some(&*server.tokens["shop"]);
    let own = server.ask("GET", "/api/v1/logs", None, shop, &[]).await;
    assert_eq!(words(&own.json()), ["one", "two", "of a third", "three"]);
    assert_eq!(server.get("/api/v1/logs?last=1001").await.status, 422);
    server.end().await;
}

#[actix_rt::test]
async fn the_log_waits_for_no_reader_who_is_told_how_many_lines_are_lost() {
    let server = server("").await;
    let mut slow = follow!(server, "?account=support-1", &server.token, None);
    const MANY: u64 = 60_000;
    for n in 0..MANY {
        put(&server, LogLevel::Info, Some("support-1"), &n.to_string());
    }
    let (mut told, mut missed) = (0, 0);
    while told + missed < MANY {
        let event = slow.next().await;
        match &*event.name {
            "missed" => missed += event.data["missed"].as_u64().unwrap(),
            _ => told += 1,
        }
    }
    assert_eq!(told + missed, MANY, "each was told or counted");
    assert!(
        missed > MANY / 4 && told >= 1000,
        "{told} told, {missed} lost"
    );
    let mut more = Vec::new();
    for _ in 1..16 {
        more.push(follow!(server, "", &server.token, None));
    }
    let refused = server.get("/api/v1/logs/stream").await;
    assert_eq!(refused.status, 429);
    server.end().await;
}

#[actix_rt::test]
async fn levels_are_changed_by_those_who_may_and_seen_by_those_whose_accounts_they_are() {
    let server = server("").await;
    let levels = "/api/v1/logs/levels";
    let set = async |token: &str, body: Value| {
        let token = Some(&*server.tokens[token]);
        server
            .ask("PUT", levels, Some(body), token, &[])
            .await
            .status
    };
    let account = |name: &str| json!({"account": name, "level": "debug", "for": "10m"});
    for (token, body, status) in [
        ("reader", account("support-1"), 403),
        ("shop", account("echo-bot"), 404),
        // It stands for accounts that are none of theirs.
        ("shop", account("s*"), 404),
        ("shop", account("support-*"), 200),
        ("operator", account("echo-bot"), 200),
        ("operator", json!({"level": "trace"}), 403),
        (
            "operator",
            json!({"module": "store", "level": "trace"}),
            403,
        ),
        ("all", json!({"module": "store", "level": "trace"}), 200),
        ("all", json!({"level": "debug"}), 200),
    ] {
        assert_eq!(set(token, body.clone()).await, status, "{token} {body}");
    }
    let all = server.get(levels).await.json();
    assert_eq!(
        all["accounts"],
        json!({"echo-bot": "debug", "support-*": "debug"})
    );
    assert_eq!(all["temporary"].as_array().unwrap().len(), 4);
    let shop = Some(&*server.tokens["shop"]);
    let own = server.ask("GET", levels, None, shop, &[]).await.json();
    assert_eq!(own["accounts"], json!({"support-*": "debug"}));
    assert!(!own.to_string().contains("echo-bot"), "{own}");
    server.end().await;
}
