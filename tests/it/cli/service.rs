//! What systemd is told, and what shells and `man` are given.

use super::*;
use crate::harness::sandbox as service;
use botroupe::code::Code;
use std::os::unix::net::UnixDatagram;

/// Stands for systemd.
struct Systemd {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Systemd {
    fn new(folder: &tempfile::TempDir) -> Self {
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, path }
    }

    fn start(&self, config: &str) -> Running {
        let mut command = botroupe_that_takes_signals();
        command.args(["run", "--config", config]);
        self.run(command)
    }

    fn run(&self, mut command: Command) -> Running {
        command
            .env("NOTIFY_SOCKET", &self.path)
            .env("WATCHDOG_USEC", "600000")
            .env_remove("WATCHDOG_PID");
        Running::of(command)
    }

    fn next(&self) -> String {
        let mut bytes = [0; 1024];
        let length = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
    }

    /// What is told up to a line.
    fn until(&self, line: &str) -> Vec<String> {
        let mut told = Vec::new();
        while told
            .last()
            .is_none_or(|last: &String| !last.starts_with(line))
        {
            told.push(self.next());
        }
        told
    }
}

#[test]
fn ready_is_told_when_all_are_online_and_then_that_it_lives_reloads_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let systemd = Systemd::new(&folder);
    let path = fleet(&folder, "sandbox");
    let run = systemd.start(&path);
    let told = systemd.until("READY=1");
    let ready = told.iter().position(|line| line == "READY=1").unwrap();
    assert_eq!(
        told[..ready]
            .iter()
            .rfind(|line| line.starts_with("STATUS")),
        Some(&"STATUS=4 of 4 accounts online".to_owned()),
        "{told:?}"
    );
    systemd.until("WATCHDOG=1");
    systemd.until("WATCHDOG=1");
    run.signal("HUP");
    let told = systemd.until("RELOADING=1");
    assert!(told.last().unwrap().contains("MONOTONIC_USEC="), "{told:?}");
    systemd.until("READY=1");
    run.signal("TERM");
    systemd.until("STOPPING=1");
    assert!(run.end().0.success());
}

#[test]
fn a_fleet_that_is_not_online_is_alive_and_not_ready() {
    let service = service(|_| {});
    service
        .refuse_login("echo-bot", Code::USERSIG_SIGNATURE, None)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let systemd = Systemd::new(&folder);
    let path = fleet(&folder, &service.url());
    let mut run = systemd.start(&path);
    run.line("account echo-bot offline");
    let mut told = systemd.until("STATUS=3 of 4");
    told.extend(systemd.until("WATCHDOG=1"));
    told.extend(systemd.until("WATCHDOG=1"));
    assert!(!told.contains(&"READY=1".to_owned()), "{told:?}");
    // A reload does not make it ready, either.
    run.signal("HUP");
    run.line("");
    run.signal("TERM");
    let told = systemd.until("STOPPING=1");
    assert!(!told.contains(&"READY=1".to_owned()), "{told:?}");
    assert!(run.end().0.success());
}

#[test]
fn a_systemd_that_reads_nothing_holds_up_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let systemd = Systemd::new(&folder);
    let path = fleet(&folder, "sandbox");
    let mut run = systemd.start(&path);
    run.line("4 of 4 accounts online");
    // The queue of a datagram socket is full after some ten.
    for _ in 0..40 {
        assert!(output(&["status", "--config", &path]).status.success());
    }
    run.signal("TERM");
    assert!(run.end().0.success());
}

