//! The clock, the network, and everything that happens on them.

use super::audit::{LogHash, LoginWindow, Summary, Violation};
use super::node::{Node, Note, Want};
use crate::account::{CoreConfig, Credential, Phase, Policy, Status};
use crate::gateway::ConnectError;
use crate::policy::{Now, Pace};
use crate::proto::endpoint::HostWalk;
use crate::proto::id::{IdError, SdkAppId, UserId};
use crate::proto::message::C2cKey;
use crate::sandbox::SandboxConfig;
use crate::sandbox::state::{ConnId, Fault, Frames, KickType, Output, State};
use crate::session;
use secrecy::SecretString;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Violations kept; a run that has this many has made its point.
const MAX_VIOLATIONS: usize = 100;
/// How long an account may believe itself online when the server does not, beyond the hello
/// interval: silence until a heartbeat (10 s), its limit (3 s), and the network's delay. That a login
/// has expired is said by nothing but an answer, at the latest the one to the next hello.
const LONGEST_BELIEF: Duration = Duration::from_secs(15);
/// Unix time at the start.
const EPOCH: Duration = Duration::from_secs(1_795_000_000);

/// How the simulated network behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Shortest time a packet takes.
    pub latency_min: Duration,
    /// Longest time a packet takes.
    pub latency_max: Duration,
}

impl Default for NetworkConfig {
    /// 5 to 60 ms.
    fn default() -> Self {
        Self {
            latency_min: Duration::from_millis(5),
            latency_max: Duration::from_millis(60),
        }
    }
}

/// What a simulation is made from.
#[derive(Clone, Debug)]
pub struct Options {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// How many accounts.
    pub accounts: usize,
    /// What each account does by itself.
    pub policy: Policy,
    /// How long minted UserSigs last.
    pub user_sig_lifetime: Duration,
    /// Logins a second over the fleet.
    pub rate: f64,
    /// Logins at once after a pause.
    pub burst: u32,
    /// The network.
    pub network: NetworkConfig,
    /// How often the server wants a hello.
    pub hello_interval: Duration,
    /// Missed messages per page of the server.
    pub sync_page: Option<usize>,
    /// Accounts answer what they hear.
    pub echo: bool,
}

impl Options {
    /// A fleet of `accounts` with everything as it is by default.
    #[must_use]
    pub fn new(seed: u64, accounts: usize) -> Self {
        Self {
            seed,
            accounts,
            policy: Policy::standard(),
            user_sig_lifetime: Duration::from_secs(7 * 86_400),
            rate: 200.0,
            burst: 200,
            network: NetworkConfig::default(),
            hello_interval: Duration::from_secs(120),
            sync_page: None,
            echo: false,
        }
    }
}

/// Something that is made to happen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Action {
    /// The link of an account breaks; both ends notice.
    CutLink(usize),
    /// The link of an account goes dead; nobody notices by itself.
    DeadenLink(usize),
    /// The server is gone for so long: all links break, nobody listens.
    Outage(Duration),
    /// The server restarts: all links break; `true` forgets all logins.
    Restart(bool),
    /// The account's login is put out.
    Kick(usize, KickType),
    /// The account's UserSig and logins are void from now on.
    Expire(usize),
    /// The next logins of an account are refused.
    RefuseLogins {
        /// Which account.
        account: usize,
        /// With what code.
        code: i64,
        /// How many.
        count: u32,
    },
    /// The server asks an account for rest on a command.
    Overload(usize, &'static str, Duration),
    /// The server sends the next pushes to an account twice.
    Duplicate(usize, u32),
    /// Somebody writes to an account.
    Say(usize),
    /// The connection actor of an account crashes.
    Crash(usize),
    /// Somebody else logs in as the account and stays.
    Intrude(usize),
    /// Somebody orders an account back.
    Resume(usize),
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Wake(usize),
    Turn(usize),
    Dialled { node: usize, dial: u64 },
    ToServer(ConnId, Vec<u8>),
    ToClient(ConnId, Vec<u8>),
    CutAtClient(ConnId),
    CutAtServer(ConnId),
    ServerBack,
    ServerTick,
    Act(usize),
}

