//! What the calls check, page through and make of answers, without a server.

use super::*;
use crate::bot::Bot;
use crate::bot::Text;
use crate::bot::testing::TestBot;
use crate::proto::code::Code;
use crate::proto::message::{C2cItem, Conversation, Element, GroupItem, GroupTip};
use crate::proto::op::friend::Sides;
use crate::proto::op::group::NewGroup;
use crate::proto::op::group_member::Role;
use crate::proto::signaling::{Action, Signal};
use serde_json::{Value, json};
use std::time::Duration;

mod message;
mod nouns;

fn bot() -> TestBot {
    TestBot::new(Bot::new("test"))
}

fn from_alice(text: &str) -> Message {
    let mut item = C2cItem::new("alice", "bot", vec![Element::text(text)]);
    item.needs_receipt = Some(1);
    Message::from_c2c(item, "bot")
}

fn in_group(seq: u32) -> Message {
    let item = json!({"From_Account": "alice", "ToGroupId": "g", "MsgSeq": seq, "MsgBody": [], "NeedReadReceipt": 1});
    let item: GroupItem = serde_json::from_value(item).unwrap();
    Message::from_group(item, 3, "bot").unwrap()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("u{n}")).collect()
}

#[actix_rt::test]
async fn a_test_without_an_answer_says_so() {
    let bot = bot();
    let error = bot.api().user("alice").profile().await.unwrap_err();
    let servcmd = "profile.portrait_get_all".to_owned();
    assert_eq!(error, ApiError::NoAnswer { servcmd });
    assert!(error.to_string().contains("TestBot::answer"), "{error}");
}

#[actix_rt::test]
async fn a_test_answers_and_sees_what_was_asked() {
    let bot = bot();
    let nick = json!({"Tag": "Tag_Profile_IM_Nick", "Value": "Alice"});
    bot.answer(
        "profile.portrait_get_all",
        &json!({"UserProfileItem": [{"To_Account": "alice", "ProfileItem": [nick]}]}),
    );
    assert_eq!(
        bot.api().user("alice").profile().await.unwrap().nick(),
        "Alice"
    );
    let calls = bot.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].1["From_Account"], "bot");
    assert_eq!(calls[0].1["UserItem"][0]["To_Account"], "alice");
}

#[actix_rt::test]
async fn limits_are_checked_before_anything_is_sent() {
    let bot = bot();
    let api = bot.api();
    let group = api.group("g");
    let too_many = |error: ApiError, limit: usize| match error {
        ApiError::TooMany {
            count, limit: l, ..
        } => assert_eq!((count, l), (limit + 1, limit)),
        other => panic!("{other}"),
    };
    too_many(group.invite(names(301)).await.unwrap_err(), 300);
    too_many(group.kick(names(501), "").await.unwrap_err(), 500);
    too_many(group.member_info(names(51)).await.unwrap_err(), 50);
    too_many(api.profiles(names(101)).await.unwrap_err(), 100);
    too_many(api.statuses(names(501)).await.unwrap_err(), 500);
    too_many(api.subscribe_status(names(101)).await.unwrap_err(), 100);
    too_many(
        api.delete_friends(names(1001), Sides::Both)
            .await
            .unwrap_err(),
        1000,
    );
    let messages = vec![from_alice("x"); 31];
    too_many(api.send_receipts(&messages).await.unwrap_err(), 30);
    too_many(api.delete_messages(&messages).await.unwrap_err(), 30);
    let group = NewGroup::public("g").members(names(501));
    too_many(api.create_group(group).await.unwrap_err(), 500);
    let unfit = [
        api.message(&from_alice("x")).recall().await.unwrap_err(),
        api.profiles(names(0)).await.unwrap_err(),
        api.decide(&from_alice("x"), true, "").await.unwrap_err(),
        api.group("g").set_role("a", Role::Owner).await.unwrap_err(),
        api.send_receipts(&[from_alice("x"), in_group(1)])
            .await
            .unwrap_err(),
    ];
    for error in unfit {
        assert!(matches!(error, ApiError::Unfit(_)), "{error}");
    }
    assert!(bot.calls().is_empty());
}

