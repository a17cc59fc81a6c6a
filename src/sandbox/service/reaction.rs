//! Reactions to messages.
//!
//! See "Reactions and extensions" in docs/src/protocol.md; the limits are those that the service
//! documents.

pub(crate) use crate::table::reaction::{Changed, MAX_NAME, Own};
use crate::{
    commands::{Command, Commands},
    proto::{
        code::Code,
        id::UserId,
        op::{
            Done,
            reaction::{
                GetReactions, GetUsers, MAX_MESSAGES, Messages, NAMED, OfMessage, OwnReaction,
                PAGE, React, ReactionChange, Reactions as Answer, Summary, Users,
            },
        },
    },
    request::Request,
    service::marks::{Marks, Target},
    state::State,
};

pub(crate) fn register(commands: &mut Commands) {
    // Both the command name and the body state the kind of conversation.
    for kind in ["", "group_"] {
        let name = |command: &str| format!("openim_msg_ext_http_svc.{kind}{command}");
        commands.both(name("reaction_add"), |c| c, |s, r| s.react(r, true));
        commands.both(name("reaction_del"), |c| c, |s, r| s.react(r, false));
        commands.both(name("reaction_multi_stat"), Command::reads, |s, r| {
            s.reactions_of(r)
        });
        commands.both(name("reaction_iterate"), Command::reads, |s, r| {
            s.reaction_users(r)
        });
    }
}

impl State {
    fn react(&mut self, request: &Request<'_>, add: bool) -> Result<Done, Code> {
        let (now, caller) = (request.now, request.caller);
        let React {
            message,
            reaction,
            add: added,
            remove: removed,
        } = request.read(Code::GROUP_PARAMETER)?;
        let target = self.find_named(caller, &message)?;
        if reaction.is_empty() || reaction.len() > MAX_NAME {
            return Err(Code::GROUP_PARAMETER);
        }
        let named = if add { added } else { removed };
        let users = named.iter().filter_map(|user| UserId::parse(user).ok());
        let users: Vec<UserId> = users.collect();
        // A client reacts for its own account only; the app reacts for any account.
        if users.is_empty() || !caller.admin && users.iter().any(|user| *user != caller.user) {
            return Err(Code::GROUP_PARAMETER);
        }
        let marks = self.marks_mut(&target).ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        let reactions = &mut marks.reactions;
        if add && !reactions.has_room(&reaction, &users) {
            return Err(Code::GROUP_PARAMETER);
        }
        let mut changed = users;
        changed.retain(|user| reactions.react(&reaction, user, add));
        if changed.is_empty() {
            return Ok(Done);
        }
        let summary = reactions.summary(&reaction, NAMED as usize, None);
        let name = self.name_of(&target);
        let own = OwnReaction {
            c2c: name.c2c.clone(),
            group: name.group.clone(),
            name: reaction,
            what: if add { 1 } else { 2 },
            ..OwnReaction::default()
        };
        let own = Own {
            event: 31,
            own: &own,
        };
        for user in changed {
            let by = caller.instance_if(&user);
            let conns = self.world.push_links(now, &user, by);
            self.world.push_to_all(now, conns, &own);
        }
        let change = ReactionChange {
            c2c: name.c2c,
            group: name.group,
            reactions: Summary(vec![summary]),
            ..ReactionChange::default()
        };
        if let Target::Group(id, _) = &target
            && self.is_live(id)
        {
            self.add_reaction_item(now, id, &change);
        } else {
            let event = Changed {
                event: 30,
                list: [change],
            };
            self.push_about(now, caller, &target, 0, &event);
        }
        Ok(Done)
    }

    /// The reactions to several messages; unknown messages are left out.
    fn reactions_of(&self, request: &Request<'_>) -> Result<Answer, Code> {
        let caller = request.caller;
        let GetReactions { messages, named } = request.read(Code::GROUP_PARAMETER)?;
        let named = named.unwrap_or(NAMED).min(NAMED) as usize;
        let asked = match &messages {
            Messages::C2c { keys, .. } => keys.len(),
            Messages::Group { seqs, .. } => seqs.len(),
        };
        if asked > MAX_MESSAGES {
            return Err(Code::GROUP_PARAMETER);
        }
        let list = |marks: &Marks| marks.reactions.summaries(named, &caller.user);
        let results = match messages {
            Messages::Group { group, seqs } => {
                let of = |seq: u32| {
                    let marks = self.marks_in_group(caller, group.id(), seq.into());
                    Some(OfMessage {
                        seq,
                        reactions: list(marks.ok()?),
                        ..OfMessage::default()
                    })
                };
                seqs.into_iter().filter_map(of).collect()
            }
            Messages::C2c { from, to, keys } => {
                let of = |key: String| {
                    let id = self.find_in_c2c(caller, &from, &to, &key).ok()?;
                    Some(OfMessage {
                        reactions: list(self.marks(&Target::C2c(id))?),
                        key,
                        ..OfMessage::default()
                    })
                };
                keys.into_iter().filter_map(of).collect()
            }
        };
        Ok(Answer { results })
    }

    fn reaction_users(&self, request: &Request<'_>) -> Result<Users, Code> {
        let asked: GetUsers = request.read(Code::GROUP_PARAMETER)?;
        let target = self.find_named(request.caller, &asked.message)?;
        let marks = self.marks(&target).ok_or(Code::C2C_UNKNOWN_MESSAGE)?;
        if asked.reaction.is_empty() {
            return Err(Code::GROUP_PARAMETER);
        }
        let users = marks.reactions.users(&asked.reaction);
        let start = usize::try_from(asked.from).unwrap_or(usize::MAX);
        let count = if asked.count == 0 { PAGE } else { asked.count };
        let page = users.iter().skip(start).take(count.min(PAGE) as usize);
        let page: Vec<UserId> = page.cloned().collect();
        let end = start.saturating_add(page.len());
        Ok(Users {
            next: if end < users.len() { end as u64 } else { 0 },
            users: page,
        })
    }
}
