//! One call of a handler, as far as the ledger is concerned: what it sent, recorded and changed on its way.

use super::book::Steps;
use crate::bot::dialogue::Shared;
use crate::bot::timer::{AlarmKey, SetAlarm};
use crate::proto::id::UserId;
use crate::proto::message::Conversation;
use botroupe_core::ledger::{Cell, CellKey, Change, Fingerprint, Scope};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// See the module.
#[derive(Debug)]
pub(in crate::bot) struct Exchange {
    /// See [`exchange`](botroupe_core::ledger::exchange); `None` when the event is no message.
    id: Option<u64>,
    /// The conversation and the sender of the message.
    pub(in crate::bot) place: Option<(Conversation, UserId)>,
    /// The dialogue that the handler holds.
    script: OnceLock<Shared>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The handler has ended.
    is_over: bool,
    /// How much was sent to each conversation.
    sends: Vec<(Conversation, u64)>,
    steps: Steps,
    writes: BTreeMap<CellKey, Option<Cell>>,
    /// What changes even if the handler fails.
    always: Vec<Change>,
    /// Alarms that it has set, or set off.
    alarms: Vec<(AlarmKey, Option<Arc<SetAlarm>>)>,
    /// How many names of alarms it has taken.
    alarm_names: u64,
    /// Values that nobody else may change before the end.
    locks: Locks,
}

impl Exchange {
    pub(in crate::bot) fn new(id: Option<u64>, place: Option<(Conversation, UserId)>) -> Self {
        Self {
            id,
            place,
            script: OnceLock::new(),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while holding it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handler has ended.
    pub(super) fn close(&self) -> Closed {
        let mut state = self.state();
        state.is_over = true;
        let writes = std::mem::take(&mut state.writes);
        let writes = writes.into_iter().map(|(key, cell)| match cell {
            Some(cell) => Change::Put(Box::new(cell)),
            None => Change::Removed(Box::new(key)),
        });
        Closed {
            always: std::mem::take(&mut state.always),
            writes: writes.collect(),
            steps: std::mem::take(&mut state.steps),
            locks: std::mem::take(&mut state.locks),
        }
    }

    /// The value of a cell that the handler itself has written; `None` when it has not.
    pub(in crate::bot) fn written(&self, key: &CellKey) -> Option<Option<Cell>> {
        self.state().writes.get(key).cloned()
    }

    /// Writes a cell at the end of the handler. Returns the change when the handler has ended already.
    pub(in crate::bot) fn write(&self, key: CellKey, cell: Option<Cell>) -> Option<Change> {
        let mut state = self.state();
        if !state.is_over {
            state.writes.insert(key, cell);
            return None;
        }
        Some(match cell {
            Some(cell) => Change::Put(Box::new(cell)),
            None => Change::Removed(Box::new(key)),
        })
    }

    /// Sets an alarm, or sets it off, at the end of the handler. Gives it back if the handler has ended.
    pub(in crate::bot) fn change_alarm(
        &self,
        key: AlarmKey,
        later: Option<Arc<SetAlarm>>,
    ) -> Option<(AlarmKey, Option<Arc<SetAlarm>>)> {
        let mut state = self.state();
        if state.is_over {
            return Some((key, later));
        }
        state.alarms.push((key, later));
        None
    }

    /// The alarms that the handler has set, or set off.
    pub(in crate::bot) fn take_alarms(&self) -> Vec<(AlarmKey, Option<Arc<SetAlarm>>)> {
        std::mem::take(&mut self.state().alarms)
    }

    /// Changes something at the end of the handler, even if it fails.
    pub(in crate::bot) fn change(&self, change: Change) {
        self.state().always.push(change);
    }

    /// The handler holds this dialogue, if it holds none yet. Returns the one that it holds.
    pub(in crate::bot) fn hold_dialogue(&self, script: impl FnOnce() -> Shared) -> Shared {
        self.script.get_or_init(script).clone()
    }

    /// The dialogue that the handler holds.
    pub(in crate::bot) fn dialogue(&self) -> Option<&Shared> {
        self.script.get()
    }

    /// The bytes by which what was written so far grows what `key` held; for quotas.
    pub(in crate::bot) fn bytes_written(&self) -> usize {
        let state = self.state();
        let cells = state.writes.values().flatten();
        cells
            .map(|cell| cell.key.name.len() + cell.value.len())
            .sum()
    }

    /// Whether the handler holds the lock of a cell.
    pub(in crate::bot) fn holds(&self, key: &CellKey) -> bool {
        self.state().locks.iter().any(|(held, _)| held == key)
    }

    /// Keeps the lock of a cell until the handler ends. Gives it back if it has.
    pub(in crate::bot) fn hold(
        &self,
        key: CellKey,
        lock: OwnedMutexGuard<()>,
    ) -> Option<OwnedMutexGuard<()>> {
        let mut state = self.state();
        if state.is_over {
            return Some(lock);
        }
        state.locks.push((key, lock));
        None
    }
}

/// The locks of values that a handler had.
pub(super) type Locks = Vec<(CellKey, OwnedMutexGuard<()>)>;

/// What a handler did, and what it changed.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) steps: Steps,
    pub(super) writes: Vec<Change>,
    pub(super) always: Vec<Change>,
    /// Kept until the changes are with the store: others must not read the values before.
    pub(super) locks: Locks,
}

/// Who does something: a bot in a handler, beside one, or the program.
#[derive(Clone, Debug)]
pub(in crate::bot) struct Owner {
    bot: Arc<str>,
    exchange: Option<Arc<Exchange>>,
}

impl Owner {
    pub(in crate::bot) const fn new(bot: Arc<str>, exchange: Option<Arc<Exchange>>) -> Self {
        Self { bot, exchange }
    }

