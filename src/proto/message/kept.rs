//! The elements of a message that is kept for later. On the wire nobody but the server makes tips and notices, so
//! that an element which claims to be one is read as an unknown one; here it is what it was.

use super::tip::{GroupTip, SystemNotice};
use super::{Element, Other};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

#[derive(Serialize)]
enum Kept<'a> {
    #[serde(rename = "element")]
    Element(&'a Element),
    #[serde(rename = "other")]
    Other(&'a str, &'a RawValue),
    #[serde(rename = "tip")]
    Tip(&'a GroupTip),
    #[serde(rename = "notice")]
    Notice(&'a SystemNotice),
}

#[derive(Deserialize)]
enum Found {
    #[serde(rename = "element")]
    Element(Element),
    #[serde(rename = "other")]
    Other(String, Box<RawValue>),
    #[serde(rename = "tip")]
    Tip(Box<GroupTip>),
    #[serde(rename = "notice")]
    Notice(Box<SystemNotice>),
}

pub(super) fn serialize<S: Serializer>(
    elements: &[Element],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(elements.iter().map(|element| match element {
        Element::GroupTip(tip) => Kept::Tip(tip),
        Element::SystemNotice(notice) => Kept::Notice(notice),
        Element::Other(Other { msg_type, content }) => Kept::Other(msg_type, content),
        element => Kept::Element(element),
    }))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Element>, D::Error> {
    let found = Vec::<Found>::deserialize(deserializer)?;
    let elements = found.into_iter().map(|found| match found {
        Found::Element(element) => element,
        Found::Other(msg_type, content) => Element::Other(Other { msg_type, content }),
        Found::Tip(tip) => Element::GroupTip(tip),
        Found::Notice(notice) => Element::SystemNotice(notice),
    });
    Ok(elements.collect())
}

#[cfg(test)]
mod tests {
    use super::super::{
        C2cItem, Conversation, Custom, Element, GroupInfo, Location, Mention, Message, MessageRef,
        Text,
    };
    use crate::update::{
        EditedMessage, FollowChange, FollowDiff, FriendChange, GroupReceipt, Mentioned,
        ProfileChange, Update, UserStatus,
    };
    use proptest::prelude::*;
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Map, Value, json};
    use std::fmt::Debug;

    /// Some types cannot be compared, but all can be shown.
    fn comes_back<T: Serialize + DeserializeOwned + Debug>(kept: &T) {
        let text = serde_json::to_string(kept).unwrap();
        let found: T = serde_json::from_str(&text).unwrap();
        assert_eq!(format!("{found:?}"), format!("{kept:?}"), "{text}");
    }

    fn extra() -> impl Strategy<Value = Map<String, Value>> {
        prop::collection::btree_map("X[a-z]{1,3}", "\\PC{0,5}", 0..3)
            .prop_map(|fields| fields.into_iter().map(|(k, v)| (k, v.into())).collect())
    }

    fn read<T: DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    fn element() -> impl Strategy<Value = Element> {
        let text = || "\\PC{0,20}";
        prop_oneof![
            (text(), extra()).prop_map(|(text, extra)| Element::Text(Text { text, extra })),
            (text(), extra()).prop_map(|(data, extra)| Element::Custom(Custom {
                data,
                extra,
                ..Custom::default()
            })),
            (text(), any::<i32>()).prop_map(|(data, index)| Element::face(i64::from(index), data)),
            (text(), -180..180_i32).prop_map(|(desc, at)| Element::Location(Box::new(Location {
                desc,
                longitude: f64::from(at) / 4.0,
                ..Location::default()
            }))),
            // What says that it is a tip, or has no content that fits its name.
            (text(), "TIM(Text|GroupTip|New|Image)Elem").prop_map(|(text, name)| {
                let json = json!({"MsgType": name, "MsgContent": [text]}).to_string();
                serde_json::from_str(&json).unwrap()
            }),
            "[\\[\\]{}:,\"a-z0-9. -]{0,30}".prop_map(|text| {
                let whole = serde_json::from_str::<Value>(&text).unwrap_or(Value::Null);
                serde_json::from_str(&whole.to_string()).unwrap()
            }),
            (text(), any::<u32>(), extra()).prop_map(|(name, kind, extra)| {
                let mut tip = json!({"OpType": kind % 20, "OperatorAccount": name,
                    "List_Account": [name], "MsgGroupNewInfo": {"GroupName": name}});
                tip.as_object_mut().unwrap().extend(extra);
                Element::GroupTip(Box::new(read(tip)))
            }),
            (text(), any::<u32>(), extra()).prop_map(|(name, kind, extra)| {
                let mut notice = json!({"ReportType": kind % 30, "Operator_Account": name,
                    "GroupName": name, "RemarkInfo": name, "MsgKey": kind});
                notice.as_object_mut().unwrap().extend(extra);
                Element::SystemNotice(Box::new(read(notice)))
            }),
        ]
    }

    fn conversation() -> impl Strategy<Value = Conversation> {
        prop_oneof![
            "\\PC{0,9}".prop_map(Conversation::c2c),
            "\\PC{0,9}".prop_map(Conversation::group),
            Just(Conversation::System)
        ]
    }

    fn message() -> impl Strategy<Value = Message> {
        let texts = ("\\PC{0,9}", "\\PC{0,9}", prop::option::of("\\PC{0,9}"));
        let numbers = (any::<u32>(), any::<u64>(), prop::option::of(any::<u64>()));
        let flags = any::<[bool; 5]>();
        let elements = prop::collection::vec(element(), 0..4);
        (texts, numbers, flags, elements, conversation(), extra()).prop_map(
            |((a, b, tiny_id), (n, time, client_time), flags, elements, conversation, extra)| {
                let mut message = Message::from_c2c(C2cItem::new(&a, &b, elements), &b);
                message.conversation = conversation;
                (message.nick, message.cloud_custom_data) = (b.clone(), a.clone());
                (message.seq, message.random, message.version) = (n, !n, n / 7);
                (message.time, message.client_time, message.tiny_id) = (time, client_time, tiny_id);
                [
                    message.is_own,
                    message.online_only,
                    message.recalled,
                    message.needs_receipt,
                    _,
                ] = flags;
                if flags[4] {
                    let info = json!({"GroupId": a, "GroupName": b, "From_AccountNick": b});
                    let mut info: GroupInfo = read(info);
                    info.extra = extra;
                    message.group = Some(Box::new(info));
                    let all: Mention = read(json!({"GroupAtAllFlag": 1}));
                    let one: Mention = read(json!({"GroupAtAllFlag": 0, "GroupAt_Account": a}));
                    message.mentions = vec![all, one];
                }
                message
            },
        )
    }

    fn update() -> impl Strategy<Value = Update> {
        let parts = (
            conversation(),
            "\\PC{0,9}",
            any::<u32>(),
            any::<u64>(),
            extra(),
            prop::collection::vec(element(), 0..3),
        );
        let of = |(conversation, user, n, time, extra, elements): (
            Conversation,
            String,
            u32,
            u64,
            Map<String, Value>,
            Vec<Element>,
        )| {
            // An element of an update is one of the wire: no tip.
            let elements: Vec<Element> =
                elements.into_iter().filter(Element::is_sendable).collect();
            let name = MessageRef {
                from: user.clone(),
                seq: n,
                time: Some(time),
                extra: extra.clone(),
                ..MessageRef::default()
            };
            vec![
                Update::Recalled {
                    conversation: conversation.clone(),
                    by: user.clone().into(),
                    messages: vec![name.clone(), MessageRef::default()],
                },
                Update::Edited {
                    conversation: conversation.clone(),
                    message: Box::new(EditedMessage {
                        from: user.clone().into(),
                        to: user.clone().into(),
                        time,
                        elements,
                        extra: extra.clone(),
                        ..EditedMessage::default()
                    }),
                },
                Update::ReadByPeer {
                    peer: user.clone().into(),
                    until: time,
                },
                Update::ReadElsewhere {
                    conversation: conversation.clone(),
                    until: time,
                },
                Update::AllReadElsewhere {
                    c2c: n > 7,
                    groups: vec![(user.clone().into(), n)],
                },
                Update::C2cReceipt {
                    peer: user.clone().into(),
                    time,
                    messages: vec![name],
                },
                Update::GroupReceipt {
                    group: user.clone().into(),
                    messages: vec![GroupReceipt {
                        seq: n,
                        read: 1,
                        unread: 2,
                        extra: extra.clone(),
                    }],
                },
                Update::Typing {
                    conversation,
                    user: user.clone().into(),
                    is_typing: n > 7,
                },
                Update::Mentioned(Mentioned {
                    group: user.clone().into(),
                    kinds: vec![1, 2],
                    extra: extra.clone(),
                    ..Mentioned::default()
                }),
                Update::Profile(ProfileChange {
                    user: user.clone().into(),
                    fields: vec![extra.clone()],
                    extra: extra.clone(),
                }),
                Update::Friends(FriendChange {
                    added: vec![user.clone().into()],
                    applications: vec![extra.clone()],
                    extra: extra.clone(),
                    ..FriendChange::default()
                }),
                Update::Conversations(extra.clone()),
                Update::Status(vec![UserStatus {
                    user: user.clone().into(),
                    status: n,
                    custom: user.clone(),
                    extra: extra.clone(),
                }]),
                Update::MuteNotifications {
                    peer: user.clone().into(),
                    option: n,
                },
                Update::Reactions(read(json!({"ReactionC2cMsgInfo": {"From_Account": user,
                    "MsgSeq": n}, "ReactionInfo": [{"Reaction": user, "TotalCount": n}], "New": n}))),
                Update::ReactedElsewhere(read(
                    json!({"Reaction": user, "Operate": 1, "MsgSeq": n}),
                )),
                Update::Extensions(read(json!({"TinyId": user, "MsgOptType": 1, "SetKVInfo":
                    [{"MsgKeyValue": [{"key": user, "value": user}], "ClearMsgSeq": n}]}))),
                Update::DoNotDisturb(extra.clone()),
                Update::Follows(FollowChange {
                    user: user.into(),
                    changes: vec![FollowDiff {
                        added: n > 7,
                        list: n,
                    }],
                    extra,
                }),
            ]
        };
        parts.prop_map(of).prop_flat_map(prop::sample::select)
    }

    proptest! {
        #[test]
        fn a_message_that_was_kept_is_the_same(message in message()) {
            comes_back(&message);
        }

        #[test]
        fn an_update_that_was_kept_is_the_same(update in update()) {
            comes_back(&update);
        }
    }
}
