//! The sandbox as a load target: CPU time a message, messages a second, memory an account.
//!
//! ```text
//! cargo bench -p botroupe-sandbox --bench load -- echo --links 200
//! cargo bench -p botroupe-sandbox --bench load -- echo --links 200 --rate 20000
//! cargo bench -p botroupe-sandbox --bench load -- memory --links 10000
//! cargo bench -p botroupe-sandbox --bench load -- group --links 1999
//! ```
//!
//! `--program PATH` measures the sandbox of another `botroupe` program, `--pid-wait S` waits under
//! load so that a profiler can be attached, `--window N` keeps N messages of each pair on their way
//! and `--rate N` sends so many a second instead. The server runs on core 1 and this client on core 0, where `taskset` exists. The client is made as
//! cheap as possible, so that the server is the bottleneck: it searches frames instead of parsing
//! them.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a program to measure with, not part of the crate"
)]

use std::{
    cell::{Cell, RefCell},
    io::{self, BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    rc::Rc,
    time::{Duration, Instant},
};

use botroupe_proto::{
    checksum::checksum,
    id::{SdkAppId, UserId},
    usersig,
};
use botroupe_sandbox::{Sandbox, SandboxConfig};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};

const APP: u32 = 1_400_000_001;
const KEY: &str = "k";
/// How long the load runs before the measurement, and how long the measurement takes.
const WARM_UP: Duration = Duration::from_secs(2);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| args.iter().any(|arg| arg == name);
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let number = |name: &str, otherwise: u64| {
        value(name).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    if has("serve") {
        return serve(value("--seed").map(Into::into));
    }
    let scenario = args.iter().find(|arg| !arg.starts_with('-')).cloned();
    // `cargo test --benches` runs benches without this argument.
    if !has("--bench") {
        return;
    }
    let links = usize::try_from(number("--links", 200)).unwrap();
    let program = value("--program");
    let members = if scenario.as_deref() == Some("group") {
        links
    } else {
        0
    };
    pin(std::process::id(), 0);
    let server = Server::start(program.as_deref(), members);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let local = tokio::task::LocalSet::new();
    let wait = Duration::from_secs(number("--pid-wait", 0));
    let seconds = Duration::from_secs(number("--seconds", 5));
    runtime.block_on(local.run_until(async {
        match scenario.as_deref().unwrap_or("echo") {
            "echo" => {
                let window = u32::try_from(number("--window", 1)).unwrap();
                echo(&server, links, window, number("--rate", 0), seconds, wait).await;
            }
            "memory" => memory(&server, links).await,
            "group" => group(&server, links, number("--messages", 20), wait).await,
            other => panic!("no scenario {other}: echo, memory or group"),
        }
    }));
}

/// The server's side of this program.
fn serve(seed: Option<std::path::PathBuf>) {
    let mut config = SandboxConfig::new(SdkAppId::new(APP).unwrap(), KEY);
    config.seed_file = seed;
    actix_rt::System::new().block_on(async {
        let sandbox = Sandbox::start(config, ([127, 0, 0, 1], 0).into())
            .await
            .unwrap();
        println!("sandbox ready {}", sandbox.url());
        std::future::pending::<()>().await;
    });
}

fn pin(pid: u32, core: u32) {
    let pinned = Command::new("taskset")
        .args(["-cp", &core.to_string(), &pid.to_string()])
        .stdout(Stdio::null())
        .status();
    if !pinned.is_ok_and(|status| status.success()) {
        eprintln!("taskset is missing: nothing is pinned to a core");
    }
}

/// A sandbox in its own process.
struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(program: Option<&str>, members: usize) -> Self {
        let own = std::env::current_exe().unwrap();
        let mut command = match program {
            Some(program) => {
                let mut command = Command::new(program);
                command.args(["sandbox", "--sdk-app-id", &APP.to_string()]);
                command.args(["--listen", "127.0.0.1:0"]);
                command.env("BOTROUPE_SECRET_KEY", KEY);
                command
            }
            None => {
                let mut command = Command::new(own);
                command.arg("serve");
                command
            }
        };
        if members > 0 {
            let path = std::env::temp_dir().join(format!("load-seed-{}.toml", std::process::id()));
            std::fs::write(&path, seed(members)).unwrap();
            command.arg("--seed").arg(path);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        pin(child.id(), 1);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let (_, addr) = line.split_once("ws://").unwrap();
        let addr = addr.parse().unwrap();
        Self { child, addr }
    }

    /// The CPU time of all threads, in nanoseconds.
    fn cpu(&self) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let times = tasks.into_iter().flatten().flatten().filter_map(|task| {
            let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        times.sum()
    }

    /// The resident memory, in KiB.
    fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("VmRSS:"));
        let words = line.and_then(|line| line.split_whitespace().nth(1));
        words.and_then(|word| word.parse().ok()).unwrap_or(0)
    }
}

