//! Which bots the account runs, and which of them gets a message.

use super::{Host, State};
use crate::bot::dialogue::may_converse;
use crate::bot::event::{Event, What};
use crate::bot::host::seats::Seats;
use crate::bot::lines::{Job, Start};
use crate::bot::seat::{Seat, SharedBot};
use crate::bot::timer::AlarmKey;
use crate::bot::voices::Turn;
use crate::policy::Now;
use crate::proto::message::Message;
use botroupe_core::ledger::message_id;
use std::sync::{Arc, PoisonError};

impl Host {
    /// The account runs these bots from now on, in this order. One that is another than before takes over what waits
    /// for the old one; what waits for one that is gone is done with, but for its alarms and dialogues, which wait for
    /// it to come back.
    pub fn set_bots(&self, bots: &[Arc<SharedBot>]) {
        let Ok(mut state) = self.lock() else {
            return; // The next host gets them.
        };
        let at = self.ledger.now();
        let mut seats = Seats::clone(&self.seats());
        let changed = seats.set(bots, &self.neighbours, |bot| {
            Arc::new(Seat::new(
                &self.site,
                &self.account,
                &self.ledger,
                bot.clone(),
                &self.neighbours,
                self.recording.clone(),
            ))
        });
        let claims = |bot: usize| claims(&seats, bot);
        for gone in &changed.removed {
            state.deferred.remove(*gone);
            state.lines.remove(at.mono, *gone);
            if let Some(seat) = seats.get(*gone) {
                self.site.voices.leave(seat.bot.name, self.account.user());
                self.ledger
                    .with_alarms(|alarms| alarms.unschedule(seat.bot.name));
            }
            for (message, bot) in state.claims.remove(*gone, claims) {
                state.lines.open_anywhere(bot, message);
            }
        }
        for unbound in changed.replaced.iter().filter(|bot| !claims(**bot)) {
            for (message, bot) in state.claims.release(*unbound, claims) {
                state.lines.open_anywhere(bot, message);
            }
        }
        for number in changed.added.iter().chain(&changed.replaced) {
            let Some(seat) = seats.get(*number) else {
                continue;
            };
            let bot = &seat.bot;
            state.lines.set_overlap(*number, bot.choices.overlap);
            if bot.choices.one_voice {
                self.site.voices.join(bot.name, &self.account, &self.ledger);
            } else {
                self.site.voices.leave(bot.name, self.account.user());
            }
            for (handler, schedule) in bot.handlers.schedules() {
                let key = AlarmKey::of_schedule(bot.name, handler);
                self.ledger.schedule(key, schedule);
            }
            // What became due while the account did not run the bot. A handler that still runs has its alarm.
            if changed.added.contains(number) && !state.lines.runs(*number) {
                self.ledger.with_alarms(|alarms| alarms.again_of(bot.name));
                self.ledger
                    .with_dialogues(|waiting| waiting.again_of(bot.name));
            }
        }
        let wants = |(_, seat): (usize, &Arc<Seat>)| seat.bot.handlers.want_updates();
        self.account.want_updates(seats.iter().any(wants));
        let seats = Arc::new(seats);
        *self.seats.write().unwrap_or_else(PoisonError::into_inner) = seats.clone();
        if state.lines.is_ready() {
            let added = seats
                .iter()
                .filter(|(bot, _)| changed.added.contains(bot) || changed.replaced.contains(bot));
            for (bot, seat) in added {
                for what in [What::Start, What::Ready] {
                    if matches!(what, What::Start) && !seat.starts() {
                        continue;
                    }
                    for handler in seat.bot.handlers.wanting(&what) {
                        state.lines.happened(bot, handler, what.clone());
                    }
                }
            }
        }
        state.wake();
    }

    /// The bot of this name, if the account runs it.
    pub fn bot(&self, name: &str) -> Option<Arc<SharedBot>> {
        let seats = self.seats();
        seats.of_bot(name).map(|(_, seat)| seat.bot.clone())
    }

