//! The alarms of an account.

use super::{Exchange, Ledger, Owner};
use crate::bot::timer::{Alarm, AlarmKey, Alarms, Schedule, SetAlarm};
use botroupe_core::ledger::{Cell, Change, Fingerprint};
use std::sync::{Arc, PoisonError};

impl Ledger {
    pub(in crate::bot) fn with_alarms<T>(
        &self,
        change: impl FnOnce(&mut Alarms) -> T,
    ) -> Option<T> {
        let mut slot = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        let alarms = slot.as_mut()?;
        let changed = change(alarms);
        if alarms.is_empty() {
            *slot = None;
        }
        Some(changed)
    }

    /// A bot has a schedule.
    pub(in crate::bot) fn schedule(&self, key: AlarmKey, schedule: &Schedule) {
        let now = self.now().unix_secs();
        let mut slot = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        slot.get_or_insert_default().schedule(key, schedule, now);
    }

    /// The next alarm whose time has come.
    pub(in crate::bot) fn next_alarm(&self, now: u64) -> Option<Alarm> {
        self.with_alarms(|alarms| alarms.next(now)).flatten()
    }

    /// When the next alarm is due, in Unix seconds.
    pub(in crate::bot) fn next_alarm_due(&self) -> Option<u64> {
        self.with_alarms(|alarms| alarms.next_due()).flatten()
    }

    /// The handler of an alarm has ended. Returns what the store keeps of it; `None` when it is over.
    pub(in crate::bot) fn alarm_over(&self, alarm: &Alarm) -> Option<Box<str>> {
        let now = self.now().unix_secs();
        self.with_alarms(|alarms| alarms.over(alarm, now)).flatten()
    }

    /// The alarms that handlers of a bot have set.
    pub(in crate::bot) fn alarms_of(&self, bot: &str) -> Vec<(AlarmKey, Arc<SetAlarm>)> {
        self.with_alarms(|alarms| alarms.of_bot(bot))
            .unwrap_or_default()
    }

    /// A name for a new alarm.
    pub(in crate::bot) fn alarm_name(&self, owner: &Owner) -> Box<str> {
        let name = owner.alarm_name();
        let name = name.unwrap_or_else(|| {
            let number = self.shelf.store().next_number();
            Fingerprint::new("later beside").number(number).finish()
        });
        format!("{name:016x}").into()
    }

    /// Sets an alarm, or sets it off: with the end of the handler, or at once outside of one.
    pub(in crate::bot) async fn change_alarm(
        &self,
        owner: &Owner,
        key: AlarmKey,
        later: Option<SetAlarm>,
    ) {
        let later = later.map(Arc::new);
        let change = match owner.exchange() {
            Some(exchange) => self.change_alarm_of(exchange, key, later),
            None => Some((key, later)),
        };
        if let Some((key, later)) = change {
            let change = match &later {
                Some(later) => Change::Put(Box::new(self.alarm_cell(&key, later))),
                None => Change::Removed(Box::new(key.cell(self.number))),
            };
            self.write(vec![change]).await;
            self.apply_alarms(vec![(key, later)]);
        }
    }

    /// Sets an alarm, or sets it off, with the end of a handler. Gives it back if the handler has ended.
    pub(in crate::bot) fn change_alarm_of(
        &self,
        exchange: &Exchange,
        key: AlarmKey,
        later: Option<Arc<SetAlarm>>,
    ) -> Option<(AlarmKey, Option<Arc<SetAlarm>>)> {
        let cell = key.cell(self.number);
        let value = later.as_ref().map(|later| self.alarm_cell(&key, later));
        // What was written after the end of the handler is given back as a change.
        let _ = exchange.write(cell, value);
        exchange.change_alarm(key, later)
    }

    fn alarm_cell(&self, key: &AlarmKey, later: &SetAlarm) -> Cell {
        Cell {
            key: key.cell(self.number),
            // It holds texts and numbers only, so it can be written.
            value: serde_json::to_string(later).unwrap_or_default().into(),
            ends: None,
            at: self.now().unix_secs(),
        }
    }

    /// Handlers have set these alarms, or set them off.
    pub(in crate::bot) fn apply_alarms(&self, changes: Vec<(AlarmKey, Option<Arc<SetAlarm>>)>) {
        if changes.is_empty() {
            return;
        }
        let mut slot = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        let alarms = slot.get_or_insert_default();
        for (key, later) in changes {
            match later {
                Some(later) => alarms.set(key, later),
                None => alarms.remove(&key),
            }
        }
        drop(slot);
        // The next may be earlier than the one that is waited for.
        self.tell_host();
    }
}
