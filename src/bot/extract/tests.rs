use crate::bot::testing::TestBot;
use crate::prelude::*;
use crate::proto::message::{MemberChange, MessageRef};
use crate::proto::op::reaction::{Reaction, ReactionChange, Summary};
use crate::proto::update::{EditedMessage, GroupReceipt, UserStatus};
use serde::{Deserialize, Serialize};

/// Says to `olga` what a handler has seen.
async fn note(api: Api, what: String) -> Result<(), ApiError> {
    api.send_text("olga", what).await.map(drop)
}

fn in_group() -> Conversation {
    Conversation::group("g")
}

fn recalled(by: &str) -> Update {
    let message = MessageRef {
        seq: 7,
        ..MessageRef::default()
    };
    Update::Recalled {
        conversation: in_group(),
        by: by.into(),
        messages: vec![message],
    }
}

#[actix_rt::test]
async fn a_change_reaches_every_handler_of_its_kind_and_no_other() {
    async fn one(recalled: Recalled) -> String {
        format!("one: {} {}", recalled.by, recalled.messages[0].seq)
    }
    async fn two(recalled: Recalled, place: Conversation) -> String {
        assert_eq!(recalled.conversation, place);
        "two".to_owned()
    }
    async fn any(update: Update) -> String {
        update.to_string()
    }
    async fn edited(_: Edited) -> &'static str {
        "edited"
    }
    let bot = Bot::new("b").on_recalled(one).on_recalled(two);
    let bot = TestBot::new(bot.on_update(any).on_edited(edited));
    let outcome = bot.update(recalled("bob")).await;
    let mut texts = outcome.texts();
    texts.sort();
    assert_eq!(texts, ["one: bob 7", "recalled", "two"]);
    assert!(outcome.sent().iter().all(|(to, _)| *to == in_group()));
}

#[actix_rt::test]
async fn every_change_has_its_type() {
    async fn edited(edited: Edited, api: Api) -> Result<(), ApiError> {
        let text = edited.text().unwrap_or_default().to_owned();
        note(api, format!("edited {} {text}", edited.message.seq)).await
    }
    async fn read(read: Read, api: Api) -> Result<(), ApiError> {
        note(api, format!("{} {}", read.user, read.until)).await
    }
    async fn receipt(receipts: Receipts, api: Api) -> Result<(), ApiError> {
        let one = &receipts.messages[0];
        let place = receipts.conversation;
        note(
            api,
            format!("{place} {} {} {}", one.seq, one.read, one.unread),
        )
        .await
    }
    async fn reacted(reacted: Reacted, api: Api) -> Result<(), ApiError> {
        let one = &reacted.reactions[0];
        note(
            api,
            format!("{} {} {:?}", reacted.message.random, one.name, one.users),
        )
        .await
    }
    async fn typing(typing: Typing, api: Api) -> Result<(), ApiError> {
        note(api, format!("{} types: {}", typing.user, typing.is_typing)).await
    }
    async fn friends(change: FriendChange, api: Api) -> Result<(), ApiError> {
        note(api, format!("friends {:?}", change.added)).await
    }
    async fn profile(change: ProfileChange, api: Api) -> Result<(), ApiError> {
        note(api, format!("profile {}", change.user)).await
    }
    async fn status(all: Statuses, api: Api) -> Result<(), ApiError> {
        note(api, format!("status {}", all[0].is_online())).await
    }
    async fn follows(change: FollowChange, api: Api) -> Result<(), ApiError> {
        note(api, format!("follows {}", change.user)).await
    }
    let bot = Bot::new("b")
        .on_edited(edited)
        .on_read(read)
        .on_receipt(receipt);
    let bot = bot
        .on_reaction(reacted)
        .on_typing(typing)
        .on_friends(friends);
    let bot = bot
        .on_profile(profile)
        .on_status(status)
        .on_follows(follows);
    let bot = TestBot::new(bot);
    let message = EditedMessage {
        seq: 3,
        elements: vec![Element::text("new")],
        ..EditedMessage::default()
    };
    let receipt = GroupReceipt {
        seq: 4,
        read: 2,
        unread: 5,
        ..GroupReceipt::default()
    };
    let reaction = ReactionChange {
        group: Some(MessageRef {
            random: 9,
            ..MessageRef::default()
        }),
        reactions: Summary(vec![Reaction {
            name: "👍".to_owned(),
            users: vec!["bob".into()],
            ..Reaction::default()
        }]),
        ..ReactionChange::default()
    };
    for (update, said) in [
        (
            Update::Edited {
                conversation: in_group(),
                message: Box::new(message),
            },
            "edited 3 new",
        ),
        (
            Update::ReadByPeer {
                peer: "bob".into(),
                until: 50,
            },
            "bob 50",
        ),
        (
            Update::GroupReceipt {
                group: "g".into(),
                messages: vec![receipt],
            },
            "GROUPg 4 2 5",
        ),
        (
            Update::C2cReceipt {
                peer: "bob".into(),
                time: 50,
                messages: vec![MessageRef::default()],
            },
            "C2Cbob 0 1 0",
        ),
        (Update::Reactions(reaction), "9 👍 [\"bob\"]"),
        (
            Update::Typing {
                conversation: Conversation::c2c("bob"),
                user: "bob".into(),
                is_typing: true,
            },
            "bob types: true",
        ),
        (
            Update::Friends(FriendChange {
                added: vec!["eve".into()],
                ..FriendChange::default()
            }),
            "friends [\"eve\"]",
        ),
        (
            Update::Profile(ProfileChange {
                user: "eve".into(),
                ..ProfileChange::default()
            }),
            "profile eve",
        ),
        (
            Update::Status(vec![UserStatus {
                status: 1,
                ..UserStatus::default()
            }]),
            "status true",
        ),
        (
            Update::Follows(FollowChange {
                user: "eve".into(),
                ..FollowChange::default()
            }),
            "follows eve",
        ),
    ] {
        assert_eq!(bot.update(update).await, [said]);
    }
    bot.update(recalled("bob")).await.expect_no_reply();
}

