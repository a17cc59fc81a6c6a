//! What an account does by itself, as values.

use crate::policy::Backoff;
use std::time::Duration;

/// What an account does by itself. The same for all accounts unless overridden.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Delays between tries to connect.
    pub backoff: Backoff,
    /// A link that stayed online this long forgets the failures before it.
    pub stable_after: Duration,
    /// Least time between two logins of an account.
    pub login_spacing: Duration,
    /// How long name resolution, TCP, TLS and upgrade may take together.
    pub connect_limit: Duration,
    /// What to do when another web instance took the place.
    pub multiple_account: TakeBack,
    /// What to do when another device took the place.
    pub multiple_device: TakeBack,
    /// Come back this long after an administrator's kick, with a new UserSig; `None`: stay away
    /// until somebody says otherwise.
    pub return_after: Option<Duration>,
    /// The part of a UserSig's life after which it is renewed, `0.0..1.0`.
    pub renew_at: f64,
    /// How long a message may wait to be sent.
    pub send_timeout: Duration,
    /// Report messages as read once they were handed to the bots.
    pub mark_read: bool,
    /// The service recognises a message that is sent again within its window; otherwise the history is read
    /// before every repetition.
    pub trust_send_keys: bool,
}

/// How an account comes back after another login took its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TakeBack {
    /// How long it stays away, growing with each kick of the window.
    pub cool_down: Backoff,
    /// Kicks are counted over this time.
    pub window: Duration,
    /// Kicks per window that are answered by coming back. One more is a contest.
    pub max: u32,
    /// Kicked again this soon after coming back is a sign that the other side does the same.
    pub contest_within: Duration,
    /// So many such signs in a row are a contest.
    pub contest_after: u32,
    /// How long it stays away from a contest, growing with each further sign.
    pub contest_retry: Backoff,
}

impl TakeBack {
    /// 1 min to 15 min of cool-down, 3 returns an hour; kicked again within 10 min of coming back is
    /// a contest, tried again after 2 h to 12 h. Two copies of a fleet so configured exchange at
    /// most three kicks in any hour, which the simulator shows.
    pub const STANDARD: Self = Self {
        cool_down: Backoff::COOL_DOWN,
        // A kick an hour is nothing unusual.
        window: Duration::from_secs(3600),
        // More than that in one window is no accident.
        max: 3,
        // Somebody who is kicked and minds is back within minutes.
        contest_within: Duration::from_secs(600),
        // With two, copies of a fleet would exchange five kicks in the first hour.
        contest_after: 1,
        contest_retry: Backoff::CONTEST,
    };
}

impl Policy {
    /// What an account does unless told otherwise: 1 s to 60 s of back-off, reset after 10 s online,
    /// 15 s between logins, 10 s to connect, 60 s to send, UserSigs renewed at 80 % of their life.
    #[must_use]
    pub const fn standard() -> Self {
        Self {
            backoff: Backoff::DEFAULT,
            // A link that holds so long was not a lucky moment of an outage.
            stable_after: Duration::from_secs(10),
            // The service answers accounts that log in more often than about once in 15 s with errors that
            // make matters worse.
            login_spacing: Duration::from_secs(15),
            // Far more than any working way to the service takes.
            connect_limit: Duration::from_secs(10),
            multiple_account: TakeBack::STANDARD,
            multiple_device: TakeBack::STANDARD,
            return_after: None,
            // A fifth of a UserSig's life is left for a source that is down.
            renew_at: 0.8,
            // Covers one reconnection at the longest back-off.
            send_timeout: Duration::from_secs(60),
            // What a bot has handled is not to be delivered again at its next start.
            mark_read: true,
            // Tencent documents it.
            trust_send_keys: true,
        }
    }
}
