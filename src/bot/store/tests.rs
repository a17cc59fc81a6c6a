use crate::account::AccountHandle;
use crate::bot::api::Api;
use crate::bot::event::{Event, What};
use crate::bot::ledger::{Ledger, Shelf, cell_key};
use crate::bot::testing::TestBot;
use crate::prelude::*;
use crate::proto::message::C2cItem;
use crate::store::Store as Backing;
use botroupe_core::ledger::{AccountNo, Recovered, Scope};
use futures_util::FutureExt as _;
use std::sync::Arc;
use std::time::Duration;

/// What a handler says of a failure.
type Said = Result<String, ValueError>;

fn shown<T: std::fmt::Debug>(value: &T) -> String {
    format!("{value:?}")
}

async fn of_bot(text: Text, store: Store<String>) -> Said {
    let cells = store.bot();
    let mut words = text.split(' ');
    let (what, value) = (words.next().unwrap_or_default(), words.next());
    let value = value.unwrap_or_default().to_owned();
    Ok(match what {
        "set" => {
            cells.set("x", &value).await?;
            shown(&cells.get("x").await?)
        }
        "brief" => {
            let time = Duration::from_secs(3600);
            cells.set_for("x", &value, time).await?;
            shown(&cells.get("x").await?)
        }
        "remove" => {
            cells.remove("x").await?;
            shown(&cells.get("x").await?)
        }
        "append" => {
            cells
                .update("x", |before| before.unwrap_or_default() + &value)
                .await?
        }
        "swap" => {
            let expected = Some("a".to_owned());
            let swapped = cells
                .compare_and_set("x", expected.as_ref(), &value)
                .await?;
            shown(&swapped)
        }
        "first" => shown(&cells.compare_and_set("x", None, &value).await?),
        "fail" => {
            cells.set("x", &value).await?;
            return Err(ValueError::NoMessage);
        }
        _ => shown(&cells.get("x").await?),
    })
}

#[actix_rt::test]
async fn values_are_set_read_changed_and_removed_and_a_handler_sees_its_own_writes() {
    let bot = TestBot::new(Bot::new("values").on_text(of_bot));
    for (said, answer) in [
        ("get", "None"),
        ("set a", "Some(\"a\")"),
        ("get", "Some(\"a\")"),
        ("append b", "ab"),
        ("swap c", "false"),
        ("set a", "Some(\"a\")"),
        ("first c", "false"),
        ("swap c", "true"),
        ("get", "Some(\"c\")"),
        ("remove", "None"),
        ("get", "None"),
        ("first d", "true"),
        ("brief e", "Some(\"e\")"),
        ("get", "Some(\"e\")"),
    ] {
        assert_eq!(bot.say(said).await, [answer], "{said}");
    }
}

#[actix_rt::test]
async fn what_a_handler_writes_that_fails_is_dropped() {
    let bot = TestBot::new(Bot::new("values").on_text(of_bot));
    assert_eq!(bot.say("set a").await, ["Some(\"a\")"]);
    assert_eq!(bot.hears("fail b").await.failures().len(), 1);
    assert_eq!(bot.say("get").await, ["Some(\"a\")"]);
}

async fn every_scope(store: Store<u64>) -> Said {
    let scopes = [
        store.bot(),
        store.account(),
        store.conversation()?,
        store.user()?,
    ];
    let mut counts = Vec::new();
    for cells in scopes {
        let count = cells.update("x", |count| count.unwrap_or(0) + 1).await?;
        counts.push(count);
    }
    let alice = store.of_user("alice").get("x").await?;
    Ok(format!("{counts:?} {alice:?}"))
}

#[actix_rt::test]
async fn each_scope_has_values_of_its_own() {
    let bot = TestBot::new(Bot::new("values").on_text(every_scope));
    assert_eq!(bot.say("1").await, ["[1, 1, 1, 1] Some(1)"]);
    let bob = bot.hear("bob", vec![Element::text("2")]).await;
    assert_eq!(bob, ["[2, 2, 1, 1] Some(1)"]);
    assert_eq!(bot.say("3").await, ["[3, 3, 2, 2] Some(2)"]);
}

async fn of_another_type(text: Text, store: Store<u64>, words: Store<String>) -> Said {
    if &*text == "set" {
        words.bot().set("x", &"word".to_owned()).await?;
        return Ok(String::new());
    }
    let read = store.bot().get("x").await;
    Ok(read.unwrap_err().to_string())
}

#[actix_rt::test]
async fn a_value_of_another_type_is_said_to_be_one() {
    let bot = TestBot::new(Bot::new("values").on_text(of_another_type));
    bot.say("set").await;
    let said = bot.say("get").await.concat();
    assert!(said.contains("\"x\" does not fit its type"), "{said}");
}

/// An account of a bot, on the shelf.
fn ledger(shelf: &Arc<Shelf>, number: u32) -> Arc<Ledger> {
    let account = AccountHandle::new(UserId::from("bot"));
    let number = AccountNo(number);
    Ledger::new(shelf.clone(), number, account, Recovered::default())
}

fn event(ledger: &Arc<Ledger>, what: What) -> Event {
    let api = Api::recorded(Arc::default());
    let bot = Bot::new("values").into_tested();
    Event::of_test(what, api, bot, ledger.clone())
}

fn said(seq: u32) -> What {
    let item = C2cItem {
        seq,
        ..C2cItem::new("alice", "bot", vec![Element::text("hi")])
    };
    What::Message(Arc::new(Message::from_c2c(item, "bot")))
}

/// Ends the handler of an event.
fn end(ledger: &Ledger, event: &Event, succeeded: bool) {
    if let Some(exchange) = event.exchange() {
        ledger.close(&exchange, succeeded);
    }
}

