//! What the bot does, without a server.

use super::*;
use botroupe::bot::testing::TestBot;

const AGE: &str = "How old are you?";
const AGAIN: &str = "Would you come again?";
const SIZE: &str = "Which size?\n1. small\n2. large";
const WHY: &str = "Why?";
const THANKS: &str = "Thank you, that was all.";

fn made(text: &str) -> Bot {
    let questions = r#"
        admins = ["boss"]
        [[questions]]
        kind = "number"
        ask = "How old are you?"
        from = 1
        to = 120
        [[questions]]
        kind = "yes_no"
        ask = "Would you come again?"
        [[questions]]
        kind = "choice"
        ask = "Which size?"
        choices = ["small", "large"]
        [[questions]]
        kind = "text"
        ask = "Why?"
        most = 20
    "#;
    let mut bot = bot();
    bot.configure(Some(&format!("{text}\n{questions}").parse().unwrap()))
        .unwrap();
    bot
}

fn survey() -> TestBot {
    TestBot::new(made(""))
}

#[actix_rt::test]
async fn it_asks_and_its_admins_have_a_table() {
    let bot = survey();
    assert_eq!(
        bot.from("boss").hears("/results").await,
        ["Nobody has answered yet."]
    );
    assert_eq!(bot.hears("/survey").await, [AGE]);
    assert_eq!(bot.hears("４２").await, [AGAIN]);
    assert_eq!(bot.hears("Yes!").await, [SIZE]);
    assert_eq!(bot.hears("2").await, [WHY]);
    assert_eq!(bot.hears("=1+1").await, [THANKS]);
    assert_eq!(
        bot.hears("/survey").await,
        ["You have answered already. Thank you!"]
    );
    assert_eq!(bot.hears("/results").await, ["You may not use /results."]);
    assert_eq!(
        bot.in_group("g")
            .from("boss")
            .hears("/results")
            .await
            .texts()
            .len(),
        1
    );
    let table = bot.from("boss").hears("/results").await.into_drafts();
    let [Element::Text(said)] = &table[0].elements[..] else {
        panic!("{table:?}")
    };
    let [Element::File(file)] = &table[1].elements[..] else {
        panic!("{table:?}")
    };
    assert_eq!(
        (said.text.as_str(), file.name.as_str()),
        ("Answers: 1", "survey.csv")
    );
}

#[actix_rt::test]
async fn what_does_not_fit_is_asked_for_again() {
    let bot = survey();
    let long = "长".repeat(4_000);
    bot.hears("/survey").await;
    for odd in [
        "",
        "0",
        "121",
        "old",
        "\u{202e}",
        "4 2",
        &long,
        "99999999999999999999",
    ] {
        let said = bot.hears(odd).await;
        assert_eq!(
            said,
            ["Please answer with a whole number from 1 to 120."],
            "{odd:.20}"
        );
    }
    let face = Element::from(botroupe::message::Face::default());
    let said = bot.from("alice").sends(vec![face]).await;
    assert_eq!(said, ["Please answer with a whole number from 1 to 120."]);
    assert_eq!(bot.hears("42").await, [AGAIN]);
    assert_eq!(bot.hears("perhaps").await, ["Please answer yes or no."]);
    assert_eq!(bot.hears("否").await, [SIZE]);
    assert_eq!(
        bot.hears("medium").await,
        ["Please choose one of these: small, large"]
    );
    assert_eq!(bot.hears("LARGE").await, [WHY]);
    let too_long = ["Please answer with a text of at most 20 characters."];
    assert_eq!(bot.hears(&long).await, too_long);
    assert_eq!(bot.hears(" ").await, too_long);
    assert_eq!(bot.hears("👨\u{200d}👩 שלום").await, [THANKS]);
}

#[actix_rt::test]
async fn two_answers_at_once_are_for_two_questions() {
    let bot = survey();
    bot.hears("/survey").await;
    bot.from("alice").drops_in("42");
    let said = bot.hears("yes").await;
    assert_eq!(said, [AGAIN, SIZE]);
    assert_eq!(bot.dialogues(), 1);
}

#[actix_rt::test]
async fn each_person_and_chat_has_its_own_and_one_row_comes_of_it() {
    let bot = survey();
    let group = bot.in_group("g");
    bot.hears("/survey").await;
    group.hears("/survey").await;
    bot.from("bob").hears("/survey").await;
    assert_eq!(bot.dialogues(), 3);
    bot.in_group("g")
        .from("bob")
        .hears("talk of others")
        .await
        .expect_no_reply();
    for text in ["1", "yes", "1"] {
        bot.hears(text).await;
        group.hears(text).await;
    }
    assert_eq!(bot.hears("here").await, [THANKS]);
    assert_eq!(group.hears("there").await, [THANKS]);
    let answers = bot.from("boss").hears("/results").await;
    assert_eq!(answers, ["Answers: 1"]);
}

