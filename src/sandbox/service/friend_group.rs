//! An account's own groups of friends.

use serde_json::{Value, json};

use crate::{
    commands::{Commands, Request},
    proto::code::Code,
    service::{
        fields::user_ids,
        friend::{MAX_LISTS, MAX_WORDS, objects, words},
        relation::{of_account, result, results},
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
            .world
            .people(&actor.user)
            .into_iter()
            .flat_map(|people| &people.lists)
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
        if let Some(people) = self.world.people_mut(&actor.user) {
            for name in &names {
                if people.lists.len() < MAX_LISTS || people.lists.contains_key(name) {
                    people.lists.entry(name.clone()).or_default();
                }
            }
            for user in &users {
                let mut code = Code::FRIEND_NONE;
                if people.friends.contains_key(user) {
                    code = Code::OK;
                    for name in &names {
                        if let Some(list) = people.lists.get_mut(name) {
                            list.insert(user.clone());
                        } else {
                            code = Code::FRIEND_LISTS_FULL;
                        }
                    }
                }
                rows.push(result(user, code));
            }
        }
        let mut answer = results(&rows);
        if let Value::Object(answer) = &mut answer {
            answer.insert("CurrentSequence".to_owned(), 1.into());
        }
        answer
    }

    pub(crate) fn delete_friend_lists(&mut self, request: &Request<'_>) -> Value {
        let (actor, body) = (request.caller, request.body);
        if let Some(people) = self.world.people_mut(&actor.user) {
            for name in list_names(body) {
                people.lists.remove(&name);
            }
        }
        ok_with(json!({"CurrentSequence": 1}))
    }

    pub(crate) fn update_friend_list(&mut self, request: &Request<'_>) -> Value {
        let (actor, body) = (request.caller, request.body);
        let old = words(body, "GroupOldName");
        let new = words(body, "GroupNewName");
        let mut rows = Vec::new();
        if let Some(people) = self.world.people_mut(&actor.user) {
            for (user, item) in objects(body, "UpdateGroupItem") {
                let kind = item
                    .get("UpdateType")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let is_friend = people.friends.contains_key(&user);
                let code = match people.lists.get_mut(&old) {
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
                if let Value::Object(row) = &mut row {
                    row.insert("UpdateType".to_owned(), kind.into());
                }
                rows.push(row);
            }
            if !new.is_empty()
                && !people.lists.contains_key(&new)
                && let Some(members) = people.lists.remove(&old)
            {
                people.lists.insert(new, members);
            }
        }
        results(&rows)
    }
}
