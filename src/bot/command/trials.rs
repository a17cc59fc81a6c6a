//! Whole bots with commands.

use crate::account::AccountHandle;
use crate::bot::api::Api;
use crate::bot::builder::Bot;
use crate::bot::event::{Event, What};
use crate::bot::handlers::run;
use crate::bot::ledger::Ledger;
use crate::bot::recording::Recording;
use crate::bot::seat::SharedBot;
use crate::bot::testing::TestBot;
use crate::prelude::*;
use crate::proto::id::UserId;
use crate::proto::message::{GroupItem, Mention};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

async fn weather(Args((city, days)): Args<(String, Option<u8>)>) -> String {
    format!("{city}: sunny for {} days", days.unwrap_or(1))
}

fn weather_bot() -> Bot {
    Bot::new("weather").command(
        command("weather <city> [days:1..7]")
            .alias("w")
            .about("The weather of a city"),
        weather,
    )
}

#[actix_rt::test]
async fn a_command_is_typed_and_has_help() {
    let bot = TestBot::new(weather_bot());
    for (text, answer) in [
        ("/weather Shenzhen 3", "Shenzhen: sunny for 3 days"),
        ("/w \"New York\"", "New York: sunny for 1 days"),
        (
            "/weather",
            "<city> is missing.\nUsage: /weather <city> [days]",
        ),
        (
            "/weather Shenzhen soon",
            "<days>: “soon” is not a whole number from 1 to 7.\nUsage: /weather <city> [days]",
        ),
        (
            "/weather 深圳 很快",
            "<days>：“很快”不是1 到 7 之间的整数。\n用法：/weather <city> [days]",
        ),
        (
            "/help",
            "Commands:\n/weather <city> [days] – The weather of a city\n\
             /help [command...] – What the bot can do\n/help <command> tells more about one.",
        ),
        (
            "/help weather",
            "Usage: /weather <city> [days]\nThe weather of a city\nAlso: /w\nArguments:\n\
             [days]: a whole number from 1 to 7",
        ),
        ("/wether x", "I do not know /wether. Did you mean /weather?"),
    ] {
        assert_eq!(bot.say(text).await, [answer], "{text}");
    }
    for nothing in ["weather Shenzhen", "", "/", "\u{202e}", "/usr/bin"] {
        assert!(bot.say(nothing).await.is_empty(), "{nothing}");
    }
}

#[actix_rt::test]
async fn what_is_no_command_is_for_the_other_handlers() {
    async fn echo(text: Text) -> String {
        text.into_inner()
    }
    async fn storm() -> Pass {
        Pass
    }
    // The order does not matter: commands come first.
    let bot = TestBot::new(weather_bot().on_text(echo).command("storm", storm));
    for (text, answer) in [
        ("hello", "hello"),
        ("/wether x", "/wether x"),
        ("/storm", "/storm"),
        ("/w x", "x: sunny for 1 days"),
    ] {
        assert_eq!(bot.say(text).await, [answer], "{text}");
    }
}

#[actix_rt::test]
async fn an_own_help_or_none_replaces_the_built_in_one() {
    async fn help() -> &'static str {
        "Ask me."
    }
    let bot = TestBot::new(weather_bot().command("help", help));
    assert_eq!(bot.say("/help").await, ["Ask me."]);
    let bot = TestBot::new(weather_bot().without_help());
    assert_eq!(bot.say("/help").await, ["I do not know /help."]);
}

#[actix_rt::test]
async fn texts_are_in_the_language_that_was_chosen() {
    async fn speak(Args(to): Args<Language>, choice: LanguageChoice) -> Result<(), ValueError> {
        choice.set(to).await
    }
    async fn greet(texts: Texts, language: Language, from: Sender) -> String {
        format!(
            "{language}: {}",
            texts.with("hello", &[("name", from.user_id.as_str().into())])
        )
    }
    let bot = || {
        weather_bot()
            .texts("en", "hello = Hello { $name }!")
            .texts("zh", "hello = 你好，{ $name }！\ncommand-weather = 查天气")
            .command("language <to>", speak)
            .command(command("greet").hidden(), greet)
    };
    let tested = TestBot::new(bot());
    assert_eq!(tested.say("/greet").await, ["en: Hello alice!"]);
    assert_eq!(
        tested.say("/帮助 w").await[0].lines().nth(1),
        Some("查天气")
    );
    assert!(tested.say("/language zh").await.is_empty());
    assert_eq!(tested.say("/greet").await, ["zh: 你好，alice！"]);
    assert!(tested.say("/nothing").await[0].contains("没有 /nothing"));
    let mut settled = bot();
    settled
        .configure(Some(&toml::toml! { language = "zh" }))
        .unwrap();
    assert_eq!(
        TestBot::new(settled).say("/greet").await,
        ["zh: 你好，alice！"]
    );
}

