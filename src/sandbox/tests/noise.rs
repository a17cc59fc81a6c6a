//! Invalid frames, floods, idle links: a bad client does not affect others, and nothing panics.

use proptest::prelude::*;
use serde_json::json;

use super::{World, config, user};
use crate::{
    SandboxConfig,
    state::{ConnId, Fault},
};

#[test]
fn odd_frames_are_counted_and_then_cut() {
    let mut world = World::new(config());
    let bystander = world.login("alice");
    let conn = world.connect();
    for frame in [
        "",
        "{}",
        "null",
        "\u{0}",
        "{\"head\":{},\"body\":{}}",
        "[[[[",
        "{\"head\":1}",
    ] {
        world.state.receive(world.now, conn, frame.as_bytes());
    }
    world.pump();
    assert_eq!(world.state.counters().garbage, 7);
    assert!(world.pushes(conn).is_empty() && world.dropped.is_empty());
    for _ in 0..200 {
        world.state.receive(world.now, conn, b"\xff\xfe");
    }
    world.pump();
    assert_eq!(world.dropped, [conn]);
    assert_eq!(world.hello(&bystander), 0);
}

#[test]
fn floods_are_throttled_and_then_cut() {
    let mut world = World::new(SandboxConfig {
        request_rate: 10,
        request_burst: 20,
        ..config()
    });
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let codes: Vec<i64> = (0..30).map(|_| world.hello(&alice)).collect();
    assert_eq!(
        codes.iter().filter(|code| **code == 0).count(),
        19,
        "the login took one"
    );
    assert_eq!(codes.iter().filter(|code| **code == 60018).count(), 11);
    let ping = world.call(&alice, "heartbeat.alive", &json!({}));
    assert_eq!(ping["ErrorCode"], 0, "pings never fail");
    world.pass(1.0);
    assert_eq!(world.hello(&alice), 0, "the bucket fills again");
    for _ in 0..400 {
        world.call(&alice, "openim.ws_msg_push_ack", &json!({}));
    }
    assert_eq!(world.dropped, [alice.conn]);
    assert_eq!(world.hello(&bob), 0);
}

#[test]
fn a_slight_excess_is_throttled_for_ever_but_not_cut() {
    let mut world = World::new(SandboxConfig {
        request_rate: 10,
        request_burst: 20,
        ..config()
    });
    let alice = world.login("alice");
    for _ in 0..600 {
        world.pass(1.0 / 15.0);
        world.hello(&alice);
    }
    assert!(world.state.counters().throttled > 100);
    assert!(world.dropped.is_empty());
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let mut world = World::new(config());
    let alice = world.login("alice");
    let deep = "[".repeat(300_000) + &"]".repeat(300_000);
    for servcmd in [
        "openim.sendmsg",
        "profile.portrait_get_all",
        "openim.getmsg",
    ] {
        let frame = format!(
            "{{\"head\":{{\"servcmd\":\"{servcmd}\",\"seq\":1,\"sdkappid\":{},\"a2\":\"{}\"}},\
             \"body\":{{\"MsgBody\":{deep}}}}}",
            super::APP,
            alice.a2
        );
        world.state.receive(world.now, alice.conn, frame.as_bytes());
    }
    assert_eq!(world.hello(&alice), 0);
}

#[test]
fn idle_links_are_cut_and_pinging_ones_are_not() {
    let mut world = World::new(config());
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    for _ in 0..12 {
        world.pass(10.0);
        world.call(&bob, "heartbeat.alive", &json!({}));
    }
    assert_eq!(world.dropped, [alice.conn]);
    assert_eq!(world.state.counters().idle_cut, 1);
}

#[test]
fn wrong_checksums_are_counted_or_refused() {
    for strict in [false, true] {
        let mut world = World::new(SandboxConfig {
            strict_checksum: strict,
            ..config()
        });
        let alice = world.login("alice");
        let head = json!({"a2": alice.a2, "cs": 12345});
        let answer = world.request(alice.conn, "im_open_status.wshello", &head, &json!({}));
        assert_eq!(answer["ErrorCode"], if strict { 60002 } else { 0 });
        assert_eq!(world.state.counters().bad_checksums, 1);
        assert_eq!(world.hello(&alice), 0);
    }
}

#[test]
fn accounts_are_bounded() {
    let mut world = World::new(SandboxConfig {
        max_accounts: 3,
        ..config()
    });
    world.login("alice");
    world.login("bob");
    let conn = world.connect();
    let sig = world.sig("carol");
    assert_eq!(world.try_login(conn, "carol", &sig)["ErrorCode"], 70107);
}

