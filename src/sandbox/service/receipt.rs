//! Read receipts of one-to-one messages, and the read times of peers.
//!
//! See "C2C messages" in docs/src/protocol.md.

use serde::Serialize;

use crate::{
    commands::Commands,
    proto::{
        code::Code,
        id::UserId,
        message::MessageRef,
        op::{
            Done,
            receipt::{PeerReadTimes, ReadTimes, SendC2cReceipts},
        },
    },
    request::Request,
    service::c2c_message::user,
    state::State,
};

pub(crate) fn register(commands: &mut Commands) {
    commands.socket("openim.c2c_msg_read_receipt", |s, r| s.receipt(r));
    commands
        .socket("openim.get_peer_read_time", |s, r| s.peer_read_times(r))
        .reads();
}

/// Event 16: messages that asked for receipts were read.
#[derive(Serialize)]
struct Read<'a> {
    #[serde(rename = "Event")]
    event: u8,
    #[serde(rename = "Peer_Account")]
    reader: &'a UserId,
    #[serde(rename = "PeerReadTime")]
    time: u64,
    #[serde(rename = "C2cMsgInfo")]
    messages: Vec<MessageRef>,
}

impl State {
    fn receipt(&mut self, request: &Request<'_>) -> Result<Done, Code> {
        let (now, caller) = (request.now, request.caller);
        let asked: SendC2cReceipts = request.read(Code::C2C_BAD_PACKET)?;
        let peer = user(&asked.peer)?;
        let mut messages = Vec::new();
        for read in asked.messages.iter().take(100) {
            let (seq, random) = (read.name.seq.into(), read.name.random.into());
            let found = self.find(&peer, &caller.user, seq, random, 0);
            if let Some(message) = found.and_then(|id| self.messages.get_mut(&id))
                && message.draft.from == peer
            {
                message.read_at.get_or_insert(now.unix_secs());
                messages.push(message.name());
            }
        }
        if !messages.is_empty() {
            let event = Read {
                event: 16,
                reader: &caller.user,
                time: now.unix_secs(),
                messages,
            };
            let conns = self.world.push_links(now, &peer, 0);
            self.world.push_to_all(now, conns, &event);
        }
        Ok(Done)
    }

    /// `openim.get_peer_read_time`: the time up to which each peer has read the caller's messages.
    fn peer_read_times(&self, request: &Request<'_>) -> Result<ReadTimes, Code> {
        let PeerReadTimes { users } = request.read(Code::C2C_BAD_PACKET)?;
        let read = |peer: String| {
            let peer = UserId::parse(&peer).ok()?;
            Some(self.read_time(&peer, &request.caller.user))
        };
        Ok(ReadTimes {
            times: users.into_iter().filter_map(read).collect(),
        })
    }
}
