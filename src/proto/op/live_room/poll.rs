//! The answer to a long poll of a live room. Its items resemble those of a push, but some use short
//! field names, and a recall has a different shape. See "Groups" in `docs/src/protocol.md`.

use crate::event::Notice;
use crate::lenient;
use crate::message::{Conversation, GroupItem, MessageRef};
use crate::op::reaction::ReactionChange;
use crate::update::Update;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The answer to a poll.
#[derive(Debug, Default, Deserialize)]
pub struct PollAnswer<'a> {
    /// The key for the next poll; empty if it does not change.
    #[serde(rename = "Key", default, deserialize_with = "lenient::string")]
    pub key: String,
    /// The start of the next poll; zero if the server did not send it.
    #[serde(rename = "NextSeq", default, deserialize_with = "lenient::int")]
    pub next_seq: u64,
    /// The next sequence number for broadcast messages.
    #[serde(
        rename = "NextBroadcastSeq",
        default,
        deserialize_with = "lenient::opt_int"
    )]
    pub next_broadcast_seq: Option<u64>,
    /// The items. Each one is parsed separately.
    #[serde(rename = "RspMsgList", default, borrow)]
    pub items: Vec<&'a RawValue>,
    /// Broadcast messages, which the server sends to all rooms.
    #[serde(rename = "RspBroadcastMsgList", default, borrow)]
    pub broadcasts: Vec<&'a RawValue>,
}

/// The answer to a join, with the fields that live rooms need.
#[derive(Debug, Default, Deserialize)]
pub struct RoomJoined<'a> {
    /// 1 for a live room.
    #[serde(rename = "HugeGroupFlag", default, deserialize_with = "lenient::flag")]
    pub is_live: bool,
    /// The key for polls.
    #[serde(
        rename = "LongPollingKey",
        default,
        deserialize_with = "lenient::string"
    )]
    pub key: String,
    /// The start of the first poll.
    #[serde(rename = "StartSeq", default, deserialize_with = "lenient::int")]
    pub start_seq: u64,
    #[serde(rename = "RspMsgList", default, borrow)]
    items: Option<&'a RawValue>,
}

impl<'a> RoomJoined<'a> {
    /// Returns earlier messages, oldest first; none if the field is not a list.
    #[must_use]
    pub fn items(&self) -> Vec<&'a RawValue> {
        let items = self.items.map(|items| serde_json::from_str(items.get()));
        items.and_then(Result::ok).unwrap_or_default()
    }
}

/// Short field names and their full names.
const SHORT: &[(&str, &str)] = &[
    ("E", "Event"),
    ("GId", "ToGroupId"),
    ("MS", "MsgSeq"),
    ("MR", "MsgRandom"),
    ("MTS", "MsgTimeStamp"),
    ("MCT", "MsgClientTime"),
    ("MP", "MsgPriority"),
    ("CCD", "CloudCustomData"),
    ("F_Account", "From_Account"),
    ("IsSys", "IsSystemMsg"),
    ("GInf", "GroupInfo"),
];
const SHORT_INFO: &[(&str, &str)] = &[
    ("GN", "GroupName"),
    ("GT", "GroupType"),
    ("F_NN", "From_AccountNick"),
    ("F_Hd", "From_AccountHeadurl"),
    ("F_Ll", "From_AccountLevel"),
];
const SHORT_TIP: &[(&str, &str)] = &[
    ("Opt", "OpType"),
    ("RT", "ReportType"),
    ("O_Account", "Operator_Account"),
    ("L_Account", "List_Account"),
    ("OpInf", "MsgOperatorMemberExtraInfo"),
    ("UDF", "UserDefinedField"),
    ("OnlineInf", "OnlineMemberInfo"),
];

fn lengthen(object: &mut Map<String, Value>, names: &[(&str, &str)]) {
    for (short, long) in names {
        if !object.contains_key(*long)
            && let Some(value) = object.remove(*short)
        {
            object.insert((*long).to_owned(), value);
        }
    }
}

/// Parses one item of a poll of `room`.
#[must_use]
pub fn read_item(raw: &RawValue, room: &str) -> Vec<Notice> {
    let malformed = |error: serde_json::Error| Notice::Malformed {
        reason: error.to_string(),
    };
    let mut object: Map<String, Value> = match serde_json::from_str(raw.get()) {
        Ok(object) => object,
        Err(error) => return vec![malformed(error)],
    };
    lengthen(&mut object, SHORT);
    if let Some(Value::Object(info)) = object.get_mut("GroupInfo") {
        lengthen(info, SHORT_INFO);
    }
    if let Some(Value::Object(body)) = object.get_mut("MsgBody") {
        lengthen(body, SHORT_TIP);
    }
    object
        .entry("ToGroupId")
        .or_insert_with(|| Value::String(room.to_owned()));
    let event = object.get("Event").and_then(Value::as_u64).unwrap_or(3);
    match event {
        // A broadcast to all rooms is an ordinary message.
        17 => {
            object.insert("Event".to_owned(), Value::from(3));
        }
        20 | 21 => {
            lenient::take_first_names(&mut object);
            return if event == 20 {
                vec![read_recall(&object)]
            } else {
                read_reactions(&object)
            };
        }
        100 => {
            return vec![Notice::Unknown {
                event: Some(event),
                raw: raw.to_owned(),
            }];
        }
        _ => {}
    }
    // Remove duplicate names only if the item cannot be parsed otherwise: a custom element may use
    // both names with different meanings.
    let item = GroupItem::deserialize(&object).or_else(|_| {
        lenient::take_first_names(&mut object);
        serde_json::from_value(Value::Object(object))
    });
    vec![match item {
        Ok(item) => Notice::Group {
            event,
            item: Box::new(item),
        },
        Err(error) => malformed(error),
    }]
}