    /// The name of the bot; empty for the program.
    pub(in crate::bot) fn bot(&self) -> &str {
        &self.bot
    }

    pub(in crate::bot) const fn exchange(&self) -> Option<&Arc<Exchange>> {
        self.exchange.as_ref()
    }

    /// The dialogue of the handler, as long as it runs.
    pub(in crate::bot) fn dialogue(&self) -> Option<&Shared> {
        let exchange = self.exchange.as_ref()?;
        let script = exchange.script.get()?;
        (!exchange.state().is_over).then_some(script)
    }

    /// The handler of a message that has not ended: what it does is known when it runs again.
    fn running(&self) -> Option<(u64, MutexGuard<'_, State>)> {
        let exchange = self.exchange.as_ref()?;
        let state = exchange.state();
        let id = exchange.id.filter(|_| !state.is_over)?;
        Some((id, state))
    }

    /// What a message is known by that is to be sent: the caller's key, or its place among what the handler sends
    /// to this conversation.
    pub(super) fn effect_of_send(
        &self,
        to: &Conversation,
        caller_key: Option<&str>,
    ) -> Option<u64> {
        if let Some(key) = caller_key {
            let effect = Fingerprint::new("key").text(&self.bot).text(key);
            return Some(effect.finish());
        }
        let (id, mut state) = self.running()?;
        let place = match state.sends.iter_mut().find(|(known, _)| known == to) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                state.sends.push((to.clone(), 0));
                0
            }
        };
        let effect = Fingerprint::new("send")
            .number(id)
            .number(u64::from(to.is_group()))
            .text(to.name())
            .number(place);
        Some(effect.finish())
    }

    /// What a message of a reply that grows is known by: its place among the replies of the handler that do, and among
    /// the messages of that one.
    pub(in crate::bot) fn effect_of_part(&self, place: (u64, u64)) -> Option<u64> {
        let id = self.running().map(|(id, _)| id)?;
        Some(effect_of_part(id, place))
    }

    /// What a result is known by, and whether it lasts: what is done beside handlers is not done again by itself.
    pub(in crate::bot) fn effect_of_result(&self, name: &str) -> (u64, bool) {
        match self.running() {
            Some((id, _)) => (
                Fingerprint::new("run").number(id).text(name).finish(),
                false,
            ),
            None => {
                let effect = Fingerprint::new("result").text(&self.bot).text(name);
                (effect.finish(), true)
            }
        }
    }

    /// A name for an alarm that the handler sets: the same when it runs again.
    pub(in crate::bot) fn alarm_name(&self) -> Option<u64> {
        let (id, mut state) = self.running()?;
        state.alarm_names += 1;
        let name = Fingerprint::new("later").number(id);
        Some(name.number(state.alarm_names).finish())
    }

    /// A letter was sent, now or in an earlier run of the handler: it ends with the handler unless it lasts.
    pub(super) fn sent(&self, number: u64, lasting: bool) {
        if !lasting && let Some((_, mut state)) = self.running() {
            state.steps.letters.push(number);
        }
    }

    /// A result was recorded, now or in an earlier run of the handler.
    pub(super) fn recorded(&self, number: u64) {
        if let Some((_, mut state)) = self.running() {
            state.steps.results.push(number);
        }
    }
}

/// See [`Owner::effect_of_part`].
pub(in crate::bot) fn effect_of_part(exchange: u64, (reply, part): (u64, u64)) -> u64 {
    let effect = Fingerprint::new("part").number(exchange);
    effect.number(reply).number(part).finish()
}

