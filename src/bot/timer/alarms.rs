//! The alarms of an account: what its bots are called for, and when. Pure.

use super::schedule::Schedule;
use crate::proto::id::UserId;
use crate::proto::message::Conversation;
use botroupe_core::ledger::{AccountNo, Cell, CellKey, Fingerprint, Scope};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The prefix of the names of schedules; other alarms are set by handlers.
const SCHEDULE: &str = "schedule ";

/// Something that a handler has set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::bot) struct Later {
    /// When, in Unix seconds.
    pub(in crate::bot) due: u64,
    /// Which handler is called.
    pub(in crate::bot) topic: Box<str>,
    /// What the handler gets, as JSON.
    pub(in crate::bot) payload: Box<str>,
    /// Where it was set: there goes what the handler returns.
    pub(in crate::bot) place: Option<(Conversation, UserId)>,
}

/// How a schedule stands.
#[derive(Serialize, Deserialize)]
struct Last {
    /// Up to when its times are dealt with, in Unix seconds.
    last: u64,
}

/// The time of an alarm has come.
#[derive(Clone, Debug)]
pub(in crate::bot) struct Alarm {
    pub(in crate::bot) key: Key,
    pub(in crate::bot) due: u64,
    /// `None` for a schedule.
    pub(in crate::bot) later: Option<Arc<Later>>,
}

/// The bot and the name of an alarm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::bot) struct Key {
    pub(in crate::bot) bot: Box<str>,
    pub(in crate::bot) name: Box<str>,
}

impl Key {
    /// The alarm that a handler's schedule makes.
    pub(in crate::bot) fn of_schedule(bot: &str, handler: &str) -> Self {
        Self {
            bot: bot.into(),
            name: format!("{SCHEDULE}{handler}").into(),
        }
    }

    /// The handler whose schedule it is.
    pub(in crate::bot) fn scheduled(&self) -> Option<&str> {
        self.name.strip_prefix(SCHEDULE)
    }

    /// The value that keeps the alarm.
    pub(in crate::bot) fn cell(&self, account: AccountNo) -> CellKey {
        CellKey {
            bot: self.bot.clone(),
            scope: Scope::Alarms(account),
            name: self.name.clone(),
        }
    }
}