/// One group of `members` accounts, written to by one more.
fn seed(members: usize) -> String {
    use std::fmt::Write;
    let mut text = String::from("[[users]]\nid = \"alice\"\n");
    for at in 0..members {
        let _ = write!(text, "[[users]]\nid = \"{}\"\n", name(at));
    }
    let names: Vec<_> = (0..members).map(|at| format!("\"{}\"", name(at))).collect();
    let _ = write!(
        text,
        "[[groups]]\nid = \"big\"\ntype = \"Public\"\nname = \"big\"\nowner = \"alice\"\nmembers = [{}]\n",
        names.join(", ")
    );
    text
}

fn name(at: usize) -> String {
    format!("a-{at:06}")
}

thread_local! {
    /// The frames of the link whose turn it is.
    static OUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static READ: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 * 1024]);
}

/// What a link needs for its requests.
struct Account {
    user: String,
    peer: String,
    a2: String,
    tiny: String,
    instance: String,
    seq: u64,
    body: String,
}

impl Account {
    /// Appends one request as a masked binary frame.
    fn request(&mut self, out: &mut Vec<u8>, servcmd: &str, identity: &str) {
        self.seq += 1;
        let at = out.len();
        out.extend_from_slice(&[0x82, 0x80 | 126, 0, 0, 0, 0, 0, 0]);
        out.extend_from_slice(
            br#"{"head":{"ver":"v4","platform":7,"websdkappid":537048168,"websdkversion":"1.7.3","#,
        );
        if identity.is_empty() {
            let _ = write!(
                out,
                r#""a2":"{}","tinyid":"{}","status_instid":{},"sdkappid":{APP},"contenttype":"json","reqtime":1795000000,"#,
                self.a2, self.tiny, self.instance
            );
        } else {
            let _ = write!(
                out,
                r#""status_instid":0,"sdkappid":{APP},"contenttype":"json","reqtime":1795000000,"identifier":"{}","usersig":"{identity}","#,
                self.user
            );
        }
        let _ = write!(
            out,
            r#""sdkability":75689843,"sdkability_ext":"","cappid":0,"cs":{},"servcmd":"{servcmd}","seq":{}}},"body":{}}}"#,
            checksum(servcmd, &self.body),
            self.seq,
            self.body
        );
        let length = u16::try_from(out.len() - at - 8).unwrap().to_be_bytes();
        out[at + 2..at + 4].copy_from_slice(&length);
    }

    fn say(&mut self, out: &mut Vec<u8>, random: u64) {
        use std::fmt::Write;
        self.body.clear();
        let _ = write!(
            self.body,
            r#"{{"From_Account":"{}","To_Account":"{}","MsgSeq":{},"MsgRandom":{random},"MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"hello, how are you today?"}}}}],"CloudCustomData":"","From_AccountNick":"","From_AccountHeadurl":"","OfflinePushInfo":{{"PushFlag":0,"Title":"","Desc":"","Ext":""}},"SendMsgControl":[],"MsgClientTime":1795000000,"IsNeedReadReceipt":0,"SupportMessageExtension":0,"IsRelayMsg":0}}"#,
            self.user, self.peer, self.seq
        );
        self.request(out, "openim.sendmsg", "");
    }

    fn acknowledge(&mut self, out: &mut Vec<u8>, session: &str) {
        self.body.clear();
        self.body.push_str(r#"{"SessionData":""#);
        self.body.push_str(session);
        self.body.push_str(r#""}"#);
        self.request(out, "openim.ws_msg_push_ack", "");
    }

    fn plain(&mut self, out: &mut Vec<u8>, servcmd: &str, body: &str) {
        self.body.clear();
        self.body.push_str(body);
        self.request(out, servcmd, "");
    }
}

/// The text between `before` and the next of `after`.
fn between<'a>(text: &'a str, before: &str, after: &[char]) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split(after).next()
}

