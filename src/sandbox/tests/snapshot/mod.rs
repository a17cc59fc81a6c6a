//! Snapshots: the same requests get the same answers after a restart, and malformed text does no
//! harm.

mod kept;
mod refused;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Login, START, World, config, send_body, user};
use crate::{
    SandboxConfig,
    state::{Fault, State},
};

/// All but the last account are logged in.
const NAMES: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];
const CLUB: &str = "@TGS#_club";
const TOPIC: &str = "@TGS#_club@TOPIC#_news";
const GROUPS: [(&str, &str); 5] = [
    ("work", "Work"),
    ("public", "Public"),
    ("meeting", "Meeting"),
    ("room", "AVChatRoom"),
    ("@TGS#_all", "Community"),
];

/// An action of a client or an app, varied by three numbers.
#[derive(Clone, Copy, Debug)]
struct Deed {
    kind: usize,
    who: usize,
    whom: usize,
    number: u64,
}

fn deed() -> impl Strategy<Value = Deed> {
    (0..DEEDS, 0..4_usize, 0..5_usize, 0..12_u64).prop_map(|(kind, who, whom, number)| Deed {
        kind,
        who,
        whom,
        number,
    })
}

const DEEDS: usize = 46;

fn start() -> (World, Vec<Login>) {
    let mut world = World::new(config());
    let present = NAMES.iter().take(4);
    let logins: Vec<Login> = present.map(|name| world.login(name)).collect();
    for (id, kind) in GROUPS {
        world.found(&logins[0], kind, id, &["bob", "carol", "erin"]);
    }
    (world, logins)
}

