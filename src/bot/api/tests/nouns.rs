//! What the handles of messages, users, groups and conversations do with IDs and versions.

use super::{bot, from_alice, in_group};
use crate::bot::api::{ApiError, Kind};
use crate::bot::testing::TestBot;
use crate::proto::id::{GroupId, IdError, UserId};
use crate::proto::message::{Conversation, GroupItem, Message, MessageId};
use serde_json::{Value, json};

const EDIT: &str = "openim.modify_c2c_msg";

fn versions(bot: &TestBot) -> Vec<Value> {
    let calls = bot.calls().into_iter();
    calls.map(|(_, body)| body["MsgVersion"].clone()).collect()
}

#[actix_rt::test]
async fn an_edit_follows_the_version_of_its_message() {
    let bot = bot();
    let api = bot.api();
    let said = api.say(Conversation::c2c("alice"), "a").await.unwrap();
    let handle = api.message(&said);
    // The second answer does not say its version.
    for answer in [
        json!({"MsgVersion": 1}),
        json!({}),
        json!({"MsgVersion": 7}),
    ] {
        bot.answer(EDIT, &answer);
        handle.edit("b").await.unwrap();
    }
    assert_eq!(versions(&bot), [0, 1, 2]);
    let mut known = from_alice("x");
    known.version = 4;
    bot.answer(EDIT, &json!({"MsgVersion": 5}));
    api.message(&known).edit("y").await.unwrap();
    assert_eq!(versions(&bot), [4]);
}

#[actix_rt::test]
async fn a_message_is_named_by_its_id_as_by_itself() {
    let bot = bot();
    let api = bot.api();
    let said = api.say(Conversation::c2c("alice"), "a").await.unwrap();
    let in_group = in_group(3);
    for message in [&said, &from_alice("x"), &in_group] {
        let kept = serde_json::to_string(&message.id()).unwrap();
        let kept: MessageId = serde_json::from_str(&kept).unwrap();
        for handle in [api.message(message), api.message(kept)] {
            assert_eq!(handle.id(), &message.id());
            // Without an answer they fail, and are recorded.
            let _ = handle.recall().await;
            let _ = handle.react("[wave]").await;
            let _ = handle.unreact("[wave]").await;
            let _ = handle.reactions().await;
            let _ = handle.reacted("[wave]").await;
            let _ = handle.extensions().await;
            let _ = handle.clear_extensions().await;
            let _ = handle.mark_read().await;
            let _ = handle.delete().await;
            let _ = handle.readers().await;
            let _ = handle.pin().await;
        }
        let calls = bot.calls();
        let (by_message, by_id) = calls.split_at(calls.len() / 2);
        assert_eq!(by_message, by_id);
        let expected = match (message.conversation.is_group(), message.is_own) {
            (true, _) => 11,
            // Nobody recalls what somebody else said, and there are no pins and readers.
            (false, is_own) => 8 + usize::from(is_own),
        };
        assert_eq!(by_message.len(), expected, "{by_message:?}");
    }
}

#[actix_rt::test]
async fn receipts_by_id_are_sent_to_the_other_side_only() {
    let bot = bot();
    let api = bot.api();
    let said = api.say(Conversation::c2c("alice"), "a").await.unwrap();
    api.message(said.id()).send_receipt().await.unwrap();
    assert!(bot.calls().is_empty(), "it is the bot's own");
    bot.answer("openim.c2c_msg_read_receipt", &json!({}));
    let heard = from_alice("x").id();
    api.message(&heard).send_receipt().await.unwrap();
    assert_eq!(bot.calls()[0].1["Peer_Account"], "alice");
}

