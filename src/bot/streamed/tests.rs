//! Tests of replies that grow, on the clock of a test.

use crate::bot::testing::{Outcome, TestBot};
use crate::prelude::*;
use futures_util::stream::{self, Stream};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Pieces, each after so many milliseconds. `!` fails, `?` panics, and after `…` nothing comes any more.
fn pieces(
    api: Api,
    all: &'static [(u64, &'static str)],
) -> impl Stream<Item = Result<String, Failed>> + Send {
    stream::unfold((api, all.iter()), |(api, mut left)| async move {
        let (wait, piece) = left.next()?;
        if *wait > 0 {
            api.sleep(Duration::from_millis(*wait)).await;
        }
        let piece = match *piece {
            "!" => Err("no more".into()),
            "?" => panic!("what?"),
            "…" => std::future::pending().await,
            piece => Ok(piece.to_owned()),
        };
        Some((piece, (api, left)))
    })
}

fn bot(all: &'static [(u64, &'static str)]) -> Bot {
    let tell = move |_: Text, api: Api| async move { Streamed::new(pieces(api, all)) };
    Bot::new("teller").on_text(tell)
}

fn edits(outcome: &Outcome) -> Vec<String> {
    assert!(
        !outcome.is_stuck() && outcome.failures().is_empty(),
        "{outcome:?}"
    );
    outcome.edits().iter().map(|edit| edit.text()).collect()
}

const STORY: &[(u64, &str)] = &[
    (0, "Once"),
    (200, " **upon"),
    (500, " a**"),
    (100, " time"),
    (2000, "."),
];

#[actix_rt::test]
async fn the_first_words_are_sent_and_the_message_grows() {
    let bot = TestBot::new(bot(STORY));
    bot.hears("tell").await.expect_no_reply();
    let said = bot.advance("600ms").await;
    assert_eq!(said, ["Once **upon**"]);
    assert!(edits(&said).is_empty());
    let said = bot.advance("1s").await;
    assert!(said.sent().is_empty());
    assert_eq!(edits(&said), ["Once **upon a** time"]);
    bot.advance("1s").await.expect_no_reply();
    let said = bot.advance("1s").await;
    assert_eq!(edits(&said), ["Once **upon a** time."]);
    assert_eq!(said.edits()[0].conversation(), &Conversation::c2c("alice"));
    bot.advance("1h").await.expect_no_reply();
    bot.crash_and_restart().await.expect_no_reply();
    // The next one is another message.
    bot.hears("tell").await.expect_no_reply();
    let said = bot.advance("1h").await;
    assert_eq!(said, ["Once **upon a** time."]);
    assert_eq!(said.sent().len(), 1);
}

#[actix_rt::test]
async fn what_comes_at_once_is_sent_at_once() {
    let all = TestBot::new(bot(&[(0, "All"), (0, " of"), (0, ""), (0, " it.")]));
    let said = all.hears("tell").await;
    assert_eq!(said, ["All of it."]);
    assert!(edits(&said).is_empty() && all.calls().is_empty());
    TestBot::new(bot(&[(0, " "), (0, "")]))
        .hears("tell")
        .await
        .expect_no_reply();
    TestBot::new(bot(&[])).hears("tell").await.expect_no_reply();
}

#[actix_rt::test]
async fn it_quotes_and_mentions_and_other_answers_keep_their_places() {
    async fn tell(message: Arc<Message>, api: Api) -> (&'static str, Reply, &'static str) {
        let all = pieces(api, STORY);
        let story = Streamed::new(all).ending("(told)").every(Duration::ZERO);
        let story = story.into_reply().quoting(&message).mentioning(&message);
        ("Well:", story, "The end.")
    }
    let bot = TestBot::new(Bot::new("teller").on_text(tell));
    assert_eq!(bot.from("bob").in_group("g").hears("tell").await, ["Well:"]);
    let said = bot.advance("1m").await;
    assert_eq!(said, ["@bob Once **upon a** time.\n(told)", "The end."]);
    let first = &said.sent()[0].1;
    assert!(first.cloud_custom_data.contains("tell") && first.mentions.len() == 1);
    let last = said.edits().last().unwrap().draft();
    assert_eq!(last.cloud_custom_data, first.cloud_custom_data);
    assert_eq!(said.edits()[0].text(), "@bob Once **upon a**\n(told)");
}

