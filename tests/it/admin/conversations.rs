//! The conversations of an account over the API.

use super::server;
use crate::harness;
use botroupe::prelude::Conversation;
use serde_json::{Value, json};

#[actix_rt::test]
async fn conversations_tell_what_is_unread_what_waits_and_what_failed() {
    let server = server("").await;
    let path = "/api/v1/accounts/support-1/conversations";
    let empty = server.get(path).await.json();
    assert_eq!(
        (&empty["total"], &empty["unknown"]),
        (&json!(0), &Value::Null)
    );
    // Nobody of them runs a bot that would read it.
    let bots = "/api/v1/accounts/support-1/bots";
    assert_eq!(
        server
            .send("PUT", bots, json!({"bots": ["signup"]}))
            .await
            .status,
        200
    );
    let sandbox = server.app.sandbox().unwrap();
    sandbox.say("alice", "support-1", "hello").unwrap();
    let api = server.app.api("support-1").unwrap();
    assert!(api.send(Conversation::group("none"), "hi").await.is_err());
    let of = |told: &Value, with: Value| {
        let all = told["conversations"].as_array().unwrap();
        all.iter().find(|it| it["with"] == with).cloned()
    };
    let told = harness::eventually("a dialogue waits", || async {
        let told = server.get(path).await.json();
        let alice = of(&told, json!({"user": "alice"}))?;
        (alice["dialogues"] == 1 && alice["unread"] == 0).then_some(told)
    })
    .await;
    let group = of(&told, json!({"group": "none"})).unwrap();
    assert_eq!(
        (&group["failed"], &group["last"]),
        (&json!(1), &Value::Null)
    );
    assert!(of(&told, json!({"user": "alice"})).unwrap()["last"].is_u64());

    assert_eq!(server.order("support-1", "hold").await.status, 200);
    sandbox.say("bob", "support-1", "hello").unwrap();
    harness::eventually("it is away", || async {
        let told = server.get(path).await.json();
        (told["unknown"] == "support-1 is not online").then_some(())
    })
    .await;
    let shop = Some(&*server.tokens["shop"]);
    let other = "/api/v1/accounts/echo-bot/conversations";
    assert_eq!(server.ask("GET", other, None, shop, &[]).await.status, 404);
    server.end().await;
}
