//! How often the service takes each kind of request, so that an account waits before it is refused.

/// A limit: requests a second on average, and how many at once.
pub(super) type Limit = (f64, u32);

/// Messages to one group, all its members together. The burst is ours: the others need room too.
pub(super) const GROUP_MESSAGES: Limit = (40.0, 10);

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
    fn the_service_of_a_command_does_not_matter() {
        assert_eq!(
            of("group_open_http_svc.group_msg_get"),
            of("million_group_open_http_svc.group_msg_get")
        );
        assert!(of("openim.sendmsg").is_none());
        assert!(of("").is_none());
    }
}
