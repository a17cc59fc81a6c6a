//! Tests of recordings: what is in them, and what a slow disk does to a fleet.

use super::*;
use crate::bot::testing::TestBot;
use crate::prelude::Sender;
use crate::prelude::*;
use crate::proto::message::{C2cItem, GroupItem};
use serde_json::json;
use std::sync::{Condvar, Mutex};

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

/// A file in memory, whose disk can hang or be full.
#[derive(Clone, Default)]
struct Disk(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    hangs: bool,
    is_full: bool,
}

impl Disk {
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.0.lock().unwrap().bytes.clone()).unwrap()
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let state = self.0.0.lock().unwrap();
        let mut state = self.0.1.wait_while(state, |state| state.hangs).unwrap();
        if state.is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn from(who: &str, seq: u32, text: &str) -> AccountEvent {
    let item = C2cItem {
        seq,
        random: seq,
        time: now().unix_secs(),
        nick: "Alice Liddell".to_owned(),
        ..C2cItem::new(who, "echo-bot", vec![Element::text(text)])
    };
    AccountEvent::Message(Arc::new(Message::from_c2c(item, "echo-bot")))
}

fn events() -> Vec<AccountEvent> {
    let group = json!({
        "From_Account": "alice", "ToGroupId": "@TGS#1", "MsgSeq": 3, "MsgRandom": 3, "MsgTimeStamp": now().unix_secs(),
        "MsgBody": [Element::text("@echo-bot, 请打 13812345678 或写 a.liddell@example.com")],
        "GroupAtInfo": [{"GroupAtAllFlag": 0, "GroupAt_Account": "echo-bot"}],
        "GroupInfo": {"GroupId": "@TGS#1", "GroupName": "Tea", "From_AccountNick": "张三丰"},
    });
    let group: GroupItem = serde_json::from_value(group).unwrap();
    let group = Message::from_group(group, 3, "echo-bot").unwrap();
    let quote = from("alice", 4, "问张三丰 see https://example.com/alice ok");
    let update = Update::ReadByPeer {
        peer: "alice".to_owned().into(),
        until: 7,
    };
    vec![
        AccountEvent::Ready,
        from("alice", 1, "hello"),
        AccountEvent::Message(Arc::new(group)),
        quote,
        AccountEvent::Update(Box::new(update)),
        AccountEvent::NotReady(crate::account::Cause::Kicked(
            crate::proto::event::KickType::MultipleDevice,
        )),
        AccountEvent::Ready,
        from("bob", 5, "bye"),
    ]
}

fn record(disk: &Disk, mask: bool) -> Tape {
    let tape = Tape::to(disk.clone(), mask).unwrap();
    for event in events() {
        tape.note(&user("echo-bot"), now(), &event);
    }
    assert!(tape.finish());
    tape
}

fn echo() -> Bot {
    Bot::new("echo")
        .on_text(async |text: Text, sender: Sender| format!("{}: {}", sender.user_id, &*text))
        .on_kicked(async |kicked: Kicked, api: Api| {
            let _ = api.send_text("admin", format!("{kicked:?}")).await;
        })
        .on_update(async |_: Event, api: Api| {
            let _ = api.send_text("admin", "update").await;
        })
}

#[actix_rt::test]
async fn a_recording_is_played_to_a_bot() {
    let disk = Disk::default();
    record(&disk, false);
    let bot = TestBot::new(echo());
    let outcomes = bot.replay_text(&disk.text(), None).await;
    let texts: Vec<Vec<String>> = outcomes
        .iter()
        .map(crate::bot::testing::Outcome::texts)
        .collect();
    assert_eq!(texts[0], Vec::<String>::new());
    assert_eq!(texts[1], ["alice: hello"]);
    assert_eq!(
        texts[2],
        ["alice: @echo-bot, 请打 13812345678 或写 a.liddell@example.com"]
    );
    assert_eq!(outcomes[2].sent()[0].0, Conversation::group("@TGS#1"));
    assert_eq!(texts[4], ["update"]);
    assert_eq!(texts[5], ["MultipleDevice"]);
    assert_eq!(texts[7], ["bob: bye"]);
    assert_eq!(texts.len(), 8);
    // A mention of the account is one of the account that is tested.
    let mentioned = Bot::new("b").on(filter::mentioned(), async |_: Text| "me");
    let outcomes = TestBot::new(mentioned)
        .replay_text(&disk.text(), Some("echo-bot"))
        .await;
    let texts: Vec<String> = outcomes
        .iter()
        .flat_map(|outcome| outcome.texts())
        .collect();
    assert_eq!(texts, ["me"]);
}

