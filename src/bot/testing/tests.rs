use super::*;
use crate::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

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
async fn messages_are_shared_and_not_copied() {
    async fn same(one: Arc<Message>, two: Arc<Message>) -> String {
        Arc::ptr_eq(&one, &two).to_string()
    }
    let bot = TestBot::new(Bot::new("same").on_text(same));
    assert_eq!(bot.hears("x").await, ["true"]);
}

// ── timers ───────────────────────────────────────────────────────────────────────────────────

async fn remind(
    Args((when, what)): Args<(String, String)>,
    api: Api,
) -> Result<&'static str, ApiError> {
    api.later(when.as_str(), "remind", &what).await?;
    if what == "fail" {
        return Err(ApiError::Unfit("as asked"));
    }
    Ok("I will.")
}

async fn ring(what: Later<String>, place: Conversation) -> String {
    format!("{}: {}", place.name(), *what)
}

async fn list(api: Api) -> Vec<String> {
    let all = api.alarms().into_iter();
    all.map(|alarm| alarm.payload().unwrap_or_default())
        .collect()
}

async fn forget(api: Api) -> Result<(), ApiError> {
    for alarm in api.alarms() {
        api.cancel_alarm(alarm.id()).await?;
    }
    Ok(())
}

fn reminder() -> Bot {
    Bot::new("reminder")
        .command("remind <when> <what...>", remind)
        .command("list", list)
        .command("forget", forget)
        .on_later("remind", ring)
}

#[actix_rt::test]
async fn a_reminder_rings_once_also_after_a_restart() {
    let bot = TestBot::new(reminder());
    assert_eq!(bot.hears("/remind 2h tea").await, ["I will."]);
    let group = bot.from("bob").in_group("g");
    assert_eq!(group.hears("/remind 1h cake").await, ["I will."]);
    assert_eq!(bot.hears("/list").await, ["cake", "tea"]);
    let failed = bot.hears("/remind 1h fail").await;
    assert_eq!(failed.failures().len(), 1);
    assert_eq!(bot.hears("/list").await, ["cake", "tea"], "nothing was set");
    bot.advance("50m").await.expect_no_reply();
    bot.crash_and_restart().await.expect_no_reply();
    assert_eq!(bot.advance("11m").await, ["g: cake"]);
    bot.crash_and_restart().await.expect_no_reply();
    assert_eq!(bot.advance("1d").await, ["alice: tea"]);
    bot.hears("/list").await.expect_no_reply();
    bot.hears("/remind 1h tea").await;
    bot.hears("/forget").await;
    bot.crash_and_restart().await;
    bot.advance("1d").await.expect_no_reply();
}

#[actix_rt::test]
async fn a_reminder_killed_at_every_write_rings_once() {
    for writes in 0.. {
        let bot = TestBot::new(reminder());
        bot.hears("/remind 1h tea").await;
        bot.die_after(writes);
        let rang = bot.advance("2h").await;
        let died = rang.is_stuck();
        let mut texts = rang.texts();
        texts.extend(bot.crash_and_restart().await.texts());
        texts.extend(bot.advance("1d").await.texts());
        assert_eq!(texts, ["alice: tea"], "died at write {writes}");
        if !died {
            assert!(writes > 0);
            break;
        }
    }
}

#[actix_rt::test]
async fn handlers_are_called_at_their_times() {
    async fn tick(api: Api) -> Result<(), ApiError> {
        api.send_text("admin", "tick").await?;
        Ok(())
    }
    async fn morning(api: Api) -> Result<(), ApiError> {
        api.send_text("admin", "good morning").await?;
        Ok(())
    }
    let bot = TestBot::new(Bot::new("clock").every("10m", tick));
    assert_eq!(bot.advance("35m").await, ["tick", "tick", "tick"]);
    bot.kick(Kicked::MultipleDevice).await;
    bot.advance("2h").await.expect_no_reply();
    assert_eq!(bot.ready().await, ["tick"], "once for all that were missed");
    bot.crash_and_restart().await.expect_no_reply();
    assert_eq!(bot.advance("10m").await, ["tick"]);
    let daily = Cron::new("0 9 * * *").zone("Asia/Shanghai");
    let bot = TestBot::new(Bot::new("clock").cron(daily, morning));
    assert_eq!(bot.advance("3d").await.texts().len(), 3);
    let wrong = Bot::new("clock").every("soon", morning).check();
    assert!(wrong.unwrap_err()[0].to_string().contains("duration"));
}

// ── overlap and age ──────────────────────────────────────────────────────────────────────────

async fn count(text: Text, messages: Messages) -> String {
    let all: Vec<_> = messages
        .iter()
        .filter_map(|message| message.text())
        .collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), all);
    all.join(" ")
}