#[actix_rt::test]
async fn a_command_rests_and_says_so_once() {
    let bot = TestBot::new(Bot::new("draw").command(
        command("draw <what...>").cooldown(Cooldown::per_user("1h")),
        async |Args(what): Args<String>| what,
    ));
    assert_eq!(
        bot.say("/draw").await.len(),
        1,
        "a usage error costs nothing"
    );
    assert_eq!(bot.say("/draw a cat").await, ["a cat"]);
    let told = bot.say("/draw a cat").await.concat();
    assert!(told.starts_with("Please wait 59 min 5"), "{told}");
    assert!(bot.say("/draw a cat").await.is_empty());
    assert_eq!(bot.hear("bob", vec![Element::text("/draw x")]).await, ["x"]);
}

#[test]
fn settings_are_read_and_their_mistakes_named() {
    let configured = |text: &str| {
        let mut bot = weather_bot();
        bot.configure(Some(&text.parse().unwrap()))
            .map_err(|error| error.to_string())
    };
    for text in [
        "language = \"auto\"",
        "prefixes = [\"!\", \"@\"]\nadmins = [\"bob\"]\n[roles]\nsupport = [\"carol\"]",
    ] {
        assert_eq!(configured(text), Ok(()), "{text}");
    }
    for (text, fragment) in [
        ("language = 1", "language: expected \"auto\""),
        ("prefixes = \"!\"", "prefixes: expected a list of texts"),
        ("prefixes = [\"\"]", "prefixes: \"\" cannot begin a command"),
        ("admins = [1]", "admins: expected a list of texts"),
        ("roles = []", "roles: expected a table of lists"),
        (
            "[roles]\nsupport = \"carol\"",
            "roles.support: expected a list",
        ),
        ("colour = \"red\"", "takes no settings"),
    ] {
        let error = configured(text).unwrap_err();
        assert!(error.contains(fragment), "{text}: {error}");
    }
}

#[test]
fn mistakes_are_found_when_the_bot_is_made() {
    async fn two(_: Args<(String, String)>) {}
    async fn nothing() {}
    for (bot, fragment) in [
        (
            Bot::new("b").command("weather <city> [days]", two),
            "does not fit the command \"weather <city> [days]\": [days]: may be missing",
        ),
        (
            Bot::new("b").command("weather <city", nothing),
            "column 9: '<' is not closed",
        ),
        (
            Bot::new("b").command("a", nothing).command("A", nothing),
            "two commands are called \"a\"",
        ),
        (Bot::new("b").on_text(two), "only a command has"),
        (Bot::new("b").prefixes(&[" "]), "cannot begin a command"),
        (Bot::new("b").texts("en", "a = {"), "line 1"),
        (
            Bot::new("b").command("a", async |_: State<u8>| ()),
            "takes State<u8>",
        ),
    ] {
        let mistakes = bot.check().unwrap_err();
        let text = mistakes[0].to_string();
        assert!(mistakes.len() == 1 && text.contains(fragment), "{text}");
    }
}

#[actix_rt::test]
async fn a_command_holds_a_dialogue_and_keeps_its_arguments() {
    async fn order(
        Args((what, on)): Args<(String, Option<String>)>,
        dialogue: Dialogue,
    ) -> Result<String, DialogueError> {
        let pieces: u8 = dialogue.ask(format!("How many {what}?")).await?;
        Ok(format!("{pieces} {what}, {}", on.unwrap_or_default()))
    }
    let bot = TestBot::new(Bot::new("shop").command("order <what> [on:date]", order));
    assert_eq!(
        bot.say("/order \"red apples\" 2026-12-31").await,
        ["How many red apples?"]
    );
    assert_eq!(bot.say("7").await, ["7 red apples, 2026-12-31"]);
}

/// A bot in the group `g`.
struct InGroup {
    bot: Arc<SharedBot>,
    recording: Arc<Recording>,
    ledger: Arc<Ledger>,
    said: AtomicU32,
}

impl InGroup {
    fn new(bot: Bot) -> Self {
        assert_eq!(bot.check(), Ok(()));
        Self {
            bot: bot.into_tested(),
            recording: Arc::default(),
            ledger: Ledger::in_memory(AccountHandle::new(UserId::parse("bot").unwrap())),
            said: AtomicU32::new(0),
        }
    }

