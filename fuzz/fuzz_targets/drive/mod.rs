//! The bodies of the fuzz targets. Tests also run them over the seeds on stable Rust.

use botroupe::policy::Now;
use botroupe::proto::answer::{GroupHistory, JoinedGroups};
use botroupe::proto::codec::{self, Frames};
use botroupe::proto::event::{Notice, Push, read_event, read_missed};
use botroupe::proto::id::{SdkAppId, UserId};
use botroupe::proto::lenient;
use botroupe::proto::message::{Conversation, Draft, Element, Message, MessageKey};
use botroupe::proto::op::extension::Extensions;
use botroupe::proto::op::follow::Follows;
use botroupe::proto::op::live_room::LiveMembers;
use botroupe::proto::op::live_room::RoomHistory;
use botroupe::proto::op::live_room::poll::read_item;
use botroupe::proto::op::reaction::Reactions;
use botroupe::proto::op::receive_option::DoNotDisturb;
use botroupe::proto::op::search::{FoundMessages, FoundUsers};
use botroupe::proto::op::topic::Topics;
use botroupe::proto::op::{speech::Recognised, translation::Translated};
use botroupe::proto::packet::Packet;
use botroupe::proto::usersig::UserSig;
use botroupe::session::{Memory, OutgoingMessage, RepeatedPush, Session, SessionConfig};
use serde_json::value::RawValue;
use std::time::Duration;

/// The maximum size of a decoded packet in these targets.
const LIMIT: usize = 1 << 20;

/// Decodes any bytes as a WebSocket message.
pub fn decoder(data: &[u8]) {
    for frames in [Frames::Binary, Frames::Text] {
        let Ok(text) = codec::decode(data, frames, LIMIT) else {
            continue;
        };
        assert!(text.len() <= LIMIT);
        let Ok(packet) = Packet::parse(&text) else {
            continue;
        };
        let _ = packet.status();
        for servcmd in [
            &*packet.servcmd,
            "im_open_push.msg_push",
            "OverLoadPush.notify2",
        ] {
            let _ = Push::parse(servcmd, packet.body);
        }
    }
}

/// Parses any JSON as a message, an element, a tip and an event. A parsed value must be written so
/// that it parses to the same value again.
pub fn messages(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(raw) = RawValue::from_string(text.to_owned()) else {
        return;
    };
    for notice in read_event(&raw).into_iter().chain(read_missed(&raw)) {
        settle(notice);
    }
    read_item(&raw, "room").into_iter().for_each(settle);
    let _ = serde_json::from_str::<JoinedGroups>(text);
    let _ = serde_json::from_str::<GroupHistory<'_>>(text);
    let _ = lenient::read::<Reactions>(text);
    let _ = lenient::read::<Extensions>(text);
    let _ = lenient::read::<Follows>(text);
    let _ = lenient::read::<LiveMembers>(text);
    let _ = lenient::read::<FoundUsers>(text);
    let _ = lenient::read::<DoNotDisturb>(text);
    let _ = lenient::read::<Translated>(text);
    let _ = lenient::read::<Recognised>(text);
    if let Ok(history) = lenient::read::<RoomHistory>(text) {
        let _ = history.messages("room", "me");
    }
    if let Ok(found) = lenient::read::<FoundMessages>(text) {
        for place in &found.conversations {
            let _ = (place.conversation(), place.messages("me"));
        }
    }
    if let Ok(topics) = lenient::read::<Topics>(text) {
        let _ = topics.found().count();
    }
    if let Ok(element) = serde_json::from_str::<Element>(text)
        && let Ok(written) = serde_json::to_string(&element)
    {
        let _ = element.to_string();
        match serde_json::from_str::<Element>(&written) {
            Ok(again) => assert!(again == element, "{written}"),
            Err(error) => panic!("{error}: {written}"),
        }
    }
    if let Ok(draft) = serde_json::from_str::<Vec<Element>>(text).map(Draft::from) {
        let _ = draft.check();
    }
}

fn settle(notice: Notice) {
    let message = match notice {
        Notice::C2c(item) => Some(Message::from_c2c(*item, "fuzz")),
        Notice::Group { event, item } => Message::from_group(*item, event, "fuzz"),
        Notice::Update(mut update) => {
            update.seen_by("fuzz");
            return;
        }
        _ => None,
    };
    if let Some(message) = message {
        let _ = (message.to_string(), message.id(), message.key());
        let _ = Draft::forward(&message).quote(&message).check();
    }
}

/// Applies any sequence of operations to a session. Zero bytes separate the operations; the first
/// byte selects the operation, and the rest is its data from the wire.
pub fn session(data: &[u8]) {
    let (Ok(app), Ok(user)) = (SdkAppId::new(1_400_000_001), UserId::parse("fuzz")) else {
        return;
    };
    let mut memory = Memory::default();
    let mut repeated = RepeatedPush::default();
    let mut session = Session::new(SessionConfig::new(app, user), 1, &mut memory);
    let mut now = Now::new(Duration::ZERO, Duration::from_secs(1_795_000_000));
    let sig = UserSig::from("sig".to_owned());
    let mut asked: Vec<(String, u64)> = Vec::new();
    for operation in data.split(|byte| *byte == 0).take(200) {
        let (op, rest) = operation
            .split_first()
            .map_or((0, &[][..]), |(op, rest)| (*op, rest));
        match op % 8 {
            0 => session.opened(now, Some(&sig)),
            1 => session.received(now, &mut memory, &mut repeated, rest),
            // An answer to the last request, with any body.
            2 | 3 => {
                if let Some((servcmd, seq)) = asked.pop() {
                    let body = String::from_utf8_lossy(rest);
                    let packet = format!(
                        r#"{{"head":{{"servcmd":"{servcmd}","seq":{seq}}},"body":{body}}}"#
                    );
                    session.received(now, &mut memory, &mut repeated, packet.as_bytes());
                }
            }
            4 => {
                let seconds = rest.first().copied().unwrap_or(1);
                now = now.after(Duration::from_secs(u64::from(seconds)));
                session.timeout(now, &mut memory);
            }
            5 => session.closed(now),
            6 => {
                let message = OutgoingMessage {
                    to: Conversation::c2c("peer"),
                    draft: std::sync::Arc::new(Draft::text(String::from_utf8_lossy(rest))),
                    key: MessageKey { seq: 1, random: 1 },
                };
                let _ = session.send(now, &message);
            }
            _ => session.logout(now),
        }
        while let Some(packet) = session.poll_transmit() {
            if let Ok(packet) = Packet::parse(&packet) {
                asked.push((packet.servcmd.to_string(), packet.seq.unwrap_or_default()));
            }
        }
        while session.poll_event().is_some() {}
        assert!(session.logins_in_flight() <= 1, "two logins in flight");
        assert!(
            !session.state().is_ready() || session.can_resume(),
            "ready without a ticket"
        );
    }
}
