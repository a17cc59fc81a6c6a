//! Turns a body into frames: framing, compression, and faults that change delivery.
//!
//! See "Frames and compression" in docs/src/protocol.md.

use std::{collections::VecDeque, time::Duration};

use serde::{Serialize, Serializer};
use serde_json::value::to_raw_value;

use super::{ConnId, Frames, Output, World, fault::Reorder};
use crate::{
    policy::Now,
    proto::id::UserId,
    wire::{self, Head, Seq},
};

/// A frame before delays are applied.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) conn: ConnId,
    pub(crate) text: Vec<u8>,
}

/// How long a push held back for reordering waits for the next push.
const REORDER_WAIT: Duration = Duration::from_secs(5);

impl World {
    /// Answers a request.
    pub(crate) fn answer<B: Serialize>(
        &mut self,
        now: Now,
        conn: ConnId,
        head: &Head<'_>,
        body: B,
    ) {
        let text = wire::encode(&head.servcmd, &head.seq, body);
        self.answer_encoded(now, conn, &head.seq, text);
    }

    /// Sends an answer that is already encoded because it borrows from the state.
    pub(crate) fn answer_encoded(&mut self, now: Now, conn: ConnId, to: &Seq, text: Vec<u8>) {
        self.counters.answers += 1;
        let packet = Packet { conn, text };
        let is_own = |(own, seq): &(ConnId, Seq)| *own == conn && seq == to;
        if self.answering.as_ref().is_some_and(is_own) {
            self.emit(now, packet);
            self.end_answering(now);
        } else {
            // This answers a poll that was held until now.
            self.emit_in_turn(now, packet);
        }
    }

    /// Sends a packet. On the link of the current request the packet waits for the answer: a client
    /// that sees the effect first treats its request as failed.
    fn emit_in_turn(&mut self, now: Now, packet: Packet) {
        let answering = self.answering.as_ref();
        if answering.is_some_and(|(conn, _)| *conn == packet.conn) {
            self.behind.push(packet);
        } else {
            self.emit(now, packet);
        }
    }

    /// Ends the current request, which was answered or has no answer.
    pub(crate) fn end_answering(&mut self, now: Now) {
        self.answering = None;
        for packet in std::mem::take(&mut self.behind) {
            self.emit(now, packet);
        }
    }

    /// Sends a push on one link.
    pub(crate) fn push<B: Serialize>(&mut self, now: Now, conn: ConnId, servcmd: &str, body: B) {
        let Some(link) = self.links.get_mut(&conn) else {
            return;
        };
        link.push_seq += 1;
        let packet = Packet {
            conn,
            text: wire::encode(servcmd, link.push_seq, body),
        };
        let user = link.user.clone();
        self.counters.pushes += 1;
        let Some(faults) = user.as_ref().and_then(|user| self.faults.get_mut(user)) else {
            self.emit_in_turn(now, packet);
            return;
        };
        let mut burst = VecDeque::new();
        if faults.duplicate > 0 {
            faults.duplicate -= 1;
            burst.push_back(packet.clone());
        }
        burst.push_back(packet);
        match std::mem::take(&mut faults.reorder) {
            Reorder::Off => {}
            Reorder::Armed => {
                let until = now.mono.saturating_add(REORDER_WAIT);
                faults.reorder = Reorder::Held {
                    until,
                    packets: burst,
                };
                return;
            }
            Reorder::Held { packets, .. } => burst.extend(packets),
        }
        for packet in burst {
            self.emit_in_turn(now, packet);
        }
    }

