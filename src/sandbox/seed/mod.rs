//! Seeds: accounts, friends, groups and history from a TOML file.
//!
//! [`Seed::parse`] turns text into a checked [`Seed`]; [`State::apply_seed`] puts it into a state
//! through the calls that REST imports use, so that their limits apply. All mistakes are reported
//! at once, each with its line and column.

mod checked;
mod conversations;
mod raw;

use std::{collections::BTreeSet, fmt};

use serde_json::{Value, json, value::RawValue};
use thiserror::Error;

use self::checked::{Group, Message, Target, User};
use super::state::{Caller, Draft, State};
use crate::{
    policy::Now,
    proto::{
        code::Code,
        id::{IdError, UserId},
    },
};

/// Accounts, groups and history for a sandbox to start with; see `examples/seed.toml`.
#[derive(Clone, Debug)]
pub struct Seed {
    source: Source,
    users: Vec<User>,
    groups: Vec<Group>,
    /// Ordered by time; messages without a time come last.
    history: Vec<Message>,
}

/// A file and the positions in it.
#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
}

impl Source {
    /// A mistake at a byte offset, as line and column, both counted from one.
    fn mistake(&self, at: usize, what: impl Into<String>) -> Mistake {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Mistake {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            what: what.into(),
        }
    }

    fn error(&self, mistakes: Vec<Mistake>) -> SeedError {
        SeedError {
            file: self.name.clone(),
            mistakes,
        }
    }
}

/// Why a seed is refused: all mistakes that were found.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct SeedError {
    /// The name of the file, as given.
    pub file: String,
    /// The mistakes in the order of the file; at least one.
    pub mistakes: Vec<Mistake>,
}

/// One mistake in a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from one.
    pub line: usize,
    /// The column in characters, from one.
    pub column: usize,
    /// What is wrong, and how to correct it.
    pub what: String,
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.mistakes.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            let Mistake { line, column, what } = mistake;
            write!(f, "{}:{line}:{column}: {what}", self.file)?;
        }
        Ok(())
    }
}

/// Items per call: most imports accept this many; a history import accepts fewer.
const PER_CALL: usize = 50;

impl Seed {
    /// Reads and checks a seed. `file` is the name used in messages.
    ///
    /// # Errors
    /// Every mistake that can be found without a sandbox; only the first one if the text is not
    /// TOML of the right shape.
    pub fn parse(file: &str, text: &str) -> Result<Self, SeedError> {
        let source = Source {
            name: file.to_owned(),
            text: text.to_owned(),
        };
        let contents: raw::Contents = match toml::from_str(text) {
            Ok(contents) => contents,
            Err(error) => {
                let at = error.span().map_or(text.len(), |span| span.start);
                let mistake = source.mistake(at, error.message());
                return Err(source.error(vec![mistake]));
            }
        };
        checked::check(source, contents)
    }

    fn refusal(&self, at: usize, what: impl Into<String>) -> SeedError {
        self.source.error(vec![self.source.mistake(at, what)])
    }

    fn refused(&self, at: usize, code: Code) -> SeedError {
        let what = format!("the sandbox refuses this: {} ({})", code.meaning(), code.0);
        self.refusal(at, what)
    }

    /// Every account that the seed names without describing it, with its offset.
    fn named(&self) -> impl Iterator<Item = (&UserId, usize)> {
        let known = self
            .users
            .iter()
            .flat_map(|user| user.friends.iter().map(|(id, at, _)| (id, *at)));
        let blocked = self.users.iter().flat_map(|user| &user.blacklist);
        let owners = self.groups.iter().flat_map(|group| &group.owner);
        let members = self
            .groups
            .iter()
            .flat_map(|group| group.members.iter().map(|(id, at, _)| (id, *at)));
        let senders = self
            .history
            .iter()
            .map(|message| (&message.from, message.at));
        let partners = self.users.iter().flat_map(|user| {
            let conversations = user.conversations.iter();
            conversations.filter_map(|conversation| match &conversation.with {
                Target::User(to) => Some((to, conversation.at)),
                Target::Group(_) => None,
            })
        });
        let receivers = self.history.iter().filter_map(|message| match &message.to {
            Target::User(to) => Some((to, message.at)),
            Target::Group(_) => None,
        });
        known
            .chain(blocked.chain(owners).map(|(id, at)| (id, *at)))
            .chain(members)
            .chain(partners)
            .chain(senders)
            .chain(receivers)
    }
}

