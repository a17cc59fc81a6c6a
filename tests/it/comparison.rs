#![expect(
    unreachable_pub,
    reason = "the files look as in a program of one's own"
)]

//! The bots of the page that compares frameworks: ours do what the page says, and its table counts lines rightly.

#[path = "../../docs/comparison/botroupe/commands.rs"]
mod commands;
#[path = "../../docs/comparison/botroupe/guard.rs"]
mod guard;
#[path = "../../docs/comparison/botroupe/reminder.rs"]
mod reminder;
#[path = "../../docs/comparison/botroupe/survey.rs"]
mod survey;

use botroupe::bot::testing::TestBot;
use serde_json::json;
use std::fs;
use std::path::Path;

#[actix_rt::test]
async fn a_typed_command_with_help() {
    let bot = TestBot::new(commands::bot());
    let said = bot.hears("/w \"New York\" 3").await;
    assert_eq!(said, "New York: sunny for 3 days");
    let said = bot.hears("/weather Paris 9").await.texts().concat();
    assert!(
        said.contains("from 1 to 7") && said.contains("Usage: /weather"),
        "{said}"
    );
    let said = bot.hears("/wether Paris").await.texts().concat();
    assert!(said.contains("Did you mean /weather?"), "{said}");
    let said = bot.hears("/help").await.texts().concat();
    assert!(said.contains("the weather of a city"), "{said}");
}

#[actix_rt::test]
async fn three_questions_that_survive_a_restart() {
    let bot = TestBot::new(survey::bot());
    bot.hears("/signup").await;
    assert_eq!(bot.hears("Alice").await, "How old are you?");
    bot.crash_and_restart().await;
    assert_eq!(bot.hears("12").await, "18 or more, please.");
    bot.hears("42").await;
    assert_eq!(bot.hears("2").await, "Welcome, Alice (42), size large.");
    bot.hears("/signup").await;
    assert_eq!(bot.hears("cancel").await, "OK, cancelled.");
}

#[actix_rt::test]
async fn reminders_that_survive_a_restart() {
    let bot = TestBot::new(reminder::bot());
    assert_eq!(bot.hears("/remind 2h tea").await, "I will.");
    bot.hears("/remind 3h cake").await;
    assert_eq!(bot.hears("/reminders").await, "1. tea\n2. cake\n");
    assert_eq!(bot.hears("/forget 2").await, "Forgotten.");
    bot.crash_and_restart().await;
    let said = bot.advance("4h").await.texts();
    assert_eq!(
        said.iter().filter(|text| *text == "Remember: tea").count(),
        1,
        "{said:?}"
    );
    assert!(!said.iter().any(|text| text.contains("cake")), "{said:?}");
    assert_eq!(bot.hears("/forget 1").await, "There is no such reminder.");
    let day = bot.advance("24h").await.texts();
    assert_eq!(day, ["Good morning!"]);
}

#[actix_rt::test]
async fn groups_are_kept_in_order() {
    let bot = TestBot::new(guard::bot());
    let bob = bot.from("bob").in_group("g");
    for warning in 1..=3 {
        bot.answer("group_open_http_svc.group_msg_recall", &json!({}));
        bot.answer("group_open_http_svc.modify_group_member_info", &json!({}));
        let said = bob.hears("come to my CASINO").await;
        assert_eq!(said, format!("bob: warning {warning} of 3").as_str());
    }
    bob.hears("hello").await.expect_no_reply();
}

/// What is left of a file without blank lines and comments.
fn lines(path: &Path) -> usize {
    let text = fs::read_to_string(path).unwrap();
    let is_code = |line: &&str| {
        let line = line.trim();
        let is_comment =
            line.starts_with("//") || (line.starts_with('#') && !line.starts_with("#["));
        !line.is_empty() && !is_comment
    };
    text.lines().filter(is_code).count()
}

#[test]
fn the_table_counts_the_lines_of_the_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = ["docs/src/comparison.md", "docs/src/zh/comparison.md"];
    let pages = pages.map(|page| fs::read_to_string(root.join(page)).unwrap());
    let folders = ["botroupe", "koishi", "nonebot2", "grammy", "teloxide"];
    for task in ["commands", "survey", "reminder", "guard"] {
        let counts = folders.map(|folder| {
            let files = fs::read_dir(root.join("docs/comparison").join(folder)).unwrap();
            let mut paths = files.map(|file| file.unwrap().path());
            lines(
                &paths
                    .find(|path| path.file_stem().unwrap() == task)
                    .unwrap(),
            )
        });
        let cells: Vec<String> = counts.iter().map(|count| format!(" {count} |")).collect();
        let row = cells
            .concat()
            .replacen(&cells[0], &format!(" **{}** |", counts[0]), 1);
        for page in &pages {
            let is_task = |line: &&str| line.starts_with(&format!("| `{task}`"));
            let line = page.lines().find(is_task).unwrap_or_default();
            assert!(
                line.ends_with(&row),
                "{task} has{row}, and the page says {line}"
            );
        }
    }
}
