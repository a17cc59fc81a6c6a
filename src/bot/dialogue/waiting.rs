//! The dialogues of an account that wait for an answer. Pure.

use super::script::Deadline;
use crate::proto::message::Conversation;
use botroupe_core::ledger::{Cell, CellKey, Fingerprint, Scope};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Where a dialogue is held: by which bot, in which conversation, with whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::bot) struct DialoguePlace {
    pub(in crate::bot) bot: Box<str>,
    pub(in crate::bot) conversation: Conversation,
    pub(in crate::bot) user: Box<str>,
}

/// The time for an answer is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bot) struct Lapse {
    pub(in crate::bot) place: Arc<DialoguePlace>,
    deadline: u64,
}

impl Lapse {
    /// The name of the event.
    pub(in crate::bot) fn id(&self) -> u64 {
        Fingerprint::new("lapse")
            .text(&self.place.bot)
            .number(u64::from(self.place.conversation.is_group()))
            .text(self.place.conversation.name())
            .text(&self.place.user)
            .number(self.deadline)
            .finish()
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(in crate::bot) struct Waiting {
    deadlines: HashMap<Arc<DialoguePlace>, u64>,
    due: BTreeSet<(u64, Arc<DialoguePlace>)>,
}

impl Waiting {
    /// Those that an earlier process left.
    pub(in crate::bot) fn recovered(cells: &[Cell]) -> Self {
        let mut waiting = Self::default();
        for cell in cells {
            let Scope::Dialogues(_, conversation) = &cell.key.scope else {
                continue;
            };
            let place = DialoguePlace {
                bot: cell.key.bot.clone(),
                conversation: conversation.clone(),
                user: cell.key.name.clone(),
            };
            // One that cannot be read is found when the answer comes, and at once.
            let deadline = serde_json::from_str(&cell.value);
            let deadline = deadline.map_or(0, |Deadline { deadline }| deadline);
            waiting.park(place, deadline);
        }
        waiting
    }

    pub(in crate::bot) fn is_empty(&self) -> bool {
        self.deadlines.is_empty()
    }

    pub(in crate::bot) fn len(&self) -> usize {
        self.deadlines.len()
    }

    /// Whether a dialogue waits there.
    pub(in crate::bot) fn is_at(&self, place: &DialoguePlace) -> bool {
        self.deadlines.contains_key(place)
    }

    /// A dialogue waits there, until `deadline` in Unix seconds.
    pub(in crate::bot) fn park(&mut self, place: DialoguePlace, deadline: u64) {
        self.end(&place);
        let place = Arc::new(place);
        self.due.insert((deadline, place.clone()));
        self.deadlines.insert(place, deadline);
    }

    /// No dialogue waits there any more.
    pub(in crate::bot) fn end(&mut self, place: &DialoguePlace) {
        if let Some((place, deadline)) = self.deadlines.remove_entry(place) {
            self.due.remove(&(deadline, place));
        }
    }

    /// The next dialogue whose time is over. It waits until somebody ends it.
    pub(in crate::bot) fn lapsed(&mut self, now: u64) -> Option<Lapse> {
        let (deadline, _) = self.due.first()?;
        if *deadline > now {
            return None;
        }
        let (deadline, place) = self.due.pop_first()?;
        Some(Lapse { place, deadline })
    }

    /// Those that have lapsed and that nobody has ended lapse once more: who was told is gone.
    pub(in crate::bot) fn again(&mut self) {
        let all = self.deadlines.iter();
        self.due = all.map(|(place, at)| (*at, place.clone())).collect();
    }

    /// When the time of the next is over, in Unix seconds.
    pub(in crate::bot) fn next_deadline(&self) -> Option<u64> {
        self.due.first().map(|(deadline, _)| *deadline)
    }
}

/// The value that keeps a dialogue.
pub(in crate::bot) fn cell_of(
    place: &DialoguePlace,
    account: botroupe_core::ledger::AccountNo,
) -> CellKey {
    CellKey {
        bot: place.bot.clone(),
        scope: Scope::Dialogues(account, place.conversation.clone()),
        name: place.user.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(user: &str) -> DialoguePlace {
        DialoguePlace {
            bot: "survey".into(),
            conversation: Conversation::c2c(user),
            user: user.into(),
        }
    }

    #[test]
    fn dialogues_lapse_in_the_order_of_their_deadlines_and_once() {
        let mut waiting = Waiting::default();
        waiting.park(place("late"), 30);
        waiting.park(place("early"), 10);
        waiting.park(place("answered"), 10);
        waiting.end(&place("answered"));
        waiting.park(place("again"), 5);
        waiting.park(place("again"), 20);
        assert_eq!(waiting.next_deadline(), Some(10));
        assert_eq!(waiting.lapsed(9), None);
        let users = std::iter::from_fn(|| waiting.lapsed(20)).map(|lapse| lapse.place.user.clone());
        assert_eq!(users.collect::<Vec<_>>(), ["early".into(), "again".into()]);
        assert!(waiting.is_at(&place("early")), "until it was told");
        assert!(!waiting.is_at(&place("answered")));
        waiting.end(&place("early"));
        assert_eq!(waiting.len(), 2);
        assert_eq!(waiting.lapsed(20), None);
        waiting.again();
        assert!(waiting.lapsed(20).is_some());
    }
}
