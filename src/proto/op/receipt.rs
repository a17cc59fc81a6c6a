//! Read receipts: what senders who asked for them are told, and who has read a message.

use super::Done;
use super::c2c_message::Name;
use super::group_message::{Seq, seqs};
use crate::address::GroupAddress;
use crate::lenient;
use crate::message::Message;
use crate::op::Limit;
use crate::update::GroupReceipt;
use serde::{Deserialize, Serialize};

/// Messages that one request may name.
pub const MAX_MESSAGES: usize = 30;
/// Users whose read time one request may ask for.
pub const MAX_PEERS: usize = 30;
/// Members that one page of readers holds.
pub const READERS: u32 = 100;

calls! {
    SendC2cReceipts => "openim.c2c_msg_read_receipt" -> Done, Limit::NONE;
    PeerReadTimes => "openim.get_peer_read_time" -> ReadTimes, Limit::NONE;
}

group_calls! {
    SendGroupReceipts => "group_msg_receipt" -> Done, Limit::NONE;
    GetReceipts => "get_group_msg_receipt" -> Receipts, Limit::NONE;
    GetReaders => "get_group_msg_receipt_detail" -> Readers, Limit::NONE;
}

/// Tells the sender that its messages were read. They asked for receipts, and are all of one sender.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SendC2cReceipts {
    /// The sender.
    #[serde(rename = "Peer_Account")]
    pub peer: String,
    /// The messages.
    #[serde(rename = "C2CMsgInfo", default)]
    pub messages: Vec<Received>,
}

impl SendC2cReceipts {
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

/// A message that was read. The service goes by its number and random number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Received {
    /// Its name.
    #[serde(flatten)]
    pub name: Name,
    /// Its time, Unix seconds.
    #[serde(rename = "MsgTime", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// The time on the clock of the sender, Unix seconds.
    #[serde(rename = "MsgClientTime", default, deserialize_with = "lenient::int")]
    pub client_time: u64,
}

/// Asks up to when users have read what this account said to them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeerReadTimes {
    /// The users, 30 at most.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::list")]
    pub users: Vec<String>,
}

/// The answer to [`PeerReadTimes`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ReadTimes {
    /// Server times in Unix seconds, in the order of the users; zero for never.
    #[serde(
        rename = "ReadTime",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pub times: Vec<u64>,
}

/// Tells the senders of messages that asked for it that they were read.
#[derive(Clone, Debug, Serialize)]
pub struct SendGroupReceipts {
    #[serde(flatten)]
    group: GroupAddress,
    #[serde(rename = "MsgSeqList")]
    messages: Vec<Seq>,
}

impl SendGroupReceipts {
    /// The messages of these numbers.
    pub fn new(group: impl Into<String>, numbers: &[u32]) -> Self {
        Self {
            group: GroupAddress::new(group),
            messages: seqs(numbers),
        }
    }
}

/// Asks how many have read own messages.
#[derive(Clone, Debug, Serialize)]
pub struct GetReceipts {
    #[serde(flatten)]
    group: GroupAddress,
    #[serde(rename = "MsgSeqList")]
    messages: Vec<Seq>,
}

impl GetReceipts {
    /// The messages of these numbers.
    pub fn new(group: impl Into<String>, numbers: &[u32]) -> Self {
        Self {
            group: GroupAddress::new(group),
            messages: seqs(numbers),
        }
    }
}

/// The answer to [`GetReceipts`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Receipts {
    /// One per message.
    #[serde(
        rename = "GroupMsgReceiptList",
        default,
        deserialize_with = "lenient::list"
    )]
    pub messages: Vec<GroupReceipt>,
}

/// Asks who has read an own message, or has not.
#[derive(Clone, Debug, Serialize)]
pub struct GetReaders {
    #[serde(flatten)]
    group: GroupAddress,
    #[serde(rename = "MsgSeq")]
    seq: u32,
    #[serde(rename = "Flag")]
    unread: u8,
    #[serde(rename = "Cursor")]
    cursor: String,
    #[serde(rename = "Num")]
    count: u32,
}

impl GetReaders {
    /// Members who have read the message, or with `unread` those who have not. `cursor` is empty for the first
    /// page.
    pub fn new(
        group: impl Into<String>,
        seq: u32,
        unread: bool,
        cursor: impl Into<String>,
    ) -> Self {
        Self {
            group: GroupAddress::new(group),
            seq,
            unread: u8::from(unread),
            cursor: cursor.into(),
            count: READERS,
        }
    }
}

/// The answer to [`GetReaders`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Readers {
    /// Where to go on.
    #[serde(rename = "Cursor", default, deserialize_with = "lenient::string")]
    pub cursor: String,
    /// There are no more.
    #[serde(rename = "IsFinish", default, deserialize_with = "lenient::flag")]
    pub finished: bool,
    #[serde(rename = "ReadList", default, deserialize_with = "lenient::list")]
    read: Vec<Reader>,
    #[serde(rename = "UnreadList", default, deserialize_with = "lenient::list")]
    unread: Vec<Reader>,
}

impl Readers {
    /// The members that were asked for: readers, or those who have not read it.
    pub fn users(self) -> impl Iterator<Item = String> {
        let readers = self.read.into_iter().chain(self.unread);
        readers.map(|reader| reader.user)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Reader {
    #[serde(
        rename = "Read_Account",
        alias = "Unread_Account",
        default,
        deserialize_with = "lenient::string"
    )]
    user: String,
}
