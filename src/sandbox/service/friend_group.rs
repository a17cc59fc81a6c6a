//! Friend groups: the lists into which an account sorts its friends.
//!
//! See "Conversations and people" in docs/src/protocol.md.

pub(crate) use crate::table::friend_group::list_names;
use crate::{
    answer::ok_with,
    commands::Commands,
    fields::user_ids,
    proto::code::Code,
    request::Request,
    service::{
        friend::{objects, words},
        relation::{Results, of_account, result, results},
    },
    state::State,
};
use serde_json::{Value, json};

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
        if let Some(book) = self
            .friends
            .book_mut(self.world.has_account(&actor.user), &actor.user)
        {
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
        if let Some(book) = self
            .friends
            .book_mut(self.world.has_account(&actor.user), &actor.user)
        {
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
        if let Some(book) = self
            .friends
            .book_mut(self.world.has_account(&actor.user), &actor.user)
        {
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