/// What the links have in common.
#[derive(Default)]
struct Counts {
    online: Cell<usize>,
    pushes: Cell<u64>,
    refused: Cell<u64>,
    latencies: RefCell<Vec<u32>>,
    /// Answer pushes with messages.
    echoes: Cell<bool>,
}

struct Link {
    io: TcpStream,
    account: RefCell<Account>,
    counts: Rc<Counts>,
    started: Instant,
}

impl Link {
    async fn open(
        addr: SocketAddr,
        at: usize,
        counts: &Rc<Counts>,
        started: Instant,
    ) -> io::Result<Self> {
        let mut io = TcpStream::connect(addr).await?;
        io.set_nodelay(true)?;
        io.write_all(format!("GET /binfo?sdkappid={APP} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if io.read_buf(&mut head).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let user = if at == usize::MAX {
            "alice".to_owned()
        } else {
            name(at)
        };
        let account = Account {
            peer: name(at ^ 1),
            a2: String::new(),
            tiny: String::new(),
            instance: String::new(),
            seq: 1000,
            body: String::new(),
            user,
        };
        Ok(Self {
            io,
            account: RefCell::new(account),
            counts: Rc::clone(counts),
            started,
        })
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap()
    }

    /// Logs in, as clients do.
    async fn log_in(&self) -> io::Result<()> {
        let user: UserId = self.account.borrow().user.parse().unwrap();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let sig = usersig::sign(
            SdkAppId::new(APP).unwrap(),
            &KEY.into(),
            &user,
            now.as_secs(),
            86_400,
        );
        self.turn(|account, out| {
            account.body =
                r#"{"State":"Online","is_web_uniapp":0,"InstType":0,"CustomInfo":""}"#.to_owned();
            account.request(out, "im_open_status.wslogin", sig.expose());
        })
        .await?;
        while self.account.borrow().a2.is_empty() {
            self.hear().await?;
        }
        self.turn(|account, out| {
            let lists = format!(r#"{{"Limit":200,"Member_Account":"{}","NeedAppDefineData":0,"Offset":0,"ResponseFilter":{{"GroupBaseInfoFilter":["Type","NextMsgSeq"],"SelfInfoFilter":["MsgSeq"]}},"SupportTopic":0}}"#, account.user);
            account.plain(out, "heartbeat.alive", "{}");
            account.plain(out, "openim.getmsg", r#"{"Cookie":"","IsOnlineSync":0,"NeedAbstract":1,"NeedCachedMsg":1,"NeedSignaling":1,"SyncFlag":0}"#);
            account.plain(out, "group_open_http_svc.get_joined_group_list", &lists);
            account.plain(out, "million_group_open_http_svc.get_joined_group_list", &lists);
        })
        .await?;
        self.counts.online.set(self.counts.online.get() + 1);
        Ok(())
    }

    /// Sends what `write` appends, in one write.
    async fn turn(&self, write: impl FnOnce(&mut Account, &mut Vec<u8>)) -> io::Result<()> {
        let mut out = OUT.take();
        out.clear();
        write(&mut self.account.borrow_mut(), &mut out);
        let mut sent = 0;
        while sent < out.len() {
            match self.io.try_write(&out[sent..]) {
                Ok(n) => sent += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.io.writable().await?
                }
                Err(error) => return Err(error),
            }
        }
        OUT.set(out);
        Ok(())
    }

    /// Reads once and answers everything in one write.
    async fn hear(&self) -> io::Result<()> {
        self.io.readable().await?;
        let mut read = READ.take();
        let mut have = match self.io.try_read(&mut read) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                READ.set(read);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let mut out = OUT.take();
        out.clear();
        let mut at = 0;
        while at < have {
            let whole = frame(&read[at..have]);
            let Some((start, end)) = whole.filter(|(_, end)| at + end <= have) else {
                // The rest of a frame, which is on its way.
                read.copy_within(at..have, 0);
                have -= at;
                at = 0;
                OUT.set(out);
                loop {
                    match self.io.try_read(&mut read[have..]) {
                        Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                        Ok(n) => {
                            have += n;
                            break;
                        }
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            self.io.readable().await?
                        }
                        Err(error) => return Err(error),
                    }
                }
                out = OUT.take();
                continue;
            };
            let text = std::str::from_utf8(&read[at + start..at + end]).unwrap();
            self.take(text, &mut out);
            at += end;
        }
        READ.set(read);
        if out.is_empty() {
            OUT.set(out);
            return Ok(());
        }
        let frames = std::mem::take(&mut out);
        let mut sent = 0;
        while sent < frames.len() {
            match self.io.try_write(&frames[sent..]) {
                Ok(n) => sent += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.io.writable().await?
                }
                Err(error) => return Err(error),
            }
        }
        OUT.set(frames);
        Ok(())
    }

