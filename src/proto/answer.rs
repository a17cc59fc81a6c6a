//! Bodies of the answers to login, missed-message and send requests.

use super::lenient;
#[cfg(doc)]
use super::message::GroupItem;
use super::packet::InstId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The hello interval in seconds, if the server does not specify one.
pub const DEFAULT_HELLO_INTERVAL: u64 = 120;

/// The answer to a successful `wslogin`.
#[derive(Deserialize)]
pub struct LoginAnswer {
    /// The a2 key, which replaces the UserSig in later requests. It is a secret. Some servers leave
    /// it out of the answer to a re-login; it is mandatory in the answer to a full login.
    #[serde(rename = "A2Key", default, deserialize_with = "lenient::opt_secret")]
    pub a2: Option<secrecy::SecretString>,
    /// The TinyId of the account.
    #[serde(rename = "TinyId", default, deserialize_with = "lenient::opt_string")]
    pub tiny_id: Option<String>,
    /// The identifier of the login.
    #[serde(rename = "InstId", default)]
    pub inst_id: Option<InstId>,
    /// The interval between two hellos, in seconds. `None` means that the server expects no hellos.
    #[serde(
        rename = "HelloInterval",
        default,
        deserialize_with = "lenient::opt_int"
    )]
    pub hello_interval: Option<u64>,
    /// The server time in Unix seconds.
    #[serde(rename = "TimeStamp", default, deserialize_with = "lenient::opt_int")]
    pub time: Option<u64>,
}

impl std::fmt::Debug for LoginAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginAnswer")
            .field("tiny_id", &self.tiny_id)
            .field("inst_id", &self.inst_id)
            .field("hello_interval", &self.hello_interval)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

/// The answer to `openim.getmsg`: one page of missed messages.
#[derive(Debug, Deserialize)]
pub struct MissedMessages<'a> {
    /// The start of the next page. An empty cookie makes the answer invalid.
    #[serde(rename = "Cookie", default, deserialize_with = "lenient::string")]
    pub cookie: String,
    /// 2 on the last page.
    #[serde(
        rename = "SyncFlag",
        default = "last_page",
        deserialize_with = "lenient::int"
    )]
    pub sync_flag: u32,
    /// C2C items; an entry may also be `{"EventArray":[…]}`. Each entry is parsed separately, so
    /// that one invalid entry does not make the others unusable.
    #[serde(rename = "MsgList", default, borrow)]
    pub items: Vec<&'a RawValue>,
    /// Notices other than messages.
    #[serde(rename = "EventArray", default, borrow)]
    pub events: Vec<&'a RawValue>,
}

fn last_page() -> u32 {
    MissedMessages::LAST_PAGE
}

impl MissedMessages<'_> {
    /// The value of [`sync_flag`](Self::sync_flag) on the last page.
    pub const LAST_PAGE: u32 = 2;
}

/// The answer to `openim.sendmsg` and `send_group_msg`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Server time of the message in Unix seconds.
    #[serde(rename = "MsgTime", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// `seq_random_time`, the key of a one-to-one message; empty for a group message.
    #[serde(rename = "MsgKey", default, deserialize_with = "lenient::string")]
    pub key: String,
    /// The sequence number of a group message; zero for a one-to-one message.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
}

/// The answer to `get_joined_group_list`, with the fields that a session needs to track groups.
#[derive(Debug, Default, Deserialize)]
pub struct JoinedGroups {
    /// The total number of groups.
    #[serde(rename = "TotalCount", default, deserialize_with = "lenient::int")]
    pub total: u32,
    /// The groups of this page.
    #[serde(rename = "GroupIdList", default, deserialize_with = "lenient::list")]
    pub groups: Vec<JoinedGroup>,
}

/// One group of [`JoinedGroups`].
#[derive(Debug, Default, Deserialize)]
pub struct JoinedGroup {
    /// The GroupID.
    #[serde(rename = "GroupId", default, deserialize_with = "lenient::string")]
    pub id: String,
    /// The group type.
    #[serde(rename = "Type", default, deserialize_with = "lenient::string")]
    pub kind: String,
    /// The sequence number of the next message; zero if the server did not send it.
    #[serde(rename = "NextMsgSeq", default, deserialize_with = "lenient::int")]
    pub next_seq: u32,
    /// Whether the group has topics; `None` if the server did not send it.
    #[serde(
        rename = "SupportTopic",
        default,
        deserialize_with = "lenient::opt_int"
    )]
    pub topics: Option<u8>,
    /// The membership of this account.
    #[serde(rename = "SelfInfo", default)]
    pub own: Option<OwnMembership>,
}

/// The membership of this account, as the group list reports it.
#[derive(Debug, Default, Deserialize)]
pub struct OwnMembership {
    /// The sequence number up to which the account has read.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
}

/// The answer to `group_msg_get`: messages in descending order of their sequence numbers.
#[derive(Debug, Default, Deserialize)]
pub struct GroupHistory<'a> {
    /// 1 complete, 0 truncated because the answer would be too long, 2 older messages no longer
    /// exist.
    #[serde(
        rename = "IsFinished",
        default = "complete",
        deserialize_with = "lenient::int"
    )]
    pub finished: u32,
    /// The messages, each a [`GroupItem`]. Each entry is parsed separately, so that one invalid
    /// entry does not make the others unusable.
    #[serde(
        rename = "RspMsgList",
        default,
        borrow,
        deserialize_with = "lenient::null_default"
    )]
    pub items: Vec<&'a RawValue>,
}

fn complete() -> u32 {
    1
}

impl GroupHistory<'_> {
    /// The value of [`finished`](Self::finished) in a truncated answer.
    pub const CUT: u32 = 0;
}
