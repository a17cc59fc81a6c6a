mod dialogues;
mod overlaps;
mod timers;

use super::*;
use crate::prelude::*;
use std::sync::Arc;

#[actix_rt::test]
async fn extractors_are_optional_and_hand_over_their_rejection() {
    async fn both(group: Option<Group>, text: Result<Text, Skipped>) -> String {
        let text = text.map_or_else(|_| "no text".to_owned(), Text::into_inner);
        format!("{text} in {:?}", group.map(|group| group.id))
    }
    let bot = TestBot::new(Bot::new("both").on_message(both));
    assert_eq!(bot.hears("hi").await, ["hi in None"]);
    assert_eq!(bot.in_group("g").hears("hi").await, ["hi in Some(\"g\")"]);
    let face = Element::from(crate::proto::message::Face {
        index: 1,
        ..Default::default()
    });
    assert_eq!(bot.from("bob").sends(vec![face]).await, ["no text in None"]);
}

#[actix_rt::test]
async fn an_extractor_may_wait_and_may_answer_in_the_place_of_the_handler() {
    struct Member(String);
    impl FromEvent for Member {
        type Rejection = Rejection;
        async fn from_event(event: &Event) -> Result<Self, Rejection> {
            tokio::task::yield_now().await;
            let sender = Sender::from_event(event).await.map_err(Rejection::from)?;
            match sender.user_id.as_str() {
                "bob" => Err(Rejection::answer("members only")),
                "eve" => Err(Rejection::failed("no such user")),
                _ => Ok(Self(sender.user_id.to_string())),
            }
        }
    }
    async fn greet(Member(name): Member) -> String {
        format!("Hello {name}")
    }
    let bot = TestBot::new(Bot::new("club").on_text(greet));
    assert_eq!(bot.hears("x").await, ["Hello alice"]);
    assert_eq!(bot.from("bob").hears("x").await, ["members only"]);
    let failed = bot.from("eve").hears("x").await;
    assert_eq!(failed.failures()[0].to_string(), "no such user");
    assert_eq!(failed.texts(), ["Sorry, something went wrong."]);
}

#[actix_rt::test]
async fn several_answers_come_in_order_and_a_failure_sends_none() {
    async fn many(text: Text) -> Result<(String, Vec<&'static str>, Option<Draft>), String> {
        if &*text == "fail" {
            return Err("as asked".to_owned());
        }
        Ok((text.into_inner(), vec!["two", "three"], None))
    }
    let bot = TestBot::new(Bot::new("many").on_text(many));
    assert_eq!(bot.hears("one").await, ["one", "two", "three"]);
    let failed = bot.in_group("g").hears("fail").await;
    assert!(
        failed.texts().is_empty(),
        "nobody asked the bot: {failed:?}"
    );
    assert_eq!(failed.failures().len(), 1);
    let failed = bot.in_group("g").mentioning().hears("fail").await;
    assert_eq!(failed.texts().len(), 1);
}

#[actix_rt::test]
async fn a_handler_of_errors_answers_for_the_others_and_sees_what_happened() {
    async fn fail(text: Text) -> Result<(), std::num::ParseIntError> {
        if &*text == "panic" {
            panic!("as asked");
        }
        text.parse::<u32>().map(drop)
    }
    async fn sorry(failure: Failure, sender: Sender) -> String {
        let error = failure.error().is_some();
        format!(
            "{}: {failure} ({error}, {})",
            sender.user_id,
            failure.is_panic()
        )
    }
    let bot = TestBot::new(Bot::new("sorry").on_text(fail).on_error(sorry));
    let said = bot.hears("x").await.texts();
    assert_eq!(said, ["alice: invalid digit found in string (true, false)"]);
    let said = bot.hears("panic").await.texts();
    assert_eq!(said, ["alice: it panicked: as asked (false, true)"]);
}

