//! Group messages in their stored form.

use crate::{
    proto::id::UserId,
    shape,
    table::{
        group::{Group, GroupItem},
        marks::Marks,
        recent::Repeatable,
    },
};
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeSet, hash::BuildHasher};

/// The most bytes of a message, content and custom data together.
pub(crate) const MAX_MESSAGE: usize = 12 * 1024;

/// The most receivers of a targeted message.
pub(crate) const MAX_TARGETS: usize = 50;

/// A message or a tip, with its number in the group.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) random: u64,
    pub(crate) client_seq: u64,
    /// Server time, Unix seconds.
    pub(crate) time: u64,
    pub(crate) client_time: u64,
    pub(crate) tiny_id: String,
    /// The sender's UserID, or that of the service.
    pub(crate) from: String,
    pub(crate) what: What,
    pub(crate) revoker: Option<UserId>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum What {
    Said(Box<Said>),
    /// The body of a tip.
    Tip(Value),
}

/// The content of a message.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    #[serde(deserialize_with = "shape::apart")]
    pub(crate) body: Value,
    pub(crate) cloud: String,
    pub(crate) priority: u8,
    pub(crate) nick: String,
    pub(crate) face_url: String,
    pub(crate) name_card: String,
    #[serde(deserialize_with = "shape::apart")]
    pub(crate) at: Value,
    pub(crate) online_only: bool,
    pub(crate) need_receipt: bool,
    pub(crate) extension: bool,
    /// Reactions and extensions of the message.
    #[serde(rename = "extras")]
    pub(crate) marks: Option<Box<Marks>>,
    pub(crate) no_unread: bool,
    pub(crate) no_last: bool,
    #[serde(deserialize_with = "shape::counter")]
    pub(crate) version: u64,
    /// The members whose receipts are counted; empty if the message asks for none.
    pub(crate) audience: BTreeSet<UserId>,
    pub(crate) readers: BTreeSet<UserId>,
    /// If set, only these accounts and the sender may see the message.
    pub(crate) targets: Option<BTreeSet<UserId>>,
}

/// Adds the fields of `more` to an object.
pub(crate) fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

/// A send that succeeded. What makes a repeat is documented for REST: sender and `Random`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecentSend {
    pub(crate) from: UserId,
    pub(crate) random: u64,
    pub(crate) time: u64,
    pub(crate) seq: u64,
    /// The number of its record in the ledger.
    #[serde(skip)]
    pub(crate) record: Option<u64>,
}

impl Repeatable for RecentSend {
    const WINDOW: u64 = 300;
    const LIMIT: usize = 1 << 16;

    fn mix(&self) -> u64 {
        FixedState::default().hash_one((self.random, &self.from))
    }

    fn is_like(&self, other: &Self) -> bool {
        (self.random, &self.from) == (other.random, &other.from)
    }

    fn time(&self) -> u64 {
        self.time
    }
}

/// Returns true if `body` is a non-empty list of elements, each with a type and a content object.
pub(crate) fn is_message_body(body: &Value) -> bool {
    let is_element = |element: &Value| {
        let kind = element.get("MsgType").and_then(Value::as_str);
        kind.is_some_and(|kind| !kind.is_empty())
            && element.get("MsgContent").is_some_and(Value::is_object)
    };
    body.as_array()
        .is_some_and(|elements| !elements.is_empty() && elements.iter().all(is_element))
}

pub(crate) fn size_of(body: &Value, cloud: &str) -> usize {
    body.to_string().len() + cloud.len()
}

impl Entry {
    pub(crate) fn said(&self) -> Option<&Said> {
        match &self.what {
            What::Said(said) => Some(said),
            What::Tip(_) => None,
        }
    }

    pub(crate) fn said_mut(&mut self) -> Option<&mut Said> {
        match &mut self.what {
            What::Said(said) => Some(said),
            What::Tip(_) => None,
        }
    }

