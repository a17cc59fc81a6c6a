//! One call of a handler, as far as the ledger is concerned: what it sent, recorded and changed on its way.

use super::book::Steps;
use crate::proto::message::Conversation;
use botroupe_core::ledger::{Cell, CellKey, Change, Fingerprint, Scope};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// See the module.
#[derive(Debug)]
pub(in crate::bot) struct Exchange {
    /// See [`exchange`](botroupe_core::ledger::exchange); `None` when the event is no message.
    id: Option<u64>,
    /// The conversation and the sender of the message.
    pub(in crate::bot) place: Option<(Conversation, Box<str>)>,
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
    /// Values that nobody else may change before the end.
    locks: Vec<(CellKey, OwnedMutexGuard<()>)>,
}

impl Exchange {
    pub(in crate::bot) fn new(id: Option<u64>, place: Option<(Conversation, Box<str>)>) -> Self {
        Self {
            id,
            place,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while holding it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handler has ended. Returns what it did and what it changed.
    pub(super) fn close(&self) -> (Steps, Vec<Change>) {
        let mut state = self.state();
        state.is_over = true;
        state.locks.clear();
        let writes = std::mem::take(&mut state.writes);
        let writes = writes.into_iter().map(|(key, cell)| match cell {
            Some(cell) => Change::Put(Box::new(cell)),
            None => Change::Removed(Box::new(key)),
        });
        (std::mem::take(&mut state.steps), writes.collect())
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

/// What a value belongs to.
pub(in crate::bot) fn cell_key(bot: &str, scope: Scope, name: &str) -> CellKey {
    CellKey {
        bot: bot.into(),
        scope,
        name: name.into(),
    }
}
