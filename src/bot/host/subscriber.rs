//! What the account tells its host, and what it asks.

use super::Host;
use crate::account::{AccountEvent, OutboxError, SpillRead, Subscriber, Wish};
use crate::bot::event::What;
use crate::bot::lines::Over;
use crate::policy::Now;
use crate::proto::update::Update;
use botroupe_core::ledger::{SpillLine, update_id};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

impl Subscriber for Host {
    fn is_alive(&self) -> bool {
        !self.state.is_poisoned()
    }

    fn attach(&self, _: Now, life: u64, waker: &Waker) {
        if let Ok(mut state) = self.lock() {
            state.waker = Some(waker.clone());
            if std::mem::replace(&mut state.life, life) != life {
                state.replies.account_replaced();
            }
        }
    }

    fn detach(&self, life: u64) {
        if let Ok(mut state) = self.lock()
            && state.life == life
        {
            state.waker = None;
        }
        self.ledger.flush();
    }

    fn deliver(&self, at: Now, event: AccountEvent) -> Result<(), Box<Update>> {
        let Ok(mut state) = self.lock() else {
            return Ok(()); // The account will notice.
        };
        let mut took = Ok(());
        let tape = self.site.tape.as_ref();
        if let Some(tape) = tape
            && matches!(event, AccountEvent::Ready | AccountEvent::NotReady(_))
        {
            tape.note(self.ledger.account().user(), at, &event);
        }
        match event {
            AccountEvent::Ready => self.is_ready(&mut state),
            AccountEvent::NotReady(cause) => {
                state.lines.set_ready(false);
                self.happened(&mut state, &What::NotReady(cause));
            }
            AccountEvent::Message(message) => self.message(&mut state, at, message),
            AccountEvent::Update(update) => {
                let recorded = tape.map(|tape| (tape, update.clone()));
                took = self.update(&mut state, update);
                // What there is no room for comes again.
                if let Some((tape, update)) = recorded.filter(|_| took.is_ok()) {
                    tape.note_update(self.ledger.account().user(), at, &update);
                }
            }
        }
        let is_alone = state.waker.is_none();
        drop(state);
        if is_alone {
            self.run_elsewhere();
        }
        took
    }

    fn returned(&self, at: Now, number: u64, update: Box<Update>) {
        let Ok(mut state) = self.lock() else {
            return;
        };
        if let Some(tape) = &self.site.tape {
            tape.note_update(self.ledger.account().user(), at, &update);
        }
        let what = What::Update(Arc::from(update));
        let id = update_id(number);
        let is_durable = self.ledger.is_durable();
        let seats = self.seats();
        let name = |bot: usize| seats.get(bot).map_or("", |seat| seat.bot.name);
        let is_over = |bot: &usize| is_durable && self.ledger.is_handled(name(*bot), id);
        let wanting: Vec<usize> = Self::wanting(&seats, &state.lines, &what)
            .filter(|bot| !is_over(bot))
            .collect();
        state.lines.returned(number, id, &what, &wanting);
        let is_alone = state.waker.is_none();
        drop(state);
        if is_alone {
            self.run_elsewhere();
        }
    }

    fn spill(&self, line: SpillLine, body: Box<str>) {
        self.ledger.spill(line, body);
    }

    fn read_spill(&self, line: SpillLine, after: u64, limit: usize) -> SpillRead {
        Box::pin(self.ledger.read_spill(line, after, limit))
    }

    fn unspill(&self, number: u64) {
        self.ledger.unspill(number);
    }

    fn proceed(&self, at: Now, life: u64) -> bool {
        if let Ok(mut state) = self.lock() {
            self.take_written(&mut state, at);
            self.time_has_come(&mut state, at);
        }
        self.run_here(at, life)
    }

    fn poll_wish(&self, life: u64) -> Option<Wish> {
        let mut state = self.lock().ok()?;
        if state.life != life {
            return None;
        }
        if let Some(reply) = state.replies.poll() {
            return Some(Wish::Reply(reply));
        }
        let (over, done) = state.lines.poll_finished()?;
        drop(state);
        let (id, wish) = match over {
            Over::Message(receipt) => (receipt.id(), Wish::Finished(receipt, done)),
            Over::Update(number) => (update_id(number), Wish::UpdateOver(number, done)),
        };
        // Until now it comes again if the host dies. What a bot left unhandled stays unread.
        if done {
            self.ledger.is_over(self.seats().names(), id);
        }
        Some(wish)
    }

    fn settled(&self, at: Now, reply: u64, outcome: Result<String, OutboxError>) {
        if let Ok(mut state) = self.lock() {
            let draining = state.lines.is_draining();
            let letter = state.replies.letter_of(reply);
            let persists = letter.is_some_and(|letter| !self.ledger.is_awaited(letter));
            let how = (draining, persists);
            let ended = state.replies.settled(at.mono, reply, outcome, how);
            self.replied(&mut state, at, ended);
        }
    }

    fn all_read(&self) {
        self.ledger.all_read();
    }

    fn poll_timeout(&self) -> Option<Duration> {
        let state = self.lock().ok()?;
        let (lines, replies) = (state.lines.poll_timeout(), state.replies.poll_timeout());
        let deferred = state.deferred.poll_timeout();
        let due = self.ledger.next_lapse().into_iter();
        let due = due.chain(self.ledger.next_alarm_due()).min();
        let due = due.map(|due| {
            let now = self.ledger.now();
            now.mono + Duration::from_secs(due).saturating_sub(now.unix)
        });
        let all = lines.into_iter().chain(replies).chain(deferred);
        all.chain(due).min()
    }
}