fn store<T>(event: &Event) -> Store<T> {
    let store = Store::from_event(event).now_or_never();
    store.unwrap().unwrap()
}

#[actix_rt::test]
async fn without_a_message_there_is_neither_a_conversation_nor_a_sender() {
    let shelf = Shelf::new(Backing::memory(), u64::MAX);
    let ledger = ledger(&shelf, 1);
    let event = event(&ledger, What::Start);
    let values: Store<u64> = store(&event);
    assert_eq!(values.conversation().unwrap_err(), ValueError::NoMessage);
    assert_eq!(values.user().unwrap_err(), ValueError::NoMessage);
    values.account().set("x", &1).await.unwrap();
    values.of_user("alice").set("x", &2).await.unwrap();
    end(&ledger, &event, true);
    let event = self::event(&ledger, said(1));
    let values: Store<u64> = store(&event);
    assert_eq!(values.account().get("x").await, Ok(Some(1)));
    assert_eq!(values.user().unwrap().get("x").await, Ok(Some(2)));
}

#[actix_rt::test]
async fn accounts_share_the_values_of_the_bot_and_no_others() {
    let shelf = Shelf::new(Backing::memory(), u64::MAX);
    let (one, two) = (ledger(&shelf, 1), ledger(&shelf, 2));
    let writer = event(&one, said(1));
    let values: Store<u64> = store(&writer);
    for cells in [
        values.bot(),
        values.account(),
        values.conversation().unwrap(),
        values.user().unwrap(),
    ] {
        cells.set("x", &7).await.unwrap();
    }
    end(&one, &writer, true);
    let reader = event(&two, said(1));
    let values: Store<u64> = store(&reader);
    assert_eq!(values.bot().get("x").await, Ok(Some(7)));
    assert_eq!(values.account().get("x").await, Ok(None));
    assert_eq!(values.conversation().unwrap().get("x").await, Ok(None));
    assert_eq!(values.user().unwrap().get("x").await, Ok(None));
}

#[actix_rt::test]
async fn a_value_whose_time_is_over_is_gone() {
    let shelf = Shelf::new(Backing::memory(), u64::MAX);
    let ledger = ledger(&shelf, 1);
    let writer = event(&ledger, said(1));
    let values: Store<u64> = store(&writer);
    let hour = Duration::from_secs(3600);
    values.bot().set_for("x", &1, hour).await.unwrap();
    values.bot().set("y", &2).await.unwrap();
    end(&ledger, &writer, true);
    let later = crate::gateway::now().unix_secs() + 3601;
    let at = |name: &str, now| {
        let key = cell_key("values", Scope::Bot, name);
        shelf.store().cell(key, now)
    };
    assert!(at("x", later - 60).await.unwrap().is_some());
    assert!(at("x", later).await.unwrap().is_none());
    assert!(at("y", later).await.unwrap().is_some());
}

#[actix_rt::test]
async fn what_would_exceed_the_quota_is_refused_and_changes_nothing() {
    // A name of one byte and a value of three.
    let shelf = Shelf::new(Backing::memory(), 8);
    let ledger = ledger(&shelf, 1);
    let first = event(&ledger, said(1));
    let values: Store<String> = store(&first);
    let cells = values.bot();
    let (short, long) = ("a".to_owned(), "abcde".to_owned());
    cells.set("x", &short).await.unwrap();
    let refused = Err(ValueError::QuotaExceeded { limit: 8 });
    assert_eq!(cells.set("y", &long).await, refused);
    assert_eq!(cells.get("y").await, Ok(None));
    cells.set("y", &short).await.unwrap();
    end(&ledger, &first, true);
    let second = event(&ledger, said(2));
    let cells = store::<String>(&second).bot();
    assert_eq!(cells.set("z", &short).await, refused);
    let swapped = cells.compare_and_set("x", Some(&short), &long).await;
    assert_eq!(swapped, Err(ValueError::QuotaExceeded { limit: 8 }));
    cells.remove("y").await.unwrap();
    end(&ledger, &second, true);
    let third = event(&ledger, said(3));
    store::<String>(&third)
        .bot()
        .set("z", &short)
        .await
        .unwrap();
}

#[actix_rt::test]
async fn of_two_updates_of_one_value_none_is_lost_and_who_waits_too_long_is_told() {
    let shelf = Shelf::new(Backing::memory(), u64::MAX);
    let (one, two) = (ledger(&shelf, 1), ledger(&shelf, 2));
    let first = event(&one, said(1));
    let cells = store::<u64>(&first).bot();
    let add = |count: Option<u64>| count.unwrap_or(0) + 1;
    assert_eq!(cells.update("x", add).await, Ok(1));
    assert_eq!(cells.update("x", add).await, Ok(2), "the lock is its own");

    let second = event(&two, said(2));
    let cells = store::<u64>(&second).bot();
    assert_eq!(cells.update("y", add).await, Ok(1), "another value is free");
    let mut waiting = std::pin::pin!(cells.update("x", add));
    assert!(waiting.as_mut().now_or_never().is_none());
    end(&one, &first, true);
    assert_eq!(waiting.await, Ok(3));
    end(&two, &second, true);

    tokio::time::pause();
    let third = event(&one, said(3));
    assert_eq!(store::<u64>(&third).bot().update("x", add).await, Ok(4));
    let fourth = event(&two, said(4));
    let busy = store::<u64>(&fourth).bot().update("x", add).await;
    let name = "x".to_owned();
    assert_eq!(busy, Err(ValueError::Busy { name }));
    end(&one, &third, false);
    assert_eq!(store::<u64>(&fourth).bot().update("x", add).await, Ok(4));
}