#[actix_rt::test]
async fn a_burst_is_handled_at_once_and_a_command_breaks_it() {
    async fn now() -> &'static str {
        "now!"
    }
    let patient = || {
        Bot::new("patient")
            .overlap(Overlap::Burst(Duration::from_secs(5)))
            .command("now", now)
            .on_text(count)
    };
    let bot = TestBot::new(patient());
    for text in ["one", "two"] {
        bot.from("alice").drops_in(text);
        bot.advance("2s").await.expect_no_reply();
    }
    bot.from("bob").in_group("g").drops_in("other");
    assert_eq!(bot.advance("4s").await, ["one two"]);
    assert_eq!(bot.advance("4s").await, ["other"]);
    bot.from("alice").drops_in("three");
    assert_eq!(bot.hears("/now").await, ["three", "now!"]);
    // Nothing of it is lost with the process.
    bot.from("alice").drops_in("four");
    bot.from("alice").drops_in("five");
    bot.crash_and_restart().await.expect_no_reply();
    assert_eq!(bot.advance("1m").await, ["four five"]);
    bot.crash_and_restart().await.expect_no_reply();
    bot.advance("1m").await.expect_no_reply();
}

static GATES: std::sync::Mutex<Vec<tokio::sync::oneshot::Sender<()>>> =
    std::sync::Mutex::new(Vec::new());

#[actix_rt::test]
async fn the_latest_message_ends_the_handler_of_the_one_before() {
    static ENDED: AtomicU32 = AtomicU32::new(0);
    struct Ends;
    impl Drop for Ends {
        fn drop(&mut self) {
            ENDED.fetch_add(1, Ordering::Relaxed);
        }
    }
    async fn slow(text: Text) -> String {
        let _ends = Ends;
        if !text.contains("last") {
            std::future::pending::<()>().await;
        }
        text.lines().collect::<Vec<_>>().join(" ")
    }
    let bot = Bot::new("llm").overlap(Overlap::Latest).on_text(slow);
    let bot = TestBot::new(bot);
    bot.from("alice").drops_in("first");
    bot.from("alice").drops_in("second");
    bot.from("bob").in_group("g").drops_in("last of bob");
    assert_eq!(bot.hears("last").await.texts().len(), 2);
    assert!(ENDED.load(Ordering::Relaxed) >= 2);
    bot.crash_and_restart().await.expect_no_reply();
}

#[actix_rt::test]
async fn handlers_run_beside_each_other_if_they_are_to() {
    async fn gated(text: Text) -> String {
        if &*text == "wait" {
            let (open, gate) = tokio::sync::oneshot::channel();
            GATES.lock().unwrap().push(open);
            let _ = gate.await;
        }
        if &*text == "open" {
            GATES.lock().unwrap().clear();
        }
        text.into_inner()
    }
    let bot = TestBot::new(Bot::new("p").overlap(Overlap::Parallel).on_text(gated));
    bot.from("alice").drops_in("wait");
    let mut said = bot.hears("open").await.texts();
    said.sort();
    assert_eq!(said, ["open", "wait"]);
}

#[actix_rt::test]
async fn old_messages_are_not_answered() {
    async fn old(message: Arc<Message>) -> String {
        format!("too late for {:?}", message.text())
    }
    let mut bot = Bot::new("old").overlap(Overlap::Burst(Duration::from_secs(60)));
    let settings = "max_age = \"30s\"".parse().unwrap();
    bot.configure(Some(&settings)).unwrap();
    let bot = TestBot::new(bot.on_text(count).on_old(old));
    bot.from("alice").drops_in("hello");
    assert_eq!(bot.advance("2m").await, ["too late for Some(\"hello\")"]);
}

#[test]
fn overlaps_are_read() {
    assert_eq!("latest".parse(), Ok(Overlap::Latest));
    assert_eq!(
        "burst 1500ms".parse(),
        Ok(Overlap::Burst(Duration::from_millis(1500)))
    );
    for wrong in ["", "burst", "burst 2h", "Queue"] {
        assert!(wrong.parse::<Overlap>().is_err(), "{wrong}");
    }
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
async fn a_command_beside_does_not_wait_for_a_handler_that_thinks() {
    static THINKS: std::sync::Mutex<Option<tokio::sync::oneshot::Sender<()>>> =
        std::sync::Mutex::new(None);
    async fn think(_: Text) -> &'static str {
        let (open, gate) = tokio::sync::oneshot::channel();
        *THINKS.lock().unwrap() = Some(open);
        let _ = gate.await;
        "42"
    }
    async fn stop() -> &'static str {
        drop(THINKS.lock().unwrap().take());
        "Time is over."
    }
    let bot = Bot::new("thinker").on_text(think);
    let bot = TestBot::new(bot.command(command("stop").beside(), stop));
    bot.from("alice").drops_in("why?");
    let said = bot.hears("/stop").await.texts();
    assert_eq!(said, ["Time is over.", "42"]);
}