#[test]
fn equal_seeds_give_equal_runs() {
    let run = || {
        let mut world = World::new(config());
        let (alice, _) = (world.login("alice"), world.login("bob"));
        world.send(&alice, "bob", 1, "hello");
        world.fault(Fault::Kick {
            user: user("bob"),
            kind: 1,
        });
        (alice.a2, format!("{:?}", world.received))
    };
    assert_eq!(run(), run());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn bytes_never_panic(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..16)) {
        let mut world = World::new(config());
        let conn = world.connect();
        for frame in &frames {
            world.state.receive(world.now, conn, frame);
        }
        world.pass(2.0);
    }

    #[test]
    fn odd_bodies_never_panic(command in 0..COMMANDS.len(), body in json_value()) {
        let mut world = World::new(config());
        let alice = world.login("alice");
        world.state.say(world.now, &user("bob"), &user("alice"), "x").unwrap();
        let answer = world.call(&alice, COMMANDS[command], &body);
        prop_assert!(answer.is_object() || COMMANDS[command] == "openim.ws_msg_push_ack");
        prop_assert_eq!(world.hello(&alice) == 0, COMMANDS[command] != "im_open_status.wslogout");
    }

    #[test]
    fn odd_group_bodies_never_panic(
        calls in prop::collection::vec((0..GROUP_COMMANDS.len(), group_body()), 1..12),
    ) {
        let mut world = World::new(config());
        let alice = world.login("alice");
        world.found(&alice, "Public", "g", &["bob", "carol"]);
        world.found(&alice, "AVChatRoom", "room", &[]);
        world.found(&alice, "Community", "@TGS#_c", &["bob"]);
        for (command, body) in &calls {
            let command = GROUP_COMMANDS[*command];
            prop_assert!(world.group(&alice, command, body)["ErrorCode"].is_i64());
            let answer = world.rest(&format!("group_open_http_svc/{command}"), body);
            prop_assert!(answer["ErrorCode"].is_i64());
        }
        world.call(&alice, "recentcontact.page_get", &json!({}));
        world.pass(20.0);
        prop_assert_eq!(world.hello(&alice), 0);
        // After any sequence of commands, numbers ascend without gaps.
        let seqs: Vec<u64> = world.state.group_history("g").iter().map(|item| item.seq).collect();
        prop_assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{:?}", seqs);
    }

    #[test]
    fn odd_rest_calls_never_panic(command in 0..CALLS.len(), body in json_value()) {
        let mut world = World::new(config());
        let answer = world.rest(CALLS[command], &body);
        prop_assert!(answer["ErrorCode"].is_i64());
    }

    #[test]
    fn unknown_connections_are_ignored(id in any::<u64>(), frame in prop::collection::vec(any::<u8>(), 0..32)) {
        let mut world = World::new(config());
        world.state.receive(world.now, ConnId(id), &frame);
        world.state.closed(world.now, ConnId(id));
        prop_assert!(world.state.poll_output().is_none());
    }
}

/// All group commands, without their service.
const GROUP_COMMANDS: &[&str] = &[
    "create_group",
    "destroy_group",
    "change_group_owner",
    "modify_group_base_info",
    "apply_join_group",
    "handle_apply_join_group",
    "get_pendency",
    "quit_group",
    "add_group_member",
    "delete_group_member",
    "modify_group_member_info",
    "get_group_member_info",
    "get_specified_group_member_info",
    "get_joined_group_list",
    "get_group_self_member_info",
    "get_group_public_info",
    "get_online_member_num",
    "get_huge_group_msg",
    "ban_group_member",
    "unban_group_member",
    "get_group_ban_member",
    "get_members",
    "modify_user_info",
    "send_group_msg",
    "group_msg_recall",
    "group_msg_get",
    "delete_group_ramble_msg_by_seq",
    "batch_get_group_notify",
    "get_group_notify",
    "msg_read_report",
    "group_msg_receipt",
    "get_group_msg_receipt",
    "get_group_msg_receipt_detail",
    "pin_message",
    "unpin_message",
    "get_pinned_messages",
    "set_group_attr",
    "modify_group_attr",
    "delete_group_attr",
    "clear_group_attr",
    "get_group_attr",
    "update_group_counter",
    "get_group_counter",
    "create_topic",
    "get_topic",
    "modify_topic",
    "destroy_topic",
    "get_group_info",
    "get_role_in_group",
    "forbid_send_msg",
    "get_group_muted_account",
    "group_msg_get_simple",
    "send_group_system_notification",
    "import_group",
    "import_group_member",
    "import_group_msg",
    "set_unread_msg_num",
    "delete_group_msg_by_sender",
];

