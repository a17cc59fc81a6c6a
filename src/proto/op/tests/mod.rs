//! Tests of requests against recorded requests of the official client.

mod answers;
mod group_application;
mod reaction;
mod search;

use super::*;
use crate::message::{C2cItem, Element, Message};
use crate::op::friend::Sides;
use crate::op::group_counter::{Counter, CounterMode};
use serde_json::json;
use std::time::Duration;

fn message() -> Message {
    let mut item = C2cItem::new("alice", "bob", vec![Element::text("v1")]);
    item.seq = 3_147_510_005;
    item.random = 35_858_187;
    item.time = 1_795_398_472;
    item.client_time = Some(1_795_398_471);
    Message::from_c2c(item, "alice")
}

#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "every caller has a literal")]
fn looks<C: Call>(call: &C, servcmd: &str, body: Value) {
    assert_eq!(call.servcmd(), servcmd);
    assert_eq!(serde_json::to_value(call).unwrap(), body, "{servcmd}");
}

fn contact(conversation: &str, field: GroupField) -> Contact {
    let conversation = match conversation.strip_prefix("GROUP") {
        Some(group) => Conversation::group(group),
        None => Conversation::c2c(conversation),
    };
    Contact::new(&conversation, field).unwrap()
}

fn users(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn one_to_one_requests() {
    let message = message();
    let name = json!({"From_Account": "alice", "To_Account": "bob", "MsgSeq": 3_147_510_005_u32, "MsgRandom": 35_858_187});
    let with = |more: Value| {
        let mut all = name.clone();
        let more = more.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(more);
        all
    };
    looks(
        &c2c_message::Recall::new("alice", &message.id()),
        "openim.msgwithdraw",
        json!({"MsgInfo": with(json!({"MsgTimeStamp": 1_795_398_472}))}),
    );
    let body = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "v1"}}]);
    looks(
        &c2c_message::Edit::new(
            "alice",
            &message.id(),
            0,
            Some(message.elements.clone()),
            String::new(),
        ),
        "openim.modify_c2c_msg",
        with(
            json!({"MsgTime": 1_795_398_472, "MsgVersion": 0, "MsgBody": body, "CloudCustomData": ""}),
        ),
    );
    looks(
        &c2c_message::ReadReport::new("alice", 1_795_398_471),
        "openim.msgreaded",
        json!({"C2CMsgReaded": {"Cookie": "", "C2CMsgReadedItem": [{"To_Account": "alice", "LastedMsgTime": 1_795_398_471, "Receipt": 1}]}}),
    );
    looks(
        &c2c_message::ReadAll {
            c2c: 1,
            groups: Vec::new(),
        },
        "openim.read_all_unread_msg",
        json!({"C2CReadAllMsg": 1, "GroupReadInfo": []}),
    );
    looks(
        &receipt::SendC2cReceipts::new("alice", "alice", [(&message.id(), 1_795_398_471)]),
        "openim.c2c_msg_read_receipt",
        json!({"Peer_Account": "alice", "C2CMsgInfo": [with(json!({"MsgTime": 1_795_398_472, "MsgClientTime": 1_795_398_471}))]}),
    );
    looks(
        &c2c_message::GetHistory::newest("bob", 15),
        "openim.getroammsg",
        json!({"Peer_Account": "bob", "MaxCnt": 15, "LastMsgTime": 0, "MsgKey": "", "WithRecalledMsg": 1, "GetDirection": 0}),
    );
    looks(
        &c2c_message::Delete::new("alice", "bob", [&message.id()]),
        "openim.delete_c2c_msg_ramble",
        json!({"From_Account": "alice", "To_Account": "bob", "MsgKeyList": ["3147510005_35858187_1795398472"]}),
    );
    looks(
        &receipt::PeerReadTimes {
            users: users(&["alice"]),
        },
        "openim.get_peer_read_time",
        json!({"To_Account": ["alice"]}),
    );
    looks(
        &receive_option::SetMuteOption {
            peers: users(&["alice"]),
            option: receive_option::MuteOption::Silent.number(),
        },
        "openim.set_c2c_peer_mute_notifications",
        json!({"Peer_Account": ["alice"], "Mute_Notifications": 2}),
    );
    looks(
        &receive_option::GetMuteOption {
            me: "bob".into(),
            peers: users(&["alice"]),
        },
        "openim.get_c2c_peer_mute_notifications",
        json!({"To_Account": "bob", "Peer_Account": ["alice"]}),
    );
}

