//! How often the service takes each kind of request, so that an account waits before it is refused.

use crate::policy::Pace;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Groups whose pace is remembered; beyond, those that have long been silent are forgotten.
const MAX_GROUPS: usize = 4096;

/// How quick each group is written to, by all accounts of a process together: the service counts what
/// all members say.
#[derive(Clone, Debug, Default)]
pub struct GroupPaces(Arc<Mutex<BTreeMap<Box<str>, Pace>>>);

impl GroupPaces {
    /// How long a message to this group has to wait for its turn, first come, first served, at the
    /// monotonic time `now`.
    pub(super) fn reserve(&self, now: Duration, group: &str) -> Duration {
        // Held for a look-up; whole even after a panic.
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pace) = paces.get_mut(group) {
            return pace.reserve(now);
        }
        if paces.len() >= MAX_GROUPS {
            paces.retain(|_, pace| pace.is_busy(now));
        }
        let (rate, burst) = GROUP_MESSAGES;
        let pace = paces.entry(group.into());
        pace.or_insert(Pace::new(rate, burst)).reserve(now)
    }
}

/// A limit: requests a second on average, and how many at once.
pub(super) type Limit = (f64, u32);

/// Messages to one group, all its members together. The burst is ours: the others need room too.
const GROUP_MESSAGES: Limit = (40.0, 10);

/// The limit of a command, and the name of the bucket it draws from; several commands share one.
/// `None` where none is known.
#[must_use]
pub(super) fn of(servcmd: &str) -> Option<(&'static str, Limit)> {
    let command = servcmd.rsplit_once('.').map_or(servcmd, |(_, name)| name);
    // Those that may be sent so often "in five seconds" may be sent at once.
    Some(match command {
        "group_msg_get" => ("group history", (20.0, 4)),
        "getroammsg" => ("history", (20.0, 4)),
        "get_group_self_member_info" => ("group profile", (8.0, 2)),
        "modify_group_base_info" => ("group change", (8.0, 2)),
        "get_pendency" => ("applications", (15.0, 3)),
        "get_topic" => ("topics", (10.0, 2)),
        "read_all_unread_msg" => ("read all", (1.0, 1)),
        "set_group_attr" | "modify_group_attr" | "delete_group_attr" | "clear_group_attr" => {
            ("group attributes", (2.0, 10))
        }
        "get_group_attr" => ("reading group attributes", (4.0, 20)),
        "update_group_counter" | "get_group_counter" => ("group counters", (4.0, 20)),
        "ws_get_user_status"
        | "ws_status_subscribe"
        | "ws_status_unsubscribe"
        | "ws_set_custom_status" => ("user status", (4.0, 20)),
        "query" => ("search", (4.0, 20)),
        "follow_check" => ("follow check", (4.0, 20)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accounts_of_a_process_share_the_pace_of_a_group() {
        let one = GroupPaces::default();
        let other = one.clone();
        let waits: Vec<Duration> = (0..24)
            .map(|n| if n % 2 == 0 { &one } else { &other }.reserve(Duration::ZERO, "g"))
            .collect();
        assert!(waits[..10].iter().all(Duration::is_zero));
        assert_eq!(waits[23], Duration::from_millis(25 * 14));
        assert_eq!(other.reserve(Duration::ZERO, "another"), Duration::ZERO);
        for n in 0..MAX_GROUPS {
            one.reserve(Duration::from_secs(9), &n.to_string());
        }
        let known = one.0.lock().unwrap().len();
        assert!(known <= MAX_GROUPS, "{known}");
    }

    #[test]
    fn the_service_of_a_command_does_not_matter() {
        assert_eq!(
            of("group_open_http_svc.group_msg_get"),
            of("million_group_open_http_svc.group_msg_get")
        );
        assert!(of("openim.sendmsg").is_none());
        assert!(of("").is_none());
    }
}