/// Executes the action. Many actions are refused, depending on earlier ones.
fn act(world: &mut World, logins: &[Login], deed: Deed) {
    let Deed {
        kind,
        who,
        whom,
        number,
    } = deed;
    let (me, you) = (&logins[who], NAMES[whom]);
    let group = GROUPS[usize::try_from(number).unwrap() % GROUPS.len()].0;
    let text = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": format!("n{number}")}}]);
    let contact = if number % 2 == 0 {
        json!({"Type": 1, "To_Account": you})
    } else {
        json!({"Type": 2, "ToGroupId": group})
    };
    let seq = json!([{"MsgSeq": number}]);
    let (command, body) = match kind {
        0..=3 => ("openim.sendmsg", send_body(&me.user, you, number, "hi")),
        4 => (
            "openim.msgreaded",
            json!({"C2CMsgReaded": {"C2CMsgReadedItem": [
                {"To_Account": you, "LastedMsgTime": START + number},
            ]}}),
        ),
        5 => (
            "openim.msgwithdraw",
            json!({"MsgInfo": {
                "From_Account": me.user, "To_Account": you, "MsgSeq": number, "MsgRandom": number,
            }}),
        ),
        6 => (
            "openim.modify_c2c_msg",
            json!({
                "From_Account": me.user, "To_Account": you, "MsgSeq": number,
                "MsgRandom": number, "MsgBody": text,
            }),
        ),
        7 => (
            "openim.c2c_msg_read_receipt",
            json!({"Peer_Account": you, "C2CMsgInfo": [{"MsgSeq": number, "MsgRandom": number}]}),
        ),
        8 => (
            "openim.set_c2c_peer_mute_notifications",
            json!({"Peer_Account": [you], "Mute_Notifications": number % 3}),
        ),
        9 => (
            "openim.delete_c2c_msg_ramble",
            json!({"To_Account": you, "MsgKeyList": [format!("{number}_{number}_{START}")]}),
        ),
        10 => (
            "recentcontact.top",
            json!({"OperationType": number % 2 + 1, "RecentContactItem": [contact]}),
        ),
        11 => (
            "recentcontact.mark_contact",
            json!({"MarkItem": [{
                "ContactItem": contact, "OptType": 3, "SetMark": [number], "CustomMark": you,
            }]}),
        ),
        12 => (
            "recentcontact.create_contact_group",
            json!({"GroupContactItem": [
                {"GroupName": format!("list {}", number % 3), "ContactItem": [contact]},
            ]}),
        ),
        13 => (
            "recentcontact.batch_delete",
            json!({"ContactItem": [contact], "ClearRamble": number % 2}),
        ),
        14 => (
            "sns.friend_add",
            json!({"AddFriendItem": [{
                "To_Account": you, "AddSource": "AddSource_Type_X", "AddWording": "please",
                "Remark": format!("remark {number}"), "GroupName": "close",
            }]}),
        ),
        15 => (
            "sns.friend_response",
            json!({"ResponseFriendItem": [
                {"To_Account": you, "ResponseAction": "Response_Action_AgreeAndAdd"},
            ]}),
        ),
        16 => (
            "sns.friend_update",
            json!({"UpdateItem": [{"To_Account": you, "SnsItem": [
                {"Tag": "Tag_SNS_Custom_Text", "Value": format!("{number}")},
            ]}]}),
        ),
        17 => ("sns.black_list_add", json!({"To_Account": [you]})),
        18 => ("sns.black_list_delete", json!({"To_Account": [you]})),
        19 => (
            "profile.portrait_set",
            json!({"ProfileItem": [
                {"Tag": "Tag_Profile_IM_Nick", "Value": format!("nick {number}")},
                {"Tag": "Tag_Profile_IM_AllowType", "Value": "AllowType_Type_NeedConfirm"},
                {"Tag": "Tag_Profile_Custom_Level", "Value": number},
            ]}),
        ),
        20 => (
            "im_open_status.ws_set_custom_status",
            json!({"CustomStatus": format!("status {number}")}),
        ),
        21 => (
            "im_open_status.ws_status_subscribe",
            json!({"To_Account": [you]}),
        ),
        22 => (
            "im_long_msg.save_relay_json_msg",
            json!({"MsgList": [{"number": number}]}),
        ),
        23 => (
            "im_cos_msg.pre_sig",
            json!({"file_type": 255, "file_name": "a.pdf", "upload_method": 0}),
        ),
        24 => (
            "group_open_http_svc.send_group_msg",
            json!({
                "GroupId": group, "Random": number + 100, "ClientSeq": number + 100,
                "MsgBody": text, "GroupAtInfo": [{"GroupAtAllFlag": 1}], "NeedReadReceipt": 1,
            }),
        ),
        25 => {
            let user = user("erin");
            let fault = if number % 2 == 0 {
                Fault::Expire { user }
            } else {
                Fault::Kick { user, kind: 3 }
            };
            world.fault(fault);
            return;
        }
        26..=28 => (
            "group_open_http_svc.send_group_msg",
            json!({
                "GroupId": group, "Random": number, "ClientSeq": number, "MsgBody": text,
                "NeedReadReceipt": number % 2, "CloudCustomData": "cloud",
                "To_Account": if number % 5 == 0 { json!([you]) } else { json!([]) },
            }),
        ),
        29 => (
            "group_open_http_svc.group_msg_recall",
            json!({"GroupId": group, "MsgSeqList": seq}),
        ),
        30 => (
            "openim.modify_group_msg",
            json!({"GroupId": group, "MsgSeq": number, "MsgVersion": 0, "MsgBody": text}),
        ),
        31 => (
            "group_open_http_svc.pin_message",
            json!({"GroupId": group, "MsgSeq": number}),
        ),
        32 => (
            "group_open_http_svc.set_group_attr",
            json!({"GroupId": group, "GroupAttr": [{"key": you, "value": format!("{number}")}]}),
        ),
        33 => (
            "group_open_http_svc.update_group_counter",
            json!({"GroupId": group, "Mode": "Increase", "GroupCounter": [
                {"Key": you, "Value": number},
            ]}),
        ),
        34 => (
            "group_open_http_svc.modify_group_member_info",
            json!({
                "GroupId": group, "Member_Account": you, "NameCard": format!("card {number}"),
                "ShutUpTime": 3600, "AppMemberDefinedData": [{"Key": "k", "Value": "v"}],
            }),
        ),
        35 => (
            "group_open_http_svc.modify_group_base_info",
            json!({
                "GroupId": group, "Introduction": format!("about {number}"),
                "Notification": you, "FaceUrl": "face", "ApplyJoinOption": "NeedPermission",
                "ShutUpAllMember": if number == 9 { "On" } else { "Off" },
                "AppDefinedData": [{"Key": "k", "Value": "v"}],
            }),
        ),
        36 => (
            "group_open_http_svc.apply_join_group",
            json!({"GroupId": group, "ApplyMsg": "let me in"}),
        ),
        37 => (
            "group_open_http_svc.group_msg_receipt",
            json!({"GroupId": group, "MsgSeqList": seq}),
        ),
        38 => (
            "group_open_http_svc.msg_read_report",
            json!({"GroupId": group, "MsgReadedSeq": number}),
        ),
        39 => (
            "group_open_http_svc.delete_group_ramble_msg_by_seq",
            json!({"GroupId": group, "Seqs": [number]}),
        ),
        40 => (
            "group_open_http_svc.handle_apply_join_group",
            json!({"GroupId": group, "HandleMsg": "Agree", "Applicant_Account": you}),
        ),
        41 => ("openim.getmsg", json!({"Cookie": ""})),
        42 => (
            "sns.pendency_report",
            json!({"LatestPendencyTimeStamp": START + number}),
        ),
        43 => (
            "group_open_http_svc.send_group_msg",
            json!({
                "GroupId": group, "Random": number + 200, "ClientSeq": number + 200,
                "MsgBody": text, "SendMsgControl": ["NoUnread", "NoLastMsg"],
                "SupportMessageExtension": 1, "OnlineOnlyFlag": number % 2,
            }),
        ),
        44 => {
            let mut body = send_body(&me.user, you, number + 20, "quiet");
            body["SendMsgControl"] = json!(["NoUnread", "NoLastMsg"]);
            body["SupportMessageExtension"] = json!(1);
            body["IsNeedReadReceipt"] = json!(1);
            body["CloudCustomData"] = json!("cloud");
            ("openim.sendmsg", body)
        }
        _ => (
            "group_open_http_svc.quit_group",
            json!({"GroupId": if number == 3 { group } else { "none" }}),
        ),
    };
    world.call(me, command, &body);
    world.pass(0.1);
}

