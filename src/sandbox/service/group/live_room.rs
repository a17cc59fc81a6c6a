//! Live rooms: every event is a numbered item that members fetch by long poll.
//!
//! A poll without new items is held until an item arrives or its deadline passes. The state stores
//! held polls with their deadlines.
//!
//! See "Groups" in docs/src/protocol.md; the limits are in section "Sandbox choices".

pub(crate) use crate::table::group::live_room::{COUNT_HOLDS, Listener, MAX_ITEMS, Poll};
use crate::{
    answer::{failure, ok_with},
    commands::Commands,
    fields::{opt_number, opt_text, text},
    policy::Now,
    proto::{code::Code, id::UserId},
    request::Request,
    service::group::{Caller, Kind, Role, tip::Tip},
    state::{ConnId, State},
    wire::Head,
};
use serde_json::{Value, json};

pub(crate) fn register(commands: &mut Commands) {
    commands
        .linked("group_open_long_polling_http_svc.get_msg", State::poll_live)
        .any_body()
        .reads();
    commands
        .group("get_huge_group_msg", |s, r| s.live_page(r))
        .reads();
    commands.group("get_online_member_num", |s, r| s.online_count(r));
}

impl State {
    /// Joins a live room. A member that joins again gets a new key and starts at the current item;
    /// with `past` the answer includes some earlier messages.
    pub(crate) fn join_live(
        &mut self,
        now: Now,
        id: &str,
        actor: &Caller,
        past: bool,
    ) -> Result<Value, Code> {
        let key = format!(
            "{:016x}{:016x}",
            self.world.numbers.next(),
            self.world.numbers.next()
        );
        let group = self.group(id)?;
        if group.banned_until(now, &actor.user).is_some() {
            return Err(Code::GROUP_PERMISSION);
        }
        let start = group.next_seq;
        let fresh = match self.enter_group(now, id, &actor.user, Role::Member) {
            Ok(()) => true,
            Err(Code::GROUP_MEMBER_ALREADY) => false,
            Err(code) => return Err(code),
        };
        let past = if past {
            self.said_before(id, &actor.user, start)
        } else {
            Vec::new()
        };
        let mut first = false;
        if let Some(member) = self.member_mut(id, &actor.user) {
            // The owner is a member from the start, but this is its first join.
            first = member.poll_key.is_empty();
            member.poll_key.clone_from(&key);
        }
        if fresh || first {
            let user = &actor.user;
            let more = json!({"GroupJoinType": 1});
            self.tip(now, id, user, Tip::Joined, std::slice::from_ref(user), more);
        }
        Ok(ok_with(json!({
            "JoinedStatus": "JoinedSuccess", "HugeGroupFlag": 1, "LongPollingKey": key,
            "StartSeq": start, "AVChatRoomKey": format!("room-{id}"), "RspMsgList": past,
        })))
    }

    /// The last messages of a room before this number, oldest first.
    fn said_before(&self, id: &str, user: &UserId, before: u64) -> Vec<Value> {
        let Some(group) = self.groups.all.get(id) else {
            return Vec::new();
        };
        let deleted = group.members.get(user).map(|member| &member.deleted);
        let said = group.entries.iter().rev().filter(|entry| {
            let kept = entry.said().is_some_and(|said| !said.online_only);
            let gone = entry.revoker.is_some()
                || deleted.is_some_and(|deleted| deleted.contains(&entry.seq));
            kept && !gone && entry.seq < before && entry.is_for(user)
        });
        let mut items: Vec<Value> = said
            .take(self.world.config.live_history)
            .map(|entry| {
                let mut item = entry.wire(group);
                item["IsHistoryMessage"] = 1.into();
                item
            })
            .collect();
        items.reverse();
        items
    }

    /// `get_huge_group_msg`: the last messages of a room before a number.
    pub(crate) fn live_page(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        let id = text(body, "GroupId")?;
        self.live_room(id, actor, Role::Member)?;
        let before = opt_number(body, "PullPreSeq").filter(|seq| *seq > 0);
        let items = self.said_before(id, &actor.user, before.unwrap_or(u64::MAX));
        Ok(ok_with(json!({
            "GroupId": id, "IsFinished": u8::from(items.len() < self.world.config.live_history.max(1)),
            "RspMsgList": items,
        })))
    }

    /// The number of members of a room or group that are online.
    pub(crate) fn online_members(&self, now: Now, id: &str) -> usize {
        let members = self.groups.all.get(id).map(|group| group.members.keys());
        let members = members.into_iter().flatten();
        members
            .filter(|user| self.world.is_online(now, user))
            .count()
    }

