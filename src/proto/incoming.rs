//! Reads what comes from the server. The most frequent packet, a push of messages, is read in one pass
//! over its text; everything else, and every push with something unusual in it, is left to [`Packet`] and
//! [`Push`], which read it piece by piece and let no bad piece harm another.

use super::codec::DecodeError;
use super::command;
use super::event::{Notice, Push};
use super::events::MESSAGE;
use super::id::UserId;
use super::lenient;
use super::message::{C2cItem, Element, GroupItem};
use super::packet::{Head, Packet};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Map;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A packet from the server.
#[derive(Debug)]
pub enum Incoming<'a> {
    /// A push of messages, already read.
    Messages(Push),
    /// Any other packet.
    Packet(Packet<'a>),
}

impl<'a> Incoming<'a> {
    /// Reads a packet.
    ///
    /// # Errors
    /// As [`Packet::parse`].
    pub fn parse(text: &'a str) -> Result<Self, DecodeError> {
        match serde_json::from_str(text) {
            Ok(Whole(incoming)) => Ok(incoming),
            // Something is unusual, or wrong: the patient way finds out.
            Err(_) => Packet::parse(text).map(Self::Packet),
        }
    }
}

/// The whole text of a packet.
struct Whole<'a>(Incoming<'a>);

impl<'de> Deserialize<'de> for Whole<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(WholeVisitor).map(Self)
    }
}

struct WholeVisitor;

impl<'de> Visitor<'de> for WholeVisitor {
    type Value = Incoming<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a packet")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut head, mut body, mut messages) = (None::<Head<'de>>, None::<&RawValue>, None);
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Head if head.is_none() => head = Some(map.next_value()?),
                Key::Body if body.is_none() && messages.is_none() => {
                    if head.as_ref().is_some_and(is_message_push) {
                        messages = Some(map.next_value::<Messages>()?);
                    } else {
                        body = Some(map.next_value()?);
                    }
                }
                Key::Head | Key::Body => return Err(Error::custom("repeated")),
                Key::Other => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                }
            }
        }
        if let Some(messages) = messages {
            return Ok(Incoming::Messages(messages.into_push()));
        }
        let head = head.ok_or_else(|| Error::missing_field("head"))?;
        Packet::of(head, body)
            .map(Incoming::Packet)
            .map_err(Error::custom)
    }
}

fn is_message_push(head: &Head<'_>) -> bool {
    matches!(
        head.command(),
        command::MSG_PUSH | command::MULTI_MSG_PUSH | command::FORCE_OFFLINE
    )
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Head,
    Body,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Messages {
    #[serde(rename = "EventArray")]
    events: Vec<MessageEvent>,
    #[serde(rename = "NeedAck", default, deserialize_with = "lenient::flag")]
    need_ack: bool,
    #[serde(rename = "SessionData", default, deserialize_with = "lenient::string")]
    session_data: String,
    #[serde(rename = "Flag", default, deserialize_with = "lenient::flag")]
    flag: bool,
}

/// An event that carries messages and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageEvent {
    #[serde(rename = "Event", default, deserialize_with = "lenient::opt_int")]
    _event: Option<u64>,
    #[serde(rename = "C2cMsgArray", default)]
    c2c: Vec<PushedItem>,
    #[serde(rename = "GroupMsgArray", default)]
    group: Vec<GroupItem>,
}

impl Messages {
    fn into_push(self) -> Push {
        let mut notices = Vec::with_capacity(self.events.len());
        for MessageEvent { c2c, group, .. } in self.events {
            // An event is of one kind; if it has several, the first counts.
            if !c2c.is_empty() {
                notices.extend(c2c.into_iter().map(|item| Notice::C2c(item.into())));
            } else {
                notices.extend(group.into_iter().map(|item| Notice::Group {
                    event: MESSAGE,
                    item: Box::new(item),
                }));
            }
        }
        Push::Events {
            notices,
            ack: self.need_ack.then_some(self.session_data),
            sync_hint: self.flag,
        }
    }
}

