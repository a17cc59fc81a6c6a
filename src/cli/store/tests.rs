use super::*;
use crate::cli::args::{Args, Command};
use crate::proto::message::{Conversation, MessageKey};
use crate::store::Condition;
use std::ffi::OsString;
use std::path::Path;

/// As the API tells it.
fn told(condition: &Condition) -> Value {
    json!(types::StoreOf::new(condition))
}

fn run(line: &str) -> (Result<(), Failure>, String) {
    let words = std::iter::once("botroupe").chain(line.split_whitespace());
    let command = Args::read(words.map(OsString::from))
        .unwrap()
        .into_command();
    let env: BTreeMap<String, String> = BTreeMap::new();
    let mut out = Vec::new();
    let done = match command {
        Command::Store(command) => store(&command, &env, &Bots::new(), &mut out),
        Command::Outbox(command) => outbox(&command, &env, &Bots::new(), &mut out),
        other => panic!("{other:?}"),
    };
    (done, String::from_utf8(out).unwrap())
}

fn filled(path: &Path) {
    let store = Store::open(path, StoreConfig::default()).unwrap();
    let app = crate::proto::id::SdkAppId::new(1_400_000_001).unwrap();
    let account = store.accounts(app, &["echo-bot".parse().unwrap()]).unwrap()[0];
    for number in 1..=3 {
        let letter = Letter {
            number,
            account,
            bot: "echo".into(),
            effect: None,
            lasting: false,
            to: Conversation::c2c("alice"),
            draft: r#"{"text":"hi"}"#.into(),
            key: MessageKey { seq: 1, random: 2 },
            at: unix_now() - 120,
            service_time: 0,
            state: LetterState::Queued,
        };
        assert!(apply(&store, Change::Queued(Box::new(letter))));
    }
    let ended = |number, ended| Change::Ended { number, ended };
    let reason = "80002: too long".into();
    let at = unix_now();
    assert!(apply(&store, ended(2, Ended::Failed { reason, at })));
    let reason = "the history does not reach back".into();
    assert!(apply(&store, ended(3, Ended::Unknown { reason, at })));
    store.close();
}

#[test]
fn letters_are_listed_retried_and_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("botroupe.db");
    filled(&path);
    let file = format!("--file {}", path.display());
    let (done, said) = run(&format!("outbox list {file}"));
    done.unwrap();
    assert_eq!(
        said,
        "NUMBER  ACCOUNT   TO     STATE    AGE  WHY\n\
         1       echo-bot  alice  queued   2m\n\
         2       echo-bot  alice  failed   2m   80002: too long\n\
         3       echo-bot  alice  unknown  2m   the history does not reach back\n"
    );
    let (_, said) = run(&format!("outbox list --json {file}"));
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["letters"][1]["draft"]["text"], "hi");
    assert_eq!(said["letters"][2]["state"], "unknown");

    run(&format!("outbox retry 2 {file}")).0.unwrap();
    run(&format!("outbox drop 3 {file}")).0.unwrap();
    let again = run(&format!("outbox retry 2 {file}")).0.unwrap_err();
    assert_eq!(again.to_string(), "letter 2 is to be sent already");
    let again = run(&format!("outbox drop 3 {file}")).0.unwrap_err();
    assert!(
        again.to_string().starts_with("there is no letter 3"),
        "{again}"
    );
    let left = StoreFile::open(&path).unwrap().letters().unwrap();
    assert!(
        left.iter()
            .all(|letter| letter.state == LetterState::Queued)
    );
    assert_eq!(left.len(), 2);
}

#[test]
fn the_store_is_looked_after_beside_a_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("botroupe.db");
    filled(&path);
    let file = format!("--file {}", path.display());
    let store = Store::open(&path, StoreConfig::default()).unwrap();
    let (done, said) = run(&format!("store check {file}"));
    done.unwrap();
    assert!(said.ends_with("botroupe.db: nothing is wrong\n"), "{said}");
    let copy = folder.path().join("copy.db");
    let (done, said) = run(&format!("store backup {} {file}", copy.display()));
    done.unwrap();
    assert!(said.ends_with("KiB\n"), "{said}");
    assert!(
        run(&format!("store check --json --file {}", copy.display()))
            .0
            .is_ok()
    );
    let (done, said) = run(&format!("store export {file}"));
    done.unwrap();
    assert_eq!(said.lines().count(), 4, "{said}");
    let kinds: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(kinds[0]["kind"], "account");
    assert_eq!(kinds[1]["to"]["user"], "alice");

    let refused = run(&format!("store prune {file}")).0.unwrap_err();
    assert_eq!(refused.code(), Some(75));
    assert!(
        refused.to_string().contains("in use by process"),
        "{refused}"
    );
    store.close();
    let (done, said) = run(&format!("store prune {file}"));
    done.unwrap();
    assert_eq!(said, "removed 0 handled, 0 letters, 0 results, 0 values\n");

    let none = run("store check --file /nowhere/x.db").0.unwrap_err();
    assert_eq!(none.code(), Some(1));
}

#[test]
fn status_tells_of_the_store() {
    use crate::store::{Cause, Trouble};
    assert_eq!(condition_line(&told(&Condition::default()), 0), "");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("botroupe.db");
    filled(&path);
    let store = Store::open(&path, StoreConfig::default()).unwrap();
    let mut condition = store.condition();
    condition.path = Some("botroupe.db".into());
    condition.sizes.file = 3_565_158;
    condition.sizes.log = 0;
    condition.oldest = Some((1, 1_000));
    let line = condition_line(&told(&condition), 1_060);
    assert_eq!(
        line,
        "store: botroupe.db, 3.4 MiB; 1 queued (oldest 1m), 1 failed, 1 unknown\n"
    );
    condition.counts.spilled = 5;
    let line = condition_line(&told(&condition), 1_060);
    assert!(line.ends_with("1 unknown, 5 wait for bots\n"), "{line}");
    condition.trouble = Some(Trouble::new(Cause::Full, "database or disk is full", 1_000));
    condition.waiting = 7;
    let line = condition_line(&told(&condition), 1_060);
    assert!(
        line.ends_with(
            "\n  NOT WRITTEN for 1m, 7 lists wait: full (database or disk is full); \
             free space on its disk; writing goes on by itself\n"
        ),
        "{line}"
    );
}
