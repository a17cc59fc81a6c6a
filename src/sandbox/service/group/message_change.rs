//! Recall and edit of group messages, and recall notices for members that were offline.
//!
//! See "Groups" in docs/src/protocol.md; the codes are in section "Sandbox choices".

use serde_json::{Value, json};

use crate::{
    answer::{failure, ok_with},
    commands::Commands,
    fields::{list, opt_number, opt_text, place, seqs},
    policy::Now,
    proto::code::Code,
    request::Request,
    service::group::{
        Caller, Group, Kind, Role, SYSTEM, SYSTEM_TINY_ID,
        message::{MAX_MESSAGE, extend, is_message_body, size_of},
        message_history::MAX_PAGE,
        tip::micros,
    },
    state::State,
};

/// The most recalls kept per group for members that were offline.
const RECALLS: usize = 200;

pub(crate) fn register(commands: &mut Commands) {
    commands.group("group_msg_recall", |s, r| s.recall_group_messages(r));
    commands.group("batch_get_group_notify", |s, r| s.recalls_since(r));
    commands.group("get_group_notify", |s, r| s.recalls_of_one(r));
    // Unlike other group commands, this one belongs to the service `openim`.
    commands.both(
        "openim.modify_group_msg",
        |c| c.any_body(),
        |s, r| s.edit_group_message(r),
    );
}

impl State {
    /// `group_msg_recall`.
    pub(crate) fn recall_group_messages(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = place(body)?;
        self.require(id, actor, Role::Member)?;
        let mut results = Vec::new();
        for seq in seqs(body, "MsgSeqList") {
            let outcome = self.recall_group_message(now, id, actor, seq);
            let code = outcome.err().map_or(0, |code| code.0);
            results.push(json!({"MsgSeq": seq, "RetCode": code}));
        }
        if results.is_empty() {
            return Err(Code::GROUP_PARAMETER);
        }
        Ok(ok_with(json!({"RecallRetList": results})))
    }

    pub(crate) fn recall_group_message(
        &mut self,
        now: Now,
        id: &str,
        actor: &Caller,
        seq: u64,
    ) -> Result<(), Code> {
        let role = self.role_in(id, actor)?;
        let window = self.world.config.recall_window.as_secs();
        let group = self.group_mut(id)?;
        let kind = group.kind;
        let entry = group.entry_mut(seq).ok_or(Code::GROUP_UNKNOWN_MESSAGE)?;
        if entry.said().is_none() {
            return Err(Code::GROUP_NO_RECALL);
        }
        if entry.revoker.is_some() {
            return Ok(());
        }
        let own = entry.from == actor.user.as_str();
        // In a Work group the owner cannot recall messages of others.
        if !own && !actor.admin && (role < Role::Admin || kind == Kind::Work) {
            return Err(Code::GROUP_PERMISSION);
        }
        if !actor.admin && now.unix_secs().saturating_sub(entry.time) > window {
            return Err(Code::GROUP_RECALL_WINDOW);
        }
        entry.revoker = Some(actor.user.clone());
        let identity = entry.identity();
        let random = entry.random;
        let revoker = json!({"Revoker_Account": actor.user, "Reason": ""});
        group.last_recall = now.unix_secs();
        group.pins.retain(|(pinned, _)| *pinned != seq);
        let recall = json!({"MsgSeq": seq, "MsgRandom": random, "RevokerInfo": revoker});
        // Each recall needs its own time: the time is the cursor of the pages.
        let last = group.recalls.back().map_or(0, |(at, _)| *at);
        let at = micros(now).max(last.saturating_add(1));
        group.recalls.push_back((at, recall));
        if group.recalls.len() > RECALLS {
            group.recalls.pop_front();
        }
        if kind == Kind::Live {
            let number = group.next_seq;
            group.next_seq += 1;
            let item = json!({
                "Event": 20, "ToGroupId": id, "MsgSeq": number, "GroupInfo": group.wire_info(),
                "RevokerInfo": revoker, "MsgBody": {"RevokeMsgList": [identity]},
            });
            self.add_live_item(now, id, number, item);
            return Ok(());
        }
        let mut withdrawn = identity;
        extend(&mut withdrawn, group.named());
        let event = json!({"Event": 5, "GroupTips": [{
            "From_Account": SYSTEM, "TinyId": SYSTEM_TINY_ID, "ToGroupId": group.outer_id(),
            "GroupInfo": group.wire_info(), "RevokerInfo": revoker,
            "MsgBody": {"GroupWithdrawInfoArray": [withdrawn]},
        }]});
        self.push_to_group(now, id, Some((&actor.user, actor.instance)), &event);
        Ok(())
    }

