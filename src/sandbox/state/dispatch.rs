//! From a command to what answers it.

use serde::Deserialize;
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};

use super::{
    Actor, ConnId, Principal, State,
    lists::user_ids,
    logins::Caller,
    messages::Draft,
    outgoing::{failure, ok, ok_with},
};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    wire::Head,
};

/// What the app has bought.
const PURCHASES: &str = "im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2";

/// `openim.sendmsg`. Numbers may be missing in sloppy clients; accounts and body may not.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendRequest {
    #[serde(rename = "From_Account")]
    from: UserId,
    #[serde(rename = "To_Account")]
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
struct WithdrawRequest {
    msg_info: WithdrawInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WithdrawInfo {
    #[serde(rename = "From_Account")]
    from: UserId,
    #[serde(rename = "To_Account")]
    to: UserId,
    msg_seq: u64,
    msg_random: u64,
    #[serde(default)]
    msg_time_stamp: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReadRequest {
    #[serde(rename = "C2CMsgReaded")]
    readed: ReadItems,
}

#[derive(Deserialize)]
struct ReadItems {
    #[serde(rename = "C2CMsgReadedItem", default)]
    items: Vec<ReadItem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReadItem {
    #[serde(rename = "To_Account")]
    peer: UserId,
    #[serde(default)]
    lasted_msg_time: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EditRequest {
    #[serde(rename = "From_Account")]
    from: UserId,
    #[serde(rename = "To_Account")]
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

impl State {
    /// Carries out a request whose head is in order.
    pub(super) fn dispatch(&mut self, now: Now, conn: ConnId, head: &Head, body: &RawValue) {
        match head.servcmd.as_str() {
            "im_open_status.wslogin" => return self.wslogin(now, conn, head),
            "im_open_status.wslogout" => return self.wslogout(now, conn, head),
            // An acknowledgement awaits no answer.
            "openim.ws_msg_push_ack" => return self.counters.acknowledged += 1,
            // Telemetry names nobody.
            "imopenstat.tim_web_report_v2" => return self.answer(now, conn, head, ok()),
            _ => {}
        }
        if self.guest_command(now, conn, head, body) {
            return;
        }
        let caller = match self.authenticate(now, head) {
            Ok(caller) => caller,
            // The same for everybody. One generation of clients asks for them each second until it gets
            // them, and tells of an expiry each time.
            Err(_) if head.servcmd == PURCHASES => {
                let answer = self.fixed_answer(PURCHASES).unwrap_or_else(ok);
                return self.answer(now, conn, head, answer);
            }
            Err(refused) => return self.refuse(now, conn, head, refused),
        };
        if self.plays_script(now, conn, &caller.user, head) {
            return;
        }
        match head.servcmd.as_str() {
            "openim.getmsg" => self.getmsg(now, conn, head, &caller, body),
            "openim.getroammsg" => self.getroammsg(now, conn, head, &caller, body),
            "group_open_long_polling_http_svc.get_msg" => {
                self.poll_live(now, conn, head, &caller, body);
            }
            "im_cos_msg.pre_sig"
            | "im_cos_msg.simple_sig"
            | "im_cos_msg.get_imageinfo"
            | "im_cos_msg.video_cover"
            | "im_cos_msg.get_final_ip" => {
                let command = head.servcmd.strip_prefix("im_cos_msg.").unwrap_or_default();
                let body = serde_json::from_str(body.get()).unwrap_or_default();
                let answer = self.media_command(now, conn, &caller, command, &body);
                self.answer(now, conn, head, answer.unwrap_or_else(failure));
            }
            _ => {
                let answer = self.simple(now, &caller, &head.servcmd, body);
                let answer = answer.unwrap_or_else(failure);
                self.answer(now, conn, head, answer);
            }
        }
    }

    /// Carries out a command as if a client of `user` had sent it, without a login.
    pub(crate) fn command_of(
        &mut self,
        now: Now,
        user: &UserId,
        servcmd: &str,
        body: &Value,
    ) -> Result<Value, Code> {
        let body = to_raw_value(body).map_err(|_| Code::C2C_BAD_PACKET)?;
        let caller = Caller {
            user: user.clone(),
            instance: 0,
        };
        self.simple(now, &caller, servcmd, &body)
    }

    fn simple(
        &mut self,
        now: Now,
        caller: &Caller,
        servcmd: &str,
        body: &RawValue,
    ) -> Result<Value, Code> {
        if let Some(answer) = self.fixed_answer(servcmd) {
            return Ok(answer);
        }
        let by = caller.instance;
        let value = || {
            serde_json::from_str::<Value>(body.get())
                .ok()
                .filter(Value::is_object)
                .ok_or(Code::C2C_BAD_PACKET)
        };
        if let Some(command) = servcmd.strip_prefix("openim_msg_ext_http_svc.") {
            let actor = Actor::from(caller);
            if let Some(outcome) = self.extra_command(now, &actor, command, &value()?) {
                return outcome;
            }
        }
        if servcmd.contains("group") {
            let body = value().unwrap_or_else(|_| json!({}));
            let actor = Actor::from(caller);
            if let Some(outcome) = self.group_command(now, &actor, servcmd, &body) {
                return outcome;
            }
        }
        Ok(match servcmd {
            "openim.sendmsg" => return self.sendmsg(now, caller, body),
            "openim.msgwithdraw" => {
                let info = parse::<WithdrawRequest>(body)?.msg_info;
                if info.from != caller.user {
                    return Err(Code::C2C_BAD_PACKET);
                }
                let id = self
                    .find(
                        &info.from,
                        &info.to,
                        info.msg_seq,
                        info.msg_random,
                        info.msg_time_stamp,
                    )
                    .ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
                let sender = self.messages.get(&id).map(|m| m.draft.from.clone());
                if sender.as_ref() != Some(&caller.user) {
                    return Err(Code::C2C_UNKNOWN_MESSAGE);
                }
                let window = self.config.recall_window.as_secs();
                self.recall(now, id, &caller.user, Some(window), by)?;
                ok()
            }
            "openim.msgreaded" => {
                for item in parse::<ReadRequest>(body)?.readed.items {
                    self.read(now, &caller.user, &item.peer, item.lasted_msg_time, by);
                }
                ok()
            }
            "openim.read_all_unread_msg" => self.read_all(now, caller, &value()?),
            "openim.modify_c2c_msg" => self.edit(now, caller, body)?,
            "openim.c2c_msg_read_receipt" => self.receipt(now, caller, body)?,
            "openim.get_peer_read_time" => {
                let peers = user_ids(value()?.get("To_Account"));
                self.peer_read_times(caller, &peers)
            }
            "openim.delete_c2c_msg_ramble" => self.delete_messages(caller, &value()?),
            "openim.set_c2c_peer_mute_notifications" => self.set_mute(now, caller, &value()?),
            "openim.get_c2c_peer_mute_notifications" => self.mutes(caller, &value()?),
            "profile.portrait_get_all" => self.profiles(&caller.user, &value()?),
            "profile.portrait_set" => self.set_profiles(now, &principal(caller), &value()?)?,
            "recentcontact.page_get" => self.conversations_of(caller),
            "recentcontact.get_contact_group" => self.contact_groups(caller),
            "recentcontact.search_contact_group" => self.contact_groups_of(caller, &value()?),
            "recentcontact.create_contact_group" => {
                self.create_contact_groups(now, caller, &value()?)
            }
            "recentcontact.del_contact_group" => self.delete_contact_groups(now, caller, &value()?),
            "recentcontact.update_contact_group" => {
                self.update_contact_group(now, caller, &value()?)?
            }
            "recentcontact.mark_contact" => self.mark_contacts(now, caller, &value()?),
            "recentcontact.top" => self.pin(now, caller, &value()?),
            "recentcontact.batch_delete" => self.delete_conversations(now, caller, &value()?),
            "recentcontact.clear_msg" => self.clear_history(caller, &value()?),
            "im_open_status.ws_get_user_status" => self.user_statuses(now, &value()?),
            "im_open_status.ws_status_subscribe" => self.watch(now, caller, &value()?),
            "im_open_status.ws_status_unsubscribe" => self.unwatch(caller, &value()?),
            "im_open_status.ws_set_custom_status" => {
                self.set_custom_status(now, caller, &value()?)?
            }
            "im_long_msg.save_relay_json_msg" => self.save_merged(&value()?)?,
            "im_long_msg.get_relay_json_msg" => self.merged_list(&value()?)?,
            "im_msg_db_logic.ws_set_do_not_disturb" => {
                self.set_do_not_disturb(now, caller, &value()?)
            }
            "im_msg_db_logic.ws_get_do_not_disturb" => self.do_not_disturb(caller),
            "im_open_translate.ws_batch_trans_text" => Self::translation(&value()?),
            _ => {
                let relation = match servcmd.strip_prefix("sns.") {
                    Some(command) => self.relations(now, &principal(caller), command, &value()?),
                    None => None,
                };
                if let Some(answer) = relation {
                    return answer;
                }
                if let Some(command) = servcmd.strip_prefix("follow.") {
                    let actor = principal(caller);
                    if let Some(answer) = self.follows(now, &actor, command, &value()?) {
                        return answer;
                    }
                }
                if servcmd.ends_with("_search.query")
                    && let Some(answer) = self.search(&caller.user, servcmd, &value()?)
                {
                    return answer;
                }
                self.note_unknown(servcmd);
                if self.config.strict_commands {
                    return Err(Code::BAD_REQUEST);
                }
                ok()
            }
        })
    }

    fn sendmsg(&mut self, now: Now, caller: &Caller, body: &RawValue) -> Result<Value, Code> {
        let request: SendRequest = parse(body)?;
        if request.from != caller.user {
            return Err(Code::C2C_BAD_PACKET);
        }
        if !self.may_write(now, &caller.user) {
            return Err(Code::C2C_MUTED);
        }
        if self.has_blocked(&request.to, &caller.user) {
            return Err(Code::C2C_BLACKLISTED);
        }
        let has = |control: &str| request.send_msg_control.iter().any(|c| c == control);
        let (no_unread, no_last) = (has("NoUnread"), has("NoLastMsg"));
        let sender = self.accounts.get(&caller.user);
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
            from: request.from,
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
        let sent = self.send(now, draft, caller.instance)?;
        Ok(ok_with(json!({"MsgTime": sent.time, "MsgKey": sent.key})))
    }

    /// Either side may edit; the version decides who was first.
    fn edit(&mut self, now: Now, caller: &Caller, body: &RawValue) -> Result<Value, Code> {
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
                if !super::messages::is_message_body(&body) {
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
            // By this name and the sender's clock a later generation of clients finds the message.
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
        let mut conns = self.push_links(now, &from, except(&from));
        if from != to {
            conns.extend(self.push_links(now, &to, except(&to)));
        }
        for conn in conns {
            self.push_event(now, conn, &event);
        }
        Ok(ok_with(current))
    }

    fn receipt(&mut self, now: Now, caller: &Caller, body: &RawValue) -> Result<Value, Code> {
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
            for conn in self.push_links(now, &request.peer, 0) {
                self.push_event(now, conn, &event);
            }
        }
        Ok(ok())
    }
}

/// The caller of a command that the REST API has as well.
fn principal(caller: &Caller) -> Principal {
    Principal {
        user: caller.user.clone(),
        instance: caller.instance,
        privileged: false,
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a RawValue) -> Result<T, Code> {
    serde_json::from_str(body.get()).map_err(|_| Code::C2C_BAD_PACKET)
}
