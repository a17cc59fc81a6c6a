//! How often a command may be used.

use super::kind;
use std::collections::HashMap;
use std::time::Duration;

/// How long a command rests after it was used; [`Command::cooldown`](super::Command::cooldown) takes it.
///
/// ```
/// use botroupe::prelude::*;
///
/// # let _ =
/// command("draw <what...>").cooldown(Cooldown::per_user("30s")).cooldown(Cooldown::global("1s"))
/// # ;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cooldown {
    scope: Scope,
    /// The text when it is no time.
    rest: Result<Duration, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    User,
    Conversation,
    Global,
}

impl Cooldown {
    /// For each user by itself: `"10s"`, `"5m"`, `"1h30m"`.
    #[must_use]
    pub fn per_user(rest: &str) -> Self {
        Self::new(Scope::User, rest)
    }

    /// For each conversation by itself.
    #[must_use]
    pub fn per_conversation(rest: &str) -> Self {
        Self::new(Scope::Conversation, rest)
    }

    /// For everybody together, on one account.
    #[must_use]
    pub fn global(rest: &str) -> Self {
        Self::new(Scope::Global, rest)
    }

    fn new(scope: Scope, rest: &str) -> Self {
        Self {
            scope,
            rest: kind::duration(rest).ok_or_else(|| rest.to_owned()),
        }
    }

    /// The text that is no time.
    pub(super) fn mistake(&self) -> Option<&str> {
        self.rest.as_ref().err().map(String::as_str)
    }
}

/// Who uses a command, and where.
#[derive(Clone, Copy, Debug)]
pub(in crate::bot) struct Use<'a> {
    /// The place of the command in its set.
    pub(in crate::bot) command: usize,
    /// A bot may serve several accounts.
    pub(in crate::bot) account: &'a str,
    pub(in crate::bot) user: &'a str,
    pub(in crate::bot) conversation: &'a str,
}

/// Whether a command may be used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bot) enum Pace {
    Go,
    /// Not for so long. It is told once.
    Wait {
        left: Duration,
        is_told: bool,
    },
}

/// The cool-downs that run, on an account.
#[derive(Debug, Default)]
pub(in crate::bot) struct Cooldowns {
    running: HashMap<Key, Running>,
}

/// Command, number of the cool-down, and whose it is.
type Key = (usize, usize, Box<str>);

#[derive(Debug)]
struct Running {
    until: Duration,
    is_told: bool,
}

/// So many users of a bot are remembered. Beyond that those are forgotten whose cool-down ends next.
const MOST: usize = 16_384;

impl Cooldowns {
    /// Begins a use of the command if none of its cool-downs runs. `now` is the time since some start.
    pub(in crate::bot) fn begin(
        &mut self,
        now: Duration,
        rules: &[Cooldown],
        by: &Use<'_>,
    ) -> Pace {
        let keys: Vec<(Key, Duration)> = rules
            .iter()
            .enumerate()
            .filter_map(|(at, rule)| {
                let whose = match rule.scope {
                    Scope::User => by.user,
                    Scope::Conversation => by.conversation,
                    Scope::Global => "",
                };
                let rest = *rule.rest.as_ref().ok()?;
                // No UserID has a line break.
                let whose = format!("{}\n{whose}", by.account);
                Some(((by.command, at, whose.into()), rest))
            })
            .collect();
        let mut wait: Option<(Duration, bool)> = None;
        for (key, _) in &keys {
            let Some(running) = self.running.get_mut(key).filter(|it| it.until > now) else {
                continue;
            };
            let left = running.until.saturating_sub(now);
            let told = std::mem::replace(&mut running.is_told, true);
            wait = Some(match wait {
                Some((longest, others)) => (longest.max(left), others && told),
                None => (left, told),
            });
        }
        if let Some((left, is_told)) = wait {
            return Pace::Wait { left, is_told };
        }
        for (key, rest) in keys {
            self.make_room(now);
            let running = Running {
                until: now.saturating_add(rest),
                is_told: false,
            };
            self.running.insert(key, running);
        }
        Pace::Go
    }