fn tip(op: u32, members: &[&str]) -> GroupTip {
    GroupTip {
        op,
        operator: "boss".into(),
        members: members.iter().map(|&one| one.into()).collect(),
        ..GroupTip::default()
    }
}

#[actix_rt::test]
async fn what_happens_in_a_group_reaches_every_handler_that_is_for_it() {
    async fn joined(joined: Joined) -> String {
        format!("{}: {}", joined.group.id, joined.members.join("+"))
    }
    async fn greet(_: Joined) -> &'static str {
        "hello"
    }
    async fn left(left: Left) -> String {
        format!("{:?} {} {}", left.members, left.is_kicked, left.by)
    }
    async fn muted(muted: Muted) -> String {
        format!("{:?}", muted.members)
    }
    async fn changed(changed: GroupChanged) -> String {
        format!("{:?}", changed.fields["GroupName"])
    }
    async fn any(tip: GroupTip) -> String {
        format!("{:?}", tip.kind())
    }
    let bot = Bot::new("b")
        .on_joined(joined)
        .on_joined(greet)
        .on_left(left);
    let bot = bot
        .on_muted(muted)
        .on_group_changed(changed)
        .on_group_tip(any);
    let bot = TestBot::new(bot);
    let outcome = bot.tip("g", &tip(1, &["bob", "eve"])).await;
    assert_eq!(outcome, ["g: bob+eve", "hello", "Joined"]);
    assert_eq!(
        bot.tip("g", &tip(2, &[])).await,
        ["[\"boss\"] false boss", "Quit"]
    );
    assert_eq!(
        bot.tip("g", &tip(3, &["bob"])).await,
        ["[\"bob\"] true boss", "Kicked"]
    );
    let mut mute = tip(7, &[]);
    mute.member_changes = vec![MemberChange {
        user: "bob".into(),
        muted_for: Some(60),
        ..MemberChange::default()
    }];
    assert_eq!(
        bot.tip("g", &mute).await,
        ["[(\"bob\", 60s)]", "MemberChanged"]
    );
    let mut rename = tip(6, &[]);
    rename.changed.insert("GroupName".to_owned(), "new".into());
    assert_eq!(
        bot.tip("g", &rename).await,
        ["String(\"new\")", "ProfileChanged"]
    );
    assert_eq!(bot.tip("g", &tip(4, &["bob"])).await, ["AdminGranted"]);
}

#[actix_rt::test]
async fn one_that_fails_is_named_and_the_others_are_called() {
    async fn fails(_: Joined) -> Result<(), String> {
        Err("as asked".to_owned())
    }
    async fn tells(api: Api, joined: Joined) -> Result<(), ApiError> {
        api.send_text("olga", joined.by).await.map(drop)
    }
    let bot = TestBot::new(Bot::new("b").on_joined(fails).on_joined(tells));
    let outcome = bot.tip("g", &tip(1, &["bob"])).await;
    assert!(outcome.failures()[0].handler().ends_with("fails"));
    assert_eq!(outcome.texts(), ["boss"]);
}

