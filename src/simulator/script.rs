//! What happens to a fleet in the course of its days.

use super::options::Action;
use super::world::World;
use crate::sandbox::state::KickType;
use std::time::Duration;

const DAY: u64 = 86_400;
/// One packet in a thousand is lost, as on any network.
const ORDINARY_LOSS: f64 = 0.001;

impl World {
    /// Plans `days` of ordinary misfortune from now on, drawn from the world's seed. Every day each
    /// account loses its link about once, the server is away once for some minutes, and a few
    /// accounts each are kicked in every way, find their login expired, are refused, or meet an
    /// overloaded server, an hour of heavy loss on their network, and the clocks of a few are set to another time and back. Everybody is written
    /// to now and then.
    ///
    /// Returns how long the server is away in all.
    pub fn plan_days(&mut self, days: u64) -> Duration {
        let network = &mut self.options.network;
        network.loss = network.loss.max(ORDINARY_LOSS);
        let mut away = Duration::ZERO;
        for day in 0..days {
            away += self.plan_day(self.now() + Duration::from_secs(day * DAY));
        }
        away
    }

    /// Plans that so many messages are written to accounts within `length` from now on.
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
                61 => Action::Overload(
                    account,
                    crate::proto::command::LOGIN,
                    Duration::from_secs(30),
                ),
                62 => Action::Duplicate(account, 2),
                63 => {
                    // Somebody sets the clock, and somebody else sets it back.
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
                _ => continue,
            };
            self.at(at, action);
        }
        for _ in 0..accounts.div_ceil(500) {
            let (account, at) = (
                self.draw(accounts as u64) as usize,
                start + self.draw_time(),
            );
            self.at(at, Action::Kick(account, KickType::Rest));
            // Somebody reads the reason and orders it back.
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
        match self.draw(4) {
            0 => self.at(at, Action::Restart(true)),
            1 => self.at(at, Action::Restart(false)),
            _ => {
                self.at(at, Action::Outage(away));
                return away;
            }
        }
        Duration::ZERO
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.rng.u64(0..below.max(1))
    }

    fn draw_time(&mut self) -> Duration {
        Duration::from_millis(self.draw(DAY * 1000))
    }
}