#[test]
fn group_requests() {
    use group::*;
    use group_profile::*;
    looks(
        &NewGroup::public("Pub One")
            .id("pub1")
            .owner("alice")
            .introduction("intro")
            .notification("noti")
            .join_option(JoinOption::Free)
            .members(["bob"])
            .data("k1", "v1"),
        "group_open_http_svc.create_group",
        json!({"Type": "Public", "Name": "Pub One", "GroupId": "pub1", "Owner_Account": "alice", "Introduction": "intro", "Notification": "noti", "ApplyJoinOption": "FreeAccess", "MemberList": [{"Member_Account": "bob"}], "AppDefinedData": [{"Key": "k1", "Value": "v1"}], "WebPushFlag": 1, "FaceUrl": ""}),
    );
    looks(
        &Modify::new()
            .group("pub1")
            .name("New Name")
            .notification("n2")
            .mute_all(true),
        "group_open_http_svc.modify_group_base_info",
        json!({"GroupId": "pub1", "Name": "New Name", "Notification": "n2", "ShutUpAllMember": "On"}),
    );
    looks(
        &Transfer {
            group: "pub1".into(),
            owner: "bob".into(),
        },
        "group_open_http_svc.change_group_owner",
        json!({"GroupId": "pub1", "NewOwner_Account": "bob"}),
    );
    looks(
        &Quit {
            group: "@TGS#_com1".into(),
        },
        "million_group_open_http_svc.quit_group",
        json!({"GroupId": "@TGS#_com1"}),
    );
    let base = json!([
        "Type",
        "Name",
        "Introduction",
        "Notification",
        "FaceUrl",
        "Owner_Account",
        "CreateTime",
        "InfoSeq",
        "LastInfoTime",
        "LastMsgTime",
        "MemberNum",
        "MaxMemberNum",
        "ApplyJoinOption",
        "NextMsgSeq",
        "ShutUpAllMember",
        "InviteJoinOption"
    ]);
    looks(
        &GetJoined::new("alice", true, 0),
        "million_group_open_http_svc.get_joined_group_list",
        json!({"Member_Account": "alice", "Limit": 200, "Offset": 0, "ResponseFilter": {"GroupBaseInfoFilter": base, "SelfInfoFilter": ["Role", "JoinTime", "MsgFlag", "MsgSeq"]}, "SupportTopic": 0, "NeedAppDefineData": 1}),
    );
    looks(
        &GetProfiles::new(users(&["pub1"])),
        "group_open_http_svc.get_group_self_member_info",
        json!({"GroupIdList": ["pub1"], "ResponseFilter": {"GroupBaseInfoFilter": base, "MemberInfoFilter": ["Role", "JoinTime", "MsgSeq", "MsgFlag", "NameCard"]}}),
    );
}