    /// `get_online_member_num`.
    pub(crate) fn online_count(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, actor, body) = request.parts();
        let id = text(body, "GroupId")?;
        self.require(id, actor, Role::Member)?;
        Ok(ok_with(json!({
            "OnlineMemberNum": self.online_members(now, id), "ExpireTime": COUNT_HOLDS,
        })))
    }

    /// `get_msg` of the long-polling service.
    fn poll_live(&mut self, request: &Request<'_>, conn: ConnId, head: &Head<'_>) {
        let answer = match self.take_poll(request, conn, head) {
            Ok(None) => return,
            Ok(Some(answer)) => answer,
            Err(code) => failure(code),
        };
        self.world.answer(request.now, conn, head, answer);
    }

    /// Returns an answer, or `None` if the poll is held.
    fn take_poll(
        &mut self,
        request: &Request<'_>,
        conn: ConnId,
        head: &Head<'_>,
    ) -> Result<Option<Value>, Code> {
        let (now, caller, body) = (request.now, request.caller, request.body);
        let key = opt_text(body, "Key").filter(|key| !key.is_empty());
        let key = key.ok_or(Code::GROUP_PARAMETER)?;
        let rooms = self.groups.joined.get(&caller.user).into_iter().flatten();
        let room = rooms
            .filter_map(|id| self.groups.all.get(id))
            .filter(|group| group.kind == Kind::Live)
            .find(|group| {
                let member = group.members.get(&caller.user);
                member.is_some_and(|member| member.poll_key == key)
            })
            .ok_or(Code::GROUP_UNKNOWN)?;
        let room = room.id.clone();
        let start = opt_number(body, "StartSeq").unwrap_or(0);
        let listener = Listener {
            room,
            key: key.to_owned(),
            who: Some((caller.user.clone(), caller.instance)),
        };
        Ok(self.listen(now, conn, head, listener, start))
    }

    /// Returns the items of a room from this number on, or `None` if the poll is held until there
    /// are some.
    pub(crate) fn listen(
        &mut self,
        now: Now,
        conn: ConnId,
        head: &Head<'_>,
        listener: Listener,
        start: u64,
    ) -> Option<Value> {
        // A client has one poll per room: its earlier poll is answered without items.
        let before: Vec<Poll> = {
            let (old, rest) = std::mem::take(&mut self.groups.polls)
                .into_iter()
                .partition(|poll| poll.listener == listener);
            self.groups.polls = rest;
            old
        };
        for poll in before {
            let answer = Self::poll_answer(&poll.listener.key, poll.start, &[]);
            self.answer_poll(now, &poll, answer);
        }
        let items = self.items_from(&listener.room, start);
        if !items.is_empty() || self.groups.polls.len() >= self.world.config.held_poll_limit {
            let next = items.last().map_or(start, |(seq, _)| seq.saturating_add(1));
            return Some(Self::poll_answer(&listener.key, next, &items));
        }
        self.groups.polls.push(Poll {
            conn,
            servcmd: head.servcmd.clone().into_owned(),
            seq: head.seq.clone(),
            listener,
            start,
            until: now.mono.saturating_add(self.world.config.live_hold),
        });
        None
    }

    /// The items of a room from this number on.
    fn items_from(&self, room: &str, start: u64) -> Vec<(u64, Value)> {
        let Some(group) = self.groups.all.get(room) else {
            return Vec::new();
        };
        let at = group.live.partition_point(|(seq, _)| *seq < start);
        group
            .live
            .iter()
            .skip(at)
            .take(MAX_ITEMS)
            .cloned()
            .collect()
    }

    fn poll_answer(key: &str, next: u64, items: &[(u64, Value)]) -> Value {
        let items: Vec<&Value> = items.iter().map(|(_, item)| item).collect();
        ok_with(json!({"Key": key, "NextSeq": next, "RspMsgList": items}))
    }

    fn answer_poll(&mut self, now: Now, poll: &Poll, answer: Value) {
        let text = crate::wire::encode(&poll.servcmd, &poll.seq, answer);
        self.world.answer_encoded(now, poll.conn, &poll.seq, text);
    }

    /// Adds an item to a room and answers the polls that wait for it.
    pub(crate) fn add_live_item(&mut self, now: Now, room: &str, seq: u64, item: Value) {
        let limit = self.world.config.live_backlog.max(1);
        let Some(group) = self.groups.all.get_mut(room) else {
            return;
        };
        group.live.push_back((seq, item));
        if group.live.len() > limit {
            group.live.pop_front();
            self.world.counters.group_dropped += 1;
        }
        let (waiting, rest) = std::mem::take(&mut self.groups.polls)
            .into_iter()
            .partition::<Vec<Poll>, _>(|poll| poll.listener.room == room);
        self.groups.polls = rest;
        for poll in waiting {
            let items = self.items_from(room, poll.start);
            let next = items
                .last()
                .map_or(poll.start, |(seq, _)| seq.saturating_add(1));
            if items.is_empty() {
                // The poll asks for a number that does not exist yet.
                self.groups.polls.push(poll);
                continue;
            }
            let answer = Self::poll_answer(&poll.listener.key, next, &items);
            self.answer_poll(now, &poll, answer);
        }
    }

    /// Ends the polls of a room that is dismissed, or of a member that left it.
    pub(crate) fn end_polls_of(&mut self, now: Now, room: &str, user: Option<&UserId>) {
        let (over, rest) = std::mem::take(&mut self.groups.polls)
            .into_iter()
            .partition::<Vec<Poll>, _>(|poll| {
                poll.listener.room == room && user.is_none_or(|user| poll.listener.is(user))
            });
        self.groups.polls = rest;
        for poll in over {
            self.answer_poll(now, &poll, failure(Code::GROUP_UNKNOWN));
        }
    }

    /// Answers the polls whose deadline has passed.
    pub(crate) fn end_polls(&mut self, now: Now) {
        if self.groups.next_poll_end().is_none_or(|end| end > now.mono) {
            return;
        }
        let (over, rest) = std::mem::take(&mut self.groups.polls)
            .into_iter()
            .partition::<Vec<Poll>, _>(|poll| poll.until <= now.mono);
        self.groups.polls = rest;
        for poll in over {
            let answer = Self::poll_answer(&poll.listener.key, poll.start, &[]);
            self.answer_poll(now, &poll, answer);
        }
    }

    /// The number of held polls.
    #[cfg(test)]
    pub(crate) fn held_polls(&self) -> usize {
        self.groups.polls.len()
    }
}
