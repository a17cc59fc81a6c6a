//! The rows of the app's other REST calls.

use serde_json::json;

use super::{NO_JSON, Row, row, text};

const EXTRA_MESSAGE: &str = "77_78_1000";

/// Returns rows with the full command. They depend on the rows of reactions and extensions.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = about_accounts();
    rows.extend(about_messages());
    rows.extend(about_groups());
    rows.extend(about_everybody());
    rows
}

fn about_accounts() -> Vec<Row> {
    let silence = json!({"Set_Account": "carol", "C2CmsgNospeakingTime": 60});
    vec![
        row("openconfigsvr/setnospeaking", silence, [], "{}", 70402),
        row(
            "openconfigsvr/getnospeaking",
            json!({"Get_Account": "carol"}),
            [("/GroupmsgNospeakingTime", json!(0))],
            json!({"Get_Account": "nobody-at-all"}),
            70107,
        ),
        row(
            "openconfigsvr/getappinfo",
            json!({}),
            [("/Result", json!([]))],
            NO_JSON,
            90001,
        ),
        row(
            "im_open_status/get_user_status",
            json!({"UserList": ["alice"]}),
            [],
            NO_JSON,
            90001,
        ),
        row(
            "openim_robot_http_svc/create_robot",
            json!({"UserID": "@RBT#1", "Nick": "Robot"}),
            [],
            json!({"UserID": "robot"}),
            70402,
        ),
        row(
            "openim_robot_http_svc/get_all_robots",
            json!({}),
            [("/Robot_Account/0", json!("@RBT#1"))],
            NO_JSON,
            90001,
        ),
        row(
            "openim_robot_http_svc/delete_robot",
            json!({"Robot_Account": "@RBT#1"}),
            [],
            json!({"Robot_Account": "alice"}),
            70107,
        ),
    ]
}

fn about_messages() -> Vec<Row> {
    let edit = json!({
        "From_Account": "alice", "To_Account": "bob", "MsgKey": EXTRA_MESSAGE, "MsgBody": text("ho"),
    });
    let of_alice = json!({"From_Account": "alice"});
    let carol = json!([{"Type": 1, "To_Account": "carol"}]);
    let group = json!({
        "From_Account": "alice",
        "GroupContactItem": [{"GroupName": "close", "ContactItem": carol}],
    });
    let rename = json!({
        "From_Account": "alice",
        "UpdateGroup": {"OldGroupName": "close", "NewGroupName": "closest"},
    });
    let no_such = json!({"From_Account": "alice", "UpdateGroup": {"OldGroupName": "nobody"}});
    let mark = json!({
        "From_Account": "alice",
        "MarkItem": [{"ContactItem": carol[0], "OptType": 1, "SetMark": [0]}],
    });
    vec![
        row("openim/modify_c2c_msg", edit, [], of_alice.clone(), 90003),
        row(
            "openim/modify_group_msg",
            json!({"GroupId": "x", "MsgSeq": 1, "MsgBody": text("ho")}),
            [("/MsgVersion", json!(1))],
            json!({"GroupId": "nope", "MsgSeq": 1}),
            10010,
        ),
        row(
            "openim/clear_c2c_msg",
            json!({"From_Account": "alice", "To_Account": "bob"}),
            [],
            of_alice.clone(),
            90003,
        ),
        row(
            "open_msg_svc/get_history",
            json!({"ChatType": "C2C", "MsgTime": "2026010101"}),
            [("/File", json!([]))],
            NO_JSON,
            90001,
        ),
        row(
            "recentcontact/get_list",
            of_alice.clone(),
            [("/CompleteFlag", json!(1))],
            "{}",
            90008,
        ),
        row("recentcontact/create_contact_group", group, [], "{}", 90008),
        row(
            "recentcontact/update_contact_group",
            rename,
            [],
            no_such,
            51006,
        ),
        row(
            "recentcontact/get_contact_group",
            of_alice.clone(),
            [],
            "{}",
            90008,
        ),
        row(
            "recentcontact/search_contact_group",
            json!({"From_Account": "alice", "ContactItem": carol}),
            [],
            "{}",
            90008,
        ),
        row("recentcontact/mark_contact", mark, [], "{}", 90008),
        row(
            "recentcontact/del_contact_group",
            json!({"From_Account": "alice", "GroupName": ["closest"]}),
            [],
            "{}",
            90008,
        ),
        row(
            "recentcontact/delete",
            json!({"From_Account": "alice", "Type": 1, "To_Account": "carol"}),
            [],
            "{}",
            90008,
        ),
    ]
}