#[actix_rt::test]
async fn filters_combine_and_what_a_handler_passes_goes_to_the_next() {
    async fn first(text: Text) -> Result<&'static str, Pass> {
        if &*text == "mine" {
            Ok("first")
        } else {
            Err(Pass)
        }
    }
    async fn second() -> &'static str {
        "second"
    }
    async fn third() -> &'static str {
        "third"
    }
    async fn asked(event: Event) -> bool {
        tokio::task::yield_now().await;
        event.message().and_then(Message::text) != Some("no")
    }
    let bot = TestBot::new(
        Bot::new("filters")
            .on(filter::private() & !filter::from("eve"), first)
            .on(
                (filter::mentioned() | filter::contains("HELP")) & filter::ask(asked),
                second,
            )
            .on(filter::in_group("g") & filter::regex("^[0-9]+$"), third),
    );
    assert_eq!(bot.hears("mine").await, ["first"]);
    assert_eq!(bot.hears("please help").await, ["second"]);
    bot.from("eve").hears("mine").await.expect_no_reply();
    let group = bot.in_group("g");
    assert_eq!(group.hears("17").await, ["third"]);
    group.hears("17a").await.expect_no_reply();
    assert_eq!(group.clone().mentioning().hears("17").await, ["second"]);
    group
        .clone()
        .mentioning()
        .hears("no")
        .await
        .expect_no_reply();
    bot.in_group("h").hears("17").await.expect_no_reply();
}

#[actix_rt::test]
async fn middleware_goes_around_every_handler() {
    async fn loud(event: Event, next: Next) -> Reply {
        if event.message().and_then(Message::text) == Some("stop") {
            return Reply::none();
        }
        Reply::message("before").then(next.run(event).await)
    }
    async fn inner(event: Event, next: Next) -> Reply {
        next.run(event).await.then(Reply::message("after"))
    }
    async fn echo(text: Text) -> String {
        text.into_inner()
    }
    let bot = Bot::new("layers").middleware(loud).middleware(inner);
    let bot = TestBot::new(bot.on_text(echo));
    assert_eq!(bot.hears("hi").await, ["before", "hi", "after"]);
    bot.hears("stop").await.expect_no_reply();
}

#[actix_rt::test]
async fn what_happens_to_the_account_reaches_everybody() {
    async fn one(api: Api, kicked: Kicked) -> Result<(), ApiError> {
        api.send_text("admin", format!("one {kicked:?}")).await?;
        Ok(())
    }
    async fn two(api: Api) -> Result<(), ApiError> {
        api.send_text("admin", "two").await?;
        Ok(())
    }
    let bot = TestBot::new(
        Bot::new("watch")
            .on_kicked(one)
            .on_not_ready(two)
            .on_not_ready(two),
    );
    let told = bot.kick(Kicked::MultipleDevice).await;
    assert_eq!(told, ["one MultipleDevice", "two", "two"]);
}

#[test]
fn a_bot_that_is_put_together_wrongly_is_not_made() {
    struct Shop;
    async fn state(_: State<Shop>) {}
    async fn text(_: Text) {}
    async fn any() {}
    async fn maybe(_: Group) {}
    let all = |bot: Bot| match bot.check() {
        Ok(()) => String::new(),
        Err(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
    };
    assert!(all(Bot::new("a").on_text(state)).contains("add `.state(…)`"));
    assert_eq!(all(Bot::new("a").state(Shop).on_text(state)), "");
    assert!(all(Bot::new("a").on_ready(text)).contains("is never called: no event"));
    assert!(all(Bot::new("a").on_text(any).on_text(text)).contains("comes first"));
    assert!(all(Bot::new("a").on_message(any).on_text(text)).contains("comes first"));
    assert_eq!(all(Bot::new("a").on_text(maybe).on_text(text)), "");
    assert_eq!(
        all(Bot::new("a").on(filter::private(), any).on_text(text)),
        ""
    );
    assert!(all(Bot::new("a").on(filter::regex("("), any)).contains("cannot be used"));
    assert_eq!(all(Bot::new("a").on_ready(any).on_ready(any)), "");
}

// ── dialogues ────────────────────────────────────────────────────────────────────────────────

#[actix_rt::test]
async fn messages_are_shared_and_not_copied() {
    async fn same(one: Arc<Message>, two: Arc<Message>) -> String {
        Arc::ptr_eq(&one, &two).to_string()
    }
    let bot = TestBot::new(Bot::new("same").on_text(same));
    assert_eq!(bot.hears("x").await, ["true"]);
}

#[actix_rt::test]
async fn filters_know_admins_and_roles_of_the_config() {
    let mut bot = Bot::new("b")
        .on(filter::from_admin(), async || "admin")
        .on(filter::from_role("support"), async || "support")
        .on_text(async || "everybody");
    let section = toml::toml! {
        admins = ["root"]
        roles = { support = ["carol"] }
    };
    bot.configure(Some(&section)).unwrap();
    let bot = TestBot::new(bot);
    for (user, expected) in [
        ("root", "admin"),
        ("carol", "support"),
        ("bob", "everybody"),
    ] {
        assert_eq!(bot.from(user).hears("hi").await, expected);
    }
}
