//! The rows of accounts, C2C messages, profiles and relations.

use serde_json::{Value, json};

use super::{Fields, Row, row, text};

pub(super) fn account_rows() -> Vec<Row> {
    let list = json!([{"UserID": "bob"}, {"UserID": "carol"}, {"UserID": "a b"}]);
    let both = json!([{"UserID": "bob"}, {"UserID": "eve"}]);
    let none = json!({});
    vec![
        row(
            "im_open_login_svc/account_import",
            json!({"UserID": "alice", "Nick": "Al"}),
            [],
            json!({"UserID": "a b"}),
            70402,
        ),
        row(
            "im_open_login_svc/multiaccount_import",
            json!({"AccountList": list}),
            [("/FailAccounts", json!(["a b"]))],
            json!({"AccountList": []}),
            70402,
        ),
        row(
            "im_open_login_svc/account_check",
            json!({"CheckItem": both}),
            [
                ("/ResultItem/0/AccountStatus", json!("Imported")),
                ("/ResultItem/1/AccountStatus", json!("NotImported")),
            ],
            &none,
            70402,
        ),
        row(
            "im_open_login_svc/kick",
            json!({"UserID": "carol"}),
            [],
            json!({"UserID": "eve"}),
            70107,
        ),
    ]
}

pub(super) fn message_rows() -> Vec<Row> {
    let pair = json!({"From_Account": "alice", "To_Account": "bob"});
    let message = |more: Value| {
        let mut body = pair.clone();
        body["MsgBody"] = text("hi");
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let asked = json!({"To_Account": ["alice", "eve"], "IsNeedDetail": 1});
    let states: Fields = vec![
        ("/QueryResult/0/Status", json!("Offline")),
        ("/QueryResult/0/Detail", json!([])),
        ("/ErrorList/0/To_Account", json!("eve")),
        ("/ErrorList/0/ErrorCode", json!(70107)),
    ];
    let withdraw = |key: &str| message(json!({"MsgKey": key}));
    vec![
        row(
            "openim/sendmsg",
            message(json!({"MsgSeq": 1, "MsgRandom": 1})),
            [("/MsgKey", Value::Null), ("/MsgTime", Value::Null)],
            message(json!({})),
            90005,
        ),
        row(
            "openim/batchsendmsg",
            message(json!({"MsgSeq": 2, "MsgRandom": 2, "To_Account": ["bob", "a b"]})),
            [
                ("/MsgKey", Value::Null),
                ("/ErrorList/0/To_Account", json!("a b")),
            ],
            message(json!({"MsgRandom": 3, "To_Account": []})),
            90011,
        ),
        row(
            "openim/importmsg",
            message(json!({
                "SyncFromOldSystem": 1, "MsgSeq": 5, "MsgRandom": 5, "MsgTimeStamp": 1000,
            })),
            [("/MsgKey", json!("5_5_1000")), ("/MsgTime", json!(1000))],
            message(json!({"MsgRandom": 6})),
            90002,
        ),
        row(
            "openim/query_online_status",
            asked.clone(),
            states.clone(),
            "{}",
            90011,
        ),
        row("openim/querystate", asked, states, "{}", 90011),
        row(
            "openim/admin_getroammsg",
            json!({
                "From_Account": "alice", "To_Account": "bob", "MaxCnt": 10, "MinTime": 0,
                "MaxTime": 4_000_000_000_u64,
            }),
            [
                ("/Complete", json!(1)),
                ("/MsgCnt", json!(3)),
                ("/LastMsgKey", json!("5_5_1000")),
                ("/MsgList/0/MsgBody/0/MsgContent/Text", json!("hi")),
            ],
            "{}",
            90008,
        ),
        row(
            "openim/admin_msgwithdraw",
            withdraw("5_5_1000"),
            [],
            withdraw("7"),
            90054,
        ),
        row(
            "openim/get_c2c_unread_msg_num",
            json!({"To_Account": "bob", "Peer_Account": ["alice", "eve"]}),
            [
                ("/AllC2CUnreadMsgNum", json!(2)),
                ("/C2CUnreadMsgNumList/0/C2CUnreadMsgNum", json!(2)),
                ("/ErrorList/0/Peer_Account", json!("eve")),
            ],
            "{}",
            90003,
        ),
        row(
            "openim/admin_set_msg_read",
            json!({"Report_Account": "bob", "Peer_Account": "alice"}),
            [],
            json!({"Report_Account": "bob"}),
            90003,
        ),
    ]
}

pub(super) fn profile_rows() -> Vec<Row> {
    let set = |user: &str, tag: &str, value: &str| json!({"From_Account": user, "ProfileItem": [{"Tag": tag, "Value": value}]});
    let allow = "Tag_Profile_IM_AllowType";
    vec![
        row(
            "profile/portrait_set",
            set("alice", "Tag_Profile_IM_Nick", "Alice"),
            [],
            set("eve", "Tag_Profile_IM_Nick", "Eve"),
            70107,
        ),
        // The applications below need this row.
        row(
            "profile/portrait_set",
            set("carol", allow, "AllowType_Type_NeedConfirm"),
            [],
            "{}",
            30001,
        ),
        row(
            "profile/portrait_get",
            json!({"To_Account": ["alice"], "TagList": ["Tag_Profile_IM_Nick"]}),
            [
                ("/UserProfileItem/0/To_Account", json!("alice")),
                ("/UserProfileItem/0/ProfileItem/0/Value", json!("Alice")),
            ],
            "{}",
            90003,
        ),
    ]
}

/// Returns the `sns` calls of one account. Without an account the answer is 30001, and for an
/// unknown account it is 30003.
pub(super) fn relation_rows() -> Vec<Row> {
    let of = |user: &str, mut body: Value| {
        body["From_Account"] = json!(user);
        body
    };
    let add = |user: &str, whom: &str| {
        let item = json!({"To_Account": whom, "AddSource": "AddSource_Type_Web", "Remark": "r"});
        of(
            user,
            json!({"AddFriendItem": [item], "AddType": "Add_Type_Both"}),
        )
    };
    let bob = || json!({"To_Account": ["bob"]});
    let done = || vec![("/ResultItem/0/ResultCode", json!(0))];
    let asked = || {
        vec![
            ("/ResultItem/0/To_Account", json!("carol")),
            ("/ResultItem/0/ResultCode", json!(30539)),
        ]
    };
    let rows: Vec<(&'static str, Value, Fields)> = vec![
        ("sns/friend_add", add("alice", "bob"), done()),
        ("sns/friend_add", add("bob", "carol"), asked()),
        ("sns/friend_add", add("alice", "carol"), asked()),
        (
            "sns/pendency_get",
            of("carol", json!({"PendencyType": "Pendency_Type_ComeIn"})),
            vec![
                ("/UnreadPendencyCount", json!(2)),
                ("/PendencyItem/1/To_Account", json!("bob")),
            ],
        ),
        (
            "sns/pendency_report",
            of("carol", json!({"LatestPendencyTimeStamp": 1})),
            vec![],
        ),
        (
            "sns/friend_response",
            of(
                "carol",
                json!({"ResponseFriendItem": [
                    {"To_Account": "bob", "ResponseAction": "Response_Action_AgreeAndAdd"},
                ]}),
            ),
            done(),
        ),
        (
            "sns/pendency_delete",
            of(
                "carol",
                json!({
                    "To_Account": ["alice"], "PendencyType": "Pendency_Type_ComeIn",
                }),
            ),
            done(),
        ),
        ("sns/friend_import", add("alice", "carol"), done()),
        (
            "sns/friend_check",
            of(
                "alice",
                json!({"To_Account": ["bob"], "CheckType": "CheckResult_Type_Both"}),
            ),
            vec![("/InfoItem/0/Relation", json!("CheckResult_Type_BothWay"))],
        ),
        (
            "sns/friend_update",
            of(
                "alice",
                json!({"UpdateItem": [{"To_Account": "bob", "SnsItem": [
                    {"Tag": "Tag_SNS_IM_Remark", "Value": "Bobby"},
                ]}]}),
            ),
            done(),
        ),
        (
            "sns/friend_get",
            of("alice", json!({"StartIndex": 0})),
            vec![
                ("/FriendNum", json!(2)),
                ("/CompleteFlag", json!(1)),
                ("/UserDataItem/0/To_Account", json!("bob")),
            ],
        ),
        (
            "sns/friend_get_specified",
            of("alice", bob()),
            vec![("/InfoItem/0/ResultCode", json!(0))],
        ),
        (
            "sns/friend_get_list",
            of("alice", bob()),
            vec![("/InfoItem/0/SnsProfileItem/1/Value", json!("Bobby"))],
        ),
        (
            "sns/group_add",
            of("alice", json!({"GroupName": ["l"], "To_Account": ["bob"]})),
            vec![
                ("/ResultItem/0/ResultCode", json!(0)),
                ("/CurrentSequence", json!(1)),
            ],
        ),
        (
            "sns/group_get",
            of("alice", json!({})),
            vec![
                ("/ResultItem/0/GroupName", json!("l")),
                ("/ResultItem/0/FriendNumber", json!(1)),
            ],
        ),
        (
            "sns/group_update",
            of(
                "alice",
                json!({"GroupOldName": "l", "GroupNewName": "m", "UpdateGroupItem": [
                    {"To_Account": "carol", "UpdateType": "Update_Type_Add"},
                ]}),
            ),
            done(),
        ),
        (
            "sns/group_delete",
            of("alice", json!({"GroupName": ["m"]})),
            vec![("/CurrentSequence", json!(1))],
        ),
        ("sns/black_list_add", of("alice", bob()), done()),
        (
            "sns/black_list_get",
            of("alice", json!({"StartIndex": 0})),
            vec![
                ("/BlackListItem/0/To_Account", json!("bob")),
                ("/StartIndex", json!(0)),
            ],
        ),
        (
            "sns/black_list_check",
            of(
                "alice",
                json!({
                    "To_Account": ["bob"], "CheckType": "BlackCheckResult_Type_Both",
                }),
            ),
            vec![(
                "/BlackListCheckItem/0/Relation",
                json!("BlackCheckResult_Type_AWithB"),
            )],
        ),
        ("sns/black_list_delete", of("alice", bob()), done()),
        ("sns/friend_delete", of("alice", bob()), done()),
        ("sns/friend_delete_all", of("alice", json!({})), vec![]),
        (
            "follow/follow_add",
            of("alice", json!({"FollowItem": [{"To_Account": "bob"}]})),
            done(),
        ),
        (
            "follow/follow_get",
            of("bob", json!({"FollowType": 1, "WantNum": 10})),
            vec![
                ("/FollowItem/0/To_Account", json!("alice")),
                ("/NextCursor", json!("")),
            ],
        ),
        (
            "follow/follow_get_info",
            of("alice", bob()),
            vec![("/FollowInfo/0/FollowerCount", json!(1))],
        ),
        (
            "follow/follow_check",
            of("alice", bob()),
            vec![("/ResultItem/0/FollowType", json!(2))],
        ),
        ("follow/follow_delete", of("alice", bob()), done()),
    ];
    let bad = ["{}", r#"{"From_Account":"eve"}"#];
    rows.into_iter()
        .enumerate()
        .map(|(at, (command, good, answer))| {
            row(command, good, answer, bad[at % 2], [30001, 30003][at % 2])
        })
        .collect()
}
