//! The bodies of the answers this crate reads: login, missed messages, sending.

use super::lenient;
#[cfg(doc)]
use super::message::GroupItem;
use super::packet::InstId;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Hello interval where the server names none, in seconds.
pub const DEFAULT_HELLO_INTERVAL: u64 = 120;

/// The answer to a successful `wslogin`.
#[derive(Deserialize)]
pub struct LoginAnswer {
    /// What replaces the UserSig from now on. A secret. Absent in the answer to a re-login of some
    /// servers, an error in the answer to a full login.
    #[serde(rename = "A2Key", default, deserialize_with = "lenient::opt_secret")]
    pub a2: Option<secrecy::SecretString>,
    /// The account's number.
    #[serde(rename = "TinyId", default, deserialize_with = "lenient::opt_string")]
    pub tiny_id: Option<String>,
    /// The login's number.
    #[serde(rename = "InstId", default)]
    pub inst_id: Option<InstId>,
    /// Seconds between two hellos; absent means that none are wanted.
    #[serde(
        rename = "HelloInterval",
        default,
        deserialize_with = "lenient::opt_int"
    )]
    pub hello_interval: Option<u64>,
    /// The server's clock in Unix seconds.
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
    /// Where the next request goes on; empty means that the answer is void.
    #[serde(rename = "Cookie", default, deserialize_with = "lenient::string")]
    pub cookie: String,
    /// 2 when this is the last page.
    #[serde(
        rename = "SyncFlag",
        default = "last_page",
        deserialize_with = "lenient::int"
    )]
    pub sync_flag: u32,
    /// C2C items; an entry may instead be `{"EventArray":[…]}`. Read one by one, so that a bad one
    /// harms no other.
    #[serde(rename = "MsgList", default, borrow)]
    pub items: Vec<&'a RawValue>,
    /// Notices that are no messages.
    #[serde(rename = "EventArray", default, borrow)]
    pub events: Vec<&'a RawValue>,
}

fn last_page() -> u32 {
    MissedMessages::LAST_PAGE
}

impl MissedMessages<'_> {
    /// [`sync_flag`](Self::sync_flag) of the last page.
    pub const LAST_PAGE: u32 = 2;
}

/// The answer to `openim.sendmsg` and `send_group_msg`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sent {
    /// Server time of the message in Unix seconds.
    #[serde(rename = "MsgTime", default, deserialize_with = "lenient::int")]
    pub time: u64,
    /// `seq_random_time`, the server's name of a one-to-one message; empty of a group message.
    #[serde(rename = "MsgKey", default, deserialize_with = "lenient::string")]
    pub key: String,
    /// The number of a group message in its group; zero of a one-to-one message.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
}

/// The answer to `get_joined_group_list`, as far as following the groups needs it.
#[derive(Debug, Default, Deserialize)]
pub struct JoinedGroups {
    /// How many there are in all.
    #[serde(rename = "TotalCount", default, deserialize_with = "lenient::int")]
    pub total: u32,
    /// Those of this page.
    #[serde(rename = "GroupIdList", default, deserialize_with = "lenient::list")]
    pub groups: Vec<JoinedGroup>,
}

/// One group of [`JoinedGroups`].
#[derive(Debug, Default, Deserialize)]
pub struct JoinedGroup {
    /// The group.
    #[serde(rename = "GroupId", default, deserialize_with = "lenient::string")]
    pub id: String,
    /// Its type.
    #[serde(rename = "Type", default, deserialize_with = "lenient::string")]
    pub kind: String,
    /// The number that the next message will get; zero when the server did not say.
    #[serde(rename = "NextMsgSeq", default, deserialize_with = "lenient::int")]
    pub next_seq: u32,
    /// Whether it has topics; `None` when the server did not say.
    #[serde(
        rename = "SupportTopic",
        default,
        deserialize_with = "lenient::opt_int"
    )]
    pub topics: Option<u8>,
    /// About this account.
    #[serde(rename = "SelfInfo", default)]
    pub own: Option<OwnMembership>,
}

/// What a group list says of the account itself.
#[derive(Debug, Default, Deserialize)]
pub struct OwnMembership {
    /// Up to where it has read.
    #[serde(rename = "MsgSeq", default, deserialize_with = "lenient::int")]
    pub seq: u32,
}

/// The answer to `group_msg_get`: messages in descending order of their numbers.
#[derive(Debug, Default, Deserialize)]
pub struct GroupHistory<'a> {
    /// 1 complete, 0 cut because it would be too long, 2 older ones are gone.
    #[serde(
        rename = "IsFinished",
        default = "complete",
        deserialize_with = "lenient::int"
    )]
    pub finished: u32,
    /// The messages, each a [`GroupItem`]. Read one by one, so that a bad one harms no other.
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
    /// [`finished`](Self::finished) of an answer that would have been too long.
    pub const CUT: u32 = 0;
}