#[derive(Debug, Default)]
struct Link {
    node: usize,
    dead: bool,
    /// Packets do not overtake each other.
    up_due: Duration,
    down_due: Duration,
}

/// A running simulation.
#[derive(Debug)]
pub struct World {
    options: Options,
    users: Vec<UserId>,
    nodes: Vec<Node>,
    server: State,
    server_up: bool,
    now: Duration,
    queue: BinaryHeap<Reverse<(Duration, u64, Happening)>>,
    next_number: u64,
    rng: fastrand::Rng,
    pace: Pace,
    links: BTreeMap<ConnId, Link>,
    next_link: u64,
    actions: Vec<Option<Action>>,
    tick_at: Option<Duration>,
    owed: Vec<BTreeSet<String>>,
    online_since: Vec<Option<Duration>>,
    offline_since: Vec<Duration>,
    disbelief: HashMap<usize, Duration>,
    last_login: Vec<Option<Duration>>,
    window: LoginWindow,
    hash: LogHash,
    summary: Summary,
    said: u64,
    trace: Option<usize>,
    story: Vec<String>,
}

impl World {
    /// A fleet that starts at time zero.
    ///
    /// # Errors
    /// Never in practice: the names it makes are UserIDs.
    pub fn new(options: Options) -> Result<Self, IdError> {
        let app = SdkAppId::new(1_400_000_001)?;
        let key = Arc::new(SecretString::from("simulated key"));
        let mut sandbox = SandboxConfig::new(app, "simulated key");
        sandbox.hello_interval = options.hello_interval;
        sandbox.sync_page = options.sync_page;
        sandbox.idle_timeout = Duration::from_secs(86_400 * 3650);
        sandbox.max_connections = usize::MAX;
        let mut rng = fastrand::Rng::with_seed(options.seed);
        let now = Now::new(Duration::ZERO, EPOCH);
        let users: Vec<UserId> = (0..options.accounts)
            .map(|n| UserId::parse(&format!("bot-{n:05}")))
            .collect::<Result<_, _>>()?;
        let policy = Arc::new(options.policy.clone());
        let nodes = users
            .iter()
            .map(|user| {
                let config = CoreConfig {
                    app,
                    user: user.clone(),
                    credential: Credential::Minted {
                        key: key.clone(),
                        lifetime: options.user_sig_lifetime,
                    },
                    hosts: HostWalk::fixed("ws://simulated"),
                    policy: policy.clone(),
                    memory: session::Memory::default(),
                };
                Node::new(config, rng.u64(..), now, options.echo)
            })
            .collect();
        let accounts = options.accounts;
        let mut world = Self {
            server: State::new(sandbox, rng.u64(..)),
            pace: Pace::new(options.rate, options.burst),
            options,
            users,
            nodes,
            server_up: true,
            now: Duration::ZERO,
            queue: BinaryHeap::new(),
            next_number: 0,
            rng,
            links: BTreeMap::new(),
            next_link: 0,
            actions: Vec::new(),
            tick_at: None,
            owed: vec![BTreeSet::new(); accounts],
            online_since: vec![None; accounts],
            offline_since: vec![Duration::ZERO; accounts],
            disbelief: HashMap::new(),
            last_login: vec![None; accounts],
            window: LoginWindow::default(),
            hash: LogHash::default(),
            summary: Summary::default(),
            said: 0,
            trace: None,
            story: Vec::new(),
        };
        for node in 0..accounts {
            let at = world.clock();
            world.nodes[node].core.start(at);
            world.settle(node);
        }
        Ok(world)
    }

    /// Keeps the story of one account, for [`story`](Self::story).
    pub fn trace(&mut self, account: usize) {
        self.trace = Some(account);
    }

    /// What happened to the traced account, a line each.
    #[must_use]
    pub fn story(&self) -> &[String] {
        &self.story
    }

    /// Simulated time since the start.
    #[must_use]
    pub const fn now(&self) -> Duration {
        self.now
    }

    /// How an account stands.
    #[must_use]
    pub fn status(&self, account: usize) -> Option<Status> {
        Some(self.nodes.get(account)?.core.status(self.clock()))
    }

    /// How many accounts are online.
    #[must_use]
    pub fn online(&self) -> usize {
        self.nodes
            .iter()
            .filter(|node| node.core.phase() == Phase::Online)
            .count()
    }

