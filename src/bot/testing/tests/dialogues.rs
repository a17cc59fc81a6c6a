//! Bots that ask, and wait for approvals.

use super::super::*;
use crate::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

async fn signup(
    text: Text,
    dialogue: Dialogue,
    api: Api,
) -> Result<Option<String>, Box<dyn std::error::Error + Send + Sync>> {
    if &*text != "signup" {
        return Ok(None);
    }
    api.send_text("admin", "somebody signs up").await?;
    let name: String = dialogue.ask("Your name?").await?;
    let number = api
        .run("number", || async {
            Ok::<_, std::io::Error>(COUNT.fetch_add(1, Ordering::Relaxed))
        })
        .await?;
    let age: u8 = dialogue
        .ask("Your age?")
        .check(|age| *age >= 18)
        .retry("18 or more, please.")
        .await?;
    api.send_text("admin", format!("{name} is {age}")).await?;
    let sizes = ["small", "large"];
    let size = dialogue.choose("Which size?", &sizes).await?;
    let _ = number;
    Ok(Some(format!("{name}, {age}, {}", sizes[size])))
}

static COUNT: AtomicU32 = AtomicU32::new(0);

fn signup_bot() -> Bot {
    Bot::new("signup").on_text(signup)
}

#[actix_rt::test]
async fn a_dialogue_asks_asks_again_and_ends() {
    let bot = TestBot::new(signup_bot());
    bot.hears("hello").await.expect_no_reply();
    assert_eq!(
        bot.hears("signup").await,
        ["somebody signs up", "Your name?"]
    );
    assert_eq!(bot.dialogues(), 1);
    // Others are not part of it.
    bot.from("bob").hears("Bob").await.expect_no_reply();
    bot.in_group("g").hears("Alice").await.expect_no_reply();
    assert_eq!(bot.hears("Alice").await, ["Your age?"]);
    assert_eq!(bot.hears("old").await, ["18 or more, please."]);
    assert_eq!(bot.hears("7").await, ["18 or more, please."]);
    let asked = bot.hears("42").await;
    assert_eq!(asked, ["Alice is 42", "Which size?\n1. small\n2. large"]);
    assert_eq!(
        bot.hears("3").await,
        ["Please choose one of: small, large."]
    );
    assert_eq!(bot.hears("2").await, ["Alice, 42, large"]);
    assert_eq!(bot.dialogues(), 0);
    bot.hears("hello").await.expect_no_reply();
}

#[actix_rt::test]
async fn a_dialogue_can_be_cancelled_and_ends_with_its_time() {
    let bot = TestBot::new(signup_bot());
    bot.hears("signup").await;
    assert_eq!(bot.hears("取消").await, ["OK, cancelled."]);
    assert_eq!(bot.dialogues(), 0);
    bot.hears("signup").await;
    bot.advance("23h").await.expect_no_reply();
    bot.hears("Alice").await;
    bot.advance("23h").await.expect_no_reply();
    let over = bot.advance("2h").await;
    assert_eq!(over, ["You did not answer in time. Please start again."]);
    bot.hears("42").await.expect_no_reply();
}

#[actix_rt::test]
async fn a_dialogue_that_was_changed_is_not_misread() {
    async fn other(text: Text, dialogue: Dialogue) -> Result<Option<String>, DialogueError> {
        if &*text != "signup" {
            return Ok(None);
        }
        let city: String = dialogue.ask("Your city?").await?;
        Ok(Some(city))
    }
    let changed = "This dialogue was changed by an update in the meantime. Please start again.";
    let bot = TestBot::new(signup_bot());
    bot.hears("signup").await;
    bot.hears("Alice").await;
    bot.upgrade(signup_bot()).await.expect_no_reply();
    assert_eq!(
        bot.hears("42").await.texts().len(),
        2,
        "the same bot goes on"
    );
    // Another handler, and a handler of the name that asks something else.
    bot.upgrade(Bot::new("signup").on_text(other))
        .await
        .expect_no_reply();
    assert_eq!(bot.hears("2").await, [changed]);
    assert_eq!(bot.hears("signup").await, ["Your city?"]);
    assert_eq!(bot.hears("Ulm").await, ["Ulm"]);
}

/// The process dies at every write of the store, and what the user sees is the same.
#[actix_rt::test]
async fn a_dialogue_killed_at_every_write_asks_and_ends_once() {
    let script = ["signup", "Alice", "x", "42", "2"];
    let whole = TestBot::new(signup_bot());
    let mut expected = Vec::new();
    for line in script {
        expected.extend(whole.hears(line).await.texts());
    }
    let mut deaths = 0;
    for (line, _) in script.iter().enumerate() {
        for writes in 0.. {
            let bot = TestBot::new(signup_bot());
            let mut said = Vec::new();
            let mut died = false;
            for (number, text) in script.iter().enumerate() {
                if number == line {
                    bot.die_after(writes);
                }
                let outcome = bot.hears(text).await;
                said.extend(outcome.texts());
                if number == line {
                    died = outcome.is_stuck();
                    said.extend(bot.crash_and_restart().await.texts());
                }
            }
            assert_eq!(
                said, expected,
                "died at write {writes} of {:?}",
                script[line]
            );
            assert_eq!(bot.dialogues(), 0);
            if !died {
                break;
            }
            deaths += 1;
        }
    }
    assert!(deaths >= script.len(), "{deaths} deaths");
}

