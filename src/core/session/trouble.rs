//! What is not heard at present, so that each trouble is told when it begins and when it ends.

use super::event::{Event, Part};
use super::request::RequestError;
use super::state::Session;

impl Session {
    /// A part is not heard, for this reason, or is again.
    pub(super) fn set_trouble(&mut self, part: Part, reason: Option<&RequestError>) {
        let changed = match reason {
            Some(_) => self.troubles.insert(part.clone()),
            None => self.troubles.remove(&part),
        };
        if changed {
            let reason = reason.map(ToString::to_string);
            self.events.push_back(Event::Trouble { part, reason });
        }
    }
}
