//! Starts handlers: on the thread of the account where the bot is trusted, on the pool elsewhere.

use super::{Host, State, Ticket};
use crate::bot::event::Event;
use crate::bot::isolation::Place;
use crate::bot::lines::Start;
use crate::bot::pool::Label;
use crate::bot::run::{Call, Run};
use crate::bot::seat::Seat;
use crate::policy::Now;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// How long handlers may run in place in one turn of their account, so that other accounts get theirs.
const TURN: Duration = Duration::from_millis(2);

impl Host {
    /// Starts what may be started on the pool. For hosts whose account has no actor at present.
    pub(super) fn run_elsewhere(&self) {
        while let Ok(mut state) = self.lock()
            && let Some((start, seat)) = self.next_start(&mut state, self.ledger.now().mono)
        {
            drop(state);
            self.run_on_pool(self.call(start, seat, None));
        }
    }

    /// Runs what may run, on this thread where the bot is trusted. Returns whether something is left.
    pub(super) fn run_here(&self, at: Now, life: u64) -> bool {
        let mut at = at.mono;
        let until = at + TURN;
        loop {
            let Ok(mut state) = self.lock() else {
                return false;
            };
            if at >= until {
                return state.lines.is_due();
            }
            let Some((start, seat)) = self.next_start(&mut state, at) else {
                return false;
            };
            drop(state);
            let bot = seat.bot.clone();
            let call = self.call(start, seat, Some(life));
            match bot.place() {
                Place::Here if !self.site.pool.is_parked(self.account.name(), bot.name) => {
                    self.run_in_place(call);
                    at = self.ledger.now().mono;
                }
                Place::Here | Place::Pool => self.run_on_pool(call),
            }
        }
    }

    /// The next handler to start, and its seat.
    fn next_start(&self, state: &mut State, now: Duration) -> Option<(Start, Arc<Seat>)> {
        loop {
            let start = state.lines.poll_start(now)?;
            let seats = self.seats();
            if let Some(seat) = seats.get(start.job.line.bot)
                && self.may_begin(seat, &start)
            {
                return Some((start, seat.clone()));
            }
            // Another account has begun with it; bots of this one may wait for its bot.
            for message in start.job.ids() {
                self.leave(state, &seats, &start.job, message);
            }
            drop(state.lines.ended(now, &start.job, true, false));
        }
    }

    fn call(&self, start: Start, seat: Arc<Seat>, life: Option<u64>) -> Call {
        let Start {
            mut job,
            what,
            came,
            only,
            earlier,
            cancel,
        } = start;
        let label = Label {
            account: seat.account.name().clone(),
            bot: seat.bot.name,
            handler: seat.bot.handlers.candidate(&what),
            trust: seat.bot.trust.clone(),
        };
        let trace = self.site.traces.handling(job.spot, job.others(), came);
        job.spot = trace.spot();
        Call {
            event: Event::after(what, seat, earlier, job.spot),
            label,
            trace,
            only,
            cancel,
            ticket: Ticket {
                host: self.me.clone(),
                job,
                life,
                began: false,
                settled: false,
            },
        }
    }

    fn run_on_pool(&self, call: Call) {
        let (pool, label) = (self.site.pool.clone(), call.label.clone());
        let span = label.span(call.ticket.job.line.conversation.as_ref());
        let run = Run::new(call).finish(pool).instrument(span);
        self.site.pool.spawn(label, run);
    }

    /// Polls a handler once, here. One that is not ready then goes to the pool.
    fn run_in_place(&self, call: Call) {
        let (pool, label) = (&self.site.pool, call.label.clone());
        let span = label.span(call.ticket.job.line.conversation.as_ref());
        let polled = span.in_scope(|| pool.in_place(&label, || Run::new(call).first_poll()));
        if let Some(Err(run)) = polled {
            pool.spawn(label, run.finish(pool.clone()).instrument(span));
        }
    }
}
