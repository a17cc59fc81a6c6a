//! What friends, the blacklist, follows and user status share: what an account keeps about others, and rows of
//! answers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    commands::{Command, Speaker},
    proto::{code::Code, id::UserId},
    service::friend::{Application, Friend},
    state::State,
    world::ok_with,
};

/// What an account keeps about others, apart from conversations.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct People {
    pub(crate) friends: BTreeMap<UserId, Friend>,
    /// The account's own lists of friends, by name.
    pub(crate) lists: BTreeMap<String, BTreeSet<UserId>>,
    /// Applications of others that wait for an answer. Bounded.
    pub(crate) received: BTreeMap<UserId, Application>,
    /// Own applications that wait for an answer. Bounded.
    pub(crate) sent: BTreeMap<UserId, Application>,
    /// Applications up to this Unix second were looked at.
    pub(crate) seen_until: u64,
    pub(crate) blocked: BTreeSet<UserId>,
    /// Whom it follows, and since when in Unix seconds. Bounded as friends are.
    pub(crate) following: BTreeMap<UserId, u64>,
    /// The same seen from the other side.
    #[serde(skip)]
    pub(crate) followers: BTreeMap<UserId, u64>,
    /// Who is told when this account comes and goes. Bounded.
    pub(crate) watchers: BTreeSet<UserId>,
    /// How many accounts this one watches.
    #[serde(skip)]
    pub(crate) watching: usize,
    /// Whether the watchers were told last that it is online.
    #[serde(skip)]
    pub(crate) told_online: bool,
    /// As the client wrote it.
    pub(crate) custom_status: String,
}

/// One row of the answer to a command that takes several accounts.
pub(crate) fn result(user: &UserId, code: Code) -> Value {
    let info = if code == Code::OK { "" } else { code.meaning() };
    json!({"To_Account": user, "ResultCode": code.0, "ResultInfo": info})
}

/// The answer made of such rows.
pub(crate) fn results(rows: &[Value]) -> Value {
    let failed: Vec<Value> = rows
        .iter()
        .filter(|row| row.get("ResultCode") != Some(&json!(0)))
        .filter_map(|row| row.get("To_Account").cloned())
        .collect();
    let mut answer = json!({"ResultItem": rows});
    if !failed.is_empty()
        && let Value::Object(answer) = &mut answer
    {
        answer.insert("Fail_Account".to_owned(), failed.into());
    }
    ok_with(answer)
}

/// An event that carries one change of relations.
pub(crate) fn relation(change: Value) -> Value {
    json!({"Event": 7, "FriendListMod": Value::Array(vec![change])})
}

/// A command about relations: over REST the app speaks for the account in `From_Account`, and may do without
/// the other side's consent.
pub(crate) fn of_account(command: &mut Command) -> &mut Command {
    command
        .for_accounts(Code::FRIEND_UNKNOWN_USER)
        .speaks_for(Speaker::Account {
            missing: Code::FRIEND_PARAMETER,
            admin: true,
        })
}

impl State {
    /// Removes every trace of an account that is deleted from those it knew.
    pub(crate) fn forget_person(&mut self, user: &UserId, people: &People) {
        let others = people
            .friends
            .keys()
            .chain(people.received.keys())
            .chain(people.sent.keys());
        for other in others {
            if let Some(other) = self.world.people_mut(other) {
                other.friends.remove(user);
                other.received.remove(user);
                other.sent.remove(user);
                other.lists.values_mut().for_each(|list| {
                    list.remove(user);
                });
            }
        }
        for followed in people.following.keys() {
            if let Some(followed) = self.world.people_mut(followed) {
                followed.followers.remove(user);
            }
        }
        for follower in people.followers.keys() {
            if let Some(follower) = self.world.people_mut(follower) {
                follower.following.remove(user);
            }
        }
        for watcher in &people.watchers {
            if let Some(watcher) = self.world.people_mut(watcher) {
                watcher.watching = watcher.watching.saturating_sub(1);
            }
        }
    }
}
