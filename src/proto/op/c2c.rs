//! One-to-one messages: recall, edit, read marks, receipts, history, deletion, announcements.

use super::Done;
use crate::lenient;
use crate::message::{C2cItem, Element, Message};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Messages that one deletion or receipt may name.
pub const MAX_MESSAGES: usize = 30;
/// Messages that one page of history holds.
pub const PAGE: u32 = 15;
/// Users whose read time or announcement option one request may be about.
pub const MAX_PEERS: usize = 30;

calls! {
    Recall => "openim.msgwithdraw" -> Done;
    Edit => "openim.modify_c2c_msg" -> Edited;
    ReadReport => "openim.msgreaded" -> Done;
    ReadAll => "openim.read_all_unread_msg" -> Done;
    Receipt => "openim.c2c_msg_read_receipt" -> Done;
    PeerReadTimes => "openim.get_peer_read_time" -> ReadTimes;
    GetHistory => "openim.getroammsg" -> History;
    Delete => "openim.delete_c2c_msg_ramble" -> Done;
    SetMuteOption => "openim.set_c2c_peer_mute_notifications" -> Done;
    GetMuteOption => "openim.get_c2c_peer_mute_notifications" -> MuteOptions;
    DoNotDisturb => "im_msg_db_logic.ws_set_do_not_disturb" -> Done;
    GetDoNotDisturb => "im_msg_db_logic.ws_get_do_not_disturb" -> DoNotDisturb;
}

/// Names a message to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Name {
    #[serde(rename = "From_Account")]
    from: String,
    #[serde(rename = "To_Account")]
    to: String,
    #[serde(rename = "MsgSeq")]
    seq: u32,
    #[serde(rename = "MsgRandom")]
    random: u32,
}

impl Name {
    fn of(message: &Message) -> Self {
        Self {
            from: message.from.to_string(),
            to: message.to.to_string(),
            seq: message.seq,
            random: message.random,
        }
    }
}

/// Takes an own message back. Refused with [`C2C_RECALL_WINDOW`](crate::code::Code::C2C_RECALL_WINDOW)
/// after two minutes, unless the console says otherwise.
#[derive(Clone, Debug, Serialize)]
pub struct Recall {
    #[serde(rename = "MsgInfo")]
    info: Recalled,
}

#[derive(Clone, Debug, Serialize)]
struct Recalled {
    #[serde(flatten)]
    name: Name,
    #[serde(rename = "MsgTimeStamp")]
    time: u64,
}

impl Recall {
    /// Takes `message` back.
    #[must_use]
    pub fn new(message: &Message) -> Self {
        Self {
            info: Recalled {
                name: Name::of(message),
                time: message.time,
            },
        }
    }
}

/// Changes a message; both sides may. Refused with
/// [`C2C_EDIT_CONFLICT`](crate::code::Code::C2C_EDIT_CONFLICT) when somebody else was first;
/// that refusal's body reads as [`Edited`] too.
#[derive(Clone, Debug, Serialize)]
pub struct Edit {
    #[serde(flatten)]
    name: Name,
    #[serde(rename = "MsgTime")]
    time: u64,
    #[serde(rename = "MsgVersion")]
    version: u32,
    #[serde(rename = "MsgBody", skip_serializing_if = "Option::is_none")]
    elements: Option<Vec<Element>>,
    #[serde(rename = "CloudCustomData")]
    cloud_custom_data: String,
}

impl Edit {
    /// Changes `message`, as known in its present version; without `elements` only its custom data.
    #[must_use]
    pub fn new(message: &Message, elements: Option<Vec<Element>>, cloud: String) -> Self {
        Self {
            name: Name::of(message),
            time: message.time,
            version: message.version,
            elements,
            cloud_custom_data: cloud,
        }
    }
}

/// What a message says after an edit.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Edited {
    /// How often it was edited.
    #[serde(rename = "MsgVersion", default, deserialize_with = "lenient::int")]
    pub version: u32,
    /// The content.
    #[serde(rename = "MsgBody", default, deserialize_with = "lenient::list")]
    pub elements: Vec<Element>,
    /// Free text stored with the message.
    #[serde(
        rename = "CloudCustomData",
        default,
        deserialize_with = "lenient::string"
    )]
    pub cloud_custom_data: String,
}

/// Reports a conversation as read up to a time.
#[derive(Clone, Debug, Serialize)]
pub struct ReadReport {
    #[serde(rename = "C2CMsgReaded")]
    readed: Readed,
}

#[derive(Clone, Debug, Serialize)]
struct Readed {
    #[serde(rename = "Cookie")]
    cookie: &'static str,
    #[serde(rename = "C2CMsgReadedItem")]
    items: Vec<ReadItem>,
}

