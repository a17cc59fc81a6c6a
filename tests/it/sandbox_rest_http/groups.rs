//! The rows of groups.

use serde_json::{Value, json};

use super::{Fields, NO_JSON, Row, row, text};

/// Returns the rows of `group_open_http_svc`: command, good body, answer, bad body, code.
pub(super) fn rows() -> Vec<Row> {
    let g = |more: Value| {
        let mut body = json!({"GroupId": "g"});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let of = |group: &str, more: Value| {
        let mut body = g(more);
        body["GroupId"] = json!(group);
        body
    };
    let members = |names: &[&str]| -> Value {
        let items = names.iter().map(|name| json!({"Member_Account": name}));
        json!({"MemberList": items.collect::<Vec<_>>()})
    };
    let handle = |word: &str| {
        of(
            "h",
            json!({"HandleMsg": word, "Applicant_Account": "administrator"}),
        )
    };
    let waits = || vec![("/JoinedStatus", json!("WaitAdminApproval"))];
    let unknown = || of("nope", json!({}));
    let said = json!({
        "From_Account": "carol", "SendTime": 1000, "Random": 1, "MsgBody": text("old"),
    });
    let mut create = members(&["bob", "administrator"]);
    for (name, value) in [
        ("Type", "Public"),
        ("Name", "n"),
        ("Owner_Account", "alice"),
    ] {
        create[name] = json!(value);
    }
    let attribute = json!({"GroupAttr": [{"key": "k", "value": "v"}]});
    let two = json!({"MsgSeqList": [{"MsgSeq": 2}]});
    let cases: Vec<(&'static str, Value, Fields, String, i64)> = vec![
        (
            "create_group",
            g(create),
            vec![("/GroupId", json!("g")), ("/Type", json!("Public"))],
            json!({"Type": "X", "Name": "n"}).to_string(),
            10004,
        ),
        (
            "send_group_msg",
            g(
                json!({"Random": 1, "From_Account": "alice", "MsgBody": text("hello"), "NeedReadReceipt": 1}),
            ),
            vec![("/MsgSeq", json!(2)), ("/MsgTime", Value::Null)],
            g(json!({"Random": 2, "MsgBody": []})).to_string(),
            10004,
        ),
        (
            "group_msg_get_simple",
            g(json!({"ReqMsgNumber": 1})),
            vec![
                ("/IsFinished", json!(0)),
                ("/RspMsgList/0/MsgSeq", json!(2)),
                ("/RspMsgList/0/From_Account", json!("alice")),
            ],
            g(json!({})).to_string(),
            10004,
        ),
        (
            "group_msg_get",
            g(json!({"ReqMsgNumber": 1})),
            vec![("/RspMsgList/0/MsgSeq", json!(2))],
            unknown().to_string(),
            10010,
        ),
        (
            "msg_read_report",
            g(json!({"MsgReadedSeq": 2})),
            vec![],
            g(json!({})).to_string(),
            10004,
        ),
        (
            "group_msg_receipt",
            g(two.clone()),
            vec![],
            unknown().to_string(),
            10010,
        ),
        (
            "get_group_msg_receipt",
            g(two.clone()),
            vec![
                ("/GroupMsgReceiptList/0/ReadNum", json!(1)),
                ("/GroupMsgReceiptList/0/UnreadNum", json!(1)),
            ],
            "{}".to_owned(),
            10004,
        ),
        (
            "get_group_msg_receipt_detail",
            g(json!({"MsgSeq": 2, "Flag": 0})),
            vec![
                ("/ReadList/0/Read_Account", json!("administrator")),
                ("/IsFinish", json!(1)),
            ],
            g(json!({"MsgSeq": 99})).to_string(),
            10030,
        ),
        (
            "pin_message",
            g(json!({"MsgSeq": 2})),
            vec![],
            g(json!({"MsgSeq": 99})).to_string(),
            10030,
        ),
        (
            "get_pinned_messages",
            g(json!({})),
            vec![
                ("/PinnedMsgList/0/MsgSeq", json!(2)),
                ("/PinnedMsgList/0/Pinner_Account", json!("administrator")),
            ],
            unknown().to_string(),
            10010,
        ),
        (
            "unpin_message",
            g(json!({"MsgSeq": 2})),
            vec![],
            g(json!({})).to_string(),
            10004,
        ),
        (
            "set_group_attr",
            g(attribute.clone()),
            vec![
                ("/AttrMainSeq", json!(1)),
                ("/GroupAttrAry/0/seq", json!(1)),
            ],
            g(json!({"GroupAttr": [{"key": ""}]})).to_string(),
            10004,
        ),
        (
            "modify_group_attr",
            g(attribute.clone()),
            vec![("/GroupAttrAry/0/seq", json!(2))],
            g(json!({"GroupAttr": [{"key": "k", "value": 1}]})).to_string(),
            10004,
        ),
        (
            "get_group_attr",
            g(json!({})),
            vec![
                ("/GroupAttrAry/0/value", json!("v")),
                ("/AttrMainSeq", json!(2)),
            ],
            unknown().to_string(),
            10010,
        ),
        (
            "delete_group_attr",
            g(attribute),
            vec![("/AttrMainSeq", json!(3))],
            unknown().to_string(),
            10010,
        ),
        (
            "clear_group_attr",
            g(json!({})),
            vec![("/AttrMainSeq", json!(4))],
            g(json!({"AttrMainSeq": 99, "AttrControl": ["RaceConflict"]})).to_string(),
            10056,
        ),
        (
            "update_group_counter",
            g(json!({"Mode": "Set", "GroupCounter": [{"Key": "c", "Value": 7}]})),
            vec![("/GroupCounter/0/Value", json!(7))],
            g(json!({"Mode": "X", "GroupCounter": [{"Key": "c", "Value": 7}]})).to_string(),
            10004,
        ),
        (
            "get_group_counter",
            g(json!({})),
            vec![("/GroupCounter/0/Value", json!(7))],
            unknown().to_string(),
            10010,
        ),
        (
            "import_group",
            of("w", json!({"Type": "Private", "Name": "w"})),
            vec![("/GroupId", json!("w"))],
            of("w", json!({"Type": "Private", "Name": "w"})).to_string(),
            10021,
        ),
        (
            "import_group_member",
            of("w", members(&["carol", "a b"])),
            vec![
                ("/MemberList/0/Result", json!(1)),
                ("/MemberList/1/Result", json!(0)),
            ],
            unknown().to_string(),
            10010,
        ),
        (
            "import_group_msg",
            of("w", json!({"MsgList": [said, {}]})),
            vec![
                ("/ImportMsgResult/0/MsgSeq", json!(1)),
                ("/ImportMsgResult/0/MsgTime", json!(1000)),
                ("/ImportMsgResult/1/Result", json!(10004)),
            ],
            unknown().to_string(),
            10010,
        ),
        (
            "set_unread_msg_num",
            of("w", json!({"Member_Account": "carol", "UnreadMsgNum": 1})),
            vec![],
            of("w", json!({"Member_Account": "eve", "UnreadMsgNum": 1})).to_string(),
            10004,
        ),
        (
            "delete_group_msg_by_sender",
            of("w", json!({"Sender_Account": "carol"})),
            vec![],
            of("w", json!({})).to_string(),
            10004,
        ),
        (
            "get_role_in_group",
            g(json!({"User_Account": ["alice", "eve"]})),
            vec![
                ("/UserIdList/0/Role", json!("Owner")),
                ("/UserIdList/1/Role", json!("NotMember")),
            ],
            unknown().to_string(),
            10010,
        ),
        (
            "forbid_send_msg",
            g(json!({"Members_Account": ["bob"], "MuteTime": 60})),
            vec![],
            g(json!({"Members_Account": ["bob"]})).to_string(),
            10004,
        ),
        (
            "get_group_muted_account",
            g(json!({})),
            vec![
                ("/MutedAccountList/0/Member_Account", json!("bob")),
                ("/MutedAccountList/0/MutedUntil", Value::Null),
            ],
            unknown().to_string(),
            10010,
        ),
        (
            "get_group_shutted_uin",
            g(json!({})),
            vec![("/ShuttedUinList/0/Member_Account", json!("bob"))],
            unknown().to_string(),
            10010,
        ),
        (
            "modify_group_base_info",
            g(json!({"Name": "m"})),
            vec![],
            g(json!({"ApplyJoinOption": "X"})).to_string(),
            10004,
        ),
        (
            "get_group_info",
            json!({"GroupIdList": ["g", "nope"]}),
            vec![
                ("/GroupInfo/0/Name", json!("m")),
                ("/GroupInfo/0/MemberNum", json!(3)),
                ("/GroupInfo/1/ErrorCode", json!(10010)),
            ],
            NO_JSON.to_owned(),
            90001,
        ),
        (
            "get_group_public_info",
            json!({"GroupIdList": ["g"]}),
            vec![("/GroupInfo/0/Owner_Account", json!("alice"))],
            NO_JSON.to_owned(),
            90001,
        ),
        (
            "add_group_member",
            g(members(&["carol", "bob"])),
            vec![
                ("/MemberList/0/Result", json!(1)),
                ("/MemberList/1/Result", json!(2)),
            ],
            g(json!({})).to_string(),
            10004,
        ),
        (
            "modify_group_member_info",
            g(json!({"Member_Account": "carol", "NameCard": "c"})),
            vec![],
            g(json!({"Member_Account": "eve"})).to_string(),
            10004,
        ),
        (
            "get_group_member_info",
            g(json!({"Limit": 1, "Offset": 0})),
            vec![
                ("/MemberNum", json!(4)),
                ("/MemberList/0/Role", json!("Owner")),
            ],
            unknown().to_string(),
            10010,
        ),
        (
            "get_specified_group_member_info",
            g(json!({"Member_List_Account": ["carol"]})),
            vec![("/MemberList/0/NameCard", json!("c"))],
            unknown().to_string(),
            10010,
        ),
        (
            "get_online_member_num",
            g(json!({})),
            vec![("/OnlineMemberNum", json!(0))],
            unknown().to_string(),
            10010,
        ),
        (
            "create_group",
            json!({
                "GroupId": "live", "Type": "AVChatRoom", "Name": "n", "Owner_Account": "alice",
            }),
            vec![],
            json!({"Type": "AVChatRoom"}).to_string(),
            10004,
        ),
        (
            "get_huge_group_msg",
            of("live", json!({})),
            vec![("/RspMsgList", json!([])), ("/IsFinished", json!(1))],
            g(json!({})).to_string(),
            10004,
        ),
        (
            "ban_group_member",
            of(
                "live",
                json!({"Members_Account": ["carol"], "Duration": 60}),
            ),
            vec![],
            of("live", json!({"Members_Account": ["carol"], "Duration": 0})).to_string(),
            10004,
        ),
        (
            "get_group_ban_member",
            of("live", json!({"Limit": 10, "Offset": 0})),
            vec![
                ("/BannedAccountList/0/Member_Account", json!("carol")),
                ("/NextOffset", json!(0)),
            ],
            g(json!({})).to_string(),
            10004,
        ),
        (
            "unban_group_member",
            of("live", json!({"Members_Account": ["carol"]})),
            vec![],
            of("live", json!({})).to_string(),
            10004,
        ),
        (
            "get_members",
            of("live", json!({})),
            vec![("/MemberList", json!([])), ("/NextTimestamp", json!(0))],
            g(json!({})).to_string(),
            10004,
        ),
        (
            "modify_user_info",
            of(
                "live",
                json!({"CommandType": 1, "MemberList": [
                    {"Member_Account": "alice", "Marks": [1000]},
                ]}),
            ),
            vec![("/MemberList", Value::Null)],
            of("live", json!({})).to_string(),
            10004,
        ),
        (
            "get_joined_group_list",
            json!({"Member_Account": "carol"}),
            vec![
                ("/TotalCount", json!(2)),
                ("/GroupIdList/0/GroupId", json!("g")),
            ],
            json!({"Member_Account": "a b"}).to_string(),
            10004,
        ),
        (
            "get_group_self_member_info",
            json!({"GroupIdList": ["g"]}),
            vec![(
                "/GroupInfo/0/MemberList/0/Member_Account",
                json!("administrator"),
            )],
            NO_JSON.to_owned(),
            90001,
        ),
        (
            "create_group",
            of(
                "h",
                json!({"Type": "Public", "Name": "h", "Owner_Account": "alice"}),
            ),
            vec![("/GroupId", json!("h"))],
            of("@TGS#h", json!({"Type": "Public", "Name": "h"})).to_string(),
            10015,
        ),
        (
            "apply_join_group",
            of("h", json!({"ApplyMsg": "please"})),
            waits(),
            g(json!({})).to_string(),
            10013,
        ),
        (
            "handle_apply_join_group",
            handle("Agree"),
            vec![],
            handle("Perhaps").to_string(),
            10004,
        ),
        (
            "quit_group",
            of("h", json!({})),
            vec![],
            of("w", json!({})).to_string(),
            10007,
        ),
        (
            "apply_join_group",
            of("h", json!({})),
            waits(),
            of("w", json!({})).to_string(),
            10007,
        ),
        (
            "handle_invite_join_group",
            handle("Reject"),
            vec![],
            handle("Reject").to_string(),
            10024,
        ),
        (
            "apply_join_group",
            of("h", json!({})),
            waits(),
            unknown().to_string(),
            10010,
        ),
        (
            "handle_invite_join_permission_group",
            handle("Reject"),
            vec![],
            unknown().to_string(),
            10010,
        ),
        (
            "get_pendency",
            json!({"Limit": 10}),
            vec![("/UnhandleNum", json!(0)), ("/PendencyList", json!([]))],
            NO_JSON.to_owned(),
            90001,
        ),
        (
            "delete_group_ramble_msg_by_seq",
            g(json!({"Seqs": [1]})),
            vec![],
            of("w", json!({"Seqs": [1]})).to_string(),
            10007,
        ),
        (
            "group_msg_recall",
            g(two),
            vec![("/RecallRetList/0/RetCode", json!(0))],
            g(json!({"MsgSeqList": []})).to_string(),
            10004,
        ),
        (
            "batch_get_group_notify",
            json!({"NotifyReqList": [{"GroupId": "g"}]}),
            vec![("/NotifyRspList/0/NotifyMsgList/0/MsgSeq", json!(2))],
            NO_JSON.to_owned(),
            90001,
        ),
        (
            "send_group_system_notification",
            g(json!({"Content": "soon"})),
            vec![],
            g(json!({})).to_string(),
            10004,
        ),
        (
            "change_group_owner",
            g(json!({"NewOwner_Account": "bob"})),
            vec![],
            g(json!({"NewOwner_Account": "eve"})).to_string(),
            10004,
        ),
        (
            "delete_group_member",
            g(json!({"MemberToDel_Account": ["carol"]})),
            vec![],
            g(json!({})).to_string(),
            10004,
        ),
        (
            "get_topic",
            g(json!({})),
            vec![("/TopicAndSelfInfo", json!([]))],
            NO_JSON.to_owned(),
            90001,
        ),
        (
            "destroy_group",
            g(json!({})),
            vec![],
            g(json!({})).to_string(),
            10010,
        ),
    ];
    let rows = cases.into_iter();
    rows.map(|(command, good, answer, bad, code)| row(command, good, answer, bad, code))
        .collect()
}
