//! The dialogues of an account that wait for an answer. Pure.

use super::script::{Approver, Waits};
use crate::proto::id::UserId;
use crate::proto::message::Conversation;
use botroupe_core::ledger::{Cell, CellKey, Fingerprint, Scope};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Where a dialogue is held: by which bot, in which conversation, with whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::bot) struct DialoguePlace {
    pub(in crate::bot) bot: Box<str>,
    pub(in crate::bot) conversation: Conversation,
    pub(in crate::bot) user: UserId,
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

/// What a dialogue waits for.
#[derive(Debug)]
struct At {
    /// In Unix seconds.
    deadline: u64,
    approver: Option<Box<Approver>>,
}

/// See the module.
#[derive(Debug, Default)]
pub(in crate::bot) struct Waiting {
    places: HashMap<Arc<DialoguePlace>, At>,
    /// Where those are that wait for an approval, by the bot and who is asked.
    approvals: HashMap<(Box<str>, Approver), Arc<DialoguePlace>>,
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
                user: (&*cell.key.name).into(),
            };
            // One that cannot be read is found when the answer comes, and at once.
            let waits = serde_json::from_str(&cell.value).unwrap_or(Waits {
                deadline: 0,
                approver: None,
                question: "".into(),
            });
            waiting.park(place, waits.deadline, waits.approver);
        }
        waiting
    }

    pub(in crate::bot) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(in crate::bot) fn len(&self) -> usize {
        self.places.len()
    }

    /// Where dialogues wait, until when, and where somebody else is asked.
    pub(in crate::bot) fn all(
        &self,
    ) -> impl Iterator<Item = (&Arc<DialoguePlace>, u64, Option<&Conversation>)> {
        self.places.iter().map(|(place, at)| {
            let by = at.approver.as_ref().map(|by| &by.conversation);
            (place, at.deadline, by)
        })
    }

    /// Whether a dialogue waits there; for an answer of its user, or for anything.
    pub(in crate::bot) fn is_at(&self, place: &DialoguePlace) -> bool {
        self.places.contains_key(place)
    }

    /// Whether a dialogue waits there for an answer of its user.
    pub(in crate::bot) fn awaits_answer(&self, place: &DialoguePlace) -> bool {
        let at = self.places.get(place);
        at.is_some_and(|at| at.approver.is_none())
    }

    /// Where the dialogue is that waits for this approval.
    pub(in crate::bot) fn approval(
        &self,
        bot: &str,
        approver: &Approver,
    ) -> Option<&Arc<DialoguePlace>> {
        self.approvals.get(&(bot.into(), approver.clone()))
    }

    /// A dialogue waits there, until `deadline` in Unix seconds.
    pub(in crate::bot) fn park(
        &mut self,
        place: DialoguePlace,
        deadline: u64,
        approver: Option<Approver>,
    ) {
        self.end(&place);
        let place = Arc::new(place);
        self.due.insert((deadline, place.clone()));
        if let Some(approver) = &approver {
            let key = (place.bot.clone(), approver.clone());
            self.approvals.insert(key, place.clone());
        }
        let approver = approver.map(Box::new);
        self.places.insert(place, At { deadline, approver });
    }

    /// No dialogue waits there any more.
    pub(in crate::bot) fn end(&mut self, place: &DialoguePlace) {
        if let Some((place, at)) = self.places.remove_entry(place) {
            if let Some(approver) = at.approver {
                self.approvals.remove(&(place.bot.clone(), *approver));
            }
            self.due.remove(&(at.deadline, place));
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
        let all = self.places.iter();
        self.due = all
            .map(|(place, at)| (at.deadline, place.clone()))
            .collect();
    }

    /// Like [`again`](Self::again), for one bot.
    pub(in crate::bot) fn again_of(&mut self, bot: &str) {
        let places = self.places.iter().filter(|(place, _)| *place.bot == *bot);
        let due = places.map(|(place, at)| (at.deadline, place.clone()));
        self.due.extend(due);
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
        name: (&*place.user).into(),
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
        waiting.park(place("late"), 30, None);
        waiting.park(place("early"), 10, None);
        waiting.park(place("answered"), 10, None);
        waiting.end(&place("answered"));
        waiting.park(place("again"), 5, None);
        waiting.park(place("again"), 20, None);
        assert_eq!(waiting.next_deadline(), Some(10));
        assert_eq!(waiting.lapsed(9), None);
        let users = std::iter::from_fn(|| waiting.lapsed(20)).map(|lapse| lapse.place.user.clone());
        assert_eq!(users.collect::<Vec<_>>(), ["early", "again"]);
        assert!(waiting.is_at(&place("early")), "until it was told");
        assert!(!waiting.is_at(&place("answered")));
        waiting.end(&place("early"));
        assert_eq!(waiting.len(), 2);
        assert_eq!(waiting.lapsed(20), None);
        waiting.again();
        assert!(waiting.lapsed(20).is_some());
    }

    #[test]
    fn an_approval_is_found_by_its_code_where_it_was_asked_for() {
        let approver = |code: &str| Approver {
            conversation: Conversation::group("ops"),
            code: code.into(),
        };
        let mut waiting = Waiting::default();
        waiting.park(place("alice"), 10, Some(approver("7KQ4")));
        assert!(waiting.is_at(&place("alice")) && !waiting.awaits_answer(&place("alice")));
        let found = waiting.approval("survey", &approver("7KQ4"));
        assert_eq!(found.map(|found| &*found.user), Some("alice"));
        assert!(waiting.approval("other", &approver("7KQ4")).is_none());
        assert!(waiting.approval("survey", &approver("7KQ5")).is_none());
        waiting.park(place("alice"), 10, None);
        assert!(waiting.approval("survey", &approver("7KQ4")).is_none());
        assert!(waiting.awaits_answer(&place("alice")));
    }
}
