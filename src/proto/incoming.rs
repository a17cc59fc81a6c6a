//! Reads what comes from the server. The most frequent packet, a push of messages, is read in one pass
//! over its text; everything else, and every push with something unusual in it, is left to [`Packet`] and
//! [`Push`], which read it piece by piece and let no bad piece harm another.

use super::codec::DecodeError;
use super::command;
use super::event::{Notice, Push};
use super::events::MESSAGE;
use super::lenient;
use super::message::{C2cItem, GroupItem};
use super::packet::{Head, Packet};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
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
    c2c: Vec<C2cItem>,
    #[serde(rename = "GroupMsgArray", default)]
    group: Vec<GroupItem>,
}

impl Messages {
    fn into_push(self) -> Push {
        let mut notices = Vec::with_capacity(self.events.len());
        for MessageEvent { c2c, group, .. } in self.events {
            // An event is of one kind; if it has several, the first counts.
            if !c2c.is_empty() {
                notices.extend(c2c.into_iter().map(|item| Notice::C2c(Box::new(item))));
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn patient(text: &str) -> Option<String> {
        let packet = Packet::parse(text).ok()?;
        let push = Push::parse(&packet.servcmd, packet.body);
        matches!(push, Push::Events { .. }).then(|| format!("{push:?}"))
    }

    fn quick(text: &str) -> Option<String> {
        match Incoming::parse(text).ok()? {
            Incoming::Messages(push) => Some(format!("{push:?}")),
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
