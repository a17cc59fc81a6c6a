//! From a group command to what carries it out.

use serde_json::Value;

use super::{Actor, attributes::Change, opt_text};
use crate::{policy::Now, proto::code::Code, state::State};

/// The services under which group commands exist. Which one is used says nothing, except to the
/// lists of groups and applications.
const SERVICES: &[&str] = &[
    "group_open_http_svc",
    "million_group_open_http_svc",
    "group_open_attr_http_svc",
    "group_open_avchatroom_http_svc",
];

/// Commands that may change who is a member, and what.
const MEMBERSHIP: &[&str] = &[
    "destroy_group",
    "change_group_owner",
    "apply_join_group",
    "handle_apply_join_group",
    "handle_invite_join_group",
    "handle_invite_join_permission_group",
    "quit_group",
    "add_group_member",
    "delete_group_member",
    "modify_group_member_info",
];

impl State {
    /// Carries out a group command; `None` if `servcmd` is none the sandbox knows.
    pub(crate) fn group_command(
        &mut self,
        now: Now,
        actor: &Actor,
        servcmd: &str,
        body: &Value,
    ) -> Option<Result<Value, Code>> {
        if servcmd == "openim.modify_group_msg" {
            return Some(self.edit_group_message(now, actor, body));
        }
        let (service, command) = servcmd.split_once('.')?;
        if !SERVICES.contains(&service) {
            return None;
        }
        let of_membership = opt_text(body, "GroupId").filter(|_| MEMBERSHIP.contains(&command));
        let group = of_membership.and_then(|id| self.groups.all.get(id));
        // A topic is nobody's to join or leave by itself, nor to end.
        if group.is_some_and(|group| group.community.is_some()) {
            return Some(Err(Code::GROUP_UNKNOWN));
        }
        let communities = service.starts_with("million_");
        let outcome = match command {
            "create_group" => self.create_group(now, actor, body),
            "destroy_group" => self.dismiss_group(now, actor, body),
            "change_group_owner" => self.change_owner(now, actor, body),
            "modify_group_base_info" => self.modify_group(now, actor, body),
            "apply_join_group" => self.apply_to_join(now, actor, body),
            "handle_apply_join_group"
            | "handle_invite_join_group"
            | "handle_invite_join_permission_group" => self.handle_application(now, actor, body),
            "get_pendency" => Ok(self.pending(actor, body, communities)),
            "quit_group" => self.quit_group(now, actor, body),
            "add_group_member" => self.add_members(now, actor, body),
            "delete_group_member" => self.delete_members(now, actor, body),
            "ban_group_member" => self.ban(now, actor, body),
            "unban_group_member" => self.unban(now, actor, body),
            "get_group_ban_member" => self.banned(now, actor, body),
            "modify_group_member_info" => self.modify_member(now, actor, body),
            "get_group_member_info" => self.members_of(now, actor, body),
            "get_specified_group_member_info" => self.named_members(now, actor, body),
            "get_joined_group_list" => self.joined_groups(actor, body, communities),
            "get_group_self_member_info" => Ok(self.groups_with_self(actor, body)),
            "get_group_public_info" => Ok(self.public_groups(body)),
            "get_members" => self.live_members(now, actor, body),
            "modify_user_info" => self.mark_live_members(actor, body),
            "get_huge_group_msg" => self.live_page(actor, body),
            "get_online_member_num" => self.online_count(now, actor, body),
            "send_group_msg" => self.send_group_message(now, actor, body),
            "group_msg_recall" => self.recall_group_messages(now, actor, body),
            "group_msg_get" => self.group_page(actor, body),
            "delete_group_ramble_msg_by_seq" => self.delete_entries(actor, body),
            "batch_get_group_notify" => Ok(self.recalls_since(actor, body)),
            "get_group_notify" => self.recalls_of_one(actor, body),
            "msg_read_report" => self.report_read(now, actor, body),
            "group_msg_receipt" => self.send_receipts(now, actor, body),
            "get_group_msg_receipt" => self.receipts(actor, body),
            "get_group_msg_receipt_detail" => self.receipt_detail(actor, body),
            "pin_message" => self.pin_message(now, actor, body, true),
            "unpin_message" => self.pin_message(now, actor, body, false),
            "get_pinned_messages" => self.pinned_messages(actor, body),
            "set_group_attr" => self.change_attributes(now, actor, body, Change::Set),
            "modify_group_attr" => self.change_attributes(now, actor, body, Change::Modify),
            "delete_group_attr" => self.change_attributes(now, actor, body, Change::Delete),
            "clear_group_attr" => self.change_attributes(now, actor, body, Change::Clear),
            "get_group_attr" => self.attributes_of(actor, body),
            "update_group_counter" => self.count(now, actor, body),
            "delete_group_counter" => self.delete_counters(now, actor, body),
            "get_group_counter" => self.counters_of(actor, body),
            "create_topic" => self.create_topic(now, actor, body),
            "get_topic" => self.topics(actor, body),
            "modify_topic" => self.modify_topic(now, actor, body),
            "destroy_topic" => self.delete_topics(now, actor, body),
            _ => return None,
        };
        // A member's request may be carried out in part; a stranger's that is refused changes nothing, and
        // must not have a large Community looked through.
        if let Some(id) = of_membership
            && (outcome.is_ok() || self.role_in(id, actor).is_ok())
        {
            self.align_topics(now, id);
        }
        Some(outcome)
    }
}
