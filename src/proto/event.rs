//! Pushes: what the server says unasked.
//!
//! A push is known by its command; `msg_push` carries a list of events, each known by its payload
//! key. Whatever is not known is handed on as [`Notice::Unknown`], never dropped in silence.

use super::command;
pub use super::events::{read_event, read_missed};
use super::lenient;
use super::message::{C2cItem, GroupItem};
use super::packet::InstId;
use super::update::Update;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// The longest overload pause that is believed.
const MAX_OVERLOAD: Duration = Duration::from_secs(3600);

/// A push, read as far as this crate understands it.
#[derive(Debug)]
pub enum Push {
    /// Messages and notices.
    Events {
        /// In the order they came.
        notices: Vec<Notice>,
        /// `SessionData` of a push that wants an acknowledgement.
        ack: Option<String>,
        /// The server hints that something was missed: ask for it.
        sync_hint: bool,
    },
    /// A command must rest for a while.
    Overload {
        /// The exact command.
        servcmd: String,
        /// How long, at most an hour.
        delay: Duration,
    },
    /// The server wants this instance to log in again on the same link.
    KickOther,
    /// Anything else.
    Unknown,
}

/// One event of a push or of a page of missed messages.
#[derive(Debug)]
pub enum Notice {
    /// A C2C message.
    C2c(Box<C2cItem>),
    /// A message, tip or notice of a group.
    Group {
        /// The event's number.
        event: u64,
        /// What it carries.
        item: Box<GroupItem>,
    },
    /// Something changed.
    Update(Box<Update>),
    /// An instance of this account has been kicked.
    Kicked {
        /// Why.
        kind: KickType,
        /// Which login, when the server names it; otherwise the one that is told.
        inst_id: Option<InstId>,
    },
    /// An event, or part of one, that this crate does not read.
    Unknown {
        /// Its number, when it has one.
        event: Option<u64>,
        /// What it says.
        raw: Box<RawValue>,
    },
    /// A known event with impossible content.
    Malformed {
        /// Why it could not be read.
        reason: String,
    },
}

/// Why the server threw an instance out, as the kick push or code 1002 says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KickType {
    /// 1: another instance of the web family took the slot.
    MultipleAccount,
    /// 2: another terminal of the account took the slot.
    MultipleDevice,
    /// 3: an administrator's REST call.
    RestApi,
}

impl KickType {
    /// From `KickType` on the wire; `None` for values without a meaning.
    #[must_use]
    pub const fn from_wire(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::MultipleAccount),
            2 => Some(Self::MultipleDevice),
            3 => Some(Self::RestApi),
            _ => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn to_wire(self) -> u64 {
        match self {
            Self::MultipleAccount => 1,
            Self::MultipleDevice => 2,
            Self::RestApi => 3,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct EventsBody<'a> {
    #[serde(rename = "EventArray", default, borrow)]
    pub(super) events: Vec<&'a RawValue>,
    #[serde(rename = "NeedAck", default, deserialize_with = "lenient::flag")]
    need_ack: bool,
    #[serde(rename = "SessionData", default, deserialize_with = "lenient::string")]
    session_data: String,
    #[serde(rename = "Flag", default, deserialize_with = "lenient::flag")]
    flag: bool,
}

#[derive(Deserialize)]
struct OverloadBody {
    #[serde(rename = "OverLoadServCmd", default)]
    servcmd: String,
    #[serde(rename = "DelaySecs", default, deserialize_with = "lenient::int")]
    delay: u64,
}

impl Push {
    /// Reads a push; what cannot be read becomes [`Push::Unknown`] or [`Notice::Malformed`].
    #[must_use]
    pub fn parse(servcmd: &str, body: &str) -> Self {
        match servcmd {
            command::MSG_PUSH | command::MULTI_MSG_PUSH | command::FORCE_OFFLINE => {
                match serde_json::from_str::<EventsBody<'_>>(body) {
                    Ok(events) => Self::Events {
                        notices: events
                            .events
                            .iter()
                            .flat_map(|raw| read_event(raw))
                            .collect(),
                        ack: events.need_ack.then_some(events.session_data),
                        sync_hint: events.flag,
                    },
                    Err(error) => Self::Events {
                        notices: vec![Notice::Malformed {
                            reason: error.to_string(),
                        }],
                        ack: None,
                        sync_hint: false,
                    },
                }
            }
            command::OVERLOAD => match serde_json::from_str::<OverloadBody>(body) {
                Ok(OverloadBody { servcmd, delay }) if !servcmd.is_empty() => Self::Overload {
                    servcmd,
                    delay: Duration::from_secs(delay).min(MAX_OVERLOAD),
                },
                _ => Self::Unknown,
            },
            command::KICK_OTHER => Self::KickOther,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn notices(servcmd: &str, body: &str) -> Vec<Notice> {
        match Push::parse(servcmd, body) {
            Push::Events { notices, .. } => notices,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_kick_is_read_under_both_commands_that_carry_it() {
        let body = r#"{"EventArray":[{"Event":10,"C2cNotifyMsgArray":[{"NoticeSeq":0,
            "KickoutMsgNotify":{"KickType":2,"NewInstInfo":{"Platform":"Web","InstId":5}}}]}]}"#;
        for servcmd in [command::FORCE_OFFLINE, command::MSG_PUSH] {
            let notices = notices(servcmd, body);
            assert!(
                matches!(
                    notices[..],
                    [Notice::Kicked {
                        kind: KickType::MultipleDevice,
                        inst_id: None
                    }]
                ),
                "{notices:?}"
            );
        }
        assert!(matches!(Push::parse("some.other", body), Push::Unknown));
    }

