//! Tests of communities and their topics between official SDKs and bots.

use botroupe::{
    prelude::*,
    proto::{
        message::{NoticeKind, TipKind},
        op::{group::NewGroup, topic::TopicTexts},
    },
};
use serde_json::{Value, json};

use super::{
    Page, Troupe,
    compat::{Pair, proven},
    groups::page,
    sdk,
};
use crate::harness::sandbox;

const CLUB: &str = "@TGS#_club";

/// Makes `owner` create a community with topics and these members.
fn found_club(owner: &Page, members: &[&str]) {
    let members: Vec<Value> = members.iter().map(|user| json!({"userID": user})).collect();
    let options = json!([{
        "type": "Community", "name": "Club", "groupID": CLUB, "isSupportTopic": true,
        "joinOption": "FreeAccess", "memberList": members,
    }]);
    owner.call("createGroup", &options).unwrap();
}

fn topic_of(owner: &Page, name: &str) -> String {
    let options = json!([{"groupID": CLUB, "topicName": name}]);
    let made = owner.data("createTopicInCommunity", &options);
    made["topicID"].as_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn sdks_talk_in_topics() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (alice, bob) = (page(sdk, &sandbox, "alice"), page(sdk, &sandbox, "bob"));
    found_club(&alice, &["bob"]);
    let mark = bob.mark();
    let topic = topic_of(&alice, "News");
    let told = bob.wait(mark, "onTopicCreated");
    assert_eq!(
        (&told["groupID"], &told["topicID"]),
        (&json!(CLUB), &json!(topic))
    );
    let joined = bob.data("getJoinedCommunityList", &json!([]));
    assert_eq!(joined["groupList"][0]["groupID"], CLUB);
    let listed = bob.data("getTopicList", &json!([{"groupID": CLUB}]));
    assert_eq!(listed["successTopicList"][0]["topicName"], "News");

    let mark = bob.mark();
    let sent = alice.say_to_group(&topic, "hello");
    let got = bob.hear(mark, "hello", |message| message["ID"] == sent["ID"]);
    assert_eq!(got["conversationID"], format!("GROUP{topic}"));
    assert_eq!((&got["to"], &got["sequence"]), (&json!(topic), &json!(1)));
    let updated = bob.wait(mark, "onTopicUpdated");
    assert_eq!(updated["topic"]["unreadCount"], 1);
    let history = bob.data(
        "getMessageList",
        &json!([{"conversationID": format!("GROUP{topic}")}]),
    );
    assert_eq!(history["messageList"][0]["ID"], sent["ID"]);
    bob.call(
        "setMessageRead",
        &json!([{"conversationID": format!("GROUP{topic}")}]),
    )
    .unwrap();
    let mark = bob.mark();
    alice
        .call("edit", &json!([sent["ID"], {"text": "changed"}]))
        .unwrap();
    bob.wait(mark, "onMessageModified");
    alice
        .call("revokeMessage", &json!([{"$message": sent["ID"]}]))
        .unwrap();
    bob.wait(mark, "onMessageRevoked");

    let mark = bob.mark();
    let change =
        json!([{"groupID": CLUB, "topicID": topic, "topicName": "Olds", "muteAllMembers": true}]);
    alice.data("updateTopicProfile", &change);
    let updated = bob.wait(mark, "onTopicUpdated");
    assert_eq!(
        (
            &updated["topic"]["topicName"],
            &updated["topic"]["muteAllMembers"]
        ),
        (&json!("Olds"), &json!(true))
    );
    let refused = bob.try_to_group(&topic, "Text", &json!({"text": "x"}));
    assert_eq!(refused, Err(10017));
    let delete = json!([{"groupID": CLUB, "topicIDList": [topic]}]);
    let deleted = alice.data("deleteTopicFromCommunity", &delete);
    assert_eq!(deleted["successTopicList"][0]["topicID"], topic);
    let told = bob.wait(mark, "onTopicDeleted");
    assert_eq!(told["topicIDList"], json!([topic]));
    proven("community: topics", Pair::SdkToSdk);
    proven("community: messages in topics", Pair::SdkToSdk);
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_follows_the_topics_of_an_sdk_also_over_an_outage() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("topic-watcher", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let alice = page(sdk, &sandbox, "alice");
    found_club(&alice, &[me]);
    bot.hears_notice(mark, NoticeKind::Invited);
    let (news, talk) = (topic_of(&alice, "News"), topic_of(&alice, "Talk"));
    bot.hears_notice(mark, NoticeKind::TopicCreated);
    alice.say_to_group(&news, "hello");
    let heard = bot.hears_text(mark, "hello");
    assert_eq!(heard.conversation, Conversation::group(&*news));
    let listed = Troupe::wait(bot.api().group(CLUB).topics()).unwrap();
    let names: Vec<&str> = listed.iter().map(|topic| topic.name.as_str()).collect();
    assert_eq!(names, ["News", "Talk"]);

    // The link stays broken while both topics continue.
    let (before, watch) = (bot.mark(), Troupe::watch_mark());
    sandbox.stop_answering(me, None).unwrap();
    sandbox.drop_link(me).unwrap();
    bot.wait_phase(before, botroupe::account::Phase::Waiting);
    for n in 0..30 {
        alice.say_to_group(&news, &format!("news {n}"));
        alice.say_to_group(&talk, &format!("talk {n}"));
    }
    sandbox.resume_answering(me).unwrap();
    bot.hears_text(watch, "news 29");
    bot.hears_text(watch, "talk 29");
    for (topic, word) in [(&news, "news"), (&talk, "talk")] {
        let heard = bot.heard(watch).into_iter();
        let heard = heard.filter(|message| message.conversation == Conversation::group(&**topic));
        let texts: Vec<String> = heard.filter_map(|m| m.text().map(str::to_owned)).collect();
        let all: Vec<String> = (0..30).map(|n| format!("{word} {n}")).collect();
        assert_eq!(texts, all, "each once and in order");
    }
    let change = json!([{"groupID": CLUB, "topicID": news, "topicName": "Olds"}]);
    alice.data("updateTopicProfile", &change);
    bot.hears_tip(watch, TipKind::TopicChanged);
    let delete = json!([{"groupID": CLUB, "topicIDList": [news]}]);
    alice.data("deleteTopicFromCommunity", &delete);
    let notice = bot.hears_notice(watch, NoticeKind::TopicDeleted);
    assert_eq!(notice.notice().unwrap().topics(), [news]);
    proven("community: topics", Pair::SdkToBot);
    proven("community: messages in topics", Pair::SdkToBot);
    proven(
        "community: what was said in topics during an outage",
        Pair::SdkToBot,
    );
}

#[test]
#[ignore = "needs Node.js: cargo test -- --include-ignored"]
fn a_bot_runs_a_community_for_an_sdk() {
    let sdk = sdk();
    let sandbox = sandbox(|_| ());
    let (me, mark) = ("topic-doer", Troupe::watch_mark());
    let bot = Troupe::start(&sandbox, me, "watcher");
    let api = bot.api();
    let alice = page(sdk, &sandbox, "alice");
    let club = NewGroup::community_with_topics("Club")
        .id(CLUB)
        .members(["alice"]);
    Troupe::wait(api.create_group(club)).unwrap();
    alice.hear_notice(0, 7);
    let club = api.group(CLUB);
    let page_mark = alice.mark();
    let topic = Troupe::wait(club.create_topic(TopicTexts::new().name("News"))).unwrap();
    let told = alice.wait(page_mark, "onTopicCreated");
    assert_eq!(told["topicID"], topic.id().as_str());
    alice.data("getTopicList", &json!([{"groupID": CLUB}]));
    let said = Troupe::wait(topic.say("hello")).unwrap();
    let got = alice.hear(page_mark, "hello", |m| m["payload"]["text"] == "hello");
    assert_eq!(got["conversationID"], format!("GROUP{}", topic.id()));
    assert_eq!(got["sequence"], said.seq);
    alice.say_to_group(topic.id(), "hello yourself");
    let heard = bot.hears_text(mark, "hello yourself");
    assert_eq!((heard.seq, &*heard.to), (said.seq + 1, &**topic.id()));
    let history = Troupe::wait(api.conversation(heard.conversation.clone()).history(10)).unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[0].conversation, heard.conversation);

    let page_mark = alice.mark();
    Troupe::wait(api.message(&said).edit("changed")).unwrap();
    alice.wait(page_mark, "onMessageModified");
    Troupe::wait(api.message(&said).recall()).unwrap();
    alice.wait(page_mark, "onMessageRevoked");
    let page_mark = alice.mark();
    Troupe::wait(topic.modify_topic(TopicTexts::new().name("Olds"))).unwrap();
    let updated = alice.wait(page_mark, "onTopicUpdated");
    assert_eq!(updated["topic"]["topicName"], "Olds");
    Troupe::wait(topic.mute_topic(true)).unwrap();
    let refused = alice.try_to_group(topic.id(), "Text", &json!({"text": "x"}));
    assert_eq!(refused, Err(10017));
    Troupe::wait(club.delete_topics([topic.id()])).unwrap();
    let told = alice.wait(page_mark, "onTopicDeleted");
    assert_eq!(told["topicIDList"], json!([topic.id()]));
    proven("community: topics", Pair::BotToSdk);
    proven("community: messages in topics", Pair::BotToSdk);
}