#[actix_rt::test]
async fn a_record_travels_inside_as_long_as_it_fits() {
    let bot = bot();
    let api = bot.api();
    let short = api.merge("talk", &[from_alice("hi")]).await.unwrap();
    assert_eq!(short.summary, ["alice: hi"]);
    assert_eq!(api.open_merger(&short).await.unwrap()[0].from, "alice");
    assert!(bot.calls().is_empty());
    let many = vec![from_alice(&"x".repeat(1000)); 12];
    bot.answer(
        "im_long_msg.save_relay_json_msg",
        &json!({"JsonMsgKey": "j", "PbMsgKey": "p"}),
    );
    let long = api.merge("talk", &many).await.unwrap();
    assert_eq!((long.json_key.as_str(), long.pb_key.as_str()), ("j", "p"));
    assert!(long.inline().is_none());
    assert_eq!(long.extra["MsgNum"], 12);
    assert!(Draft::from(long.clone()).check().is_ok());
    let (_, stored) = bot.calls().remove(0);
    bot.answer("im_long_msg.get_relay_json_msg", &stored);
    let opened = api.open_merger(&long).await.unwrap();
    assert_eq!(opened.len(), 12);
    assert_eq!(bot.calls()[0].1, json!({"JsonMsgKey": "j"}));
    // A server that knows nothing of it says yes, and stores nothing.
    bot.answer("im_long_msg.save_relay_json_msg", &json!({}));
    assert!(matches!(
        api.merge("talk", &many).await,
        Err(ApiError::Unfit(_))
    ));
}

#[actix_rt::test]
async fn receipts_go_only_to_who_asked() {
    let bot = bot();
    let api = bot.api();
    bot.answer("openim.c2c_msg_read_receipt", &json!({}));
    let mut silent = from_alice("x");
    silent.needs_receipt = false;
    api.send_receipts(&[from_alice("x"), silent.clone()])
        .await
        .unwrap();
    api.message(&silent).send_receipt().await.unwrap();
    let calls = bot.calls();
    assert_eq!(calls.len(), 1, "nothing is sent for nobody");
    assert_eq!(calls[0].1["C2CMsgInfo"].as_array().unwrap().len(), 1);
}

#[actix_rt::test]
async fn lists_of_a_server_that_never_ends_them_end() {
    let bot = bot();
    let friend = json!({"To_Account": "a"});
    for _ in 0..2 {
        bot.answer(
            "sns.friend_get",
            &json!({"UserDataItem": [friend], "CompleteFlag": 0, "NextStartIndex": 1}),
        );
        bot.answer(
            "sns.black_list_get",
            &json!({"BlackListItem": [friend], "StartIndex": 1}),
        );
    }
    assert_eq!(bot.api().friends().await.unwrap().len(), 2);
    assert_eq!(bot.api().blacklist().await.unwrap(), ["a", "a"]);
    for command in ["group_open_http_svc", "million_group_open_http_svc"] {
        bot.answer(
            &format!("{command}.get_joined_group_list"),
            &json!({"TotalCount": 1, "GroupIdList": [{"GroupId": "g", "SelfInfo": {"Role": "Admin"}}]}),
        );
    }
    let groups = bot.api().groups().await.unwrap();
    assert_eq!(groups.len(), 1, "the same in both lists");
    assert_eq!(groups[0].own().unwrap().role(), Role::Admin);
}

#[actix_rt::test]
async fn an_entry_that_was_refused_is_named() {
    let bot = bot();
    let results = json!({"ResultItem": [{"To_Account": "a", "ResultCode": 0}, {"To_Account": "b", "ResultCode": 31_307, "ResultInfo": "full"}]});
    bot.answer("sns.black_list_add", &results);
    let error = bot.api().block(["a", "b"]).await.unwrap_err();
    let expected = ApiError::Item {
        what: "b".into(),
        code: Code(31_307),
        info: "full".into(),
    };
    assert_eq!(error, expected);
}

#[actix_rt::test]
async fn invitations_are_answered_where_they_came_from() {
    let bot = bot();
    let api = bot.api();
    let own = api
        .user("alice")
        .invite("call", Duration::from_secs(30))
        .await
        .unwrap();
    api.answer_invitation(&own, Action::Cancel, "")
        .await
        .unwrap();
    let theirs = Signal::invite("i", "carol", ["bot"], "", Duration::ZERO);
    api.answer_invitation(&theirs, Action::Reject, "busy")
        .await
        .unwrap();
    let denied = api.answer_invitation(&theirs, Action::Cancel, "").await;
    assert!(matches!(denied, Err(ApiError::Unfit(_))));
    let in_group = theirs.in_group("g");
    api.answer_invitation(&in_group, Action::Accept, "")
        .await
        .unwrap();
    let sent = bot.sent();
    let to: Vec<String> = sent.iter().map(|(to, _)| to.to_string()).collect();
    assert_eq!(to, ["C2Calice", "C2Calice", "C2Ccarol", "GROUPg"]);
}