const COMMANDS: &[&str] = &[
    "openim.modify_group_msg",
    "openim.read_all_unread_msg",
    "recentcontact.page_get",
    "group_open_long_polling_http_svc.get_msg",
    "im_open_status.wslogin",
    "im_open_status.wslogout",
    "openim.sendmsg",
    "openim.getmsg",
    "openim.getroammsg",
    "openim.msgwithdraw",
    "openim.msgreaded",
    "openim.modify_c2c_msg",
    "openim.c2c_msg_read_receipt",
    "openim.get_peer_read_time",
    "openim.delete_c2c_msg_ramble",
    "openim.set_c2c_peer_mute_notifications",
    "openim.ws_msg_push_ack",
    "profile.portrait_get_all",
    "profile.portrait_set",
    "recentcontact.search_contact_group",
    "recentcontact.batch_delete",
    "recentcontact.clear_msg",
    "recentcontact.top",
    "im_open_status.ws_get_user_status",
    "im_open_status.ws_status_subscribe",
    "im_open_status.ws_status_unsubscribe",
    "im_open_status.ws_set_custom_status",
    "openim.read_all_unread_msg",
    "openim.deletemsg",
    "recentcontact.page_get",
    "recentcontact.mark_contact",
    "recentcontact.get_contact_group",
    "recentcontact.create_contact_group",
    "recentcontact.del_contact_group",
    "recentcontact.update_contact_group",
    "im_long_msg.save_relay_json_msg",
    "im_long_msg.get_relay_json_msg",
    "im_open_translate.ws_batch_trans_text",
    "im_open_speech.ws_sentence_recognition",
    "im_cos_msg.pre_sig",
    "im_cos_msg.simple_sig",
    "im_cos_msg.get_imageinfo",
    "im_cos_msg.video_cover",
    "im_cos_msg.get_final_ip",
    "openim_msg_ext_http_svc.set_key_values",
    "openim_msg_ext_http_svc.get_key_values",
    "openim_msg_ext_http_svc.reaction_add",
    "openim_msg_ext_http_svc.reaction_del",
    "openim_msg_ext_http_svc.reaction_multi_stat",
    "openim_msg_ext_http_svc.reaction_iterate",
    "openim_msg_ext_http_svc.group_set_key_values",
    "openim_msg_ext_http_svc.group_get_key_values",
    "openim_msg_ext_http_svc.group_reaction_add",
    "openim_msg_ext_http_svc.group_reaction_multi_stat",
    "openim_msg_ext_http_svc.group_reaction_iterate",
    "openim_msg_ext_http_svc.unheard_of",
    "im_msg_db_logic.ws_set_do_not_disturb",
    "im_msg_db_logic.ws_get_do_not_disturb",
    "sns.friend_add",
    "sns.friend_response",
    "sns.friend_delete",
    "sns.friend_delete_all",
    "sns.friend_check",
    "sns.friend_get",
    "sns.friend_get_specified",
    "sns.friend_update",
    "sns.pendency_get",
    "sns.pendency_delete",
    "sns.pendency_report",
    "sns.group_get",
    "sns.group_add",
    "sns.group_delete",
    "sns.group_update",
    "sns.black_list_get",
    "sns.black_list_add",
    "sns.black_list_delete",
    "sns.black_list_check",
    "sns.unheard_of",
    "follow.follow_add",
    "follow.follow_delete",
    "follow.follow_get",
    "follow.follow_get_info",
    "follow.follow_check",
    "follow.unheard_of",
    "message_search.query",
    "user_search.query",
    "group_search.query",
    "group_member_search.query",
    "anything_search.query",
];

const CALLS: &[&str] = &[
    "im_open_login_svc/account_import",
    "im_open_login_svc/multiaccount_import",
    "im_open_login_svc/account_check",
    "im_open_login_svc/account_delete",
    "im_open_login_svc/kick",
    "openim/sendmsg",
    "openim/batchsendmsg",
    "openim/query_online_status",
    "openim/admin_msgwithdraw",
    "openim/admin_getroammsg",
    "openim/importmsg",
    "openim/admin_set_msg_read",
    "openim/get_c2c_unread_msg_num",
    "profile/portrait_get",
    "profile/portrait_set",
    "sns/friend_add",
    "sns/friend_import",
    "sns/friend_update",
    "sns/friend_delete",
    "sns/friend_get",
    "sns/friend_get_list",
    "sns/friend_check",
    "sns/black_list_add",
    "sns/group_add",
    "follow/follow_add",
    "follow/follow_get",
    "follow/follow_check",
];