    /// The bots of `wanting` that do not get a message yet, because another bot or another account comes before them.
    /// Those that do not get it at all are removed.
    pub(super) fn gated(
        &self,
        state: &mut State,
        at: Now,
        seats: &Seats,
        message: &Arc<Message>,
        wanting: &mut Vec<usize>,
    ) -> Vec<usize> {
        let mut gated = Vec::new();
        wanting.retain(|number| {
            let Some(seat) = seats.get(*number) else {
                return false;
            };
            if !seat.bot.choices.one_voice || !message.conversation.is_group() {
                return true;
            }
            // Who has asked hears the answer.
            let event = Event::new(What::Message(message.clone()), seat.clone());
            if seat.bot.handlers.have_dialogues() && may_converse(&event) {
                return true;
            }
            let voices = &self.site.voices;
            match voices.turn(seat.bot.name, self.account.user(), message, false) {
                Turn::Mine => true,
                Turn::Over => false,
                Turn::Wait => {
                    state.deferred.wait(at.mono, *number, message.clone());
                    gated.push(*number);
                    true
                }
            }
        });
        let any_claims = wanting.iter().any(|bot| claims(seats, *bot));
        if any_claims {
            let id = message_id(message);
            let claims = |bot: usize| claims(seats, bot);
            state.claims.came(id, wanting, claims);
            let behind = wanting.iter().filter(|bot| state.claims.holds(id, **bot));
            gated.extend(behind);
        }
        gated
    }

    /// Whether a handler may start: of a bot with one voice another account may have begun.
    pub(super) fn may_begin(&self, seat: &Seat, start: &Start) -> bool {
        let What::Message(message) = &start.what else {
            return true;
        };
        if !seat.bot.choices.one_voice || !message.conversation.is_group() {
            return true;
        }
        let begin = |message: &Arc<Message>| {
            let voices = &self.site.voices;
            voices.begin(seat.bot.name, self.account.user(), message)
        };
        // All of them are begun with it.
        let begun = start.earlier.iter().chain([message]).map(begin);
        begun.fold(false, |any, begun| any | begun)
    }

    /// Looks whether another account has begun what bots here wait with.
    pub(super) fn look_at_deferred(&self, state: &mut State, at: Now) {
        if state
            .deferred
            .poll_timeout()
            .is_none_or(|due| due > at.mono)
        {
            return;
        }
        let seats = self.seats();
        let ask = |bot: usize, message: &Message, impatient: bool| match seats.get(bot) {
            Some(seat) => {
                let voices = &self.site.voices;
                voices.turn(seat.bot.name, self.account.user(), message, impatient)
            }
            None => Turn::Over,
        };
        for (bot, message, is_mine) in state.deferred.look(at.mono, ask) {
            let (id, place) = (message_id(&message), &message.conversation);
            if is_mine {
                if !state.claims.holds(id, bot) {
                    state.lines.open(bot, place, id);
                }
                continue;
            }
            let claims = |bot: usize| claims(&seats, bot);
            for next in state.claims.left(id, bot, claims) {
                if !state.deferred.holds(next, id) {
                    state.lines.open(next, place, id);
                }
            }
            state.lines.withdraw(bot, place, id);
        }
    }

    /// A bot is done with a job: those after it get its messages, unless it has claimed them. Returns those that do not.
    pub(super) fn decide(
        &self,
        seats: &Seats,
        job: &Job,
        has_claimed: bool,
    ) -> Vec<(&'static str, u64)> {
        let bot = job.line.bot;
        if job.message().is_none() || !claims(seats, bot) {
            return Vec::new();
        }
        let (Ok(mut state), Some(place)) = (self.lock(), &job.line.conversation) else {
            return Vec::new();
        };
        let mut also = Vec::new();
        for id in job.ids() {
            if !has_claimed {
                self.leave(&mut state, seats, job, id);
                continue;
            }
            for other in state.claims.claimed(id, bot) {
                state.lines.withdraw(other, place, id);
                also.extend(seats.get(other).map(|seat| (seat.bot.name, id)));
            }
        }
        also
    }

    /// A bot has left a message to those after it.
    pub(super) fn leave(&self, state: &mut State, seats: &Seats, job: &Job, message: u64) {
        let Some(place) = &job.line.conversation else {
            return;
        };
        let claims = |bot: usize| claims(seats, bot);
        for next in state.claims.left(message, job.line.bot, claims) {
            if !state.deferred.holds(next, message) {
                state.lines.open(next, place, message);
            }
        }
    }
}

fn claims(seats: &Seats, bot: usize) -> bool {
    seats.get(bot).is_some_and(|seat| seat.bot.choices.claims)
}
