//! Chat messages: their elements, the C2C item on the wire, and the form bots see.
//!
//! What is not known survives: an unknown element type, an element whose content has an unexpected
//! shape, and unknown fields inside a known element are all kept and sent back as they came.

use super::lenient;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::fmt;

/// The longest message content the service takes, in bytes of its JSON text.
pub const MAX_MESSAGE: usize = 12 * 1024;

/// One element of a message; a message usually has one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Element {
    /// `TIMTextElem`
    Text(Text),
    /// `TIMCustomElem`
    Custom(Custom),
    /// Any other element, or one whose content could not be read: kept as it came.
    Other(Other),
}

/// Plain text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// The text.
    #[serde(rename = "Text")]
    pub text: String,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Whatever two programs agree on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Custom {
    /// The payload, usually JSON text.
    #[serde(rename = "Data", default, deserialize_with = "lenient::string")]
    pub data: String,
    /// A description, shown where the payload cannot be.
    #[serde(rename = "Desc", default, deserialize_with = "lenient::string")]
    pub desc: String,
    /// An extension field.
    #[serde(rename = "Ext", default, deserialize_with = "lenient::string")]
    pub ext: String,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An element kept as it came.
#[derive(Clone, Debug)]
pub struct Other {
    /// `MsgType`, for example `TIMFaceElem`; empty when the element had none.
    pub msg_type: String,
    /// The text of `MsgContent`, or of the whole element when it had no such field.
    pub content: Box<RawValue>,
}

impl Element {
    /// A text element.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Text {
            text: text.into(),
            extra: Map::new(),
        })
    }

    /// A custom element with `Desc` and `Ext` empty.
    pub fn custom(data: impl Into<String>) -> Self {
        Self::Custom(Custom {
            data: data.into(),
            ..Custom::default()
        })
    }

    /// `MsgType` on the wire.
    #[must_use]
    pub fn msg_type(&self) -> &str {
        match self {
            Self::Text(_) => "TIMTextElem",
            Self::Custom(_) => "TIMCustomElem",
            Self::Other(other) => &other.msg_type,
        }
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Custom(a), Self::Custom(b)) => a == b,
            (Self::Other(a), Self::Other(b)) => {
                a.msg_type == b.msg_type && a.content.get() == b.content.get()
            }
            (Self::Text(_) | Self::Custom(_) | Self::Other(_), _) => false,
        }
    }
}

impl Serialize for Element {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a, C: Serialize> {
            #[serde(rename = "MsgType")]
            msg_type: &'a str,
            #[serde(rename = "MsgContent")]
            content: &'a C,
        }
        let msg_type = self.msg_type();
        match self {
            Self::Text(content) => Wire { msg_type, content }.serialize(serializer),
            Self::Custom(content) => Wire { msg_type, content }.serialize(serializer),
            Self::Other(other) if msg_type.is_empty() => other.content.serialize(serializer),
            Self::Other(other) => Wire {
                msg_type,
                content: &other.content,
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(rename = "MsgType")]
            msg_type: String,
            #[serde(rename = "MsgContent")]
            content: Box<RawValue>,
        }
        let whole = Box::<RawValue>::deserialize(deserializer)?;
        let Ok(Wire { msg_type, content }) = serde_json::from_str(whole.get()) else {
            return Ok(Self::Other(Other {
                msg_type: String::new(),
                content: whole,
            }));
        };
        let known = match msg_type.as_str() {
            "TIMTextElem" => serde_json::from_str(content.get()).map(Self::Text).ok(),
            "TIMCustomElem" => serde_json::from_str(content.get()).map(Self::Custom).ok(),
            _ => None,
        };
        Ok(known.unwrap_or(Self::Other(Other { msg_type, content })))
    }
}

impl fmt::Display for Element {
    /// A short form for logs: never more than a few dozen characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn short(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
            let cut: String = text.chars().take(40).collect();
            let dots = if cut.len() < text.len() { "…" } else { "" };
            write!(f, "{cut:?}{dots}")
        }
        match self {
            Self::Text(element) => short(f, &element.text),
            Self::Custom(element) => {
                f.write_str("custom ")?;
                short(f, &element.data)
            }
            Self::Other(element) => write!(f, "[{}]", element.msg_type),
        }
    }
}