#[actix_rt::test]
async fn reactions_and_extensions_are_paged_counted_and_checked() {
    let bot = bot();
    let api = bot.api();
    let message = in_group(3);
    let many: Vec<Message> = (0..21).map(in_group).collect();
    let error = api.reactions_to(&many).await.unwrap_err();
    assert!(
        matches!(error, ApiError::TooMany { limit: 20, .. }),
        "{error}"
    );
    let mixed = [in_group(1), from_alice("x")];
    let error = api.reactions_to(&mixed).await.unwrap_err();
    assert!(matches!(error, ApiError::Unfit(_)), "{error}");
    let iterate = "openim_msg_ext_http_svc.group_reaction_iterate";
    bot.answer(
        iterate,
        &json!({"Reaction_Account": ["alice"], "NextSeq": 0}),
    );
    assert_eq!(
        api.message(&message).reacted("smile").await.unwrap(),
        ["alice"]
    );
    let set = "openim_msg_ext_http_svc.group_set_key_values";
    bot.answer(
        set,
        &json!({"Seq": 7, "ExtensionList": [
            {"ErrorCode": 0, "Extension": {"Key": "a", "Value": "1", "Seq": 7}},
            {"ErrorCode": 23001, "Extension": {"Key": "b", "Value": "theirs", "Seq": 6}}]}),
    );
    let known = [crate::proto::op::extension::Extension {
        key: "a".into(),
        value: "0".into(),
        seq: 4,
        ..Default::default()
    }];
    let error = api
        .message(&message)
        .set_extensions(&known, [("a", "1"), ("b", "2")])
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::EXTENSION_CONFLICT));
    assert!(error.to_string().contains('b'), "{error}");
    let sent = bot.calls().pop().unwrap().1;
    assert_eq!(
        sent["ExtensionList"],
        json!([{"Key": "a", "Value": "1", "Seq": 4}, {"Key": "b", "Value": "2", "Seq": 0}])
    );
    let get = "openim_msg_ext_http_svc.group_get_key_values";
    bot.answer(
        get,
        &json!({"CompleteFlag": 1, "ExtensionList": [
            {"Key": "a", "Value": "1", "Seq": 7}, {"Key": "gone", "Value": "", "Seq": 8}]}),
    );
    let left = api.message(&message).extensions().await.unwrap();
    assert_eq!(left.len(), 1, "what was deleted is not shown");
    let last =
        json!({"CompleteFlag": 0, "ExtensionList": [{"Key": "a", "Value": "1", "Seq": u64::MAX}]});
    bot.answer(get, &last);
    bot.answer(get, &last);
    assert!(
        api.message(&message).extensions().await.is_ok(),
        "there is no number beyond"
    );
}

#[actix_rt::test]
async fn a_topic_is_a_group_to_act_in() {
    use crate::proto::op::topic::TopicTexts;
    let bot = bot();
    let api = bot.api();
    let club = api.group("@TGS#_club");
    let create = "million_group_open_http_svc.create_topic";
    bot.answer(create, &json!({"TopicId": "@TGS#_club@TOPIC#_1"}));
    let topic = club
        .create_topic(TopicTexts::new().name("News"))
        .await
        .unwrap();
    topic.say("hello").await.unwrap();
    assert_eq!(bot.sent()[0].0, Conversation::group("@TGS#_club@TOPIC#_1"));
    let delete = "million_group_open_http_svc.destroy_topic";
    bot.answer(
        delete,
        &json!({"DestroyResultItem": [{"TopicId": "x", "ErrorCode": 10010, "ErrorInfo": "none"}]}),
    );
    let error = club.delete_topics(["x"]).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::GROUP_UNKNOWN));
}

#[actix_rt::test]
async fn a_conversation_that_does_not_get_into_its_group_is_an_error() {
    let bot = bot();
    let api = bot.api();
    let servcmd = "recentcontact.create_contact_group";
    let row = |code: i64, inner: i64| {
        let member = json!({"ContactItem": {"Type": 1, "To_Account": "a"}, "ResultCode": inner});
        json!({"GroupResultItem": [{
            "GroupItem": {"GroupId": 1, "GroupName": "work"}, "ResultItem": [member],
            "ResultCode": code,
        }]})
    };
    let all = || [Conversation::c2c("a"), Conversation::group("g")];
    bot.answer(servcmd, &row(0, 0));
    api.create_conversation_group("work", all()).await.unwrap();
    assert_eq!(
        bot.calls()[0].1["GroupContactItem"][0]["ContactItem"],
        json!([{"Type": 1, "To_Account": "a"}, {"Type": 2, "ToGroupId": "g"}])
    );
    for (answer, code) in [(row(50_001, 0), 50_001), (row(0, 50_002), 50_002)] {
        bot.answer(servcmd, &answer);
        let error = api.create_conversation_group("work", all()).await;
        assert_eq!(error.unwrap_err().code(), Some(Code(code)));
    }
    let update = json!({"UpdateGroupResult": {"ContactResultItem": [{"ResultCode": 50_003}]}});
    bot.answer("recentcontact.update_contact_group", &update);
    let error = api.change_conversation_group("work", all(), true).await;
    assert_eq!(error.unwrap_err().code(), Some(Code(50_003)));
    let many = (0..101).map(|n| Conversation::c2c(format!("u{n}").as_str()));
    let error = api.create_conversation_group("work", many).await;
    assert!(matches!(error, Err(ApiError::TooMany { limit: 100, .. })));
    let none = api.create_conversation_group("work", []).await;
    assert!(matches!(none, Err(ApiError::Unfit(_))));
}

