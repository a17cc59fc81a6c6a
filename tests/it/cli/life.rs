//! Tests of the process life: one copy at a time, few file handles, every signal, and the state
//! that survives a restart.

use super::*;

fn control(path: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let output = output(&[args, &["--config", path]].concat());
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn a_second_copy_is_refused_and_takes_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let mut first = Running::start(&["run", "--config", &path]);
    first.line("4 of 4");
    let second = output(&["run", &path]);
    let err = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(75), "{err}");
    let pid = format!("already running as process {}", first.child.id());
    assert!(err.contains(&pid) && err.contains("--force"), "{err}");
    let (_, table, _) = control(&path, &["status"]);
    assert!(table.starts_with("4 accounts: 4 online\n"), "{table}");
    assert_eq!(control(&path, &["status", "--check"]).0, Some(0));

    // The store is not shared, whoever forces what.
    let forced = output(&["run", &path, "--force"]);
    let err = String::from_utf8(forced.stderr).unwrap();
    assert_eq!(forced.status.code(), Some(75), "{err}");
    assert!(err.contains("botroupe.db: the store is in use"), "{err}");
    let no_store = "store.path=\":memory:\"";
    let mut forced = Running::start(&["run", &path, "--force", "--set", no_store]);
    forced.line("sandbox listening");
    forced.signal("TERM");
    assert_eq!(forced.end().0.code(), Some(0));
    assert_eq!(
        control(&path, &["status"]).0,
        Some(0),
        "the first has its socket still"
    );
    first.signal("TERM");
    assert_eq!(first.end().0.code(), Some(0));
    let mut left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    let kept = ["botroupe.db", "config.toml"];
    assert_eq!(left, kept, "nothing else is left behind");
}

#[test]
fn every_signal_that_ends_a_process_drains_and_logs_out() {
    // SIGHUP reloads the config, see `reload`.
    for signal in ["QUIT", "TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let path = fleet(&folder, "sandbox");
        let mut command = botroupe_that_takes_signals();
        command.args(["run", "--config", &path]);
        let mut run = Running::of(command);
        run.line("4 of 4");
        run.signal(signal);
        let (status, out, err) = run.end();
        assert_eq!(status.code(), Some(0), "{signal}: {err}");
        assert!(
            out.contains("account echo-bot offline stopped"),
            "{signal}: {out}"
        );
    }
}

#[test]
fn what_was_ordered_holds_over_a_crash_until_it_is_taken_back() {
    let (_sandbox, url) = sandbox();
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, &url);
    let mut run = Running::start(&["run", "--config", &path]);
    run.line("4 of 4");
    let dry = output(&["hold", "support-01", "--dry-run", "--config", &path]);
    let would = "support-01 is online: it logs out, it stays away until somebody resumes it; then it is held\n";
    assert_eq!(String::from_utf8(dry.stdout).unwrap(), would);
    assert_eq!(control(&path, &["hold", "support-01"]).0, Some(0));
    run.line("account support-01 offline ordered");
    assert_eq!(control(&path, &["quarantine", "support-02"]).0, Some(0));
    run.line("account support-02 offline ordered");
    actix_rt::System::new().block_on(async {
        let kick = rest(&url, "im_open_login_svc/kick", r#"{"UserID":"support-03"}"#).await;
        assert_eq!(kick["ErrorCode"], 0, "{kick}");
    });
    run.line("account support-03 offline REST_API_Kick");
    let kept = folder.path().join("botroupe.kept.json");
    let deadline = botroupe::gateway::now().mono + PATIENCE;
    while !fs::read_to_string(&kept).is_ok_and(|text| text.contains("REST_API_Kick")) {
        assert!(botroupe::gateway::now().mono < deadline);
    }
    drop(run); // Killed.

    let mut run = Running::start(&["run", "--config", &path]);
    run.line("1 of 4");
    let (code, _, err) = control(&path, &["status", "--check"]);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("3 of 4 accounts not online"), "{err}");
    let (_, json, _) = control(&path, &["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&json).unwrap();
    let states: Vec<(String, String)> = status["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| {
            let text = |key: &str| account[key].as_str().unwrap_or("none").to_owned();
            (text("state"), text("cause"))
        })
        .collect();
    let expected = [
        ("online", "none"),
        ("held", "ordered"),
        ("quarantined", "ordered"),
        ("held", "REST_API_Kick"),
    ];
    let expected = expected.map(|(state, cause)| (state.to_owned(), cause.to_owned()));
    assert_eq!(states, expected);

    for user in ["support-01", "support-02", "support-03"] {
        let (code, _, err) = control(&path, &["relogin", user]);
        assert_eq!(code, Some(1), "{user}");
        assert!(err.contains(&format!("`botroupe resume {user}`")), "{err}");
        assert_eq!(control(&path, &["resume", user]).0, Some(0));
        run.line(&format!("account {user} online"));
    }
    run.signal("TERM");
    assert_eq!(run.end().0.code(), Some(0));
    let mut run = Running::start(&["run", "--config", &path]);
    run.line("4 of 4");
}

