//! What to do after an ending: one table, pure and total. `docs/src/recovery.md` tells it to people.

use super::cause::Cause;
use super::recovery::{Policy, TakeBack};
use crate::account::ConnectError;
use crate::proto::code::{Code, Disposition};
use crate::proto::event::KickType;
use std::time::Duration;

/// What happened before an ending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Failures in a row, this one included.
    pub failures: u32,
    /// Kicks by other logins within the window, this one included.
    pub kicks: u32,
    /// Consecutive kicks within `contest_within` of coming back, this one included.
    pub contested_kicks: u32,
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
    /// Somebody else wants the account as much as we do: leave it to them for this long.
    Contest(Duration),
    /// Stay away until an operator says otherwise: the ending was intended.
    Hold,
    /// Stay away until somebody has mended the cause: trying again cannot help.
    Quarantine,
}

/// The table. `chance` is a random number in `0.0..1.0`.
#[must_use]
pub fn decide(cause: &Cause, history: History, policy: &Policy, chance: f64) -> Decision {
    let backoff = policy.backoff.delay(history.failures.max(1), chance);
    match cause {
        Cause::NotStarted | Cause::Reconfigured => Decision::Retry(Duration::ZERO),
        // As long as the server asks, and some jitter so that a fleet does not come back as one.
        Cause::ConnectFailed(ConnectError::Busy {
            retry_after: Some(after),
            ..
        }) => Decision::Retry(backoff.max(*after + policy.backoff.ceiling(1).mul_f64(chance))),
        Cause::LinkLost(_) | Cause::ConnectFailed(_) | Cause::Crashed | Cause::Hung => {
            Decision::Retry(backoff)
        }
        Cause::Refused { code, .. } => refused(*code, history, backoff, policy, chance),
        Cause::UserSigExpired(_) | Cause::ClockOff { .. } => renew(history, backoff),
        Cause::Kicked(KickType::RestApi) => match policy.return_after {
            Some(after) if history.renewable => Decision::CoolDown(after),
            _ => Decision::Hold,
        },
        Cause::Kicked(KickType::MultipleAccount) => {
            taken(history, &policy.multiple_account, chance)
        }
        Cause::Kicked(KickType::MultipleDevice) => taken(history, &policy.multiple_device, chance),
        Cause::NoUserSig(error) if error.is_passing() => Decision::Retry(backoff),
        Cause::NoUserSig(_) | Cause::NoBot(_) => Decision::Quarantine,
        Cause::Ordered | Cause::Stopped => Decision::Hold,
    }
}

