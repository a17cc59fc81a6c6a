//! The conversation list: reading, pinning, marking and deleting conversations. See "Conversations
//! and people" in `docs/src/protocol.md`.

use super::{Contact, Done, ItemResult};
use crate::lenient;
use crate::message::Conversation;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The maximum number of conversations per request to delete, mark or group them.
pub const MAX_CONVERSATIONS: usize = 100;

calls! {
    GetConversations => "recentcontact.page_get" -> Page, Limit::NONE;
    Pin => "recentcontact.top" -> Done, Limit::NONE;
    Delete => "recentcontact.batch_delete" -> Results, Limit::NONE;
    ClearHistory => "recentcontact.clear_msg" -> Done, Limit::NONE;
    Mark => "recentcontact.mark_contact" -> Results, Limit::NONE;
}

/// Requests a page of the conversation list.
#[derive(Clone, Debug, Serialize)]
pub struct GetConversations {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "TimeStamp")]
    time: u64,
    #[serde(rename = "StartIndex")]
    index: u64,
    #[serde(rename = "TopTimeStamp")]
    top_time: u64,
    #[serde(rename = "TopStartIndex")]
    top_index: u64,
    #[serde(rename = "OrderType")]
    order: u8,
    #[serde(rename = "MsgAssistFlags")]
    message_flags: u8,
    #[serde(rename = "AssistFlags")]
    flags: u8,
}

impl GetConversations {
    /// Requests the first page.
    pub fn new(me: impl Into<String>) -> Self {
        Self {
            me: me.into(),
            time: 0,
            index: 0,
            top_time: 0,
            top_index: 0,
            order: 1,
            // The requested details of messages and conversations. The official client requests all
            // of them.
            message_flags: 15,
            flags: 31,
        }
    }

    /// Requests the page after `page`.
    #[must_use]
    pub fn after(mut self, page: &Page) -> Self {
        self.time = page.time;
        self.index = page.index;
        self.top_time = page.top_time;
        self.top_index = page.top_index;
        self
    }
}

/// A page of conversations.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Page {
    /// 1 on the last page.
    #[serde(rename = "CompleteFlag", default, deserialize_with = "lenient::int")]
    pub complete: u32,
    /// The start of the next page.
    #[serde(rename = "TimeStamp", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// The start of the next page.
    #[serde(rename = "StartIndex", default, deserialize_with = "lenient::int")]
    pub index: u64,
    /// The start of the next page of pinned conversations.
    #[serde(rename = "TopTimeStamp", default, deserialize_with = "lenient::int")]
    pub top_time: u64,
    /// The start of the next page of pinned conversations.
    #[serde(rename = "TopStartIndex", default, deserialize_with = "lenient::int")]
    pub top_index: u64,
    /// The conversations.
    #[serde(rename = "SessionItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<Listed>,
}

/// An entry of the conversation list.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Listed {
    /// 1 for one-to-one, 2 for group.
    #[serde(rename = "Type", default, deserialize_with = "lenient::int")]
    pub kind: u32,
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    user: String,
    #[serde(rename = "ToAccount", default, deserialize_with = "lenient::string")]
    group: String,
    /// The nick name of the peer, or the name of the group.
    #[serde(
        rename = "C2cNick",
        alias = "GroupNick",
        default,
        deserialize_with = "lenient::string"
    )]
    pub name: String,
    /// The time of the last message, server time in Unix seconds.
    #[serde(rename = "MsgTimeStamp", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// The sequence number of the last message.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
    /// The number of unread messages.
    #[serde(rename = "UnreadMsgCount", default, deserialize_with = "lenient::int")]
    pub unread: u32,
    /// Whether the conversation is pinned.
    #[serde(rename = "TopFlags", default, deserialize_with = "lenient::flag")]
    pub pinned: bool,
    /// The sender of the last message.
    #[serde(
        rename = "LastC2CMsgFrom_Account",
        alias = "MsgGroupFrom_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    pub last_from: String,
    /// The last message: `{"MsgBody": […], …}`, or a tip.
    #[serde(
        rename = "LastMsg",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub last: Map<String, Value>,
    /// The time up to which the peer has read; zero for a group.
    #[serde(rename = "C2cPeerReadTime", default, deserialize_with = "lenient::int")]
    pub peer_read: u64,
    /// The set of marks, as binary digits.
    #[serde(rename = "StandardMark", default, deserialize_with = "lenient::string")]
    pub marks: String,
    /// Application data of the conversation.
    #[serde(rename = "CustomMark", default, deserialize_with = "lenient::string")]
    pub custom: String,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Listed {
    /// Returns the conversation.
    #[must_use]
    pub fn conversation(&self) -> Conversation {
        if self.kind == 2 {
            // For a group, this field has the name of the user field without the underscore.
            Conversation::group(if self.group.is_empty() {
                self.user.as_str()
            } else {
                self.group.as_str()
            })
        } else {
            Conversation::C2c(self.user.as_str().into())
        }
    }
}

