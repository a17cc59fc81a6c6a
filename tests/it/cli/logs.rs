//! Tests of the log as a file: what is in it, and that a file that cannot be written costs no account.

use super::*;

fn of(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))
}

#[test]
fn a_file_gets_every_line_with_stable_fields_and_one_account_in_more_detail() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let file = folder.path().join("b.log");
    let mut run = Running::start(&[
        "run",
        &path,
        "--set",
        "log.file={path=\"b.log\"}",
        "--set",
        "log.accounts={\"support-01\"=\"debug\"}",
    ]);
    run.line("4 of 4 accounts online");
    run.signal("INT");
    let (status, _, err) = run.end();
    assert!(status.success());
    assert!(err.contains("online"), "standard error has the log as well");
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = text.lines().map(of).collect();
    for line in &lines {
        for name in ["ts", "level", "target", "message"] {
            assert!(line[name].is_string(), "{name} in {line}");
        }
    }
    let online = |account: &str| {
        lines
            .iter()
            .any(|line| line["message"] == "online" && line["account"] == account)
    };
    assert!(online("echo-bot") && online("support-03"), "{text}");
    let detailed: Vec<_> = lines
        .iter()
        .filter(|line| line["level"] == "DEBUG")
        .map(|line| line["account"].as_str().unwrap_or_default())
        .collect();
    assert!(!detailed.is_empty(), "{text}");
    assert!(
        detailed.iter().all(|account| *account == "support-01"),
        "{detailed:?}"
    );
    assert!(
        lines.iter().any(|line| line["message"]
            .as_str()
            .unwrap_or_default()
            .starts_with("stopping")),
        "{text}"
    );
}

#[test]
fn a_log_file_that_cannot_be_written_costs_no_account_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let mut run = Running::start(&[
        "run",
        &path,
        "--set",
        "log.file={path=\"/dev/full\"}",
        "--set",
        "log.format=json",
    ]);
    run.line("support-03");
    run.signal("INT");
    let (status, _, err) = run.end();
    assert!(status.success(), "{err}");
    let told = err.lines().map(of);
    let told: Vec<_> = told.filter(|line| line["sink"] == "file").collect();
    assert_eq!(told.len(), 1, "{err}");
    assert!(
        told[0]["error"].as_str().unwrap().contains("regular file"),
        "{told:?}"
    );
}

#[test]
fn a_log_file_that_is_taken_away_comes_again_and_is_never_too_large() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let mut run = Running::start(&[
        "-vv",
        "run",
        &path,
        "--set",
        "log.file={path=\"b.log\",max_size=\"4KiB\",max_files=2}",
    ]);
    run.line("4 of 4 accounts online");
    fs::remove_file(folder.path().join("b.log")).unwrap();
    run.signal("INT");
    assert!(run.end().0.success());
    let size = |name: &str| fs::metadata(folder.path().join(name)).unwrap().len();
    assert!(size("b.log") > 0);
    // A longer line has a file of its own.
    assert!(size("b.log") < 8 << 10, "{}", size("b.log"));
    assert!(!folder.path().join("b.log.2").exists());
}

#[test]
fn the_log_of_a_running_process_is_read_and_one_account_is_logged_in_full_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let mut run = Running::start(&["run", &path]);
    run.line("4 of 4 accounts online");
    let logs = |more: &[&str]| {
        let said = output(&[&["logs", "--config", &path], more].concat());
        let err = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.status.success(), "{more:?}: {err}");
        String::from_utf8(said.stdout).unwrap()
    };
    let own = logs(&["--account", "support-01"]);
    assert!(
        own.contains("INFO") && own.contains("account=support-01"),
        "{own}"
    );
    assert!(!own.contains("support-02"), "{own}");
    assert!(!logs(&["-n", "1000"]).contains(KEY));

    let follow = [
        "logs",
        "--config",
        &path,
        "--account",
        "support-0*",
        "--follow",
        "--json",
    ];
    let more = ["-n", "0", "--level", "debug", "--for", "9m"];
    let mut follow = Running::start(&[&follow[..], &more].concat());
    loop {
        let levels = logs(&["--show-levels"]);
        if levels.contains("account support-0*  debug  until 20") {
            break;
        }
    }
    for order in ["hold", "resume"] {
        let done = output(&[order, "support-03", "--config", &path]);
        assert!(done.status.success());
    }
    let line = of(&follow.line("\"DEBUG\""));
    assert_eq!(line["account"], "support-03");
    assert!(!logs(&["--level", "gateway=trace"]).contains("store"));
    let back = logs(&["--level", "gateway=default"]);
    assert!(
        !back.contains("gateway") && back.contains("whole  info\n"),
        "{back}"
    );

    let wrong = output(&["logs", "--config", &path, "--level", "loud"]);
    assert_eq!(wrong.status.code(), Some(64));
    let audit = output(&["audit", "export", "--config", &path]);
    let audit = String::from_utf8_lossy(&audit.stdout).into_owned();
    assert!(
        audit.contains("/api/v1/logs/levels") && audit.contains("\"9m\""),
        "{audit}"
    );
    run.signal("INT");
    assert!(run.end().0.success());
    let (status, ..) = follow.end();
    assert!(status.success(), "it ends with the process");
}
