//! Tests of what a process keeps, from a user's view.

use super::*;
use crate::harness::{eventually, said, sandbox as service};
use botroupe::code::Code;
use serde_json::Value;

/// A config for one account of a bot, with `more` of it.
fn one(folder: &tempfile::TempDir, url: &str, bot: &str, more: &str) -> String {
    let text = format!(
        "endpoint = \"{url}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n\
         [defaults]\nlogin_spacing = \"0s\"\n{more}\n[[accounts]]\nuser_id = \"bot\"\nbots = [\"{bot}\"]\n"
    );
    config(folder, &text)
}

fn run(path: &str) -> Running {
    let mut command = botroupe_that_takes_signals();
    command.args(["run", "--config", path]);
    let mut run = Running::of(command);
    run.line("1 of 1");
    run
}

fn outbox(path: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let output = output(&[&["outbox"], args, &["--config", path]].concat());
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn letters(path: &str) -> Vec<Value> {
    let (code, json, err) = outbox(path, &["list", "--json"]);
    assert_eq!(code, Some(0), "{err}");
    let list: Value = serde_json::from_str(&json).unwrap();
    list["letters"].as_array().unwrap().clone()
}

#[actix_rt::test]
async fn the_counter_goes_on_counting_after_every_end() {
    let service = service(|_| {});
    let folder = tempfile::tempdir().unwrap();
    let path = one(&folder, &service.url(), "counter", "");
    for (end, count) in [("TERM", 1), ("KILL", 2), ("INT", 3)] {
        let run = run(&path);
        service.say("alice", "bot", "hello").unwrap();
        let said = eventually("the answer", || async {
            let said = said(&service, "bot", "alice");
            (said.len() >= count).then_some(said)
        })
        .await;
        assert_eq!(said[count - 1], format!("message number {count}"));
        assert_eq!(said.len(), count);
        run.signal(end);
        run.end();
    }
}

#[actix_rt::test]
async fn a_second_process_on_a_store_is_told_which_file_and_who_has_it() {
    let service = service(|_| {});
    let (one_folder, other_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = one_folder.path().join("shared.db");
    let more = format!("[store]\npath = {store:?}");
    let path = one(&one_folder, &service.url(), "echo", &more);
    let first = run(&path);
    // Another config, so nothing but the store stands in its way.
    let other = one(&other_folder, &service.url(), "echo", &more);
    let second = output(&["run", &other]);
    let err = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(75), "{err}");
    let pid = format!("in use by process {}", first.child.id());
    assert!(err.contains(store.to_str().unwrap()), "{err}");
    assert!(err.contains(&pid), "{err}");
    service.say("alice", "bot", "hello").unwrap();
    eventually("the first one goes on", || async {
        (said(&service, "bot", "alice") == ["hello"]).then_some(())
    })
    .await;
    first.signal("TERM");
    assert_eq!(first.end().0.code(), Some(0));
    let again = run(&other);
    again.signal("TERM");
    assert_eq!(
        again.end().0.code(),
        Some(0),
        "the lock went with its process"
    );
}

#[actix_rt::test]
async fn what_was_refused_is_listed_with_its_reason_and_sent_or_dropped_on_order() {
    let service = service(|_| {});
    let folder = tempfile::tempdir().unwrap();
    let path = one(&folder, &service.url(), "echo", "");
    let process = run(&path);
    let refuse = |count| {
        let refused = Code::C2C_MUTED;
        let command = "openim.sendmsg";
        service.refuse("bot", command, refused, count).unwrap();
    };
    refuse(None);
    for text in ["one", "two"] {
        service.say("alice", "bot", text).unwrap();
    }
    let failed = eventually("both are listed", || async {
        let letters = letters(&path);
        let failed = letters.iter().filter(|letter| letter["state"] == "failed");
        (failed.count() == 2).then_some(letters)
    })
    .await;
    let (_, table, _) = outbox(&path, &["list"]);
    assert!(
        table.contains("alice") && table.contains("20012"),
        "{table}"
    );
    process.signal("TERM");
    process.end();

    refuse(Some(0));
    let number = |at: usize| failed[at]["number"].to_string();
    assert_eq!(outbox(&path, &["retry", &number(0)]).0, Some(0));
    assert_eq!(outbox(&path, &["drop", &number(1)]).0, Some(0));
    // No process ran, and it is written down all the same.
    let noted = output(&["audit", "export", "--config", &path]);
    let noted = String::from_utf8(noted.stdout).unwrap();
    for (order, number) in [("retry", number(0)), ("drop", number(1))] {
        let what = format!("\"what\":{{\"letter\":{number},\"outbox\":\"{order}\"}}");
        let line = noted.lines().find(|line| line.contains(&what));
        let line = line.unwrap_or_else(|| panic!("no {what}: {noted}"));
        assert!(line.contains("the owner of the store"), "{line}");
    }
    let (code, _, err) = outbox(&path, &["retry", &number(1)]);
    assert_eq!(code, Some(1));
    assert!(err.contains("there is no letter"), "{err}");
    let (code, _, err) = outbox(&path, &["retry", &number(0)]);
    assert_eq!(code, Some(1));
    assert!(err.contains("to be sent already"), "{err}");
    assert_eq!(said(&service, "bot", "alice"), [""; 0]);

    let process = run(&path);
    eventually("the first one is sent", || async {
        letters(&path).is_empty().then_some(())
    })
    .await;
    assert_eq!(said(&service, "bot", "alice"), ["one"]);
    process.signal("TERM");
    process.end();
}