#[actix_rt::test]
async fn all_pages_of_the_groups_of_conversations_are_read() {
    let bot = bot();
    let servcmd = "recentcontact.get_contact_group";
    let page = |name: &str, complete: u8, next: u8| {
        json!({
            "CompleteFlag": complete, "NextStartIndex": next,
            "GroupItem": [{"GroupId": 1, "GroupName": name}, {"GroupId": 2}],
        })
    };
    bot.answer(servcmd, &page("one", 0, 7));
    bot.answer(servcmd, &page("two", 1, 0));
    let names = bot.api().conversation_groups().await.unwrap();
    assert_eq!(names, ["one", "two"]);
    let starts: Vec<Value> = bot
        .calls()
        .iter()
        .map(|(_, body)| body["StartIndex"].clone())
        .collect();
    assert_eq!(starts, [0, 7]);
}

#[actix_rt::test]
async fn bans_last_whole_seconds() {
    let (bot, servcmd) = (bot(), "group_open_http_svc.ban_group_member");
    let api = bot.api();
    let room = api.group("room");
    for (time, seconds) in [
        (Duration::from_millis(1), 1),
        (Duration::from_millis(60_001), 61),
        (Duration::MAX, u32::MAX),
    ] {
        bot.answer(servcmd, &json!({}));
        room.ban(["al"], time, "spam").await.unwrap();
        assert_eq!(bot.calls()[0].1["Duration"], seconds);
    }
    let never = room.ban(["al"], Duration::ZERO, "").await;
    assert!(matches!(never, Err(ApiError::Unfit(_))));
    let many = room.ban(names(101), Duration::from_secs(1), "").await;
    assert!(matches!(many, Err(ApiError::TooMany { count: 101, .. })));
    assert!(bot.calls().is_empty());
}

#[actix_rt::test]
async fn translators_that_fail_and_sounds_that_cannot_be_understood() {
    use crate::proto::op::speech::Spoken;
    let (bot, servcmd) = (bot(), "im_open_translate.ws_batch_trans_text");
    bot.answer(servcmd, &json!({"TargetText": ["hallo", "welt"]}));
    let translated = bot.api().translate(["hi", "world"], None, "de").await;
    assert_eq!(translated.unwrap(), ["hallo", "welt"]);
    bot.answer(
        servcmd,
        &json!({"CmdErrorCode": {"ErrorCode": 7, "ErrorInfo": "none"}, "TargetText": []}),
    );
    let error = bot.api().translate(["hi"], None, "de").await.unwrap_err();
    assert_eq!(error.code(), Some(Code(7)), "{error}");
    for wrong in [json!(["hallo"]), json!([null, "welt"]), json!(null)] {
        bot.answer(servcmd, &json!({"TargetText": wrong}));
        let error = bot.api().translate(["hi", "world"], None, "de").await;
        assert!(matches!(error, Err(ApiError::Call(_))), "{error:?}");
    }
    let error = bot.api().translate(names(101), None, "de").await;
    assert!(matches!(error, Err(ApiError::TooMany { count: 101, .. })));
    let error = bot.api().translate(names(0), None, "de").await;
    assert!(matches!(error, Err(ApiError::Unfit(_))));

    let sound = |url: &str| {
        let sound = json!({"MsgType": "TIMSoundElem", "MsgContent": {"Url": url, "Second": 2}});
        let element: Element = serde_json::from_value(sound).unwrap();
        Message::from_c2c(C2cItem::new("alice", "bot", vec![element]), "bot")
    };
    let api = bot.api();
    for unfit in [from_alice("hello"), sound("http://h/voice")] {
        let error = api.speech_to_text(&unfit, Spoken::Mixed).await;
        assert!(matches!(error, Err(ApiError::Unfit(_))), "{error:?}");
    }
    let servcmd = "im_open_speech.ws_sentence_recognition";
    bot.answer(servcmd, &json!({"BytesResult": "good morning"}));
    let clear = sound("http://h/voice.mp3");
    let words = api.speech_to_text(&clear, Spoken::English).await;
    assert_eq!(words.unwrap(), "good morning");
}

