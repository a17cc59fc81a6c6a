//! What a hand-written client has to know of the wire format for an account that echoes: it logs in, asks for
//! what it missed, acknowledges pushes and sends messages. No more: no supervision, no memory of what was handed
//! out, no timers.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// The application that every program here belongs to.
pub(crate) const APP: u32 = 1_400_000_001;
/// Its key. The load server does not check signatures.
pub(crate) const KEY: &str = "k";

const LOGIN: &str = "im_open_status.wslogin";
const PUSH: &str = "im_open_push.msg_push";
/// As long as a real one.
const USER_SIG: &str = "eJwtjF0LgjAYRv-Lbi2ZoumEbjSIqG76utd8Vy8jHdsIXfTfHc7n7jkHzo-cTtfwC4oUJA4pWc0fW*gMcpwxPN-9uunN4nQraimxJUWUUL-IG4MfcDRjaZ5TljFPYZCoHN-QJKd0aeDLhSNTBqO1ey3ADDwo72V6PATVpZL2wfhOjOdMQRND3ekt*U94jzJ3";
/// The place of a checksum, which is known after the body; a number may have spaces in front.
const CHECKSUM: &[u8; 10] = b"          ";

/// The UserID of an account, counted from zero. Fleets are written as the pattern of the same names.
pub(crate) fn user(number: usize) -> String {
    format!("a-{:06}", number + 1)
}

/// Unix time in whole seconds.
pub(crate) fn unix_time() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[derive(Deserialize)]
struct Packet<'a> {
    #[serde(borrow)]
    head: Head<'a>,
    #[serde(borrow)]
    body: &'a RawValue,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    servcmd: Cow<'a, str>,
    seq: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Push<'a> {
    #[serde(default)]
    need_ack: u8,
    #[serde(borrow, default)]
    session_data: Cow<'a, str>,
    #[serde(borrow, default)]
    event_array: Vec<Event<'a>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default, rename = "C2cMsgArray")]
    messages: Vec<Item<'a>>,
}

/// A message. What an echo has no use for is parsed all the same, as a client does that shows messages to a bot.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, rename = "From_Account")]
    from: Cow<'a, str>,
    #[serde(rename = "MsgSeq")]
    _seq: u32,
    #[serde(rename = "MsgRandom")]
    _random: u32,
    #[serde(rename = "MsgTimeStamp")]
    _time: u64,
    #[serde(borrow, rename = "MsgBody")]
    elements: Vec<Element<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Element<'a> {
    #[serde(borrow, rename = "MsgType")]
    _kind: Cow<'a, str>,
    #[serde(borrow)]
    msg_content: Content<'a>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, rename = "Text", default)]
    text: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LoggedIn {
    a2_key: String,
    tiny_id: String,
    inst_id: u64,
}

#[derive(Deserialize)]
struct Outcome {
    #[serde(rename = "ErrorCode", default)]
    code: i64,
}

/// A text to send to somebody, which is also what a text from somebody becomes.
#[derive(Debug)]
pub(crate) struct Line {
    with: Box<str>,
    text: String,
}

/// What a packet asks of its receiver.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Messages for the bot.
    pub(crate) lines: Vec<Line>,
    /// The session data of pushes that want an acknowledgement.
    pub(crate) acknowledge: Vec<String>,
}

/// What an account keeps.
#[derive(Debug)]
pub(crate) struct Account {
    user: Box<str>,
    /// The key, empty before the login.
    a2: Box<str>,
    tiny: Box<str>,
    instance: u64,
    seq: u32,
    /// Messages whose answer is awaited.
    in_flight: Vec<u32>,
}

impl Account {
    pub(crate) fn new(number: usize) -> Self {
        Self {
            user: user(number).into(),
            a2: Box::default(),
            tiny: Box::default(),
            instance: 0,
            seq: fastrand::u32(1_000_000..2_000_000),
            in_flight: Vec::new(),
        }
    }

    pub(crate) const fn is_logged_in(&self) -> bool {
        !self.a2.is_empty()
    }

