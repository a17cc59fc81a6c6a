//! The server's side of one link: bytes in, bytes out, no socket.

use super::tally::Tally;
use crate::account::unix_time;
use crate::error::{Error, Result};
use crate::frames::{self, BINARY, CLOSE};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use rustls::{ServerConfig, ServerConnection};
use sha1::{Digest, Sha1};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::Instant;

/// The text of a push.
const TEXT: &str = "The quick brown fox jumps over a lazy dog; the quick brown fox j";
/// Digits of the numbers in a push that change.
const DIGITS: usize = 10;
/// The first sequence number of messages.
const FIRST_SEQ: u64 = 1_000_000_000;
/// How an answer begins that is no refusal.
const OK: &str = r#""ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"""#;
/// More than a request takes.
const MAX_WAITING: usize = 1 << 20;

/// How far an account has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// The upgrade is awaited.
    Dialled,
    Open,
    LoggedIn,
    /// It asked for what it missed, and for its groups.
    Online,
}

/// The push of an account, in which only numbers change.
struct Template {
    bytes: Vec<u8>,
    /// Where the digits begin: of the session data, the sequence number and the time.
    places: [usize; 3],
}

/// One link.
pub(super) struct Link {
    tls: Option<Box<ServerConnection>>,
    stage: Stage,
    user: Box<str>,
    /// The beginning of something that is not complete.
    waiting: Vec<u8>,
    /// What it says, before TLS.
    said: Vec<u8>,
    /// It asked for what it missed.
    is_synced: bool,
    /// Lists of groups that it asked for.
    lists: u32,
    template: Option<Box<Template>>,
    pushed: u64,
    /// When the pushes were sent that have no echo yet.
    sent: VecDeque<Instant>,
}

impl Link {
    pub(super) fn new(tls: Option<&Arc<ServerConfig>>) -> Result<Self> {
        let tls = tls.map(|config| ServerConnection::new(config.clone()));
        Ok(Self {
            tls: tls.transpose()?.map(|mut tls| {
                tls.set_buffer_limit(None);
                Box::new(tls)
            }),
            stage: Stage::Dialled,
            user: Box::default(),
            waiting: Vec::new(),
            said: Vec::new(),
            is_synced: false,
            lists: 0,
            template: None,
            pushed: 0,
            sent: VecDeque::new(),
        })
    }

    pub(super) fn is_online(&self) -> bool {
        self.stage == Stage::Online
    }

    /// The link is gone.
    pub(super) fn end(&self, tally: &mut Tally) {
        if self.is_online() {
            tally.online -= 1;
        }
    }

    /// Takes bytes from the network and appends those for it to `out`. `scratch` is room to decrypt into.
    pub(super) fn receive(
        &mut self,
        mut bytes: &mut [u8],
        scratch: &mut [u8],
        out: &mut Vec<u8>,
        tally: &mut Tally,
    ) -> Result<()> {
        let Some(mut tls) = self.tls.take() else {
            self.take(bytes, tally)?;
            return self.flush(out);
        };
        while !bytes.is_empty() {
            let mut rest = &*bytes;
            tls.read_tls(&mut rest)?;
            let used = bytes.len() - rest.len();
            bytes = &mut bytes[used..];
            let processed = tls.process_new_packets();
            loop {
                match tls.reader().read(scratch) {
                    Ok(0) => break,
                    Ok(read) => self.take(&mut scratch[..read], tally)?,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                }
            }
            processed?;
        }
        self.tls = Some(tls);
        self.flush(out)
    }

    /// Appends what was said to `out`, encrypted if it has to be.
    fn flush(&mut self, out: &mut Vec<u8>) -> Result<()> {
        // An idle link keeps no buffer.
        let said = std::mem::take(&mut self.said);
        match &mut self.tls {
            None if out.is_empty() => *out = said,
            None => out.extend_from_slice(&said),
            Some(tls) => {
                tls.writer().write_all(&said)?;
                while tls.wants_write() {
                    tls.write_tls(out)?;
                }
            }
        }
        Ok(())
    }