#[actix_rt::test]
async fn a_reply_that_fails_says_what_came_and_that_it_broke_off() {
    for (all, reason) in [
        (&[(0, "Once"), (900, " upon"), (0, "!")][..], "no more"),
        (
            &[(0, "Once"), (900, " upon"), (0, "?")][..],
            "it panicked: what?",
        ),
    ] {
        let bot = TestBot::new(bot(all));
        bot.hears("tell").await.expect_no_reply();
        let said = bot.advance("1m").await;
        assert_eq!(said.texts(), ["Once upon\n(The answer broke off here.)"]);
        assert_eq!(said.failures().len(), 1);
        assert_eq!(said.failures()[0].to_string(), reason);
        assert_eq!(said.sent().len(), 1, "no apology");
        bot.crash_and_restart().await.expect_no_reply();
    }
    // What comes at once is said, and where nothing came there is nothing to mark.
    let said = TestBot::new(bot(&[(0, "**你"), (0, "!")]))
        .hears("说")
        .await;
    assert_eq!(said.texts(), ["**你**\n（回答在此中断）"]);
    let said = TestBot::new(bot(&[(0, "!")])).hears("tell").await;
    assert_eq!(said.texts(), ["Sorry, something went wrong."]);
    assert_eq!(said.failures().len(), 1);
    // The bot's own handler of errors hears of it, and values stay as they were.
    async fn tell(_: Text, api: Api, count: Store<u32>) -> Result<Streamed, ValueError> {
        count.user()?.set("count", &1).await?;
        Ok(Streamed::new(pieces(api, &[(0, "Once"), (900, "!")])))
    }
    async fn sorry(failure: Failure, count: Store<u32>) -> Result<String, ValueError> {
        let count = count.user()?.get("count").await?;
        Ok(format!("{failure} {count:?}"))
    }
    let bot = TestBot::new(Bot::new("teller").on_text(tell).on_error(sorry));
    bot.hears("tell").await.expect_no_reply();
    let said = bot.advance("1m").await;
    assert_eq!(said.texts().len(), 2, "{said:?}");
    assert!(said.texts()[1].starts_with("no more"));
}

#[actix_rt::test]
async fn after_a_crash_the_message_goes_on_and_nothing_is_doubled() {
    for crash in ["0s", "550ms", "800ms", "1700ms", "2500ms"] {
        let bot = TestBot::new(bot(STORY));
        let mut said = bot.hears("tell").await;
        said.then(bot.advance(crash).await);
        said.then(bot.crash_and_restart().await);
        said.then(bot.advance("1m").await);
        assert_eq!(said.sent().len(), 1, "{crash}: {said:?}");
        assert_eq!(said.texts(), ["Once **upon a** time."], "{crash}");
        bot.crash_and_restart().await.expect_no_reply();
        bot.advance("1h").await.expect_no_reply();
    }
    for writes in 0..6 {
        let bot = TestBot::new(bot(STORY));
        bot.die_after(writes);
        let mut said = bot.hears("tell").await;
        said.then(bot.advance("1m").await);
        said.then(bot.crash_and_restart().await);
        said.then(bot.advance("1m").await);
        assert_eq!(said.sent().len(), 1, "{writes}: {said:?}");
        assert_eq!(said.texts(), ["Once **upon a** time."], "{writes}");
    }
}

#[actix_rt::test]
async fn what_is_said_after_a_crash_takes_the_place_of_what_was_said_before() {
    for (crash, parts) in [("600ms", 1), ("5s", 2)] {
        let runs = Arc::new(AtomicUsize::new(0));
        let tell = move |_: Text, api: Api| {
            let is_first = runs.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                let words = stream::unfold((api, 0), move |(api, number)| async move {
                    if !is_first {
                        let all = (number == 0).then(|| "Never mind.".to_owned());
                        return all.map(|all| (Ok::<_, Failed>(all), (api, 1)));
                    }
                    api.sleep(Duration::from_millis(20)).await;
                    Some((Ok(format!("word{number} ").repeat(10)), (api, number + 1)))
                });
                Streamed::new(words)
            }
        };
        let bot = TestBot::new(Bot::new("teller").on_text(tell));
        let mut said = bot.hears("tell").await;
        said.then(bot.advance(crash).await);
        assert_eq!(said.sent().len(), parts, "{crash}");
        said.then(bot.crash_and_restart().await);
        said.then(bot.advance("1m").await);
        let texts = said.texts();
        assert_eq!(
            (texts.len(), texts[0].as_str()),
            (parts, "Never mind."),
            "{crash}"
        );
        if parts > 1 {
            assert!(
                texts[1].ends_with("(The answer broke off here.)"),
                "{texts:?}"
            );
        }
        bot.crash_and_restart().await.expect_no_reply();
    }
}

#[actix_rt::test]
async fn what_is_not_said_again_after_a_crash_is_marked() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    async fn tell(_: Text, api: Api) -> Result<Streamed, Failed> {
        match RUNS.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(Streamed::new(pieces(api, STORY))),
            _ => Err("too dear".into()),
        }
    }
    let bot = TestBot::new(Bot::new("teller").on_text(tell));
    bot.hears("tell").await.expect_no_reply();
    assert_eq!(bot.advance("600ms").await, ["Once **upon**"]);
    // The server has the message as it was edited last.
    let item = json!({
        "From_Account": "bot", "To_Account": "alice", "MsgSeq": 1, "MsgRandom": 1, "MsgTimeStamp": 1,
        "MsgVersion": 1, "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "Once **upon a** time"}}],
    });
    let said = bot.advance("1s").await;
    assert_eq!(edits(&said), ["Once **upon a** time"]);
    bot.answer(
        "openim.getroammsg",
        &json!({"MsgList": [item], "Complete": 1, "MsgCnt": 1}),
    );
    let said = bot.crash_and_restart().await;
    assert_eq!(said.texts(), ["Sorry, something went wrong."]);
    let last = said.edits().last().unwrap();
    assert_eq!(
        last.text(),
        "Once **upon a** time\n(The answer broke off here.)"
    );
    assert_eq!(said.edits().len(), 1);
    bot.crash_and_restart().await.expect_no_reply();
}

