//! The envelope `{"head":{…},"body":{…}}` of requests, answers and pushes.
//!
//! A request identifies its sender by UserID and UserSig until a login succeeds, and by a2 and
//! TinyId afterwards. The checksum covers the exact text of the body, so the body is serialised
//! once and inserted as text. See "Envelope" in `docs/src/protocol.md`.

use super::checksum::checksum;
use super::code::Code;
use super::codec::DecodeError;
use super::id::{SdkAppId, UserId};
use super::lenient;
use super::usersig::UserSig;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// `head.websdkappid`: a constant of all web clients.
pub const WEB_SDK_APP_ID: u32 = 537_048_168;
/// `head.websdkversion`: a constant that differs from the package version.
pub const WEB_SDK_VERSION: &str = "1.7.3";
/// `head.sdkability`: the features that the client supports, as version 3.6.6 of the web SDK sends
/// them.
pub const SDK_ABILITY: u32 = 75_689_843;
/// `head.platform`: the web platform.
pub const PLATFORM_WEB: u8 = 7;
/// The sequence counter restarts at this number.
pub const SEQ_LIMIT: u32 = 2_415_919_103;

/// The server's identifier for one login of an account (`InstId`, `status_instid`).
///
/// It keeps its JSON type, because requests must repeat it unchanged. It is not the `instanceid` of
/// the URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum InstId {
    /// A number. All servers observed so far send numbers.
    Number(u64),
    /// A string.
    Text(Box<str>),
}

impl InstId {
    /// No login. Servers that do not track instances may send this value.
    pub const NONE: Self = Self::Number(0);

    /// Returns whether the value identifies a login.
    #[must_use]
    pub fn is_some(&self) -> bool {
        !matches!(self, Self::Number(0)) && !matches!(self, Self::Text(text) if text.is_empty())
    }

    /// Returns whether both values identify the same login, whatever their JSON types.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self == other || self.to_string() == other.to_string()
    }
}

impl std::fmt::Display for InstId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(n) => n.fmt(f),
            Self::Text(s) => s.fmt(f),
        }
    }
}

/// The credentials that a login returns. They replace UserID and UserSig in all later request
/// heads.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// The `A2Key` of the login answer. It is a secret: its owner can act as the account.
    pub a2: SecretString,
    /// The TinyId of the account, a string of up to 20 digits. It is part of message IDs.
    pub tiny_id: Box<str>,
    /// The identifier of the login, if the answer contains one.
    pub inst_id: Option<InstId>,
}

/// The sender of a request.
#[derive(Clone, Copy, Debug)]
pub enum Identity<'a> {
    /// No account: the heartbeat before the first login.
    Anonymous,
    /// A full login with UserID and UserSig.
    UserSig(&'a UserId, &'a UserSig),
    /// Every request after a login, including the re-login and the logout.
    Ticket(&'a Ticket),
}

/// The fields of a request head that differ between requests.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The sender.
    pub identity: Identity<'a>,
    /// The app.
    pub app: SdkAppId,
    /// The local clock in Unix seconds, without correction by the server's clock.
    pub time: u64,
    /// `<service>.<command>`; the module `command` lists them.
    pub servcmd: &'a str,
    /// The sequence number of the request. The answer repeats it.
    pub seq: u32,
    /// The JSON text of the body, which must be an object.
    pub body: &'a str,
}