#[actix_rt::test]
async fn those_who_want_into_groups_are_listed_once_communities_included() {
    let bot = bot();
    let waiting = |group: &str, kind: u32| {
        json!({"From_Account": "alice", "To_Account": "bob", "GroupId": group, "AddTime": 5,
               "ApplicationType": kind})
    };
    bot.answer(
        "group_open_http_svc.get_pendency",
        &json!({"PendencyList": [waiting("g", 0), waiting("h", 2)]}),
    );
    bot.answer(
        "million_group_open_http_svc.get_pendency",
        &json!({"PendencyList": [waiting("g", 0), waiting("@TGS#_c", 2)]}),
    );
    let all = bot.api().group_applications().await.unwrap();
    let seen: Vec<_> = all.iter().map(|a| (&*a.group, a.invited())).collect();
    assert_eq!(
        seen,
        [("g", None), ("h", Some("bob")), ("@TGS#_c", Some("bob"))]
    );
    assert_eq!(bot.calls().len(), 2);
    bot.answer(
        "million_group_open_http_svc.handle_invite_join_permission_group",
        &json!({}),
    );
    let api = bot.api();
    let decided = api.decide_application(&all[2], true, "come in").await;
    decided.unwrap();
    assert_eq!(bot.calls()[0].1["Invited_Account"], "bob");
}

#[test]
fn a_failed_action_says_whether_it_was_carried_out() {
    use crate::account::{OutboxError, RequestError, SendError};
    let refused = |error| ApiError::Send(SendError::Outbox(OutboxError::Refused(error)));
    let code = Code(20_012);
    let kinds = [
        (
            refused(RequestError::Refused {
                code,
                info: String::new(),
            }),
            Kind::Refused(code),
        ),
        (refused(RequestError::TimedOut), Kind::Unknown),
        (refused(RequestError::Lost), Kind::Unknown),
        (refused(RequestError::Overloaded), Kind::NotSent),
        (ApiError::Call(SendError::Busy), Kind::Busy),
        (ApiError::Call(SendError::NotReady), Kind::Offline),
        (ApiError::Unfit("the list is empty"), Kind::BadInput),
    ];
    for (error, kind) in kinds {
        assert_eq!(error.kind(), kind, "{error}");
    }
    let error = ApiError::Call(SendError::Busy);
    assert!(std::error::Error::source(&error).is_some());
}

#[actix_rt::test]
async fn a_text_for_a_user_does_not_go_to_what_is_a_group() {
    let bot = bot();
    let sent = bot.api().send_text("@TGS#1", "hello").await;
    assert!(matches!(sent, Err(ApiError::Unfit(_))), "{sent:?}");
    assert!(bot.api().send_text("alice", "hello").await.is_ok());
}

#[actix_rt::test]
async fn a_text_that_is_too_long_is_sent_in_several_messages() {
    async fn long() -> String {
        "word ".repeat(5_000)
    }
    async fn tells(api: Api) -> Result<(), ApiError> {
        let to = Conversation::c2c("olga");
        let last = api.say(to, "word ".repeat(5_000)).await?;
        let length = last.text().unwrap_or_default().len();
        api.send_text("olga", length.to_string()).await.map(drop)
    }
    let bot = Bot::new("b").on_text(long).on_group_tip(tells);
    let bot = TestBot::new(bot);
    let said = bot.hears("x").await.texts();
    assert_eq!(said.len(), 3);
    let words: usize = said
        .iter()
        .map(|text| text.split_whitespace().count())
        .sum();
    assert_eq!(words, 5_000);
    let said = bot.tip("g", &GroupTip::default()).await;
    let said = said.texts();
    assert_eq!(said.len(), 4);
    assert_eq!(said[3], said[2].len().to_string());
}

#[actix_rt::test]
async fn an_empty_text_is_no_message() {
    async fn nothing(text: Text, api: Api) -> Result<(String, Draft, &'static str), ApiError> {
        if &*text == "send" {
            api.send_text("olga", "").await?;
        }
        Ok((String::new(), Draft::text(""), "something"))
    }
    let bot = TestBot::new(Bot::new("b").on_text(nothing));
    assert_eq!(bot.hears("x").await.sent().len(), 1);
    let refused = bot.hears("send").await;
    let why = refused.failures()[0].to_string();
    assert!(why.contains("at least one character"), "{why}");
}