#[test]
fn member_requests() {
    use crate::op::group_application::Invite;
    use group_member::*;
    let filter = json!([
        "Role",
        "JoinTime",
        "NameCard",
        "ShutUpUntil",
        "OnlineStatus"
    ]);
    looks(
        &GetMembers::new("pub1", 0, 30),
        "group_open_http_svc.get_group_member_info",
        json!({"GroupId": "pub1", "Limit": 30, "Offset": 0, "MemberInfoFilter": filter}),
    );
    looks(
        &GetSpecified::new("o1", users(&["bob"])),
        "group_open_http_svc.get_specified_group_member_info",
        json!({"GroupId": "o1", "Member_List_Account": ["bob"], "MemberInfoFilter": filter}),
    );
    looks(
        &Invite::new("pub1", users(&["dave", "bob"])),
        "group_open_http_svc.add_group_member",
        json!({"GroupId": "pub1", "MemberList": [{"Member_Account": "dave"}, {"Member_Account": "bob"}]}),
    );
    looks(
        &Kick {
            group: "pub1".into(),
            users: users(&["carol"]),
            reason: "bye".into(),
        },
        "group_open_http_svc.delete_group_member",
        json!({"GroupId": "pub1", "MemberToDel_Account": ["carol"], "Reason": "bye"}),
    );
    let modify = "group_open_http_svc.modify_group_member_info";
    for (call, field, value) in [
        (
            ModifyMember::admin("pub1", "bob", true),
            "Role",
            json!("Admin"),
        ),
        (
            ModifyMember::mute("pub1", "bob", Duration::from_secs(600)),
            "ShutUpTime",
            json!(600),
        ),
        (
            ModifyMember::mute("pub1", "bob", Duration::from_millis(1)),
            "ShutUpTime",
            json!(1),
        ),
        (
            ModifyMember::name_card("pub1", "bob", "Bobby"),
            "NameCard",
            json!("Bobby"),
        ),
        (
            ModifyMember::announce("pub1", "bob", receive_option::MuteOption::Silent),
            "MsgFlag",
            json!("AcceptNotNotify"),
        ),
    ] {
        looks(
            &call,
            modify,
            json!({"GroupId": "pub1", "Member_Account": "bob", field: value}),
        );
    }
}

#[test]
fn group_message_requests() {
    use group_message::*;
    use pin::{Pin, Unpin};
    use receipt::{GetReaders, GetReceipts, SendGroupReceipts};
    let list = json!([{"MsgSeq": 5}]);
    looks(
        &Recall::new("pub1", &[5]),
        "group_open_http_svc.group_msg_recall",
        json!({"GroupId": "pub1", "MsgSeqList": list, "TopicId": ""}),
    );
    looks(
        &SendGroupReceipts::new("pub1", &[5]),
        "group_open_http_svc.group_msg_receipt",
        json!({"GroupId": "pub1", "MsgSeqList": list}),
    );
    looks(
        &GetReceipts::new("pub1", &[5]),
        "group_open_http_svc.get_group_msg_receipt",
        json!({"GroupId": "pub1", "MsgSeqList": list}),
    );
    looks(
        &GetReaders::new("pub1", 4, false, ""),
        "group_open_http_svc.get_group_msg_receipt_detail",
        json!({"GroupId": "pub1", "MsgSeq": 4, "Flag": 0, "Cursor": "", "Num": 100}),
    );
    looks(
        &GetHistory::new("g1", Some(50), 21),
        "group_open_http_svc.group_msg_get",
        json!({"WithRecalledMsg": 1, "GroupId": "g1", "ReqMsgNumber": 21, "ReqMsgSeq": 50}),
    );
    looks(
        &Delete::new("o1", "alice", &[3]),
        "group_open_http_svc.delete_group_ramble_msg_by_seq",
        json!({"GroupId": "o1", "Deleter_Account": "alice", "Seqs": ["3"]}),
    );
    looks(
        &Pin {
            group: "o1".into(),
            seq: 3,
            me: "alice".into(),
        },
        "group_open_http_svc.pin_message",
        json!({"GroupId": "o1", "MsgSeq": 3, "Pinner_Account": "alice"}),
    );
    looks(
        &Unpin {
            group: "o1".into(),
            seq: 3,
            me: "alice".into(),
        },
        "group_open_http_svc.unpin_message",
        json!({"GroupId": "o1", "MsgSeq": 3, "UnPinner_Account": "alice"}),
    );
    looks(
        &ReadReport {
            group: "pub1".into(),
            seq: 8,
        },
        "group_open_http_svc.msg_read_report",
        json!({"GroupId": "pub1", "MsgReadedSeq": 8}),
    );
    let edit = Edit::new("@TGS#_c", 1, 0, None, "cc".into());
    assert_eq!(edit.servcmd(), "openim.modify_group_msg");
    assert_eq!(
        serde_json::to_value(edit).unwrap().get("MsgBody"),
        None,
        "only the custom data"
    );
}

