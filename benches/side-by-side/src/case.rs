//! One measurement: a server, a client, and what both tell.

use crate::account::{self, APP, KEY};
use crate::error::{Error, Result};
use crate::figures::{self, Memory};
use crate::server::Plan;
use crate::tls;
use crate::told::{Alive, Load, Login, Told};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a fleet may take to come online, beyond what its pace makes it take.
const LOGINS: Duration = Duration::from_secs(180);
/// How long after its time a load may end.
const OVERTIME: Duration = Duration::from_secs(60);
/// How long an orderly stop may take.
const STOP: Duration = Duration::from_secs(60);

/// Who talks to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Client {
    /// The program `botroupe` with the echo bot, whose `isolation` this is.
    Ours(&'static str),
    /// The same, with a store on disk.
    Kept(&'static str),
    B {
        in_place: bool,
    },
    C {
        in_place: bool,
    },
    /// The official SDK, in Node.js.
    Sdk,
}

impl std::fmt::Display for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let way = |in_place: bool| {
            if in_place {
                "in place"
            } else {
                "over a channel"
            }
        };
        match *self {
            Self::Ours(isolation) => write!(f, "botroupe, {isolation}"),
            Self::Kept(isolation) => write!(f, "botroupe, {isolation}, with a store"),
            Self::B { in_place } => write!(f, "b, {}", way(in_place)),
            Self::C { in_place } => write!(f, "c, {}", way(in_place)),
            Self::Sdk => f.write_str("official SDK in Node.js"),
        }
    }
}

/// Logins a second, and how many may come at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) rate: u32,
    pub(crate) burst: u32,
}

/// As fast as they can.
pub(crate) const AT_ONCE: Pace = Pace {
    rate: 100_000,
    burst: 1_000,
};
/// What the config has when nothing is said.
pub(crate) const DEFAULT: Pace = Pace {
    rate: 200,
    burst: 20,
};

/// What to measure.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) client: Client,
    pub(crate) accounts: usize,
    pub(crate) plan: Plan,
    /// How long a load is measured.
    pub(crate) seconds: f64,
    pub(crate) tls: bool,
    /// Links lie in memory.
    pub(crate) links: bool,
    /// The client has one core and the server another.
    pub(crate) pinned: bool,
    pub(crate) groups: u32,
    pub(crate) pace: Pace,
}

impl Case {
    /// A fleet that has nothing to do.
    pub(crate) const fn idle(client: Client, accounts: usize) -> Self {
        Self {
            client,
            accounts,
            plan: Plan::Idle,
            seconds: 0.0,
            tls: false,
            links: false,
            pinned: false,
            groups: 0,
            pace: AT_ONCE,
        }
    }

    /// The same with or without TLS.
    pub(crate) const fn over_tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }
}

/// The programs, and where runs leave their files.
#[derive(Debug)]
pub(crate) struct Bench {
    /// The program `botroupe`.
    botroupe: PathBuf,
    /// The folder with the official SDK, if there is one.
    pub(crate) sdk: Option<PathBuf>,
    folder: TempDir,
    cases: u8,
}

/// A process that is killed with the value.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A case that runs.
#[derive(Debug)]
pub(crate) struct Running {
    // The client first: a server that loses it has nothing to complain about.
    client: Process,
    _server: Process,
    told: Receiver<Told>,
    alive: Alive,
    /// Its log.
    log: PathBuf,
    config: PathBuf,
    case: Case,
}

impl Bench {
    pub(crate) fn new(botroupe: PathBuf, sdk: Option<PathBuf>) -> Result<Self> {
        if !botroupe.is_file() {
            return Err(Error::new(format!(
                "{} is not there; build it with `cargo build --release`, or name another with --botroupe",
                botroupe.display()
            )));
        }
        Ok(Self {
            botroupe,
            sdk,
            folder: tempfile::tempdir()?,
            cases: 0,
        })
    }

    /// The program `botroupe`.
    pub(crate) fn botroupe(&self) -> &Path {
        &self.botroupe
    }