#[actix_rt::test]
async fn a_newer_message_interrupts_it() {
    let bot = TestBot::new(bot(STORY).overlap(Overlap::Latest));
    bot.hears("tell").await.expect_no_reply();
    assert_eq!(bot.advance("600ms").await, ["Once **upon**"]);
    let mut said = bot.hears("tell me more").await;
    assert_eq!(said.edits()[0].text(), "Once **upon a** time");
    said.then(bot.advance("1m").await);
    let texts: Vec<String> = said.edits().iter().map(|edit| edit.text()).collect();
    let mark = "Once **upon a** time\n(interrupted)";
    assert_eq!(
        texts.iter().filter(|text| *text == mark).count(),
        1,
        "{texts:?}"
    );
    assert_eq!(said.texts(), ["Once **upon a** time."], "the next one");
    // What is interrupted before its first words says nothing.
    let bot = TestBot::new(self::bot(STORY).overlap(Overlap::Latest));
    bot.from("alice").drops_in("tell");
    bot.advance("100ms").await.expect_no_reply();
    bot.from("alice").drops_in("more");
    let said = bot.advance("1m").await;
    assert_eq!(said, ["Once **upon a** time."]);
    assert_eq!(said.sent().len(), 1);
}

#[actix_rt::test]
async fn the_end_of_the_program_interrupts_it_after_a_little_while() {
    let waits = TestBot::new(bot(&[(0, "Once"), (600_000, " upon")]));
    waits.hears("tell").await.expect_no_reply();
    assert_eq!(waits.advance("600ms").await, ["Once"]);
    waits.shut_down().await.expect_no_reply();
    let said = waits.advance("2100ms").await;
    assert_eq!(edits(&said), ["Once\n(interrupted)"]);
    let mut said = waits.crash_and_restart().await;
    said.then(waits.advance("1h").await);
    said.expect_no_reply();
    // What is nearly done is finished.
    let bot = TestBot::new(bot(STORY));
    bot.hears("tell").await.expect_no_reply();
    bot.advance("1700ms").await;
    bot.shut_down().await.expect_no_reply();
    assert_eq!(edits(&bot.advance("2s").await), ["Once **upon a** time."]);
}

#[actix_rt::test]
async fn who_has_edited_it_meanwhile_is_overwritten_and_a_refusal_is_not_the_end() {
    let bot = TestBot::new(bot(STORY));
    bot.hears("tell").await.expect_no_reply();
    bot.advance("600ms").await;
    let message = Message::sent(
        "bot",
        Conversation::c2c("alice"),
        vec![],
        String::new(),
        &serde_json::from_value(json!({"MsgKey": "1_1_0", "MsgTime": 0, "MsgSeq": 1})).unwrap(),
    );
    bot.api().message(&message).edit("hers").await.unwrap();
    let said = bot.advance("1m").await;
    assert_eq!(edits(&said).last().unwrap(), "Once **upon a** time.");
    // A server that cannot edit: the rest comes as another message.
    let bot = TestBot::new(self::bot(STORY));
    for _ in 0..10 {
        bot.refuse("openim.modify_c2c_msg", Code(10_004));
    }
    bot.hears("tell").await.expect_no_reply();
    let said = bot.advance("2m").await;
    assert_eq!(said, ["Once **upon**", "a** time."]);
    assert!(said.edits().is_empty());
    assert_eq!(bot.calls().len(), 6);
}

#[actix_rt::test]
async fn a_long_text_goes_on_in_the_next_message() {
    async fn tell(_: Text, api: Api) -> Streamed {
        let words = stream::unfold((api, 0), |(api, number)| async move {
            api.sleep(Duration::from_millis(20)).await;
            let piece = format!("word{number} ").repeat(10);
            (number < 400).then(|| (Ok::<_, Failed>(piece), (api, number + 1)))
        });
        Streamed::new(words)
    }
    let bot = TestBot::new(Bot::new("teller").on_text(tell));
    let mut said = bot.hears("tell").await;
    said.then(bot.advance("1m").await);
    let texts = said.texts();
    assert_eq!(texts.len(), 3);
    assert!(texts.iter().all(|text| Draft::text(text).check().is_ok()));
    let all: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.split_whitespace())
        .collect();
    assert_eq!(all.len(), 4000);
    assert_eq!((all[0], all[3999]), ("word0", "word399"));
    // A crash in the second message doubles none.
    let bot = TestBot::new(Bot::new("teller").on_text(tell));
    let mut said = bot.hears("tell").await;
    said.then(bot.advance("5s").await);
    said.then(bot.crash_and_restart().await);
    said.then(bot.advance("1m").await);
    assert_eq!(said.texts(), texts);
}
