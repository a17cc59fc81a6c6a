//! Tests of the program from a user's view: its output, its exit, and the secrets that it must
//! never print.

mod accounts;
#[cfg(unix)]
mod alerts;
mod audit;
mod chat;
mod configs;
mod doctor;
#[cfg(unix)]
mod durable;
#[cfg(unix)]
mod life;
#[cfg(target_os = "linux")]
mod logs;
mod network;
mod new;
#[cfg(unix)]
mod programs;
mod readme;
#[cfg(unix)]
mod record;
mod reload;
mod sandbox;
#[cfg(target_os = "linux")]
mod service;
#[cfg(unix)]
mod streams;
mod takeover;

use crate::harness::{APP, KEY};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

fn botroupe() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_botroupe"));
    command
        .env_remove("BOTROUPE_SECRET_KEY")
        .env_remove("RUST_LOG")
        .env_remove("BOTROUPE_LOG");
    command
}

fn output(args: &[&str]) -> Output {
    botroupe().args(args).stdin(Stdio::null()).output().unwrap()
}

/// The program with the signal handling of a fresh login. A shell that starts the tests in the
/// background, or `nohup`, ignores signals, and the program would ignore them as well.
#[cfg(unix)]
fn botroupe_that_takes_signals() -> Command {
    let program = botroupe();
    if !cfg!(target_os = "linux") {
        return program;
    }
    let mut command = Command::new("env");
    command
        .arg("--default-signal=HUP,QUIT,INT,TERM")
        .arg(program.get_program());
    for (name, _) in program.get_envs() {
        command.env_remove(name);
    }
    command
}

/// A running program and its lines of output. Dropping it kills the process.
struct Running {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
    seen: Vec<String>,
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

impl Running {
    fn start(args: &[&str]) -> Self {
        let mut command = botroupe();
        command.args(args);
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, err) = (
            lines(child.stdout.take().unwrap()),
            lines(child.stderr.take().unwrap()),
        );
        Self {
            child,
            out,
            err,
            seen: Vec::new(),
        }
    }

