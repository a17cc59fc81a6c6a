//! A process of bots: this binary, started once more.

#![expect(
    clippy::print_stderr,
    reason = "what a process says is kept for a test that fails"
)]

use crate::harness::{APP, KEY, eventually};
use botroupe::ledger::{Boundary, watch_boundaries};
use botroupe::prelude::*;
use botroupe::sandbox::Sandbox;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tempfile::TempDir;

/// The folder of a process.
const FOLDER: &str = "DURABLE_FOLDER";
/// The step of a handler in which it dies.
const DIE_IN: &str = "DURABLE_DIE_IN";
/// The boundary at which it dies, and the time that it passes there: `committed:2`.
pub(super) const DIE_AT: &str = "DURABLE_DIE_AT";
/// Words of a log line at which whoever logs them panics, once.
pub(super) const PANIC_AT: &str = "DURABLE_PANIC_AT";
/// The bot `patient` need not wait.
pub(super) const GO: &str = "DURABLE_GO";

/// A process, and its folder.
pub(super) struct Process {
    folder: TempDir,
    child: Child,
}

impl Process {
    /// Starts a process with one account that has these bots. `more` goes on with the config.
    pub(super) fn start(
        sandbox: &Sandbox,
        (user, bots): (&str, &[&str]),
        more: &str,
        env: &[(&str, &str)],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "endpoint = \"{}\"\n[app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n\
             [defaults]\nlogin_spacing = \"0s\"\nbackoff = {{ min = \"20ms\", max = \"200ms\" }}\n\
             [shutdown]\ngrace = \"200ms\"\n{more}\n\
             [[accounts]]\nuser_id = \"{user}\"\nbots = {bots:?}\n",
            sandbox.url()
        );
        fs::write(folder.path().join("config.toml"), text).unwrap();
        let child = spawn(folder.path(), env);
        Self { folder, child }
    }

    /// Starts it again.
    pub(super) fn again(&mut self, env: &[(&str, &str)]) {
        self.child = spawn(self.folder.path(), env);
    }

    /// Waits until it has died by itself.
    pub(super) async fn died(&mut self) {
        let what = "the process dies";
        let child = std::cell::RefCell::new(&mut self.child);
        eventually(what, || async { child.borrow_mut().try_wait().unwrap() }).await;
    }

    /// Whether it has died by itself.
    pub(super) fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(super) fn kill(&mut self) {
        // It may be dead.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the end.
    pub(super) async fn stop(&mut self) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(status.unwrap().success());
        self.died().await;
    }

    pub(super) fn store(&self) -> PathBuf {
        self.folder.path().join("botroupe.db")
    }

    /// Puts a file there for which a handler waits.
    pub(super) fn put(&self, name: &str) {
        fs::write(self.folder.path().join(name), "").unwrap();
    }

    /// What handlers have noted with this word before it, in order.
    pub(super) fn noted(&self, word: &str) -> Vec<String> {
        let notes = fs::read_to_string(self.folder.path().join("notes")).unwrap_or_default();
        let noted = notes.lines().filter_map(|line| line.strip_prefix(word));
        noted.map(|rest| rest.trim().to_owned()).collect()
    }

    /// How often a handler has noted something.
    pub(super) fn notes(&self, what: &str) -> usize {
        notes(self.folder.path(), what)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let errors = fs::read_to_string(self.folder.path().join("errors"));
            eprintln!("{}", errors.unwrap_or_default());
        }
    }
}

fn spawn(folder: &Path, env: &[(&str, &str)]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    if cfg!(target_os = "linux") {
        // Whoever started the tests may have told them to ignore signals.
        command = Command::new("env");
        command
            .arg("--default-signal=TERM")
            .arg(std::env::current_exe().unwrap());
    }
    command
        .args(["--exact", "durable::process::is_no_test", "--nocapture"])
        .env(FOLDER, folder)
        .envs(env.iter().copied())
        // Its end tells the process that this one has ended.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(folder.join("errors"))
                .unwrap(),
        )
        .spawn()
        .unwrap()
}

fn notes(folder: &Path, what: &str) -> usize {
    let notes = fs::read_to_string(folder.join("notes")).unwrap_or_default();
    notes.lines().filter(|line| *line == what).count()
}

// ── in the process ───────────────────────────────────────────────────────────────────────────────

fn folder() -> PathBuf {
    std::env::var(FOLDER).unwrap().into()
}

/// Notes something on disk, and returns how often it was noted.
fn note(what: &str) -> usize {
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .append(true)
        .open(folder().join("notes"))
        .unwrap();
    file.write_all(format!("{what}\n").as_bytes()).unwrap();
    notes(&folder(), what)
}