    fn take(&self, text: &str, out: &mut Vec<u8>) {
        let account = &mut *self.account.borrow_mut();
        let command = between(text, r#""servcmd":""#, &['"']).unwrap_or_default();
        match command {
            "im_open_push.msg_push" => {
                self.counts.pushes.set(self.counts.pushes.get() + 1);
                if let Some(session) = between(text, r#""SessionData":""#, &['"']) {
                    account.acknowledge(out, session);
                }
                if self.counts.echoes.get() {
                    let now = self.micros();
                    if let Some(sent) = between(text, r#""MsgRandom":"#, &[',', '}']) {
                        let took = now.saturating_sub(sent.parse().unwrap());
                        self.counts
                            .latencies
                            .borrow_mut()
                            .push(u32::try_from(took).unwrap());
                    }
                    account.say(out, now);
                } else if let Some(sent) = between(text, r#""MsgRandom":"#, &[',', '}']) {
                    let took = self.micros().saturating_sub(sent.parse().unwrap());
                    self.counts
                        .latencies
                        .borrow_mut()
                        .push(u32::try_from(took).unwrap_or_default());
                }
            }
            "im_open_status.wslogin" => {
                let field = |name: &str| {
                    between(text, name, &['"', ',', '}'])
                        .unwrap_or_default()
                        .to_owned()
                };
                account.a2 = field(r#""A2Key":""#);
                account.tiny = field(r#""TinyId":""#);
                account.instance = field(r#""InstId":"#);
                assert!(!account.a2.is_empty(), "{text}");
            }
            _ => {
                if !text.contains(r#""ErrorCode":0"#) {
                    if self.counts.refused.get() == 0 {
                        eprintln!("refused: {text}");
                    }
                    self.counts.refused.set(self.counts.refused.get() + 1);
                }
            }
        }
    }
}

/// Start and end of the first frame's payload.
fn frame(bytes: &[u8]) -> Option<(usize, usize)> {
    let (start, length) = match *bytes.get(1)? {
        126 => (
            4,
            usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap())),
        ),
        127 => (
            10,
            usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap())).unwrap(),
        ),
        short => (2, usize::from(short)),
    };
    Some((start, start + length))
}

/// Opens the links and logs in, 200 at a time.
async fn fleet(server: &Server, links: usize, counts: &Rc<Counts>) -> Vec<Rc<Link>> {
    let gate = Rc::new(Semaphore::new(200));
    let started = Instant::now();
    let mut opening = Vec::new();
    for at in 0..links {
        let (gate, counts, addr) = (Rc::clone(&gate), Rc::clone(counts), server.addr);
        opening.push(tokio::task::spawn_local(async move {
            let _permit = gate.acquire().await;
            let link = Rc::new(Link::open(addr, at, &counts, started).await.unwrap());
            link.log_in().await.unwrap();
            let listening = Rc::clone(&link);
            tokio::task::spawn_local(async move { while listening.hear().await.is_ok() {} });
            link
        }));
    }
    let mut fleet = Vec::new();
    for link in opening {
        fleet.push(link.await.unwrap());
    }
    fleet
}

