//! Tests of recordings: what the bots of a run hear, played to a bot in a test.

use super::*;
use botroupe::bot::testing::{Outcome, TestBot};
use botroupe::prelude::*;

async fn count(message: Message, api: Api) -> Result<String, ApiError> {
    let text = message.text().unwrap_or_default();
    api.send(&message, "heard").await?;
    Ok(text.to_uppercase())
}

#[actix_rt::test]
async fn what_a_run_has_heard_gives_a_bot_under_test_the_same_replies() {
    let folder = tempfile::tempdir().unwrap();
    let (_sandbox, url) = sandbox();
    let path = fleet(&folder, &url);
    let heard = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (plain, masked) = (heard("heard.jsonl"), heard("masked.jsonl"));
    for (file, more) in [(&plain, &[][..]), (&masked, &["--record-mask"][..])] {
        let args = ["run", "--config", &path, "--record", file];
        let mut run = Running::start(&[&args[..], more].concat());
        run.line("4 of 4 accounts online");
        let mut chat = Running::start(&[
            "chat", "--as", "alice", "--to", "echo-bot", "--config", &path,
        ]);
        let mut said = Vec::new();
        for text in ["hello", "call 13812345678", "你好 😀"] {
            writeln!(chat.child.stdin.as_mut().unwrap(), "{text}").unwrap();
            let line = chat.line("echo-bot: ");
            said.push(line.split_once("echo-bot: ").unwrap().1.to_owned());
        }
        chat.end();
        run.signal("TERM");
        assert_eq!(run.end().0.code(), Some(0));
        let text = fs::read_to_string(file).unwrap();
        assert!(!text.contains(KEY));
        let echo = TestBot::new(Bot::new("echo").on_text(async |text: Text| text.into_inner()));
        // The other accounts have heard nothing but that they are ready.
        let account = match more.is_empty() {
            true => "echo-bot".to_owned(),
            false => {
                assert!(
                    !text.contains("alice") && !text.contains("13812345678"),
                    "{text}"
                );
                let line = text.lines().find(|line| line.contains("hello")).unwrap();
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                line["account"].as_str().unwrap().to_owned()
            }
        };
        let replies: Vec<String> = echo
            .replay_text(&text, Some(&account))
            .await
            .iter()
            .flat_map(Outcome::texts)
            .collect();
        if more.is_empty() {
            assert_eq!(replies, said);
        } else {
            assert_eq!((&replies[0], &replies[2]), (&said[0], &said[2]));
            assert_eq!(replies[1].len(), said[1].len());
        }
    }
    // A file of another bot is no less of use.
    let other = TestBot::new(Bot::new("other").on_text(count));
    let text = fs::read_to_string(&plain).unwrap();
    let outcomes = other.replay_text(&text, Some("echo-bot")).await;
    assert!(
        outcomes
            .iter()
            .any(|outcome| *outcome == ["heard", "HELLO"])
    );
    let refused = output(&["run", "--config", &path, "--record", &plain]);
    assert_eq!(refused.status.code(), Some(1));
    let err = String::from_utf8(refused.stderr).unwrap();
    assert!(err.contains("name a new file"), "{err}");
}