impl State {
    /// Applies a seed to a state that has only accounts. A refused seed changes nothing.
    ///
    /// # Errors
    /// Accounts that are neither described nor present, and every limit that is exceeded.
    pub fn apply_seed(&mut self, now: Now, seed: &Seed) -> Result<(), SeedError> {
        let described: BTreeSet<&UserId> = seed.users.iter().map(|user| &user.id).collect();
        let mut strangers: Vec<_> = seed
            .named()
            .filter(|(id, _)| !self.world.has_account(id) && !described.contains(id))
            .collect();
        strangers.sort_by_key(|(_, at)| *at);
        if !strangers.is_empty() {
            let mistakes = strangers.iter().map(|(id, at)| {
                let what = format!(
                    "there is no account {:?}; add [[users]] with id = {:?}, or correct the name",
                    id.as_str(),
                    id.as_str()
                );
                seed.source.mistake(*at, what)
            });
            return Err(seed.source.error(mistakes.collect()));
        }
        // Rehearse on a separate state, because limits show only while the seed is applied.
        let mut rehearsal = Self::new(self.config().clone(), 0);
        rehearsal.carry_out(now, seed)?;
        self.carry_out(now, seed)
    }

    fn carry_out(&mut self, now: Now, seed: &Seed) -> Result<(), SeedError> {
        for user in &seed.users {
            if !self.world.import(&user.id) {
                return Err(seed.refused(user.at, Code::ACCOUNT_QUOTA));
            }
        }
        let listed: BTreeSet<(&UserId, &UserId)> = seed
            .users
            .iter()
            .flat_map(|user| user.friends.iter().map(|(friend, ..)| (&user.id, friend)))
            .collect();
        for user in &seed.users {
            let actor = Caller::app(user.id.clone());
            let profile = user.profile.iter();
            let items: Vec<Value> = profile
                .map(|(tag, value)| json!({"Tag": tag, "Value": value}))
                .collect();
            let items = json!({"ProfileItem": items});
            // The seed is already checked, so nothing is refused.
            let _ = self.set_profiles(now, &actor, &items);
            self.seed_friends(now, seed, user, &actor, &listed)?;
            for blocked in user.blacklist.chunks(PER_CALL) {
                let ids: Vec<&UserId> = blocked.iter().map(|(id, _)| id).collect();
                let body = json!({"To_Account": ids});
                let answer = self.call(now, &actor, "sns.black_list_add", &body);
                let places: Vec<usize> = blocked.iter().map(|(_, at)| *at).collect();
                check_rows(seed, answer, &places)?;
            }
        }
        // Messages are imported by the app, which needs an account.
        let administrator = self.config().administrators.first().cloned();
        let app = match administrator {
            Some(user) => user,
            None => UserId::parse("administrator")
                .map_err(|error: IdError| seed.refusal(0, error.to_string()))?,
        };
        let app = Caller {
            user: app,
            instance: 0,
            admin: true,
        };
        for group in &seed.groups {
            self.seed_group(now, seed, group, &app)?;
        }
        for (number, message) in (1..).zip(&seed.history) {
            let done = self.seed_message(now, message, number, &app);
            done.map_err(|code| seed.refused(message.at, code))?;
        }
        for group in &seed.groups {
            self.seed_unread(seed, group);
        }
        for user in &seed.users {
            self.seed_conversations(now, seed, &user.id, &user.conversations)?;
        }
        Ok(())
    }

    /// A friendship is mutual; the data that the other side gives itself has priority.
    fn seed_friends(
        &mut self,
        now: Now,
        seed: &Seed,
        user: &User,
        actor: &Caller,
        listed: &BTreeSet<(&UserId, &UserId)>,
    ) -> Result<(), SeedError> {
        for (friend, at, remark) in &user.friends {
            let item = json!({"To_Account": friend, "Remark": remark});
            let body = json!({"AddFriendItem": [item]});
            let answer = self.call(now, actor, "sns.friend_import", &body);
            check_rows(seed, answer, &[*at])?;
            let is_mutual = listed.contains(&(friend, &user.id));
            if !is_mutual {
                let other = Caller {
                    user: friend.clone(),
                    ..actor.clone()
                };
                let body = json!({"AddFriendItem": [{"To_Account": user.id}]});
                let answer = self.call(now, &other, "sns.friend_import", &body);
                check_rows(seed, answer, &[*at])?;
            }
        }
        Ok(())
    }

