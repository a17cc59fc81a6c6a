//! Options of a simulation, and the actions to inject.

use super::bots::Work;
use super::clocks::Clocks;
use super::disk::StoreModel;
use super::trouble::Nudge;
use botroupe_core::account::Policy;
use botroupe_core::session::InboxLimits;
use botroupe_sandbox::Dedupe;
use botroupe_sandbox::state::KickType;
use std::time::Duration;

/// The behaviour of the simulated network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetworkConfig {
    /// The minimum latency of a packet.
    pub latency_min: Duration,
    /// The maximum latency of a packet.
    pub latency_max: Duration,
    /// The packet loss rate, `0.0..1.0`. Lost packets are retransmitted, and all later packets wait
    /// for them.
    pub loss: f64,
}

impl Default for NetworkConfig {
    /// Returns a network with 5 to 60 ms latency and no loss.
    fn default() -> Self {
        Self {
            latency_min: Duration::from_millis(5),
            latency_max: Duration::from_millis(60),
            loss: 0.0,
        }
    }
}

/// The options of a simulation.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed of all random decisions.
    pub seed: u64,
    /// The number of accounts.
    pub accounts: usize,
    /// The recovery policy of each account.
    pub policy: Policy,
    /// The lifetime of minted UserSigs.
    pub user_sig_lifetime: Duration,
    /// The login rate of the fleet, per second.
    pub rate: f64,
    /// The login burst after a pause.
    pub burst: u32,
    /// The wall clocks of the accounts' machines.
    pub clocks: Clocks,
    /// The network.
    pub network: NetworkConfig,
    /// The interval between hellos that the server requests.
    pub hello_interval: Duration,
    /// The server's page size for missed messages.
    pub sync_page: Option<usize>,
    /// Whether bots reply to messages.
    pub echo: bool,
    /// Whether bots receive group messages from other accounts of the fleet. Together with
    /// [`echo`](Self::echo) this is an endless loop, which the audit must detect.
    pub hear_own_accounts: bool,
    /// The duration of handlers.
    pub work: Work,
    /// The queue limits of an account's bots.
    pub inbox: InboxLimits,
    /// The number of groups.
    pub groups: usize,
    /// The number of accounts in each group.
    pub group_size: usize,
    /// The number of copies of the whole fleet. Each copy has its own governor. Account numbers
    /// continue from one copy to the next.
    pub copies: usize,
    /// The delay between the starts of two copies.
    pub copy_gap: Duration,
    /// The number of simultaneous web logins of an account that the server allows.
    pub slots: usize,
    /// The interval of the server's slow checks and of the audit.
    pub audit_every: Duration,
    /// Where processes keep what they must not forget.
    pub store: StoreModel,
    /// Of so many steps of a reply, one meets a crash of the process or of its machine, a broken link, an outage or
    /// a fault of the disk, as long as [`World::plan_mishaps`](super::World::plan_mishaps) says; 0 for none.
    pub mishaps: u32,
    /// Whether the audit checks that each message is answered exactly once, as the other side sees it. It needs
    /// [`echo`](Self::echo), one copy, and a calm end of the run.
    pub exactly_once: bool,
    /// The repeated messages that the server recognises.
    pub dedupe: Dedupe,
}

impl Options {
    /// Returns the default options for a fleet of `accounts`.
    #[must_use]
    pub fn new(seed: u64, accounts: usize) -> Self {
        Self {
            seed,
            accounts,
            policy: Policy::standard(),
            user_sig_lifetime: Duration::from_secs(7 * 86_400),
            rate: 200.0,
            burst: 20,
            clocks: Clocks::Exact,
            network: NetworkConfig::default(),
            hello_interval: Duration::from_secs(120),
            sync_page: None,
            echo: false,
            hear_own_accounts: false,
            work: Work::None,
            inbox: InboxLimits::default(),
            groups: 0,
            group_size: 8,
            copies: 1,
            copy_gap: Duration::ZERO,
            slots: 1,
            audit_every: Duration::from_secs(60),
            store: StoreModel::None,
            mishaps: 0,
            exactly_once: false,
            dedupe: Dedupe::Documented,
        }
    }
}

/// An action to inject.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Action {
    /// Breaks the link of an account. Both ends notice it.
    CutLink(usize),
    /// Makes the link of an account dead. Neither end is notified.
    DeadenLink(usize),
    /// Stops the server for a time. All links break, and new connections fail.
    Outage(Duration),
    /// Restarts the server. All links break; `true` also discards all logins.
    Restart(bool),
    /// Kicks the login of an account.
    Kick(usize, KickType),
    /// Revokes the UserSig and all logins of an account.
    Expire(usize),
    /// Rejects the next logins of an account.
    RefuseLogins {
        /// The account.
        account: usize,
        /// The error code.
        code: i64,
        /// The number of logins.
        count: u32,
    },
    /// Makes the server send an overload push about a command to an account.
    Overload(usize, &'static str, Duration),
    /// Makes the server send the next pushes to an account twice.
    Duplicate(usize, u32),
    /// Sends a C2C message to an account.
    Say(usize),
    /// Sends a message to a group.
    SayIn(usize),
    /// Several users write to an account at once, several messages each.
    Burst {
        /// The account.
        account: usize,
        /// The number of users.
        people: u32,
        /// The number of messages per user.
        each: u32,
    },
    /// Makes the next handler of an account hang.
    Hang(usize),
    /// Rejects requests of a command of an account with a code, or leaves them unanswered, until
    /// [`Allow`](Self::Allow). `length` is the planned duration.
    Refuse {
        /// The account.
        account: usize,
        /// The full command.
        servcmd: &'static str,
        /// The error code; `None` leaves requests unanswered.
        code: Option<i64>,
        /// The planned duration.
        length: Duration,
    },
    /// Ends [`Refuse`](Self::Refuse) for a command of an account.
    Allow(usize, &'static str),
    /// Makes the server send a push that triggers a request of an account.
    Nudge(usize, Nudge),
    /// Restarts the server without memory: logins are discarded, and groups start over with the
    /// same members.
    ForgetGroups,
    /// Stops the process of a copy in an orderly way, and restarts it this long after its end.
    Stop(usize, Duration),
    /// Kills the process of a copy, and restarts it after this time.
    Kill(usize, Duration),
    /// The machine of a copy loses its power, and is back after this time: what its disk was not told to keep may
    /// be lost.
    PowerLoss(usize, Duration),
    /// The disk of a copy is full for this time.
    FillDisk(usize, Duration),
    /// Each fsync of a copy's disk takes seconds for this time.
    SlowDisk(usize, Duration),
    /// The next fsyncs of a copy's disk fail.
    FailSyncs(usize, u32),
    /// Crashes the connection actor of an account.
    Crash(usize),
    /// Logs in as the account from another client, which stays online.
    Intrude(usize),
    /// Resumes an account, as an operator does.
    Resume(usize),
    /// Increases the packet loss on the network of an account, or of all accounts (`None`).
    Lossy {
        /// The account.
        account: Option<usize>,
        /// The packet loss rate, `0.0..1.0`.
        loss: f64,
        /// The duration.
        length: Duration,
    },
    /// Changes the wall clock of an account's machine by this number of milliseconds, forward or
    /// backward.
    JumpClock(usize, i64),
}
