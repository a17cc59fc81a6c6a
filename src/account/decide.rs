//! What to do after an ending: one table, pure and total.
//!
//! | cause | what is done |
//! |---|---|
//! | link lost, connect failed, crash | try again, with growing back-off |
//! | refused, code says retry | try again, with growing back-off, not before the code's own delay |
//! | refused or expired, new UserSig helps | new UserSig at once; with back-off when that was just done; quarantine when none can be had |
//! | refused, code says give up | quarantine |
//! | `multipleAccount`, `multipleDevice` | yield; come back after a growing cool-down, a few times an hour; then hold |
//! | `REST_API_Kick` | hold until somebody resumes it |
//! | stopped | stay stopped |

use super::cause::Cause;
use crate::policy::Backoff;
use crate::proto::code::{Code, Disposition};
use crate::proto::event::KickType;
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
    /// How long a yielding account stays away, growing with each kick of the last hour.
    pub cool_down: Backoff,
    /// How often an hour an account comes back after having been kicked by another login.
    pub take_backs: usize,
    /// How long a message may wait to be sent.
    pub send_timeout: Duration,
    /// Report messages as read once they were handed to the bots.
    pub mark_read: bool,
}

/// Window in which kicks are counted.
pub const KICK_WINDOW: Duration = Duration::from_secs(3600);

impl Policy {
    /// What an account does unless told otherwise: 1 s to 60 s of back-off, reset after 10 s online,
    /// 15 s between logins, 10 s to connect, 1 min to 15 min of cool-down, 5 take-backs an hour,
    /// 60 s to send.
    #[must_use]
    pub const fn standard() -> Self {
        Self {
            backoff: Backoff::DEFAULT,
            stable_after: Duration::from_secs(10),
            login_spacing: Duration::from_secs(15),
            connect_limit: Duration::from_secs(10),
            cool_down: Backoff::COOL_DOWN,
            take_backs: 5,
            send_timeout: Duration::from_secs(60),
            mark_read: true,
        }
    }
}

/// What went before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Failures in a row, this one included.
    pub failures: u32,
    /// Kicks by other logins within [`KICK_WINDOW`], this one included.
    pub kicks: u32,
    /// A new UserSig was tried since the account was last online for a while.
    pub renewed: bool,
    /// A new UserSig can be had.
    pub renewable: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Connect again after this much time; resume if that is possible, log in otherwise.
    Retry(Duration),
    /// Stay away this long on purpose, then come back.
    CoolDown(Duration),
    /// Stay away until somebody says otherwise: it was wanted.
    Hold,
    /// Stay away until somebody has mended it: trying again cannot help.
    Quarantine,
}

/// The table. `chance` is a random number in `0.0..1.0`.
#[must_use]
pub fn decide(cause: &Cause, history: History, policy: &Policy, chance: f64) -> Decision {
    let backoff = policy.backoff.delay(history.failures.max(1), chance);
    match cause {
        Cause::NotStarted => Decision::Retry(Duration::ZERO),
        Cause::LinkLost(_) | Cause::ConnectFailed(_) | Cause::Crashed => Decision::Retry(backoff),
        Cause::Refused { code, .. } => refused(*code, history, backoff, policy, chance),
        Cause::UserSigExpired(_) => renew(history, backoff),
        Cause::Kicked(KickType::RestApi) => Decision::Hold,
        Cause::Kicked(KickType::MultipleAccount | KickType::MultipleDevice) => {
            if history.kicks as usize > policy.take_backs {
                Decision::Hold
            } else {
                Decision::CoolDown(
                    policy
                        .cool_down
                        .delay(history.kicks.max(1), 0.5 + chance / 2.0),
                )
            }
        }
        Cause::NoUserSig(_) => Decision::Quarantine,
        Cause::Stopped => Decision::Hold,
    }
}

