//! The bots of an account, which may change while it runs.

use crate::bot::seat::{Neighbours, Seat, SharedBot};
use std::sync::Arc;

/// See the module. A bot keeps its number, also while the account does not run it.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats {
    all: Vec<Arc<Seat>>,
    /// The numbers of those that the account runs, in their order.
    order: Vec<usize>,
}

/// What a change of the bots means.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// The numbers of bots that the account did not run.
    pub(super) added: Vec<usize>,
    /// The numbers of bots that are others than before.
    pub(super) replaced: Vec<usize>,
    /// The numbers of bots that the account runs no more.
    pub(super) removed: Vec<usize>,
}

impl Seats {
    /// Those that the account runs, with their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Arc<Seat>)> {
        let order = self.order.iter();
        order.filter_map(|number| Some((*number, self.all.get(*number)?)))
    }

    /// The seat of this number, also of a bot that the account runs no more.
    pub(super) fn get(&self, number: usize) -> Option<&Arc<Seat>> {
        self.all.get(number)
    }

    /// The bot of this name that the account runs.
    pub(super) fn of_bot(&self, name: &str) -> Option<(usize, &Arc<Seat>)> {
        self.iter().find(|(_, seat)| seat.bot.name == name)
    }

    /// The names of those that the account runs.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.iter().map(|(_, seat)| seat.bot.name)
    }

    /// The account runs these bots from now on, in this order; `seat` makes a seat for one.
    pub(super) fn set(
        &mut self,
        bots: &[Arc<SharedBot>],
        neighbours: &Neighbours,
        seat: impl Fn(&Arc<SharedBot>) -> Arc<Seat>,
    ) -> Changed {
        neighbours.set(bots);
        let before = std::mem::take(&mut self.order);
        let mut changed = Changed::default();
        for bot in bots {
            let known = self.all.iter().position(|seat| seat.bot.name == bot.name);
            let number = known.unwrap_or(self.all.len());
            let was_there = before.contains(&number);
            let is_same = |seat: &Arc<Seat>| Arc::ptr_eq(&seat.bot, bot);
            if !was_there || !self.get(number).is_some_and(is_same) {
                if was_there {
                    changed.replaced.push(number);
                } else {
                    changed.added.push(number);
                }
                match self.all.get_mut(number) {
                    // What it runs in the background ends.
                    Some(old) => std::mem::replace(old, seat(bot)).end(),
                    None => self.all.push(seat(bot)),
                }
            }
            self.order.push(number);
        }
        let removed = before.into_iter();
        changed.removed = removed
            .filter(|number| !self.order.contains(number))
            .collect();
        for seat in changed.removed.iter().filter_map(|gone| self.get(*gone)) {
            seat.end();
        }
        changed
    }
}