#[derive(Clone, Debug, Serialize)]
struct ReadItem {
    #[serde(rename = "To_Account")]
    peer: String,
    #[serde(rename = "LastedMsgTime")]
    until: u64,
    #[serde(rename = "Receipt")]
    receipt: u8,
}

impl ReadReport {
    /// Everything `peer` said up to `until`, server time in Unix seconds.
    pub fn new(peer: impl Into<String>, until: u64) -> Self {
        let item = ReadItem {
            peer: peer.into(),
            until,
            receipt: 1,
        };
        Self {
            readed: Readed {
                cookie: "",
                items: vec![item],
            },
        }
    }
}

/// Reports several conversations as read at once.
#[derive(Clone, Debug, Serialize)]
pub struct ReadAll {
    /// 1: all one-to-one conversations.
    #[serde(rename = "C2CReadAllMsg")]
    pub c2c: u8,
    /// Groups, and the number up to which each was read.
    #[serde(rename = "GroupReadInfo")]
    pub groups: Vec<GroupRead>,
}

/// One group of a [`ReadAll`].
#[derive(Clone, Debug, Serialize)]
pub struct GroupRead {
    /// The group.
    #[serde(rename = "GroupId")]
    pub group: String,
    /// The number up to which it was read.
    #[serde(rename = "MsgSeq")]
    pub seq: u32,
}

/// Tells the sender that its messages were read. They asked for receipts, and are all of one sender.
#[derive(Clone, Debug, Serialize)]
pub struct Receipt {
    #[serde(rename = "Peer_Account")]
    peer: String,
    #[serde(rename = "C2CMsgInfo")]
    messages: Vec<Received>,
}

#[derive(Clone, Debug, Serialize)]
struct Received {
    #[serde(flatten)]
    name: Name,
    #[serde(rename = "MsgTime")]
    time: u64,
    #[serde(rename = "MsgClientTime")]
    client_time: u64,
}

impl Receipt {
    /// The receipts of `messages` for the user `peer`.
    pub fn new<'a>(
        peer: impl Into<String>,
        messages: impl IntoIterator<Item = &'a Message>,
    ) -> Self {
        let received = |message: &Message| Received {
            name: Name::of(message),
            time: message.time,
            client_time: message.client_time.unwrap_or(0),
        };
        Self {
            peer: peer.into(),
            messages: messages.into_iter().map(received).collect(),
        }
    }
}

/// Asks up to when users have read what this account said to them.
#[derive(Clone, Debug, Serialize)]
pub struct PeerReadTimes {
    /// The users, 30 at most.
    #[serde(rename = "To_Account")]
    pub users: Vec<String>,
}

/// The answer to [`PeerReadTimes`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ReadTimes {
    /// Server times in Unix seconds, in the order of the users; zero for never.
    #[serde(
        rename = "ReadTime",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub times: Vec<u64>,
}

/// Asks for a page of a conversation's history.
#[derive(Clone, Debug, Serialize)]
pub struct GetHistory {
    #[serde(rename = "Peer_Account")]
    peer: String,
    #[serde(rename = "MaxCnt")]
    count: u32,
    #[serde(rename = "LastMsgTime")]
    time: u64,
    #[serde(rename = "MsgKey")]
    key: String,
    #[serde(rename = "WithRecalledMsg")]
    with_recalled: u8,
    #[serde(rename = "GetDirection")]
    direction: u8,
}

impl GetHistory {
    /// The newest messages of the conversation with `peer`.
    pub fn newest(peer: impl Into<String>, count: u32) -> Self {
        Self {
            peer: peer.into(),
            count,
            time: 0,
            key: String::new(),
            with_recalled: 1,
            direction: 0,
        }
    }

    /// The page before the one that was answered with `page`.
    #[must_use]
    pub fn before(mut self, page: &History, count: u32) -> Self {
        self.time = page.time;
        self.key.clone_from(&page.key);
        self.count = count;
        self
    }

    /// What was said from `time` on, server time in Unix seconds.
    pub fn since(peer: impl Into<String>, time: u64, count: u32) -> Self {
        Self {
            time,
            direction: 1,
            ..Self::newest(peer, count)
        }
    }
}

/// A page of history, oldest first.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct History {
    /// There is no more in the direction asked for.
    #[serde(rename = "Complete", default, deserialize_with = "lenient::flag")]
    pub complete: bool,
    /// Where the next page begins.
    #[serde(rename = "LastMsgTime", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// Where the next page begins.
    #[serde(rename = "MsgKey", default, deserialize_with = "lenient::string")]
    pub key: String,
    /// The messages. Other than in pushes, accounts are in their true places.
    #[serde(rename = "MsgList", default, deserialize_with = "lenient::list")]
    pub items: Vec<C2cItem>,
}

