use super::given::{Around, Given};
use super::help::wait;
use super::pattern::Pattern;
use super::set::{Commands, Found, Said};
use super::usage::UsageError;
use super::words::quote;
use super::*;
use crate::bot::language::{Language, Texts};
use crate::proto::id::{GroupId, UserId};
use jiff::civil::Date;
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

const TODAY: Date = Date::constant(2026, 11, 29);

fn english() -> Texts {
    Texts::built_in(Language::english())
}

fn pattern(text: &str) -> Arc<Pattern> {
    Arc::new(Pattern::parse(text).unwrap())
}

fn given(text: &str, written: &str) -> Result<Given, UsageError> {
    let around = Around {
        before: "",
        mentions: &[],
        today: TODAY,
    };
    Given::read(&pattern(text), written, around)
}

fn read<T: DeserializeOwned>(text: &str, written: &str) -> Result<T, String> {
    let checked = args::check::<T>(&pattern(text));
    assert_eq!(checked, Ok(()), "{text}");
    given(text, written)
        .and_then(|given| args::read(&given))
        .map_err(|error| error.say(&english()))
}

#[test]
fn what_people_write_is_told_apart() {
    const BAN: &str = "ban <who:user> [for:duration] [--quietly] [--reason <why>]";
    let fit = |written| given(BAN, written).unwrap().taken;
    let texts = |written| -> Vec<String> {
        let all = fit(written);
        let text = |one: &given::One| one.written.clone();
        all.iter()
            .map(|taken| taken.iter().map(text).collect::<Vec<_>>().join("|"))
            .collect()
    };
    for (written, expected) in [
        (" @bob", ["@bob", "", "", ""]),
        (" bob 2h --quietly", ["bob", "2h", "--quietly", ""]),
        (
            " --quietly bob --reason spam 2h",
            ["bob", "2h", "--quietly", "spam"],
        ),
        (" bob --reason \"too loud\"", ["bob", "", "", "too loud"]),
        (" bob --reason='too loud'", ["bob", "", "", "too loud"]),
        (" bob --reason=", ["bob", "", "", ""]),
        (" bob —Reason=x", ["bob", "", "", "x"]),
        (" bob --reason -5", ["bob", "", "", "-5"]),
        (" -- bob 1天", ["bob", "1天", "", ""]),
    ] {
        assert_eq!(texts(written), expected, "{written}");
    }
    for (written, expected) in [
        ("", "<who> is missing."),
        (" bob 2h more", "“more” is more than I expected."),
        (
            " bob soon",
            "<for>: “soon” is not a time such as 90s, 30m, 2h or 1d.",
        ),
        (" bob --reason", "--reason needs a value."),
        (" bob --reason --quietly", "--reason needs a value."),
        (" bob --quietly=yes", "--quietly takes no value."),
        (" bob --quietly --quietly", "--quietly is there twice."),
        (
            " bob --reson=x",
            "There is no option --reson. Did you mean --reason?",
        ),
        (" bob --silent", "There is no option --silent."),
        (
            " bob --reason \"too loud",
            "The quote \" is not closed: \"too loud",
        ),
        (" “bob", "The quote “ is not closed: “bob"),
        (" \"b ob\"", "<who>: “b ob” is not a user such as @bob."),
    ] {
        let error = given(BAN, written).unwrap_err();
        assert_eq!(error.say(&english()), expected, "{written}");
    }
}

#[test]
fn the_rest_is_taken_as_it_stands() {
    let rest: Result<(Duration, String), _> =
        read("remind <when:duration> <text...>", " 2h don't --say \"hi ");
    assert_eq!(
        rest,
        Ok((Duration::from_secs(7_200), "don't --say \"hi".to_owned()))
    );
    let bare: Result<Option<String>, _> = read("say [text...]", "  ");
    assert_eq!(bare, Ok(None));
}