impl Alarm {
    /// The name of the event.
    pub(in crate::bot) fn id(&self) -> u64 {
        let of_bot = Fingerprint::new("alarm").text(&self.key.bot);
        of_bot.text(&self.key.name).number(self.due).finish()
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(in crate::bot) struct Alarms {
    laters: HashMap<Key, Arc<Later>>,
    schedules: HashMap<Key, Scheduled>,
    /// The times of schedules that an earlier process left.
    last: HashMap<Key, u64>,
    due: BTreeSet<(u64, Key)>,
}

#[derive(Debug)]
struct Scheduled {
    schedule: Schedule,
    /// `None` while its handler runs, or when it has no more times.
    due: Option<u64>,
}

impl Alarms {
    /// Those that an earlier process left.
    pub(in crate::bot) fn recovered(cells: &[Cell]) -> Self {
        let mut alarms = Self::default();
        for cell in cells {
            let Scope::Alarms(_) = cell.key.scope else {
                continue;
            };
            let key = Key {
                bot: cell.key.bot.clone(),
                name: cell.key.name.clone(),
            };
            if key.scheduled().is_some() {
                if let Ok(Last { last }) = serde_json::from_str(&cell.value) {
                    alarms.last.insert(key, last);
                }
            } else if let Ok(later) = serde_json::from_str(&cell.value) {
                alarms.set(key, Arc::new(later));
            }
        }
        alarms
    }

    pub(in crate::bot) fn is_empty(&self) -> bool {
        self.laters.is_empty() && self.schedules.is_empty() && self.last.is_empty()
    }

    /// A handler has set an alarm.
    pub(in crate::bot) fn set(&mut self, key: Key, later: Arc<Later>) {
        self.remove(&key);
        self.due.insert((later.due, key.clone()));
        self.laters.insert(key, later);
    }

    /// An alarm is off.
    pub(in crate::bot) fn remove(&mut self, key: &Key) {
        if let Some(later) = self.laters.remove(key) {
            self.due.remove(&(later.due, key.clone()));
        }
    }

    /// Those that handlers of a bot have set, in the order of their times.
    pub(in crate::bot) fn of_bot(&self, bot: &str) -> Vec<(Key, Arc<Later>)> {
        let all = self.laters.iter().filter(|(key, _)| *key.bot == *bot);
        let mut all: Vec<_> = all
            .map(|(key, later)| (key.clone(), later.clone()))
            .collect();
        all.sort_by(|(a, x), (b, y)| (x.due, a).cmp(&(y.due, b)));
        all
    }

    /// A bot has a schedule.
    pub(in crate::bot) fn schedule(&mut self, key: Key, schedule: &Schedule, now: u64) {
        if self.schedules.contains_key(&key) {
            return; // A new host of the same account.
        }
        let due = schedule.first(self.last.remove(&key), now);
        if let Some(due) = due {
            self.due.insert((due, key.clone()));
        }
        let schedule = schedule.clone();
        self.schedules.insert(key, Scheduled { schedule, due });
    }

    /// The next alarm whose time has come.
    pub(in crate::bot) fn next(&mut self, now: u64) -> Option<Alarm> {
        let (due, _) = self.due.first()?;
        if *due > now {
            return None;
        }
        let (due, key) = self.due.pop_first()?;
        let later = self.laters.get(&key).cloned();
        Some(Alarm { key, due, later })
    }

    /// The handler of an alarm has ended. Returns what the store keeps of it; `None` when it is over.
    pub(in crate::bot) fn over(&mut self, alarm: &Alarm, now: u64) -> Option<Box<str>> {
        let Some(of) = self.schedules.get_mut(&alarm.key) else {
            self.laters.remove(&alarm.key);
            return None;
        };
        let last = of.schedule.settle(alarm.due, now);
        of.due = of.schedule.after(last);
        if let Some(due) = of.due {
            self.due.insert((due, alarm.key.clone()));
        }
        let last = serde_json::to_string(&Last { last });
        Some(last.unwrap_or_default().into())
    }

    /// Alarms that were told and are not over are told once more: who was told is gone.
    pub(in crate::bot) fn again(&mut self) {
        let laters = self.laters.iter().map(|(key, later)| (later.due, key));
        let schedules = self.schedules.iter();
        let schedules = schedules.filter_map(|(key, of)| Some((of.due?, key)));
        let all = laters.chain(schedules);
        self.due = all.map(|(due, key)| (due, key.clone())).collect();
    }

    /// Like [`again`](Self::again), for one bot.
    pub(in crate::bot) fn again_of(&mut self, bot: &str) {
        let laters = self.laters.iter().filter(|(key, _)| *key.bot == *bot);
        let due = laters.map(|(key, later)| (later.due, key.clone()));
        self.due.extend(due);
    }

    /// A bot has no schedules any more.
    pub(in crate::bot) fn unschedule(&mut self, bot: &str) {
        self.schedules.retain(|key, _| *key.bot != *bot);
        let schedules = &self.schedules;
        self.due
            .retain(|(_, key)| key.scheduled().is_none() || schedules.contains_key(key));
    }

    /// When the next is due, in Unix seconds.
    pub(in crate::bot) fn next_due(&self) -> Option<u64> {
        self.due.first().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::super::schedule::{Every, Missed};
    use super::*;

    fn key(name: &str) -> Key {
        Key {
            bot: "reminder".into(),
            name: name.into(),
        }
    }

    fn later(due: u64) -> Arc<Later> {
        Arc::new(Later {
            due,
            topic: "remind".into(),
            payload: "null".into(),
            place: None,
        })
    }

    fn told(alarms: &mut Alarms, now: u64) -> Vec<(String, u64)> {
        let all = std::iter::from_fn(|| alarms.next(now));
        all.map(|alarm| (alarm.key.name.to_string(), alarm.due))
            .collect()
    }

    #[test]
    fn alarms_come_at_their_times_once_and_can_be_set_off() {
        let mut alarms = Alarms::default();
        for (name, due) in [("b", 20), ("a", 10), ("off", 5), ("moved", 5)] {
            alarms.set(key(name), later(due));
        }
        alarms.remove(&key("off"));
        alarms.set(key("moved"), later(30));
        assert_eq!(alarms.next_due(), Some(10));
        assert_eq!(told(&mut alarms, 25), [("a".into(), 10), ("b".into(), 20)]);
        assert!(told(&mut alarms, 25).is_empty());
        // The host that was told of them has died.
        alarms.again();
        let alarm = alarms.next(25).unwrap();
        assert_eq!(alarms.over(&alarm, 25), None);
        alarms.again();
        assert_eq!(told(&mut alarms, 25), [("b".into(), 20)]);
        let names: Vec<_> = alarms
            .of_bot("reminder")
            .into_iter()
            .map(|(key, _)| key.name)
            .collect();
        assert_eq!(names, ["b".into(), "moved".into()]);
        assert!(alarms.of_bot("echo").is_empty());
    }

    #[test]
    fn a_schedule_waits_for_its_handler_and_goes_on_after_a_restart() {
        let ten = Every::new("10s").into_schedule().unwrap();
        let of = Key::of_schedule("janitor", "tidy");
        let mut alarms = Alarms::default();
        alarms.schedule(of.clone(), &ten, 100);
        alarms.schedule(of.clone(), &ten, 105);
        assert_eq!(alarms.next_due(), Some(110));
        let alarm = alarms.next(110).unwrap();
        assert!(alarms.next(200).is_none(), "its handler runs");
        let kept = alarms.over(&alarm, 111);
        assert_eq!(alarms.next_due(), Some(120));
        let cell = Cell {
            key: of.cell(AccountNo(1)),
            value: kept.unwrap(),
            ends: None,
            at: 111,
        };
        let mut next = Alarms::recovered(std::slice::from_ref(&cell));
        next.schedule(of.clone(), &ten, 500);
        let alarm = next.next(500).unwrap();
        assert_eq!(alarm.due, 120, "once for all that was missed");
        next.over(&alarm, 500);
        assert_eq!(next.next_due(), Some(510));
        let skip = Every::new("10s")
            .missed(Missed::Skip)
            .into_schedule()
            .unwrap();
        let mut next = Alarms::recovered(&[cell]);
        next.schedule(of, &skip, 500);
        assert_eq!(next.next_due(), Some(510));
    }

    #[test]
    fn what_was_set_is_known_to_the_next_process() {
        let cell = Cell {
            key: key("a").cell(AccountNo(1)),
            value: serde_json::to_string(&*later(10)).unwrap().into(),
            ends: None,
            at: 1,
        };
        let mut alarms = Alarms::recovered(&[cell]);
        assert_eq!(alarms.next(10).unwrap().later, Some(later(10)));
    }
}