/// A pushed [`C2cItem`]. Nobody looks at unknown fields of a pushed message, so they are not kept.
#[derive(Deserialize)]
struct PushedItem {
    #[serde(rename = "From_Account")]
    from: UserId,
    #[serde(rename = "To_Account", default)]
    to: Option<UserId>,
    #[serde(rename = "MsgSeq", deserialize_with = "lenient::int")]
    seq: u32,
    #[serde(rename = "MsgRandom", deserialize_with = "lenient::int")]
    random: u32,
    #[serde(
        rename = "MsgTimeStamp",
        alias = "MsgTime",
        deserialize_with = "lenient::int"
    )]
    time: u64,
    #[serde(rename = "MsgBody", default)]
    body: Vec<PushedElement>,
    #[serde(
        rename = "MsgClientTime",
        default,
        deserialize_with = "lenient::opt_int"
    )]
    client_time: Option<u64>,
    #[serde(rename = "TinyId", default, deserialize_with = "lenient::opt_string")]
    tiny_id: Option<String>,
    #[serde(
        rename = "CloudCustomData",
        default,
        deserialize_with = "lenient::string"
    )]
    cloud_custom_data: String,
    #[serde(
        rename = "From_AccountNick",
        default,
        deserialize_with = "lenient::string"
    )]
    nick: String,
    #[serde(rename = "IsSyncMsg", default, deserialize_with = "lenient::flag")]
    is_sync: bool,
    #[serde(rename = "MsgLifeTime", default, deserialize_with = "lenient::opt_int")]
    life_time: Option<u32>,
    #[serde(rename = "MsgFlagBits", default, deserialize_with = "lenient::int")]
    flag_bits: u32,
    #[serde(
        rename = "IsNeedReadReceipt",
        default,
        deserialize_with = "lenient::opt_int"
    )]
    needs_receipt: Option<u32>,
    #[serde(rename = "MsgVersion", default, deserialize_with = "lenient::opt_int")]
    version: Option<u32>,
}

impl From<PushedItem> for Box<C2cItem> {
    fn from(item: PushedItem) -> Self {
        Self::new(C2cItem {
            from: item.from,
            to: item.to,
            seq: item.seq,
            random: item.random,
            time: item.time,
            body: item.body.into_iter().map(|element| element.0).collect(),
            client_time: item.client_time,
            tiny_id: item.tiny_id,
            cloud_custom_data: item.cloud_custom_data,
            nick: item.nick,
            is_sync: item.is_sync,
            life_time: item.life_time,
            flag_bits: item.flag_bits,
            needs_receipt: item.needs_receipt,
            version: item.version,
            extra: Map::new(),
        })
    }
}

/// An element whose type comes before its content. A text is read in the same pass.
struct PushedElement(Element);

impl<'de> Deserialize<'de> for PushedElement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ElementVisitor).map(Self)
    }
}

struct ElementVisitor;

#[derive(Deserialize)]
#[serde(field_identifier)]
enum ElementKey {
    #[serde(rename = "MsgType")]
    Type,
    #[serde(rename = "MsgContent")]
    Content,
}

/// The content of a text without unknown fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainText {
    #[serde(rename = "Text")]
    text: String,
}