fn read_reactions(object: &Map<String, Value>) -> Vec<Notice> {
    let body = object.get("MsgBody");
    let list = body.and_then(|body| body.get("MsgReactionNotifyList"));
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.map(|change| match ReactionChange::deserialize(change) {
        Ok(change) => Notice::Update(Box::new(Update::Reactions(change))),
        Err(error) => Notice::Malformed {
            reason: error.to_string(),
        },
    })
    .collect()
}

fn read_recall(object: &Map<String, Value>) -> Notice {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = object
        .get("MsgBody")
        .and_then(|body| body.get("RevokeMsgList"))
        .cloned()
        .unwrap_or_default();
    let messages: Vec<MessageRef> = match serde_json::from_value(list) {
        Ok(messages) => messages,
        Err(error) => {
            return Notice::Malformed {
                reason: error.to_string(),
            };
        }
    };
    let by = object
        .get("RevokerInfo")
        .and_then(|info| info.get("Revoker_Account"));
    Notice::Update(Box::new(Update::Recalled {
        conversation: Conversation::group(text(object.get("ToGroupId"))),
        by: text(by).into(),
        messages,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use proptest::prelude::*;

    fn read(json: &str) -> Notice {
        let mut notices = read_item(&RawValue::from_string(json.to_owned()).unwrap(), "room");
        assert_eq!(notices.len(), 1);
        notices.remove(0)
    }

    #[test]
    fn elements_keep_every_name_they_have() {
        let raw = r#"{"Event":17,"MS":7,"F_Account":"al","MsgBody":[{"MsgType":"TIMNewElem",
            "MsgContent":{"Code":1,"ErrorCode":2}}]}"#;
        let Notice::Group { item, .. } = read(raw) else {
            panic!("no message");
        };
        let text = serde_json::to_string(&*item).unwrap();
        assert!(text.contains(r#""Code":1,"ErrorCode":2"#), "{text}");
    }

    #[test]
    fn every_message_whose_reactions_changed_is_told_of() {
        let raw = r#"{"Event":21,"MS":7,"MsgBody":{"MsgReactionNotifyList":[
            {"GroupMsgInfo":{"TinyId":"1","MsgClientTime":2,"MsgRandom":3},
             "MsgReactionSummary":[{"Reaction":"smile","Count":2,"Reaction_Account":["al","bo"]}]},
            {"GroupMsgInfo":{"TinyId":"1","MsgClientTime":2,"MsgRandom":4}}]}}"#;
        let notices = read_item(&RawValue::from_string(raw.to_owned()).unwrap(), "room");
        let [Notice::Update(first), Notice::Update(second)] = &notices[..] else {
            panic!("{notices:?}")
        };
        let (Update::Reactions(first), Update::Reactions(second)) = (&**first, &**second) else {
            panic!()
        };
        let id = |change: &ReactionChange| change.message().unwrap().terminal_id().unwrap();
        assert_eq!((id(first), id(second)), ("1-2-3".into(), "1-2-4".into()));
        let smile = &first.reactions[0];
        assert_eq!((smile.name.as_str(), smile.count), ("smile", 2));
    }

    #[test]
    fn short_names_are_read_like_long_ones() {
        let Notice::Group { event: 3, item } = read(
            r#"{"E":3,"MS":7,"MR":9,"MTS":5,"F_Account":"alice","GInf":{"GN":"Room","F_NN":"Al"},
                "MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}"#,
        ) else {
            panic!()
        };
        let message = Message::from_group(*item, 3, "me").unwrap();
        assert_eq!(
            (message.text(), message.seq, message.nick.as_str()),
            (Some("hi"), 7, "Al")
        );
        assert_eq!(message.conversation, Conversation::group("room"));
        let Notice::Group { event: 4, item } =
            read(r#"{"E":4,"MsgBody":{"Opt":1,"O_Account":"bob","L_Account":["bob"]}}"#)
        else {
            panic!()
        };
        let message = Message::from_group(*item, 4, "me").unwrap();
        assert_eq!(message.tip().unwrap().operator, "bob");
    }

    #[test]
    fn a_recall_has_a_shape_of_its_own() {
        let Notice::Update(update) = read(
            r#"{"Event":20,"RevokerInfo":{"Revoker_Account":"al"},"MsgBody":{"RevokeMsgList":[
                {"TinyId":"1","MsgClientTime":2,"MsgRandom":3,"MsgSeq":4}]}}"#,
        ) else {
            panic!()
        };
        let Update::Recalled { by, messages, .. } = *update else {
            panic!()
        };
        assert_eq!(
            (by.as_str(), messages[0].terminal_id()),
            ("al", Some("1-2-3".to_owned()))
        );
    }

    proptest! {
        #[test]
        fn no_item_panics(json in "\\PC{0,100}") {
            if let Ok(raw) = RawValue::from_string(json) {
                let _ = read_item(&raw, "room");
            }
        }
    }
}