    /// Takes decrypted bytes.
    fn take(&mut self, bytes: &mut [u8], tally: &mut Tally) -> Result<()> {
        if self.waiting.is_empty() {
            let used = self.read(bytes, tally)?;
            self.waiting.extend_from_slice(&bytes[used..]);
        } else {
            let mut all = std::mem::take(&mut self.waiting);
            all.extend_from_slice(bytes);
            let used = self.read(&mut all, tally)?;
            if used < all.len() {
                all.drain(..used);
                self.waiting = all;
            }
        }
        match self.waiting.len() > MAX_WAITING {
            true => Err(Error::new("a request has no end")),
            false => Ok(()),
        }
    }

    /// Reads all that is complete, and says how much that was.
    fn read(&mut self, bytes: &mut [u8], tally: &mut Tally) -> Result<usize> {
        let mut at = 0;
        if self.stage == Stage::Dialled {
            let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
                return Ok(0);
            };
            self.upgrade(&String::from_utf8_lossy(&bytes[..end]))?;
            self.stage = Stage::Open;
            at = end + 4;
        }
        while let Some(frame) = frames::first(&bytes[at..]) {
            let key = frame.mask.ok_or_else(|| Error::new("an unmasked frame"))?;
            let end = at + frame.payload.end;
            let payload = &mut bytes[at + frame.payload.start..end];
            match frame.opcode {
                1 | BINARY => {
                    frames::mask(payload, key);
                    self.answer(payload, tally)?;
                }
                CLOSE => return Err(Error::new("closed")),
                _ => {}
            }
            at = end;
        }
        Ok(at)
    }

    fn upgrade(&mut self, request: &str) -> Result<()> {
        let of = |line: &'_ str| {
            let (name, value) = line.split_once(':')?;
            let is_key = name.eq_ignore_ascii_case("sec-websocket-key");
            is_key.then(|| value.trim().to_owned())
        };
        let key = request.lines().find_map(of);
        let key = key.ok_or_else(|| Error::new("no key in the upgrade"))?;
        let hash = Sha1::new()
            .chain_update(key)
            .chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
            .finalize();
        let accept = STANDARD.encode(hash);
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
             sec-websocket-accept: {accept}\r\n\r\n"
        );
        self.said.extend_from_slice(answer.as_bytes());
        Ok(())
    }

    /// Answers a request. The fields that matter are searched for: parsing would cost more than all the rest.
    fn answer(&mut self, packet: &[u8], tally: &mut Tally) -> Result<()> {
        let lacks = || Error::new("a request without a command or a number");
        let servcmd = text_behind(packet, b"\"servcmd\":\"").ok_or_else(lacks)?;
        let seq = number_behind(packet, b"\"seq\":").ok_or_else(lacks)?;
        let more = match servcmd {
            "openim.ws_msg_push_ack" => {
                tally.acknowledged += 1;
                return Ok(());
            }
            "openim.sendmsg" => {
                tally.echoed(self.sent.pop_front());
                let now = unix_time();
                let key = format!(r#","MsgKey":"702903626_6630492_{now}","MsgTime":{now}"#);
                self.say(servcmd, seq, &key);
                if tally.is_closed_loop {
                    self.push_again();
                }
                return Ok(());
            }
            "im_open_status.wslogin" => {
                let user = text_behind(packet, b"\"identifier\":\"");
                self.user = user.unwrap_or_default().into();
                self.stage = self.stage.max(Stage::LoggedIn);
                format!(
                    r#","A2Key":"9cecb79a60d9b4c3b9f2abbdda4ca463a9b307fb6b8ac614bcf7f761b3bbbb95a3c7f92dee03d542d15f0a6011271b5a","CustomStatus":"","HelloInterval":120,"InstId":200000001,"PurchaseBits":"1111111111111111111111111111111111111111111111111111111111111111","RichMsgAuthKey":"","TimeStamp":{},"TinyId":"144115457351719013""#,
                    unix_time()
                )
            }
            "openim.getmsg" => {
                self.is_synced = true;
                self.come_online(tally);
                r#","Cookie":"c-0","SyncFlag":2,"MsgList":[],"EventArray":[],"C2CPairUnreadCount":[]"#
                    .to_owned()
            }
            "group_open_http_svc.get_joined_group_list" => {
                self.listed(tally);
                joined(tally.groups)
            }
            "million_group_open_http_svc.get_joined_group_list" => {
                self.listed(tally);
                joined(0)
            }
            "heartbeat.alive" => {
                tally.heartbeats += 1;
                String::new()
            }
            _ => String::new(),
        };
        self.say(servcmd, seq, &more);
        Ok(())
    }

    /// A list of groups was asked for.
    fn listed(&mut self, tally: &mut Tally) {
        self.lists = self.lists.saturating_add(1);
        self.come_online(tally);
    }

    /// An account is online when it has asked for everything.
    fn come_online(&mut self, tally: &mut Tally) {
        if self.is_synced && self.lists >= tally.lists && !self.is_online() {
            self.stage = Stage::Online;
            tally.online += 1;
        }
    }

    fn say(&mut self, servcmd: &str, seq: u64, more: &str) {
        let answer =
            format!(r#"{{"head":{{"servcmd":"{servcmd}","seq":{seq}}},"body":{{{OK}{more}}}}}"#);
        frames::plain(&mut self.said, answer.as_bytes());
    }

    /// Pushes a message that wants an acknowledgement.
    pub(super) fn push(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.push_again();
        self.flush(out)
    }

    fn push_again(&mut self) {
        self.pushed += 1;
        let numbers = [self.pushed, FIRST_SEQ + self.pushed, unix_time()];
        let user = &self.user;
        let template = self
            .template
            .get_or_insert_with(|| Box::new(Template::of(user)));
        for (place, number) in template.places.into_iter().zip(numbers) {
            let mut left = number;
            for digit in template.bytes[place..place + DIGITS].iter_mut().rev() {
                *digit = b"0123456789"[(left % 10) as usize];
                left /= 10;
            }
        }
        frames::plain(&mut self.said, &template.bytes);
        self.sent.push_back(Instant::now());
    }
}

impl Template {
    fn of(user: &str) -> Self {
        let text = format!(
            r#"{{"head":{{"servcmd":"im_open_push.msg_push","seq":1}},"body":{{"NeedAck":1,"SessionData":"push-0000000000","EventArray":[{{"Event":9,"C2cMsgArray":[{{"From_Account":"peer-of-{user}","To_Account":"{user}","MsgSeq":1000000000,"MsgRandom":27127429,"MsgTimeStamp":1000000000,"MsgClientTime":1795880981,"TinyId":"144115928497354968","ClientSeq":324537246,"MsgBody":[{{"MsgType":"TIMTextElem","MsgContent":{{"Text":"{TEXT}"}}}}],"CloudCustomData":"","From_AccountNick":"alice","From_AccountHeadurl":"","MsgFlagBits":0,"MsgVersion":0,"IsNeedReadReceipt":0,"SupportMessageExtension":0,"IsPeerRead":0}}]}}]}}}}"#
        );
        let behind = |name: &str| text.find(name).map_or(0, |at| at + name.len());
        Self {
            places: ["\"push-", "\"MsgSeq\":", "\"MsgTimeStamp\":"].map(behind),
            bytes: text.into_bytes(),
        }
    }
}

/// The list of the first `count` groups, in which nothing was missed.
fn joined(count: u32) -> String {
    let mut list = format!(r#","TotalCount":{count},"GroupIdList":["#);
    for number in 1..=count {
        let comma = if number == 1 { "" } else { "," };
        // Writing to memory does not fail.
        let _ = write!(
            list,
            r#"{comma}{{"GroupId":"@TGS#{number:06}","Type":"Public","NextMsgSeq":8,"SupportTopic":0,"SelfInfo":{{"MsgSeq":7}}}}"#
        );
    }
    list.push(']');
    list
}

/// The text between the end of `name` and the next quotation mark.
fn text_behind<'a>(packet: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let rest = &packet[memmem::find(packet, name)? + name.len()..];
    std::str::from_utf8(&rest[..memchr::memchr(b'"', rest)?]).ok()
}

/// The number behind `name`.
fn number_behind(packet: &[u8], name: &[u8]) -> Option<u64> {
    let rest = &packet[memmem::find(packet, name)? + name.len()..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Account, Asked};

    /// What the server says to a frame of a client, unpacked.
    fn exchange(
        link: &mut Link,
        tally: &mut Tally,
        account: &mut Account,
        say: fn(&mut Account, &mut Vec<u8>),
    ) -> Asked {
        let (mut bytes, mut out) = (Vec::new(), Vec::new());
        frames::masked(&mut bytes, |out| say(account, out));
        // In two pieces, as networks do.
        let (one, two) = bytes.split_at_mut(40);
        link.receive(one, &mut [], &mut out, tally).unwrap();
        link.receive(two, &mut [], &mut out, tally).unwrap();
        let mut asked = Asked::default();
        let mut at = 0;
        while let Some(frame) = frames::first(&out[at..]) {
            account.receive(&out[at..][frame.payload.clone()], &mut asked);
            at += frame.payload.end;
        }
        assert_eq!(at, out.len());
        asked
    }

    #[test]
    fn an_account_comes_online_and_echoes_in_a_closed_loop() {
        let (mut link, mut tally) = (Link::new(None).unwrap(), Tally::new(2, 3));
        tally.is_closed_loop = true;
        let mut account = Account::new(0);
        let mut out = Vec::new();
        let mut upgrade =
            b"GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".to_vec();
        link.receive(&mut upgrade, &mut [], &mut out, &mut tally)
            .unwrap();
        assert!(
            String::from_utf8(out)
                .unwrap()
                .contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        );
        exchange(&mut link, &mut tally, &mut account, Account::login);
        assert!(account.is_logged_in());
        exchange(&mut link, &mut tally, &mut account, Account::missed);
        exchange(&mut link, &mut tally, &mut account, |a, out| {
            a.groups(out, 0)
        });
        exchange(&mut link, &mut tally, &mut account, |a, out| {
            a.groups(out, 1)
        });
        assert_eq!(tally.online, 0);
        exchange(&mut link, &mut tally, &mut account, |a, out| {
            a.groups(out, 2)
        });
        assert_eq!(tally.online, 1);
        let mut out = Vec::new();
        link.push(&mut out).unwrap();
        let frame = frames::first(&out).unwrap();
        let mut asked = Asked::default();
        account.receive(&out[frame.payload], &mut asked);
        assert_eq!(asked.acknowledge, ["push-0000000001"]);
        let mut bytes = Vec::new();
        frames::masked(&mut bytes, |out| account.send(out, &asked.lines[0]));
        let mut out = Vec::new();
        link.receive(&mut bytes, &mut [], &mut out, &mut tally)
            .unwrap();
        assert_eq!((tally.messages, tally.strays), (1, 0));
        // The answer, and the next push.
        let answer = frames::first(&out).unwrap();
        assert!(frames::first(&out[answer.payload.end..]).is_some());
    }

    #[test]
    fn a_list_of_groups_is_json() {
        let list: serde_json::Value =
            serde_json::from_str(&format!("{{{}}}", &joined(3)[1..])).unwrap();
        assert_eq!(list["GroupIdList"][2]["SelfInfo"]["MsgSeq"], 7);
    }
}