#[test]
fn a_reload_over_the_api_or_after_a_change_of_the_file_is_told_too() {
    let folder = tempfile::tempdir().unwrap();
    let systemd = Systemd::new(&folder);
    let path = fleet(&folder, "sandbox");
    let mut command = botroupe_that_takes_signals();
    command.args(["run", "--config", &path, "--watch"]);
    let run = systemd.run(command);
    systemd.until("READY=1");
    assert!(output(&["reload", &path]).status.success());
    let told = systemd.until("RELOADING=1");
    assert!(told.last().unwrap().contains("MONOTONIC_USEC="), "{told:?}");
    systemd.until("READY=1");
    // One that is refused is over as well.
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace("bots = [\"echo\"]", "bots = [\"none\"]"),
    )
    .unwrap();
    assert!(!output(&["reload", &path]).status.success());
    systemd.until("RELOADING=1");
    systemd.until("READY=1");
    fs::write(&path, text.replace("support-{01..03}", "support-{01..04}")).unwrap();
    systemd.until("RELOADING=1");
    systemd.until("READY=1");
    systemd.until("STATUS=5 of 5");
    run.signal("TERM");
    systemd.until("STOPPING=1");
    assert!(run.end().0.success());
}

#[test]
fn a_process_that_is_to_go_on_in_a_new_one_tells_its_number_and_ends() {
    let (sandbox, url) = sandbox();
    let folder = tempfile::tempdir().unwrap();
    let systemd = Systemd::new(&folder);
    let path = fleet(&folder, &url);
    let run = systemd.start(&path);
    systemd.until("READY=1");
    run.signal("USR2");
    let told = systemd.until("MAINPID=");
    let pid: u32 = told.last().unwrap()["MAINPID=".len()..].parse().unwrap();
    assert_ne!(pid, run.child.id());
    // The old one says nothing any more; the new one is ready when its accounts are online.
    let told = systemd.until("READY=1");
    assert_eq!(told[0], "STATUS=0 of 4 accounts online", "{told:?}");
    systemd.until("WATCHDOG=1");
    let told = output(&["status", "--json", "--config", &path]);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    for account in told["accounts"].as_array().unwrap() {
        // The login is that of the process before.
        assert_eq!(account["counters"]["logins"], 0, "{account}");
        assert_eq!(account["counters"]["resumes"], 1, "{account}");
    }
    let kill = Command::new("kill").arg(pid.to_string()).status().unwrap();
    assert!(kill.success());
    systemd.until("STOPPING=1");
    // The streams end with the new process, which has those of the old one.
    assert!(run.end().0.success());
    sandbox.signal("TERM");
    sandbox.end();
}

#[test]
fn a_process_whose_successor_cannot_take_over_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let systemd = Systemd::new(&folder);
    // The embedded server is not handed over.
    let path = fleet(&folder, "sandbox");
    let run = systemd.start(&path);
    systemd.until("READY=1");
    run.signal("USR2");
    let told = systemd.until("STATUS=a new process did not take over");
    assert!(!told.iter().any(|line| line.starts_with("MAINPID=")));
    assert!(
        output(&["status", "--check", "--config", &path])
            .status
            .success()
    );
    // Another try is made.
    run.signal("USR2");
    systemd.until("STATUS=a new process did not take over");
    run.signal("TERM");
    systemd.until("STOPPING=1");
    assert!(run.end().0.success());
}

#[test]
fn completions_and_pages_are_made_of_the_commands() {
    for (shell, words) in [
        ("bash", "complete -F _botroupe"),
        ("zsh", "#compdef botroupe"),
        ("fish", "complete -c botroupe"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        let made = output(&["completions", shell]);
        let text = String::from_utf8(made.stdout).unwrap();
        assert!(made.status.success());
        assert!(
            text.contains(words) && text.contains("quarantine"),
            "{shell}"
        );
    }
    assert_eq!(output(&["completions", "cmd"]).status.code(), Some(64));

    let page = output(&["man"]);
    let text = String::from_utf8(page.stdout).unwrap();
    assert!(text.contains(".TH botroupe 1"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let man = folder.path().join("man1");
    let made = output(&["man", man.to_str().unwrap()]);
    assert!(made.status.success(), "{made:?}");
    for name in ["botroupe.1", "botroupe-status.1", "botroupe-outbox-list.1"] {
        assert!(man.join(name).exists(), "{name}");
    }
    let refused = output(&["man", "/proc/nowhere"]);
    let err = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(err.contains("/proc/nowhere: "), "{err}");
}