/// A C2C message as pushes, `getmsg` and history carry it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct C2cItem {
    /// The sender; the peer when [`is_sync`](Self::is_sync) is set.
    #[serde(rename = "From_Account")]
    pub from: String,
    /// The receiver; absent means the account that got the item.
    #[serde(
        rename = "To_Account",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub to: Option<String>,
    /// The sender's counter. Exceeds 31 bits most of the day.
    #[serde(rename = "MsgSeq", deserialize_with = "lenient::int")]
    pub seq: u32,
    /// Drawn by the sender; with `seq` the key under which a repeated send is one message.
    #[serde(rename = "MsgRandom", deserialize_with = "lenient::int")]
    pub random: u32,
    /// Server time in Unix seconds; the same number everywhere the message appears.
    #[serde(
        rename = "MsgTimeStamp",
        alias = "MsgTime",
        deserialize_with = "lenient::int"
    )]
    pub time: u64,
    /// The content.
    #[serde(rename = "MsgBody", default)]
    pub body: Vec<Element>,
    /// The sender's clock in Unix seconds; part of the message ID.
    #[serde(
        rename = "MsgClientTime",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub client_time: Option<u64>,
    /// The sender's TinyId; part of the message ID.
    #[serde(
        rename = "TinyId",
        default,
        deserialize_with = "lenient::opt_string",
        skip_serializing_if = "Option::is_none"
    )]
    pub tiny_id: Option<String>,
    /// Free text stored with the message.
    #[serde(
        rename = "CloudCustomData",
        default,
        deserialize_with = "lenient::string"
    )]
    pub cloud_custom_data: String,
    /// The sender's nick name.
    #[serde(
        rename = "From_AccountNick",
        default,
        deserialize_with = "lenient::string",
        skip_serializing_if = "String::is_empty"
    )]
    pub nick: String,
    /// A copy of what this account sent from another of its terminals; the accounts are swapped.
    #[serde(
        rename = "IsSyncMsg",
        default,
        deserialize_with = "lenient::flag",
        serialize_with = "as_flag",
        skip_serializing_if = "not"
    )]
    pub is_sync: bool,
    /// Seconds the message is kept; 0 is online-only, absent is the default of the plan.
    #[serde(
        rename = "MsgLifeTime",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub life_time: Option<u32>,
    /// Bit value 8: the message has been recalled (history and `getmsg` only).
    #[serde(
        rename = "MsgFlagBits",
        default,
        deserialize_with = "lenient::int",
        skip_serializing_if = "is_zero"
    )]
    pub flag_bits: u32,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl C2cItem {
    /// An item with everything that is not given at rest; for tests and simulations.
    #[must_use]
    pub fn new(from: &str, to: &str, body: Vec<Element>) -> Self {
        Self {
            from: from.to_owned(),
            to: Some(to.to_owned()),
            seq: 1,
            random: 1,
            time: 0,
            body,
            client_time: None,
            tiny_id: None,
            cloud_custom_data: String::new(),
            nick: String::new(),
            is_sync: false,
            life_time: None,
            flag_bits: 0,
            extra: Map::new(),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn not(flag: &bool) -> bool {
    !flag
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn as_flag<S: Serializer>(flag: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(u8::from(*flag))
}

/// What makes two copies of a C2C message one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct C2cKey {
    /// The true sender.
    pub from: Box<str>,
    /// The true receiver.
    pub to: Box<str>,
    /// `MsgSeq`
    pub seq: u32,
    /// `MsgRandom`
    pub random: u32,
    /// Server time in Unix seconds. Part of the key: one second off is another message.
    pub time: u64,
}

/// Which conversation something belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Conversation {
    /// One to one, named by the other side's UserID.
    C2c(Box<str>),
}

impl fmt::Display for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::C2c(peer) => write!(f, "C2C{peer}"),
        }
    }
}