    #[test]
    fn f1b_a_kick_says_which_login_it_is_for() {
        for (named, read) in [
            ("5", Some(InstId::Number(5))),
            ("\"5\"", Some(InstId::Text("5".into()))),
            ("null", None),
            ("0", None),
            ("\"\"", None),
            ("{}", None),
        ] {
            let body = format!(
                r#"{{"EventArray":[{{"C2cNotifyMsgArray":[{{"KickoutMsgNotify":{{"KickType":1,"Instid":{named}}}}}]}}]}}"#
            );
            let notices = notices(command::FORCE_OFFLINE, &body);
            let [Notice::Kicked { inst_id, .. }] = &notices[..] else {
                panic!("{notices:?}");
            };
            assert_eq!(*inst_id, read, "{named}");
        }
    }

    #[test]
    fn a_kick_type_that_is_no_known_number_is_no_kick() {
        for kick_type in ["\"1\"", "0", "4", "null", "1.5"] {
            let body = format!(
                r#"{{"EventArray":[{{"C2cNotifyMsgArray":[{{"KickoutMsgNotify":{{"KickType":{kick_type}}}}}]}}]}}"#
            );
            assert!(
                matches!(
                    notices(command::FORCE_OFFLINE, &body)[..],
                    [Notice::Unknown { .. }]
                ),
                "{body}"
            );
        }
    }

    #[test]
    fn one_bad_message_harms_no_other() {
        let body = r#"{"NeedAck":1,"SessionData":"s","EventArray":[{"Event":9,"C2cMsgArray":[
            {"From_Account":"a","MsgSeq":1,"MsgRandom":1,"MsgTimeStamp":1,"MsgBody":[]},
            {"From_Account":5},
            null,
            {"From_Account":"a","MsgSeq":2,"MsgRandom":1,"MsgTimeStamp":1,"MsgBody":[]}]},
            7, {"Event":99,"Mystery":{}}]}"#;
        let read = notices(command::MSG_PUSH, body);
        let kinds: Vec<_> = read
            .iter()
            .map(|notice| match notice {
                Notice::C2c(_) => 'm',
                Notice::Malformed { .. } => 'x',
                Notice::Unknown {
                    event: Some(99), ..
                } => '?',
                _ => '!',
            })
            .collect();
        assert_eq!(kinds, ['m', 'x', 'x', 'm', 'x', '?']);
    }

    #[test]
    fn an_ack_is_owed_only_when_asked_for() {
        for (body, owed) in [
            (
                r#"{"EventArray":[],"NeedAck":1,"SessionData":"s"}"#,
                Some("s"),
            ),
            (r#"{"EventArray":[],"NeedAck":0,"SessionData":"s"}"#, None),
            (r#"{"EventArray":[]}"#, None),
        ] {
            let Push::Events { ack, .. } = Push::parse(command::MSG_PUSH, body) else {
                panic!()
            };
            assert_eq!(ack.as_deref(), owed);
        }
    }

    #[test]
    fn an_overload_pause_is_bounded() {
        let push = Push::parse(
            command::OVERLOAD,
            r#"{"OverLoadServCmd":"a.b","DelaySecs":99999999999}"#,
        );
        assert!(matches!(push, Push::Overload { delay, .. } if delay == MAX_OVERLOAD));
        assert!(matches!(
            Push::parse(command::OVERLOAD, "{}"),
            Push::Unknown
        ));
    }

    proptest! {
        #[test]
        fn no_body_panics(body in "\\PC{0,200}") {
            for servcmd in [command::MSG_PUSH, command::OVERLOAD, command::FORCE_OFFLINE] {
                let _ = Push::parse(servcmd, &body);
            }
        }
    }
}