/// A world in which every action was executed more than once.
fn busy() -> World {
    let (mut world, logins) = start();
    let mut state = 7_u64;
    let mut draw = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..36 {
        for kind in 0..DEEDS {
            let (who, whom) = (draw(4), draw(5));
            let number = u64::try_from(draw(12)).unwrap();
            let deed = Deed {
                kind,
                who,
                whom,
                number,
            };
            act(&mut world, &logins, deed);
        }
    }
    // Actions that need more than one step.
    let (alice, dave) = (&logins[0], &logins[3]);
    world.found(alice, "Public", "asked", &[]);
    let terms = json!({
        "GroupId": "asked", "ApplyJoinOption": "NeedPermission", "ShutUpAllMember": "On",
    });
    assert_eq!(world.group_code(alice, "modify_group_base_info", &terms), 0);
    let body = json!({"GroupId": "asked", "HandleMsg": "Agree"});
    assert_eq!(world.group_code(dave, "apply_join_group", &body), 0);
    assert_eq!(world.group_code(alice, "handle_apply_join_group", &body), 0);
    world.state.import(&user("frank"));
    let ask = json!("AllowType_Type_NeedConfirm");
    let tag = "Tag_Profile_IM_AllowType";
    world.state.set_profile(&user("frank"), tag, &ask);
    let body = json!({"AddFriendItem": [{"To_Account": "frank", "AddSource": "x"}]});
    world.call(alice, "sns.friend_add", &body);
    let (token, name) = upload(&mut world);
    assert!(world.state.media_file(&token, &name).is_some());
    talk_in_a_topic(&mut world, alice);
    let rest = json!({"Level": 2, "StartTime": 10, "EndTime": 20, "IsRepeated": 1});
    world.call(alice, "im_msg_db_logic.ws_set_do_not_disturb", &rest);
    world.fault(Fault::SkipClock { seconds: 5 });
    let follow = json!({"FollowItem": [{"To_Account": "bob"}, {"To_Account": "dave"}]});
    world.call(alice, "follow.follow_add", &follow);
    let ban = json!({"GroupId": "room", "Members_Account": ["dave", "eve"], "Duration": 1_000_000});
    let banned = world.rest("group_open_http_svc/ban_group_member", &ban);
    assert_eq!(banned["ErrorCode"], 0, "{banned}");
    for (command, body) in [
        (
            "openconfigsvr/setnospeaking",
            json!({
                "Set_Account": "frank", "C2CmsgNospeakingTime": 900, "GroupmsgNospeakingTime": 900,
            }),
        ),
        (
            "all_member_push/im_add_tag",
            json!({"UserTags": [{"To_Account": "frank", "Tags": ["vip"]}]}),
        ),
        (
            "all_member_push/im_set_attr",
            json!({"UserAttrs": [{"To_Account": "frank", "Attrs": {"level": "9"}}]}),
        ),
        (
            "all_member_push/im_set_attr_name",
            json!({"AttrNames": {"0": "level"}}),
        ),
    ] {
        let answer = world.rest(command, &body);
        assert_eq!(answer["ErrorCode"], 0, "{command}: {answer}");
    }
    world
}

