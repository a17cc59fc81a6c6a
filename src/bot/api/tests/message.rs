//! What is done with messages that were said: edit, recall, history.

use super::{bot, from_alice};
use crate::bot::api::ApiError;
use crate::proto::code::Code;
use crate::proto::message::{Conversation, Draft, DraftError, Element};
use serde_json::{Value, json};

#[actix_rt::test]
async fn an_edit_takes_what_can_be_edited() {
    let bot = bot();
    let api = bot.api();
    let message = from_alice("x");
    let long = api
        .message(&message)
        .edit("x".repeat(13_000))
        .await
        .unwrap_err();
    assert!(matches!(long, ApiError::Draft(DraftError::TooLong { .. })));
    let image = Element::Image(Box::default());
    let error = api.message(&message).edit(image).await.unwrap_err();
    assert_eq!(
        error,
        ApiError::Draft(DraftError::NotSendable("TIMImageElem".into()))
    );
    assert!(bot.calls().is_empty());
    bot.answer(
        "openim.modify_c2c_msg",
        &json!({"MsgVersion": 1, "CloudCustomData": "c"}),
    );
    let edited = api
        .message(&message)
        .edit(Draft::default().cloud_custom_data("c"))
        .await
        .unwrap();
    assert_eq!(
        (edited.version, edited.cloud_custom_data.as_str()),
        (1, "c")
    );
    let (_, body) = &bot.calls()[0];
    assert_eq!(
        (body.get("MsgBody"), &body["CloudCustomData"]),
        (None, &json!("c"))
    );
}

#[actix_rt::test]
async fn a_message_that_was_edited_can_be_edited_again() {
    let bot = bot();
    let api = bot.api();
    for to in [Conversation::c2c("alice"), Conversation::group("g")] {
        let said = api.say(to, "one").await.unwrap();
        let handle = api.message(&said);
        for (version, text) in [(1, "two"), (2, "three")] {
            let edited = handle.edit(text).await.unwrap();
            assert_eq!(edited.version, version);
        }
        // Another one knows the message as it was said, until it is told.
        let late = api.message(&said);
        let conflict = late.edit("late").await.unwrap_err();
        assert!(
            matches!(&conflict, ApiError::Conflict(now) if now.version == 2),
            "{conflict}"
        );
        assert_eq!(late.edit("mine").await.unwrap().version, 3);
        let by_id = api.message(said.id()).edit("whatever there is").await;
        assert_eq!(by_id.unwrap().version, 4);
    }
}

#[actix_rt::test]
async fn what_was_sent_can_be_taken_back() {
    let bot = bot();
    let api = bot.api();
    let said = api.say(Conversation::c2c("alice"), "oops").await.unwrap();
    let in_group = api.group("g").say("oops").await.unwrap();
    bot.answer("openim.msgwithdraw", &json!({}));
    api.message(&said).recall().await.unwrap();
    let refused = json!({"RecallRetList": [{"MsgSeq": 2, "RetCode": 10031}]});
    bot.answer("group_open_http_svc.group_msg_recall", &refused);
    let error = api.message(&in_group).recall().await.unwrap_err();
    assert_eq!(error.code(), Some(Code::GROUP_RECALL_WINDOW));
    let calls = bot.calls();
    assert_eq!(
        calls[0].1["MsgInfo"],
        json!({"From_Account": "bot", "To_Account": "alice", "MsgSeq": 1, "MsgRandom": 1, "MsgTimeStamp": 0})
    );
    assert_eq!(calls[1].1["MsgSeqList"], json!([{"MsgSeq": 2}]));
}

fn page(seqs: impl Iterator<Item = u32>) -> Value {
    let item = |seq| json!({"From_Account": "a", "MsgSeq": seq, "MsgBody": [], "IsPlaceMsg": u8::from(seq == 7)});
    json!({"IsFinished": 1, "RspMsgList": seqs.map(item).collect::<Vec<_>>()})
}

#[actix_rt::test]
async fn the_history_of_a_group_is_paged_and_given_oldest_first() {
    let bot = bot();
    let command = "group_open_http_svc.group_msg_get";
    bot.answer(command, &page((11..=30).rev()));
    bot.answer(command, &page((1..=10).rev()));
    let messages = bot
        .api()
        .conversation(Conversation::group("g"))
        .history(25)
        .await
        .unwrap();
    let seqs: Vec<u32> = messages.iter().map(|message| message.seq).collect();
    let expected: Vec<u32> = (5..=30).filter(|&seq| seq != 7).collect();
    assert_eq!(seqs, expected, "the hole at 7 is no message");
    assert_eq!(bot.calls()[1].1["ReqMsgSeq"], 10);
    // It ends where there is no more, and also with a server that begins anew.
    for last in [page(std::iter::empty()), page(3..=4)] {
        bot.answer(command, &page((3..=4).rev()));
        bot.answer(command, &last);
        let messages = bot.api().group("g").history(Some(4), 25).await.unwrap();
        assert!(messages.len() >= 2, "{messages:?}");
        assert_eq!(bot.calls().len(), 2);
    }
}

#[actix_rt::test]
async fn the_history_of_a_user_is_paged_by_the_servers_marks() {
    let bot = bot();
    let item = |n: u32| json!({"From_Account": "alice", "To_Account": "bot", "MsgSeq": n, "MsgRandom": n, "MsgTimeStamp": n, "MsgBody": []});
    let page = |complete: u8, key: &str, ns: &[u32]| {
        let list: Vec<Value> = ns.iter().map(|&n| item(n)).collect();
        json!({"Complete": complete, "LastMsgTime": 9, "MsgKey": key, "MsgList": list})
    };
    bot.answer("openim.getroammsg", &page(0, "k", &[3, 4]));
    bot.answer("openim.getroammsg", &page(1, "", &[1, 2]));
    let messages = bot.api().user("alice").history(3).await.unwrap();
    let seqs: Vec<u32> = messages.iter().map(|message| message.seq).collect();
    assert_eq!(seqs, [2, 3, 4]);
    let calls = bot.calls();
    assert_eq!(calls[1].1["MsgKey"], "k");
    assert_eq!(calls[1].1["LastMsgTime"], 9);
}
