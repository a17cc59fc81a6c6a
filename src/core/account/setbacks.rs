//! What went wrong of late: failures in a row and kicks, from which the table decides what to do.

use super::cause::Cause;
use super::decide::{Decision, History, decide};
use super::kicks::Kicks;
use super::recovery::Policy;
use crate::proto::event::KickType;
use std::time::Duration;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Setbacks {
    /// Failures in a row.
    failures: u32,
    kicks: Kicks,
}

impl Setbacks {
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Kicks by other logins within the window of the last one.
    pub(super) fn kicks(&self) -> u32 {
        self.kicks.count()
    }

    /// The account was thrown out, after so long a time online.
    pub(super) fn kicked(
        &mut self,
        now: Duration,
        kick: KickType,
        online: Option<Duration>,
        policy: &Policy,
    ) {
        let policy = match kick {
            KickType::MultipleAccount => &policy.multiple_account,
            KickType::MultipleDevice => &policy.multiple_device,
            KickType::RestApi => return,
        };
        self.kicks.kicked(now, online, policy);
    }

    /// An ending, after so long a time online: what to do about it. `renewed` and `renewable` are about the
    /// UserSig, see [`History`].
    pub(super) fn ended(
        &mut self,
        cause: &Cause,
        online: Option<Duration>,
        (renewed, renewable): (bool, bool),
        policy: &Policy,
        chance: f64,
    ) -> Decision {
        if is_stable(online, policy) {
            self.failures = 0;
        }
        let is_kick = matches!(cause, Cause::Kicked(_));
        let settled = policy.multiple_account.contest_within;
        if !is_kick && online.is_some_and(|online| online >= settled) {
            self.kicks.settled();
        }
        if *cause != Cause::Reconfigured {
            self.failures = self.failures.saturating_add(1);
        }
        let history = History {
            failures: self.failures,
            kicks: self.kicks.count(),
            contested_kicks: self.kicks.contested(),
            renewed,
            renewable,
        };
        decide(cause, history, policy, chance)
    }
}

/// Whether the account was online for so long that earlier failures are forgotten.
pub(super) fn is_stable(online: Option<Duration>, policy: &Policy) -> bool {
    online.is_some_and(|online| online >= policy.stable_after)
}
