//! Whole bots with commands.

use crate::bot::builder::Bot;
use crate::bot::testing::TestBot;
use crate::prelude::*;
use serde_json::json;

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
    let wait = bot.say("/draw a cat").await;
    assert!(wait[0].starts_with("Please wait 59 min 5"), "{wait:?}");
    assert!(bot.say("/draw a cat").await.is_empty());
    assert_eq!(bot.from("bob").hears("/draw x").await, "x");
    bot.advance("1h").await;
    assert_eq!(bot.say("/draw a cat").await, ["a cat"]);
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
    bot.crash_and_restart().await;
    assert_eq!(bot.say("7").await, ["7 red apples, 2026-12-31"]);
}

/// The service says what a user is in the group.
fn is_in_group(bot: &TestBot, user: &str, role: &str) {
    let answer = json!({ "MemberList": [{ "Member_Account": user, "Role": role }] });
    let servcmd = "group_open_http_svc.get_specified_group_member_info";
    bot.answer(servcmd, &answer);
}

#[actix_rt::test]
async fn in_a_group_only_those_who_are_spoken_to_answer() {
    let bot = TestBot::new(weather_bot());
    let group = bot.in_group("g");
    let to_us = group.clone().mentioning();
    assert_eq!(group.hears("/weather x").await, "x: sunny for 1 days");
    group.hears("/wether x").await.expect_no_reply();
    let unknown = "I do not know /wether. Did you mean /weather?";
    assert_eq!(to_us.hears("@bot /wether x").await, unknown);
    assert_eq!(to_us.hears("@nick /weather x").await, "x: sunny for 1 days");
    to_us.hears("@bot weather x").await.expect_no_reply();

    let bot = TestBot::new(weather_bot().prefixes(&["!", "@"]));
    let group = bot.in_group("g");
    let to_us = group.clone().mentioning();
    assert_eq!(to_us.hears("@bot weather x").await, "x: sunny for 1 days");
    to_us.hears("@bot hello").await.expect_no_reply();
    assert_eq!(group.hears("！weather x").await, "x: sunny for 1 days");
    group.hears("/weather x").await.expect_no_reply();
    let usage = "<city> is missing.\nUsage: !weather <city> [days]";
    assert_eq!(group.hears("!weather").await, usage);
}

#[actix_rt::test]
async fn the_group_says_who_may_and_is_asked_once_a_minute() {
    async fn ban(Args(who): Args<UserId>) -> String {
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
    let bot = TestBot::new(bot);
    let says = async |who: &str, text: &str| bot.from(who).in_group("g").hears(text).await;
    assert_eq!(says("root", "/ban @eve").await, "eve is out");
    assert_eq!(
        bot.from("alice").hears("/ban eve").await,
        "You may not use /ban."
    );
    assert!(bot.calls().is_empty());
    is_in_group(&bot, "alice", "Member");
    for _ in 0..2 {
        assert_eq!(says("alice", "/ban eve").await, "You may not use /ban.");
    }
    let help = says("alice", "/help").await.texts();
    assert!(!help[0].contains("/ban"), "{help:?}");
    assert_eq!(bot.calls().len(), 1);
    is_in_group(&bot, "bob", "Owner");
    assert_eq!(says("bob", "/ban eve").await, "eve is out");
    let help = says("bob", "/help").await.texts();
    assert!(help[0].contains("Keeps somebody out"), "{help:?}");
    assert_eq!(bot.calls().len(), 1);
    bot.advance("2m").await;
    is_in_group(&bot, "bob", "Member");
    assert_eq!(says("bob", "/ban eve").await, "You may not use /ban.");
    // Without an answer of the service nobody knows.
    let failed = says("carol", "/ban eve").await;
    assert_eq!(failed.failures().len(), 1);
}

#[actix_rt::test]
async fn an_apology_is_in_the_language_of_the_message() {
    let fail = async || Err::<(), _>("as asked");
    let bot = TestBot::new(Bot::new("b").on_text(fail));
    assert_eq!(
        bot.hears("hi").await.texts(),
        ["Sorry, something went wrong."]
    );
    assert_eq!(bot.hears("你好").await.texts(), ["抱歉，出错了。"]);
}

/// Four commands with typed arguments, an alias, quotes, help and suggestions: what took 106 lines before commands.
fn tools() -> Bot {
    Bot::new("tools")
        .command(
            command("weather <city> [days:1..7]")
                .alias("w")
                .about("The weather"),
            async |Args((city, days)): Args<(String, Option<u8>)>| format!("{city} {days:?}"),
        )
        .command(
            command("roll [sides:2..100]").about("Rolls a die"),
            async |Args(sides): Args<Option<u8>>| format!("one of {}", sides.unwrap_or(6)),
        )
        .command(
            command("convert <degrees:number> <unit:celsius|fahrenheit>").about("Converts"),
            async |Args((degrees, unit)): Args<(f64, String)>| format!("{degrees} {unit}"),
        )
        .command(
            command("say <text...>").about("Says it"),
            async |Args(text): Args<String>| text,
        )
}

#[actix_rt::test]
async fn four_commands_are_short() {
    let bot = TestBot::new(tools());
    for (text, answer) in [
        ("/w 'New York' 3", "New York Some(3)"),
        ("/roll", "one of 6"),
        ("/roll 20", "one of 20"),
        ("/convert -3.5 Celsius", "-3.5 celsius"),
        ("/say don't \"panic", "don't \"panic"),
        ("/rol", "I do not know /rol. Did you mean /roll?"),
        (
            "/convert 3 kelvin",
            "<unit>: “kelvin” is not one of celsius, fahrenheit.\nUsage: /convert <degrees> <unit>",
        ),
    ] {
        assert_eq!(bot.hears(text).await, [answer], "{text}");
    }
    assert_eq!(bot.hears("/help").await.texts()[0].lines().count(), 7);
}