/// Pins conversations to the top, or unpins them.
#[derive(Clone, Debug, Serialize)]
pub struct Pin {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "OperationType")]
    operation: u8,
    #[serde(rename = "RecentContactItem")]
    items: Vec<Contact>,
}

impl Pin {
    /// Pins or unpins the conversation (a contact with [`GroupField::GroupId`](super::GroupField)).
    pub fn new(me: impl Into<String>, contact: Contact, pin: bool) -> Self {
        Self {
            me: me.into(),
            operation: if pin { 1 } else { 2 },
            items: vec![contact],
        }
    }
}

/// Removes conversations from the list.
#[derive(Clone, Debug, Serialize)]
pub struct Delete {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "ContactItem")]
    items: Vec<Contact>,
    #[serde(rename = "ClearRamble")]
    clear: u8,
}

impl Delete {
    /// Removes these contacts (with [`GroupField::ToGroupid`](super::GroupField)), at most 100.
    /// With `clear`, their history is deleted too.
    pub fn new(me: impl Into<String>, contacts: Vec<Contact>, clear: bool) -> Self {
        Self {
            me: me.into(),
            items: contacts,
            clear: u8::from(clear),
        }
    }
}

/// Deletes the history of a conversation, for this account only.
#[derive(Clone, Debug, Serialize)]
pub struct ClearHistory {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(flatten)]
    contact: Contact,
}

impl ClearHistory {
    /// Deletes the history of a contact (with [`GroupField::ToGroupid`](super::GroupField)).
    pub fn new(me: impl Into<String>, contact: Contact) -> Self {
        Self {
            me: me.into(),
            contact,
        }
    }
}

/// The results for several conversations.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Results {
    /// One result per conversation.
    #[serde(rename = "ResultItem", default, deserialize_with = "lenient::list")]
    pub items: Vec<ItemResult>,
}

/// Marks conversations.
#[derive(Clone, Debug, Serialize)]
pub struct Mark {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "MarkItem")]
    items: Vec<MarkItem>,
}

#[derive(Clone, Debug, Serialize)]
struct MarkItem {
    #[serde(rename = "OptType")]
    kind: u8,
    #[serde(rename = "ContactItem")]
    contact: Contact,
    #[serde(rename = "SetMark", skip_serializing_if = "Vec::is_empty")]
    set: Vec<u32>,
    #[serde(rename = "ClearMark", skip_serializing_if = "Vec::is_empty")]
    clear: Vec<u32>,
    #[serde(rename = "CustomMark", skip_serializing_if = "Option::is_none")]
    custom: Option<String>,
}

impl Mark {
    /// Sets the marks with the bit numbers `set` and clears those in `clear`, for a contact with
    /// [`GroupField::ToGroupId`](super::GroupField). Bits: 0 star, 1 unread, 2 folded, 3 hidden, 32
    /// to 63 defined by the app.
    pub fn bits(me: impl Into<String>, contact: Contact, set: Vec<u32>, clear: Vec<u32>) -> Self {
        Self {
            me: me.into(),
            items: vec![MarkItem {
                kind: 1,
                contact,
                set,
                clear,
                custom: None,
            }],
        }
    }

    /// Sets application data of a contact.
    pub fn custom(me: impl Into<String>, contact: Contact, data: impl Into<String>) -> Self {
        Self {
            me: me.into(),
            items: vec![MarkItem {
                kind: 2,
                contact,
                set: Vec::new(),
                clear: Vec::new(),
                custom: Some(data.into()),
            }],
        }
    }
}