impl History {
    /// The messages as the account `me` sees them; holes are left out.
    #[must_use]
    pub fn messages(self, me: &str) -> Vec<Message> {
        let is_hole = |item: &C2cItem| item.extra.get("IsPlaceMsg").is_some_and(|hole| hole == 1);
        self.items
            .into_iter()
            .filter(|item| !is_hole(item))
            .map(|item| Message::from_c2c(item, me))
            .collect()
    }
}

/// Deletes messages of one conversation, for this account only.
#[derive(Clone, Debug, Serialize)]
pub struct Delete {
    #[serde(rename = "From_Account")]
    me: String,
    #[serde(rename = "To_Account")]
    peer: String,
    #[serde(rename = "MsgKeyList")]
    keys: Vec<String>,
}

impl Delete {
    /// Deletes messages of the conversation between `me` and `peer`.
    pub fn new<'a>(
        me: impl Into<String>,
        peer: impl Into<String>,
        messages: impl IntoIterator<Item = &'a Message>,
    ) -> Self {
        Self {
            me: me.into(),
            peer: peer.into(),
            keys: messages.into_iter().map(Message::server_key).collect(),
        }
    }
}

/// How the messages of a conversation announce themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MuteOption {
    /// Received, and announced.
    #[default]
    Announce,
    /// Not received at all.
    Discard,
    /// Received without being announced.
    Silent,
}

impl MuteOption {
    /// The number that stands for it in a one-to-one conversation.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Announce => 0,
            Self::Discard => 1,
            Self::Silent => 2,
        }
    }

    /// The word that stands for it in a group.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Announce => "AcceptAndNotify",
            Self::Discard => "Discard",
            Self::Silent => "AcceptNotNotify",
        }
    }

    /// What a number stands for; announced when it is unknown.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Discard,
            2 => Self::Silent,
            _ => Self::Announce,
        }
    }
}

/// Sets how one-to-one conversations announce themselves.
#[derive(Clone, Debug, Serialize)]
pub struct SetMuteOption {
    /// The other sides, 30 at most.
    #[serde(rename = "Peer_Account")]
    pub peers: Vec<String>,
    /// [`MuteOption::number`].
    #[serde(rename = "Mute_Notifications")]
    pub option: u32,
}

/// Asks how one-to-one conversations announce themselves.
#[derive(Clone, Debug, Serialize)]
pub struct GetMuteOption {
    /// This account.
    #[serde(rename = "To_Account")]
    pub me: String,
    /// The other sides, 30 at most.
    #[serde(rename = "Peer_Account")]
    pub peers: Vec<String>,
}

/// The answer to [`GetMuteOption`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct MuteOptions {
    /// One per conversation.
    #[serde(
        rename = "MuteNotificationsList",
        default,
        deserialize_with = "lenient::list"
    )]
    pub items: Vec<MuteState>,
}

/// How one conversation announces itself.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct MuteState {
    /// The other side.
    #[serde(rename = "Peer_Account", default, deserialize_with = "lenient::string")]
    pub peer: String,
    /// See [`MuteOption::from_number`].
    #[serde(
        rename = "MuteNotifications",
        alias = "Mute_Notifications",
        default,
        deserialize_with = "lenient::int"
    )]
    pub option: u32,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// When an account's terminals are to announce nothing of anybody; by default they always may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoNotDisturb {
    /// [`MuteOption::number`].
    #[serde(rename = "Level", default, deserialize_with = "lenient::int")]
    level: u32,
    /// From here, Unix seconds.
    #[serde(rename = "StartTime", default, deserialize_with = "lenient::int")]
    pub start: u64,
    /// To here, Unix seconds.
    #[serde(rename = "EndTime", default, deserialize_with = "lenient::int")]
    pub end: u64,
    /// 1: every day at that time.
    #[serde(rename = "IsRepeated", default, deserialize_with = "lenient::int")]
    repeated: u32,
}

impl DoNotDisturb {
    /// From one time to another, both in Unix seconds; what comes meanwhile is received without
    /// being announced.
    #[must_use]
    pub const fn between(start: u64, end: u64) -> Self {
        Self {
            level: MuteOption::Silent.number(),
            start,
            end,
            repeated: 0,
        }
    }

    /// Every day at that time.
    #[must_use]
    pub const fn daily(mut self) -> Self {
        self.repeated = 1;
        self
    }

    /// What becomes of messages meanwhile.
    #[must_use]
    pub const fn with(mut self, option: MuteOption) -> Self {
        self.level = option.number();
        self
    }

    /// What becomes of messages meanwhile.
    #[must_use]
    pub const fn option(&self) -> MuteOption {
        MuteOption::from_number(self.level)
    }

    /// Whether it is so every day.
    #[must_use]
    pub const fn is_daily(&self) -> bool {
        self.repeated == 1
    }
}

/// Asks for [`DoNotDisturb`].
#[derive(Clone, Debug, Serialize)]
pub struct GetDoNotDisturb {
    /// This account.
    #[serde(rename = "ToAccount")]
    pub me: String,
}