    /// Waits for a line on standard output that contains `words`.
    fn line(&mut self, words: &str) -> String {
        loop {
            match self.out.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(words) {
                        return line;
                    }
                }
                Err(_) => {
                    let err: Vec<String> = self.err.try_iter().collect();
                    panic!(
                        "no line with {words:?}; said {:#?}, logged {err:#?}",
                        self.seen
                    );
                }
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([&format!("-{name}"), &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the end. Returns the exit status and the text of both streams.
    fn end(mut self) -> (ExitStatus, String, String) {
        drop(self.child.stdin.take());
        let mut out = std::mem::take(&mut self.seen);
        loop {
            match self.out.recv_timeout(PATIENCE) {
                Ok(line) => out.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end; said {out:#?}"),
            }
        }
        let status = self.child.wait().unwrap();
        let err: Vec<String> = self.err.iter().collect();
        (status, out.join("\n"), err.join("\n"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Usually the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the arguments of a stand-alone sandbox, followed by `more`.
fn alone<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let args = [
        "sandbox",
        "--listen",
        "127.0.0.1:0",
        "--sdk-app-id",
        "1400000001",
    ];
    [&args[..], &["--secret-key", KEY], more].concat()
}

fn sandbox() -> (Running, String) {
    sandbox_with(&[])
}

/// Starts a stand-alone sandbox and waits until it is ready. Returns its address.
fn sandbox_with(more: &[&str]) -> (Running, String) {
    let mut sandbox = Running::start(&alone(more));
    let line = sandbox.line("sandbox ready ");
    let url = line.strip_prefix("sandbox ready ").unwrap().to_owned();
    assert!(
        url.starts_with("ws://127.0.0.1:") && !url.ends_with(":0"),
        "{line}"
    );
    (sandbox, url)
}

fn config(folder: &tempfile::TempDir, text: &str) -> String {
    let path: PathBuf = folder.path().join("config.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn fleet(folder: &tempfile::TempDir, endpoint: &str) -> String {
    config(
        folder,
        &format!(
            "endpoint = \"{endpoint}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n[sandbox]\nlisten = \"127.0.0.1:0\"\n\
             [[accounts]]\nuser_id = \"echo-bot\"\nbots = [\"echo\"]\n[[accounts]]\nuser_id = \"support-{{01..03}}\"\nbots = [\"counter\"]\n"
        ),
    )
}

async fn rest(url: &str, path: &str, body: &str) -> serde_json::Value {
    let sig = output(&[
        "usersig",
        "sign",
        "--sdk-app-id",
        &APP.to_string(),
        "--secret-key",
        KEY,
        "--user-id",
        "administrator",
    ]);
    let sig = String::from_utf8(sig.stdout).unwrap();
    let url = format!(
        "{}/v4/{path}?sdkappid={APP}&identifier=administrator&usersig={}&random=1&contenttype=json",
        url.replace("ws://", "http://"),
        sig.trim()
    );
    let mut answer = awc::Client::default()
        .post(url)
        .content_type("application/json")
        .send_body(body.to_owned())
        .await
        .unwrap();
    serde_json::from_slice(&answer.body().await.unwrap()).unwrap()
}

async fn online(url: &str, user: &str) -> String {
    let body = format!(r#"{{"To_Account":["{user}"]}}"#);
    let answer = rest(url, "openim/query_online_status", &body).await;
    answer["QueryResult"][0]["Status"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[actix_rt::test]
async fn a_fleet_comes_online_chats_is_kicked_and_leaves_no_login_behind() {
    let (sandbox, url) = sandbox();
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, &url);
    let mut run = Running::start(&["run", "--config", &path]);
    run.line("4 of 4 accounts online");
    assert!(
        run.seen
            .iter()
            .any(|line| line == "account echo-bot online"),
        "{:?}",
        run.seen
    );

    let mut chat = Running::start(&[
        "chat", "--as", "alice", "--to", "echo-bot", "--config", &path,
    ]);
    writeln!(chat.child.stdin.as_mut().unwrap(), "hello from a terminal").unwrap();
    chat.line("echo-bot: hello from a terminal");
    let (status, _, _) = chat.end();
    assert!(status.success());

    assert_eq!(online(&url, "echo-bot").await, "Online");
    let answer = rest(&url, "im_open_login_svc/kick", r#"{"UserID":"support-02"}"#).await;
    assert_eq!(answer["ErrorCode"], 0, "{answer}");
    assert_eq!(
        run.line("support-02 offline"),
        "account support-02 offline REST_API_Kick"
    );

    run.signal("INT");
    let (status, out, err) = run.end();
    assert_eq!(status.code(), Some(0), "{err}");
    assert!(out.contains("account echo-bot offline stopped"), "{out}");
    assert!(err.contains("MiB resident"), "{err}");
    for user in [
        "echo-bot",
        "support-01",
        "support-02",
        "support-03",
        "alice",
    ] {
        assert_eq!(online(&url, user).await, "Offline", "{user}");
    }
    sandbox.signal("TERM");
    assert_eq!(sandbox.end().0.code(), Some(0));
}

#[test]
fn a_running_fleet_is_asked_and_ordered_over_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let control = |args: &[&str]| {
        let output = output(&[args, &["--config", &path]].concat());
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, _, err) = control(&["status"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("running?"), "{err}");

    let mut run = Running::start(&["run", "--config", &path]);
    run.line("4 of 4");
    let socket = folder.path().join("botroupe.sock");
    let mode = fs::metadata(&socket).unwrap().permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );
    let (_, table, _) = control(&["status"]);
    assert!(table.starts_with("4 accounts: 4 online\n"), "{table}");

    assert_eq!(control(&["hold", "support-01"]).0, Some(0));
    run.line("account support-01 offline");
    let (_, table, _) = control(&["status"]);
    assert!(
        table.contains("3 online") && table.contains("1 held"),
        "{table}"
    );
    let (_, json, _) = control(&["status", "support-01", "--json"]);
    let account: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&account["state"], &account["online"]),
        (&"held".into(), &false.into())
    );
    assert_eq!(account["records"].as_array().unwrap().len(), 2, "{account}");

    assert_eq!(control(&["resume", "support-01"]).0, Some(0));
    run.line("account support-01 online");
    assert_eq!(control(&["quarantine", "support-02"]).0, Some(0));
    run.line("account support-02 offline");
    assert_eq!(control(&["release", "support-02"]).0, Some(0));
    run.line("account support-02 online");
    assert_eq!(control(&["relogin", "echo-bot"]).0, Some(0));
    let (_, story, _) = control(&["status", "support-02"]);
    assert!(
        story.contains("logged in") && story.contains("quarantined"),
        "{story}"
    );
    let (code, _, err) = control(&["hold", "nobody"]);
    assert!(
        code == Some(1) && err.contains("no account nobody"),
        "{err}"
    );

    run.signal("INT");
    assert!(run.end().0.success());
    assert!(!socket.exists(), "the socket is left behind");
}

#[test]
fn json_lines_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let mut run = Running::start(&["--log-format", "json", "run", "--config", &path]);
    let line = run.line("echo-bot");
    assert_eq!(line, r#"{"account":"echo-bot","state":"online"}"#);
    run.signal("INT");
    let (status, out, err) = run.end();
    assert!(status.success());
    for line in out.lines() {
        serde_json::from_str::<serde_json::Value>(line)
            .unwrap_or_else(|_| panic!("not JSON: {line}"));
    }
    assert!(out.contains(r#""cause":"stopped""#), "{out}");
    assert!(err.lines().count() > 3, "{err}");
    assert!(err.lines().all(|line| line.starts_with('{')), "{err}");
}

#[test]
fn secrets_never_show_however_much_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let mut run = Running::start(&["-vvv", "run", "--config", &path]);
    run.line("4 of 4 accounts online");
    run.signal("USR1");
    run.signal("INT");
    let (_, out, err) = run.end();
    let all = out + &err;
    assert!(err.len() > 2_000, "not much was logged: {}", err.len());
    for (what, marker) in [("SecretKey", KEY), ("UserSig", "eJ"), ("a2", "a2\":\"")] {
        // UserSigs are zlib streams in Base64, so each starts with these two letters.
        let found = all.lines().find(|line| {
            line.split(|c: char| !c.is_alphanumeric()).any(|word| {
                if what == "UserSig" {
                    word.starts_with(marker) && word.len() > 20
                } else {
                    word.contains(marker)
                }
            })
        });
        assert_eq!(found, None, "{what} shows");
    }
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let (sandbox, url) = sandbox();
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, &url);
    let mut run = Running::start(&["run", "--config", &path, "--set", "shutdown.grace=5m"]);
    run.line("4 of 4");
    // The stopped server answers no logout, so each logout waits for its timeout.
    sandbox.signal("STOP");
    run.signal("INT");
    let status = loop {
        if let Some(status) = run.child.try_wait().unwrap() {
            break status;
        }
        // Send the signal repeatedly, because signals in quick succession count as one.
        run.signal("INT");
        let _ = run.out.recv_timeout(Duration::from_millis(50));
    };
    assert_eq!(status.code(), Some(130));
    sandbox.signal("CONT");
}

#[test]
fn a_wrong_config_names_line_key_and_remedy_and_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(
        &folder,
        &format!(
            "endpiont = \"sandbox\"\n[app]\nsdk_app_id = 1\nsecret_key = \"{KEY}\"\n[[accounts]]\nuser_id = \"a\"\nbots = [\"ecko\"]\n"
        ),
    );
    for args in [vec!["run", "--config", &path], vec!["check", &path]] {
        let output = output(&args);
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{err}");
        assert!(
            err.contains("config.toml:1:1: ") && err.contains("did you mean \"endpoint\""),
            "{err}"
        );
        assert!(
            err.contains("config.toml:7:") && err.contains("did you mean \"echo\""),
            "{err}"
        );
        assert!(!err.contains(KEY) && output.stdout.is_empty());
    }
}

#[test]
fn a_taken_port_is_explained() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let output = output(&[
        "run",
        "--config",
        &path,
        "--set",
        &format!("sandbox.listen=127.0.0.1:{port}"),
    ]);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(
        err.contains(&port.to_string()) && err.contains("sandbox.listen"),
        "{err}"
    );
}

#[test]
fn a_chat_without_a_server_says_what_to_start() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let folder = tempfile::tempdir().unwrap();
    let path = fleet(&folder, "sandbox");
    let set = format!("sandbox.listen=127.0.0.1:{port}");
    let output = output(&[
        "chat", "--as", "alice", "--to", "echo-bot", "--config", &path, "--set", &set,
    ]);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("is it running"), "{err}");
}

#[test]
fn a_usersig_is_signed_inspected_and_verified() {
    let who = [
        "--sdk-app-id",
        "1400000001",
        "--user-id",
        "alice",
        "--secret-key",
        KEY,
    ];
    let sign = |extra: &[&str]| {
        let output = output(&[["usersig", "sign"].as_slice(), &who, extra].concat());
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let sig = sign(&[]);
    assert!(!sig.contains(char::is_whitespace));
    let inspected = output(&["usersig", "inspect", &sig]);
    let text = String::from_utf8(inspected.stdout).unwrap();
    assert!(
        inspected.status.success() && text.contains("alice") && text.contains("1400000001"),
        "{text}"
    );
    let verify = |sig: &str| {
        output(&[["usersig", "verify"].as_slice(), &who, &[sig]].concat())
            .status
            .code()
    };
    assert_eq!(verify(&sig), Some(0));
    assert_eq!(
        verify(&sign(&["--time", "1700000000", "--expire", "60"])),
        Some(1),
        "expired"
    );
    assert_eq!(verify("garbage"), Some(1));
}

#[test]
fn help_is_everywhere_and_wrong_usage_is_64() {
    for args in [
        &["--help"][..],
        &["run", "--help"],
        &["check", "--help"],
        &["sandbox", "--help"],
        &["usersig", "--help"],
        &["chat", "--help"],
    ] {
        let output = output(args);
        assert!(
            output.status.success() && output.stdout.len() > 200,
            "{args:?}"
        );
    }
    for args in [
        &["--nonsense"][..],
        &["sandbox"],
        &["chat", "--as", "x"],
        &["usersig", "sign"],
    ] {
        assert_eq!(output(args).status.code(), Some(64), "{args:?}");
    }
}
