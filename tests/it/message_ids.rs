//! Tests of acting on messages later, by their IDs, over real sockets.

use crate::harness::{phase, sandbox, start};
use botroupe::account::Phase;
use botroupe::bot::{ApiError, Bots, MessageId};
use botroupe::prelude::*;

fn silent() -> Bots {
    Bots::new().with("echo", || Bot::new("echo"))
}

/// The ID as a store gives it back.
fn kept(message: &Message) -> MessageId {
    let json = serde_json::to_string(&message.id()).unwrap();
    serde_json::from_str(&json).unwrap()
}

async fn newest(api: &Api, of: &Conversation) -> Message {
    let mut history = api.conversation(of.clone()).history(1).await.unwrap();
    history.pop().unwrap()
}

#[actix_rt::test]
async fn a_message_is_edited_reacted_to_and_recalled_by_its_id() {
    let sandbox = sandbox(|_| {});
    let app = start(&sandbox.url(), &silent(), &["bob", "alice"], "").await;
    for user in ["bob", "alice"] {
        phase(&app, user, Phase::Online).await;
    }
    let (bob, alice) = (app.api("bob").unwrap(), app.api("alice").unwrap());
    let group = NewGroup::public("G").id("g").members(["alice"]);
    bob.create_group(group).await.unwrap();
    for (to, hers) in [
        (Conversation::c2c("alice"), Conversation::c2c("bob")),
        (Conversation::group("g"), Conversation::group("g")),
    ] {
        let said = bob.say(to.clone(), "one").await.unwrap();
        let id = kept(&said);
        // Twice by new handles, which know no version.
        for text in ["two", "three"] {
            bob.message(&id).edit(text).await.unwrap();
            assert_eq!(newest(&bob, &to).await.text(), Some(text));
        }
        // The message as it was said is an old version, and overwrites the new one only when told again.
        let old = bob.message(&said);
        let conflict = old.edit("four").await.unwrap_err();
        assert!(matches!(conflict, ApiError::Conflict(now) if now.version == 2));
        assert_eq!(newest(&bob, &to).await.text(), Some("three"));
        assert_eq!(old.edit("five").await.unwrap().version, 3);
        assert_eq!(old.edit("six").await.unwrap().version, 4);
        // She sees it under an ID of her own.
        let heard = newest(&alice, &hers).await;
        assert_eq!(heard.text(), Some("six"));
        alice.message(kept(&heard)).react("[wave]").await.unwrap();
        assert_eq!(bob.message(&id).reacted("[wave]").await.unwrap(), ["alice"]);
        assert_eq!(kept(&heard) == id, to.is_group());
        bob.message(&id).recall().await.unwrap();
        assert!(newest(&alice, &hers).await.recalled);
    }
    app.stop().await;
}
