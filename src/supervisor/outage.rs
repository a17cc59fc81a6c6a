//! One log line about many accounts that are offline together.

use crate::account::{Cause, Phase, Status};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The most reasons that the line names.
const SUMMARISED: usize = 5;

/// Counts the accounts that will come back by themselves, by reason, the most frequent first.
pub(super) fn outage<'s>(statuses: impl Iterator<Item = &'s Status>) -> Vec<String> {
    let waits = |status: &&Status| {
        let phase = matches!(
            status.phase,
            Phase::Waiting | Phase::CoolingDown | Phase::Contested
        );
        phase && status.cause != Cause::NotStarted
    };
    let mut reasons: BTreeMap<(&str, Cow<'_, str>), (usize, &Cause)> = BTreeMap::new();
    for status in statuses.filter(waits) {
        let key = (status.phase.word(), status.cause.word());
        reasons.entry(key).or_insert((0, &status.cause)).0 += 1;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    reasons
        .into_iter()
        .take(SUMMARISED)
        .map(|((phase, _), (count, cause))| match count {
            1 => format!("1 account is {phase}: {cause}"),
            many => format!("{many} accounts are {phase}: {cause}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use crate::gateway::ConnectError;
    use crate::proto::id::UserId;
    use std::time::Duration;

    fn status(phase: Phase, cause: Cause) -> Status {
        Status {
            phase,
            cause,
            ..Status::new(UserId::parse("a").unwrap(), Duration::ZERO)
        }
    }

    #[test]
    fn an_outage_is_a_line_for_each_reason_however_many_accounts_wait() {
        let refused = || Cause::ConnectFailed(ConnectError::Refused("h:1".into()));
        let mut fleet: Vec<Status> = (0..300)
            .map(|_| status(Phase::Waiting, refused()))
            .collect();
        fleet.push(status(Phase::Waiting, Cause::Crashed));
        fleet.push(status(Phase::Online, refused()));
        fleet.push(status(Phase::Held, Cause::Ordered));
        fleet.push(status(Phase::Waiting, Cause::NotStarted));
        assert_eq!(
            outage(fleet.iter()),
            [
                "300 accounts are waiting: connection refused by h:1",
                "1 account is waiting: a part of this program crashed; it was restarted",
            ]
        );
    }
}
