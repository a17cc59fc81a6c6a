//! An account's own groups of friends.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    commands::{Commands, Request},
    proto::{code::Code, id::UserId},
    service::{
        fields::user_ids,
        friend::{MAX_LISTS, MAX_WORDS, objects, words},
        relation::{Results, of_account, result, results},
    },
    state::State,
    world::ok_with,
};

fn list_names(body: &Value) -> Vec<String> {
    let names = body.get("GroupName").and_then(Value::as_array);
    names
        .into_iter()
        .flatten()
        .take(MAX_LISTS)
        .filter_map(Value::as_str)
        .filter(|name| !name.is_empty() && name.len() <= MAX_WORDS)
        .map(str::to_owned)
        .collect()
}

/// The groups that an account puts its friends into, by name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FriendGroups {
    groups: BTreeMap<String, BTreeSet<UserId>>,
}

impl FriendGroups {
    /// Makes a group if it is not there. False if there is no room.
    pub(crate) fn add(&mut self, name: &str) -> bool {
        let fits = self.groups.len() < MAX_LISTS || self.groups.contains_key(name);
        if fits {
            self.groups.entry(name.to_owned()).or_default();
        }
        fits
    }

    /// Puts a friend into a group. False if there is no such group.
    pub(crate) fn put(&mut self, name: &str, friend: &UserId) -> bool {
        let Some(group) = self.groups.get_mut(name) else {
            return false;
        };
        group.insert(friend.clone());
        true
    }

    /// Takes a user who is no friend any more out of every group.
    pub(crate) fn forget(&mut self, friend: &UserId) {
        for group in self.groups.values_mut() {
            group.remove(friend);
        }
    }

    /// The names of the groups that a friend is in.
    pub(crate) fn of(&self, friend: &UserId) -> Vec<&str> {
        let groups = self.groups.iter();
        groups
            .filter(|(_, members)| members.contains(friend))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    fn rename(&mut self, old: &str, new: String) {
        if !new.is_empty()
            && !self.groups.contains_key(&new)
            && let Some(members) = self.groups.remove(old)
        {
            self.groups.insert(new, members);
        }
    }
}

pub(crate) fn register(commands: &mut Commands) {
    commands.both("sns.group_get", of_account, |s, r| s.friend_lists(r));
    commands.both("sns.group_add", of_account, |s, r| s.add_friend_lists(r));
    commands.both("sns.group_delete", of_account, |s, r| {
        s.delete_friend_lists(r)
    });
    commands.both("sns.group_update", of_account, |s, r| {
        s.update_friend_list(r)
    });
}

impl State {
    pub(crate) fn friend_lists(&self, request: &Request<'_>) -> Value {
        let actor = request.caller;
        let lists: Vec<Value> = self
            .friends
            .book(&actor.user)
            .into_iter()
            .flat_map(|book| &book.groups.groups)
            .map(|(name, members)| {
                json!({"GroupName": name, "FriendNumber": members.len(), "To_Account": members})
            })
            .collect();
        ok_with(json!({"ResultItem": lists, "CurrentSequence": 0}))
    }

    pub(crate) fn add_friend_lists(&mut self, request: &Request<'_>) -> Value {
        let (actor, body) = (request.caller, request.body);
        let names: Vec<String> = list_names(body);
        let users = user_ids(body.get("To_Account"));
        let mut rows = Vec::new();
        if let Some(book) = self.friends.book_mut(&self.world, &actor.user) {
            for name in &names {
                book.groups.add(name);
            }
            for user in &users {
                let mut code = Code::FRIEND_NONE;
                if book.is_friend(user) {
                    code = Code::OK;
                    for name in &names {
                        if !book.groups.put(name, user) {
                            code = Code::FRIEND_LISTS_FULL;
                        }
                    }
                }
                rows.push(result(user, code));
            }
        }
        let mut answer = serde_json::to_value(results(rows)).unwrap_or_default();
        if let Value::Object(answer) = &mut answer {
            answer.insert("CurrentSequence".to_owned(), 1.into());
        }
        answer
    }

    pub(crate) fn delete_friend_lists(&mut self, request: &Request<'_>) -> Value {
        let (actor, body) = (request.caller, request.body);
        if let Some(book) = self.friends.book_mut(&self.world, &actor.user) {
            for name in list_names(body) {
                book.groups.groups.remove(&name);
            }
        }
        ok_with(json!({"CurrentSequence": 1}))
    }

    pub(crate) fn update_friend_list(&mut self, request: &Request<'_>) -> Results {
        let (actor, body) = (request.caller, request.body);
        let old = words(body, "GroupOldName");
        let new = words(body, "GroupNewName");
        let mut rows = Vec::new();
        if let Some(book) = self.friends.book_mut(&self.world, &actor.user) {
            for (user, item) in objects(body, "UpdateGroupItem") {
                let kind = item
                    .get("UpdateType")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let is_friend = book.is_friend(&user);
                let code = match book.groups.groups.get_mut(&old) {
                    Some(list) if kind == "Update_Type_Delete" => {
                        list.remove(&user);
                        Code::OK
                    }
                    Some(list) if is_friend => {
                        list.insert(user.clone());
                        Code::OK
                    }
                    Some(_) => Code::FRIEND_NONE,
                    None => Code::FRIEND_PARAMETER,
                };
                let mut row = result(&user, code);
                row.extra.insert("UpdateType".to_owned(), kind.into());
                rows.push(row);
            }
            book.groups.rename(&old, new);
        }
        results(rows)
    }
}
