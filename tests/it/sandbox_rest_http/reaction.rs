//! The rows of reactions, extensions and topics.

use serde_json::{Value, json};

use super::{Fields, NO_JSON, Row, row, text};

/// Merges the fields of two objects.
fn both(first: &Value, second: &Value) -> Value {
    let mut body = first.clone();
    for (name, value) in second.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Returns rows that send extensible messages of both kinds.
fn messages() -> [Row; 3] {
    let c2c = json!({
        "From_Account": "alice", "To_Account": "bob", "MsgBody": text("hi"), "SyncFromOldSystem": 1,
        "MsgSeq": 77, "MsgRandom": 78, "MsgTimeStamp": 1000, "SupportMessageExtension": 1,
    });
    let group = json!({
        "Type": "Public", "Name": "x", "GroupId": "x", "Owner_Account": "alice",
    });
    let said = json!({
        "GroupId": "x", "Random": 1, "From_Account": "alice", "MsgBody": text("hello"),
        "SupportMessageExtension": 1,
    });
    let to_nobody = both(&said, &json!({"GroupId": "nope"}));
    [
        row(
            "openim/importmsg",
            c2c,
            [("/MsgKey", json!("77_78_1000"))],
            NO_JSON,
            90001,
        ),
        row(
            "group_open_http_svc/create_group",
            group.clone(),
            [],
            group,
            10021,
        ),
        row(
            "group_open_http_svc/send_group_msg",
            said,
            [("/MsgSeq", json!(1))],
            to_nobody,
            10010,
        ),
    ]
}

/// Returns rows with the full command.
pub(super) fn rows() -> Vec<Row> {
    let c2c = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": "77_78_1000"});
    let group = json!({"GroupId": "x", "MsgSeq": 1});
    let add = json!({"Reaction": "smile", "Add_Account": ["alice", "bob"]});
    let remove = json!({"Reaction": "smile", "Del_Account": ["bob"]});
    let users = json!({"Reaction": "smile", "Count": 10});
    let set = json!({"OperateType": 1, "ExtensionList": [{"Key": "k", "Value": "v", "Seq": 0}]});
    let count = both(&c2c, &json!({"MsgKeyList": ["77_78_1000"], "Count": 10}));
    let count_in_group = json!({"GroupId": "x", "MsgSeqList": [1], "Count": 10});
    let of_users = || -> Fields { vec![("/Reaction_Account", json!(["alice", "bob"]))] };
    let summary = || -> Fields { vec![("/Results/0/MsgReactionSummary/0/Count", json!(2))] };
    let changed = || -> Fields { vec![("/ExtensionList/0/Extension/Seq", json!(1))] };
    let all = || -> Fields {
        vec![
            ("/ExtensionList/0/Value", json!("v")),
            ("/CompleteFlag", json!(1)),
        ]
    };
    let gone = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": "1_1_1"});
    let gone_in_group = json!({"GroupId": "x", "MsgSeq": 9});
    let mut rows: Vec<Row> = messages().into_iter().collect();
    let cases: Vec<(&'static str, Value, Fields, Value, i64)> = vec![
        (
            "reaction_add",
            both(&c2c, &add),
            vec![],
            both(&gone, &add),
            20018,
        ),
        (
            "reaction_multi_stat",
            count,
            summary(),
            json!(NO_JSON),
            90001,
        ),
        (
            "reaction_iterate",
            both(&c2c, &users),
            of_users(),
            both(&gone, &users),
            20018,
        ),
        (
            "reaction_del",
            both(&c2c, &remove),
            vec![],
            both(&c2c, &json!({"Reaction": "smile"})),
            10004,
        ),
        (
            "set_key_values",
            both(&c2c, &set),
            changed(),
            both(&c2c, &json!({"OperateType": 9})),
            10004,
        ),
        ("get_key_values", c2c, all(), gone, 20018),
        (
            "group_reaction_add",
            both(&group, &add),
            vec![],
            both(&gone_in_group, &add),
            10030,
        ),
        (
            "group_reaction_multi_stat",
            count_in_group,
            summary(),
            json!(NO_JSON),
            90001,
        ),
        (
            "group_reaction_iterate",
            both(&group, &users),
            of_users(),
            group.clone(),
            10004,
        ),
        (
            "group_reaction_del",
            both(&group, &remove),
            vec![],
            both(&gone_in_group, &remove),
            10030,
        ),
        (
            "group_set_key_values",
            both(&group, &set),
            changed(),
            both(&gone_in_group, &set),
            10030,
        ),
        ("group_get_key_values", group, all(), gone_in_group, 10030),
    ];
    for (command, good, answer, bad, code) in cases {
        let bad = bad.as_str().map_or_else(|| bad.to_string(), str::to_owned);
        rows.push(Row {
            command,
            good,
            answer,
            bad,
            code,
        });
    }
    rows
}

/// Returns the rows of topics, under the service of communities.
pub(super) fn topic_rows() -> Vec<Row> {
    let id = "@TGS#_c@TOPIC#_news";
    let club = |more: Value| both(&json!({"GroupId": "@TGS#_c"}), &more);
    vec![
        row(
            "create_group",
            club(
                json!({"Type": "Community", "Name": "c", "Owner_Account": "alice", "SupportTopic": 1}),
            ),
            [("/GroupId", json!("@TGS#_c"))],
            json!({"Type": "Community", "Name": "c", "GroupId": "c"}),
            10015,
        ),
        row(
            "create_topic",
            club(json!({"TopicName": "news", "TopicId": id})),
            [("/TopicId", json!(id))],
            club(json!({"TopicName": "news", "TopicId": id})),
            10021,
        ),
        row(
            "get_topic",
            club(json!({"TopicIdList": []})),
            [("/TopicAndSelfInfo/0/TopicInfo/TopicName", json!("news"))],
            json!({"GroupId": "nope"}),
            10010,
        ),
        row(
            "modify_topic",
            club(json!({"TopicId": id, "TopicName": "olds"})),
            [],
            club(json!({"TopicId": "@TGS#_c@TOPIC#_none"})),
            10010,
        ),
        row(
            "destroy_topic",
            club(json!({"TopicIdList": [id]})),
            [("/DestroyResultItem/0/ErrorCode", json!(0))],
            club(json!({"TopicIdList": []})),
            10004,
        ),
    ]
}
