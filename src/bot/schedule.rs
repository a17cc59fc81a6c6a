//! Decides which handler runs next: fair over accounts and bots, with blocking bots kept apart.
//!
//! Pure: jobs in, jobs out, time as an argument. Quick threads take turns over the accounts and their bots;
//! each slow thread serves one bot. A bot whose handler held a thread for too long gets a few slow threads
//! only, so that it holds up nobody but itself. If that does not happen again for a while, the bot returns to
//! the quick threads. A bot that keeps blocking is parked on its account.

use crate::account::AccountName;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// A poll that takes longer is slow.
pub(super) const SLOW: Duration = Duration::from_millis(20);
/// A bot returns to the quick threads when it was not slow for this long.
const PAROLE: Duration = Duration::from_secs(60);
/// This many blocking polls on one account within [`OFFENCES_WITHIN`] park the bot there.
const OFFENCES: usize = 10;
const OFFENCES_WITHIN: Duration = Duration::from_secs(600);

/// A bot on an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LaneKey {
    pub(super) account: AccountName,
    pub(super) bot: &'static str,
}

/// Jobs by lane; lanes take turns.
#[derive(Debug)]
struct Lanes<J> {
    lanes: HashMap<LaneKey, VecDeque<J>>,
    turns: VecDeque<LaneKey>,
}

impl<J> Default for Lanes<J> {
    fn default() -> Self {
        Self {
            lanes: HashMap::new(),
            turns: VecDeque::new(),
        }
    }
}

impl<J> Lanes<J> {
    fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    fn push(&mut self, key: LaneKey, job: J) {
        match self.lanes.get_mut(&key) {
            Some(lane) => lane.push_back(job),
            None => {
                self.lanes.insert(key.clone(), VecDeque::from([job]));
                self.turns.push_back(key);
            }
        }
    }

    fn next(&mut self) -> Option<(LaneKey, J)> {
        let key = self.turns.pop_front()?;
        let lane = self.lanes.get_mut(&key)?;
        let job = lane.pop_front()?;
        if lane.is_empty() {
            self.lanes.remove(&key);
        } else {
            self.turns.push_back(key.clone());
        }
        Some((key, job))
    }

    /// Removes the lanes that `which` selects.
    fn take(&mut self, which: impl Fn(&LaneKey) -> bool) -> Vec<(LaneKey, VecDeque<J>)> {
        let taken: Vec<LaneKey> = self
            .turns
            .iter()
            .filter(|key| which(key))
            .cloned()
            .collect();
        self.turns.retain(|key| !which(key));
        taken
            .into_iter()
            .filter_map(|key| self.lanes.remove_entry(&key))
            .collect()
    }
}

/// A bot that has blocked a thread.
#[derive(Debug)]
struct Slow<J> {
    lanes: Lanes<J>,
    /// The number of its slow threads, without stuck ones.
    threads: usize,
    until: Duration,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Schedule<J> {
    quick: Lanes<J>,
    slow: BTreeMap<&'static str, Slow<J>>,
    /// The most slow threads of one bot.
    cap: usize,
    /// The times at which each lane blocked.
    offences: HashMap<LaneKey, VecDeque<Duration>>,
    parked: HashMap<LaneKey, Duration>,
}

/// Where a new job went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// To the quick threads.
    Quick,
    /// To the slow threads of its bot.
    Slow,
    /// To the slow threads of its bot, which needs one more.
    SlowThreadWanted,
}

impl<J> Schedule<J> {
    pub(super) fn new(cap: usize) -> Self {
        Self {
            quick: Lanes::default(),
            slow: BTreeMap::new(),
            cap: cap.max(1),
            offences: HashMap::new(),
            parked: HashMap::new(),
        }
    }

    /// A job is ready to run. Gives it back when its bot is parked.
    pub(super) fn push(&mut self, key: LaneKey, job: J) -> Result<Pushed, J> {
        if self.parked.contains_key(&key) {
            return Err(job);
        }
        let Some(slow) = self.slow.get_mut(key.bot) else {
            self.quick.push(key, job);
            return Ok(Pushed::Quick);
        };
        slow.lanes.push(key, job);
        if slow.threads < self.cap {
            slow.threads += 1;
            return Ok(Pushed::SlowThreadWanted);
        }
        Ok(Pushed::Slow)
    }

