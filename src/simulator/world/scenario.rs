//! Scenarios of ordinary days.

use super::World;
use crate::options::Action;
use crate::trouble::Nudge;
use botroupe_proto::command;
use botroupe_sandbox::state::KickType;
use std::time::Duration;

const DAY: u64 = 86_400;
/// The ordinary packet loss rate, one in a thousand.
const ORDINARY_LOSS: f64 = 0.001;
/// The time from the end of a process to its restart.
const RESTART: Duration = Duration::from_secs(5);
/// The number of pushes with which the server nags an account.
const NAGS: u32 = 100;
const NAGGING: Duration = Duration::from_secs(10);

impl World {
    /// Plans `days` of ordinary faults from now on, drawn from the world's seed:
    ///
    /// - every day each account loses its link about once, and the server either has an outage of
    ///   some minutes or restarts, with or without its state;
    /// - every day a few accounts each are kicked in every way, have an expired login, are
    ///   rejected, meet an overloaded server, or have an hour of heavy packet loss;
    /// - every day the server rejects or ignores a few accounts' requests for missed messages, for
    ///   a group or for the group list;
    /// - every day a few accounts are nagged by pushes, flooded with messages, have a hanging
    ///   handler, or have their clock changed and restored;
    /// - from time to time a process is stopped or killed, and all of them are stopped at the end;
    /// - users write to all accounts and groups from time to time.
    ///
    /// Returns the total time of the outages.
    pub fn plan_days(&mut self, days: u64) -> Duration {
        let network = &mut self.options.network;
        network.loss = network.loss.max(ORDINARY_LOSS);
        let mut away = Duration::ZERO;
        for day in 0..days {
            away += self.plan_day(self.now() + Duration::from_secs(day * DAY));
        }
        let end = self.now() + Duration::from_secs(days * DAY);
        for copy in 0..self.options.copies {
            self.at(end, Action::Stop(copy, RESTART));
        }
        away
    }

    /// Plans `count` messages to accounts within `length` from now on.
    pub fn plan_messages(&mut self, length: Duration, count: u64) {
        let names = self.options.accounts as u64;
        let millis = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        for _ in 0..count {
            let account = self.draw(names) as usize;
            let at = self.now() + Duration::from_millis(self.draw(millis));
            self.at(at, Action::Say(account));
        }
    }

    fn plan_day(&mut self, start: Duration) -> Duration {
        let accounts = self.accounts();
        for account in 0..accounts {
            let at = start + self.draw_time();
            let action = match self.draw(100) {
                0..40 => Action::CutLink(account),
                40..55 => Action::DeadenLink(account),
                55..57 => Action::Expire(account),
                57 => Action::Kick(account, KickType::Account),
                58 => Action::Kick(account, KickType::Device),
                59 => Action::Crash(account),
                60 => {
                    let code = [70500, 70402, 60018, 70001][self.draw(4) as usize];
                    self.at(at, Action::CutLink(account));
                    Action::RefuseLogins {
                        account,
                        code,
                        count: 1,
                    }
                }
                61 => Action::Overload(account, command::LOGIN, Duration::from_secs(30)),
                62 => Action::Duplicate(account, 2),
                63 => {
                    // One person sets the clock, and another one sets it back.
                    let most = [5_000, 600_000, 3_600_000][self.draw(3) as usize];
                    let by = self.rng.i64(-most..=most);
                    let later = at + self.draw_time();
                    self.at(later, Action::JumpClock(account, -by));
                    Action::JumpClock(account, by)
                }
                64 => Action::Lossy {
                    account: Some(account),
                    loss: 0.3,
                    length: Duration::from_secs(3600),
                },
                what @ 65..71 => {
                    self.plan_refusal(at, account, what);
                    continue;
                }
                71 => Action::Hang(account),
                _ => continue,
            };
            self.at(at, action);
        }
        for _ in 0..accounts.div_ceil(500) {
            for (people, each) in [(300, 1), (1, 300)] {
                let account = self.draw(accounts as u64) as usize;
                let at = start + self.draw_time();
                self.at(
                    at,
                    Action::Burst {
                        account,
                        people,
                        each,
                    },
                );
            }
        }
        for _ in 0..accounts.div_ceil(100) {
            let account = self.draw(accounts as u64) as usize;
            let nudge = [Nudge::Confirm, Nudge::Missed][self.draw(2) as usize];
            let at = start + self.draw_time();
            self.storm(at, account, nudge, NAGS, NAGGING);
        }
        for group in 0..self.options.groups {
            for _ in 0..self.draw(4) {
                let at = start + self.draw_time();
                self.at(at, Action::SayIn(group));
            }
        }
        for copy in 0..self.options.copies {
            let at = start + self.draw_time();
            match self.draw(10) {
                0 => self.at(at, Action::Stop(copy, RESTART)),
                1 => self.at(at, Action::Kill(copy, RESTART)),
                _ => {}
            }
        }
        for _ in 0..accounts.div_ceil(500) {
            let (account, at) = (
                self.draw(accounts as u64) as usize,
                start + self.draw_time(),
            );
            self.at(at, Action::Kick(account, KickType::Rest));
            // A person reads the reason and resumes the account.
            self.at(at + Duration::from_secs(900), Action::Resume(account));
        }
        for _ in 0..accounts.div_ceil(4) {
            let (account, at) = (
                self.draw(accounts as u64) as usize,
                start + self.draw_time(),
            );
            self.at(at, Action::Say(account));
        }
        let away = Duration::from_secs(30 + self.draw(270));
        let at = start + self.draw_time();
        match self.draw(10) {
            0 | 1 => self.at(at, Action::Restart(true)),
            2 | 3 => self.at(at, Action::Restart(false)),
            4 => self.at(at, Action::ForgetGroups),
            _ => {
                self.at(at, Action::Outage(away));
                return away;
            }
        }
        Duration::ZERO
    }

    /// Plans that requests of an account are rejected or ignored, for up to half an hour. The
    /// account loses its link during this time, and so misses messages.
    fn plan_refusal(&mut self, start: Duration, account: usize, what: u64) {
        let length = Duration::from_secs(60 + self.draw(1740));
        let (servcmd, code) = match what {
            65 | 66 => (command::GET_MSG, 60008),
            67 | 68 => (command::GROUP_HISTORY, 10002),
            _ => (command::JOINED_GROUPS, 60002),
        };
        let code = (what % 2 == 1).then_some(code);
        self.refuse_for(start, account, servcmd, code, length);
        for n in 0..4 {
            let at = start + length.mul_f64(f64::from(n) / 4.0);
            self.at(at, Action::CutLink(account));
            let at = at + Duration::from_millis(300);
            self.at(at, Action::Say(account));
            if let Some(group) = self.group_of(account) {
                self.at(at, Action::SayIn(group));
            }
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.rng.u64(0..below.max(1))
    }

    fn draw_time(&mut self) -> Duration {
        Duration::from_millis(self.draw(DAY * 1000))
    }
}
