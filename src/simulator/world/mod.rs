//! The simulated world: the clock, the network and their events.

mod audit_log;
mod clocks;
mod disks;
mod groups;
mod ledger;
mod login_pacing;
mod loss;
mod mishaps;
mod network;
mod processes;
mod replies;
mod scenario;
mod trouble;

pub(super) use disks::store_time;

use crate::audit::{LogHash, Share, Summary, Window};
use crate::disk::{Disk, StoreModel};
use crate::groups::SimGroup;
use crate::ledger::Ledger;
use crate::login_pacing::Turns;
use crate::options::{Action, Options};
use crate::sim_account::{SimAccount, Want};
use botroupe_core::account::FleetUsers;
use botroupe_core::account::{ConnectError, Core};
use botroupe_core::account::{GroupPaces, Policy, Status};
use botroupe_core::ledger::Recovered;
use botroupe_core::policy::{Governor, Now};
use botroupe_core::session::{RepeatedPush, Session};
use botroupe_proto::command;
use botroupe_proto::id::{IdError, SdkAppId, UserId};
use botroupe_proto::message::Conversation;
use botroupe_sandbox::SandboxConfig;
use botroupe_sandbox::state::{ConnId, State};
use secrecy::SecretString;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// The Unix time at the start.
pub(super) const EPOCH: Duration = Duration::from_secs(1_795_000_000);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    /// An account starts in the process with this number.
    Start(usize, u32),
    Wake(usize),
    /// An account in the process with this number gets a login turn.
    Turn(usize, u32),
    /// A handler in the process with this number ends.
    Worked(usize, u32, Box<Conversation>, u64),
    /// The disk of a copy makes its next step for the process with this number.
    Disk(usize, u32),
    /// The disks forget what nobody needs any more.
    Prune,
    /// A letter of an account, in the process with this number, is tried again.
    Later(usize, u32),
    /// The process of a copy, with this number, reaches a step of its shutdown.
    Ends(usize, u32, Ending),
    Dialled {
        node: usize,
        dial: u64,
        late: bool,
    },
    ToServer(ConnId, Vec<u8>),
    ToClient(ConnId, Vec<u8>),
    CutAtClient(ConnId),
    CutAtServer(ConnId),
    ServerBack,
    ServerTick,
    Act(usize),
}

