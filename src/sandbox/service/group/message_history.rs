//! The history of a group: pages, visibility, deletion for one account.
//!
//! See "Groups" in docs/src/protocol.md; the visibility is in section "Sandbox choices".

use serde_json::{Value, json};

use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    fields::{as_number, flag, list, number, opt_number, place, seqs},
    proto::{code::Code, id::UserId},
    request::Request,
    service::group::{
        Caller, Group, Member, Role,
        message::{Entry, extend},
    },
    state::State,
};

/// The most entries in one page.
pub(crate) const MAX_PAGE: u64 = 100;

pub(crate) fn register(commands: &mut Commands) {
    commands.group("group_msg_get", |s, r| s.group_page(r.caller, r.body));
    commands.group("delete_group_ramble_msg_by_seq", |s, r| s.delete_entries(r));
    commands.group_rest("group_msg_get_simple", |s, r| s.group_page_for_app(r));
}

impl Group {
    /// The entries `user` may read, newest first. The app is not a member and may read all.
    pub(crate) fn readable<'a>(&'a self, user: &'a UserId) -> impl Iterator<Item = &'a Entry> {
        let member = self.members.get(user);
        self.entries
            .iter()
            .rev()
            .filter(move |entry| member.is_none_or(|member| member.may_read(user, entry)))
    }
}

impl Member {
    /// Returns true if `user`, who is this member, may read the entry.
    pub(crate) fn may_read(&self, user: &UserId, entry: &Entry) -> bool {
        let own = entry.seq >= self.first_seq && !self.deleted.contains(&entry.seq);
        own && entry.is_for(user)
    }
}

impl State {
    /// `group_msg_get`: entries at and below a number, newest first; or the entries with given
    /// numbers.
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
        // Only REST requests lack the field; they get recalled messages too.
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
    pub(crate) fn delete_entries(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
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

    /// `group_msg_get_simple`, for the app.
    pub(crate) fn group_page_for_app(&self, request: &Request<'_>) -> Result<Value, Code> {
        let (actor, body) = (request.caller, request.body);
        number(body, "ReqMsgNumber")?;
        let mut answer = self.group_page(actor, body)?;
        let finished = opt_number(&answer, "IsFinished") == Some(2);
        extend(&mut answer, json!({"IsFinished": u8::from(finished)}));
        Ok(answer)
    }
}
