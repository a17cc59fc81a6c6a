//! A fleet that is upgraded again and again while people talk to it: the server tells what became of it.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "it judges processes, with a clock of its own"
)]

use botroupe::proto::id::SdkAppId;
use botroupe::sandbox::{Sandbox, SandboxConfig};
use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

const APP: u32 = 1_400_000_001;
const KEY: &str = "judge";
/// The last replies may take so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is to happen.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) accounts: usize,
    pub(crate) takeovers: usize,
    /// Messages a second to the whole fleet.
    pub(crate) rate: f64,
    /// Between two takeovers.
    pub(crate) pause: Duration,
}

/// What the server saw.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) said: usize,
    pub(crate) lost: usize,
    pub(crate) doubled: usize,
    pub(crate) kicks: u64,
    /// Accounts whose login is another one than at the start.
    pub(crate) new_logins: usize,
    /// The longest time from a message to its reply.
    pub(crate) longest: Duration,
    pub(crate) median: Duration,
    /// From the start of each new process to the last of its accounts.
    pub(crate) took: Vec<Duration>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "said {} lost {} doubled {}, kicks {}, new logins {}, a reply took {:?} (median) to {:?}, takeovers took",
            self.said,
            self.lost,
            self.doubled,
            self.kicks,
            self.new_logins,
            self.median,
            self.longest
        )?;
        self.took
            .iter()
            .try_for_each(|took| write!(f, " {took:.1?}"))
    }
}

/// Runs a fleet of `program`, takes it over again and again while people talk to it, and asks the server.
pub(crate) fn judge(program: &str, plan: Plan) -> Verdict {
    let app = SdkAppId::new(APP).unwrap();
    let mut config = SandboxConfig::new(app, KEY);
    config.ledger = true;
    let sandbox = Sandbox::spawn_thread(config, ([127, 0, 0, 1], 0).into()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let text = format!(
        "endpoint = \"{}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n\
         [log]\nlevel = \"warn\"\n[[accounts]]\nuser_id = \"bot-{{1..{}}}\"\nbots = [\"echo\"]\n",
        sandbox.url(),
        plan.accounts
    );
    std::fs::write(&path, text).unwrap();
    let mut running = Fleet::start(program, &path, &[]);
    running.wait(plan.accounts, || {});
    let logins = |sandbox: &Sandbox| sandbox.status().online;
    let before = logins(&sandbox);

    let mut talk = Talk::new(&sandbox, plan);
    let mut verdict = Verdict::default();
    for _ in 0..plan.takeovers {
        talk.go_on(plan.pause);
        let begun = Instant::now();
        let next = Fleet::start(program, &path, &["--takeover"]);
        next.wait(plan.accounts, || talk.turn());
        verdict.took.push(begun.elapsed());
        let mut old = std::mem::replace(&mut running, next);
        assert_eq!(
            old.child.wait().unwrap().code(),
            Some(0),
            "the old one ends well"
        );
    }
    talk.go_on(plan.pause);
    talk.end();

    let after = logins(&sandbox);
    let is_new = before.iter().zip(&after).filter(|(then, now)| then != now);
    verdict.new_logins = is_new.count() + before.len().abs_diff(after.len());
    verdict.kicks = sandbox.status().counters.kicks;
    talk.judge(&mut verdict);
    drop(running);
    sandbox.shutdown();
    verdict
}

/// A process, and its lines.
struct Fleet {
    child: Child,
    lines: Receiver<String>,
}

impl Fleet {
    fn start(program: &str, config: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(program)
            .arg("run")
            .arg(config)
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// Waits until all accounts are online, and does something meanwhile.
    fn wait(&self, accounts: usize, mut meanwhile: impl FnMut()) {
        let done = format!("{accounts} of {accounts} accounts online");
        let begun = Instant::now();
        loop {
            match self.lines.recv_timeout(Duration::from_millis(5)) {
                Ok(line) if line.starts_with(&done) => return,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    assert!(
                        begun.elapsed() < PATIENCE * 4,
                        "the accounts do not come online"
                    );
                    meanwhile();
                }
                Err(RecvTimeoutError::Disconnected) => panic!("the process has ended"),
            }
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// People who talk to the fleet.
struct Talk<'a> {
    sandbox: &'a Sandbox,
    plan: Plan,
    begun: Instant,
    /// When each message was said.
    said: Vec<Instant>,
    replies: HashMap<usize, (u32, Instant)>,
    /// Entries of the ledger that were read.
    read: u64,
}

impl<'a> Talk<'a> {
    fn new(sandbox: &'a Sandbox, plan: Plan) -> Self {
        Self {
            sandbox,
            plan,
            begun: Instant::now(),
            said: Vec::new(),
            replies: HashMap::new(),
            read: 0,
        }
    }

    /// Says what is due, and reads what was answered.
    fn turn(&mut self) {
        let due = self.begun.elapsed().as_secs_f64() * self.plan.rate;
        while (self.said.len() as f64) < due {
            let number = self.said.len();
            let bot = format!("bot-{}", number % self.plan.accounts + 1);
            self.said.push(Instant::now());
            let said = self.sandbox.say("alice", &bot, &format!("m{number}"));
            said.unwrap();
        }
        self.listen();
    }

    fn go_on(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.turn();
            sleep(Duration::from_millis(2));
        }
    }

    fn listen(&mut self) {
        let entries = self.sandbox.ledger(self.read);
        self.read += entries.len() as u64;
        let now = Instant::now();
        for entry in entries
            .iter()
            .filter(|entry| entry.from.starts_with("bot-"))
        {
            if let Some(number) = entry.text.strip_prefix('m').and_then(|it| it.parse().ok()) {
                self.replies.entry(number).or_insert((0, now)).0 += 1;
            }
        }
    }

    /// Waits for the last replies, and for what might be said twice.
    fn end(&mut self) {
        let begun = Instant::now();
        while self.replies.len() < self.said.len() && begun.elapsed() < PATIENCE {
            self.listen();
            sleep(Duration::from_millis(5));
        }
        sleep(Duration::from_secs(1));
        self.listen();
    }

    fn judge(&self, verdict: &mut Verdict) {
        verdict.said = self.said.len();
        let mut waits = Vec::new();
        for (number, said) in self.said.iter().enumerate() {
            match self.replies.get(&number) {
                None => verdict.lost += 1,
                Some((times, at)) => {
                    verdict.doubled += usize::from(*times > 1);
                    waits.push(at.duration_since(*said));
                }
            }
        }
        waits.sort_unstable();
        verdict.longest = waits.last().copied().unwrap_or_default();
        verdict.median = waits.get(waits.len() / 2).copied().unwrap_or_default();
    }
}