#[actix_rt::test]
async fn what_cannot_be_an_id_is_refused_when_it_is_used() {
    let bot = bot();
    let api = bot.api();
    let space = IdError::Character {
        character: ' ',
        at: 3,
    };
    for (user, why) in [
        (String::new(), IdError::Empty),
        ("bob and alice".to_owned(), space.clone()),
        ("x".repeat(33), IdError::TooLong { bytes: 33 }),
    ] {
        let bad = api.user(&user);
        let group = api.group("g");
        let refused = [
            bad.profile().await.map(drop),
            bad.send("x").await.map(drop),
            bad.say("x").await.map(drop),
            bad.typing(true).await,
            bad.history(1).await.map(drop),
            bad.block().await,
            bad.set_remark("x").await,
            bad.conversation().pin().await,
            api.block(["alice", &user]).await,
            api.send_text(&user, "x").await.map(drop),
            group.kick([&user], "").await,
            group.mute(&user, std::time::Duration::ZERO).await,
        ];
        for refused in refused {
            let refused = refused.unwrap_err();
            assert_eq!(refused, ApiError::Id(why.clone()));
            assert_eq!(refused.kind(), Kind::BadInput);
        }
    }
    let space = IdError::GroupCharacter {
        character: ' ',
        at: 3,
    };
    for (group, why) in [("", IdError::EmptyGroup), ("the group", space)] {
        let bad = api.group(group);
        let refused = [
            bad.profile().await.map(drop),
            bad.send("x").await.map(drop),
            bad.members().await.map(drop),
            bad.join("").await.map(drop),
            bad.kick(["alice"], "").await,
            bad.history(None, 1).await.map(drop),
            bad.conversation().clear_history().await,
            api.find_groups([group]).await.map(drop),
        ];
        for refused in refused {
            assert_eq!(refused, Err(ApiError::Id(why.clone())));
        }
    }
    let of_a_group = api.user("@TGS#1").profile().await.unwrap_err();
    assert!(matches!(of_a_group, ApiError::Unfit(_)), "{of_a_group}");
    assert!(bot.calls().is_empty() && bot.sent().is_empty());
}

#[actix_rt::test]
async fn a_strange_id_of_the_server_can_be_read_and_answered() {
    let bot = bot();
    let name = "somebody with a name that is far too long for a UserID";
    let item = json!({"From_Account": name, "ToGroupId": "the group", "MsgSeq": 1, "MsgBody": []});
    let item: GroupItem = serde_json::from_value(item).unwrap();
    let message = Message::from_group(item, 3, "bot").unwrap();
    assert_eq!(message.from, name);
    let kept = serde_json::to_string(&message).unwrap();
    let kept: Message = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept.id(), message.id());
    bot.api().send(&message, "hello").await.unwrap();
    assert_eq!(bot.sent()[0].0, Conversation::group("the group"));
}

#[actix_rt::test]
async fn notices_are_no_messages_to_act_on() {
    let bot = bot();
    let api = bot.api();
    let mut notice = from_alice("x");
    notice.conversation = Conversation::System;
    for handle in [api.message(&notice), api.message(notice.id())] {
        let refused = [
            handle.recall().await,
            handle.edit("x").await.map(drop),
            handle.react("x").await,
            handle.mark_read().await,
            handle.delete().await,
            handle.pin().await,
            handle.readers().await.map(drop),
        ];
        for refused in refused {
            assert!(matches!(refused, Err(ApiError::Unfit(_))), "{refused:?}");
        }
    }
    assert!(bot.calls().is_empty());
}

#[actix_rt::test]
async fn handles_of_a_user_a_group_and_a_conversation_send_there() {
    let bot = bot();
    let api = bot.api();
    let (alice, group) = (UserId::from("alice"), GroupId::from("g"));
    api.user(&alice).send("1").await.unwrap();
    api.user(&alice).conversation().send("2").await.unwrap();
    api.group(&group).send("3").await.unwrap();
    api.group(&group).conversation().say("4").await.unwrap();
    api.conversation(&alice).send("5").await.unwrap();
    api.conversation(&group).send("6").await.unwrap();
    api.conversation(&from_alice("x")).send("7").await.unwrap();
    api.send(&group, "8").await.unwrap();
    let sent = bot.sent().into_iter();
    let to: String = sent.map(|(to, _)| to.to_string() + " ").collect();
    assert_eq!(
        to,
        "C2Calice C2Calice GROUPg GROUPg C2Calice GROUPg C2Calice GROUPg "
    );
}

#[actix_rt::test]
async fn a_conversation_is_read_up_to_its_newest_message() {
    let bot = bot();
    let api = bot.api();
    let get = "group_open_http_svc.group_msg_get";
    let item = json!({"From_Account": "a", "MsgSeq": 9, "MsgBody": []});
    bot.answer(get, &json!({"IsFinished": 1, "RspMsgList": [item]}));
    bot.answer("group_open_http_svc.msg_read_report", &json!({}));
    let group = api.group("g").conversation();
    group.mark_read().await.unwrap();
    assert_eq!(bot.calls()[1].1["MsgReadedSeq"], 9);
    bot.answer(get, &json!({"IsFinished": 1, "RspMsgList": []}));
    group.mark_read().await.unwrap();
    assert_eq!(bot.calls().len(), 1, "there is nothing to read");
}