    /// Returns true if `user` may see the entry.
    pub(crate) fn is_for(&self, user: &UserId) -> bool {
        let targets = self.said().and_then(|said| said.targets.as_ref());
        targets.is_none_or(|targets| targets.contains(user) || self.from == user.as_str())
    }

    pub(crate) fn as_item(&self) -> GroupItem {
        let body = match &self.what {
            What::Said(said) => said.body.to_string(),
            What::Tip(body) => body.to_string(),
        };
        GroupItem {
            seq: self.seq,
            from: self.from.clone(),
            body,
            recalled: self.revoker.is_some(),
        }
    }

    /// The numbers by which a client finds a message.
    pub(crate) fn identity(&self) -> Value {
        json!({
            "MsgSeq": self.seq, "MsgRandom": self.random, "MsgTimeStamp": self.time,
            "MsgClientTime": self.client_time, "TinyId": self.tiny_id,
        })
    }

    /// The fields of a message that can change.
    pub(crate) fn current(&self) -> Value {
        let Some(said) = self.said() else {
            return json!({});
        };
        json!({
            "MsgVersion": said.version, "MsgBody": said.body, "CloudCustomData": said.cloud,
        })
    }

    /// The entry in the form used by pushes, polls and history.
    pub(crate) fn wire(&self, group: &Group) -> Value {
        let mut info = group.wire_info();
        let mut item = json!({
            "From_Account": self.from,
            "ToGroupId": group.outer_id(),
            "GroupId": group.outer_id(),
            "MsgSeq": self.seq,
            "MsgRandom": self.random,
            "MsgTimeStamp": self.time,
            "MsgClientTime": self.client_time,
            "TinyId": self.tiny_id,
            "ClientSeq": self.client_seq,
            "IsPlaceMsg": if self.revoker.is_some() { 2 } else { 0 },
            "IsSystemMsg": u8::from(self.said().is_none()),
        });
        let more = match &self.what {
            What::Tip(body) => json!({
                "Event": 4, "MsgBody": body, "CloudCustomData": "", "MsgPriority": 2,
                "MsgVersion": 0, "OnlineOnlyFlag": 0, "NeedReadReceipt": 0,
                "SupportMessageExtension": 0,
            }),
            What::Said(said) => {
                extend(
                    &mut info,
                    json!({
                        "From_AccountNick": said.nick,
                        "From_AccountHeadurl": said.face_url,
                        "MsgFrom_AccountExtraInfo": {"NameCard": said.name_card},
                    }),
                );
                let mut more = json!({
                    "Event": 3, "MsgBody": said.body, "CloudCustomData": said.cloud,
                    "MsgPriority": said.priority, "MsgVersion": said.version,
                    "OnlineOnlyFlag": u8::from(said.online_only),
                    "NeedReadReceipt": u8::from(said.need_receipt),
                    "SupportMessageExtension": u8::from(said.extension),
                });
                if said.at.as_array().is_some_and(|at| !at.is_empty()) {
                    extend(&mut more, json!({"GroupAtInfo": said.at}));
                }
                if said.no_unread || said.no_last {
                    let (unread, last) = (u8::from(said.no_unread), u8::from(said.no_last));
                    let control = json!({"NoUnread": unread, "NoLastMsg": last});
                    extend(&mut more, json!({"SendMsgControl": control}));
                }
                more
            }
        };
        extend(&mut item, more);
        extend(&mut item, json!({"GroupInfo": info}));
        if let Some(revoker) = &self.revoker {
            let info = json!({"Revoker_Account": revoker, "Reason": ""});
            extend(&mut item, json!({"RevokerInfo": info}));
        }
        item
    }
}

impl Group {
    /// The group's identity in pushes; the SDK requires ID and type.
    pub(crate) fn wire_info(&self) -> Value {
        let mut info = json!({
            "GroupName": self.name, "GroupType": self.kind.name(),
            "GroupFaceUrl": self.face_url,
        });
        extend(&mut info, self.named());
        if self.community.is_some() {
            extend(&mut info, json!({"MillionGroupFlag": 2}));
        }
        info
    }
}