/// Another login took the place: yield, come back a few times, and never play ping-pong.
fn taken(history: History, policy: &TakeBack, chance: f64) -> Decision {
    // At least half of each delay, or two copies would soon be back together.
    let chance = 0.5 + chance / 2.0;
    if history.contested_kicks >= policy.contest_after || history.kicks > policy.max {
        let beyond = history.contested_kicks.saturating_sub(policy.contest_after) + 1;
        Decision::Contest(policy.contest_retry.delay(beyond, chance))
    } else {
        Decision::CoolDown(policy.cool_down.delay(history.kicks.max(1), chance))
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
        Disposition::Kicked => taken(history, &policy.multiple_account, chance),
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
    use crate::account::LinkEnd;
    use crate::account::credential::CredentialError;

    const FRESH: History = History {
        failures: 1,
        kicks: 1,
        contested_kicks: 0,
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
        use Decision::{Contest, CoolDown, Hold, Quarantine, Retry};
        let zero = Duration::ZERO;
        let ms = Duration::from_millis;
        let half = ms(750); // The middle of 0.5 s to 1 s.
        let taken = || Cause::Kicked(KickType::MultipleAccount);
        let device = || Cause::Kicked(KickType::MultipleDevice);
        let rest = || Cause::Kicked(KickType::RestApi);
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
            (refused(70050), FRESH, Retry(ms(60_500))),
            (refused(70402), FRESH, Retry(ms(15_500))),
            (refused(60020), FRESH, Retry(ms(300_500))),
            (refused(60018), FRESH, Retry(ms(10_500))),
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
            (refused(70013), FRESH, Quarantine),
            (refused(70014), FRESH, Quarantine),
            (refused(70107), FRESH, Quarantine),
            (refused(70051), FRESH, Quarantine),
            (refused(70398), FRESH, Quarantine),
            (refused(1002), FRESH, CoolDown(ms(52_500))),
            (rest(), FRESH, Hold),
            (taken(), FRESH, CoolDown(ms(52_500))),
            (
                taken(),
                History {
                    kicks: 3,
                    contested_kicks: 0,
                    ..FRESH
                },
                CoolDown(ms(187_500)),
            ),
            (
                taken(),
                History { kicks: 4, ..FRESH },
                Contest(ms(6_300_000)),
            ),
            (
                taken(),
                History {
                    contested_kicks: 1,
                    ..FRESH
                },
                Contest(ms(6_300_000)),
            ),
            (
                taken(),
                History {
                    contested_kicks: 2,
                    ..FRESH
                },
                Contest(ms(11_700_000)),
            ),
            (device(), FRESH, CoolDown(ms(52_500))),
            (
                device(),
                History {
                    contested_kicks: 1,
                    ..FRESH
                },
                Contest(ms(6_300_000)),
            ),
            (
                Cause::NoUserSig(CredentialError::StaticIsOver),
                FRESH,
                Quarantine,
            ),
            (Cause::NotStarted, FRESH, Retry(zero)),
            (Cause::Ordered, FRESH, Hold),
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
        assert_eq!(delay, Duration::from_secs(60));
    }

    #[test]
    fn an_administrators_kick_is_answered_only_on_order_and_with_a_new_usersig() {
        let policy = Policy {
            return_after: Some(Duration::from_secs(600)),
            ..Policy::standard()
        };
        let kick = Cause::Kicked(KickType::RestApi);
        let back = Decision::CoolDown(Duration::from_secs(600));
        assert_eq!(decide(&kick, FRESH, &policy, 0.5), back);
        let fixed = History {
            renewable: false,
            ..FRESH
        };
        assert_eq!(decide(&kick, fixed, &policy, 0.5), Decision::Hold);
    }

    /// A cause from the word that is printed for it.
    fn cause(word: &str) -> Cause {
        if let Some(code) = word.strip_prefix("login_refused:") {
            return refused(code.parse().unwrap());
        }
        let host = || "h".to_owned();
        match word {
            "link_lost" => Cause::LinkLost(LinkEnd::Cut),
            "connect_failed:dns" => Cause::ConnectFailed(ConnectError::Dns {
                host: host(),
                reason: host(),
            }),
            "connect_failed:refused" => Cause::ConnectFailed(ConnectError::Refused(host())),
            "connect_failed:tls" => Cause::ConnectFailed(ConnectError::Tls {
                host: host(),
                reason: host(),
            }),
            "connect_failed:busy" => Cause::ConnectFailed(ConnectError::Busy {
                host: host(),
                status: 429,
                retry_after: Some(Duration::from_secs(120)),
            }),
            "no_bot" => Cause::NoBot(host()),
            "crashed" => Cause::Crashed,
            "userSigExpired" => Cause::UserSigExpired(Code::USERSIG_EXPIRED),
            "multipleAccount" => Cause::Kicked(KickType::MultipleAccount),
            "multipleDevice" => Cause::Kicked(KickType::MultipleDevice),
            "REST_API_Kick" => Cause::Kicked(KickType::RestApi),
            "no_user_sig" => Cause::NoUserSig(CredentialError::StaticIsOver),
            "hung" => Cause::Hung,
            "reconfigured" => Cause::Reconfigured,
            "ordered" => Cause::Ordered,
            "stopped" => Cause::Stopped,
            other => panic!("unknown cause {other}"),
        }
    }

    #[test]
    fn the_documented_table_is_what_happens() {
        let text = include_str!("../../../docs/src/recovery.md");
        let mut rows = 0;
        for line in text.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, word, given, then, _] = cells[..] else {
                panic!("{line}")
            };
            let (mut history, mut policy) = (FRESH, Policy::standard());
            for condition in given.split(", ").filter(|condition| !condition.is_empty()) {
                match condition.split_once(' ') {
                    None if condition == "renewed" => history.renewed = true,
                    None if condition == "fixed" => history.renewable = false,
                    None if condition == "return" => {
                        policy.return_after = Some(Duration::from_secs(60))
                    }
                    Some(("sign", n)) => history.contested_kicks = n.parse().unwrap(),
                    Some(("kicks", n)) => history.kicks = n.parse().unwrap(),
                    _ => panic!("{line}"),
                }
            }
            let cause = cause(word.trim_matches('`'));
            assert_eq!(format!("`{}`", cause.word()), word, "the printed word");
            let (shortest, longest) = (
                decide(&cause, history, &policy, 0.0),
                decide(&cause, history, &policy, 1.0),
            );
            let said = match (shortest, longest) {
                (Decision::Retry(Duration::ZERO), Decision::Retry(Duration::ZERO)) => {
                    "retry at once".to_owned()
                }
                (Decision::Retry(least), Decision::Retry(most)) => {
                    // The delay of the code, if it has one, is the least there is.
                    assert!(most > least, "{line}: no jitter");
                    match least.as_secs() {
                        0 => "retry".to_owned(),
                        seconds => format!("retry after {seconds} s"),
                    }
                }
                (Decision::CoolDown(least), Decision::CoolDown(most)) => {
                    assert!(least >= most / 2, "{line}: too soon");
                    "cool down".to_owned()
                }
                (Decision::Contest(least), Decision::Contest(most)) => {
                    assert!(least >= most / 2, "{line}: too soon");
                    "contest".to_owned()
                }
                (Decision::Hold, _) => "hold".to_owned(),
                (Decision::Quarantine, _) => "quarantine".to_owned(),
                (a, b) => panic!("{line}: {a:?} {b:?}"),
            };
            assert_eq!(said, then, "{line}");
            rows += 1;
        }
        assert!(rows > 40, "only {rows} rows were read");
    }
}
