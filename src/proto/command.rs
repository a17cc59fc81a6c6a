//! Names of the commands (`head.servcmd`). See "Envelope" in `docs/src/protocol.md`.

use super::address::is_community;
use std::borrow::Cow;

/// Returns the group command `name` for this group. Communities have their own service.
#[must_use]
pub fn of_group(servcmd: &'static str, group: &str) -> Cow<'static, str> {
    if is_community(group) {
        format!("million_{servcmd}").into()
    } else {
        servcmd.into()
    }
}

/// Returns whether a client may repeat a request whose outcome it does not know: queries, messages
/// (the server recognises a repeated one by its key), and commands that set a value named in the
/// request. Commands that create, add, count or join are not repeatable, and neither are unknown
/// commands.
#[must_use]
pub fn may_be_repeated(servcmd: &str) -> bool {
    let (service, command) = servcmd.rsplit_once('.').unwrap_or(("", servcmd));
    let asks = command.starts_with("get_")
        || command.starts_with("ws_get_")
        || command.ends_with("_get")
        || command.ends_with("_check")
        || command.ends_with("_get_all")
        || command.ends_with("msg_get")
        || command.ends_with("_iterate")
        || command.ends_with("_multi_stat");
    let settles = matches!(
        command,
        "sendmsg"
            | "send_group_msg"
            | "query"
            | "getmsg"
            | "getroammsg"
            | "get_msg"
            | "msgreaded"
            | "msg_read_report"
            | "read_all_unread_msg"
            | "c2c_msg_read_receipt"
            | "group_msg_receipt"
            | "pre_sig"
            | "simple_sig"
            | "video_cover"
            | "ws_sentence_recognition"
            | "ws_batch_trans_text"
            | "ws_set_do_not_disturb"
            | "ws_set_custom_status"
            | "ws_status_subscribe"
            | "ws_status_unsubscribe"
            | "set_c2c_peer_mute_notifications"
            | "portrait_set"
            | "modify_group_base_info"
            | "modify_group_member_info"
            | "forbid_send_msg"
            | "pendency_report"
    );
    (asks && service != "group_open_long_polling_http_svc") || settles
}

/// Returns whether a request sends a message.
#[must_use]
pub fn sends(servcmd: &str) -> bool {
    let (_, command) = servcmd.rsplit_once('.').unwrap_or(("", servcmd));
    matches!(command, "sendmsg" | "send_group_msg")
}

/// Heartbeat. Every success code is a valid answer.
pub const HEARTBEAT: &str = "heartbeat.alive";
/// Login, and the re-login after a lost connection.
pub const LOGIN: &str = "im_open_status.wslogin";
/// Logout, and the acknowledgement of a kick.
pub const LOGOUT: &str = "im_open_status.wslogout";
/// Periodic check that the login is still valid.
pub const HELLO: &str = "im_open_status.wshello";
/// Push: the server has kicked this instance.
pub const FORCE_OFFLINE: &str = "im_open_status.stat_forceoffline";
/// Push: messages and notices.
pub const MSG_PUSH: &str = "im_open_push.msg_push";
/// Push: messages of large groups; same body as [`MSG_PUSH`].
pub const MULTI_MSG_PUSH: &str = "im_open_push.multi_msg_push_ws";
/// Acknowledgement of a push that asked for one. The server does not answer it.
pub const PUSH_ACK: &str = "openim.ws_msg_push_ack";
/// Fetches missed C2C messages, starting at a cookie.
pub const GET_MSG: &str = "openim.getmsg";
/// Sends a C2C message.
pub const SEND_C2C: &str = "openim.sendmsg";
/// Lists the groups of an account.
pub const JOINED_GROUPS: &str = "group_open_http_svc.get_joined_group_list";
/// Lists the communities of an account.
pub const JOINED_COMMUNITIES: &str = "million_group_open_http_svc.get_joined_group_list";
/// Lists the topics of a community.
pub const TOPICS: &str = "million_group_open_http_svc.get_topic";
/// Joins a group, or applies to join it.
pub const JOIN_GROUP: &str = "group_open_http_svc.apply_join_group";
/// Polls a live room for new messages.
pub const POLL_ROOM: &str = "group_open_long_polling_http_svc.get_msg";
/// Fetches messages of a group by their sequence numbers.
pub const GROUP_HISTORY: &str = "group_open_http_svc.group_msg_get";
/// Sends a group message.
pub const SEND_GROUP: &str = "group_open_http_svc.send_group_msg";
/// Recalls a C2C message.
pub const RECALL_C2C: &str = "openim.msgwithdraw";
/// Push: a command is overloaded, and the client must not send it for a while.
pub const OVERLOAD: &str = "OverLoadPush.notify2";
/// Push: the client must log in again on the same connection.
pub const KICK_OTHER: &str = "StatSvc.KickOther";
/// Reports group messages as read.
pub const READ_GROUP: &str = "group_open_http_svc.msg_read_report";
/// Reports C2C messages as read.
pub const READ_C2C: &str = "openim.msgreaded";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_done_twice_is_not_repeated() {
        for servcmd in [
            "group_open_http_svc.create_group",
            "million_group_open_http_svc.create_topic",
            "group_open_http_svc.update_group_counter",
            "group_open_http_svc.add_group_member",
            "group_open_http_svc.apply_join_group",
            "openim.msgwithdraw",
            "openim.modify_c2c_msg",
            "sns.friend_add",
            "my_service.something",
            "nothing",
        ] {
            assert!(!may_be_repeated(servcmd), "{servcmd}");
        }
        for servcmd in [
            SEND_C2C,
            SEND_GROUP,
            "million_group_open_http_svc.send_group_msg",
            GROUP_HISTORY,
            READ_C2C,
            READ_GROUP,
            "sns.friend_get",
            "profile.portrait_get_all",
            "im_open_status.ws_get_user_status",
        ] {
            assert!(may_be_repeated(servcmd), "{servcmd}");
        }
    }
}
