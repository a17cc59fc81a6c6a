//! What was said before: pages of history, deletions for oneself, pins, recalls while away.

use serde_json::{Value, json};

use super::{
    Caller, Group, Kind, Member, Role, SYSTEM, SYSTEM_TINY_ID,
    fields::{as_number, flag, list, number, opt_number, place, seqs},
    messages::{Entry, extend},
    tips::Tip,
};
use crate::world::{ok, ok_with};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    state::State,
};

/// The most entries in one page.
const MAX_PAGE: u64 = 100;
/// Messages pinned at once.
const MAX_PINS: usize = 10;

impl Group {
    /// The entries `user` may read, newest first. The app, which is no member, may read all.
    pub(crate) fn readable<'a>(&'a self, user: &'a UserId) -> impl Iterator<Item = &'a Entry> {
        let member = self.members.get(user);
        self.entries
            .iter()
            .rev()
            .filter(move |entry| member.is_none_or(|member| member.may_read(user, entry)))
    }
}

impl Group {
    /// A page of recalls, as a request with `BeginTime` and `EndTime` in microseconds wants it.
    fn recalls_in(&self, request: &Value) -> Value {
        let from = opt_number(request, "BeginTime").unwrap_or(0);
        // Clients work the server's time out from the whole seconds of their login, so what is "now"
        // for them may be a second ago.
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

impl Member {
    /// True if `user`, who is this member, may read the entry.
    pub(crate) fn may_read(&self, user: &UserId, entry: &Entry) -> bool {
        let own = entry.seq >= self.first_seq && !self.deleted.contains(&entry.seq);
        own && entry.is_for(user)
    }
}

impl State {
    /// `group_msg_get`: entries at and below a number, newest first; or those asked for by number.
    pub(crate) fn group_page(&self, actor: &Caller, body: &Value) -> Result<Value, Code> {
        let id = place(body)?;
        self.require(id, actor, Role::Member)?;
        let group = self.group(id)?;
        let named = seqs(body, "ReqMsgSeqList");
        if !named.is_empty() {
            let entries = group.readable(&actor.user);
            let items: Vec<Value> = entries
                .filter(|entry| named.contains(&entry.seq))
                .map(|entry| entry.wire(group))
                .collect();
            return Ok(ok_with(json!({
                "GroupId": group.outer_id(), "IsFinished": 1, "NextReqMsgSeq": 0, "RspMsgList": items,
            })));
        }
        let top = opt_number(body, "ReqMsgSeq").filter(|top| *top > 0);
        let top = top.unwrap_or(u64::MAX);
        let count = opt_number(body, "ReqMsgNumber").unwrap_or(20);
        let count = usize::try_from(count.clamp(1, MAX_PAGE)).unwrap_or(1);
        // Who asks without saying so is an app over REST, and gets recalled ones as well.
        let recalled = body.get("WithRecalledMsg").is_none() || flag(body, "WithRecalledMsg");
        let mut entries = group
            .readable(&actor.user)
            .filter(|entry| entry.seq <= top && (recalled || entry.revoker.is_none()))
            .peekable();
        let page: Vec<&Entry> = entries.by_ref().take(count).collect();
        let more = entries.peek().is_some();
        let next = page.last().map_or(0, |entry| entry.seq.saturating_sub(1));
        let items: Vec<Value> = page.iter().map(|entry| entry.wire(group)).collect();
        Ok(ok_with(json!({
            "GroupId": group.outer_id(), "IsFinished": if more { 1 } else { 2 },
            "NextReqMsgSeq": if more { next } else { 0 }, "RspMsgList": items,
        })))
    }

    /// `delete_group_ramble_msg_by_seq`: for the caller only.
    pub(crate) fn delete_entries(&mut self, actor: &Caller, body: &Value) -> Result<Value, Code> {
        let id = place(body)?;
        let seqs: Vec<u64> = list(body, "Seqs").iter().filter_map(as_number).collect();
        let group = self.group_mut(id)?;
        let known: Vec<u64> = seqs
            .into_iter()
            .filter(|seq| group.entry(*seq).is_some())
            .collect();
        let member = group.members.get_mut(&actor.user);
        let member = member.ok_or(Code::GROUP_PERMISSION)?;
        member.deleted.extend(known);
        Ok(ok())
    }

    /// `batch_get_group_notify`: messages recalled in a span of time, of several groups.
    pub(crate) fn recalls_since(&self, actor: &Caller, body: &Value) -> Value {
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

    /// `get_group_notify`: the same of one group, as clients of version 2 ask for it. They ask again
    /// at once until `NextMsgTime` is zero.
    pub(crate) fn recalls_of_one(&self, actor: &Caller, body: &Value) -> Result<Value, Code> {
        let id = place(body)?;
        self.require(id, actor, Role::Member)?;
        Ok(ok_with(self.group(id)?.recalls_in(body)))
    }

    /// `pin_message` and `unpin_message`: by owner and admins, in a Work group by everyone.
    pub(crate) fn pin_message(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
        pinned: bool,
    ) -> Result<Value, Code> {
        let id = place(body)?;
        let least = if self.group(id)?.kind == Kind::Work {
            Role::Member
        } else {
            Role::Admin
        };
        self.require(id, actor, least)?;
        let seq = number(body, "MsgSeq")?;
        let group = self.group_mut(id)?;
        let entry = group.entry(seq).filter(|entry| entry.revoker.is_none());
        let entry = entry.ok_or(Code::GROUP_UNKNOWN_MESSAGE)?;
        if entry.said().is_none() {
            return Err(Code::GROUP_UNKNOWN_MESSAGE);
        }
        let what = if pinned {
            json!({"OpType": Tip::Pinned as u8, "PinnedMsg": entry.wire(group)})
        } else {
            json!({"OpType": Tip::Unpinned as u8, "SdkGroupMessageId": {
                "ClientTime": entry.client_time, "Random": entry.random,
                "SenderTinyId": entry.tiny_id, "ServerTime": entry.time, "Sequence": seq,
            }})
        };
        let before = group.pins.len();
        group.pins.retain(|(other, _)| *other != seq);
        if pinned {
            if group.pins.len() >= MAX_PINS {
                return Err(Code::GROUP_PARAMETER);
            }
            group.pins.push_back((seq, actor.user.clone()));
        } else if before == group.pins.len() {
            return Ok(ok());
        }
        let mut tip_body = json!({
            "Operator_Account": actor.user, "List_Account": [],
            "MsgOperatorMemberExtraInfo": {"UserId": actor.user},
        });
        extend(&mut tip_body, what);
        self.unstored_tip(now, id, &tip_body);
        Ok(ok())
    }

    /// A tip that takes no number and is in no history.
    pub(crate) fn unstored_tip(&mut self, now: Now, id: &str, body: &Value) {
        let random = self.world.numbers.next() % (1 << 32);
        let Ok(group) = self.group_mut(id) else {
            return;
        };
        let is_live = group.kind == Kind::Live;
        let number = group.next_seq;
        // Items of a live room are told apart by their numbers alone.
        if is_live {
            group.next_seq += 1;
        }
        let tip = json!({
            "Event": 6, "From_Account": SYSTEM, "ToGroupId": group.outer_id(),
            "GroupId": group.outer_id(),
            "TinyId": SYSTEM_TINY_ID, "MsgSeq": if is_live { number } else { 0 },
            "MsgRandom": random, "MsgTimeStamp": now.unix_secs(),
            "MsgClientTime": now.unix_secs(), "ClientSeq": 0, "IsSystemMsg": 1,
            "GroupInfo": group.wire_info(), "MsgBody": body,
        });
        if is_live {
            self.add_live_item(now, id, number, tip);
        } else {
            let event = json!({"Event": 6, "GroupTips": [tip]});
            self.push_to_group(now, id, None, &event);
        }
    }

    /// `get_pinned_messages`, newest pin first.
    pub(crate) fn pinned_messages(&self, actor: &Caller, body: &Value) -> Result<Value, Code> {
        let id = place(body)?;
        self.require(id, actor, Role::Member)?;
        let group = self.group(id)?;
        let items: Vec<Value> = group
            .pins
            .iter()
            .rev()
            .filter_map(|(seq, pinner)| {
                let entry = group.entry(*seq)?;
                let mut item = entry.is_for(&actor.user).then(|| entry.wire(group))?;
                extend(&mut item, json!({"Pinner_Account": pinner}));
                Some(item)
            })
            .collect();
        Ok(ok_with(json!({"PinnedMsgList": items})))
    }

    /// `group_msg_get_simple`, for the app.
    pub(crate) fn group_page_for_app(&self, actor: &Caller, body: &Value) -> Result<Value, Code> {
        number(body, "ReqMsgNumber")?;
        let mut answer = self.group_page(actor, body)?;
        let finished = opt_number(&answer, "IsFinished") == Some(2);
        extend(&mut answer, json!({"IsFinished": u8::from(finished)}));
        Ok(answer)
    }
}
