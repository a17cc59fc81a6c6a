//! Tests that the accounts of one program share the rate limits of a group.

use crate::harness::{phase, sandbox, start, status};
use actix_rt::spawn;
use botroupe::account::Phase;
use botroupe::bot::{Api, Bot, Bots};
use botroupe::proto::message::Conversation;
use serde_json::{Value, json};

fn silent_bots() -> Bots {
    Bots::new().with("silent", || Bot::new("silent"))
}

#[actix_rt::test]
async fn a_group_with_several_accounts_in_it_is_not_written_to_too_quickly() {
    const EACH: usize = 30;
    let users = ["one", "two", "three", "four"];
    let sandbox = sandbox(|_| ());
    let members: Vec<Value> = users
        .iter()
        .map(|user| json!({"Member_Account": user}))
        .collect();
    for user in users {
        sandbox.import(user).unwrap();
    }
    let group = json!({"Owner_Account": "alice", "Type": "Public", "Name": "G", "GroupId": "g",
                       "MemberList": members});
    let made = sandbox.administer("group_open_http_svc/create_group", &group);
    assert_eq!(made["ErrorCode"], 0, "{made}");
    let app = start(&sandbox.url(), &silent_bots(), &users, "").await;
    let mut sends = Vec::new();
    for user in users {
        phase(&app, user, Phase::Online).await;
        for n in 0..EACH {
            let api = Api::new(app.account(user).unwrap());
            sends.push(spawn(async move {
                let to = Conversation::group("g");
                api.send(to, format!("{n}").as_str()).await
            }));
        }
    }
    for send in sends {
        send.await.unwrap().unwrap();
    }
    assert_eq!(sandbox.status().counters.group_throttled, 0);
    let texts = |user: &str| -> Vec<String> {
        let said = sandbox.group_history("g").into_iter();
        said.filter(|item| item.from == user)
            .map(|item| {
                let body: Value = serde_json::from_str(&item.body).unwrap();
                let text = body[0]["MsgContent"]["Text"].as_str();
                text.unwrap_or_default().to_owned()
            })
            .collect()
    };
    let mut paced = 0;
    for user in users {
        let all: Vec<String> = (0..EACH).map(|n| n.to_string()).collect();
        assert_eq!(texts(user), all, "all of {user}, in order");
        paced += status(&app, user).await.counters.paced;
    }
    assert!(paced > 0, "they had to wait, and it shows");
    app.stop().await;
}