    async fn hears(&self, from: &str, text: &str, mentions: &[&str]) -> Vec<String> {
        let mentions: Vec<Mention> = mentions.iter().map(|user| Mention::user(*user)).collect();
        let item = json!({
            "From_Account": from,
            "ToGroupId": "g",
            "MsgSeq": self.said.fetch_add(1, Ordering::Relaxed) + 1,
            "MsgBody": [{ "MsgType": "TIMTextElem", "MsgContent": { "Text": text } }],
            "GroupAtInfo": mentions,
        });
        // Through text: a body is kept as it was written.
        let item: GroupItem = serde_json::from_str(&item.to_string()).unwrap();
        let message = Message::from_group(item, 3, "bot").unwrap();
        let what = What::Message(Arc::new(message));
        let api = Api::recorded(self.recording.clone());
        let event = Event::of_test(what, api, self.bot.clone(), self.ledger.clone());
        let wanted = self.bot.handlers.want(event.what(), || event.clone());
        let mut answers = run(event.clone(), None).await.into_result().unwrap();
        let mut texts = Vec::new();
        while let Some(answer) = answers.next() {
            let draft = answer.into_draft().unwrap();
            texts.extend(
                draft
                    .elements
                    .into_iter()
                    .filter_map(|element| match element {
                        Element::Text(text) => Some(text.text),
                        _ => None,
                    }),
            );
        }
        assert!(wanted || texts.is_empty(), "{text}");
        texts
    }

    /// The service says what a user is in the group.
    fn knows(&self, user: &str, role: &str) {
        let answer = json!({ "MemberList": [{ "Member_Account": user, "Role": role }] });
        self.recording.answer(
            "group_open_http_svc.get_specified_group_member_info",
            &answer,
        );
    }
}

#[actix_rt::test]
async fn in_a_group_only_those_who_are_spoken_to_answer() {
    let group = InGroup::new(weather_bot());
    for (text, mentions, answers) in [
        ("/weather x", &[][..], &["x: sunny for 1 days"][..]),
        ("/wether x", &[], &[]),
        ("/wether x", &["carol"], &[]),
        (
            "@bot /wether x",
            &["bot"],
            &["I do not know /wether. Did you mean /weather?"],
        ),
        ("@nick /weather x", &["bot"], &["x: sunny for 1 days"]),
        ("@bot weather x", &["bot"], &[]),
    ] {
        assert_eq!(
            group.hears("alice", text, mentions).await,
            answers,
            "{text}"
        );
    }
    let by_mention = InGroup::new(weather_bot().prefixes(&["!", "@"]));
    for (text, mentions, answers) in [
        ("@bot weather x", &["bot"][..], &["x: sunny for 1 days"][..]),
        ("@bot hello", &["bot"], &[]),
        ("！weather x", &[], &["x: sunny for 1 days"]),
        ("/weather x", &[], &[]),
        (
            "!weather",
            &[],
            &["<city> is missing.\nUsage: !weather <city> [days]"],
        ),
    ] {
        assert_eq!(
            by_mention.hears("alice", text, mentions).await,
            answers,
            "{text}"
        );
    }
}

#[actix_rt::test]
async fn the_group_says_who_may_and_is_asked_once() {
    async fn ban(Args(who): Args<String>) -> String {
        format!("{who} is out")
    }
    let mut bot = Bot::new("guard").command(
        command("ban <who:user>")
            .about("Keeps somebody out")
            .permit(Permission::any([
                Permission::admins(),
                Permission::group_admin(),
            ])),
        ban,
    );
    bot.configure(Some(&toml::toml! { admins = ["root"] }))
        .unwrap();
    let group = InGroup::new(bot);
    let asked = || group.recording.take_calls().len();
    assert_eq!(
        group.hears("root", "/ban @Eve", &["eve-1"]).await,
        ["eve-1 is out"]
    );
    assert_eq!(asked(), 0);
    group.knows("alice", "Member");
    for _ in 0..2 {
        assert_eq!(
            group.hears("alice", "/ban eve", &[]).await,
            ["You may not use /ban."]
        );
    }
    assert_eq!(
        group.hears("alice", "/help", &[]).await[0].lines().nth(1),
        Some("/help [command...] – What the bot can do")
    );
    assert_eq!(asked(), 1);
    group.knows("bob", "Owner");
    assert_eq!(group.hears("bob", "/ban eve", &[]).await, ["eve is out"]);
    assert!(group.hears("bob", "/help", &[]).await[0].contains("Keeps somebody out"));
    assert_eq!(asked(), 1);
}
