//! Which bots of an account wait for the answer of one before them. Pure.
//!
//! The bots of an account have an order. A message that a bot which [claims](super::Bot::claims) has answered is its
//! own: the bots after it do not get it. They have it in their lines from the beginning, behind a gate, so that they
//! keep its place.

use std::collections::{HashMap, VecDeque};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// By the fingerprint of a message.
    open: HashMap<u64, Behind>,
}

#[derive(Debug)]
struct Behind {
    /// The bot whose answer decides.
    before: usize,
    /// The bots that wait for it, in their order.
    bots: VecDeque<usize>,
}

impl Claims {
    /// A message came that these bots want, in their order. Those after the first that `claims` wait.
    pub(super) fn came(&mut self, message: u64, wanting: &[usize], claims: impl Fn(usize) -> bool) {
        let mut wanting = wanting.iter().copied();
        if let Some(before) = wanting.by_ref().find(|bot| claims(*bot)) {
            let bots: VecDeque<usize> = wanting.collect();
            if !bots.is_empty() {
                self.open.insert(message, Behind { before, bots });
            }
        }
    }

    /// Whether a bot waits for a message.
    pub(super) fn holds(&self, message: u64, bot: usize) -> bool {
        let behind = self.open.get(&message);
        behind.is_some_and(|behind| behind.bots.contains(&bot))
    }

    /// A bot has left a message to the others. Returns those that may have it now.
    pub(super) fn left(
        &mut self,
        message: u64,
        bot: usize,
        claims: impl Fn(usize) -> bool,
    ) -> Vec<usize> {
        let Some(behind) = self.open.get_mut(&message) else {
            return Vec::new();
        };
        if behind.before != bot {
            return Vec::new();
        }
        let mut free = Vec::new();
        while let Some(next) = behind.bots.pop_front() {
            free.push(next);
            if claims(next) && !behind.bots.is_empty() {
                behind.before = next;
                return free;
            }
        }
        self.open.remove(&message);
        free
    }

    /// A bot has answered a message. Returns those that do not get it.
    pub(super) fn claimed(&mut self, message: u64, bot: usize) -> Vec<usize> {
        match self.open.get(&message) {
            Some(behind) if behind.before == bot => {}
            _ => return Vec::new(),
        }
        let behind = self.open.remove(&message);
        behind.map_or_else(Vec::new, |behind| behind.bots.into())
    }

    /// The account runs this bot no more. Returns who may have which messages now.
    pub(super) fn remove(
        &mut self,
        bot: usize,
        claims: impl Fn(usize) -> bool,
    ) -> Vec<(u64, usize)> {
        let mut free = self.release(bot, claims);
        for behind in self.open.values_mut() {
            behind.bots.retain(|waiting| *waiting != bot);
        }
        self.open.retain(|_, behind| !behind.bots.is_empty());
        free.retain(|(_, waiting)| *waiting != bot);
        free
    }

    /// Nobody waits for this bot any more. Returns who may have which messages now.
    pub(super) fn release(
        &mut self,
        bot: usize,
        claims: impl Fn(usize) -> bool,
    ) -> Vec<(u64, usize)> {
        let mut free = Vec::new();
        let waits_for_it = |behind: &Behind| behind.before == bot;
        let open = self.open.iter();
        let open: Vec<u64> = open
            .filter(|(_, behind)| waits_for_it(behind))
            .map(|(message, _)| *message)
            .collect();
        for message in open {
            let bots = self.left(message, bot, &claims);
            free.extend(bots.into_iter().map(|bot| (message, bot)));
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_after_a_bot_that_claims_wait_for_its_word() {
        let claims = |bot: usize| bot == 1 || bot == 3;
        let mut open = Claims::default();
        open.came(7, &[0, 1, 2, 3, 4], claims);
        let held = |open: &Claims| (0..5).filter(|bot| open.holds(7, *bot)).collect::<Vec<_>>();
        assert_eq!(held(&open), [2, 3, 4]);
        assert_eq!(open.left(7, 0, claims), [0; 0], "nobody waits for it");
        assert_eq!(open.claimed(7, 0), [0; 0]);
        assert_eq!(open.left(7, 1, claims), [2, 3]);
        assert_eq!(held(&open), [4]);
        assert_eq!(open.claimed(7, 3), [4]);
        assert!(open.open.is_empty());
        open.came(8, &[1], claims);
        open.came(9, &[0, 2], claims);
        assert!(open.open.is_empty(), "nobody waits");
    }

    #[test]
    fn a_bot_that_claims_no_more_lets_those_behind_it_go_and_waits_on_itself() {
        let mut open = Claims::default();
        open.came(7, &[0, 1, 2], |bot| bot < 2);
        open.came(8, &[1, 2], |bot| bot < 2);
        // Bot 1 has other settings now.
        assert_eq!(open.release(1, |bot| bot == 0), [(8, 2)]);
        assert!(open.holds(7, 1) && open.holds(7, 2));
        assert_eq!(open.left(7, 0, |bot| bot == 0), [1, 2]);
    }

    #[test]
    fn a_bot_that_is_removed_holds_nobody_up() {
        let claims = |bot: usize| bot < 2;
        let mut open = Claims::default();
        open.came(7, &[0, 1, 2], claims);
        open.came(8, &[1, 2], claims);
        assert_eq!(open.remove(0, claims), [(7, 1)]);
        assert_eq!(open.remove(2, claims), []);
        assert!(open.open.is_empty());
    }
}