    /// Starts a server and its client.
    pub(crate) fn start(&mut self, case: Case) -> Result<Running> {
        // An address of its own for each case: the ports of the last one rest for a minute.
        self.cases = self.cases % 250 + 1;
        let address = IpAddr::from(Ipv4Addr::new(127, 0, 1, self.cases));
        let folder = self.folder.path().join(format!("case-{}", self.cases));
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir(&folder)?;
        let (links, certificate) = (folder.join("links"), folder.join("certificate.pem"));
        let here = std::env::current_exe()?;

        let mut server = Command::new(&here);
        server
            .args(["serve", "--accounts", &case.accounts.to_string()])
            .args([
                "--load",
                &case.plan.to_string(),
                "--seconds",
                &case.seconds.to_string(),
            ])
            .args(["--groups", &case.groups.to_string()])
            .args(["--listen", &address.to_string()]);
        if case.client == Client::Sdk {
            server.args(["--lists", "0"]);
        }
        if case.links {
            server.arg("--links").arg(&links);
        }
        if case.tls {
            server.arg("--certificate").arg(&certificate);
        }
        server.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = Process(on_core(case.pinned.then_some(1), || server.spawn())?);
        let told = listen(&mut server.0)?;
        let ready = told.recv_timeout(LOGINS);
        let Ok(Told::Ready(server_address)) = ready else {
            return Err(Error::new("the load server did not start"));
        };

        let config = folder.join("config.toml");
        let url = url(&case, server_address);
        let text = config_text(&case, &url, &certificate);
        std::fs::write(&config, text)?;
        let mut client = self.client(&case, server_address, &config, &url)?;
        if let (true, Client::B { .. } | Client::C { .. }) = (case.links, case.client) {
            client.arg("--links").arg(&links);
        }
        if let (true, Client::B { .. } | Client::C { .. }) = (case.tls, case.client) {
            client.arg("--certificate").arg(&certificate);
        }
        if let (true, Client::Ours(_) | Client::Kept(_)) = (case.links, case.client) {
            client = Command::new(&here);
            client.arg("fleet").arg("--config").arg(&config);
            client.arg("--links").arg(&links);
        }
        let log = folder.join("client.log");
        client
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(folder.join("client.out"))?)
            .stderr(std::fs::File::create(&log)?);
        let client = Process(on_core(case.pinned.then_some(0), || client.spawn())?);
        let mut stdin: Option<ChildStdin> = server.0.stdin.take();
        if let Some(stdin) = &mut stdin {
            writeln!(stdin, "{}", client.0.id())?;
        }
        Ok(Running {
            client,
            _server: server,
            told,
            alive: Alive::default(),
            log,
            config,
            case,
        })
    }

    /// How the client is called.
    fn client(
        &self,
        case: &Case,
        server: Option<SocketAddr>,
        config: &Path,
        url: &str,
    ) -> Result<Command> {
        let (kind, in_place) = match case.client {
            Client::Ours(_) | Client::Kept(_) => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["other", "--"]).arg(&self.botroupe);
                command.args(["run", "--config"]).arg(config);
                return Ok(command);
            }
            Client::Sdk => {
                let sdk = self.sdk.as_ref();
                let sdk = sdk.ok_or_else(|| Error::new("the official SDK is not there"))?;
                let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/echo.cjs");
                let mut command = Command::new(std::env::current_exe()?);
                command
                    .args(["other", "--", "node"])
                    .arg(script)
                    .arg(sdk)
                    .arg(url);
                command.args([APP.to_string(), KEY.to_owned(), case.accounts.to_string()]);
                return Ok(command);
            }
            Client::B { in_place } => ("b", in_place),
            Client::C { in_place } => ("c", in_place),
        };
        let mut command = Command::new(std::env::current_exe()?);
        command.args([
            "peer",
            "--kind",
            kind,
            "--accounts",
            &case.accounts.to_string(),
        ]);
        if in_place {
            command.arg("--in-place");
        }
        if let Some(server) = server {
            command.args(["--server", &server.to_string()]);
        }
        Ok(command)
    }
}

impl Running {
    /// Waits until every account is online.
    pub(crate) fn online(&mut self) -> Result<Login> {
        let paced = self.case.accounts as f64 / f64::from(self.case.pace.rate);
        let limit = LOGINS + Duration::from_secs_f64(paced);
        self.until(limit, |told| match told {
            Told::Online(login) => Some(login),
            _ => None,
        })
    }

    /// Waits until the load is over.
    pub(crate) fn load(&mut self) -> Result<Load> {
        self.online()?;
        let limit = Duration::from_secs_f64(self.case.seconds) + OVERTIME;
        self.until(limit, |told| match told {
            Told::Load(load) => Some(load),
            _ => None,
        })
    }

