//! Group messages, tips and notices in pushes, history and live rooms. See "Groups" in
//! `docs/src/protocol.md`.

use super::Element;
use crate::id::{GroupId, UserId};
use crate::lenient;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// One entry of `GroupMsgArray`, `GroupTips` or the history of a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupItem {
    /// 3 message, 4 stored tip, 6 tip that is not stored, 5 notice. Items of history and live rooms
    /// contain this number; pushes carry it next to the item.
    #[serde(
        rename = "Event",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub event: Option<u64>,
    /// The sender; `@TIM#SYSTEM` for tips and notices.
    #[serde(rename = "From_Account", default, deserialize_with = "lenient::string")]
    pub from: UserId,
    /// The GroupID. It is empty if a history answer names the group once for all items.
    #[serde(
        rename = "ToGroupId",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "str::is_empty"
    )]
    pub group: GroupId,
    /// The sequence number, which the server assigns per group without gaps, including stored tips.
    /// Zero for items without a number.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
    /// A random number of the sender.
    #[serde(
        rename = "MsgRandom",
        alias = "Random",
        default,
        deserialize_with = "lenient::int"
    )]
    pub random: u32,
    /// Server time in Unix seconds.
    #[serde(
        rename = "MsgTimeStamp",
        alias = "MsgTime",
        default,
        deserialize_with = "lenient::int"
    )]
    pub time: u64,
    /// The content.
    #[serde(rename = "MsgBody", default)]
    pub body: Body,
    /// The sender's clock in Unix seconds.
    #[serde(
        rename = "MsgClientTime",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub client_time: Option<u64>,
    /// The sender's TinyId.
    #[serde(
        rename = "TinyId",
        default,
        deserialize_with = "lenient::opt_string",
        skip_serializing_if = "Option::is_none"
    )]
    pub tiny_id: Option<String>,
    /// 1 high, 2 normal, 3 low, 4 lowest.
    #[serde(
        rename = "MsgPriority",
        default,
        deserialize_with = "lenient::opt_priority",
        skip_serializing_if = "Option::is_none"
    )]
    pub priority: Option<u32>,
    /// Application data stored with the message.
    #[serde(
        rename = "CloudCustomData",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub cloud_custom_data: String,
    /// The mentioned members.
    #[serde(
        rename = "GroupAtInfo",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub mentions: Vec<Mention>,
    /// Whether the message is neither stored nor numbered.
    #[serde(
        rename = "OnlineOnlyFlag",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub online_only: Option<u32>,
    /// Whether the sender asks for read receipts.
    #[serde(
        rename = "NeedReadReceipt",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub needs_receipt: Option<u32>,
    /// The number of edits.
    #[serde(
        rename = "MsgVersion",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub version: Option<u32>,
    /// In history: 0 a message, 1 a gap, 2 a recalled message.
    #[serde(
        rename = "IsPlaceMsg",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub place: Option<u32>,
    /// The group, and the sender's names in it.
    #[serde(rename = "GroupInfo", default, skip_serializing_if = "Option::is_none")]
    pub info: Option<Box<GroupInfo>>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Data about the group and the sender of an item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupInfo {
    /// The group.
    #[serde(rename = "GroupId", default, deserialize_with = "lenient::string")]
    pub id: GroupId,
    /// The group type on the wire: `Private`, `Public`, `ChatRoom`, `AVChatRoom`, `Community`.
    #[serde(
        rename = "GroupType",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub kind: String,
    /// The group name.
    #[serde(
        rename = "GroupName",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub name: String,
    /// The sender's nick name.
    #[serde(
        rename = "From_AccountNick",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub nick: String,
    /// The TopicID, in a community.
    #[serde(
        rename = "TopicId",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "str::is_empty"
    )]
    pub topic: GroupId,
    /// Unknown fields, including the name card.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A mention in a group message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// 1: everybody.
    #[serde(rename = "GroupAtAllFlag", default, deserialize_with = "lenient::int")]
    pub all: u32,
    /// The mentioned user; empty for a mention of everybody.
    #[serde(
        rename = "GroupAt_Account",
        default,
        deserialize_with = "lenient::opt_string",
        skip_serializing_if = "Option::is_none"
    )]
    pub user: Option<UserId>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Mention {
    /// Mentions all members of the group.
    #[must_use]
    pub fn everybody() -> Self {
        Self {
            all: 1,
            ..Self::default()
        }
    }

    /// Mentions one member.
    pub fn user(user: impl Into<UserId>) -> Self {
        Self {
            user: Some(user.into()),
            ..Self::default()
        }
    }

    /// Returns whether the mention includes `user`, by name or as one of all members.
    #[must_use]
    pub fn means(&self, user: &str) -> bool {
        self.all != 0 || self.user.as_deref() == Some(user)
    }
}

/// The content of an item: the elements of a message, or the object of a tip or notice.
#[derive(Clone, Debug)]
pub enum Body {
    /// `[{"MsgType": …}, …]`
    Elements(Vec<Element>),
    /// The JSON of a tip, a notice or an unknown content.
    Object(Box<RawValue>),
}

impl Default for Body {
    fn default() -> Self {
        Self::Elements(Vec::new())
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Elements(elements) => elements.serialize(serializer),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let whole = Box::<RawValue>::deserialize(deserializer)?;
        Ok(match serde_json::from_str(whole.get()) {
            Ok(elements) => Self::Elements(elements),
            Err(_) => Self::Object(whole),
        })
    }
}
