//! Tests that messages sent during an account's outage reach its bots once and in order.

use crate::harness::{eventually, phase, sandbox, start, status};
use botroupe::account::Phase;
use botroupe::bot::Bots;
use botroupe::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Mutex;

static HEARD: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

async fn listen(text: Text, conversation: Conversation) {
    let mut heard = HEARD.lock().unwrap();
    let said = heard.entry(conversation.to_string()).or_default();
    said.push(text.into_inner());
}

fn listener_bots() -> Bots {
    Bots::new().with("listener", || Bot::new("listener").on_text(listen))
}

const GROUPS: usize = 20;
const PEERS: usize = 50;
const MESSAGES: usize = 1_000;

#[actix_rt::test]
async fn a_thousand_messages_missed_in_groups_and_chats_are_handed_out_once_and_in_order() {
    let sandbox = sandbox(|config| config.group_message_rate = 10_000);
    sandbox.import("bot").unwrap();
    for group in 0..GROUPS {
        let made = sandbox.administer(
            "group_open_http_svc/create_group",
            &json!({"Owner_Account": "alice", "Type": "Public", "Name": "G", "GroupId": format!("g{group}"),
                    "MemberList": [{"Member_Account": "bot"}]}),
        );
        assert_eq!(made["ErrorCode"], 0, "{made}");
    }
    let app = start(&sandbox.url(), &listener_bots(), &["bot"], "").await;
    phase(&app, "bot", Phase::Online).await;
    // The bot knows one group from before the outage, and does not know the others.
    sandbox.say_to_group("alice", "g0", "before").unwrap();
    eventually("the first message", || async {
        HEARD.lock().unwrap().contains_key("GROUPg0").then_some(())
    })
    .await;

    sandbox.stop_answering("bot", None).unwrap();
    sandbox.drop_link("bot").unwrap();
    let mut expected = BTreeMap::from([("GROUPg0".to_owned(), vec!["before".to_owned()])]);
    for n in 0..MESSAGES {
        let text = format!("message {n}");
        // Every second message goes to a group. The first group gets half of those, more than one
        // fetch returns.
        let place = if n % 2 == 0 {
            let group = if n % 4 == 0 { 0 } else { n / 4 % GROUPS };
            sandbox
                .say_to_group("alice", &format!("g{group}"), &text)
                .unwrap();
            format!("GROUPg{group}")
        } else {
            let peer = format!("peer-{}", n / 2 % PEERS);
            sandbox.say(&peer, "bot", &text).unwrap();
            format!("C2C{peer}")
        };
        expected.entry(place).or_default().push(text);
    }
    sandbox.resume_answering("bot").unwrap();
    phase(&app, "bot", Phase::Online).await;
    let count = || HEARD.lock().unwrap().values().map(Vec::len).sum::<usize>();
    eventually("all messages", || async {
        (count() > MESSAGES).then_some(())
    })
    .await;
    assert!(
        *HEARD.lock().unwrap() == expected,
        "out of order, or something else came"
    );
    assert_eq!(status(&app, "bot").await.counters.dropped, 0);

    // After another outage, no message arrives a second time.
    sandbox.drop_link("bot").unwrap();
    eventually("the link is lost", || async {
        (status(&app, "bot").await.counters.lost_links >= 2).then_some(())
    })
    .await;
    phase(&app, "bot", Phase::Online).await;
    sandbox.say_to_group("alice", "g19", "after").unwrap();
    eventually("the last message", || async {
        let heard = HEARD.lock().unwrap();
        (heard["GROUPg19"].last().unwrap() == "after").then_some(())
    })
    .await;
    assert_eq!(count(), MESSAGES + 2);
    app.stop().await;
}