/// A body of a group command that names a group and is often valid.
fn group_body() -> impl Strategy<Value = serde_json::Value> {
    let users = prop::sample::select(vec!["alice", "bob", "carol", "dave", "a b"]);
    let group = prop::sample::select(vec!["g", "g", "g", "room", "none", ""]);
    let word = prop::sample::select(vec![
        "Admin",
        "Member",
        "On",
        "Off",
        "Agree",
        "Reject",
        "Public",
        "Private",
        "AVChatRoom",
        "FreeAccess",
        "NeedPermission",
        "Set",
        "Increase",
        "1",
    ]);
    let number = prop_oneof![0..6_u64, any::<u64>()];
    (users, group, word, number, json_value(), json_value()).prop_map(
        |(user, group, word, number, odd, odder)| {
            let mut body = json!({
                "GroupId": group, "GroupIdList": [group, "x"], "MsgSeq": number,
                "MsgSeqList": [{"MsgSeq": number}, 1], "Random": number, "ReqMsgSeq": number,
                "ReqMsgNumber": number, "MsgReadedSeq": number, "ShutUpTime": number,
                "Member_Account": user, "MemberList": [{"Member_Account": user, "Marks": [number]}],
                "CommandType": number, "Timestamp": number, "Mark": number,
                "MemberToDel_Account": [user], "Members_Account": [user], "Role": word,
                "NewOwner_Account": user, "Applicant_Account": user, "HandleMsg": word,
                "Type": word, "Name": word, "ApplyJoinOption": word, "ShutUpAllMember": word,
                "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": word}}],
                "GroupAttr": [{"key": word, "value": word, "seq": number}], "Mode": word,
                "GroupCounter": [{"Key": word, "Value": number}], "Seqs": ["1", number],
                "Offset": number, "Limit": number, "UnreadMsgNum": number, "MsgList": [odd],
                "Sender_Account": user, "Content": word, "SendTime": number,
                "GroupAtInfo": [{"GroupAtAllFlag": 1}, {"GroupAt_Account": user}],
            });
            if let (Some(body), Some(odder)) = (body.as_object_mut(), odder.as_object()) {
                body.extend(odder.clone());
            }
            body
        },
    )
}

/// A group command with a body that has the right fields and unusual values.
pub(super) fn group_call() -> impl Strategy<Value = (&'static str, serde_json::Value)> {
    (prop::sample::select(GROUP_COMMANDS), group_body())
}

/// JSON built from the field names that commands read, with values of every type.
fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<u64>().prop_map(|n| json!(n)),
        prop::sample::select(vec![
            "",
            "alice",
            "bob",
            "a b",
            "1_2_3",
            "c-1",
            "TIMTextElem"
        ])
        .prop_map(|text| json!(text)),
    ];
    let keys = prop::sample::select(vec![
        "From_Account",
        "To_Account",
        "Peer_Account",
        "MsgSeq",
        "MsgRandom",
        "MsgBody",
        "MsgInfo",
        "MsgType",
        "MsgContent",
        "Cookie",
        "MaxCnt",
        "LastMsgTime",
        "MsgKey",
        "GetDirection",
        "C2CMsgReaded",
        "C2CMsgReadedItem",
        "LastedMsgTime",
        "UserItem",
        "ProfileItem",
        "Tag",
        "Value",
        "ContactItem",
        "MsgKeyList",
        "C2CMsgInfo",
        "UserID",
        "CheckItem",
        "DeleteItem",
        "AccountList",
        "MsgTimeStamp",
        "MsgVersion",
        "MsgLifeTime",
        "MinTime",
        "MaxTime",
        "GroupId",
        "Random",
        "GroupAtInfo",
        "Member_Account",
        "MemberList",
        "ContactItem",
        "ToGroupid",
        "GroupReadInfo",
        "NotifyReqList",
        "Key",
        "StartSeq",
        "AddFriendItem",
        "ResponseFriendItem",
        "ResponseAction",
        "UpdateItem",
        "SnsItem",
        "StartIndex",
        "GroupName",
        "UpdateGroup",
        "UpdateItem",
        "ContactUpdateItem",
        "GroupContactItem",
        "MarkItem",
        "SetMark",
        "Type",
        "RecentContactItem",
        "MsgList",
        "str_image_url",
        "rpt_upload_object",
        "file_name",
        "CustomStatus",
    ]);
    leaf.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(keys.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| json!(map)),
        ]
    })
}
