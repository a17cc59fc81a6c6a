//! Adds up the counters of accounts, so that the sums never fall.
//!
//! An account counts from zero again when its actor was started anew after a crash, and takes its counters along when it
//! is removed. A sum that fell would look like a restart of the whole process to whoever computes rates from it. What an
//! actor counted between the last look at it and its crash is not in the sums.

use crate::account::{AccountName, Counters};
use crate::app::Counted;
use std::collections::HashMap;

/// Counters that are added up.
pub(super) const FIELDS: usize = 16;

/// The sums, or what one account has counted.
pub(super) type Sums = [u64; FIELDS];

/// The place of each counter in [`Sums`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    Logins,
    Resumes,
    Renewals,
    LostLinks,
    KickedByAccount,
    KickedByDevice,
    KickedByRest,
    Expired,
    Received,
    Sent,
    Unsent,
    Paced,
    Ignored,
    // These are counted by what outlives the actors of an account.
    Unknown,
    Dropped,
    FailedHandlers,
}

/// The first of the fields that do not begin anew with an actor.
const LASTING: usize = Field::Unknown as usize;

const fn fields(counters: &Counters) -> Sums {
    [
        counters.logins,
        counters.resumes,
        counters.renewals,
        counters.lost_links,
        counters.kicked_by_account,
        counters.kicked_by_device,
        counters.kicked_by_rest,
        counters.expired,
        counters.received,
        counters.sent,
        counters.unsent,
        counters.paced,
        counters.ignored,
        counters.unknown,
        counters.dropped,
        counters.failed_handlers,
    ]
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Tally {
    sums: Sums,
    seen: HashMap<AccountName, (u64, Sums)>,
}

impl Tally {
    /// Takes in what accounts have counted. Accounts that are not among them have not answered, or are gone: what they
    /// counted stays.
    pub(super) fn take(&mut self, counted: &[Counted]) {
        for Counted {
            account,
            life,
            counters,
        } in counted
        {
            let now = fields(counters);
            let seen = self.seen.get(account);
            let (last_life, last) =
                seen.map_or((*life, [0; FIELDS]), |(life, last)| (*life, *last));
            let fell = now
                .iter()
                .zip(last)
                .take(LASTING)
                .any(|(now, last)| *now < last);
            let is_new = *life != last_life || fell;
            let mut high = now;
            for (at, sum) in self.sums.iter_mut().enumerate() {
                let (now, last) = (now[at], last[at]);
                if at < LASTING {
                    *sum += if is_new { now } else { now - last };
                } else {
                    *sum += now.saturating_sub(last);
                    high[at] = now.max(last);
                }
            }
            self.seen.insert(account.clone(), (*life, high));
        }
    }

    /// The sums since the process started.
    pub(super) const fn sums(&self) -> &Sums {
        &self.sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::id::UserId;

    fn counted(user: &str, life: u64, received: u64, failed: u64) -> Counted {
        Counted {
            account: UserId::from(user).into(),
            life,
            counters: Counters {
                received,
                failed_handlers: failed,
                ..Counters::default()
            },
        }
    }

    #[test]
    fn sums_never_fall_whatever_becomes_of_the_accounts() {
        let mut tally = Tally::default();
        let steps: [(&[Counted], u64, u64); 7] = [
            (&[counted("a", 1, 5, 1), counted("b", 1, 3, 0)], 8, 1),
            (&[counted("a", 1, 7, 1), counted("b", 1, 3, 2)], 10, 3),
            // One does not answer.
            (&[counted("a", 1, 8, 1)], 11, 3),
            (&[counted("a", 1, 8, 1), counted("b", 1, 4, 2)], 12, 3),
            // An actor was started anew; what its bots count goes on.
            (&[counted("a", 2, 1, 2), counted("b", 1, 4, 2)], 13, 4),
            // Once more, and it was not noticed by its number.
            (&[counted("a", 2, 0, 2)], 13, 4),
            (&[counted("a", 2, 2, 2)], 15, 4),
        ];
        for (number, (counted, received, failed)) in steps.into_iter().enumerate() {
            tally.take(counted);
            let sums = tally.sums();
            assert_eq!(sums[Field::Received as usize], received, "step {number}");
            assert_eq!(
                sums[Field::FailedHandlers as usize],
                failed,
                "step {number}"
            );
        }
    }

    #[test]
    fn every_field_has_its_place() {
        let counters = Counters {
            expired: 8,
            ignored: 13,
            unknown: 14,
            failed_handlers: 16,
            ..Counters::default()
        };
        let sums = fields(&counters);
        for (field, value) in [
            (Field::Expired, 8),
            (Field::Ignored, 13),
            (Field::Unknown, 14),
            (Field::FailedHandlers, 16),
        ] {
            assert_eq!(sums[field as usize], value, "{field:?}");
        }
    }
}