#[actix_rt::test]
async fn what_the_server_tells_about_groups_has_its_types() {
    async fn request(request: JoinRequest) -> Option<Pass> {
        assert_eq!(&*request.group.id, "g");
        None
    }
    async fn decide(request: JoinRequest, api: Api) -> Result<(), ApiError> {
        note(api, format!("{} says {}", request.user, request.text)).await
    }
    async fn invited(invited: Invited, api: Api) -> Result<(), ApiError> {
        note(api, format!("{} into {}", invited.by, invited.group.id)).await
    }
    async fn removed(removed: Removed, api: Api) -> Result<(), ApiError> {
        note(api, format!("{:?} of {}", removed.why, removed.group.id)).await
    }
    let bot = Bot::new("b")
        .on_join_request(request)
        .on_join_request(decide);
    let bot = TestBot::new(bot.on_invited(invited).on_removed(removed));
    let notice = |report: u32| SystemNotice {
        report,
        operator: "bob".into(),
        remark: "please".to_owned(),
        ..SystemNotice::default()
    };
    assert_eq!(bot.notice("g", &notice(1)).await, ["bob says please"]);
    assert_eq!(bot.notice("g", &notice(7)).await, ["bob into g"]);
    assert_eq!(bot.notice("g", &notice(4)).await, ["Kicked of g"]);
    assert_eq!(bot.notice("g", &notice(5)).await, ["Dismissed of g"]);
    bot.notice("g", &notice(9)).await.expect_no_reply();
}

#[actix_rt::test]
async fn filters_are_for_changes_too_if_they_name_them() {
    async fn saw() -> &'static str {
        "saw"
    }
    let with = |filter| TestBot::new(Bot::new("b").on(filter, saw));
    let bot = with(filter::recalled() & filter::in_group("g") & !filter::from("boss"));
    assert_eq!(bot.update(recalled("bob")).await, ["saw"]);
    bot.update(recalled("boss")).await.expect_no_reply();
    bot.in_group("g").hears("hi").await.expect_no_reply();
    // Those that name none are for what somebody says.
    let bot = with(filter::in_group("g"));
    bot.update(recalled("bob")).await.expect_no_reply();
    bot.tip("g", &tip(1, &["bob"])).await.expect_no_reply();
    assert_eq!(bot.in_group("g").hears("hi").await, ["saw"]);
    let bot = with(filter::private() | filter::recalled());
    assert_eq!(bot.update(recalled("bob")).await, ["saw"]);
    assert_eq!(bot.hears("hi").await, ["saw"]);
    bot.in_group("g").hears("hi").await.expect_no_reply();
    let bot = with(!filter::from("bob"));
    bot.tip("g", &tip(1, &["bob"])).await.expect_no_reply();
    assert_eq!(bot.hears("hi").await, ["saw"]);
}

#[actix_rt::test]
async fn custom_messages_are_read_as_their_type_and_cards_are_answered() {
    #[derive(Deserialize)]
    struct Order {
        order: u64,
    }
    #[derive(Serialize)]
    struct Invoice {
        invoice: u64,
    }
    async fn invoice(order: Custom<Order>) -> Card<Invoice> {
        let invoice = Invoice {
            invoice: order.order,
        };
        Card::new(invoice).described("An invoice")
    }
    async fn other() -> &'static str {
        "what?"
    }
    let bot = TestBot::new(Bot::new("b").on_message(invoice).on_message(other));
    let drafts = bot.answers(vec![Element::custom("{\"order\": 5}")]).await;
    let Element::Custom(card) = &drafts[0].elements[0] else {
        panic!("{drafts:?}");
    };
    assert_eq!(
        (card.data.as_str(), card.desc.as_str()),
        ("{\"invoice\":5}", "An invoice")
    );
    let other = bot.hear("alice", vec![Element::custom("{\"x\": 5}")]).await;
    assert_eq!(other, ["what?"]);
    assert_eq!(bot.hears("order").await, ["what?"]);
}

#[test]
fn a_handler_whose_parameters_no_event_of_its_kind_has_is_a_mistake() {
    async fn wrong(_: Joined) {}
    let mistakes = Bot::new("b").on_left(wrong).check().unwrap_err();
    assert!(
        mistakes[0].to_string().contains("never called"),
        "{mistakes:?}"
    );
}
