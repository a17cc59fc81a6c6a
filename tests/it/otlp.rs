//! Traces of messages, as a collector gets them.

use crate::harness::{config, eventually, phase, said, sandbox, start};
use crate::sink::Sink;
use botroupe::account::Phase;
use botroupe::app::App;
use botroupe::bot::Bots;
use botroupe::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What somebody says. It must not be in a trace.
const SECRET_TEXT: &str = "marker-of-a-text";

/// A span, with its attributes by name.
#[derive(Debug)]
struct Span {
    trace: String,
    id: String,
    parent: String,
    name: String,
    kind: u64,
    times: (u128, u128),
    attributes: BTreeMap<String, String>,
    failed: bool,
    links: Vec<String>,
}

impl Span {
    fn read(span: &Value) -> Self {
        let text = |key: &str| span[key].as_str().unwrap_or_default().to_owned();
        let attributes = span["attributes"].as_array().unwrap().iter();
        let attributes = attributes.map(|attribute| {
            let value = &attribute["value"];
            let value = value["stringValue"].as_str().or(value["intValue"].as_str());
            let key = attribute["key"].as_str().unwrap();
            (key.to_owned(), value.unwrap().to_owned())
        });
        let links = span["links"].as_array().into_iter().flatten();
        Self {
            trace: text("traceId"),
            id: text("spanId"),
            parent: text("parentSpanId"),
            name: text("name"),
            kind: span["kind"].as_u64().unwrap(),
            times: (
                text("startTimeUnixNano").parse().unwrap(),
                text("endTimeUnixNano").parse().unwrap(),
            ),
            attributes: attributes.collect(),
            failed: span["status"]["code"] == 2,
            links: links
                .map(|link| link["traceId"].as_str().unwrap().to_owned())
                .collect(),
        }
    }

    #[track_caller]
    fn says(&self, expected: &[(&str, &str)]) {
        for (key, value) in expected {
            let found = self.attributes.get(*key).map(String::as_str);
            assert_eq!(found, Some(*value), "{key} of {self:?}");
        }
    }
}

/// The spans of requests, until there are so many.
fn spans(sink: &Sink, count: usize) -> Vec<Span> {
    let mut spans = Vec::new();
    while spans.len() < count {
        let got = sink.next();
        assert_eq!(got.path, "/v1/traces");
        assert_eq!(got.headers["content-type"], "application/json");
        assert_eq!(got.headers["authorization"], "Bearer of-the-collector");
        assert!(!got.body.contains(SECRET_TEXT), "{}", got.body);
        assert!(!got.body.contains("of-the-collector"), "{}", got.body);
        let body = got.json();
        let about = &body["resourceSpans"][0];
        let service = &about["resource"]["attributes"][0];
        assert_eq!(service["value"]["stringValue"], "shop");
        let all = about["scopeSpans"][0]["spans"].as_array().unwrap();
        spans.extend(all.iter().map(Span::read));
    }
    spans
}

fn traces(sink: &Sink, more: &str) -> String {
    format!(
        "[traces]\nendpoint = \"{}\"\nsample = 1\nservice = \"shop\"\n{more}\n\
         headers = {{ Authorization = \"Bearer of-the-collector\" }}\n",
        sink.url
    )
}

fn one<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut found = spans.iter().filter(|span| span.name == name);
    let one = found
        .next()
        .unwrap_or_else(|| panic!("no {name}: {spans:#?}"));
    assert!(found.next().is_none(), "{spans:#?}");
    one
}

async fn answer(text: Text) -> String {
    text.into_inner()
}

fn echo() -> Bots {
    Bots::new().with("echo", || Bot::new("echo").on_text(answer))
}

/// With a store on disk the answer goes over the ledger; without one it does not.
async fn one_trace(more: &str) {
    let (sandbox, sink) = (sandbox(|_| {}), Sink::new());
    let more = format!("{}{more}", traces(&sink, ""));
    let app = start(&sandbox.url(), &echo(), &["bot"], &more).await;
    phase(&app, "bot", Phase::Online).await;
    sandbox.say("alice", "bot", SECRET_TEXT).unwrap();
    let spans = spans(&sink, 4);
    assert_eq!(spans.len(), 4, "{spans:#?}");
    let [receive, queue, process, send] =
        ["receive", "queue", "process echo", "send"].map(|name| one(&spans, name));
    assert_eq!(receive.parent, "");
    assert_eq!([&queue.parent, &process.parent], [&receive.id, &receive.id]);
    assert_eq!(send.parent, process.id);
    assert_eq!((receive.trace.len(), receive.id.len()), (32, 16));
    for span in &spans {
        assert_eq!(span.trace, receive.trace);
        assert!(span.times.0 <= span.times.1, "{span:?}");
        assert!(!span.failed && span.links.is_empty(), "{span:?}");
        span.says(&[
            ("messaging.system", "tencent_im"),
            ("botroupe.account", "bot"),
        ]);
        let shown = format!("{span:?}");
        assert!(!shown.contains("alice"), "a user is named: {shown}");
    }
    assert_eq!(
        [receive, queue, process, send].map(|span| span.kind),
        [3, 1, 5, 4]
    );
    // What happens later begins later, each but for the time that was spent before on the way.
    assert!(receive.times.0 <= queue.times.0 && queue.times.1 <= process.times.0);
    assert!(process.times.1 <= send.times.1, "{spans:#?}");
    let [item, reply] = &sandbox.history("alice", "bot")[..] else {
        panic!("a message and an answer");
    };
    let id = |item: &botroupe::sandbox::HistoryItem| {
        format!("{}_{}_{}", item.seq, item.random, item.time)
    };
    receive.says(&[
        ("messaging.operation.type", "receive"),
        ("messaging.destination.name", "bot"),
        ("messaging.message.id", &id(item)),
    ]);
    process.says(&[
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", "bot"),
        ("messaging.message.id", &id(item)),
        ("botroupe.bot", "echo"),
    ]);
    assert!(process.attributes["botroupe.handler"].contains("answer"));
    send.says(&[
        ("messaging.operation.type", "send"),
        ("messaging.destination.template", "user"),
        ("messaging.message.id", &id(reply)),
        ("botroupe.bot", "echo"),
    ]);
    eventually("the answer of the collector is counted", || async {
        let counts = app.controller().traces().unwrap();
        assert_eq!(counts.dropped, 0);
        (counts.sent == 4).then_some(())
    })
    .await;
    app.stop().await;
}