#[test]
fn attributes_and_counters() {
    use group_attribute::*;
    use group_counter::*;
    let known: Attributes = serde_json::from_value(
        json!({"AttrMainSeq": 2, "GroupAttrAry": [{"key": "b", "value": "2", "seq": 1}]}),
    )
    .unwrap();
    let pair = |key: &str, value: &str| [(key.to_owned(), value.to_owned())];
    let control = json!(["RaceConflict"]);
    looks(
        &SetAttributes::new("o1", &Attributes::default(), pair("a", "1")),
        "group_open_http_svc.set_group_attr",
        json!({"GroupId": "o1", "GroupAttr": [{"key": "a", "value": "1"}], "AttrMainSeq": 0, "AttrControl": control}),
    );
    looks(
        &ModifyAttributes::new("o1", &known, pair("new", "2")),
        "group_open_http_svc.modify_group_attr",
        json!({"GroupId": "o1", "GroupAttr": [{"key": "new", "value": "2", "seq": 0}], "AttrMainSeq": 2, "AttrControl": control}),
    );
    looks(
        &DeleteAttributes::new("o1", &known, ["b".to_owned()]),
        "group_open_http_svc.delete_group_attr",
        json!({"GroupId": "o1", "GroupAttr": [{"key": "b", "seq": 1}], "AttrMainSeq": 2, "AttrControl": control}),
    );
    looks(
        &ClearAttributes::new("o1", &known),
        "group_open_http_svc.clear_group_attr",
        json!({"GroupId": "o1", "AttrMainSeq": 2, "AttrControl": control}),
    );
    looks(
        &GetAttributes::new("o1"),
        "group_open_attr_http_svc.get_group_attr",
        json!({"GroupId": "o1", "GroupType": 0}),
    );
    let counter = Counter {
        key: "likes".into(),
        value: 1,
    };
    looks(
        &UpdateCounters {
            group: "o1".into(),
            counters: vec![counter],
            mode: CounterMode::Set,
        },
        "group_open_http_svc.update_group_counter",
        json!({"GroupId": "o1", "GroupCounter": [{"Key": "likes", "Value": 1}], "Mode": "Set"}),
    );
}