#[actix_rt::test]
async fn who_may_change_the_own_answers_is_asked_again() {
    let bot = TestBot::new(made("once = false\nthanks = \"Bye.\"\nlanguage = \"zh\""));
    for _ in 0..2 {
        assert_eq!(bot.hears("/调查").await, [AGE]);
        assert_eq!(bot.hears("x").await, ["请回答 1 到 120 之间的整数。"]);
        for text in ["9", "好", "1"] {
            bot.hears(text).await;
        }
        assert_eq!(bot.hears("x").await, ["Bye."]);
    }
    assert_eq!(bot.from("boss").hears("/results").await, ["回答数：1"]);
}

/// The process dies at every write of the store, and what people see is the same.
#[actix_rt::test]
async fn killed_at_every_write_it_asks_once_and_counts_once() {
    let script = ["/survey", "42", "old", "yes", "small", "because"];
    let whole = survey();
    let mut expected = Vec::new();
    for line in script {
        expected.extend(whole.hears(line).await.texts());
    }
    let mut deaths = 0;
    for line in 0..script.len() {
        for writes in 0.. {
            let bot = survey();
            let (mut said, mut died) = (Vec::new(), false);
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
            assert_eq!(bot.from("boss").hears("/results").await, ["Answers: 1"]);
            if !died {
                break;
            }
            deaths += 1;
        }
    }
    assert!(deaths >= script.len(), "{deaths} deaths");
}

#[actix_rt::test]
async fn questions_that_changed_meanwhile_are_not_mixed_up() {
    let bot = survey();
    bot.hears("/survey").await;
    bot.hears("42").await;
    let mut other = super::bot();
    let table = toml::toml! {
        [[questions]]
        kind = "text"
        ask = "Who are you?"
    };
    other.configure(Some(&table)).unwrap();
    bot.upgrade(other).await.expect_no_reply();
    let said = bot.hears("yes").await.texts();
    assert!(said[0].contains("Please start again"), "{said:?}");
    assert_eq!(bot.hears("/survey").await, ["Who are you?"]);
}

#[test]
fn no_cell_is_a_formula_and_none_breaks_out() {
    for (text, cell) in [
        ("plain", "\"plain\""),
        (
            "=HYPERLINK(\"http://x\")",
            "\"'=HYPERLINK(\"\"http://x\"\")\"",
        ),
        ("+1", "\"'+1\""),
        ("-1", "\"'-1\""),
        ("@SUM(A1)", "\"'@SUM(A1)\""),
        ("\t=1", "\"' =1\""),
        (" \u{200b}＝1", "\"' \u{200b}＝1\""),
        ("a\",\r\n=1", "\"a\"\",  =1\""),
        ("", "\"\""),
        ("表 😀", "\"表 😀\""),
    ] {
        assert_eq!(Cell(text).to_string(), cell);
    }
}

#[test]
fn a_table_has_the_columns_of_then_and_now() {
    let question = Question::YesNo {
        ask: "=Now?".to_owned(),
    };
    let row = |user: &str, answers: &[(&str, Said)]| Row {
        at: 0,
        user: user.to_owned(),
        nick: String::new(),
        answers: answers
            .iter()
            .map(|(q, said)| ((*q).to_owned(), said.clone()))
            .collect(),
    };
    let rows = [
        row("@a", &[("Then", Said::Number(-7))]),
        row(
            "b",
            &[
                ("=Now?", Said::YesNo(true)),
                ("Then", Said::Text("x".to_owned())),
            ],
        ),
    ];
    assert_eq!(
        table(&[question], &rows),
        "\u{feff}time,user,nick,\"'=Now?\",\"Then\"\r\n\
         1970-01-01T00:00:00Z,\"'@a\",\"\",,-7\r\n\
         1970-01-01T00:00:00Z,\"b\",\"\",yes,\"x\"\r\n"
    );
}

#[test]
fn questions_that_cannot_be_asked_are_refused() {
    for (text, fragment) in [
        ("", "missing: questions"),
        ("questions = []", "expected 1 to 40 questions"),
        (
            "[[questions]]\nkind = \"text\"\nask = \" \"",
            "expected a question",
        ),
        (
            "[[questions]]\nkind = \"poem\"\nask = \"a\"",
            "none of those known",
        ),
        (
            "[[questions]]\nkind = \"number\"\nask = \"a\"\nfrom = 2\nto = 1",
            "greater than",
        ),
        (
            "[[questions]]\nkind = \"number\"\nask = \"a\"",
            "missing: from",
        ),
        (
            "[[questions]]\nkind = \"text\"\nask = \"a\"\nmost = 0",
            "1 to 1000",
        ),
        (
            "[[questions]]\nkind = \"choice\"\nask = \"a\"\nchoices = [\"a\", \"A\"]",
            "2 to 20 different",
        ),
        (
            "[[questions]]\nkind = \"yes_no\"\nask = \"a\"\ncolour = 1",
            "unknown key",
        ),
    ] {
        let error = bot().configure(Some(&text.parse().unwrap())).unwrap_err();
        assert!(error.to_string().contains(fragment), "{text}: {error}");
    }
}
