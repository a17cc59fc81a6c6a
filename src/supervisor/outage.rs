//! One log line about many accounts that are offline together.

use crate::account::{Cause, Phase};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The most reasons that the line names.
const SUMMARISED: usize = 5;

/// Counts the accounts that will come back by themselves, by reason, the most frequent first.
pub(super) fn outage<'s>(fleet: impl Iterator<Item = (Phase, &'s Cause)>) -> Vec<String> {
    let waits = |(phase, cause): &(Phase, &Cause)| {
        let phase = matches!(
            phase,
            Phase::Waiting | Phase::CoolingDown | Phase::Contested
        );
        phase && **cause != Cause::NotStarted
    };
    let mut reasons: BTreeMap<(&str, Cow<'_, str>), (usize, &Cause)> = BTreeMap::new();
    for (phase, cause) in fleet.filter(waits) {
        let key = (phase.word(), cause.word());
        reasons.entry(key).or_insert((0, cause)).0 += 1;
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

    #[test]
    fn an_outage_is_a_line_for_each_reason_however_many_accounts_wait() {
        let refused = || Cause::ConnectFailed(ConnectError::Refused("h:1".into()));
        let mut fleet: Vec<(Phase, Cause)> =
            (0..300).map(|_| (Phase::Waiting, refused())).collect();
        fleet.push((Phase::Waiting, Cause::Crashed));
        fleet.push((Phase::Online, refused()));
        fleet.push((Phase::Held, Cause::Ordered));
        fleet.push((Phase::Waiting, Cause::NotStarted));
        assert_eq!(
            outage(fleet.iter().map(|(phase, cause)| (*phase, cause))),
            [
                "300 accounts are waiting: connection refused by h:1",
                "1 account is waiting: a part of this program crashed; it was restarted",
            ]
        );
    }
}