/// A chat message as a bot sees it: accounts in their true places.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message {
    /// Where it was said.
    pub conversation: Conversation,
    /// Who said it.
    pub from: Box<str>,
    /// To whom.
    pub to: Box<str>,
    /// The sender's nick name, empty when unknown.
    pub nick: String,
    /// The content, at least one element in anything a client sends.
    pub elements: Vec<Element>,
    /// Free text stored with the message.
    pub cloud_custom_data: String,
    /// `MsgSeq`
    pub seq: u32,
    /// `MsgRandom`
    pub random: u32,
    /// Server time in Unix seconds.
    pub time: u64,
    /// The sender's clock in Unix seconds.
    pub client_time: Option<u64>,
    /// The sender's TinyId.
    pub tiny_id: Option<String>,
    /// This account said it, on another of its terminals.
    pub is_own: bool,
    /// Not stored by the server: typing notices and the like.
    pub online_only: bool,
    /// It was recalled before it was received.
    pub recalled: bool,
}

impl Message {
    /// Reads an item that the account `me` received.
    #[must_use]
    pub fn from_c2c(item: C2cItem, me: &str) -> Self {
        let other = item.to.unwrap_or_else(|| me.to_owned());
        // A copy of an own message names the peer as sender and me as receiver.
        let (from, to) = if item.is_sync {
            (other, item.from)
        } else {
            (item.from, other)
        };
        let is_own = from == me;
        let peer = if is_own { &to } else { &from };
        Self {
            conversation: Conversation::C2c(peer.as_str().into()),
            is_own,
            from: from.into(),
            to: to.into(),
            nick: item.nick,
            elements: item.body,
            cloud_custom_data: item.cloud_custom_data,
            seq: item.seq,
            random: item.random,
            time: item.time,
            client_time: item.client_time,
            tiny_id: item.tiny_id,
            online_only: item.life_time == Some(0),
            recalled: item.flag_bits & 8 != 0,
        }
    }

    /// The first text element's text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.elements.iter().find_map(|element| match element {
            Element::Text(text) => Some(text.text.as_str()),
            Element::Custom(_) | Element::Other(_) => None,
        })
    }

    /// The ID every terminal computes alike: TinyId, sender's clock and random. `None` when the
    /// server left one of them out.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        Some(format!(
            "{}-{}-{}",
            self.tiny_id.as_deref()?,
            self.client_time?,
            self.random
        ))
    }

    /// What makes two copies of it one.
    #[must_use]
    pub fn key(&self) -> C2cKey {
        C2cKey {
            from: self.from.clone(),
            to: self.to.clone(),
            seq: self.seq,
            random: self.random,
            time: self.time,
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}:", self.from, self.to)?;
        for element in &self.elements {
            write!(f, " {element}")?;
        }
        Ok(())
    }
}

/// The body of `openim.sendmsg`.
#[derive(Clone, Debug, Serialize)]
pub struct SendC2c<'a> {
    /// The logged-in account.
    #[serde(rename = "From_Account")]
    pub from: &'a str,
    /// The receiver.
    #[serde(rename = "To_Account")]
    pub to: &'a str,
    /// The sender's counter.
    #[serde(rename = "MsgSeq")]
    pub seq: u32,
    /// The sender's random number.
    #[serde(rename = "MsgRandom")]
    pub random: u32,
    /// The content.
    #[serde(rename = "MsgBody")]
    pub body: &'a [Element],
    /// Free text stored with the message.
    #[serde(rename = "CloudCustomData")]
    pub cloud_custom_data: &'a str,
    /// The sender's clock in Unix seconds, corrected by the server's.
    #[serde(rename = "MsgClientTime")]
    pub client_time: u64,
    /// Always empty strings, lists and zeros: fields the official client always sends.
    #[serde(flatten)]
    pub rest: SendC2cRest,
}

