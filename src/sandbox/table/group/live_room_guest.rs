//! Guests of live rooms, which have no login.

use crate::proto::code::Code;
use serde_json::{Value, value::RawValue};
use std::collections::{HashMap, VecDeque};

/// The command with which a guest enters.
pub(crate) const ENTER: &str = "group_open_http_noauth_svc.apply_join_group";

/// The command with which a guest polls.
pub(crate) const POLL: &str = "group_open_long_polling_http_noauth_svc.get_msg";

/// The guests of all rooms, by key.
#[derive(Debug, Default)]
pub(crate) struct Guests {
    pub(crate) visits: HashMap<String, Visit>,
    /// The keys, oldest first.
    pub(crate) order: VecDeque<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) room: String,
    /// The number of the next item at the time the guest entered.
    pub(crate) start: u64,
}

pub(crate) fn parse(body: &RawValue) -> Result<Value, Code> {
    serde_json::from_str(body.get()).map_err(|_| Code::GROUP_PARAMETER)
}

impl Guests {
    pub(crate) fn admit(&mut self, key: String, visit: Visit, limit: usize) {
        self.visits.insert(key.clone(), visit);
        self.order.push_back(key);
        while self.order.len() > limit {
            if let Some(oldest) = self.order.pop_front() {
                self.visits.remove(&oldest);
            }
        }
    }
}
