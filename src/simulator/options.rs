//! What a simulation is made from, and what can be made to happen in it.

use super::bots::Work;
use super::clocks::Clocks;
use super::trouble::Nudge;
use botroupe_core::account::Policy;
use botroupe_core::session::InboxLimits;
use botroupe_sandbox::state::KickType;
use std::time::Duration;

/// How the simulated network behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetworkConfig {
    /// Shortest time a packet takes.
    pub latency_min: Duration,
    /// Longest time a packet takes.
    pub latency_max: Duration,
    /// How many packets get lost, `0.0..1.0`. They are sent again, and all that is behind them waits.
    pub loss: f64,
}

impl Default for NetworkConfig {
    /// 5 to 60 ms, and nothing is lost.
    fn default() -> Self {
        Self {
            latency_min: Duration::from_millis(5),
            latency_max: Duration::from_millis(60),
            loss: 0.0,
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
    /// The wall clocks of the accounts' machines.
    pub clocks: Clocks,
    /// The network.
    pub network: NetworkConfig,
    /// How often the server wants a hello.
    pub hello_interval: Duration,
    /// Missed messages per page of the server.
    pub sync_page: Option<usize>,
    /// Accounts answer what they hear.
    pub echo: bool,
    /// Bots hear what other accounts of the fleet say in groups. With [`echo`](Self::echo) that is a loop
    /// without end, which the audit must notice.
    pub hear_own_accounts: bool,
    /// How long handlers take.
    pub work: Work,
    /// How many messages may be with the bots of an account.
    pub inbox: InboxLimits,
    /// How many groups there are.
    pub groups: usize,
    /// How many accounts are in each.
    pub group_size: usize,
    /// Copies of the whole fleet, each with a governor of its own. Accounts of the second copy are
    /// numbered on after those of the first.
    pub copies: usize,
    /// Each copy starts so much later than the one before it.
    pub copy_gap: Duration,
    /// Web logins of an account that the server lets be at the same time.
    pub slots: usize,
    /// How often the server's slow checks and the audit run.
    pub audit_every: Duration,
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
    /// Somebody says something in a group.
    SayIn(usize),
    /// So many people write to an account at once, each so often.
    Burst {
        /// Which account.
        account: usize,
        /// How many people.
        people: u32,
        /// How many messages of each.
        each: u32,
    },
    /// The next handler of an account never comes to its end.
    Hang(usize),
    /// Requests of a command of an account are refused with a code, or not answered without one, until
    /// [`Allow`](Self::Allow). `length` is how long that is meant to last.
    Refuse {
        /// Which account.
        account: usize,
        /// The full command.
        servcmd: &'static str,
        /// The code; `None` leaves it unanswered.
        code: Option<i64>,
        /// For how long.
        length: Duration,
    },
    /// Requests of a command of an account are carried out again.
    Allow(usize, &'static str),
    /// The server pushes something that makes an account do something.
    Nudge(usize, Nudge),
    /// The server restarts without memory: logins are forgotten, and groups begin anew, with their members.
    ForgetGroups,
    /// The process of a copy is stopped in an orderly way, and starts again this long after its end.
    Stop(usize, Duration),
    /// The process of a copy is killed, and starts again after this long.
    Kill(usize, Duration),
    /// The connection actor of an account crashes.
    Crash(usize),
    /// Somebody else logs in as the account and stays.
    Intrude(usize),
    /// Somebody orders an account back.
    Resume(usize),
    /// The network of an account, or of all (`None`), loses more packets than otherwise.
    Lossy {
        /// Which account.
        account: Option<usize>,
        /// How many packets get lost, `0.0..1.0`.
        loss: f64,
        /// For how long.
        length: Duration,
    },
    /// The wall clock of an account's machine is set forward, or backward, by so many milliseconds.
    JumpClock(usize, i64),
}
