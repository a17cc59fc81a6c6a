//! What people are in groups, remembered for a while: a command should not cost a request each time.

use super::permission::GroupRank;
use std::collections::HashMap;
use std::time::Duration;

/// So long a rank counts. Whoever loses one keeps it here for that time at most.
const KEPT: Duration = Duration::from_secs(60);

/// So many are remembered; then all are asked for again.
const MOST: usize = 4_096;

/// An account, a group, and a user in it.
type Who<'a> = (&'a str, &'a str, &'a str);

/// The ranks that were asked for.
#[derive(Debug, Default)]
pub(super) struct Ranks {
    known: HashMap<Box<str>, (Duration, Option<GroupRank>)>,
}

impl Ranks {
    /// The rank, `None` when it is not known. One who is no member has none.
    pub(super) fn get(&self, now: Duration, who: Who<'_>) -> Option<Option<GroupRank>> {
        let (until, rank) = self.known.get(&*key(who))?;
        (*until > now).then_some(*rank)
    }

    pub(super) fn set(&mut self, now: Duration, who: Who<'_>, rank: Option<GroupRank>) {
        if self.known.len() >= MOST {
            self.known.retain(|_, (until, _)| *until > now);
        }
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(key(who).into(), (now + KEPT, rank));
    }
}

/// No id has a line break.
fn key((account, group, user): Who<'_>) -> String {
    format!("{account}\n{group}\n{user}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_is_known_for_a_minute_and_the_memory_is_bounded() {
        let mut ranks = Ranks::default();
        let at = Duration::from_secs;
        let bob = ("bot", "g", "bob");
        assert_eq!(ranks.get(at(0), bob), None);
        ranks.set(at(0), bob, Some(GroupRank::Admin));
        assert_eq!(ranks.get(at(59), bob), Some(Some(GroupRank::Admin)));
        assert_eq!(ranks.get(at(60), bob), None);
        assert_eq!(ranks.get(at(0), ("bot", "h", "bob")), None);
        for user in 0..20_000_u32 {
            ranks.set(at(1), ("bot", "g", &user.to_string()), None);
            assert!(ranks.known.len() <= MOST);
        }
    }
}