/// The fields of [`SendC2c`] that the official client always sends and this crate leaves at rest.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SendC2cRest {
    #[serde(rename = "From_AccountNick")]
    nick: &'static str,
    #[serde(rename = "From_AccountHeadurl")]
    head_url: &'static str,
    #[serde(rename = "OfflinePushInfo")]
    offline_push: OfflinePushInfo,
    #[serde(rename = "SendMsgControl")]
    control: [&'static str; 0],
    #[serde(rename = "IsNeedReadReceipt")]
    need_receipt: u8,
    #[serde(rename = "SupportMessageExtension")]
    extension: u8,
    #[serde(rename = "IsRelayMsg")]
    relay: u8,
}

#[derive(Clone, Debug, Default, Serialize)]
struct OfflinePushInfo {
    #[serde(rename = "PushFlag")]
    flag: u8,
    #[serde(rename = "Title")]
    title: &'static str,
    #[serde(rename = "Desc")]
    desc: &'static str,
    #[serde(rename = "Ext")]
    ext: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item(json: &str) -> C2cItem {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_smallest_item_is_a_message_to_me() {
        let message = Message::from_c2c(
            item(
                r#"{"From_Account":"bob","MsgSeq":3139160001,"MsgRandom":5,"MsgTimeStamp":1795397956,
                    "MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}"#,
            ),
            "me",
        );
        assert_eq!(
            (&*message.from, &*message.to, message.text()),
            ("bob", "me", Some("hi"))
        );
        assert_eq!(message.conversation, Conversation::C2c("bob".into()));
        assert_eq!(message.id(), None);
        assert!(!message.is_own);
    }

    #[test]
    fn a_copy_of_an_own_message_has_its_accounts_swapped_back() {
        let message = Message::from_c2c(
            item(
                r#"{"From_Account":"bob","To_Account":"me","IsSyncMsg":1,"MsgSeq":1,"MsgRandom":5,"MsgTime":7}"#,
            ),
            "me",
        );
        assert_eq!(
            (&*message.from, &*message.to, message.is_own),
            ("me", "bob", true)
        );
        assert_eq!(message.conversation, Conversation::C2c("bob".into()));
    }

    #[test]
    fn the_id_is_tiny_id_client_time_and_random() {
        let message = Message::from_c2c(
            item(
                r#"{"From_Account":"b","MsgSeq":1,"MsgRandom":5,"MsgTimeStamp":7,"MsgClientTime":"6","TinyId":144115422390155339}"#,
            ),
            "me",
        );
        assert_eq!(message.id().as_deref(), Some("144115422390155339-6-5"));
    }

    #[test]
    fn unknown_elements_and_fields_come_back_as_they_came() {
        let cases = [
            r#"{"MsgType":"TIMTextElem","MsgContent":{"Text":"x","New":[1,{"a":2}]}}"#,
            r#"{"MsgType":"TIMTextElem","MsgContent":{"Text":5}}"#,
            r#"{"MsgType":"TIMNewElem","MsgContent":{"Big":12345678901234567890123,"F":1.50}}"#,
            r#"{"MsgType":"TIMFaceElem","MsgContent":[]}"#,
            r#"{"NoType":1}"#,
            "7",
            "null",
            r#"{"MsgType":"TIMCustomElem","MsgContent":{"Data":"d","Desc":"","Ext":"e","Sound":"s"}}"#,
        ];
        for json in cases {
            let element: Element = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&element).unwrap(), json);
        }
    }

    #[test]
    fn an_item_keeps_unknown_fields() {
        let json = r#"{"From_Account":"b","MsgSeq":1,"MsgRandom":2,"MsgTimeStamp":3,"MsgBody":[],"CloudCustomData":"","NoticeSeq":9}"#;
        assert_eq!(serde_json::to_string(&item(json)).unwrap(), json);
    }

    #[test]
    fn a_log_line_stays_short() {
        let element = Element::text("好".repeat(5000));
        assert!(element.to_string().chars().count() < 60);
    }

    proptest! {
        #[test]
        fn a_text_survives_the_round_trip(text in "\\PC*") {
            let json = serde_json::to_string(&Element::text(text.clone())).unwrap();
            let back: Element = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(back, Element::text(text));
        }
    }
}
