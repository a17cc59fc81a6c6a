//! A running process that reads its config anew.

use super::*;

fn text(accounts: &str, more: &str) -> String {
    format!(
        "{more}[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n[sandbox]\nlisten = \"127.0.0.1:0\"\n{accounts}"
    )
}

const TWO: &str = "[[accounts]]\nuser_id = \"a-{1..2}\"\nbots = [\"echo\"]\n";
const THREE: &str = "[[accounts]]\nuser_id = \"a-{2..4}\"\nbots = [\"echo\"]\n";

impl Running {
    /// Waits for a line on standard error that contains `words`.
    fn complaint(&mut self, words: &str) -> String {
        loop {
            let line = self.err.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no complaint with {words:?}"));
            if line.contains(words) {
                return line;
            }
        }
    }
}

#[test]
fn a_hangup_reloads_what_changed_and_a_mistake_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(&folder, &text(TWO, ""));
    let mut command = botroupe_that_takes_signals();
    command.args(["run", &path]);
    let mut run = Running::of(command);
    run.line("2 of 2 accounts online");

    config(&folder, &text(THREE, ""));
    run.signal("HUP");
    run.line("account a-1 offline");
    run.line("+ start     a-3, a-4");
    run.line("- stop      a-1");
    run.line("= stay      1 account");
    run.line("2 logins, at once");
    run.signal("HUP");
    run.line("nothing changes; 3 accounts stay as they are");

    config(&folder, &text(THREE, "[log]\nlevel = \"debug\"\n"));
    run.signal("HUP");
    run.line("~ fleet     log levels");
    run.complaint("the level of the log was changed");

    config(&folder, &text(&THREE.replace("echo", "ecko"), ""));
    run.signal("HUP");
    run.complaint("the config was not reloaded; the one before goes on");
    run.complaint("config.toml:8:9: accounts[0].bots: unknown bot \"ecko\"");
    config(&folder, &text(THREE, "[io]\narbiters = 3\n"));
    run.signal("HUP");
    run.complaint("only a restart of the process changes io");
    let status = output(&["status", "--config", &path]);
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.starts_with("3 accounts: 3 online\n"), "{status}");

    run.signal("TERM");
    let (status, _, err) = run.end();
    assert_eq!(status.code(), Some(0), "{err}");
}

#[test]
fn a_watched_config_is_reloaded_when_its_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(&folder, &text(TWO, ""));
    let mut run = Running::start(&["run", &path, "--watch", "--log-format", "json"]);
    run.line("{\"account\":\"a-2\",\"state\":\"online\"}");
    config(&folder, &text(THREE, ""));
    let line = run.line("\"reloaded\"");
    let plan: serde_json::Value = serde_json::from_str(&line).unwrap();
    let steps: Vec<(&str, &str)> = plan["reloaded"]["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            let word = |key: &str| step[key].as_str().unwrap();
            (word("account"), word("action"))
        })
        .collect();
    assert_eq!(steps, [("a-3", "start"), ("a-4", "start"), ("a-1", "stop")]);
    assert_eq!(plan["reloaded"]["logins"], 2);
}

#[test]
fn a_plan_is_shown_before_a_reload_does_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(&folder, &text(TWO, ""));
    let nobody = output(&["plan", &path]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(
        String::from_utf8(nobody.stderr)
            .unwrap()
            .contains("running?")
    );
    let mut run = Running::start(&["run", &path]);
    run.line("2 of 2 accounts online");

    config(&folder, &text(THREE, ""));
    let told = |args: &[&str]| String::from_utf8(output(args).stdout).unwrap();
    let plan = "+ start     a-3, a-4\n- stop      a-1\n= stay      1 account\n2 logins, at once\n";
    assert_eq!(told(&["plan", &path]), plan);
    assert_eq!(told(&["reload", "--config", &path]), plan);
    run.line("account a-4 online");
    let json: serde_json::Value = serde_json::from_str(&told(&["plan", &path, "--json"])).unwrap();
    assert_eq!(json["unchanged"], 3);

    config(&folder, &text(&THREE.replace("echo", "ecko"), ""));
    let wrong = output(&["reload", &path]);
    assert_eq!(wrong.status.code(), Some(64));
    let err = String::from_utf8(wrong.stderr).unwrap();
    assert!(err.contains("config.toml:8:9: accounts[0].bots"), "{err}");
}

/// Asks the control socket of the config in `folder`.
#[cfg(unix)]
fn over_socket(folder: &tempfile::TempDir, method: &str, path: &str) -> String {
    use std::io::{Read, Write};
    let socket = folder.path().join("botroupe.sock");
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A source of accounts is asked again: accounts come and go with its answers, and what it cannot say stops nobody.
#[cfg(unix)]
#[test]
fn a_source_of_accounts_is_asked_again_while_the_process_runs() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list");
    let say = |text: &str| {
        // In one step, since the program may read it at any moment.
        let new = folder.path().join("new");
        fs::write(&new, text).unwrap();
        fs::rename(&new, &list).unwrap();
    };
    say("user_id,bots\na-1,echo\na-2,echo\n");
    let source = format!(
        "accounts_command = [\"cat\", \"{}\"]\naccounts_every = \"1s\"\n",
        list.display()
    );
    let written = text("", &source);
    let path = config(&folder, &written);
    let mut command = botroupe_that_takes_signals();
    command.args(["run", &path]);
    let mut run = Running::of(command);
    run.line("2 of 2 accounts online");
    let told = |args: &[&str]| String::from_utf8(output(args).stdout).unwrap();
    // What was ordered stays, and so does the config as it was read: nobody asked for a reload of the file.
    let bot = "/api/v1/accounts/a-2/bots";
    let answer = over_socket(&folder, "DELETE", &format!("{bot}/echo"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    config(
        &folder,
        &format!("{written}[[accounts]]\nuser_id = \"unready\"\nbots = []\n"),
    );

    say("[{\"user_id\": \"a-2\", \"bots\": [\"echo\"]}, {\"user_id\": \"a-3\", \"bots\": []}]");
    run.line("+ start     a-3");
    run.line("- stop      a-1");
    run.line("= stay      1 account");
    let bots = over_socket(&folder, "GET", bot);
    assert!(bots.contains("\"bots\":[]"), "{bots}");

    say("<html><body>503 Service Unavailable</body></html>");
    run.complaint("the source of accounts was asked in vain; the accounts stay as they are");
    say("user_id,bots\n");
    run.complaint("it names no account at all");
    let mut tries = 0..1_000;
    let are_there = |_| told(&["status", "--config", &path]).starts_with("2 accounts: 2 online\n");
    assert!(tries.any(are_there), "a-2 and a-3 are online");

    say("user_id,bots\na-2,echo\n");
    run.line("- stop      a-3");
    // A reload reads the file, and puts the bots back.
    let plan = told(&["reload", &path]);
    assert!(
        plan.contains("+ start     unready") && plan.contains("~ change    a-2  (bots)"),
        "{plan}"
    );
    let audit = told(&["audit", "export", "--config", &path]);
    assert!(audit.contains("the source of accounts"), "{audit}");
    run.signal("TERM");
    let (status, _, err) = run.end();
    assert_eq!(status.code(), Some(0), "{err}");
}
