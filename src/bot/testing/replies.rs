//! Tests of what handlers take and answer.

use super::*;
use crate::prelude::*;
use std::sync::Arc;

#[actix_rt::test]
async fn a_handler_may_take_twelve_parameters() {
    #[expect(clippy::too_many_arguments, reason = "that is what is tried")]
    async fn all(
        text: Text,
        one: Message,
        two: Arc<Message>,
        _: Messages,
        sender: Sender,
        _: Conversation,
        _: Option<Group>,
        _: Result<Group, Skipped>,
        _: Api,
        _: Event,
        _: Language,
        _: Texts,
    ) -> String {
        let same = one.seq == two.seq;
        format!("{} said {} ({same})", sender.user_id, &*text)
    }
    let bot = TestBot::new(Bot::new("all").on_text(all));
    assert_eq!(bot.hears("hi").await, ["alice said hi (true)"]);
}

#[actix_rt::test]
async fn an_answer_quotes_and_mentions() {
    async fn answer(message: Message) -> Reply {
        Reply::message("yes").quoting(&message).mentioning(&message)
    }
    let bot = TestBot::new(Bot::new("b").on_text(answer));
    let said = bot.from("bob").in_group("g").hears("well?").await;
    assert_eq!(said, "@bob yes");
    let draft = &said.sent()[0].1;
    assert!(draft.cloud_custom_data.contains("well?"));
    assert_eq!(draft.mentions.len(), 1);
    let said = bot.hears("well?").await;
    assert_eq!(said, "yes");
    assert!(said.sent()[0].1.mentions.is_empty());
}

#[actix_rt::test]
async fn a_reply_that_waits_for_its_time_comes_once_over_crashes() {
    async fn answer(text: Text, api: Api) -> Result<(&'static str, Reply), &'static str> {
        if &*text == "fail" {
            return Err("no");
        }
        assert!(api.alarms().is_empty());
        let later = Reply::after(Duration::from_millis(29_500), &*text);
        Ok(("Wait.", later))
    }
    let bot = TestBot::new(
        Bot::new("b")
            .command("other", async || "x")
            .on_message(answer),
    );
    assert_eq!(bot.hears("one").await, ["Wait."]);
    assert_eq!(bot.in_group("g").from("bob").hears("two").await, ["Wait."]);
    bot.advance("20s").await.expect_no_reply();
    bot.crash_and_restart().await.expect_no_reply();
    let said = bot.advance("30s").await;
    assert_eq!(said, ["one", "two"]);
    assert_eq!(said.sent()[0].0, Conversation::c2c("alice"));
    assert_eq!(said.sent()[1].0, Conversation::group("g"));
    bot.crash_and_restart().await.expect_no_reply();
    bot.advance("1d").await.expect_no_reply();
    assert_eq!(bot.hears("fail").await.failures().len(), 1);
    bot.advance("1d").await.expect_no_reply();
}

#[actix_rt::test]
async fn typing_is_shown_while_a_handler_runs_and_only_one_to_one() {
    use crate::bot::typing::Pace;
    use tokio::sync::Notify;
    let (seen, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let gate = go.clone();
    let told = seen.clone();
    let slow = move |text: Text| {
        let (gate, told) = (gate.clone(), told.clone());
        async move {
            if &*text == "slow" {
                told.notify_one();
                gate.notified().await;
            }
            "done"
        }
    };
    let pace = Pace {
        after: Duration::ZERO,
        every: Duration::from_secs(3600),
    };
    let bot = TestBot::new(Bot::new("b").typing_at(pace).on_text(slow));
    let shown = |outcome: &Outcome| {
        let first = &outcome.sent()[0].1.elements[0];
        matches!(first, Element::Custom(_))
    };
    // It goes on once typing was shown.
    let recording = bot.stage.recording();
    let opener = async {
        seen.notified().await;
        while recording.sent() == 0 {
            tokio::task::yield_now().await;
        }
        go.notify_one();
    };
    let (outcome, ()) = tokio::join!(bot.hears("slow"), opener);
    assert!(shown(&outcome) && outcome.sent().len() == 2, "{outcome:?}");
    assert!(outcome.sent()[0].1.options.online_only);
    assert_eq!(bot.hears("quick").await.sent().len(), 1);
    go.notify_one();
    let outcome = bot.in_group("g").hears("slow").await;
    assert_eq!(outcome.sent().len(), 1, "{outcome:?}");
}
