//! The queue of what a session tells its shell, and which troubles it has told already.

use super::event::{Event, Ignored, Part};
use super::request::{InFlight, Purpose, RequestError, RequestId};
use std::collections::{BTreeSet, VecDeque};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Events {
    queue: VecDeque<Event>,
    /// Parts that are not heard at present: each trouble is told when it begins and when it ends.
    troubles: BTreeSet<Part>,
}

impl Events {
    pub(super) fn push(&mut self, event: Event) {
        self.queue.push_back(event);
    }

    pub(super) fn ignore(&mut self, what: Ignored) {
        self.push(Event::Ignored(what));
    }

    /// A part is not heard for this reason, or is heard again (`None`).
    pub(super) fn set_trouble(&mut self, part: Part, reason: Option<&RequestError>) {
        let changed = match reason {
            Some(_) => self.troubles.insert(part.clone()),
            None => self.troubles.remove(&part),
        };
        if changed {
            let reason = reason.map(ToString::to_string);
            self.push(Event::Trouble { part, reason });
        }
    }

    /// Settles a request of the caller; those of the session itself are dropped.
    pub(super) fn settle(&mut self, request: &InFlight, outcome: Result<String, RequestError>) {
        if request.purpose == Purpose::User {
            self.push(Event::Settled {
                id: RequestId(request.seq),
                outcome,
            });
        }
    }

    pub(super) fn poll(&mut self) -> Option<Event> {
        let event = self.queue.pop_front();
        if event.is_none() && self.queue.capacity() > 0 {
            self.queue = VecDeque::new();
        }
        event
    }
}
