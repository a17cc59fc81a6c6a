//! The stream of changes.

use super::schema::mistakes;
use super::server;
use botroupe::account::Changed;
use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;

/// Reads events from a stream.
pub(super) struct Events<S> {
    body: S,
    text: String,
}

pub(super) struct Event {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) data: Value,
}

impl<S, E: std::fmt::Debug> Events<S>
where
    S: Stream<Item = Result<actix_web::web::Bytes, E>> + Unpin,
{
    pub(super) fn of(body: S) -> Self {
        Self {
            body,
            text: String::new(),
        }
    }

    pub(super) async fn next(&mut self) -> Event {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = event.lines();
                    lines.find_map(|line| Some(line.strip_prefix(name)?.to_owned()))
                };
                let event = Event {
                    id: field("id: "),
                    name: field("event: ").unwrap_or_default(),
                    data: field("data: ")
                        .map(|data| serde_json::from_str(&data).unwrap())
                        .unwrap_or_default(),
                };
                self.text = rest.to_owned();
                if !event.name.is_empty() {
                    return event;
                }
                continue;
            }
            let piece = tokio::time::timeout(Duration::from_secs(60), self.body.next());
            let piece = piece.await.unwrap().unwrap().unwrap();
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    /// The next change of an account.
    async fn change(&mut self, account: &str) -> Event {
        loop {
            let event = self.next().await;
            assert_eq!(event.name, "change");
            if event.data["account"]["account"] == account {
                return event;
            }
        }
    }
}

/// Follows the changes of a running server.
macro_rules! follow {
    ($server:expr, $query:expr, $token:expr, $last:expr) => {{
        let url = format!("{}/api/v1/events{}", $server.url(), $query);
        let request = awc::Client::default().get(url).bearer_auth($token);
        let last: Option<&str> = $last;
        let request = match last {
            Some(last) => request.insert_header(("Last-Event-ID", last)),
            None => request,
        };
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(
            answer.headers().get("content-type").unwrap(),
            "text/event-stream"
        );
        let mut events = Events::of(answer);
        let hello = events.next().await;
        assert_eq!(hello.name, "hello");
        let wrong = mistakes(&described(), &schema("Hello"), &hello.data);
        assert!(wrong.is_empty(), "{wrong:#?}");
        events
    }};
}

pub(super) fn described() -> Value {
    serde_json::to_value(botroupe::admin::describe()).unwrap()
}

pub(super) fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

#[actix_rt::test]
async fn every_change_is_told_and_a_stream_goes_on_where_one_ended() {
    let server = server("").await;
    let mut events = follow!(server, "", &server.token, None);
    let mut shop = follow!(server, "?match=*-2", &server.tokens["shop"], None);

    assert_eq!(server.order("echo-bot", "hold").await.status, 200);
    let mut last = events.change("echo-bot").await;
    while last.data["went_online"] != false {
        last = events.change("echo-bot").await;
    }
    let wrong = mistakes(&described(), &schema("Change"), &last.data);
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(last.data["account"]["cause"], "ordered");

    assert_eq!(server.order("support-1", "hold").await.status, 200);
    assert_eq!(server.order("support-2", "hold").await.status, 200);
    let first = shop.next().await;
    let account = &first.data["account"]["account"];
    assert_eq!(
        account, "support-2",
        "those of others are not told, nor others of the pattern"
    );

    let id = last.id.unwrap();
    let mut again = follow!(server, "", &server.token, Some(&id));
    let next = again.next().await;
    assert_eq!(
        next.data["seq"].as_u64(),
        last.data["seq"].as_u64().map(|seq| seq + 1)
    );
    let mut fresh = follow!(server, "", &server.token, Some("123-1"));
    assert_eq!(server.order("echo-bot", "resume").await.status, 200);
    let event = fresh.change("echo-bot").await;
    assert!(event.data["seq"].as_u64() > next.data["seq"].as_u64());
    let figures = server.get("/metrics").await.text;
    assert!(
        figures.contains("botroupe_admin_followers 4.0\n"),
        "{figures}"
    );
    server.end().await;
}

#[actix_rt::test]
async fn nobody_waits_for_a_slow_reader_who_is_told_how_many_it_missed() {
    let server = server("").await;
    let mut slow = follow!(server, "", &server.token, None);
    let status = Box::new(crate::harness::status(&server.app, "echo-bot").await);
    // Far more than the ring and every buffer on the way hold.
    const MANY: u64 = 40_000;
    let before = server.get("/metrics").await.text;
    for _ in 0..MANY {
        let status = status.clone();
        server.feed.tell(&Changed {
            status,
            online: None,
        });
    }
    let (mut told, mut missed, mut last) = (0, 0, 0);
    while told + missed < MANY {
        let event = slow.next().await;
        if event.name == "missed" {
            let wrong = mistakes(&described(), &schema("Missed"), &event.data);
            assert!(wrong.is_empty(), "{wrong:#?}");
            missed += event.data["missed"].as_u64().unwrap();
            last += event.data["missed"].as_u64().unwrap();
        } else {
            let seq = event.data["seq"].as_u64().unwrap();
            assert!(last == 0 || seq == last + 1, "{seq} comes after {last}");
            (told, last) = (told + 1, seq);
        }
    }
    assert_eq!(told + missed, MANY, "each was told or counted as missed");
    assert!(
        missed > MANY / 4 && told >= 8192,
        "{told} told, {missed} missed"
    );
    let after = server.get("/metrics").await.text;
    let line = format!("botroupe_admin_changes_missed_total {missed}.0\n");
    assert!(!before.contains(&line) && after.contains(&line), "{after}");
    server.end().await;
}