    /// Appends a request; the checksum goes in when the body is there. Returns its number.
    fn request(
        &mut self,
        out: &mut Vec<u8>,
        servcmd: &str,
        is_checked: bool,
        body: impl FnOnce(&mut Vec<u8>, &str),
    ) -> u32 {
        self.seq += 1;
        let (seq, now) = (self.seq, unix_time());
        out.extend_from_slice(
            br#"{"head":{"ver":"v4","platform":7,"websdkappid":537048168,"websdkversion":"1.7.3","#,
        );
        // Writing to memory does not fail, here and below.
        let _ = if self.is_logged_in() {
            let Self {
                a2, tiny, instance, ..
            } = &*self;
            write!(
                out,
                r#""a2":"{a2}","tinyid":"{tiny}","status_instid":{instance},"#
            )
        } else {
            let user = &self.user;
            write!(
                out,
                r#""status_instid":0,"identifier":"{user}","usersig":"{USER_SIG}","#
            )
        };
        let _ = write!(
            out,
            r#""sdkappid":{APP},"contenttype":"json","reqtime":{now},"sdkability":75689843,"sdkability_ext":"","cappid":0,"cs":"#
        );
        let place = out.len();
        out.extend_from_slice(CHECKSUM);
        let _ = write!(out, r#","servcmd":"{servcmd}","seq":{seq}}},"body":"#);
        let start = out.len();
        body(out, &self.user);
        let checksum = match is_checked {
            true => crc32fast::hash(&out[start..]),
            false => 0,
        };
        let _ = write!(&mut out[place..], "{checksum:10}");
        out.push(b'}');
        seq
    }

    pub(crate) fn login(&mut self, out: &mut Vec<u8>) {
        self.request(out, LOGIN, false, |out, _| {
            out.extend_from_slice(
                br#"{"State":"Online","is_web_uniapp":0,"InstType":0,"CustomInfo":""}"#,
            );
        });
    }

    pub(crate) fn heartbeat(&mut self, out: &mut Vec<u8>) {
        self.request(out, "heartbeat.alive", false, |out, _| {
            out.extend_from_slice(b"{}")
        });
    }

    /// Asks for the messages that came while it was away.
    pub(crate) fn missed(&mut self, out: &mut Vec<u8>) {
        self.request(out, "openim.getmsg", true, |out, _| {
            out.extend_from_slice(br#"{"Cookie":"","IsOnlineSync":0,"NeedAbstract":1,"NeedCachedMsg":1,"NeedSignaling":1,"SyncFlag":0}"#);
        });
    }

    /// Asks for one of the three lists of groups, numbered from zero: common ones, communities, those with topics.
    pub(crate) fn groups(&mut self, out: &mut Vec<u8>, list: u8) {
        let servcmd = match list {
            0 => "group_open_http_svc.get_joined_group_list",
            _ => "million_group_open_http_svc.get_joined_group_list",
        };
        let topics = u8::from(list == 2);
        self.request(out, servcmd, true, |out, user| {
            let _ = write!(
                out,
                r#"{{"Limit":200,"Member_Account":"{user}","NeedAppDefineData":0,"Offset":0,"ResponseFilter":{{"GroupBaseInfoFilter":["Type","NextMsgSeq"],"SelfInfoFilter":["MsgSeq"]}},"SupportTopic":{topics}}}"#
            );
        });
    }

    pub(crate) fn acknowledge(&mut self, out: &mut Vec<u8>, session_data: &str) {
        self.request(out, "openim.ws_msg_push_ack", false, |out, _| {
            let _ = write!(out, r#"{{"SessionData":"{session_data}"}}"#);
        });
    }

    pub(crate) fn send(&mut self, out: &mut Vec<u8>, line: &Line) {
        let (seq, random) = (fastrand::u32(..), fastrand::u32(..));
        let number = self.request(out, "openim.sendmsg", true, |out, user| {
            let _ = write!(out, r#"{{"From_Account":"{user}","To_Account":"#);
            let _ = serde_json::to_writer(&mut *out, &line.with);
            let _ = write!(
                out,
                r#","MsgSeq":{seq},"MsgRandom":{random},"MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"#
            );
            let _ = serde_json::to_writer(&mut *out, &line.text);
            let _ = write!(
                out,
                r#"}}}}],"CloudCustomData":"","From_AccountNick":"","From_AccountHeadurl":"","OfflinePushInfo":{{"PushFlag":0,"Title":"","Desc":"","Ext":""}},"SendMsgControl":[],"MsgClientTime":{},"IsNeedReadReceipt":0,"SupportMessageExtension":0,"IsRelayMsg":0}}"#,
                unix_time()
            );
        });
        self.in_flight.push(number);
    }

    /// Takes a packet. One that cannot be read is ignored, as is an answer that nobody awaits.
    pub(crate) fn receive(&mut self, packet: &[u8], asked: &mut Asked) {
        let Ok(Packet { head, body }) = serde_json::from_slice(packet) else {
            return;
        };
        match &*head.servcmd {
            PUSH => {
                let Ok(push) = serde_json::from_str::<Push<'_>>(body.get()) else {
                    return;
                };
                let items = push
                    .event_array
                    .into_iter()
                    .flat_map(|event| event.messages);
                for Item { from, elements, .. } in items {
                    for text in elements.into_iter().filter_map(|e| e.msg_content.text) {
                        asked.lines.push(Line {
                            with: (&*from).into(),
                            text: text.into_owned(),
                        });
                    }
                }
                if push.need_ack == 1 {
                    asked.acknowledge.push(push.session_data.into_owned());
                }
            }
            LOGIN => {
                if let Ok(login) = serde_json::from_str::<LoggedIn>(body.get()) {
                    self.a2 = login.a2_key.into();
                    self.tiny = login.tiny_id.into();
                    self.instance = login.inst_id;
                }
            }
            _ => {
                let is_done =
                    serde_json::from_str::<Outcome>(body.get()).is_ok_and(|o| o.code == 0);
                self.in_flight.retain(|seq| *seq != head.seq || !is_done);
                if self.in_flight.is_empty() {
                    // An idle account keeps nothing.
                    self.in_flight = Vec::new();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_json_and_its_checksum_is_that_of_its_body() {
        let mut account = Account::new(6);
        let mut out = Vec::new();
        account.missed(&mut out);
        let packet: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let at = out.windows(7).position(|w| w == b"\"body\":").unwrap() + 7;
        let checksum = crc32fast::hash(&out[at..out.len() - 1]);
        assert_eq!(packet["head"]["cs"], checksum);
        assert_eq!(packet["head"]["identifier"], "a-000007");
        assert_eq!(packet["head"]["sdkappid"], APP);
    }
}