#[test]
fn conversation_requests_name_the_group_differently() {
    use conversation::*;
    looks(
        &GetConversations::new("alice"),
        "recentcontact.page_get",
        json!({"From_Account": "alice", "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0, "TopStartIndex": 0, "OrderType": 1, "MsgAssistFlags": 15, "AssistFlags": 31}),
    );
    looks(
        &Pin::new("bob", contact("alice", GroupField::GroupId), true),
        "recentcontact.top",
        json!({"From_Account": "bob", "OperationType": 1, "RecentContactItem": [{"Type": 1, "To_Account": "alice"}]}),
    );
    looks(
        &Pin::new("bob", contact("GROUPg", GroupField::GroupId), false),
        "recentcontact.top",
        json!({"From_Account": "bob", "OperationType": 2, "RecentContactItem": [{"Type": 2, "GroupId": "g"}]}),
    );
    looks(
        &Delete::new("bob", vec![contact("GROUPg", GroupField::ToGroupid)], true),
        "recentcontact.batch_delete",
        json!({"From_Account": "bob", "ContactItem": [{"Type": 2, "ToGroupid": "g"}], "ClearRamble": 1}),
    );
    looks(
        &ClearHistory::new("bob", contact("alice", GroupField::ToGroupid)),
        "recentcontact.clear_msg",
        json!({"From_Account": "bob", "To_Account": "alice", "Type": 1}),
    );
    looks(
        &Mark::bits(
            "bob",
            contact("GROUPg", GroupField::ToGroupId),
            vec![0],
            vec![],
        ),
        "recentcontact.mark_contact",
        json!({"From_Account": "bob", "MarkItem": [{"OptType": 1, "ContactItem": {"Type": 2, "ToGroupId": "g"}, "SetMark": [0]}]}),
    );
    looks(
        &Mark::custom("bob", contact("alice", GroupField::ToGroupId), "cd"),
        "recentcontact.mark_contact",
        json!({"From_Account": "bob", "MarkItem": [{"OptType": 2, "ContactItem": {"Type": 1, "To_Account": "alice"}, "CustomMark": "cd"}]}),
    );
    looks(
        &conversation_group::Create::new(
            "bob",
            "cg",
            vec![contact("alice", GroupField::ToGroupId)],
        ),
        "recentcontact.create_contact_group",
        json!({"From_Account": "bob", "GroupContactItem": [{"GroupName": "cg", "ContactItem": [{"Type": 1, "To_Account": "alice"}]}]}),
    );
}

#[test]
fn groups_of_conversations_are_changed_by_name() {
    use conversation_group::*;
    let alice = || vec![contact("alice", GroupField::ToGroupId)];
    looks(
        &Delete {
            me: "bob".to_owned(),
            names: vec!["cg".to_owned()],
        },
        "recentcontact.del_contact_group",
        json!({"From_Account": "bob", "GroupName": ["cg"]}),
    );
    looks(
        &Update::rename("bob", "cg", "new"),
        "recentcontact.update_contact_group",
        json!({"From_Account": "bob", "UpdateType": 1, "UpdateGroup": {"UpdateGroupType": 1, "OldGroupName": "cg", "NewGroupName": "new"}}),
    );
    looks(
        &Update::members("bob", "cg", alice(), false),
        "recentcontact.update_contact_group",
        json!({"From_Account": "bob", "UpdateType": 1, "UpdateGroup": {"UpdateGroupType": 2, "OldGroupName": "cg", "ContactUpdateItem": [{"ContactOptType": 2, "ContactItem": {"Type": 1, "To_Account": "alice"}}]}}),
    );
}

#[test]
fn people_requests() {
    use profile::*;
    use user_status::SetStatus;
    looks(
        &GetProfiles::new("alice", users(&["bob"])),
        "profile.portrait_get_all",
        json!({"From_Account": "alice", "UserItem": [{"To_Account": "bob", "StandardSequence": 0, "CustomSequence": 0}]}),
    );
    looks(
        &SetProfile::new()
            .of("bob")
            .nick("Bob!")
            .avatar("http://x/y.png")
            .allow(AllowType::Any)
            .field("Tag_Profile_Custom_X", "v"),
        "profile.portrait_set",
        json!({"From_Account": "bob", "ProfileItem": [{"Tag": "Tag_Profile_IM_Nick", "Value": "Bob!"}, {"Tag": "Tag_Profile_IM_Image", "Value": "http://x/y.png"}, {"Tag": "Tag_Profile_IM_AllowType", "Value": "AllowType_Type_AllowAny"}, {"Tag": "Tag_Profile_Custom_X", "Value": "v"}]}),
    );
    looks(
        &SetStatus {
            text: "busy".into(),
        },
        "im_open_status.ws_set_custom_status",
        json!({"CustomStatus": "busy"}),
    );
}

#[test]
fn relation_requests() {
    use blacklist::GetBlacklist;
    use friend::*;
    looks(
        &AddFriend::new("alice", "bob", "hi", "b", Sides::Both),
        "sns.friend_add",
        json!({"From_Account": "alice", "AddFriendItem": [{"To_Account": "bob", "AddSource": "AddSource_Type_Web", "AddWording": "hi", "Remark": "b"}], "AddType": "Add_Type_Both"}),
    );
    looks(
        &CheckFriends::new("alice", users(&["bob", "q"]), Sides::Both),
        "sns.friend_check",
        json!({"From_Account": "alice", "To_Account": ["bob", "q"], "CheckType": "CheckResult_Type_Both"}),
    );
    looks(
        &DeleteFriends::new("alice", users(&["bob"]), Sides::Both),
        "sns.friend_delete",
        json!({"From_Account": "alice", "To_Account": ["bob"], "DeleteType": "Delete_Type_Both"}),
    );
    looks(
        &Respond::new("alice", "eve", "e", Decision::AgreeAndAdd),
        "sns.friend_response",
        json!({"From_Account": "alice", "ResponseFriendItem": [{"To_Account": "eve", "Remark": "e", "ResponseAction": "Response_Action_AgreeAndAdd"}]}),
    );
    let remark = profile::Tagged {
        tag: "Tag_SNS_IM_Remark".into(),
        value: json!("rm"),
    };
    looks(
        &UpdateFriend::new("alice", "bob", vec![remark]),
        "sns.friend_update",
        json!({"From_Account": "alice", "UpdateItem": [{"To_Account": "bob", "SnsItem": [{"Tag": "Tag_SNS_IM_Remark", "Value": "rm"}]}]}),
    );
    looks(
        &GetBlacklist::new("alice", 0),
        "sns.black_list_get",
        json!({"From_Account": "alice", "StartIndex": 0, "MaxLimited": 1000}),
    );
    looks(
        &GetApplications::new("alice"),
        "sns.pendency_get",
        json!({"From_Account": "alice", "PendencyType": "Pendency_Type_Both", "StartTime": 0, "MaxLimited": 100, "LastSequence": 0}),
    );
    looks(
        &DeleteApplications::new("alice", users(&["eve2"])),
        "sns.pendency_delete",
        json!({"From_Account": "alice", "PendencyType": "Pendency_Type_ComeIn", "To_Account": ["eve2"]}),
    );
}

#[test]
fn media_requests() {
    use media::*;
    looks(
        &PreSig::new(FileKind::File, "n.pdf"),
        "im_cos_msg.pre_sig",
        json!({"file_type": 255, "file_name": "n.pdf", "upload_method": 0, "Duration": 900}),
    );
    looks(
        &SimpleSig::new(1_400_000_001, "alice", false, FileKind::File, "e.pdf"),
        "im_cos_msg.simple_sig",
        json!({"uint32_upload_method": 0, "uint32_platform": 7, "uint32_sdkappid": 1_400_000_001, "str_user_id": "alice", "uint32_scene": 1, "rpt_upload_object": [{"uint32_file_id": 1, "uint32_file_type": 255, "str_file_name": "e.pdf"}]}),
    );
    looks(
        &VideoCover::new("c", "https://s"),
        "im_cos_msg.video_cover",
        json!({"version": 1, "platform": 7, "cover_name": "c", "snapshot_url": "https://s"}),
    );
}

#[test]
fn what_a_mode_is_called() {
    assert_eq!(
        serde_json::to_value(CounterMode::Decrease).unwrap(),
        "Decrease"
    );
    assert_eq!(
        serde_json::to_value(Counter::default()).unwrap(),
        json!({"Key": "", "Value": 0})
    );
    assert_eq!(Sides::default(), Sides::Both);
}

#[test]
fn limits_are_those_of_the_documentation() {
    fn of<C: Call>() -> (Option<&'static str>, f64, u32) {
        (C::LIMIT.bucket(), C::LIMIT.rate(), C::LIMIT.burst())
    }
    assert_eq!(of::<c2c_message::ReadAll>(), (Some("read all"), 1.0, 1));
    assert_eq!(
        of::<group_message::GetHistory>(),
        (Some("group history"), 20.0, 4)
    );
    assert_eq!(
        of::<crate::op::group_application::GetApplications>(),
        (Some("applications"), 15.0, 3)
    );
    assert_eq!(
        of::<group_attribute::SetAttributes>(),
        of::<group_attribute::ClearAttributes>(),
        "changes share a bucket"
    );
    assert_ne!(
        of::<group_attribute::GetAttributes>(),
        of::<group_attribute::ClearAttributes>()
    );
    assert_eq!(
        of::<crate::op::search::SearchUsers>(),
        of::<crate::op::search::SearchMessages>()
    );
    assert_eq!(of::<c2c_message::Recall>().0, None);
}