    /// Lets the time pass.
    pub(crate) fn rest(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.told.recv_timeout(left) {
                Ok(told) => self.note(&told),
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(self.failed("the server ended")),
            }
        }
    }

    fn note(&mut self, told: &Told) {
        if let Told::Alive(alive) = told {
            self.alive = *alive;
        }
    }

    fn until<T>(&mut self, limit: Duration, wanted: impl Fn(Told) -> Option<T>) -> Result<T> {
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(told) = self.told.recv_timeout(left) else {
                return Err(self.failed("it did not get so far"));
            };
            self.note(&told);
            if let Some(wanted) = wanted(told) {
                return Ok(wanted);
            }
        }
    }

    /// What the client logged, as an error.
    fn failed(&self, what: &str) -> Error {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(3).collect();
        Error::new(format!(
            "{} with {} accounts: {what}; {} online; the client says: {}",
            self.case.client,
            self.case.accounts,
            self.alive.online,
            last.join(" | ")
        ))
    }

    pub(crate) const fn alive(&self) -> Alive {
        self.alive
    }

    pub(crate) fn memory(&self) -> Memory {
        figures::memory(self.client.0.id())
    }

    /// Seconds of CPU of the client, without the threads of this name.
    pub(crate) fn cpu(&self, except: &str) -> f64 {
        figures::cpu_seconds(self.client.0.id(), except)
    }

    /// The config of our own client.
    pub(crate) fn config(&self) -> &Path {
        &self.config
    }

    /// Stops the client in order, and says how long that took.
    pub(crate) fn stop(mut self) -> Result<(Duration, ExitStatus)> {
        let child = &mut self.client.0;
        let asked = Instant::now();
        rustix::process::kill_process(
            rustix::process::Pid::from_child(child),
            rustix::process::Signal::INT,
        )
        .map_err(std::io::Error::from)?;
        while asked.elapsed() < STOP {
            if let Some(status) = child.try_wait()? {
                return Ok((asked.elapsed(), status));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err(self.failed("it did not stop"))
    }
}

/// Where the clients connect to.
fn url(case: &Case, server: Option<SocketAddr>) -> String {
    let scheme = if case.tls { "wss" } else { "ws" };
    match server {
        Some(server) => format!("{scheme}://{server}"),
        None => format!("{scheme}://{}", tls::NAME),
    }
}

fn config_text(case: &Case, url: &str, certificate: &Path) -> String {
    let (accounts, Pace { rate, burst }) = (case.accounts, case.pace);
    let mut text = format!(
        "endpoint = \"{url}\"\n\
         [app]\nsdk_app_id = {APP}\nsecret_key = \"{KEY}\"\n\
         [[accounts]]\nuser_id = \"a-{{000001..{accounts:06}}}\"\nbots = [\"echo\"]\n\
         [governor]\nlogins_per_second = {rate}\nburst = {burst}\n\
         [log]\nlevel = \"warn\"\n"
    );
    if accounts == 1 {
        text = text.replace("a-{000001..000001}", &account::user(0));
    }
    if case.tls {
        text += &format!("[tls]\nca_file = \"{}\"\n", certificate.display());
    }
    if let Client::Ours(isolation) | Client::Kept(isolation) = case.client {
        text += &format!("[bots.echo]\nisolation = \"{isolation}\"\n");
    }
    if let Client::Ours(_) = case.client {
        // The others keep nothing either.
        text += "[store]\npath = \":memory:\"\n";
    }
    text
}

/// Reads what a server tells.
fn listen(server: &mut Child) -> Result<Receiver<Told>> {
    let out = server.stdout.take();
    let out = out.ok_or_else(|| Error::new("the load server has no output"))?;
    let (sender, told) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(out)
            .lines()
            .map_while(std::result::Result::ok)
        {
            let told = serde_json::from_str(&line);
            if told.is_ok_and(|told| sender.send(told).is_err()) {
                return;
            }
        }
    });
    Ok(told)
}

/// Starts a process that may use this core only. It inherits that from the thread that starts it.
fn on_core<T>(core: Option<usize>, start: impl FnOnce() -> std::io::Result<T>) -> Result<T> {
    let all = sched_getaffinity(None).map_err(std::io::Error::from)?;
    let Some(core) = core.filter(|core| all.is_set(*core)) else {
        return Ok(start()?);
    };
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).map_err(std::io::Error::from)?;
    let started = start();
    sched_setaffinity(None, &all).map_err(std::io::Error::from)?;
    Ok(started?)
}