    fn seed_group(
        &mut self,
        now: Now,
        seed: &Seed,
        group: &Group,
        app: &Caller,
    ) -> Result<(), SeedError> {
        let mut body = json!({"GroupId": group.id, "Type": group.kind, "Name": group.name});
        if let Some((owner, _)) = &group.owner {
            body["Owner_Account"] = json!(owner);
        }
        if let Some(join) = group.join {
            body["ApplyJoinOption"] = json!(join);
        }
        for (name, text) in &group.texts {
            body[*name] = json!(text);
        }
        let servcmd = "group_open_http_svc.create_group";
        self.call(now, app, servcmd, &body)
            .map_err(|code| seed.refused(group.at, code))?;
        for members in group.members.chunks(PER_CALL) {
            let list: Vec<Value> = members
                .iter()
                .map(|(id, _, role)| json!({"Member_Account": id, "Role": role}))
                .collect();
            let body = json!({"GroupId": group.id, "MemberList": list});
            let answer = self
                .import_members(now, &body)
                .map_err(|code| seed.refused(group.at, code))?;
            let rows = answer.get("MemberList").and_then(Value::as_array);
            for (row, (id, at, _)) in rows.into_iter().flatten().zip(members) {
                if row.get("Result") != Some(&json!(1)) {
                    let what = format!(
                        "there is no room for {:?}: the group is full or the account in too many \
                         groups; take members out",
                        id.as_str()
                    );
                    return Err(seed.refusal(*at, what));
                }
            }
        }
        for (id, at, card) in &group.cards {
            let body = json!({"GroupId": group.id, "Member_Account": id, "NameCard": card});
            let servcmd = "group_open_http_svc.modify_group_member_info";
            self.call(now, app, servcmd, &body)
                .map_err(|code| seed.refused(*at, code))?;
        }
        if !group.attributes.is_empty() {
            let attributes = group.attributes.iter();
            let attributes: Vec<Value> = attributes
                .map(|(key, value)| json!({"key": key, "value": value}))
                .collect();
            let body = json!({"GroupId": group.id, "GroupAttr": attributes});
            self.call(now, app, "group_open_http_svc.set_group_attr", &body)
                .map_err(|code| seed.refused(group.at, code))?;
        }
        Ok(())
    }

    fn seed_message(
        &mut self,
        now: Now,
        message: &Message,
        number: u64,
        app: &Caller,
    ) -> Result<(), Code> {
        let time = now.unix_secs();
        let time = message.time.map_or(time, |at| at.min(time));
        let to = match &message.to {
            Target::Group(id) => {
                let body = json!({"GroupId": id, "MsgList": [{
                    "From_Account": message.from, "SendTime": time, "Random": number,
                    "MsgBody": message.body,
                }]});
                let answer = self.import_messages(now, app, &body)?;
                let code = answer
                    .pointer("/ImportMsgResult/0/Result")
                    .and_then(Value::as_i64);
                return match code {
                    Some(0) => Ok(()),
                    Some(code) => Err(Code(code)),
                    None => Err(Code::GROUP_PARAMETER),
                };
            }
            Target::User(to) => to.clone(),
        };
        let body = RawValue::from_string(message.body.to_string()).map_err(|_| Code::REST_BODY)?;
        let (nick, face_url) = self.world.sender_profile(&message.from);
        let draft = Draft {
            from: message.from.clone(),
            to,
            seq: number,
            random: number,
            client_time: time,
            body,
            cloud: String::new(),
            nick,
            face_url,
            online_only: false,
            no_unread: false,
            no_last: false,
            need_receipt: false,
            extension: false,
            sync: false,
        };
        self.import_message(now, draft, time, !message.read)?;
        Ok(())
    }

    /// In a group, every member has read everything up to the last message marked as read.
    fn seed_unread(&mut self, seed: &Seed, group: &Group) {
        let here = seed
            .history
            .iter()
            .rev()
            .filter(|message| matches!(&message.to, Target::Group(id) if *id == group.id));
        let unread = here.take_while(|message| !message.read).count();
        let owner = group.owner.iter().map(|(id, _)| id);
        for member in owner.chain(group.members.iter().map(|(id, ..)| id)) {
            let body = json!({
                "GroupId": group.id, "Member_Account": member, "UnreadMsgNum": unread,
            });
            // Group and members were just created, so nothing is refused.
            let _ = self.set_unread(&body);
        }
    }
}

/// Reports the refused rows of an answer; `places` holds the offset of each row.
fn check_rows(seed: &Seed, answer: Result<Value, Code>, places: &[usize]) -> Result<(), SeedError> {
    let first = places.first().copied().unwrap_or_default();
    let answer = answer.map_err(|code| seed.refused(first, code))?;
    let rows = answer.get("ResultItem").and_then(Value::as_array);
    for (row, at) in rows.into_iter().flatten().zip(places) {
        let code = row.get("ResultCode").and_then(Value::as_i64).unwrap_or(0);
        if code != 0 {
            return Err(seed.refused(*at, Code(code)));
        }
    }
    Ok(())
}