#[test]
fn a_mention_is_the_user_that_the_message_mentions() {
    let mut commands = Commands::default();
    commands.add("pay <who:user> [sum:int]".into()).unwrap();
    let said = |text: &str, mentions: &[&str]| {
        let found = commands.find(&Said {
            text,
            own_names: &["robot"],
            mentions,
            today: TODAY,
        });
        match found {
            Found::Command { given, .. } => {
                args::read::<(String, Option<u8>)>(&given.unwrap())
                    .unwrap()
                    .0
            }
            found => panic!("{found:?}"),
        }
    };
    assert_eq!(said("/pay @Bobby 3", &["user-17"]), "user-17");
    assert_eq!(
        said("@robot /pay @Bobby 3", &["robot", "user-17"]),
        "user-17"
    );
    assert_eq!(said("/pay @bob 3", &[]), "bob");
    assert_eq!(said("/pay bob 3", &["user-17"]), "bob");
    // Whom it means cannot be said; it is taken by its word.
    assert_eq!(said("/pay @bob 3", &["user-17", "user-18"]), "bob");
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unit {
    Celsius,
    #[serde(rename = "华氏", alias = "fahrenheit")]
    Fahrenheit,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Ban {
    who: UserId,
    r#for: Option<Duration>,
    quietly: bool,
    reason: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct City(String);

fn reads<T: DeserializeOwned + PartialEq + Debug>(text: &str, written: &str, expected: T) {
    assert_eq!(read(text, written), Ok(expected), "{text} {written}");
}

fn refuses<T: DeserializeOwned + PartialEq + Debug>(text: &str, written: &str, expected: &str) {
    assert_eq!(
        read::<T>(text, written),
        Err(expected.to_owned()),
        "{text} {written}"
    );
}

#[test]
fn arguments_are_read_as_the_type_of_the_handler() {
    reads("ping", "", ());
    reads(
        "w <city> [days:1..7]",
        " Shenzhen 3",
        ("Shenzhen".to_owned(), Some(3_u8)),
    );
    reads(
        "w <city> [days:1..7]",
        " Shenzhen",
        ("Shenzhen".to_owned(), None::<u8>),
    );
    reads("w <city>", " \"New York\"", City("New York".to_owned()));
    reads("w <city>", " x", ("x".to_owned(),));
    reads("add <a> <b>", " 1 ２", (1_i64, 2_u16));
    reads("add <a:number> <b:int>", " 1.5 -2", [1.5, -2.0]);
    reads("sum <n:int>+", " 1 2 3", vec![1_i32, 2, 3]);
    reads(
        "sum <what> [n:int]+",
        " x",
        ("x".to_owned(), Vec::<u8>::new()),
    );
    reads("t <unit>", " CELSIUS", Unit::Celsius);
    reads("t <unit>", " fahrenheit", Unit::Fahrenheit);
    reads(
        "t <unit:celsius|fahrenheit>",
        " Celsius",
        "celsius".to_owned(),
    );
    reads("x <c> <yes>", " 深 是", ('深', true));
    reads("x <for>", " 90s", Duration::from_secs(90));
    reads("x <for:duration>", " 2h", 7_200_u32);
    reads("x <on:date>", " tomorrow", "2026-11-30".to_owned());
    reads("x [--loud]", "", false);
    reads("x [--loud]", " --loud", true);
    reads(
        "x [--tag <t>]+",
        " --tag a --tag b",
        vec!["a".to_owned(), "b".to_owned()],
    );
    reads("x <at>", " 127.0.0.1", std::net::Ipv4Addr::LOCALHOST);
    reads(
        "ban <who:user> [for:duration] [--quietly] [--reason <why>]",
        " @bob --quietly",
        Ban {
            who: UserId::parse("bob").unwrap(),
            r#for: None,
            quietly: true,
            reason: None,
        },
    );
}

#[test]
fn what_the_type_does_not_take_is_told_to_who_wrote_it() {
    refuses::<u8>(
        "x <n>",
        " many",
        "<n>: “many” is not a whole number from 0 to 255.",
    );
    refuses::<u8>(
        "x <n:int>",
        " 300",
        "<n>: “300” is not a whole number from 0 to 255.",
    );
    refuses::<(String, u8)>(
        "x <a> <n:1..7>",
        " a 9",
        "<n>: “9” is not a whole number from 1 to 7.",
    );
    refuses::<f32>("x <n>", " a", "<n>: “a” is not a number.");
    refuses::<bool>("x <n>", " a", "<n>: “a” is not yes or no.");
    refuses::<char>("x <n>", " ab", "<n>: “ab” is not one character.");
    refuses::<Unit>(
        "x <u>",
        " kelvin",
        "<u>: “kelvin” is not one of celsius, fahrenheit, 华氏.",
    );
    refuses::<Duration>(
        "x <n>",
        " soon",
        "<n>: “soon” is not a time such as 90s, 30m, 2h or 1d.",
    );
    refuses::<Vec<u8>>(
        "x <n>+",
        " 1 two",
        "<n>: “two” is not a whole number from 0 to 255.",
    );
    refuses::<std::net::Ipv4Addr>(
        "x <at>",
        " here",
        "<at>: “here” does not fit: invalid IPv4 address syntax",
    );
    refuses::<std::num::NonZeroU8>(
        "x <n>",
        " 0",
        "<n>: “0” does not fit: expected a nonzero u8",
    );
}

#[test]
fn a_type_that_never_fits_is_a_mistake_of_the_author() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Weather {
        city: String,
        days: u8,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    enum Shape {
        Round(u8),
    }
    fn mistake<T: DeserializeOwned>(text: &str, fragment: &str) {
        let found = args::check::<T>(&pattern(text));
        let reason = found.expect_err(text);
        assert!(reason.contains(fragment), "{text}: {reason}");
    }
    mistake::<(String, String)>("x <a>", "1 arguments, and the tuple 2");
    mistake::<String>("x <a> <b>", "take a tuple of 2");
    mistake::<String>("x", "no arguments");
    mistake::<()>("x <a>", "takes none");
    mistake::<String>("x [a]", "take an `Option`");
    mistake::<(String, u8)>("x <a> [b]", "take an `Option`");
    mistake::<Weather>("x <city> [days]", "make it an `Option`");
    mistake::<Weather>("x <city>", "no argument of the pattern has its name");
    mistake::<Weather>(
        "x <city> <days> [more]",
        "[more] is in no field of `Weather`",
    );
    mistake::<String>("x <a>+", "take a `Vec`");
    mistake::<Vec<u8>>("x <a>", "`<name>+`");
    mistake::<u8>("x <a:1..1000>", "\"1000\"");
    mistake::<bool>("x <a:int>", "is a whole number");
    mistake::<u8>("x <a:user>", "is a user");
    mistake::<Unit>("x <a:celsius|kelvin>", "\"kelvin\" is no variant");
    mistake::<Shape>("x <a>", "holds data");
    mistake::<UserId>("x <a>", "is a text, and the type is the ID of a user");
    mistake::<UserId>("x <a:group>", "write `:user` behind its name");
    mistake::<GroupId>("x <a:user>", "write `:group` behind its name");
    mistake::<(String, Option<GroupId>)>("x <a> [b]", "[b]: is a text");
    mistake::<Vec<UserId>>("x <a>+", "write `:user`");
    mistake::<(Weather, String)>("x <a> <b>", "the type wants a struct");
}

#[test]
fn users_and_groups_are_given_as_their_ids() {
    /// A type of the bot's own.
    mod own {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        pub(super) struct UserId(pub(super) u32);
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Move {
        who: UserId,
        to: Option<GroupId>,
    }
    let bob = || UserId::from("bob");
    assert_eq!(read::<UserId>("x <a:user>", " @bob"), Ok(bob()));
    let both = read::<Vec<UserId>>("x <a:user>+", " bob @alice");
    assert_eq!(both, Ok(vec![bob(), "alice".into()]));
    let to = Some("@TGS#1".into());
    let moved = read::<Move>("x <who:user> [to:group]", " bob @TGS#1");
    assert_eq!(moved, Ok(Move { who: bob(), to }));
    assert_eq!(read::<own::UserId>("x <a:int>", " 7"), Ok(own::UserId(7)));
}

fn weather() -> Commands {
    let mut commands = Commands::default();
    for command in [
        command("weather <city> [days:1..7]")
            .alias("w")
            .about("The weather of a city"),
        command("config set <key> <value>").about("Changes a setting"),
        command("config get <key>"),
        command("天气 <城市>").about("查天气"),
        command("secret").hidden(),
        command("ban <who:user> [--quietly] [--reason <why>]").permit(Permission::admins()),
        command("help [about...]"),
    ] {
        commands.add(command).unwrap();
    }
    commands
}

#[test]
fn a_text_is_a_command_looks_like_one_or_is_none() {
    let commands = weather();
    for (text, expected) in [
        ("/weather Shenzhen", "0 ok"),
        ("/WEATHER Shenzhen", "0 ok"),
        ("／w Shenzhen", "0 ok"),
        ("/w\u{200b}eather Shenzhen", "0 ok"),
        ("/weather", "0 <city> is missing."),
        (
            "/weather \"New York",
            "0 The quote \" is not closed: \"New York",
        ),
        ("/config set a b", "1 ok"),
        ("/config get a", "2 ok"),
        (
            "/config st a b",
            "I do not know /config. Did you mean /config set?",
        ),
        (
            "/config",
            "I do not know /config. Did you mean /config set?",
        ),
        ("/天气 深圳", "3 ok"),
        ("/secret", "4 ok"),
        (
            "/wether Shenzhen",
            "I do not know /wether. Did you mean /weather?",
        ),
        ("/secrt", "I do not know /secrt."),
        ("/bann", "I do not know /bann."),
        ("/abracadabra", "I do not know /abracadabra."),
        ("weather Shenzhen", "none"),
        ("/", "none"),
        ("//", "none"),
        ("/usr/bin/env", "none"),
        ("/ weather", "none"),
        ("", "none"),
        ("\u{202e}", "none"),
        ("😀", "none"),
        ("/😀", "none"),
    ] {
        let found = commands.find(&Said {
            text,
            own_names: &[],
            mentions: &[],
            today: TODAY,
        });
        let found = match found {
            Found::NotACommand => "none".to_owned(),
            Found::Unknown(unknown) => commands.unknown(&english(), &unknown, |at| at != 5),
            Found::Command {
                index,
                given: Ok(_),
            } => format!("{index} ok"),
            Found::Command {
                index,
                given: Err(error),
            } => {
                format!("{index} {}", error.say(&english()))
            }
        };
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn two_of_one_name_are_a_mistake() {
    let mut commands = weather();
    for (wrong, fragment) in [
        (command("weather"), "two commands are called \"weather\""),
        (command("storm").alias("W"), "two commands are called \"w\""),
        (command("storm").alias("storm"), "two commands are called"),
        (command("storm <x"), "column 7"),
        (command("storm").alias("a <b>"), "begins with its name"),
        (
            command("storm").cooldown(Cooldown::global("soon")),
            "\"soon\"",
        ),
    ] {
        let error = commands.add(wrong).unwrap_err().to_string();
        assert!(error.contains(fragment), "{error}");
    }
    assert!(commands.add(command("config")).is_ok());
    let error = commands.check_args::<u8>(0).unwrap_err().to_string();
    assert!(
        error.contains("Args<u8>") && error.contains("weather <city> [days]"),
        "{error}"
    );
}

#[test]
fn help_lists_and_explains_in_the_language_of_the_asker() {
    let commands = weather();
    let zh = Texts::built_in(Language::chinese());
    for (texts, about, expected) in [
        (
            &english(),
            "",
            "Commands:\n/weather <city> [days] – The weather of a city\n\
             /config set <key> <value> – Changes a setting\n/config get <key>\n/天气 <城市> – 查天气\n\
             /help [about...] – What the bot can do\n/help <command> tells more about one.",
        ),
        (
            &english(),
            " /Weather",
            "Usage: /weather <city> [days]\nThe weather of a city\nAlso: /w\nArguments:\n\
             [days]: a whole number from 1 to 7",
        ),
        (
            &zh,
            "w",
            "用法：/weather <city> [days]\nThe weather of a city\n别名：/w\n参数：\n[days]：1 到 7 之间的整数",
        ),
        (
            &english(),
            "config",
            "Commands:\n/config set <key> <value> – Changes a setting\n/config get <key>\n\
             /help <command> tells more about one.",
        ),
        (
            &english(),
            "wether",
            "I do not know wether. Did you mean /weather?",
        ),
        (&english(), "ban", "I do not know ban."),
        (&zh, "xyzzy", "没有 xyzzy 这个命令。"),
        (&english(), "secret", "Usage: /secret"),
    ] {
        let may = |at: usize| at != 5;
        assert_eq!(commands.help(texts, about, may), expected, "{about}");
    }
    let ban = commands.help(&english(), "ban", |_| true);
    assert_eq!(
        ban,
        "Usage: /ban <who> [--quietly] [--reason <why>]\nArguments:\n<who>: a user such as @bob\nOptions:\n\
         [--quietly]: with or without it\n[--reason <why>]: a text"
    );
}

#[test]
fn times_are_said_as_people_say_them() {
    let zh = Texts::built_in(Language::chinese());
    for (millis, english_text, chinese) in [
        (0, "1 s", "1秒"),
        (6_001, "7 s", "7秒"),
        (90_000, "1 min 30 s", "1分钟30秒"),
        (3_600_000, "1 h", "1小时"),
        (90_061_000, "1 d 1 h", "1天1小时"),
    ] {
        let time = Duration::from_millis(millis);
        assert_eq!(
            wait(&english(), time),
            format!("Please wait {english_text}.")
        );
        assert_eq!(wait(&zh, time), format!("请等待 {chinese}。"));
    }
}

#[test]
fn a_text_of_twelve_kilobytes_is_answered_shortly() {
    let commands = weather();
    for long in [
        "x".repeat(20_000),
        "\"".repeat(20_000),
        "--x=".repeat(5_000),
        "\\\"".repeat(9_000),
    ] {
        for text in [
            format!("/weather a 1 {long}"),
            format!("/{long}"),
            format!("/weather {long}"),
        ] {
            let found = commands.find(&Said {
                text: &text,
                own_names: &["robot"],
                mentions: &[],
                today: TODAY,
            });
            match found {
                Found::Command {
                    index,
                    given: Err(error),
                } => {
                    assert!(commands.misused(&english(), index, &error).len() < 500);
                }
                Found::Unknown(unknown) => {
                    assert!(commands.unknown(&english(), &unknown, |_| true).len() < 500);
                }
                Found::NotACommand | Found::Command { .. } => {}
            }
        }
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>(), like in "/(weather|config set|ban|help)( [-a-z=\"'“”「」\\\\@＠—\u{200b}\u{202e}天0-9 ]{0,30})?") {
        let commands = weather();
        for text in [text.as_str(), like.as_str(), &format!("/weather {text}"), &format!("/ban --reason {text}")] {
            let found = commands.find(&Said {
                text,
                own_names: &["robot"],
                mentions: &["robot", "bob"],
                today: TODAY,
            });
            if let Found::Command { index, given: Err(error) } = &found {
                prop_assert!(!commands.misused(&english(), *index, error).is_empty());
            }
            let _ = commands.help(&english(), text, |_| true);
        }
    }

    #[test]
    fn what_is_given_is_read_back(
        name in any::<String>(),
        number in 1_i64..100,
        reason in proptest::option::of(any::<String>()),
        tags in proptest::collection::vec(any::<String>(), 0..4),
        loud in any::<bool>(),
    ) {
        let mut line = format!(" {} {number}", quote(&name));
        for tag in &tags {
            line += &format!(" {}", quote(tag));
        }
        if let Some(reason) = &reason {
            line += &format!(" --reason={}", quote(reason));
        }
        if loud {
            line += " --loud";
        }
        let text = "x <name> <number:1..99> [tags]+ [--reason <why>] [--loud]";
        type Read = (String, i64, Vec<String>, Option<String>, bool);
        let read: Result<Read, _> = read(text, &line);
        prop_assert_eq!(read, Ok((name, number, tags, reason, loud)));
    }
}