    /// `openim.modify_group_msg`: every member may edit; the version detects concurrent edits.
    pub(crate) fn edit_group_message(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = place(body)?;
        self.require(id, actor, Role::Member)?;
        let seq = opt_number(body, "MsgSeq").ok_or(Code::GROUP_PARAMETER)?;
        let group = self.group_mut(id)?;
        let entry = group.entry_mut(seq).ok_or(Code::GROUP_UNKNOWN_MESSAGE)?;
        if entry.revoker.is_some() || !entry.is_for(&actor.user) && !actor.admin {
            return Err(Code::GROUP_UNKNOWN_MESSAGE);
        }
        let said = entry.said_mut().ok_or(Code::GROUP_UNKNOWN_MESSAGE)?;
        // The app may omit the version.
        let known = opt_number(body, "MsgVersion").or(actor.admin.then_some(said.version));
        if known.unwrap_or(0) != said.version {
            let mut answer = failure(Code::C2C_EDIT_CONFLICT);
            extend(&mut answer, entry.current());
            return Ok(answer);
        }
        let content = body.get("MsgBody").unwrap_or(&said.body);
        let cloud = opt_text(body, "CloudCustomData").unwrap_or(&said.cloud);
        if size_of(content, cloud) > MAX_MESSAGE {
            return Err(Code::MESSAGE_TOO_LONG);
        }
        if !is_message_body(content) {
            return Err(Code::GROUP_PARAMETER);
        }
        (said.body, said.cloud) = (content.clone(), cloud.to_owned());
        said.version += 1;
        let current = entry.current();
        // A later generation of the SDK finds the message by `MsgTimeStamp` and the sender's clock.
        let mut changed = json!({"From_Account": entry.from, "MsgTime": entry.time});
        extend(&mut changed, entry.identity());
        extend(&mut changed, current.clone());
        extend(&mut changed, group.named());
        let event = json!({"Event": 15, "GroupMsgModNotifys": [changed]});
        self.push_to_group(now, id, Some((&actor.user, actor.instance)), &event);
        Ok(ok_with(current))
    }

    /// `batch_get_group_notify`: the recalls within a time range, for several groups.
    pub(crate) fn recalls_since(&self, request: &Request<'_>) -> Value {
        let (actor, body) = (request.caller, request.body);
        let requests = list(body, "NotifyReqList").iter();
        let items: Vec<Value> = requests
            .filter_map(|request| {
                let group = self.group(place(request).ok()?).ok()?;
                group.members.get(&actor.user)?;
                let mut item = group.named();
                extend(&mut item, group.recalls_in(request));
                Some(item)
            })
            .collect();
        ok_with(json!({"NotifyRspList": items}))
    }

    /// `get_group_notify`: the same for one group, as the SDK of version 2 asks. The SDK repeats
    /// the request at once until `NextMsgTime` is zero.
    pub(crate) fn recalls_of_one(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        let id = place(body)?;
        self.require(id, actor, Role::Member)?;
        Ok(ok_with(self.group(id)?.recalls_in(body)))
    }
}

impl Group {
    /// A page of recalls for a request with `BeginTime` and `EndTime` in microseconds.
    fn recalls_in(&self, request: &Value) -> Value {
        let from = opt_number(request, "BeginTime").unwrap_or(0);
        // The SDK derives the server time from the whole seconds of its login, so its "now" may be
        // up to a second behind.
        let to = opt_number(request, "EndTime").unwrap_or(u64::MAX);
        let to = to.saturating_add(1_000_000);
        let limit = opt_number(request, "Limit")
            .unwrap_or(20)
            .clamp(1, MAX_PAGE);
        let limit = usize::try_from(limit).unwrap_or(20);
        let mut recalls = self
            .recalls
            .iter()
            .filter(|(at, _)| (from..=to).contains(at))
            .peekable();
        let page: Vec<Value> = recalls
            .by_ref()
            .take(limit)
            .map(|(_, recall)| recall.clone())
            .collect();
        let next = recalls.peek().map_or(0, |(at, _)| *at);
        json!({"NextMsgTime": next, "NotifyMsgList": page})
    }
}