/// Dies if it is told to do so in this step.
fn step(name: &str) {
    if std::env::var(DIE_IN).is_ok_and(|told| told == name) {
        std::process::abort();
    }
}

static GRAVE: OnceLock<(String, usize)> = OnceLock::new();
static PASSED: AtomicUsize = AtomicUsize::new(0);

fn arm() {
    let Ok(told) = std::env::var(DIE_AT) else {
        return;
    };
    let (name, time) = told.split_once(':').unwrap();
    GRAVE.set((name.to_owned(), time.parse().unwrap())).unwrap();
    watch_boundaries(|passed: Boundary| {
        let (name, time) = GRAVE.get().unwrap();
        if format!("{passed:?}").to_lowercase() == *name
            && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *time
        {
            std::process::abort();
        }
    });
}

/// Panics where certain words are logged.
struct Trap {
    words: String,
    sprung: AtomicBool,
}

struct Message(String);

impl tracing::field::Visit for Message {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl tracing::Subscriber for Trap {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::INFO
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        eprintln!("{}", message.0);
        if message.0.contains(&self.words) && !self.sprung.swap(true, Ordering::Relaxed) {
            note("panicked");
            panic!("as told");
        }
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// What the processes run. In a run of the tests it does nothing.
#[test]
fn is_no_test() {
    if std::env::var(FOLDER).is_err() {
        return;
    }
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(3);
    });
    arm();
    if let Ok(words) = std::env::var(PANIC_AT) {
        let sprung = AtomicBool::new(false);
        tracing::subscriber::set_global_default(Trap { words, sprung }).unwrap();
    }
    let bots = [
        || Bot::new("steps").on_text(steps),
        || Bot::new("echo").on_text(echo),
        || Bot::new("patient").on_text(patient),
        || Bot::new("burst").on_text(burst),
        || Bot::new("teller").on_text(tell),
        || Bot::new("keeper").on_text(keep).on_update(keep_update),
    ];
    let fleet = Fleet::from_config(folder().join("config.toml"));
    let fleet = bots.into_iter().fold(fleet, |fleet, bot| fleet.bot(bot));
    fleet.run().unwrap();
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Sends, charges, counts, sends, and answers.
async fn steps(_: Text, sender: Sender, api: Api, store: Store<u64>) -> Result<String, Failure> {
    step("begin");
    let to = &*sender.user_id;
    api.send_text(to, "first").await?;
    step("first");
    let charge = || async { Ok::<_, io::Error>(note("charge")) };
    let receipt = api.run("charge", charge).await?;
    step("charge");
    let orders = store.user()?;
    let order = orders
        .update("orders", |count| count.unwrap_or(0) + 1)
        .await?;
    step("count");
    api.send_text(to, "second").await?;
    step("second");
    Ok(format!("receipt {receipt}, order {order}"))
}

async fn echo(text: Text) -> String {
    note("echo");
    format!("echo {}", &*text)
}

/// Answers once it may.
async fn patient(text: Text) -> String {
    note("patient");
    while std::env::var(GO).is_err() && !folder().join("go").exists() {
        // Nothing else tells one process of a file of another.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    format!("patient {}", &*text)
}

/// Says the first words, and the others once it may.
async fn tell(text: Text) -> Streamed {
    note("tell");
    let first = stream::iter([format!("{} one", &*text)]);
    let rest = stream::once(async {
        until("go").await;
        " two".to_owned()
    });
    let pieces = first.chain(rest).map(Ok::<_, Failure>);
    Streamed::new(pieces).every(std::time::Duration::from_millis(200))
}

/// Notes what it hears, once it may go on from "hold" and from "wait".
async fn keep(text: Text) {
    match &*text {
        "hold" => until("go").await,
        "wait" => {
            note("waits");
            until("on").await;
        }
        _ => {}
    }
    note(&format!("said {}", &*text));
}

async fn keep_update(update: Update) {
    if let Update::Extensions(change) = update {
        let key = change.set().map(|set| set.key.as_str()).collect::<String>();
        let text = fs::read_to_string(folder().join("notes")).unwrap_or_default();
        match text.matches("learned").count() {
            0 => until("go").await,
            40 => {
                note("waits");
                until("on").await;
            }
            _ => {}
        }
        note(&format!("learned {key}"));
    }
}

/// Waits for a file.
async fn until(name: &str) {
    while !folder().join(name).exists() {
        // Nothing else tells one process of a file of another.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Sends several messages at once.
async fn burst(_: Text, sender: Sender, api: Api) -> Result<String, ApiError> {
    let sends = (1..=5).map(|number| api.send_text(&sender.user_id, number.to_string()));
    for sent in join_all(sends.map(IntoFuture::into_future)).await {
        sent?;
    }
    Ok("all".to_owned())
}