    /// Messages said to accounts that no bot was handed yet.
    #[must_use]
    pub fn owed(&self) -> usize {
        self.owed.iter().map(BTreeSet::len).sum()
    }

    /// Makes something happen at a time from now on.
    pub fn at(&mut self, when: Duration, action: Action) {
        self.actions.push(Some(action));
        let number = self.actions.len() - 1;
        self.schedule(when.max(self.now), Happening::Act(number));
    }

    /// Makes something happen now.
    pub fn act(&mut self, action: Action) {
        self.at(self.now, action);
        self.run_until(self.now);
    }

    /// Plays everything up to and including `end`.
    pub fn run_until(&mut self, end: Duration) {
        while let Some(Reverse((at, _, _))) = self.queue.peek() {
            if *at > end {
                break;
            }
            let Some(Reverse((at, _, happening))) = self.queue.pop() else {
                break;
            };
            self.now = at;
            self.summary.events += 1;
            self.happen(happening);
        }
        self.now = end;
    }

    /// What the run came to so far. Checks once more what can be checked at the end.
    pub fn summary(&mut self) -> Summary {
        self.audit();
        let mut summary = self.summary.clone();
        summary.elapsed = self.now;
        summary.said = self.said;
        summary.hash = self.hash.value();
        for (since, offline) in self.online_since.iter().zip(&self.offline_since) {
            match since {
                Some(since) => summary.online += self.now - *since,
                None => summary.longest_silence = summary.longest_silence.max(self.now - *offline),
            }
        }
        summary
    }

    // ── the clock ────────────────────────────────────────────────────────────────────────────

    fn clock(&self) -> Now {
        Now::new(self.now, EPOCH + self.now)
    }

    fn schedule(&mut self, at: Duration, happening: Happening) {
        self.next_number += 1;
        self.queue.push(Reverse((at, self.next_number, happening)));
    }

    fn happen(&mut self, happening: Happening) {
        let now = self.clock();
        match happening {
            Happening::Wake(node) => {
                if self.nodes[node].wake_at != Some(self.now) {
                    return; // Armed anew in the meantime.
                }
                self.nodes[node].wake_at = None;
                self.catch_up(node);
                self.nodes[node].core.timeout(now);
                self.nodes[node].session.timeout(now);
                self.settle(node);
            }
            Happening::Turn(node) => {
                self.nodes[node].core.turn(now);
                self.settle(node);
            }
            Happening::Dialled { node, dial } => {
                let outcome = if self.server_up {
                    let link = self.open(node);
                    Ok(link)
                } else {
                    Err(ConnectError::Refused("simulated".into()))
                };
                self.nodes[node].dialled(now, dial, outcome);
                self.settle(node);
            }
            Happening::ToServer(link, bytes) => {
                if self.links.contains_key(&link) {
                    self.server.receive(now, link, &bytes);
                    self.serve();
                }
            }
            Happening::ToClient(link, bytes) => {
                let Some(node) = self
                    .links
                    .get(&link)
                    .filter(|link| !link.dead)
                    .map(|link| link.node)
                else {
                    return;
                };
                if self.nodes[node].link == Some(link) {
                    self.nodes[node].session.received(now, &bytes);
                    self.settle(node);
                }
            }
            Happening::CutAtClient(link) => {
                if let Some(gone) = self.links.remove(&link) {
                    self.nodes[gone.node].cut(now, link);
                    self.settle(gone.node);
                }
            }
            Happening::CutAtServer(link) => {
                // What was under way has arrived by now; a client that still has it hears its end.
                if self
                    .links
                    .get(&link)
                    .is_some_and(|state| self.nodes[state.node].link != Some(link))
                {
                    self.links.remove(&link);
                }
                self.server.closed(now, link);
                self.serve();
            }
            Happening::ServerBack => self.server_up = true,
            Happening::ServerTick => {
                self.tick_at = None;
                let live: Vec<ConnId> = self
                    .links
                    .iter()
                    .filter(|(_, link)| !link.dead)
                    .map(|(link, _)| *link)
                    .collect();
                for link in live {
                    self.server.alive(now, link);
                }
                self.server.tick(now);
                self.serve();
                self.audit();
            }
            Happening::Act(number) => {
                if let Some(action) = self.actions[number].take() {
                    self.carry_out(action);
                }
            }
        }
    }