impl Request<'_> {
    /// Returns the JSON text of the whole packet.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(HEAD_BYTES + self.body.len());
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    /// The order of the fields is that of the web SDK.
    fn write(&self, text: &mut String) -> std::fmt::Result {
        use std::fmt::Write as _;
        write!(
            text,
            r#"{{"head":{{"ver":"v4","platform":{PLATFORM_WEB},"websdkappid":{WEB_SDK_APP_ID},"websdkversion":"{WEB_SDK_VERSION}""#
        )?;
        match self.identity {
            Identity::Ticket(ticket) => {
                text.push_str(r#","a2":"#);
                push_text(text, ticket.a2.expose_secret());
                text.push_str(r#","tinyid":"#);
                push_text(text, &ticket.tiny_id);
                match &ticket.inst_id {
                    Some(InstId::Number(number)) => write!(text, r#","status_instid":{number}"#)?,
                    Some(InstId::Text(id)) => {
                        text.push_str(r#","status_instid":"#);
                        push_text(text, id);
                    }
                    None => {}
                }
            }
            Identity::Anonymous | Identity::UserSig(..) => text.push_str(r#","status_instid":0"#),
        }
        let (app, time) = (self.app.get(), self.time);
        write!(
            text,
            r#","sdkappid":{app},"contenttype":"json","reqtime":{time}"#
        )?;
        let sender = match self.identity {
            Identity::Anonymous => Some(("", "")),
            Identity::UserSig(user, sig) => Some((user.as_str(), sig.expose())),
            Identity::Ticket(_) => None,
        };
        if let Some((user, sig)) = sender {
            text.push_str(r#","identifier":"#);
            push_text(text, user);
            text.push_str(r#","usersig":"#);
            push_text(text, sig);
        }
        let (checksum, seq) = (checksum(self.servcmd, self.body), self.seq);
        write!(
            text,
            r#","sdkability":{SDK_ABILITY},"sdkability_ext":"","cappid":0,"cs":{checksum},"servcmd":"#
        )?;
        push_text(text, self.servcmd);
        write!(text, r#","seq":{seq}}},"body":"#)?;
        text.push_str(self.body);
        text.push('}');
        Ok(())
    }
}

/// Room for the head of a request with a ticket. Longer heads make the text grow.
const HEAD_BYTES: usize = 512;

/// Appends a JSON string.
fn push_text(text: &mut String, value: &str) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if value.bytes().all(plain) {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        // Serialising a string cannot fail.
        text.push_str(&serde_json::to_string(value).unwrap_or_default());
    }
}

/// A packet from the server. It is an answer if its command and sequence number match a request in
/// flight, and a push otherwise.
#[derive(Debug)]
pub struct Packet<'a> {
    /// `<service>.<command>`.
    pub servcmd: Cow<'a, str>,
    /// The sequence number of the request, in an answer. It has no meaning in a push.
    pub seq: Option<u64>,
    /// The text of the body, or `{}` if the body is missing.
    pub body: &'a str,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    head: Head<'a>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

/// The head of a packet from the server.
#[derive(Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow, default)]
    servcmd: Cow<'a, str>,
    #[serde(default, deserialize_with = "lenient::opt_int")]
    seq: Option<u64>,
}

impl Head<'_> {
    /// `<service>.<command>`; empty if it is missing.
    pub(super) fn command(&self) -> &str {
        &self.servcmd
    }
}

impl<'a> Packet<'a> {
    /// Parses the envelope. The body stays unparsed text.
    ///
    /// # Errors
    /// [`DecodeError::Json`] if the text is not `{"head":{…},…}`, and [`DecodeError::NoCommand`] if
    /// `head.servcmd` is missing or empty.
    pub fn parse(text: &'a str) -> Result<Self, DecodeError> {
        let Envelope { head, body } = serde_json::from_str(text)?;
        Self::of(head, body)
    }

    /// A packet of these parts.
    ///
    /// # Errors
    /// [`DecodeError::NoCommand`].
    pub(super) fn of(head: Head<'a>, body: Option<&'a RawValue>) -> Result<Self, DecodeError> {
        if head.servcmd.is_empty() {
            return Err(DecodeError::NoCommand);
        }
        let body = match body.map(RawValue::get) {
            Some(text) if text.starts_with('{') => text,
            _ => "{}",
        };
        Ok(Self {
            servcmd: head.servcmd,
            seq: head.seq,
            body,
        })
    }

    /// Parses the status fields of an answer.
    ///
    /// # Errors
    /// [`DecodeError::Json`] if a status field has a wrong type.
    pub fn status(&self) -> Result<AnswerStatus, DecodeError> {
        Ok(serde_json::from_str(self.body)?)
    }
}

/// The status of an answer. `ActionStatus` adds no information and is ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct AnswerStatus {
    #[serde(rename = "ErrorCode", default, deserialize_with = "lenient::int")]
    error_code: i64,
    #[serde(
        rename = "int32_error_code",
        default,
        deserialize_with = "lenient::int"
    )]
    config_error_code: i64,
    #[serde(rename = "ErrorInfo", default, deserialize_with = "lenient::string")]
    error_info: String,
    #[serde(rename = "KickType", default)]
    kick_type: Option<serde_json::Value>,
}

impl AnswerStatus {
    /// Returns the error code, or `None` for success (zero or absent).
    #[must_use]
    pub fn error(&self) -> Option<Code> {
        [self.error_code, self.config_error_code]
            .into_iter()
            .find(|code| *code != 0)
            .map(Code)
    }

    /// Returns the error text of the server, which may be empty.
    #[must_use]
    pub fn info(&self) -> &str {
        &self.error_info
    }

    /// Returns the kick type that comes with code 1002. Only a number is valid.
    #[must_use]
    pub fn kick_type(&self) -> Option<u64> {
        self.kick_type.as_ref()?.as_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_packet_gives_command_number_and_body_text() {
        let text = r#"{"head":{"servcmd":"a.b","seq":"7","x":1},"body":{"k": [1, 2]}}"#;
        let packet = Packet::parse(text).unwrap();
        assert_eq!(
            (packet.servcmd.as_ref(), packet.seq, packet.body),
            ("a.b", Some(7), r#"{"k": [1, 2]}"#)
        );
    }

    #[test]
    fn a_missing_or_odd_body_reads_as_empty() {
        for body in ["", r#","body":null"#, r#","body":[]"#, r#","body":"x""#] {
            let text = format!(r#"{{"head":{{"servcmd":"a.b"}}{body}}}"#);
            assert_eq!(Packet::parse(&text).unwrap().body, "{}", "{text}");
        }
    }

    #[test]
    fn no_command_is_an_error() {
        for text in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"head":null}"#,
            r#"{"head":{}}"#,
            r#"{"head":{"servcmd":""}}"#,
        ] {
            assert!(Packet::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_error_code_decides() {
        let table = [
            (r#"{"ActionStatus":"FAIL","ErrorCode":0}"#, None),
            ("{}", None),
            (r#"{"ErrorCode":null}"#, None),
            (r#"{"ErrorCode":70001,"ErrorInfo":"x"}"#, Some(70001)),
            (r#"{"ErrorCode":"70001"}"#, Some(70001)),
            (r#"{"int32_error_code":5}"#, Some(5)),
            (r#"{"int32_error_code":0,"ErrorCode":0}"#, None),
        ];
        for (body, code) in table {
            let status: AnswerStatus = serde_json::from_str(body).unwrap();
            assert_eq!(status.error().map(|code| code.0), code, "{body}");
        }
    }

    #[test]
    fn a_kick_type_must_be_a_number() {
        for (body, kick) in [
            (r#"{"ErrorCode":1002,"KickType":1}"#, Some(1)),
            (r#"{"ErrorCode":1002,"KickType":"1"}"#, None),
            (r#"{"ErrorCode":1002}"#, None),
        ] {
            let status: AnswerStatus = serde_json::from_str(body).unwrap();
            assert_eq!(status.kick_type(), kick, "{body}");
        }
    }

    #[test]
    fn secrets_stay_out_of_debug() {
        let ticket = Ticket {
            a2: "marker-a2".into(),
            tiny_id: "1".into(),
            inst_id: None,
        };
        assert!(!format!("{ticket:?}").contains("marker"));
        assert!(!format!("{:?}", Identity::Ticket(&ticket)).contains("marker"));
    }

    proptest! {
        #[test]
        fn a_text_is_written_as_json_writes_it(value in "(\\PC|[\"\\\\\n\t\u{1}\u{7f}]){0,20}") {
            let mut text = String::new();
            push_text(&mut text, &value);
            prop_assert_eq!(text, serde_json::to_string(&value).unwrap());
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            if let Ok(packet) = Packet::parse(&text) {
                let _ = packet.status();
            }
        }
    }
}