/// A Community with a topic, and a message in the topic with reactions and extensions.
fn talk_in_a_topic(world: &mut World, login: &Login) {
    let steps = [
        (
            "million_group_open_http_svc.create_group",
            json!({
                "Type": "Community", "Name": "Club", "GroupId": CLUB, "Owner_Account": login.user,
                "SupportTopic": 1, "MemberList": [{"Member_Account": "bob"}],
            }),
        ),
        (
            "million_group_open_http_svc.create_topic",
            json!({
                "GroupId": CLUB, "TopicId": TOPIC, "TopicName": "News", "CustomString": "own",
            }),
        ),
        (
            "million_group_open_http_svc.send_group_msg",
            json!({
                "GroupId": CLUB, "TopicId": TOPIC, "Random": 1, "ClientSeq": 1,
                "SupportMessageExtension": 1,
                "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}],
            }),
        ),
        (
            "openim_msg_ext_http_svc.group_reaction_add",
            json!({
                "GroupId": CLUB, "TopicId": TOPIC, "MsgSeq": 1, "Reaction": "smile",
                "Add_Account": [login.user],
            }),
        ),
        (
            "openim_msg_ext_http_svc.group_set_key_values",
            json!({
                "GroupId": CLUB, "TopicId": TOPIC, "MsgSeq": 1, "OperateType": 3,
            }),
        ),
        (
            "openim_msg_ext_http_svc.group_set_key_values",
            json!({
                "GroupId": CLUB, "TopicId": TOPIC, "MsgSeq": 1, "OperateType": 1,
                "ExtensionList": [{"Key": "k", "Value": "v", "Seq": 0}],
            }),
        ),
    ];
    for (command, body) in &steps {
        let answer = world.call(login, command, body);
        assert_eq!(answer["ErrorCode"], 0, "{command} {answer}");
    }
}

fn upload(world: &mut World) -> (String, String) {
    world.state.import(&user("alice"));
    let path = world
        .state
        .media_address(world.now, &user("alice"), "a.txt")
        .unwrap();
    let (token, name) = path["/media/".len()..].split_once('/').unwrap();
    let (now, state) = (world.now, &mut world.state);
    state.media_begin(now, token, name, None).unwrap();
    state.media_grow(token, 5).unwrap();
    state.media_done(token, "text/plain", Some((3, 4)));
    (token.to_owned(), name.to_owned())
}

fn text(state: &State) -> String {
    String::from_utf8(state.snapshot().unwrap()).unwrap()
}

/// The files whose bytes exist.
fn files(text: &str) -> BTreeMap<String, u64> {
    let read: Value = serde_json::from_str(text).unwrap();
    let entries = read["state"]["media"]["entries"].as_object().unwrap();
    let files = entries.iter();
    files
        .map(|(token, entry)| (token.clone(), entry["size"].as_u64().unwrap()))
        .collect()
}

fn restored_with(config: SandboxConfig, before: &World) -> World {
    let mut after = World::new(config);
    after.now = before.now;
    let text = text(&before.state);
    after
        .state
        .restore(after.now, text.as_bytes(), &files(&text))
        .unwrap();
    after
}

fn restored(before: &World) -> World {
    restored_with(config(), before)
}

/// A snapshot without the fields that a restart changes on purpose.
fn comparable(state: &State) -> Value {
    let mut read: Value = serde_json::from_str(&text(state)).unwrap();
    for changed in ["starts", "next_message"] {
        read["state"][changed] = Value::Null;
    }
    read
}