    // ── the network ──────────────────────────────────────────────────────────────────────────

    fn latency(&mut self) -> Duration {
        let NetworkConfig {
            latency_min,
            latency_max,
        } = self.options.network;
        let micros = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.rng.u64(micros(latency_min)..=micros(latency_max)))
    }

    fn open(&mut self, node: usize) -> ConnId {
        self.next_link += 1;
        let link = ConnId(self.next_link);
        self.links.insert(
            link,
            Link {
                node,
                ..Link::default()
            },
        );
        let now = self.clock();
        self.server.connect(
            now,
            link,
            Frames::Binary,
            &[("sdkappid".into(), "1400000001".into())],
        );
        self.tick_later();
        link
    }

    fn is_healthy(&self, node: usize) -> bool {
        self.nodes[node]
            .link
            .and_then(|link| self.links.get(&link))
            .is_some_and(|link| !link.dead)
    }

    /// Plays the heartbeats that were left out while the link was healthy.
    fn catch_up(&mut self, node: usize) {
        if self.is_healthy(node) {
            let now = self.clock();
            self.nodes[node].session.heard(now);
        }
    }

    fn settle(&mut self, node: usize) {
        let now = self.clock();
        let mut wants = Vec::new();
        self.nodes[node].drain(now, &mut wants);
        while !wants.is_empty() {
            for want in std::mem::take(&mut wants) {
                self.grant(node, want);
            }
            self.nodes[node].drain(now, &mut wants);
        }
        self.arm(node);
    }

    fn arm(&mut self, node: usize) {
        let at = self.nodes[node]
            .deadline(self.is_healthy(node))
            .map(|at| at.max(self.now));
        if let Some(at) = at
            && self.nodes[node]
                .wake_at
                .is_none_or(|armed| armed > at || armed < self.now)
        {
            self.nodes[node].wake_at = Some(at);
            self.schedule(at, Happening::Wake(node));
        }
    }

    fn grant(&mut self, node: usize, want: Want) {
        match want {
            Want::Turn => {
                let wait = self.pace.reserve(self.now);
                self.schedule(self.now + wait, Happening::Turn(node));
            }
            Want::Dial => {
                let dial = self.nodes[node].dials;
                let round_trip = self.latency() + self.latency();
                self.schedule(self.now + round_trip, Happening::Dialled { node, dial });
            }
            Want::Send(link, packet) => {
                let latency = self.latency();
                if let Some(state) = self.links.get_mut(&link).filter(|link| !link.dead) {
                    let due = (self.now + latency).max(state.up_due);
                    state.up_due = due;
                    self.schedule(due, Happening::ToServer(link, packet.into_bytes()));
                }
            }
            Want::Closed(link) => {
                let due = self
                    .links
                    .get(&link)
                    .map_or(self.now, |state| state.up_due.max(self.now));
                let latency = self.latency();
                let dead = self.links.get(&link).is_some_and(|state| state.dead);
                // A dead link is closed at the server by its own time-out, much later.
                let late = if dead {
                    Duration::from_secs(60)
                } else {
                    latency
                };
                self.schedule(due + late, Happening::CutAtServer(link));
            }
            Want::Note(note) => self.note(node, note),
        }
    }

    fn serve(&mut self) {
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Send { conn, bytes, .. } => {
                    let latency = self.latency();
                    if let Some(state) = self.links.get_mut(&conn).filter(|link| !link.dead) {
                        let due = (self.now + latency).max(state.down_due);
                        state.down_due = due;
                        self.schedule(due, Happening::ToClient(conn, bytes));
                    }
                }
                Output::Close { conn, .. } | Output::Drop { conn } => self.break_link(conn),
            }
        }
        self.tick_later();
    }

    fn tick_later(&mut self) {
        // Once a minute is often enough: what the server does by the second is idle checks.
        let at = self.now + Duration::from_secs(60);
        if self.tick_at.is_none() {
            self.tick_at = Some(at);
            self.schedule(at, Happening::ServerTick);
        }
    }

    fn break_link(&mut self, link: ConnId) {
        let latency = self.latency();
        let Some(state) = self.links.get(&link) else {
            return;
        };
        let (node, due, dead) = (state.node, state.down_due.max(self.now), state.dead);
        if node < self.nodes.len() && self.nodes[node].link == Some(link) {
            self.catch_up(node);
        }
        if !dead {
            self.schedule(due + latency, Happening::CutAtClient(link));
        }
        self.schedule(self.now, Happening::CutAtServer(link));
    }

    fn carry_out(&mut self, action: Action) {
        let now = self.clock();
        self.log(None, &format!("{action:?}"));
        match action {
            Action::CutLink(node) => {
                if let Some(link) = self.nodes[node].link {
                    self.break_link(link);
                }
            }
            Action::DeadenLink(node) => {
                if let Some(link) = self.nodes[node].link {
                    // The last heartbeat was answered some time within the last ten seconds.
                    let ago = Duration::from_millis(self.rng.u64(0..10_000)).min(self.now);
                    let heard = Now::new(now.mono - ago, now.unix - ago);
                    self.nodes[node].session.heard(heard);
                    if let Some(state) = self.links.get_mut(&link) {
                        state.dead = true;
                    }
                    self.settle(node);
                }
            }
            Action::Outage(length) => {
                self.server_up = false;
                self.break_all();
                self.schedule(self.now + length, Happening::ServerBack);
            }
            Action::Restart(forget_logins) => {
                self.fault(Fault::Restart { forget_logins });
                self.break_all();
            }
            Action::Kick(node, kind) => {
                let user = self.users[node].clone();
                self.server.kick_all(now, &user, kind);
                self.serve();
            }
            Action::Expire(node) => self.fault(Fault::Expire {
                user: self.users[node].clone(),
            }),
            Action::RefuseLogins {
                account,
                code,
                count,
            } => {
                let user = self.users[account].clone();
                self.fault(Fault::RefuseLogin {
                    user,
                    code,
                    count: Some(count),
                });
            }
            Action::Overload(node, servcmd, length) => {
                let user = self.users[node].clone();
                self.fault(Fault::Overload {
                    user,
                    servcmd: servcmd.into(),
                    seconds: length.as_secs(),
                });
            }
            Action::Duplicate(node, count) => {
                self.fault(Fault::Duplicate {
                    user: self.users[node].clone(),
                    count,
                });
            }
            Action::Say(node) => self.say(node),
            Action::Crash(node) => {
                let seed = self.rng.u64(..);
                let mut wants = Vec::new();
                self.nodes[node].crash(now, seed, &mut wants);
                for want in wants {
                    self.grant(node, want);
                }
                self.settle(node);
            }
            Action::Intrude(node) => {
                // What another login does to this one.
                let user = self.users[node].clone();
                self.server.kick_all(now, &user, KickType::Account);
                self.serve();
            }
            Action::Resume(node) => {
                self.nodes[node].core.resume(now);
                self.settle(node);
            }
        }
    }

    fn fault(&mut self, fault: Fault) {
        let now = self.clock();
        // An account that never logged in is not known there: nothing to do to it.
        let _ = self.server.fault(now, fault);
        self.serve();
    }

    fn break_all(&mut self) {
        let all: Vec<ConnId> = self.links.keys().copied().collect();
        for link in all {
            self.break_link(link);
        }
    }

    fn say(&mut self, node: usize) {
        let Ok(peer) = UserId::parse("somebody") else {
            return;
        };
        self.server.import(&peer);
        let user = self.users[node].clone();
        self.server.import(&user);
        self.said += 1;
        let text = format!("{}#{}", user, self.said);
        let now = self.clock();
        if self.server.say(now, &peer, &user, &text).is_ok() {
            self.owed[node].insert(text);
        }
        self.serve();
    }

    // ── the books ────────────────────────────────────────────────────────────────────────────

    fn log(&mut self, node: Option<usize>, what: &str) {
        self.hash.add(&self.now.as_nanos().to_le_bytes());
        self.hash.add(&node.unwrap_or(usize::MAX).to_le_bytes());
        self.hash.add(what.as_bytes());
        if node.is_none() || node == self.trace {
            if self.trace.is_some() {
                self.story
                    .push(format!("{:>14.3} s  {what}", self.now.as_secs_f64()));
            }
        }
    }

    fn violate(&mut self, account: Option<usize>, what: String) {
        if self.summary.violations.len() < MAX_VIOLATIONS {
            self.summary.violations.push(Violation {
                at: self.now,
                account,
                what,
            });
        }
    }

    fn note(&mut self, node: usize, note: Note) {
        match note {
            Note::Login => self.login(node),
            Note::Changed { online } => self.changed(node, online),
            Note::Handed(message) => {
                self.log(Some(node), &format!("handed {message}"));
                self.summary.handed += 1;
                let key: C2cKey = message.key();
                if !self.nodes[node].handed.insert(key) {
                    self.violate(Some(node), format!("handed twice: {message}"));
                }
                if let Some(text) = message.text()
                    && !self.owed[node].remove(text)
                {
                    self.violate(Some(node), format!("handed what was not owed: {message}"));
                }
            }
            Note::Replied { ok } => {
                let count = if ok {
                    &mut self.summary.replied
                } else {
                    &mut self.summary.unreplied
                };
                *count += 1;
            }
        }
    }

    fn login(&mut self, node: usize) {
        self.log(Some(node), "login sent");
        self.summary.logins += 1;
        let rate = self.window.add(self.now);
        self.summary.worst_login_rate = self.summary.worst_login_rate.max(rate);
        let allowed = self.options.rate + f64::from(self.options.burst);
        if rate as f64 > allowed + 1.0 {
            self.violate(None, format!("{rate} logins within a second"));
        }
        let spacing = self.options.policy.login_spacing;
        // A dial takes its time, and the spacing is between the decisions.
        let slack = self.options.network.latency_max * 2;
        if let Some(last) = self.last_login[node].replace(self.now)
            && self.now - last + slack < spacing
        {
            self.violate(
                Some(node),
                format!("two logins within {:?}", self.now - last),
            );
        }
    }

    fn changed(&mut self, node: usize, online: Option<bool>) {
        let status = self.nodes[node].core.status(self.clock());
        self.log(
            Some(node),
            &format!("{} ({})", status.phase.word(), status.cause.word()),
        );
        match online {
            Some(true) => {
                let silent = self.now - self.offline_since[node];
                self.summary.longest_silence = self.summary.longest_silence.max(silent);
                self.online_since[node] = Some(self.now);
                // Logged in anew: whatever it believed wrongly before is over.
                self.disbelief.remove(&node);
            }
            Some(false) => {
                if let Some(since) = self.online_since[node].take() {
                    self.summary.online += self.now - since;
                }
                self.offline_since[node] = self.now;
                *self
                    .summary
                    .offline_by_cause
                    .entry(status.cause.word().into_owned())
                    .or_default() += 1;
            }
            None => {}
        }
        let waits = matches!(status.phase, Phase::Waiting | Phase::CoolingDown);
        if waits && status.next.is_none() {
            self.violate(Some(node), "waits without a next action".to_owned());
        }
    }

    /// What is true at any moment: no two logins in flight, no false belief for long.
    fn audit(&mut self) {
        let now = self.clock();
        for node in 0..self.nodes.len() {
            if self.nodes[node].session.logins_in_flight() > 1 {
                self.violate(Some(node), "two logins in flight".to_owned());
            }
            let believes = self.nodes[node].core.phase() == Phase::Online;
            let ready = self.nodes[node].session.state().is_ready();
            let is_true = self.server.is_online(now, &self.users[node]);
            if believes && !ready {
                self.violate(
                    Some(node),
                    "shown as online while its session is not ready".to_owned(),
                );
            }
            if !believes || is_true {
                self.disbelief.remove(&node);
            } else {
                let since = *self.disbelief.entry(node).or_insert(self.now);
                if self.now - since > LONGEST_BELIEF + self.options.hello_interval {
                    self.violate(
                        Some(node),
                        "shown as online, and the server says otherwise".to_owned(),
                    );
                }
            }
            if let Some(at) = self.nodes[node].session.poll_timeout()
                && !self.is_healthy(node)
                && at < self.now
                && self.nodes[node].session.state() != session::State::Disconnected
            {
                self.violate(Some(node), "a timer in the past".to_owned());
            }
        }
    }
}