    /// Pushes chat events (`im_open_push.msg_push`) on one link.
    pub(crate) fn push_event<B: Serialize>(&mut self, now: Now, conn: ConnId, event: B) {
        struct Session(u64);

        impl Serialize for Session {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&format_args!("push-{}", self.0))
            }
        }

        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Body<B> {
            need_ack: u8,
            session_data: Session,
            event_array: [B; 1],
        }
        self.sessions += 1;
        let body = Body {
            need_ack: 1,
            session_data: Session(self.sessions),
            event_array: [event],
        };
        self.push(now, conn, "im_open_push.msg_push", body);
    }

    /// Pushes one event on many links. Encodes it once: a group may have thousands of members.
    pub(crate) fn push_to_all<B: Serialize>(&mut self, now: Now, conns: Vec<ConnId>, event: &B) {
        if conns.is_empty() {
            return;
        }
        // Serialization only fails for maps with non-string keys, and no event has one.
        if let Ok(event) = to_raw_value(event) {
            for conn in conns {
                self.push_event(now, conn, &*event);
            }
        }
    }

    /// Sends held pushes whose reorder time-out has passed.
    pub(crate) fn release_held(&mut self, now: Now) {
        let mut due = Vec::new();
        for faults in self.faults.values_mut() {
            match std::mem::take(&mut faults.reorder) {
                Reorder::Held { until, packets } if until <= now.mono => due.extend(packets),
                other => faults.reorder = other,
            }
        }
        for packet in due {
            self.emit(now, packet);
        }
    }

    fn emit(&mut self, now: Now, packet: Packet) {
        let Packet { conn, text } = packet;
        let Some(link) = self.links.get(&conn) else {
            return;
        };
        let (frames, user, last_due) = (link.frames, link.user.clone(), link.last_due);
        let mut due = last_due;
        if let Some(user) = &user {
            if self.is_silent(now, user) {
                self.counters.withheld += 1;
                return;
            }
            if let Some(faults) = self.faults.get(user)
                && !faults.delay.is_zero()
            {
                // Frames stay in order, even if the delay was lowered in the meantime.
                due = due.max(now.mono.saturating_add(faults.delay));
            }
        }
        let text_frame = frames == Frames::Text;
        let bytes = if text_frame {
            text
        } else {
            wire::compress(text, self.compress)
        };
        let output = Output::Send {
            conn,
            bytes,
            text: text_frame,
        };
        if due <= now.mono {
            self.ready.push_back(output);
        } else {
            if let Some(link) = self.links.get_mut(&conn) {
                link.last_due = due;
            }
            self.delayed_count += 1;
            self.delayed.insert((due, self.delayed_count), output);
        }
    }

    /// Cuts a link without a close frame and forgets it.
    pub(crate) fn cut(&mut self, now: Now, conn: ConnId) {
        if self.links.contains_key(&conn) {
            self.counters.cut += 1;
            self.ready.push_back(Output::Drop { conn });
            self.closed(now, conn);
        }
    }

    /// Every link of `user`, logged in or not.
    pub(crate) fn links_of(&self, user: &UserId) -> Vec<ConnId> {
        let links = self.links.iter();
        let own = links.filter(|(_, link)| link.user.as_ref() == Some(user));
        let mut conns: Vec<_> = own.map(|(conn, _)| *conn).collect();
        conns.sort_unstable();
        conns
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::{SandboxConfig, proto::id::SdkAppId};
    use serde_json::json;

    struct Counted<'a>(&'a Cell<u32>);

    impl Serialize for Counted<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.set(self.0.get() + 1);
            json!({"Event": 3}).serialize(serializer)
        }
    }

    #[test]
    fn an_event_for_many_links_is_encoded_once() {
        let config = SandboxConfig::new(SdkAppId::new(1_400_000_001).unwrap(), "key");
        let mut world = World::new(config, [0; 32]);
        let now = Now::new(Duration::ZERO, Duration::from_secs(1_700_000_000));
        let conns: Vec<ConnId> = (1..=50).map(ConnId).collect();
        for conn in &conns {
            world.connect(now, *conn, Frames::Text, &[]);
        }
        let encoded = Cell::new(0);
        world.push_to_all(now, conns, &Counted(&encoded));
        assert_eq!((encoded.get(), world.ready.len()), (1, 50));
    }
}