fn about_groups() -> Vec<Row> {
    let live = json!({
        "Type": "AVChatRoom", "Name": "live", "GroupId": "app-live", "Owner_Account": "alice",
    });
    let word = json!({"From_Account": "alice", "Random": 5, "MsgBody": text("to all rooms")});
    vec![
        row(
            "group_open_http_svc/create_group",
            live.clone(),
            [],
            live,
            10021,
        ),
        row(
            "group_open_http_svc/get_appid_group_list",
            json!({"Limit": 1, "GroupType": "AVChatRoom"}),
            [("/GroupIdList/0/GroupId", json!(null))],
            NO_JSON,
            90001,
        ),
        row(
            "group_open_http_svc/send_broadcast_msg",
            word,
            [],
            json!({"From_Account": "alice", "MsgBody": text("x")}),
            10004,
        ),
        row(
            "group_open_http_svc/apply_join_group",
            json!({"GroupId": "app-live"}),
            [],
            json!({"GroupId": "nope"}),
            10010,
        ),
        row(
            "group_open_http_svc/modify_admin",
            json!({"GroupId": "app-live", "CommandType": 1, "Admin_Account": ["administrator"]}),
            [],
            json!({"GroupId": "app-live", "CommandType": 1, "Admin_Account": ["nobody"]}),
            10004,
        ),
        row(
            "group_open_http_svc/get_avchatroom_muted_account",
            json!({"GroupId": "app-live"}),
            [("/MutedAccountList", json!([]))],
            json!({"GroupId": "nope"}),
            10010,
        ),
        row(
            "group_open_http_svc/delete_group_counter",
            json!({"GroupId": "x", "GroupCounterKeys": ["k"]}),
            [("/GroupCounterSeq", json!(null))],
            json!({"GroupId": "nope"}),
            10010,
        ),
        row(
            "group_open_http_svc/get_group_notify",
            json!({"GroupId": "x", "BeginTime": 0}),
            [("/NextMsgTime", json!(0))],
            json!({"GroupId": "nope"}),
            10010,
        ),
    ]
}

fn about_everybody() -> Vec<Row> {
    let push = json!({
        "From_Account": "alice", "MsgRandom": 9, "MsgBody": text("to all"),
        "Condition": {"TagsAnd": ["vip"]},
    });
    let marked = |field: &str, inner: &str, value: serde_json::Value| json!({field: [{"To_Account": "bob", inner: value}]});
    let bob = json!({"To_Account": ["bob"]});
    let too_long = "x".repeat(51);
    let tags = |tags: serde_json::Value| marked("UserTags", "Tags", tags);
    let attributes = |attributes: serde_json::Value| marked("UserAttrs", "Attrs", attributes);
    vec![
        row(
            "all_member_push/im_set_attr_name",
            json!({"AttrNames": {"0": "level"}}),
            [],
            json!({"AttrNames": {"10": "one too many"}}),
            90002,
        ),
        row(
            "all_member_push/im_get_attr_name",
            json!({}),
            [("/AttrNames/0", json!("level"))],
            NO_JSON,
            90001,
        ),
        row(
            "all_member_push/im_set_attr",
            attributes(json!({"level": 9})),
            [],
            attributes(json!({"level": too_long})),
            90002,
        ),
        row(
            "all_member_push/im_get_attr",
            bob.clone(),
            [("/UserAttrs/0/Attrs/level", json!("9"))],
            NO_JSON,
            90001,
        ),
        row(
            "all_member_push/im_remove_attr",
            attributes(json!(["level"])),
            [],
            "{}",
            90011,
        ),
        row(
            "all_member_push/im_add_tag",
            tags(json!(["vip"])),
            [],
            tags(json!([too_long])),
            90002,
        ),
        row(
            "all_member_push/im_get_tag",
            bob.clone(),
            [("/UserTags/0/Tags", json!(["vip"]))],
            NO_JSON,
            90001,
        ),
        row(
            "all_member_push/im_push",
            push,
            [("/TaskId", json!(null))],
            json!({"MsgRandom": 9}),
            90002,
        ),
        row(
            "all_member_push/im_remove_tag",
            tags(json!(["vip"])),
            [],
            "{}",
            90011,
        ),
        row("all_member_push/im_remove_all_tags", bob, [], "{}", 90011),
    ]
}
