//! Read receipts: sending them, and requesting who has read a message. See "C2C messages" and
//! "Groups" in `docs/src/protocol.md`.

use super::Done;
use super::c2c_message::Name;
use super::group_message::{Seq, seqs};
use crate::address::GroupAddress;
use crate::id::UserId;
use crate::lenient;
use crate::message::MessageId;
use crate::op::Limit;
use crate::update::GroupReceipt;
use serde::{Deserialize, Serialize};

/// The maximum number of messages per request.
pub const MAX_MESSAGES: usize = 30;
/// The maximum number of users per request for read times.
pub const MAX_PEERS: usize = 30;
/// The maximum number of members per page of readers.
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

/// Tells a sender that its messages were read. The messages must have asked for receipts, and must
/// all be from that sender.
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
    /// Creates the receipts of the account `me` for messages of the user `peer`. Each comes with the time on the
    /// sender's clock, in Unix seconds; zero if it is unknown.
    pub fn new<'a>(
        me: &str,
        peer: impl Into<String>,
        messages: impl IntoIterator<Item = (&'a MessageId, u64)>,
    ) -> Self {
        let received = |(message, client_time): (&MessageId, u64)| Received {
            name: Name::of(message, me),
            time: message.time(),
            client_time,
        };
        Self {
            peer: peer.into(),
            messages: messages.into_iter().map(received).collect(),
        }
    }
}

/// A message that was read. The service identifies it by its sequence number and random number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Received {
    /// The key of the message.
    #[serde(flatten)]
    pub name: Name,
    /// The time of the message, in Unix seconds.
    #[serde(rename = "MsgTime", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// The time on the sender's clock, in Unix seconds.
    #[serde(rename = "MsgClientTime", default, deserialize_with = "lenient::int")]
    pub client_time: u64,
}

/// Requests the times up to which users have read the messages of this account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeerReadTimes {
    /// The users, at most 30.
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

/// Tells the senders of messages that asked for receipts that the messages were read.
#[derive(Clone, Debug, Serialize)]
pub struct SendGroupReceipts {
    #[serde(flatten)]
    group: GroupAddress,
    #[serde(rename = "MsgSeqList")]
    messages: Vec<Seq>,
}

impl SendGroupReceipts {
    /// Reports the messages with these sequence numbers.
    pub fn new(group: impl Into<String>, numbers: &[u32]) -> Self {
        Self {
            group: GroupAddress::new(group),
            messages: seqs(numbers),
        }
    }
}

/// Requests the number of readers of messages of this account.
#[derive(Clone, Debug, Serialize)]
pub struct GetReceipts {
    #[serde(flatten)]
    group: GroupAddress,
    #[serde(rename = "MsgSeqList")]
    messages: Vec<Seq>,
}

impl GetReceipts {
    /// Requests the messages with these sequence numbers.
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
    /// One entry per message.
    #[serde(
        rename = "GroupMsgReceiptList",
        default,
        deserialize_with = "lenient::list"
    )]
    pub messages: Vec<GroupReceipt>,
}

/// Requests the members who have read a message of this account, or have not.
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
    /// Requests the members who have read the message, or with `unread` those who have not.
    /// `cursor` is empty for the first page.
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
    /// The start of the next page.
    #[serde(rename = "Cursor", default, deserialize_with = "lenient::string")]
    pub cursor: String,
    /// Whether this is the last page.
    #[serde(rename = "IsFinish", default, deserialize_with = "lenient::flag")]
    pub finished: bool,
    #[serde(rename = "ReadList", default, deserialize_with = "lenient::list")]
    read: Vec<Reader>,
    #[serde(rename = "UnreadList", default, deserialize_with = "lenient::list")]
    unread: Vec<Reader>,
}

impl Readers {
    /// Returns the requested members: the readers, or those who have not read the message.
    pub fn users(self) -> impl Iterator<Item = UserId> {
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
    user: UserId,
}
