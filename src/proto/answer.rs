//! The bodies of the answers this crate reads: login, missed messages, sending.

use super::lenient;
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