#[test]
fn a_path_too_long_for_a_socket_has_its_socket_elsewhere_and_status_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a-folder-with-a-long-name".repeat(5));
    fs::create_dir(&deep).unwrap();
    let short = fleet(&folder, "sandbox");
    let path = deep.join("config.toml");
    fs::rename(short, &path).unwrap();
    let path = path.to_str().unwrap();
    let mut run = Running::start(&["run", "--config", path]);
    run.line("4 of 4");
    let (code, table, err) = control(path, &["status"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        table.contains("4 online") && table.contains("too long for a socket"),
        "{table}"
    );
    run.signal("TERM");
    assert_eq!(run.end().0.code(), Some(0));
}

/// Returns the program with a limit of open files, hard and soft or (`-S`) soft only.
fn limited(limit: &str, path: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("ulimit {limit} && exec \"$0\" \"$@\""))
        .arg(env!("CARGO_BIN_EXE_botroupe"))
        .args(["run", "--config", path])
        .env_remove("BOTROUPE_LOG")
        .env_remove("RUST_LOG");
    command
}

#[test]
fn too_few_file_handles_are_said_and_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let output = limited("-n 20", &path).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(!err.contains("panic"), "{err}");
    assert!(
        err.contains("only 20 open files") && err.contains("LimitNOFILE"),
        "{err}"
    );
}

#[test]
fn the_soft_limit_of_open_files_is_raised() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let mut run = Running::of(limited("-S -n 20", &path));
    run.line("4 of 4");
}

#[test]
fn status_answers_when_no_file_handle_is_left() {
    let (_sandbox, url) = sandbox();
    let folder = tempfile::tempdir().unwrap();
    // There are more accounts than file handles.
    let path = config(
        &folder,
        &format!(
            "endpoint = \"{url}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n\
             [[accounts]]\nuser_id = \"many-{{001..100}}\"\nbots = [\"echo\"]\n"
        ),
    );
    let mut run = Running::of(limited("-n 64", &path));
    let deadline = botroupe::gateway::now().mono + PATIENCE;
    loop {
        let (code, json, err) = control(&path, &["status", "--json"]);
        if code == Some(0) {
            let status: serde_json::Value = serde_json::from_str(&json).unwrap();
            let accounts = status["accounts"].as_array().unwrap();
            let starved = |account: &&serde_json::Value| {
                account["detail"]
                    .as_str()
                    .is_some_and(|text| text.contains("open files"))
            };
            // Many accounts want a handle and did not get one.
            if accounts.iter().filter(starved).count() > 10 {
                break;
            }
        }
        assert!(botroupe::gateway::now().mono < deadline, "{err}");
    }
    for _ in 0..20 {
        let (code, _, err) = control(&path, &["status"]);
        assert_eq!(code, Some(0), "{err}");
    }
    run.signal("TERM");
    drop(run.child.stdin.take());
    let err: Vec<String> = run.err.iter().collect();
    assert!(run.child.wait().unwrap().success());
    let err = err.join("\n");
    assert!(err.contains("too few open files"), "{err}");
    assert!(!err.contains("panic"), "{err}");
    // Four in five of so few handles are kept for the rest, and the log says what would help.
    assert!(
        err.contains("12 links are open") && err.contains("LimitNOFILE="),
        "{err}"
    );
}

#[test]
fn a_mistake_found_at_the_start_of_a_large_fleet_is_the_only_thing_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(
        &folder,
        &format!(
            "[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n[sandbox]\nlisten = \"127.0.0.1:0\"\n\
             [[accounts]]\nuser_id = \"s-{{001..150}}\"\nbots = [\"counter\"]\n[bots.counter]\nwrod = \"x\"\n"
        ),
    );
    let output = output(&["run", "--config", &path]);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{err}");
    assert!(err.contains("wrod"), "{err}");
    assert!(
        !err.contains("panicked") && !err.contains("reactor"),
        "{err}"
    );
}