/// What a value belongs to.
pub(in crate::bot) fn cell_key(bot: &str, scope: Scope, name: &str) -> CellKey {
    CellKey {
        bot: bot.into(),
        scope,
        name: name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(bot: &str, id: Option<u64>) -> Owner {
        Owner::new(bot.into(), Some(Arc::new(Exchange::new(id, None))))
    }

    fn alice() -> Conversation {
        Conversation::c2c("alice")
    }

    #[test]
    fn sends_are_known_by_their_place_in_each_conversation_and_again_in_the_next_run() {
        let effects = |owner: &Owner| {
            let to = [
                alice(),
                Conversation::c2c("bob"),
                alice(),
                Conversation::group("alice"),
            ];
            to.map(|to| owner.effect_of_send(&to, None).unwrap())
        };
        let first = effects(&owner("echo", Some(1)));
        let distinct: std::collections::HashSet<u64> = first.into();
        assert_eq!(distinct.len(), 4, "{first:?}");
        assert_eq!(effects(&owner("echo", Some(1))), first);
        assert_ne!(effects(&owner("echo", Some(2))), first);
        // What is sent elsewhere in between does not count.
        let other = owner("echo", Some(1));
        other.effect_of_send(&Conversation::c2c("carol"), None);
        assert_eq!(other.effect_of_send(&alice(), None), Some(first[0]));
    }

    #[test]
    fn a_callers_key_is_that_of_its_bot_wherever_it_is_used_and_takes_no_place() {
        let in_handler = owner("billing", Some(1));
        let key = in_handler.effect_of_send(&alice(), Some("17"));
        let beside = Owner::new("billing".into(), None);
        assert_eq!(
            beside.effect_of_send(&Conversation::c2c("bob"), Some("17")),
            key
        );
        assert_ne!(beside.effect_of_send(&alice(), Some("18")), key);
        assert_ne!(
            owner("echo", Some(1)).effect_of_send(&alice(), Some("17")),
            key
        );
        let first = in_handler.effect_of_send(&alice(), None);
        assert_eq!(
            owner("billing", Some(1)).effect_of_send(&alice(), None),
            first
        );
    }

    #[test]
    fn what_is_sent_beside_a_message_has_no_effect_and_a_result_lasts() {
        let ended = owner("echo", Some(1));
        let running = ended.effect_of_result("charge");
        assert!(!running.1);
        ended.exchange().unwrap().close();
        let beside = [ended, owner("echo", None), Owner::new("echo".into(), None)];
        for owner in &beside {
            assert_eq!(owner.effect_of_send(&alice(), None), None);
            let (effect, lasting) = owner.effect_of_result("charge");
            assert!(lasting && effect != running.0);
        }
        assert_eq!(
            beside[0].effect_of_result("charge"),
            beside[2].effect_of_result("charge")
        );
        assert_ne!(
            owner("echo", Some(2)).effect_of_result("charge"),
            running,
            "another message"
        );
    }

    #[test]
    fn the_steps_of_a_handler_are_those_that_do_not_last() {
        let owner = owner("echo", Some(1));
        owner.sent(1, false);
        owner.sent(2, true);
        owner.recorded(3);
        let exchange = owner.exchange().unwrap().clone();
        let closed = exchange.close();
        assert_eq!(
            (closed.steps.letters, closed.steps.results),
            (vec![1], vec![3])
        );
        owner.sent(4, false);
        let closed = exchange.close();
        assert!(closed.steps.letters.is_empty(), "it has ended");
    }

    fn cell(value: &str) -> Cell {
        Cell {
            key: cell_key("echo", Scope::Bot, "x"),
            value: value.into(),
            ends: None,
            at: 1,
        }
    }

    #[test]
    fn writes_take_effect_with_the_end_and_after_it_at_once() {
        let exchange = Exchange::new(Some(1), None);
        let key = cell("1").key;
        assert_eq!(exchange.written(&key), None);
        assert_eq!(exchange.write(key.clone(), Some(cell("1"))), None);
        assert_eq!(exchange.written(&key), Some(Some(cell("1"))));
        assert_eq!(exchange.bytes_written(), 2);
        assert_eq!(exchange.write(key.clone(), None), None);
        assert_eq!(exchange.written(&key), Some(None));
        assert_eq!(exchange.bytes_written(), 0);
        let removed = Change::Removed(Box::new(key.clone()));
        assert_eq!(exchange.close().writes, [removed]);
        let put = Change::Put(Box::new(cell("2")));
        assert_eq!(exchange.write(key, Some(cell("2"))), Some(put));
    }

    #[test]
    fn a_lock_is_given_back_by_whoever_closes_the_exchange() {
        let exchange = Exchange::new(Some(1), None);
        let key = cell("1").key;
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        let held = lock.clone().try_lock_owned().unwrap();
        assert!(exchange.hold(key.clone(), held).is_none());
        assert!(exchange.holds(&key));
        let closed = exchange.close();
        assert!(
            lock.clone().try_lock_owned().is_err(),
            "others would read the value before"
        );
        drop(closed);
        let held = lock.clone().try_lock_owned().unwrap();
        assert!(exchange.hold(key, held).is_some(), "it has ended");
    }
}
