//! Conversation settings of accounts: pins, mutes, marks.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Seed, SeedError,
    checked::{Group, Message, Report, Target},
    raw::{self, Mark},
};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
    state::{Caller, State},
};

#[derive(Clone, Debug)]
pub(super) struct Conversation {
    pub(super) at: usize,
    pub(super) with: Target,
    pinned: bool,
    muted: bool,
    marks: Vec<Mark>,
    custom_mark: Option<String>,
}

/// The most conversations of one account with settings, as the state stores them.
const MAX_CONVERSATIONS: usize = 1000;
/// The longest custom mark, as the state stores it, in bytes.
const MAX_CUSTOM_MARK: usize = 1024;

pub(super) fn check(
    raw: Vec<toml::Spanned<raw::Conversation>>,
    owner: &UserId,
    report: &mut Report,
) -> Vec<Conversation> {
    if let Some(one_more) = raw.get(MAX_CONVERSATIONS) {
        let what = format!("more than {MAX_CONVERSATIONS} conversations; remove some");
        report.add(one_more.span().start, what);
    }
    let mut seen = BTreeSet::new();
    let mut checked = Vec::new();
    for raw in raw {
        let at = raw.span().start;
        let raw = raw.into_inner();
        let with = match (raw.to.map(|raw::Name(to)| to), raw.group) {
            (Some(to), None) if to == *owner => {
                report.add(at, "this is the account itself; name another account");
                continue;
            }
            (Some(to), None) => Target::User(to),
            (None, Some(id)) => Target::Group(id),
            _ => {
                report.add(
                    at,
                    "a conversation has one other end; set either to or group",
                );
                continue;
            }
        };
        if !seen.insert(with.clone()) {
            report.add(at, "this conversation is listed twice; keep one");
        }
        let custom_mark = raw.custom_mark;
        let says_nothing =
            !raw.pinned && !raw.muted && raw.marks.is_empty() && custom_mark.is_none();
        if says_nothing {
            let what = "this entry has no effect; add pinned, muted, marks or custom_mark";
            report.add(at, what);
        }
        if let Some(mark) = &custom_mark
            && mark.len() > MAX_CUSTOM_MARK
        {
            let what = format!("custom_mark is longer than {MAX_CUSTOM_MARK} bytes; shorten it");
            report.add(at, what);
        }
        checked.push(Conversation {
            at,
            with,
            pinned: raw.pinned,
            muted: raw.muted,
            marks: raw.marks,
            custom_mark,
        });
    }
    checked
}

/// Checks the other ends, once groups and history are known.
pub(super) fn check_ends(
    owner: &UserId,
    conversations: &[Conversation],
    groups: &[Group],
    history: &[Message],
    report: &mut Report,
) {
    for conversation in conversations {
        let at = conversation.at;
        match &conversation.with {
            Target::Group(id) => report.member_of(owner, id, at, groups),
            Target::User(to) if conversation.muted => {
                let said = history.iter().any(|message| match &message.to {
                    Target::User(other) => {
                        (&message.from, other) == (owner, to)
                            || (&message.from, other) == (to, owner)
                    }
                    Target::Group(_) => false,
                });
                if !said {
                    let what = format!(
                        "there is no conversation to mute with {:?}; add [[history]] between the two",
                        to.as_str()
                    );
                    report.add(at, what);
                }
            }
            Target::User(_) => {}
        }
    }
}

impl State {
    /// Applies the conversation settings as a client of `user` would.
    pub(super) fn seed_conversations(
        &mut self,
        now: Now,
        seed: &Seed,
        user: &UserId,
        conversations: &[Conversation],
    ) -> Result<(), SeedError> {
        for conversation in conversations {
            let done = self.seed_conversation(now, user, conversation);
            done.map_err(|code| seed.refused(conversation.at, code))?;
        }
        Ok(())
    }

    fn seed_conversation(
        &mut self,
        now: Now,
        user: &UserId,
        conversation: &Conversation,
    ) -> Result<(), Code> {
        let caller = Caller::of(user.clone());
        let contact = match &conversation.with {
            Target::User(to) => json!({"Type": 1, "To_Account": to}),
            Target::Group(id) => json!({"Type": 2, "ToGroupId": id}),
        };
        if conversation.pinned {
            let body = json!({"OperationType": 1, "RecentContactItem": [contact]});
            self.call(now, &caller, "recentcontact.top", &body)?;
        }
        if !conversation.marks.is_empty() || conversation.custom_mark.is_some() {
            let marks: Vec<u8> = conversation.marks.iter().map(|mark| *mark as u8).collect();
            let mut item = json!({"ContactItem": contact, "OptType": 3, "SetMark": marks});
            if let Some(mark) = &conversation.custom_mark {
                item["CustomMark"] = json!(mark);
            }
            let body = json!({"MarkItem": [item]});
            let answer = self.call(now, &caller, "recentcontact.mark_contact", &body)?;
            let code = answer.pointer("/ResultItem/0/ResultCode");
            match code.and_then(Value::as_i64) {
                Some(0) => {}
                code => return Err(Code(code.unwrap_or(Code::C2C_BAD_PACKET.0))),
            }
        }
        if conversation.muted {
            match &conversation.with {
                Target::User(to) => {
                    let servcmd = "openim.set_c2c_peer_mute_notifications";
                    let body = json!({"Peer_Account": [to], "Mute_Notifications": 2});
                    self.call(now, &caller, servcmd, &body)?;
                }
                Target::Group(id) => {
                    let servcmd = "group_open_http_svc.modify_group_member_info";
                    let body = json!({
                        "GroupId": id, "Member_Account": user, "MsgFlag": "AcceptNotNotify",
                    });
                    self.call(now, &caller, servcmd, &body)?;
                }
            }
        }
        Ok(())
    }
}