async fn echo(
    server: &Server,
    links: usize,
    window: u32,
    rate: u64,
    seconds: Duration,
    wait: Duration,
) {
    let counts = Rc::new(Counts::default());
    let fleet = fleet(server, links, &counts).await;
    counts.echoes.set(rate == 0);
    if rate == 0 {
        for link in fleet.iter().step_by(2) {
            for _ in 0..window {
                let micros = link.micros();
                link.turn(|account, out| account.say(out, micros))
                    .await
                    .unwrap();
            }
        }
    } else {
        // An open loop: the links take turns.
        tokio::task::spawn_local(async move {
            let started = Instant::now();
            let mut sent = 0;
            loop {
                let due = u64::try_from(started.elapsed().as_micros()).unwrap() * rate / 1_000_000;
                while sent < due {
                    let link = &fleet[usize::try_from(sent).unwrap() % fleet.len()];
                    let micros = link.micros();
                    link.turn(|account, out| account.say(out, micros))
                        .await
                        .unwrap();
                    sent += 1;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
    }
    tokio::time::sleep(WARM_UP).await;
    if !wait.is_zero() {
        println!("pid {}", server.child.id());
        tokio::time::sleep(wait).await;
    }
    counts.latencies.borrow_mut().clear();
    let (cpu, pushes, at) = (server.cpu(), counts.pushes.get(), Instant::now());
    tokio::time::sleep(seconds).await;
    let (cpu, pushes, took) = (
        server.cpu() - cpu,
        counts.pushes.get() - pushes,
        at.elapsed(),
    );
    let mut latencies = counts.latencies.borrow_mut();
    latencies.sort_unstable();
    let part = |of: usize| {
        latencies
            .get(latencies.len() * of / 1000)
            .copied()
            .unwrap_or(0)
    };
    println!(
        "{links} links: {:.0} messages/s, {:.1} us of the sandbox a message, its core {:.0} % busy, p50 {} us, p99 {} us, {} refused",
        pushes as f64 / took.as_secs_f64(),
        cpu as f64 / 1000.0 / pushes as f64,
        cpu as f64 / 10.0 / took.as_micros() as f64,
        part(500),
        part(990),
        counts.refused.get()
    );
}

async fn memory(server: &Server, links: usize) {
    let counts = Rc::new(Counts::default());
    // The first account pays for what is made once.
    let base = {
        let alice = Link::open(server.addr, usize::MAX, &counts, Instant::now());
        let alice = alice.await.unwrap();
        alice.log_in().await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.memory()
    };
    let (cpu, at) = (server.cpu(), Instant::now());
    let fleet = fleet(server, links, &counts).await;
    let (cpu, took) = (server.cpu() - cpu, at.elapsed());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let memory = server.memory() - base;
    println!(
        "{} accounts: {:.2} KB each ({base} KiB before), online after {:.2} s, {:.0} us of the sandbox a login",
        fleet.len(),
        memory as f64 * 1.024 / links as f64,
        took.as_secs_f64(),
        cpu as f64 / 1000.0 / links as f64
    );
}

async fn group(server: &Server, members: usize, messages: u64, wait: Duration) {
    let counts = Rc::new(Counts::default());
    let _fleet = fleet(server, members, &counts).await;
    let alice = Rc::new(
        Link::open(server.addr, usize::MAX, &counts, Instant::now())
            .await
            .unwrap(),
    );
    alice.log_in().await.unwrap();
    let listening = Rc::clone(&alice);
    tokio::task::spawn_local(async move { while listening.hear().await.is_ok() {} });
    tokio::time::sleep(Duration::from_secs(1)).await;
    if !wait.is_zero() {
        println!("pid {}", server.child.id());
        tokio::time::sleep(wait).await;
    }
    let (cpu, before) = (server.cpu(), counts.pushes.get());
    let mut walls = Vec::new();
    for at in 1..=messages {
        let started = Instant::now();
        let body = format!(
            r#"{{"GroupId":"big","From_Account":"alice","Random":{at},"ClientSeq":{at},"MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"hello, everybody"}}}}]}}"#
        );
        alice
            .turn(|account, out| account.plain(out, "group_open_http_svc.send_group_msg", &body))
            .await
            .unwrap();
        while counts.pushes.get() < before + at * members as u64 {
            tokio::time::sleep(Duration::from_micros(200)).await;
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "{} pushes",
                counts.pushes.get() - before
            );
        }
        walls.push(started.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let cpu = server.cpu() - cpu;
    walls.sort();
    println!(
        "group of {members}: {:.2} us of the sandbox a member and message, all have it after {:.1} ms (median), {} refused",
        cpu as f64 / 1000.0 / (messages * members as u64) as f64,
        walls[walls.len() / 2].as_secs_f64() * 1000.0,
        counts.refused.get()
    );
}