fn refused(
    code: Code,
    history: History,
    backoff: Duration,
    policy: &Policy,
    chance: f64,
) -> Decision {
    match code.disposition() {
        Disposition::Retry => Decision::Retry(backoff),
        // The server's own delay, and some jitter so that a fleet does not come back as one.
        Disposition::RetryAfter(delay) => {
            Decision::Retry(backoff.max(delay + policy.backoff.ceiling(1).mul_f64(chance)))
        }
        Disposition::NewUserSig => renew(history, backoff),
        Disposition::Kicked => Decision::Hold,
        Disposition::GiveUp => Decision::Quarantine,
    }
}

fn renew(history: History, backoff: Duration) -> Decision {
    match history {
        History {
            renewable: false, ..
        } => Decision::Quarantine,
        History { renewed: false, .. } => Decision::Retry(Duration::ZERO),
        _ => Decision::Retry(backoff),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::credential::CredentialError;
    use crate::gateway::{ConnectError, LinkEnd};

    const FRESH: History = History {
        failures: 1,
        kicks: 1,
        renewed: false,
        renewable: true,
    };

    fn refused(code: i64) -> Cause {
        Cause::Refused {
            code: Code(code),
            info: String::new(),
        }
    }

    #[test]
    fn the_table() {
        use Decision::{CoolDown, Hold, Quarantine, Retry};
        let (zero, s) = (Duration::ZERO, Duration::from_secs);
        let half = Duration::from_millis(750); // The middle of 0.5 s to 1 s.
        let rows = [
            (Cause::LinkLost(LinkEnd::Cut), FRESH, Retry(half)),
            (
                Cause::ConnectFailed(ConnectError::Refused("h".into())),
                FRESH,
                Retry(half),
            ),
            (Cause::Crashed, FRESH, Retry(half)),
            (refused(70500), FRESH, Retry(half)),
            (refused(-5), FRESH, Retry(half)),
            (refused(70050), FRESH, Retry(Duration::from_millis(60_500))),
            (refused(60020), FRESH, Retry(Duration::from_millis(300_500))),
            (refused(70001), FRESH, Retry(zero)),
            (
                refused(70001),
                History {
                    renewed: true,
                    ..FRESH
                },
                Retry(half),
            ),
            (
                refused(70001),
                History {
                    renewable: false,
                    ..FRESH
                },
                Quarantine,
            ),
            (Cause::UserSigExpired(Code(20002)), FRESH, Retry(zero)),
            (refused(70009), FRESH, Quarantine),
            (refused(70003), FRESH, Quarantine),
            (refused(70107), FRESH, Quarantine),
            (refused(1002), FRESH, Hold),
            (Cause::Kicked(KickType::RestApi), FRESH, Hold),
            (
                Cause::Kicked(KickType::MultipleAccount),
                FRESH,
                CoolDown(Duration::from_millis(52_500)),
            ),
            (
                Cause::Kicked(KickType::MultipleDevice),
                History { kicks: 3, ..FRESH },
                CoolDown(Duration::from_millis(187_500)),
            ),
            (
                Cause::Kicked(KickType::MultipleAccount),
                History { kicks: 6, ..FRESH },
                Hold,
            ),
            (
                Cause::NoUserSig(CredentialError::StaticIsOver),
                FRESH,
                Quarantine,
            ),
            (Cause::NotStarted, FRESH, Retry(zero)),
            (Cause::Stopped, FRESH, Hold),
        ];
        for (cause, history, decision) in rows {
            assert_eq!(
                decide(&cause, history, &Policy::standard(), 0.5),
                decision,
                "{cause:?} {history:?}"
            );
        }
        let tenth = History {
            failures: 10,
            ..FRESH
        };
        let Retry(delay) = decide(
            &Cause::LinkLost(LinkEnd::Cut),
            tenth,
            &Policy::standard(),
            1.0,
        ) else {
            panic!()
        };
        assert_eq!(delay, s(60));
    }
}