impl Happening {
    /// Creates the arrival of a packet at the server (`up`) or at the account.
    pub(super) const fn packet(link: ConnId, up: bool, packet: Vec<u8>) -> Self {
        if up {
            Self::ToServer(link, packet)
        } else {
            Self::ToClient(link, packet)
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Link {
    pub(super) node: usize,
    pub(super) dead: bool,
    /// The arrival times of the last packets. Later packets do not overtake them.
    pub(super) up_due: Duration,
    pub(super) down_due: Duration,
}

/// The remaining steps of a process that is stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    /// The grace period of the handlers is over.
    Drained,
    /// The grace period of the logouts is over. The process restarts after this time.
    Gone(Duration),
}

/// A running simulation.
#[derive(Debug)]
pub struct World {
    pub(super) options: Options,
    pub(super) app: SdkAppId,
    pub(super) key: Arc<SecretString>,
    pub(super) policy: Arc<Policy>,
    pub(super) paces: Vec<GroupPaces>,
    pub(super) fleet: FleetUsers,
    pub(super) users: Vec<UserId>,
    pub(super) crews: Vec<SimGroup>,
    /// For each account, the number of its process and whether it has started.
    pub(super) lives: Vec<u32>,
    pub(super) alive: Vec<bool>,
    /// The accounts whose logout the server has accepted during an orderly stop.
    pub(super) farewells: Vec<bool>,
    /// For each copy, the number of its process and whether it is stopping.
    pub(super) processes: Vec<u32>,
    pub(super) stopping: Vec<bool>,
    pub(super) pages: Vec<Window>,
    /// The clock offset of each account, in milliseconds.
    pub(super) offsets: Vec<i64>,
    pub(super) nodes: Vec<SimAccount>,
    pub(super) server: State,
    pub(super) server_up: bool,
    pub(super) now: Duration,
    pub(super) queue: BinaryHeap<Reverse<(Duration, u64, Happening)>>,
    pub(super) next_number: u64,
    pub(super) rng: fastrand::Rng,
    pub(super) governors: Vec<Governor>,
    /// The disk of each copy; none without a store.
    pub(super) disks: Vec<Disk>,
    /// Decides on mishaps, which happen until this time.
    pub(super) fate: fastrand::Rng,
    pub(super) mishaps_until: Duration,
    pub(super) links: BTreeMap<ConnId, Link>,
    pub(super) next_link: u64,
    /// For each account, the end and the rate of an increased packet loss.
    pub(super) lossy: Vec<(Duration, f64)>,
    pub(super) has_stalled: bool,
    pub(super) actions: Vec<Option<Action>>,
    pub(super) tick_at: Option<Duration>,
    pub(super) ledger: Ledger,
    pub(super) online_since: Vec<Option<Duration>>,
    pub(super) offline_since: Vec<Duration>,
    pub(super) disbelief: HashMap<usize, Duration>,
    pub(super) last_login: Vec<Option<Duration>>,
    pub(super) shares: Vec<Share>,
    pub(super) window: Window,
    pub(super) turns: Turns,
    pub(super) hash: LogHash,
    pub(super) summary: Summary,
    pub(super) trace: Option<usize>,
    pub(super) story: Vec<String>,
}

impl World {
    /// Creates a fleet that starts at time zero.
    ///
    /// # Errors
    /// Does not fail in practice: the generated names are valid UserIDs.
    pub fn new(options: Options) -> Result<Self, IdError> {
        let app = SdkAppId::new(1_400_000_001)?;
        let key = Arc::new(SecretString::from("simulated key"));
        let mut sandbox = SandboxConfig::new(app, "simulated key");
        sandbox.hello_interval = options.hello_interval;
        sandbox.sync_page = options.sync_page;
        sandbox.max_web_instances = options.slots;
        sandbox.idle_timeout = Duration::from_secs(86_400 * 3650);
        sandbox.max_connections = usize::MAX;
        // Disable the history limit, so that only the accounts can lose messages.
        sandbox.history_limit = usize::MAX;
        sandbox.message_limit = usize::MAX;
        sandbox.inbox_limit = usize::MAX;
        sandbox.group_history_limit = usize::MAX;
        sandbox.ledger = options.exactly_once;
        sandbox.dedupe = options.dedupe;
        let mut rng = fastrand::Rng::with_seed(options.seed);
        let users: Vec<UserId> = (0..options.accounts * options.copies)
            .map(|n| UserId::parse(&format!("bot-{:05}", n % options.accounts)))
            .collect::<Result<_, _>>()?;
        let policy = Arc::new(options.policy.clone());
        // Each copy is a separate process.
        let paces: Vec<GroupPaces> = (0..options.copies).map(|_| GroupPaces::default()).collect();
        let fleet: FleetUsers = Arc::new(users.iter().map(|user| user.as_str().into()).collect());
        let offsets = (0..users.len())
            .map(|_| options.clocks.draw(&mut rng))
            .collect();
        let disks = match options.store {
            StoreModel::None => Vec::new(),
            StoreModel::Disk(journal) => (0..options.copies as u64)
                .map(|copy| Disk::new(journal, options.seed ^ 0xd15c_0001 ^ (copy << 32)))
                .collect(),
        };
        let (accounts, names, copies) = (users.len(), options.accounts, options.copies);
        let mut world = Self {
            server: State::new(sandbox, rng.u64(..)),
            governors: vec![Governor::new(options.rate, options.burst); options.copies],
            disks,
            fate: fastrand::Rng::with_seed(options.seed ^ 0xfa7e_0001),
            mishaps_until: Duration::ZERO,
            offsets,
            app,
            key,
            policy,
            paces,
            fleet,
            crews: Vec::new(),
            lives: vec![0; accounts],
            alive: vec![false; accounts],
            farewells: vec![false; accounts],
            processes: vec![0; copies],
            stopping: vec![false; copies],
            pages: (0..accounts)
                .map(|_| Window::of(Duration::from_secs(60)))
                .collect(),
            options,
            users,
            nodes: Vec::with_capacity(accounts),
            server_up: true,
            now: Duration::ZERO,
            queue: BinaryHeap::new(),
            next_number: 0,
            rng,
            links: BTreeMap::new(),
            next_link: 0,
            lossy: vec![(Duration::ZERO, 0.0); accounts],
            has_stalled: false,
            actions: Vec::new(),
            tick_at: None,
            ledger: Ledger::new(names, accounts),
            online_since: vec![None; accounts],
            offline_since: vec![Duration::ZERO; accounts],
            disbelief: HashMap::new(),
            last_login: vec![None; accounts],
            shares: vec![Share::default(); names],
            window: Window::default(),
            turns: Turns::new(accounts, copies),
            hash: LogHash::default(),
            summary: Summary::default(),
            trace: None,
            story: Vec::new(),
        };
        world.make_groups();
        for node in 0..accounts {
            let fresh = world.new_node(node, Recovered::default());
            world.nodes.push(fresh);
        }
        world.prune_later();
        for node in 0..accounts {
            let copy = u32::try_from(node / names).unwrap_or(u32::MAX);
            let at = world.options.copy_gap.saturating_mul(copy);
            if at.is_zero() {
                world.start(node);
            } else {
                world.schedule(at, Happening::Start(node, 0));
            }
        }
        Ok(world)
    }

    fn start(&mut self, node: usize) {
        self.alive[node] = true;
        let at = self.clock_of(node);
        self.nodes[node].core(at, Core::start);
        self.nodes[node].post(at);
        self.settle(node);
    }

    /// Records the events of one account, for [`story`](Self::story).
    pub fn trace(&mut self, account: usize) {
        self.trace = Some(account);
    }

    /// Returns the events of the traced account, one line each.
    #[must_use]
    pub fn story(&self) -> &[String] {
        &self.story
    }

    /// Returns the number of accounts, over all copies.
    #[must_use]
    pub const fn accounts(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the simulated time since the start.
    #[must_use]
    pub const fn now(&self) -> Duration {
        self.now
    }

    /// Returns the status of an account.
    #[must_use]
    pub fn status(&self, account: usize) -> Option<Status> {
        Some(self.nodes.get(account)?.status(self.clock_of(account)))
    }

    /// Returns the number of online accounts.
    #[must_use]
    pub fn online(&self) -> usize {
        self.nodes
            .iter()
            .filter(|node| node.core.phase().is_online())
            .count()
    }

    /// Returns the number of messages to accounts that no bot of any copy has finished yet.
    #[must_use]
    pub fn owed(&self) -> usize {
        self.ledger.owed()
    }

    /// Schedules an action. `when` must not be in the past.
    pub fn at(&mut self, when: Duration, action: Action) {
        self.actions.push(Some(action));
        let number = self.actions.len() - 1;
        self.schedule(when.max(self.now), Happening::Act(number));
    }

    /// Executes an action now.
    pub fn act(&mut self, action: Action) {
        self.at(self.now, action);
        self.run_until(self.now);
    }

    /// Runs the simulation up to and including `end`.
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

    /// Returns the results so far. It also runs the checks that are only possible at the end.
    pub fn summary(&mut self) -> Summary {
        self.audit();
        self.check_unanswered();
        let mut summary = self.summary.clone();
        summary.store = self.store_counts();
        summary.elapsed = self.now;
        summary.hash = self.hash.value();
        for (since, offline) in self.online_since.iter().zip(&self.offline_since) {
            match since {
                Some(since) => summary.online += self.now - *since,
                None => {
                    summary.longest_silence = summary.longest_silence.max(self.now - *offline);
                }
            }
        }
        let elapsed = self.now.as_secs_f64().max(f64::EPSILON);
        summary.one_copy_online = self
            .shares
            .iter()
            .map(|share| share.exactly_one(self.now).as_secs_f64() / elapsed)
            .fold(1.0, f64::min);
        summary.worst_kicks_per_hour = self
            .shares
            .iter()
            .map(|share| share.worst_kicks)
            .max()
            .unwrap_or(0);
        summary
    }

    // ── the clock ────────────────────────────────────────────────────────────────────────────

    pub(super) fn schedule(&mut self, at: Duration, happening: Happening) {
        self.next_number += 1;
        self.queue.push(Reverse((at, self.next_number, happening)));
    }

    pub(super) fn happen(&mut self, happening: Happening) {
        let now = self.clock();
        match happening {
            Happening::Start(node, life) => {
                if self.lives[node] == life {
                    self.start(node);
                }
            }
            Happening::Ends(copy, process, ending) => self.ends(copy, process, ending),
            Happening::Worked(node, life, conversation, run) => {
                if self.lives[node] == life {
                    self.with(node, |account, now, wants| {
                        account.worked(now, &conversation, run, wants);
                    });
                }
            }
            Happening::Disk(copy, process) => self.disk_steps(copy, process),
            Happening::Prune => self.prune(),
            Happening::Later(node, life) => {
                if self.lives[node] == life {
                    self.with(node, |account, now, _| account.post_later(now));
                }
            }
            Happening::Wake(node) => {
                if self.nodes[node].wake_at != Some(self.now) {
                    return; // The timer was set to another time.
                }
                self.nodes[node].wake_at = None;
                self.catch_up(node);
                let now = self.clock_of(node);
                self.nodes[node].core(now, Core::timeout);
                self.nodes[node].session(now, Session::timeout);
                self.settle(node);
            }
            Happening::Turn(node, life) => {
                if self.lives[node] != life {
                    return;
                }
                self.granted(node);
                let now = self.clock_of(node);
                self.nodes[node].core(now, Core::turn);
                self.settle(node);
            }
            Happening::Dialled { node, dial, late } => {
                if self.nodes[node].dials != dial {
                    return; // The account has abandoned this attempt.
                }
                let outcome = if late {
                    Err(ConnectError::TimedOut {
                        host: "simulated".into(),
                        limit: self.options.policy.connect_limit,
                    })
                } else if self.server_up {
                    let link = self.open(node);
                    Ok(link)
                } else {
                    Err(ConnectError::Refused("simulated".into()))
                };
                let now = self.clock_of(node);
                self.nodes[node].dialled(now, dial, outcome);
                self.settle(node);
            }
            Happening::ToServer(link, bytes) => {
                let Some(node) = self.links.get(&link).map(|state| state.node) else {
                    return;
                };
                self.server.receive(now, link, &bytes);
                self.serve();
                self.taken(node, &bytes);
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
                    let now = self.clock_of(node);
                    self.nodes[node].session(now, |session, now, memory| {
                        session.received(now, memory, &mut RepeatedPush::default(), &bytes)
                    });
                    self.settle(node);
                }
            }
            Happening::CutAtClient(link) => {
                if let Some(gone) = self.links.remove(&link) {
                    let now = self.clock_of(gone.node);
                    self.nodes[gone.node].cut(now, link);
                    self.settle(gone.node);
                }
            }
            Happening::CutAtServer(link) => {
                // Packets in transit have arrived by now. If the client still has the link, it
                // learns of its end.
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
            Happening::ServerBack => {
                self.server_up = true;
                self.await_return();
            }
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
                    self.carry_out(&action);
                }
            }
        }
    }

    /// Does something with an account, and carries out what it then wants.
    pub(super) fn with(
        &mut self,
        node: usize,
        act: impl FnOnce(&mut SimAccount, Now, &mut Vec<Want>),
    ) {
        let now = self.clock_of(node);
        let mut wants = Vec::new();
        act(&mut self.nodes[node], now, &mut wants);
        for want in wants {
            self.grant(node, want);
        }
        self.settle(node);
    }

    /// Processes a packet of an account that the server has accepted.
    fn taken(&mut self, node: usize, packet: &[u8]) {
        let Ok(packet) = std::str::from_utf8(packet) else {
            return;
        };
        // The command is at the beginning of a packet.
        let head = packet.get(..600).unwrap_or(packet);
        if head.contains(command::LOGOUT) && self.stopping[node / self.options.accounts] {
            self.farewells[node] = true;
        }
        if head.contains(command::READ_C2C) || head.contains(command::READ_GROUP) {
            self.check_read(node);
        }
        if head.contains(command::SEND_C2C) || head.contains(command::SEND_GROUP) {
            self.watch_replies();
            self.step_of_reply(node);
        }
    }
}