    fn make_room(&mut self, now: Duration) {
        if self.running.len() < MOST {
            return;
        }
        self.running.retain(|_, running| running.until > now);
        if self.running.len() >= MOST {
            // A quarter at once: the search does not come again with the next user.
            let mut ends: Vec<Duration> = self.running.values().map(|it| it.until).collect();
            let (_, end, _) = ends.select_nth_unstable(MOST / 4);
            let end = *end;
            self.running.retain(|_, running| running.until > end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const fn wait(seconds: u64, is_told: bool) -> Pace {
        Pace::Wait {
            left: at(seconds),
            is_told,
        }
    }

    #[test]
    fn a_command_rests_for_its_user_and_says_so_once() {
        let rules = [Cooldown::per_user("10s")];
        let mut cooldowns = Cooldowns::default();
        for (second, command, user, expected) in [
            (0, 0, "bob", Pace::Go),
            (3, 0, "bob", wait(7, false)),
            (4, 0, "bob", wait(6, true)),
            (4, 0, "carol", Pace::Go),
            (4, 1, "bob", Pace::Go),
            (10, 0, "bob", Pace::Go),
            (11, 0, "bob", wait(9, false)),
        ] {
            let by = Use {
                command,
                account: "bot",
                user,
                conversation: user,
            };
            let pace = cooldowns.begin(at(second), &rules, &by);
            assert_eq!(pace, expected, "{second} {user}");
        }
    }

    #[test]
    fn the_longest_of_several_counts_and_refusals_start_none() {
        let rules = [
            Cooldown::per_user("60s"),
            Cooldown::per_conversation("20s"),
            Cooldown::global("5s"),
        ];
        let mut cooldowns = Cooldowns::default();
        let mut begin = |second, user, conversation| {
            let by = Use {
                command: 0,
                account: "bot",
                user,
                conversation,
            };
            cooldowns.begin(at(second), &rules, &by)
        };
        assert_eq!(begin(0, "bob", "g1"), Pace::Go);
        assert_eq!(begin(1, "carol", "g2"), wait(4, false));
        assert_eq!(begin(1, "carol", "g1"), wait(19, false));
        assert_eq!(begin(6, "carol", "g2"), Pace::Go);
        assert_eq!(begin(30, "bob", "g1"), wait(30, false));
        assert_eq!(begin(60, "bob", "g1"), Pace::Go);
    }

    #[test]
    fn no_crowd_fills_the_memory() {
        let rules = [Cooldown::per_user("1h")];
        let mut cooldowns = Cooldowns::default();
        for user in 0..60_000_u32 {
            let user = user.to_string();
            let by = Use {
                command: 0,
                account: "bot",
                user: &user,
                conversation: "g",
            };
            let now = Duration::from_millis(user.parse().unwrap());
            assert_eq!(cooldowns.begin(now, &rules, &by), Pace::Go);
            assert!(cooldowns.running.len() <= MOST);
        }
        assert!(cooldowns.running.len() > MOST / 2);
    }

    #[test]
    fn a_wrong_time_is_a_mistake() {
        assert_eq!(Cooldown::global("10").mistake(), Some("10"));
        assert_eq!(Cooldown::global("10s").mistake(), None);
    }

    proptest! {
        #[test]
        fn between_two_uses_there_is_always_the_rest(seconds in proptest::collection::vec(0u64..100, 1..60)) {
            let rules = [Cooldown::per_user("10s")];
            let mut cooldowns = Cooldowns::default();
            let by = Use { command: 0, account: "bot", user: "bob", conversation: "bob" };
            let mut seconds = seconds;
            seconds.sort_unstable();
            let mut last = None;
            for second in seconds {
                let goes = cooldowns.begin(at(second), &rules, &by) == Pace::Go;
                prop_assert_eq!(goes, last.is_none_or(|last| second >= last + 10));
                if goes {
                    last = Some(second);
                }
            }
        }
    }
}
