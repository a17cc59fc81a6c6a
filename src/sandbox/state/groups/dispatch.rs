//! The group commands. Which of the four services is asked says nothing, except to the lists of groups and
//! applications: communities have theirs apart.

use super::attributes::Change;
use crate::state::{Caller, Commands, Request, State};

fn about_communities(request: &Request<'_>) -> bool {
    request.service.starts_with("million_")
}

#[rustfmt::skip]
pub(crate) fn register(commands: &mut Commands) {
    super::guests::register(commands);
    super::live::register(commands);
    commands.group("create_group", |s, r| s.create_group(r.now, r.caller, r.body));
    commands.group("destroy_group", |s, r| s.dismiss_group(r.now, r.caller, r.body)).membership();
    commands.group("change_group_owner", |s, r| s.change_owner(r.now, r.caller, r.body)).membership();
    commands.group("modify_group_base_info", |s, r| s.modify_group(r.now, r.caller, r.body));
    commands.group("apply_join_group", |s, r| s.apply_to_join(r.now, r.caller, r.body)).membership();
    commands.group("handle_apply_join_group", |s, r| s.handle_application(r.now, r.caller, r.body)).membership();
    commands.group("handle_invite_join_group", |s, r| s.handle_application(r.now, r.caller, r.body)).membership();
    commands.group("handle_invite_join_permission_group", |s, r| s.handle_application(r.now, r.caller, r.body)).membership();
    commands.group("get_pendency", |s, r| s.pending(r.caller, r.body, about_communities(r)));
    commands.group("quit_group", |s, r| s.quit_group(r.now, r.caller, r.body)).membership();
    commands.group("add_group_member", |s, r| s.add_members(r.now, r.caller, r.body)).membership();
    commands.group("delete_group_member", |s, r| s.delete_members(r.now, r.caller, r.body)).membership();
    commands.group("ban_group_member", |s, r| s.ban(r.now, r.caller, r.body));
    commands.group("unban_group_member", |s, r| s.unban(r.now, r.caller, r.body));
    commands.group("get_group_ban_member", |s, r| s.banned(r.now, r.caller, r.body)).reads();
    commands.group("modify_group_member_info", |s, r| s.modify_member(r.now, r.caller, r.body)).membership();
    commands.group("get_group_member_info", |s, r| s.members_of(r.now, r.caller, r.body));
    commands.group("get_specified_group_member_info", |s, r| s.named_members(r.now, r.caller, r.body));
    commands.group("get_joined_group_list", |s, r| s.joined_groups(r.caller, r.body, about_communities(r)));
    commands.group("get_group_self_member_info", |s, r| s.groups_with_self(r.caller, r.body));
    commands.group("get_group_public_info", |s, r| s.public_groups(r.body));
    commands.group("get_members", |s, r| s.live_members(r.now, r.caller, r.body));
    commands.group("modify_user_info", |s, r| s.mark_live_members(r.caller, r.body));
    commands.group("get_huge_group_msg", |s, r| s.live_page(r.caller, r.body)).reads();
    commands.group("get_online_member_num", |s, r| s.online_count(r.now, r.caller, r.body));
    commands.group("send_group_msg", |s, r| s.send_group_message(r.now, r.caller, r.body));
    commands.group("group_msg_recall", |s, r| s.recall_group_messages(r.now, r.caller, r.body));
    commands.group("group_msg_get", |s, r| s.group_page(r.caller, r.body));
    commands.group("delete_group_ramble_msg_by_seq", |s, r| s.delete_entries(r.caller, r.body));
    commands.group("batch_get_group_notify", |s, r| s.recalls_since(r.caller, r.body));
    commands.group("get_group_notify", |s, r| s.recalls_of_one(r.caller, r.body));
    commands.group("msg_read_report", |s, r| s.report_read(r.now, r.caller, r.body));
    commands.group("group_msg_receipt", |s, r| s.send_receipts(r.now, r.caller, r.body));
    commands.group("get_group_msg_receipt", |s, r| s.receipts(r.caller, r.body));
    commands.group("get_group_msg_receipt_detail", |s, r| s.receipt_detail(r.caller, r.body));
    commands.group("pin_message", |s, r| s.pin_message(r.now, r.caller, r.body, true));
    commands.group("unpin_message", |s, r| s.pin_message(r.now, r.caller, r.body, false));
    commands.group("get_pinned_messages", |s, r| s.pinned_messages(r.caller, r.body));
    commands.group("set_group_attr", |s, r| s.change_attributes(r.now, r.caller, r.body, Change::Set));
    commands.group("modify_group_attr", |s, r| s.change_attributes(r.now, r.caller, r.body, Change::Modify));
    commands.group("delete_group_attr", |s, r| s.change_attributes(r.now, r.caller, r.body, Change::Delete));
    commands.group("clear_group_attr", |s, r| s.change_attributes(r.now, r.caller, r.body, Change::Clear));
    commands.group("get_group_attr", |s, r| s.attributes_of(r.caller, r.body));
    commands.group("update_group_counter", |s, r| s.count(r.now, r.caller, r.body));
    commands.group("delete_group_counter", |s, r| s.delete_counters(r.now, r.caller, r.body));
    commands.group("get_group_counter", |s, r| s.counters_of(r.caller, r.body));
    commands.group("create_topic", |s, r| s.create_topic(r.now, r.caller, r.body));
    commands.group("get_topic", |s, r| s.topics(r.caller, r.body));
    commands.group("modify_topic", |s, r| s.modify_topic(r.now, r.caller, r.body));
    commands.group("destroy_topic", |s, r| s.delete_topics(r.now, r.caller, r.body));
    // Not one of the group services, other than everything else about groups.
    commands.both("openim.modify_group_msg", |c| c.any_body(), |s, r| s.edit_group_message(r.now, r.caller, r.body));
    // What only the app has, and its own names for the same.
    commands.group_rest("get_group_info", |s, r| s.public_groups(r.body));
    commands.group_rest("import_group", |s, r| s.create_group(r.now, r.caller, r.body));
    commands.group_rest("get_role_in_group", |s, r| s.roles_in(r.body));
    commands.group_rest("forbid_send_msg", |s, r| s.forbid_sending(r.now, r.caller, r.body));
    for name in ["get_group_muted_account", "get_group_shutted_uin", "get_avchatroom_muted_account"] {
        commands.group_rest(name, |s, r| s.muted_in(r.now, r.body));
    }
    commands.group_rest("group_msg_get_simple", |s, r| s.group_page_for_app(r.caller, r.body));
    commands.group_rest("send_group_system_notification", |s, r| s.custom_notice(r.now, r.caller, r.body));
    commands.group_rest("import_group_member", |s, r| s.import_members(r.now, r.body));
    commands.group_rest("import_group_msg", |s, r| s.import_messages(r.now, r.caller, r.body));
    commands.group_rest("get_appid_group_list", |s, r| s.all_groups(r.body));
    commands.group_rest("send_broadcast_msg", |s, r| s.broadcast(r.now, r.caller, r.body));
    commands.group_rest("modify_admin", |s, r| s.change_live_admins(r.now, r.caller, r.body));
    commands.group_rest("set_unread_msg_num", |s, r| s.set_unread(r.body));
    commands.group_rest("delete_group_msg_by_sender", |s, r| s.delete_by_sender(r.now, r.caller, r.body));
}

impl State {
    /// True if it is a topic of a Community.
    pub(crate) fn is_topic(&self, id: &str) -> bool {
        let group = self.groups.all.get(id);
        group.is_some_and(|group| group.community.is_some())
    }

    /// True if the caller is a member, or the app.
    pub(crate) fn is_in_group(&self, id: &str, caller: &Caller) -> bool {
        self.role_in(id, caller).is_ok()
    }
}
