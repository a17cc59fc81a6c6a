//! One-to-one messages: send, recall, edit, delete, read.
//!
//! See "C2C messages" in docs/src/protocol.md; the codes are in section "Sandbox choices".

pub(crate) mod for_app;
pub(crate) mod history;
pub(crate) mod item;
pub(crate) mod stored;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use crate::{
    answer::{failure, ok_with},
    commands::Commands,
    fields::MAX_ASKED,
    proto::{
        code::Code,
        id::{UserId, valid_user},
        op::{
            Done,
            c2c_message::{Delete, ReadAll, ReadReport, Recall},
        },
    },
    request::Request,
    service::{
        c2c_message::stored::{Draft, Sent},
        merger::MAX_LISTS,
    },
    state::{Caller, State},
    wire::{ConnId, Head},
};

/// `openim.sendmsg`. Numbers are optional, because some clients omit them; accounts and body are
/// required.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendRequest {
    #[serde(rename = "From_Account", deserialize_with = "valid_user")]
    from: UserId,
    #[serde(rename = "To_Account", deserialize_with = "valid_user")]
    to: UserId,
    #[serde(default)]
    msg_seq: u64,
    msg_random: u64,
    msg_body: Box<RawValue>,
    #[serde(default)]
    cloud_custom_data: String,
    #[serde(rename = "From_AccountNick", default)]
    nick: String,
    #[serde(rename = "From_AccountHeadurl", default)]
    face_url: String,
    #[serde(default)]
    send_msg_control: Vec<String>,
    msg_life_time: Option<i64>,
    msg_client_time: Option<u64>,
    #[serde(default)]
    is_need_read_receipt: u8,
    #[serde(default)]
    support_message_extension: u8,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EditRequest {
    #[serde(rename = "From_Account", deserialize_with = "valid_user")]
    from: UserId,
    #[serde(rename = "To_Account", deserialize_with = "valid_user")]
    to: UserId,
    msg_seq: u64,
    msg_random: u64,
    #[serde(default)]
    msg_time: u64,
    #[serde(default)]
    msg_version: u64,
    msg_body: Option<Box<RawValue>>,
    cloud_custom_data: Option<String>,
}

pub(crate) fn parse<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, Code> {
    serde_json::from_str(body).map_err(|_| Code::C2C_BAD_PACKET)
}

/// Parses the UserID of a field; a missing UserID makes the request unreadable.
pub(crate) fn user(text: &str) -> Result<UserId, Code> {
    UserId::parse(text).map_err(|_| Code::C2C_BAD_PACKET)
}

pub(crate) fn register(commands: &mut Commands) {
    commands
        .linked("openim.sendmsg", State::sendmsg)
        .reads_text();
    commands.socket("openim.msgwithdraw", |s, r| s.withdraw(r));
    commands.socket("openim.msgreaded", |s, r| s.report_c2c_read(r));
    commands
        .socket("openim.modify_c2c_msg", |s, r| s.edit(r))
        .reads_text();
    commands.socket("openim.read_all_unread_msg", |s, r| s.read_all(r));
    commands.socket("openim.delete_c2c_msg_ramble", |s, r| s.delete_messages(r));
    commands
        .linked("openim.getroammsg", State::getroammsg)
        .reads();
    commands.linked("openim.getmsg", State::getmsg).reads_text();
}

impl State {
    /// `openim.msgwithdraw`: by the sender, within the recall window.
    fn withdraw(&mut self, request: &Request<'_>) -> Result<Done, Code> {
        let (now, caller) = (request.now, request.caller);
        let Recall { info } = request.read(Code::C2C_BAD_PACKET)?;
        let (from, to) = (user(&info.name.from)?, user(&info.name.to)?);
        if from != caller.user {
            return Err(Code::C2C_BAD_PACKET);
        }
        let (seq, random) = (info.name.seq.into(), info.name.random.into());
        let id = self.find(&from, &to, seq, random, info.time);
        let id = id.ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        let sender = self.messages.get(&id).map(|m| &m.draft.from);
        if sender != Some(&caller.user) {
            return Err(Code::C2C_UNKNOWN_MESSAGE);
        }
        let window = self.world.config.recall_window.as_secs();
        self.recall(now, id, &caller.user, Some(window), caller.instance)?;
        Ok(Done)
    }