impl<'de> Visitor<'de> for ElementVisitor {
    type Value = Element;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an element")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Element, A::Error> {
        let (Some(ElementKey::Type), kind) = (map.next_key()?, map.next_value::<Cow<'de, str>>()?)
        else {
            return Err(Error::custom("the type does not come first"));
        };
        let Some(ElementKey::Content) = map.next_key()? else {
            return Err(Error::missing_field("MsgContent"));
        };
        let element = if kind == "TIMTextElem" {
            Element::text(map.next_value::<PlainText>()?.text)
        } else {
            Element::read(&kind, map.next_value::<&RawValue>()?)
        };
        match map.next_key::<ElementKey>()? {
            None => Ok(element),
            Some(_) => Err(Error::custom("repeated")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn patient(text: &str) -> Option<String> {
        let packet = Packet::parse(text).ok()?;
        let push = Push::parse(&packet.servcmd, packet.body);
        matches!(push, Push::Events { .. }).then(|| known(&push))
    }

    /// Unknown fields of the messages aside.
    fn known(push: &Push) -> String {
        let Push::Events {
            notices,
            ack,
            sync_hint,
        } = push
        else {
            return format!("{push:?}");
        };
        let notices = notices.iter().map(|notice| match notice {
            Notice::C2c(item) => {
                let item = C2cItem {
                    extra: Map::new(),
                    ..(**item).clone()
                };
                format!("{item:?}")
            }
            other => format!("{other:?}"),
        });
        let notices: Vec<String> = notices.collect();
        format!("{notices:?} {ack:?} {sync_hint}")
    }

    fn quick(text: &str) -> Option<String> {
        match Incoming::parse(text).ok()? {
            Incoming::Messages(push) => Some(known(&push)),
            Incoming::Packet(_) => None,
        }
    }

    fn push(events: &str, rest: &str) -> String {
        format!(
            r#"{{"head":{{"servcmd":"im_open_push.msg_push","seq":3}},"body":{{"EventArray":[{events}]{rest}}}}}"#
        )
    }

    const C2C: &str = r#"{"From_Account":"a","To_Account":"b","MsgSeq":"1","MsgRandom":2,"MsgTimeStamp":3,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}},{"MsgType":"TIMNew","MsgContent":{"A":1}}],"Unheard":[1,{"a":null}]}"#;

    #[test]
    fn the_quick_way_reads_what_the_patient_way_reads() {
        let acked = r#","NeedAck":1,"SessionData":"s""#;
        for (events, rest) in [
            (format!(r#"{{"Event":9,"C2cMsgArray":[{C2C},{C2C}]}}"#), acked),
            (format!(r#"{{"C2cMsgArray":[{C2C}]}}"#), r#","Flag":1,"New":{}"#),
            (
                r#"{"Event":3,"GroupMsgArray":[{"From_Account":"a","ToGroupId":"@TGS#1","GroupId":"@TGS#1","MsgSeq":7,"MsgTimeStamp":3,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}]}"#
                    .to_owned(),
                acked,
            ),
        ] {
            let text = push(&events, rest);
            let read = quick(&text);
            assert!(read.is_some(), "{text}");
            assert_eq!(read, patient(&text));
        }
    }

    #[test]
    fn what_is_unusual_is_left_to_the_patient_way() {
        for events in [
            format!(r#"{{"Event":9,"C2cMsgArray":[{C2C},{{"From_Account":5}}]}}"#),
            format!(r#"{{"Event":9,"C2cMsgArray":[{C2C}],"Mystery":1}}"#),
            r#"{"Event":9,"C2cMsgArray":null}"#.to_owned(),
            r#"{"Event":10,"C2cNotifyMsgArray":[{"KickoutMsgNotify":{"KickType":2}}]}"#.to_owned(),
            "7".to_owned(),
        ] {
            let text = push(&events, "");
            assert_eq!(quick(&text), None, "{text}");
            assert!(patient(&text).is_some());
        }
        let turned = r#"{"body":{"EventArray":[]},"head":{"servcmd":"im_open_push.msg_push"}}"#;
        assert!(matches!(Incoming::parse(turned), Ok(Incoming::Packet(_))));
        assert!(Incoming::parse(r#"{"head":{}}"#).is_err());
    }

    proptest! {
        #[test]
        fn both_ways_agree_on_every_mutation(at in 0_usize..600, byte in any::<u8>()) {
            let text = push(&format!(r#"{{"Event":9,"C2cMsgArray":[{C2C}]}}"#), r#","NeedAck":1,"SessionData":"s""#);
            let mut bytes = text.into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(text) = String::from_utf8(bytes)
                && let Some(read) = quick(&text)
            {
                prop_assert_eq!(Some(read), patient(&text));
            }
        }
    }
}
