//! Guests of live rooms, who have no login.

use crate::proto::code::Code;
use serde_json::{Value, value::RawValue};
use std::collections::{HashMap, VecDeque};

/// Looking in.
pub(crate) const ENTER: &str = "group_open_http_noauth_svc.apply_join_group";

/// Asking what is new.
pub(crate) const POLL: &str = "group_open_long_polling_http_noauth_svc.get_msg";

/// The guests of all rooms, by their keys.
#[derive(Debug, Default)]
pub(crate) struct Guests {
    pub(crate) visits: HashMap<String, Visit>,
    /// The keys, oldest first.
    pub(crate) order: VecDeque<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) room: String,
    /// The number of what was said next when the guest came.
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