    /// `openim.msgreaded`.
    fn report_c2c_read(&mut self, request: &Request<'_>) -> Result<Done, Code> {
        let (now, caller) = (request.now, request.caller);
        let ReadReport { readed } = request.read(Code::C2C_BAD_PACKET)?;
        for item in readed.items {
            let peer = user(&item.peer)?;
            self.read(now, &caller.user, &peer, item.until, caller.instance);
        }
        Ok(Done)
    }

    /// `openim.sendmsg`, the most frequent command. It writes its answer without building it first.
    fn sendmsg(&mut self, request: &Request<'_>, conn: ConnId, head: &Head<'_>) {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer<'a> {
            action_status: &'a str,
            error_code: u8,
            error_info: &'a str,
            msg_key: &'a str,
            msg_time: u64,
        }

        let now = request.now;
        match self.send_as_asked(request) {
            Ok(sent) => {
                let answer = Answer {
                    action_status: "OK",
                    error_code: 0,
                    error_info: "",
                    msg_key: &sent.key,
                    msg_time: sent.time,
                };
                self.world.answer(now, conn, head, answer);
            }
            Err(code) => self.world.answer(now, conn, head, failure(code)),
        }
    }

    fn send_as_asked(&mut self, request: &Request<'_>) -> Result<Sent, Code> {
        let (now, caller, body) = (request.now, request.caller, request.text);
        let request: SendRequest = parse(body)?;
        if request.from != caller.user {
            return Err(Code::C2C_BAD_PACKET);
        }
        if !self.world.may_write(now, &caller.user) {
            return Err(Code::C2C_MUTED);
        }
        if self.blacklists.has_blocked(&request.to, &caller.user) {
            return Err(Code::C2C_BLACKLISTED);
        }
        let has = |control: &str| request.send_msg_control.iter().any(|c| c == control);
        let (no_unread, no_last) = (has("NoUnread"), has("NoLastMsg"));
        let sender = self.world.accounts.get(&caller.user);
        let or = |given: String, own: Option<&str>| {
            if given.is_empty() {
                own.unwrap_or_default().to_owned()
            } else {
                given
            }
        };
        let nick = or(
            request.nick,
            sender.map(|account| account.nick(&caller.user)),
        );
        let face_url = or(request.face_url, sender.map(|account| account.face_url()));
        let draft = Draft {
            // Shares the text of the login.
            from: caller.user.clone(),
            to: request.to,
            seq: request.msg_seq,
            random: request.msg_random,
            client_time: request.msg_client_time.unwrap_or_else(|| now.unix_secs()),
            body: request.msg_body,
            cloud: request.cloud_custom_data,
            nick,
            face_url,
            online_only: request.msg_life_time == Some(0),
            no_unread,
            no_last,
            need_receipt: request.is_need_read_receipt != 0,
            extension: request.support_message_extension != 0,
            sync: true,
        };
        self.send(now, draft, caller.instance)
    }

    /// Both sides may edit; the version detects concurrent edits.
    fn edit(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, caller, body) = (request.now, request.caller, request.text);
        let request: EditRequest = parse(body)?;
        if caller.user != request.from && caller.user != request.to {
            return Err(Code::C2C_BAD_PACKET);
        }
        let id = self
            .find(
                &request.from,
                &request.to,
                request.msg_seq,
                request.msg_random,
                request.msg_time,
            )
            .ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        let message = self
            .messages
            .get_mut(&id)
            .ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        let conflict = message.version != request.msg_version;
        if !conflict {
            let size = request.msg_body.as_ref().map_or(0, |body| body.get().len());
            if size + request.cloud_custom_data.as_ref().map_or(0, String::len) > 12 * 1024 {
                return Err(Code::MESSAGE_TOO_LONG);
            }
            if let Some(body) = request.msg_body {
                if !stored::is_message_body(&body) {
                    return Err(Code::C2C_BAD_PACKET);
                }
                message.draft.body = body;
            }
            if let Some(cloud) = request.cloud_custom_data {
                message.draft.cloud = cloud;
            }
            message.version += 1;
        }
        let current = json!({
            "MsgVersion": message.version,
            "MsgBody": serde_json::from_str::<Value>(message.draft.body.get())
                .unwrap_or_else(|_| json!([])),
            "CloudCustomData": message.draft.cloud,
        });
        if conflict {
            let mut answer = failure(Code::C2C_EDIT_CONFLICT);
            if let (Value::Object(answer), Value::Object(current)) = (&mut answer, current) {
                answer.extend(current);
            }
            return Ok(answer);
        }
        let (from, to) = (message.draft.from.clone(), message.draft.to.clone());
        let mut changed = json!({
            "From_Account": from, "To_Account": to, "MsgSeq": message.draft.seq,
            "MsgRandom": message.draft.random, "MsgTime": message.time,
            // A later generation of the SDK finds the message by this field and the sender's clock.
            "MsgTimeStamp": message.time, "MsgClientTime": message.draft.client_time,
            "TinyId": message.tiny_id.to_string(),
        });
        if let (Value::Object(changed), Value::Object(current)) = (&mut changed, &current) {
            changed.extend(current.clone());
        }
        let event = json!({"Event": 15, "C2cMsgModNotifys": [changed]});
        let except = |user: &UserId| {
            if *user == caller.user {
                caller.instance
            } else {
                0
            }
        };
        let mut conns = self.world.push_links(now, &from, except(&from));
        if from != to {
            conns.extend(self.world.push_links(now, &to, except(&to)));
        }
        self.world.push_to_all(now, conns, &event);
        Ok(ok_with(current))
    }

    /// Removes all history with `peer` for the caller.
    pub(crate) fn clear(&mut self, caller: &Caller, peer: &UserId) {
        let key = stored::conversation_key(&caller.user, peer);
        let ids: Vec<_> = self
            .conversations
            .get(&key)
            .into_iter()
            .flatten()
            .copied()
            .collect();
        if let Some(state) = self.peer_mut(caller, peer) {
            state.deleted.extend(ids);
            state.unread = 0;
        }
        self.trim_deleted(caller, peer);
    }

    /// `openim.delete_c2c_msg_ramble`: for the caller only; unknown keys are ignored.
    pub(crate) fn delete_messages(&mut self, request: &Request<'_>) -> Result<Done, Code> {
        let caller = request.caller;
        let Delete { peer, keys, .. } = request.read(Code::C2C_BAD_PACKET)?;
        let Ok(peer) = UserId::parse(&peer) else {
            return Ok(Done);
        };
        let keys = keys.iter().take(MAX_ASKED);
        let ids: Vec<_> = keys
            .filter_map(|key| self.find_by_key(&caller.user, &peer, key))
            .collect();
        if let Some(state) = self.peer_mut(caller, &peer) {
            state.deleted.extend(ids);
        }
        self.trim_deleted(caller, &peer);
        Ok(Done)
    }

    /// Drops deletion marks of messages that no longer exist.
    fn trim_deleted(&mut self, caller: &Caller, peer: &UserId) {
        if let Some(account) = self.world.accounts.get_mut(&caller.user)
            && let Some(state) = account.peers.get_mut(peer)
        {
            state.deleted.retain(|id| self.messages.contains_key(id));
        }
    }

    pub(crate) fn peer_mut(
        &mut self,
        caller: &Caller,
        peer: &UserId,
    ) -> Option<&mut crate::world::Peer> {
        self.world
            .accounts
            .get_mut(&caller.user)?
            .peers
            .get_mut(peer)
    }

    /// `openim.read_all_unread_msg`: one-to-one conversations, and the groups named in the request.
    fn read_all(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, caller, body) = request.parts();
        let ReadAll { c2c, groups } = request.read(Code::C2C_BAD_PACKET)?;
        let wanted = u8::from(c2c != 0);
        if wanted == 1 {
            let unread = self.world.accounts.get(&caller.user).map(|account| {
                let peers = account.peers.iter().filter(|(_, peer)| peer.unread > 0);
                peers.map(|(user, _)| user.clone()).collect::<Vec<_>>()
            });
            for peer in unread.unwrap_or_default() {
                self.read(now, &caller.user, &peer, now.unix_secs(), caller.instance);
            }
        }
        let groups = groups.iter().take(MAX_LISTS);
        let told: Vec<Value> = groups
            .map(|read| json!({"GroupId": read.group, "LastReadMsgSeq": read.seq}))
            .collect();
        let results = self.read_groups(&caller.user, body);
        let event = json!({"Event": 14, "C2CReadAllMsg": wanted, "GroupReadInfoArray": told});
        self.world.tell(now, &caller.user, caller.instance, &event);
        Ok(json!({"C2CReadAllMsg": wanted, "GroupReadInfoArray": results}))
    }

    /// The number of unread messages of `user`, by peer.
    pub(crate) fn unread_counts(&self, user: &UserId) -> Vec<(UserId, u32)> {
        let account = self.world.accounts.get(user);
        account
            .into_iter()
            .flat_map(|account| &account.peers)
            .map(|(peer, state)| (peer.clone(), state.unread))
            .collect()
    }
}