    /// The next job of a quick thread.
    pub(super) fn next_quick(&mut self) -> Option<(LaneKey, J)> {
        self.quick.next()
    }

    /// Whether quick threads have nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.quick.is_empty()
    }

    /// The next job of a slow thread of this bot.
    pub(super) fn next_slow(&mut self, bot: &str) -> Option<(LaneKey, J)> {
        self.slow.get_mut(bot)?.lanes.next()
    }

    /// A slow thread of this bot is gone, or stuck for good.
    pub(super) fn slow_thread_gone(&mut self, bot: &str) {
        if let Some(slow) = self.slow.get_mut(bot) {
            slow.threads = slow.threads.saturating_sub(1);
        }
    }

    /// Whether a bot that lost a thread has work for another one; if so, that one counts from now on.
    pub(super) fn wants_slow_thread(&mut self, bot: &str) -> bool {
        let cap = self.cap;
        self.slow.get_mut(bot).is_some_and(|slow| {
            let wants = !slow.lanes.is_empty() && slow.threads < cap;
            slow.threads += usize::from(wants);
            wants
        })
    }

    /// A bot has held a thread for longer than [`SLOW`]: from now on it runs on slow threads. `true` when it
    /// did not before.
    pub(super) fn demote(&mut self, now: Duration, bot: &'static str) -> bool {
        let until = now + PAROLE;
        if let Some(slow) = self.slow.get_mut(bot) {
            slow.until = until;
            return false;
        }
        let mut lanes = Lanes::default();
        for (key, jobs) in self.quick.take(|key| key.bot == bot) {
            for job in jobs {
                lanes.push(key.clone(), job);
            }
        }
        let slow = Slow {
            lanes,
            threads: 0,
            until,
        };
        self.slow.insert(bot, slow);
        true
    }

    /// Whether a bot runs on slow threads.
    pub(super) fn is_apart(&self, bot: &str) -> bool {
        self.slow.contains_key(bot)
    }

    /// Returns bots whose time on slow threads is over to the quick threads.
    pub(super) fn promote(&mut self, now: Duration) -> Vec<&'static str> {
        let over: Vec<&'static str> = self
            .slow
            .iter()
            .filter(|(_, slow)| slow.until <= now && slow.lanes.is_empty() && slow.threads == 0)
            .map(|(bot, _)| *bot)
            .collect();
        for bot in &over {
            self.slow.remove(bot);
        }
        over
    }

    /// A lane has blocked a thread. `true` when it did so too often: then it is parked, and `jobs` of it will
    /// not run.
    pub(super) fn offend(&mut self, now: Duration, key: &LaneKey) -> Option<Vec<J>> {
        let offences = self.offences.entry(key.clone()).or_default();
        offences.push_back(now);
        while offences
            .front()
            .is_some_and(|at| now.saturating_sub(*at) > OFFENCES_WITHIN)
        {
            offences.pop_front();
        }
        (offences.len() >= OFFENCES).then(|| self.park(now, key))
    }

    /// Parks a lane and returns its waiting jobs.
    pub(super) fn park(&mut self, now: Duration, key: &LaneKey) -> Vec<J> {
        self.parked.insert(key.clone(), now);
        self.offences.remove(key);
        let mut lanes = self.quick.take(|lane| lane == key);
        if let Some(slow) = self.slow.get_mut(key.bot) {
            lanes.extend(slow.lanes.take(|lane| lane == key));
        }
        lanes.into_iter().flat_map(|(_, jobs)| jobs).collect()
    }

    pub(super) fn is_parked(&self, key: &LaneKey) -> bool {
        self.parked.contains_key(key)
    }

    /// The bots that are parked, with the accounts they are parked on.
    pub(super) fn parked(&self) -> impl Iterator<Item = &LaneKey> {
        self.parked.keys()
    }

    /// An operator releases the bots of an account. Returns how many were parked.
    pub(super) fn release(&mut self, account: &str) -> usize {
        let before = self.parked.len();
        self.parked.retain(|key, _| key.account.as_str() != account);
        self.offences
            .retain(|key, _| key.account.as_str() != account);
        before - self.parked.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::id::UserId;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn lane(account: &str, bot: &'static str) -> LaneKey {
        LaneKey {
            account: UserId::from(account).into(),
            bot,
        }
    }

    /// The next `count` quick jobs.
    fn quick(schedule: &mut Schedule<u32>, count: usize) -> Vec<u32> {
        let jobs = std::iter::from_fn(|| schedule.next_quick().map(|(_, job)| job));
        jobs.take(count).collect()
    }

    #[test]
    fn accounts_and_their_bots_take_turns() {
        let mut schedule = Schedule::new(2);
        for job in 0..40 {
            schedule.push(lane("a", "flooded"), job).unwrap();
        }
        schedule.push(lane("a", "echo"), 100).unwrap();
        schedule.push(lane("b", "echo"), 200).unwrap();
        assert_eq!(quick(&mut schedule, 5), [0, 100, 200, 1, 2]);
    }

    #[test]
    fn a_bot_that_blocks_runs_apart_with_what_it_had_waiting_and_few_threads() {
        let mut schedule = Schedule::new(2);
        for job in 0..5 {
            schedule.push(lane("a", "sleeper"), job).unwrap();
        }
        schedule.push(lane("b", "echo"), 100).unwrap();
        assert!(schedule.demote(at(0), "sleeper"));
        assert!(!schedule.demote(at(10), "sleeper"), "it does so already");
        assert_eq!(quick(&mut schedule, 9), [100]);
        assert!(schedule.wants_slow_thread("sleeper") && schedule.wants_slow_thread("sleeper"));
        assert!(!schedule.wants_slow_thread("sleeper"), "no more than two");
        assert_eq!(schedule.push(lane("c", "sleeper"), 9), Ok(Pushed::Slow));
        assert_eq!(schedule.next_slow("sleeper").map(|(_, job)| job), Some(0));
        assert_eq!(
            schedule.next_slow("sleeper").map(|(_, job)| job),
            Some(9),
            "its accounts take turns too"
        );
    }

    #[test]
    fn a_bot_that_does_not_block_any_more_is_quick_again() {
        let mut schedule = Schedule::new(1);
        schedule.demote(at(0), "late");
        let pushed = schedule.push(lane("a", "late"), 1);
        assert_eq!(pushed, Ok(Pushed::SlowThreadWanted));
        assert!(schedule.promote(at(70_000)).is_empty(), "it has work");
        schedule.next_slow("late").unwrap();
        schedule.slow_thread_gone("late");
        assert!(schedule.promote(at(59_000)).is_empty());
        assert_eq!(schedule.promote(at(60_000)), ["late"]);
        assert_eq!(schedule.push(lane("a", "late"), 2), Ok(Pushed::Quick));
    }

    #[test]
    fn a_bot_that_goes_on_blocking_is_parked_on_its_account_alone() {
        let mut schedule = Schedule::new(1);
        let (bad, good) = (lane("a", "stuck"), lane("b", "stuck"));
        schedule.demote(at(0), "stuck");
        for job in 0..3 {
            schedule.push(bad.clone(), job).unwrap();
            schedule.push(good.clone(), job + 10).unwrap();
        }
        let mut lost = None;
        for offence in 0..10 {
            assert!(lost.is_none());
            lost = schedule.offend(at(offence * 1_000), &bad);
        }
        assert_eq!(lost.unwrap(), [0, 1, 2]);
        assert_eq!(schedule.push(bad.clone(), 7), Err(7));
        assert_eq!(schedule.next_slow("stuck").map(|(_, job)| job), Some(10));
        assert_eq!(schedule.release("a"), 1);
        assert!(schedule.push(bad, 8).is_ok());
    }

    #[test]
    fn offences_of_long_ago_are_forgotten() {
        let mut schedule = Schedule::<u32>::new(1);
        let key = lane("a", "now and then");
        for hour in 0..100 {
            assert!(schedule.offend(at(hour * 3_600_000), &key).is_none());
        }
    }
}