#[actix_rt::test]
async fn time_passes_between_what_is_replayed_as_it_did() {
    let disk = Disk::default();
    let tape = Tape::to(disk.clone(), false).unwrap();
    let began = now();
    tape.note(&user("b"), began, &from("alice", 1, "one"));
    let mut later = began;
    later.mono += Duration::from_secs(3600);
    tape.note(&user("b"), later, &from("alice", 2, "two"));
    assert!(tape.finish());
    let remind = async |text: Text| Reply::after(Duration::from_secs(60), &*text);
    let outcomes = TestBot::new(Bot::new("b").on_text(remind))
        .replay_text(&disk.text(), None)
        .await;
    assert_eq!(outcomes[0].texts(), Vec::<String>::new());
    assert_eq!(outcomes[1], ["one"]);
}

#[test]
fn pseudonyms_take_the_place_of_names_and_stay_the_same() {
    let disk = Disk::default();
    record(&disk, true);
    let text = disk.text();
    for name in [
        "alice",
        "bob",
        "Liddell",
        "echo-bot",
        "TGS#1",
        "Tea",
        "张三丰",
        "13812345678",
        "example.com",
    ] {
        assert!(!text.contains(name), "{name} is in {text}");
    }
    let (_, lines) = recorded(&text, None, "bot").unwrap();
    assert_eq!(lines.len(), 8);
    let messages: Vec<&Message> = lines
        .iter()
        .filter_map(|line| match &line.heard {
            Happened::Message(message) => Some(&**message),
            _ => None,
        })
        .collect();
    assert_eq!(messages[0].from, messages[1].from);
    assert_ne!(messages[0].from, messages[3].from);
    assert_eq!(messages[0].text(), Some("hello"));
    assert!(messages[1].mentions("bot"), "{text}");
    let words: Vec<&str> = messages[1].text().unwrap().split(' ').collect();
    assert!(
        words[2].len() == 11 && words[2].bytes().all(|byte| byte.is_ascii_digit()),
        "{words:?}"
    );
    assert_eq!(
        messages[1].conversation,
        Conversation::group(&*messages[1].to)
    );
    assert!(messages[1].to.starts_with("@TGS#"));
    let replayed = messages[2].text().unwrap();
    assert!(
        replayed.starts_with("问user") && replayed.ends_with("ok"),
        "{replayed}"
    );
}

#[test]
fn a_disk_that_hangs_holds_up_nobody_and_what_is_left_out_is_counted() {
    let disk = Disk::default();
    disk.set(|state| state.hangs = true);
    let tape = Tape::to(disk.clone(), false).unwrap();
    for number in 0..5_000 {
        tape.note(&user("b"), now(), &from("alice", number, &"x".repeat(200)));
    }
    disk.set(|state| state.hangs = false);
    // What comes next is recorded again, and tells how many are missing.
    loop {
        tape.note(&user("b"), now(), &from("alice", 9_999, "last"));
        if tape.finish() {
            break;
        }
    }
    let (_, lines) = recorded(&disk.text(), None, "bot").unwrap();
    let (mut heard, mut lost) = (0, 0);
    for line in lines {
        match line.heard {
            Happened::Lost(count) => lost += count,
            Happened::Message(message) if message.seq != 9_999 => heard += 1,
            _ => {}
        }
    }
    assert!(
        heard <= 5_000 && lost > 0 && heard + lost >= 5_000,
        "{heard} and {lost}"
    );
}

#[test]
fn a_disk_that_is_full_ends_nothing() {
    let disk = Disk::default();
    let tape = record(&disk, false);
    let before = disk.text();
    disk.set(|state| state.is_full = true);
    for number in 0..300 {
        tape.note(&user("b"), now(), &from("alice", number, &"x".repeat(200)));
    }
    assert!(!tape.finish());
    assert_eq!(disk.text(), before);
}

#[test]
fn a_file_that_is_there_is_not_overwritten_and_nobody_else_may_read_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let config = RecordConfig {
        path: folder.path().join("heard.jsonl"),
        mask: false,
    };
    let tape = Tape::begin(&config).unwrap();
    assert!(tape.finish());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = config.path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let error = Tape::begin(&config).unwrap_err().to_string();
    assert!(error.contains("name a new file"), "{error}");
}

#[test]
fn what_is_no_recording_of_one_account_is_refused() {
    let header = r#"{"botroupe":"recording","version":1,"began":1,"masked":false}"#;
    let line = |account| format!(r#"{{"at":1,"account":"{account}","heard":"ready"}}"#);
    let two = format!("{header}\n{}\n{}", line("a"), line("b"));
    for (text, fragment) in [
        ("", "no recording"),
        ("{}", "no recording"),
        (
            r#"{"botroupe":"recording","version":2,"began":1,"masked":false}"#,
            "version 2",
        ),
        (two.as_str(), "several accounts"),
        (&format!("{header}\nx"), "line 2"),
        (&format!("{header}\n{{}}"), "line 2"),
    ] {
        let error = recorded(text, None, "bot").unwrap_err();
        assert!(error.contains(fragment), "{text}: {error}");
    }
    assert_eq!(recorded(&two, Some("b"), "bot").unwrap().1.len(), 1);
}
