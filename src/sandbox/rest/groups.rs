//! The group calls. The app stands above every role; most of it are the commands of the clients.

use serde_json::Value;

use super::{Failed, Outcome};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    state::{Actor, State},
};

/// What these calls start with; topics are under the second, members of live rooms under the third.
const SERVICES: [&str; 4] = [
    "group_open_http_svc/",
    "million_group_open_http_svc/",
    "group_open_avchatroom_http_svc/",
    "group_open_attr_http_svc/",
];
/// What calls about reactions and extensions start with, of groups or not.
pub(super) const EXTRAS: &str = "openim_msg_ext_http_svc/";

/// The name of a group call in a path.
pub(super) fn command_of(path: &str) -> Option<&str> {
    let mut services = SERVICES.iter();
    services.find_map(|service| path.strip_prefix(service))
}

/// There is none of that name.
pub(super) fn no_such_command() -> Failed {
    let info = "the sandbox has no such REST command".to_owned();
    Failed(Code::BAD_REQUEST, info)
}

fn app(caller: &UserId) -> Actor {
    Actor {
        user: caller.clone(),
        instance: 0,
        admin: true,
    }
}

impl State {
    /// Carries out the call `command` of the group service.
    pub(super) fn rest_group(
        &mut self,
        now: Now,
        caller: &UserId,
        command: &str,
        body: &Value,
    ) -> Outcome {
        let actor = app(caller);
        let answer = match command {
            "get_role_in_group" => self.roles_in(body),
            "forbid_send_msg" => self.forbid_sending(now, &actor, body),
            "get_group_muted_account"
            | "get_group_shutted_uin"
            | "get_avchatroom_muted_account" => self.muted_in(now, body),
            "group_msg_get_simple" => self.group_page_for_app(&actor, body),
            "send_group_system_notification" => self.custom_notice(now, &actor, body),
            "import_group_member" => self.import_members(now, body),
            "import_group_msg" => self.import_messages(now, &actor, body),
            "get_appid_group_list" => Ok(self.all_groups(body)),
            "send_broadcast_msg" => self.broadcast(now, &actor, body),
            "modify_admin" => self.change_live_admins(now, &actor, body),
            "set_unread_msg_num" => self.set_unread(body),
            "delete_group_msg_by_sender" => self.delete_by_sender(now, &actor, body),
            _ => {
                let command = match command {
                    "get_group_info" => "get_group_public_info",
                    "import_group" => "create_group",
                    other => other,
                };
                let servcmd = format!("group_open_http_svc.{command}");
                let known = self.group_command(now, &actor, &servcmd, body);
                known.ok_or_else(no_such_command)?
            }
        };
        answer.map_err(Failed::from)
    }

    /// Carries out a call about reactions or extensions.
    pub(super) fn rest_extra(
        &mut self,
        now: Now,
        caller: &UserId,
        command: &str,
        body: &Value,
    ) -> Outcome {
        let answer = self.extra_command(now, &app(caller), command, body);
        answer.ok_or_else(no_such_command)?.map_err(Failed::from)
    }
}