#[actix_rt::test]
async fn requests_of_a_dialogue_are_made_once() {
    async fn profile(
        dialogue: Dialogue,
        api: Api,
    ) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let friends = api.friends().await?.len();
        let name: String = dialogue.ask("Name?").await?;
        let age: u8 = dialogue.ask("Age?").await?;
        Ok(format!("{friends} {name} {age}"))
    }
    let bot = TestBot::new(Bot::new("profile").on_text(profile));
    bot.answer(
        "sns.friend_get",
        &serde_json::json!({"FriendNum": 0, "UserDataItem": [], "CompleteFlag": 1}),
    );
    for line in ["x", "Ann"] {
        bot.hears(line).await;
    }
    assert_eq!(bot.hears("9").await, ["0 Ann 9"]);
    assert_eq!(bot.calls().len(), 1);
}

#[actix_rt::test]
async fn a_command_is_no_answer_and_the_question_still_waits() {
    async fn name(dialogue: Dialogue) -> Result<String, DialogueError> {
        let name: String = dialogue.ask("Your name?").await?;
        Ok(format!("Hello {name}"))
    }
    async fn time(_dialogue: Dialogue) -> &'static str {
        "noon"
    }
    let bot = Bot::new("b").command("name", name).command("time", time);
    let bot = TestBot::new(bot);
    assert_eq!(bot.hears("/name").await, ["Your name?"]);
    assert_eq!(bot.hears("/time").await, ["noon"]);
    assert!(bot.hears("/help").await.texts()[0].contains("/name"));
    assert_eq!(bot.hears("/name").await, ["Your name?"], "it begins anew");
    assert_eq!(bot.hears("Ann").await, ["Hello Ann"]);
    assert_eq!(bot.dialogues(), 0);
    bot.hears("/name").await;
    assert_eq!(bot.hears("/cancel").await, ["OK, cancelled."]);
}

// ── approvals ────────────────────────────────────────────────────────────────────────────────

async fn refund(Args(sum): Args<u32>, dialogue: Dialogue) -> Result<String, DialogueError> {
    let why: String = dialogue.ask("Why?").await?;
    let ops = Conversation::group("ops");
    let question = format!("Refund {sum} ({why})?");
    let approval = dialogue.approval(ops, question).await?;
    let bank: String = match approval.granted {
        true => dialogue.ask("Which account?").await?,
        false => return Ok(format!("{} says no", approval.by)),
    };
    Ok(format!("{sum} to {bank}, says {}", approval.by))
}

fn shop() -> Bot {
    Bot::new("shop")
        .command("refund <sum:1..1000>", refund)
        .on_text(async |text: Text| format!("echo {}", &*text))
}

/// The code in a question.
fn code_of(outcome: &Outcome) -> String {
    let text = outcome.texts().concat();
    let (_, code) = text.split_once("approve ").unwrap();
    code[..4].to_owned()
}

#[actix_rt::test]
async fn an_approval_waits_for_days_for_somebody_else() {
    let bot = TestBot::new(shop());
    bot.hears("/refund 100").await;
    let asked = bot.hears("broken").await;
    assert_eq!(asked.sent()[0].0, Conversation::group("ops"));
    assert!(
        asked.texts()[0].starts_with("alice asks: Refund 100 (broken)?"),
        "{asked:?}"
    );
    let code = code_of(&asked);
    // Who waits may say what they like, and cannot decide.
    assert_eq!(bot.hears("hello").await, ["echo hello"]);
    let ops = bot.from("bob").in_group("ops");
    let own = bot.in_group("ops").hears(&format!("approve {code}")).await;
    assert_eq!(own, ["You cannot decide about your own request."]);
    assert_eq!(ops.hears("approve XXXX").await, ["echo approve XXXX"]);
    bot.advance("3d").await.expect_no_reply();
    bot.crash_and_restart().await.expect_no_reply();
    let elsewhere = bot.from("bob").in_group("g");
    assert_eq!(
        elsewhere
            .hears(&format!("approve {code}"))
            .await
            .texts()
            .len(),
        1
    );
    let decided = ops.hears(&format!("Approve {}", code.to_lowercase())).await;
    assert_eq!(
        decided,
        [&*format!("{code} is approved."), "Which account?"]
    );
    assert_eq!(decided.sent()[0].0, Conversation::group("ops"));
    assert_eq!(decided.sent()[1].0, Conversation::c2c("alice"));
    assert_eq!(
        ops.hears(&format!("reject {code}")).await.texts().len(),
        1,
        "it is decided"
    );
    assert_eq!(bot.hears("DE12").await, ["100 to DE12, says bob"]);
    assert_eq!(bot.dialogues(), 0);
}

#[actix_rt::test]
async fn an_approval_is_refused_cancelled_and_over() {
    let bot = TestBot::new(shop());
    bot.hears("/refund 100").await;
    let code = code_of(&bot.hears("broken").await);
    let ops = bot.from("bob").in_group("ops");
    let said = ops.hears(&format!("拒绝 {code}")).await;
    assert_eq!(said, [&*format!("{code} 已拒绝。"), "bob says no"]);
    bot.hears("/refund 100").await;
    bot.hears("broken").await;
    assert_eq!(bot.hears("cancel").await, ["OK, cancelled."]);
    bot.hears("/refund 100").await;
    bot.hears("broken").await;
    assert_eq!(bot.advance("8d").await.texts().len(), 1);
    assert_eq!(bot.dialogues(), 0);
}
