//! Pushes: messages from the server that are not answers.
//!
//! The command determines the kind of a push. `msg_push` carries a list of events, and the payload
//! key determines the kind of each event. Unknown events become [`Notice::Unknown`]; they are never
//! dropped silently.

use super::command;
pub use super::events::{read_event, read_missed};
use super::lenient;
use super::message::{C2cItem, GroupItem};
use super::packet::InstId;
use super::update::Update;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// The upper bound for an overload pause. Longer ones are cut to this value.
const MAX_OVERLOAD: Duration = Duration::from_secs(3600);

/// A parsed push.
#[derive(Clone, Debug)]
pub enum Push {
    /// Messages and notices.
    Events {
        /// The notices, in the order of the push.
        notices: Vec<Notice>,
        /// `SessionData`, if the push asks for an acknowledgement.
        ack: Option<String>,
        /// The server indicates missed messages; the client should fetch them.
        sync_hint: bool,
    },
    /// The client must not send a command for a while.
    Overload {
        /// The full command.
        servcmd: String,
        /// The pause, at most one hour.
        delay: Duration,
    },
    /// The client must log in again on the same connection.
    KickOther,
    /// An unknown push.
    Unknown,
}

/// One event of a push or of a page of missed messages.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A C2C message.
    C2c(Box<C2cItem>),
    /// A message, tip or notice of a group.
    Group {
        /// The event's number.
        event: u64,
        /// The message, tip or notice.
        item: Box<GroupItem>,
    },
    /// A change to messages, people or groups.
    Update(Box<Update>),
    /// The server has kicked an instance of this account.
    Kicked {
        /// The reason.
        kind: KickType,
        /// The kicked login. `None` means the login that receives this event.
        inst_id: Option<InstId>,
    },
    /// An event, or a part of one, that this crate does not interpret.
    Unknown {
        /// The event number, if there is one.
        event: Option<u64>,
        /// The JSON of the event.
        raw: Box<RawValue>,
    },
    /// A known event with invalid content.
    Malformed {
        /// The reason why the event could not be parsed.
        reason: String,
    },
}

/// The reason for a kick, from the kick push or from code 1002.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KickType {
    /// 1: another web client has logged in to the account.
    MultipleAccount,
    /// 2: another terminal has logged in to the account.
    MultipleDevice,
    /// 3: an administrator has kicked the account with a REST call.
    RestApi,
}

impl KickType {
    /// Converts `KickType` from the wire. Returns `None` for unknown values.
    #[must_use]
    pub const fn from_wire(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::MultipleAccount),
            2 => Some(Self::MultipleDevice),
            3 => Some(Self::RestApi),
            _ => None,
        }
    }

    /// Returns the number on the wire.
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
    /// Parses a push. Unparsable input becomes [`Push::Unknown`] or [`Notice::Malformed`].
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
