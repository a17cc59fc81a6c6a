//! Tests of signer programs: their input, and the cleanup of all processes that they start.

use super::*;
use std::fs::File;

/// Writes a config with one account whose UserSigs come from a shell script.
fn signed_by(folder: &tempfile::TempDir, url: &str, script: &str) -> String {
    config(
        folder,
        &format!(
            "endpoint = \"{url}\"\n[app]\nsdk_app_id = {APP}\n[defaults]\nuser_sig_timeout = \"5m\"\n\
             user_sig_command = [\"sh\", \"-c\", '''{script}''', \"{{user_id}}\"]\n\
             [[accounts]]\nuser_id = \"bot\"\nbots = []\n"
        ),
    )
}

fn pipe(folder: &tempfile::TempDir) -> PathBuf {
    let path = folder.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    path
}

#[test]
fn a_program_is_told_where_things_are_and_no_secret() {
    let (_sandbox, url) = sandbox();
    let folder = tempfile::tempdir().unwrap();
    let told = pipe(&folder);
    let path = signed_by(&folder, &url, &format!("env > {}; exit 1", told.display()));
    let mut command = botroupe();
    command
        .args(["run", "--config", &path])
        .env("BOTROUPE_SECRET_KEY", KEY)
        .env("SOME_TOKEN", KEY)
        .env("LC_TIME", "C");
    let _run = Running::of(command);
    let mut text = String::new();
    File::open(told).unwrap().read_to_string(&mut text).unwrap();
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    assert!(
        names.contains(&"PATH") && names.contains(&"LC_TIME"),
        "{names:?}"
    );
    assert!(!text.contains(KEY), "{names:?}");
}

#[test]
fn what_a_program_started_ends_with_the_process() {
    for signals in [&["INT"][..], &["INT", "INT"]] {
        let (_sandbox, url) = sandbox();
        let folder = tempfile::tempdir().unwrap();
        let alive = pipe(&folder);
        // Both processes hold the pipe open.
        let script = format!("exec 9>{}; echo up >&9; sleep 600 & wait", alive.display());
        let path = signed_by(&folder, &url, &script);
        let run = Running::start(&["run", "--config", &path]);
        let mut alive = BufReader::new(File::open(alive).unwrap());
        let mut line = String::new();
        alive.read_line(&mut line).unwrap();
        assert_eq!(line, "up\n");
        for signal in signals {
            run.signal(signal);
        }
        // The pipe ends when all processes that hold it open have ended.
        let mut rest = String::new();
        alive.read_to_string(&mut rest).unwrap();
        run.end();
    }
}