/// The answers to everybody and to the app, with fresh logins.
fn answers(world: &mut World) -> Vec<(String, Value)> {
    world.pass(2.0);
    world.fault(Fault::Restart {
        forget_logins: true,
    });
    let mut told = Vec::new();
    let groups = GROUPS.map(|(id, _)| id);
    world.pass(5.0);
    for name in NAMES {
        let login = world.login(name);
        let mut ask = |world: &mut World, command: &str, body: Value| {
            let mut answer = world.call(&login, command, &body);
            assert!(answer.is_object(), "{command}");
            // After a restart, sequence positions have a gap.
            answer["Cookie"] = Value::Null;
            told.push((format!("{name} {command} {body}"), answer));
        };
        let all = json!({"To_Account": NAMES});
        ask(world, "openim.getmsg", json!({"Cookie": ""}));
        ask(world, "recentcontact.page_get", json!({}));
        ask(world, "recentcontact.get_contact_group", json!({}));
        ask(world, "profile.portrait_get_all", all.clone());
        ask(world, "sns.friend_get", json!({}));
        ask(world, "sns.group_get", json!({}));
        ask(world, "sns.pendency_get", json!({}));
        ask(world, "sns.black_list_get", json!({}));
        ask(world, "im_open_status.ws_get_user_status", all.clone());
        ask(world, "follow.follow_check", all.clone());
        ask(world, "follow.follow_get", json!({"FollowType": 1}));
        ask(world, "openim.get_peer_read_time", all);
        ask(
            world,
            "openim.get_c2c_peer_mute_notifications",
            json!({"Peer_Account": NAMES}),
        );
        for peer in NAMES {
            let page = json!({"Peer_Account": peer, "MaxCnt": 100, "WithRecalledMsg": 1});
            ask(world, "openim.getroammsg", page);
        }
        ask(world, "im_msg_db_logic.ws_get_do_not_disturb", json!({}));
        let topic = json!({
            "GroupId": CLUB, "TopicId": TOPIC, "MsgSeq": 1, "MsgSeqList": [1], "TopicIdList": [],
            "SupportTopic": 1,
        });
        for command in [
            "million_group_open_http_svc.get_joined_group_list",
            "million_group_open_http_svc.get_topic",
            "million_group_open_http_svc.group_msg_get",
            "million_group_open_http_svc.get_group_member_info",
            "openim_msg_ext_http_svc.group_reaction_multi_stat",
            "openim_msg_ext_http_svc.group_get_key_values",
        ] {
            ask(world, command, topic.clone());
        }
        let group = |command: &str| format!("group_open_http_svc.{command}");
        ask(
            world,
            &group("get_joined_group_list"),
            json!({"Limit": 100}),
        );
        ask(world, &group("get_pendency"), json!({"Limit": 100}));
        for id in groups {
            let body = json!({
                "GroupId": id, "GroupIdList": [id], "ReqMsgNumber": 100, "Limit": 100,
                "MsgSeqList": (1..30).map(|seq| json!({"MsgSeq": seq})).collect::<Vec<_>>(),
                "NotifyReqList": [{"GroupId": id, "Limit": 100}],
            });
            for command in [
                "get_group_public_info",
                "get_group_self_member_info",
                "get_group_member_info",
                "group_msg_get",
                "get_group_msg_receipt",
                "batch_get_group_notify",
                "get_pinned_messages",
                "get_group_attr",
                "get_group_counter",
            ] {
                ask(world, &group(command), body.clone());
            }
        }
    }
    for id in groups {
        let body = json!({"GroupId": id, "ReqMsgNumber": 100, "GroupIdList": [id]});
        for command in [
            "group_msg_get_simple",
            "get_group_info",
            "get_group_muted_account",
            "get_group_ban_member",
        ] {
            let answer = world.rest(&format!("group_open_http_svc/{command}"), &body);
            told.push((format!("{command} {id}"), answer));
        }
    }
    told
}

fn assert_equal(before: &mut World, after: &mut World) {
    let (before, after) = (answers(before), answers(after));
    for (one, other) in before.iter().zip(&after) {
        assert_eq!(one, other);
    }
    assert_eq!(before.len(), after.len());
}
