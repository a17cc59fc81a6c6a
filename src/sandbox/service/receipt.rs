//! Read receipts of one-to-one messages, and the times up to which peers have read.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    commands::{Commands, Request},
    proto::{code::Code, id::UserId},
    service::{c2c_message::parse, fields::user_ids},
    state::{Caller, State},
    world::{ok, ok_with},
};

#[derive(Deserialize)]
struct ReceiptRequest {
    #[serde(rename = "Peer_Account")]
    peer: UserId,
    #[serde(rename = "C2CMsgInfo", default)]
    infos: Vec<WithdrawInfoLoose>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WithdrawInfoLoose {
    msg_seq: u64,
    msg_random: u64,
}

pub(crate) fn register(commands: &mut Commands) {
    commands
        .socket("openim.c2c_msg_read_receipt", |s, r| s.receipt(r))
        .reads_text();
    commands
        .socket("openim.get_peer_read_time", |state, r| {
            state.peer_read_times(r.caller, &user_ids(r.body.get("To_Account")))
        })
        .reads();
}

impl State {
    fn receipt(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, caller, body) = (request.now, request.caller, request.text);
        let request: ReceiptRequest = parse(body)?;
        let mut read = Vec::new();
        for info in request.infos.iter().take(100) {
            let found = self.find(
                &request.peer,
                &caller.user,
                info.msg_seq,
                info.msg_random,
                0,
            );
            if let Some(message) = found.and_then(|id| self.messages.get_mut(&id))
                && message.draft.from == request.peer
            {
                message.read_at.get_or_insert(now.unix_secs());
                read.push(json!({
                    "From_Account": message.draft.from, "To_Account": message.draft.to,
                    "MsgSeq": message.draft.seq, "MsgRandom": message.draft.random,
                    "MsgTime": message.time, "MsgClientTime": message.draft.client_time,
                    "TinyId": message.tiny_id.to_string(),
                }));
            }
        }
        if !read.is_empty() {
            let event = json!({
                "Event": 16, "Peer_Account": caller.user, "PeerReadTime": now.unix_secs(),
                "C2cMsgInfo": read,
            });
            let conns = self.world.push_links(now, &request.peer, 0);
            self.world.push_to_all(now, conns, &event);
        }
        Ok(ok())
    }

    /// `openim.get_peer_read_time`: when each peer has last read what the caller wrote.
    pub(crate) fn peer_read_times(&self, caller: &Caller, peers: &[UserId]) -> Value {
        let times: Vec<u64> = peers
            .iter()
            .map(|peer| {
                self.world
                    .accounts
                    .get(peer)
                    .and_then(|account| account.peers.get(&caller.user))
                    .map_or(0, |state| state.read_time)
            })
            .collect();
        ok_with(json!({"ReadTime": times}))
    }
}