#[actix_rt::test]
async fn a_message_is_one_trace_from_its_frame_to_the_answer_over_the_ledger() {
    one_trace("").await;
}

#[actix_rt::test]
async fn without_a_store_it_is_the_same_trace() {
    one_trace("[store]\npath = \":memory:\"\n").await;
}

#[actix_rt::test]
async fn what_a_handler_sends_itself_and_how_it_fails_is_in_its_trace_with_users_if_asked_for() {
    async fn tell(api: Api) -> Result<(), ApiError> {
        api.send_text("bob", "psst").await?;
        api.send(Conversation::group("no-group"), "psst").await?;
        Ok(())
    }
    let (sandbox, sink) = (sandbox(|_| {}), Sink::new());
    sandbox.import("bob").unwrap();
    let bots = Bots::new().with("teller", || Bot::new("teller").on_text(tell));
    let more = traces(&sink, "users = true");
    let app = start(&sandbox.url(), &bots, &["bot"], &more).await;
    phase(&app, "bot", Phase::Online).await;
    sandbox.say("alice", "bot", SECRET_TEXT).unwrap();
    // It apologises as well.
    let spans = spans(&sink, 6);
    let process = one(&spans, "process teller");
    assert!(process.failed);
    process.says(&[
        ("error.type", "error"),
        ("botroupe.sender", "alice"),
        ("messaging.message.conversation_id", "C2Calice"),
    ]);
    let sends: Vec<&Span> = spans.iter().filter(|span| span.name == "send").collect();
    for send in &sends {
        assert_eq!(send.parent, process.id);
    }
    let to = |name: &str| {
        let found = sends
            .iter()
            .find(|send| send.attributes["messaging.destination.name"] == name);
        *found.unwrap_or_else(|| panic!("nothing to {name}: {sends:#?}"))
    };
    assert!(!to("bob").failed && !to("alice").failed);
    assert!(to("no-group").failed);
    to("no-group").says(&[
        ("error.type", "10010"),
        ("messaging.destination.template", "group"),
    ]);
    app.stop().await;
}

#[actix_rt::test]
async fn a_dead_collector_costs_spans_and_no_message() {
    let sandbox = sandbox(|_| {});
    // It takes connections and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let more = format!(
        "[traces]\nendpoint = \"http://{}\"\nsample = 1\n\
         [[accounts]]\nuser_id = \"bot\"\nbots = [\"echo\"]\n",
        silent.local_addr().unwrap()
    );
    let bots = echo();
    let app = App::start(&config(&sandbox.url(), &bots, &more), &bots, None).await;
    let app = app.unwrap();
    phase(&app, "bot", Phase::Online).await;
    let people = 20;
    let mut dropped = 0;
    // More spans than wait for the collector.
    for round in 0..70 {
        for person in 0..people {
            let text = format!("{round} of {person}");
            sandbox
                .say(&format!("user-{person}"), "bot", &text)
                .unwrap();
        }
        let answers = round + 1;
        eventually("everybody is answered", || async {
            let of = |person| said(&sandbox, "bot", &format!("user-{person}")).len();
            (0..people)
                .all(|person| of(person) >= answers)
                .then_some(())
        })
        .await;
        dropped = app.controller().traces().unwrap().dropped;
        if dropped > 0 {
            break;
        }
    }
    assert!(dropped > 0, "nothing was dropped");
    assert_eq!(app.controller().traces().unwrap().sent, 0);
    let before = tokio::time::Instant::now();
    assert!(app.stop().await.logged_out);
    assert!(before.elapsed() < Duration::from_secs(30));
}

#[actix_rt::test]
async fn no_message_is_traced_that_is_not_drawn() {
    let (sandbox, sink) = (sandbox(|_| {}), Sink::new());
    let more = traces(&sink, "").replace("sample = 1", "sample = 0");
    let app = start(&sandbox.url(), &echo(), &["bot"], &more).await;
    phase(&app, "bot", Phase::Online).await;
    sandbox.say("alice", "bot", "hi").unwrap();
    eventually("an answer", || async {
        (said(&sandbox, "bot", "alice").len() == 1).then_some(())
    })
    .await;
    // It sends what there is.
    app.stop().await;
    assert!(sink.rest().is_empty());
}
