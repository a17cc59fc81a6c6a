//! Friends: add, request, answer, remove. Friend groups are in `friend_group`.
//!
//! See "Conversations and people" in docs/src/protocol.md.

pub(crate) use crate::table::friend::{Friend, MAX_CUSTOM, MAX_FRIENDS_ASKED, objects, words};
use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    fields::user_ids,
    policy::Now,
    proto::{code::Code, id::UserId, op::ItemResult},
    request::Request,
    service::{
        friend_application::Application,
        relation::{Results, of_account, relation, result, results},
    },
    state::State,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) fn register(commands: &mut Commands) {
    commands.both("sns.friend_import", of_account, |s, r| s.friend_import(r));
    commands.both("sns.friend_delete", of_account, |s, r| s.friend_delete(r));
    commands.both("sns.friend_delete_all", of_account, |s, r| {
        s.friend_delete_all(r)
    });
    commands.both("sns.friend_check", of_account, |s, r| s.friend_check(r));
    commands.both(
        "sns.friend_get",
        |c| of_account(c).reads(),
        |s, r| s.friend_get(r),
    );
    commands.both("sns.friend_get_specified", of_account, |s, r| {
        s.friend_get_specified(r)
    });
    commands.both("sns.friend_get_list", of_account, |s, r| {
        s.friend_get_specified(r)
    });
    commands.both("sns.friend_update", of_account, |s, r| s.friend_update(r));
}

impl State {
    /// Imports friends without consent and without notices, for a migration.
    pub(crate) fn friend_import(&mut self, request: &Request<'_>) -> Results {
        let (now, actor, body) = request.parts();
        let mut rows = Vec::new();
        for (user, item) in objects(body, "AddFriendItem") {
            let code = if user == actor.user {
                Code::FRIEND_PARAMETER
            } else if !self.world.known_or_created(&user) {
                Code::FRIEND_UNKNOWN_USER
            } else if !self.has_room(&actor.user, &user) {
                Code::FRIENDS_FULL
            } else {
                let application = Application {
                    source: words(item, "AddSource"),
                    remark: words(item, "Remark"),
                    at: now.unix_secs(),
                    ..Application::default()
                };
                self.befriend(now, &actor.user, &user, &application);
                Code::OK
            };
            rows.push(result(&user, code));
        }
        results(rows)
    }

    pub(crate) fn has_room(&self, user: &UserId, friend: &UserId) -> bool {
        let friends = self.friends.book(user).map_or(0, |book| book.friends.len());
        self.world.has_account(user)
            && (self.friends.is_friend(user, friend) || friends < self.world.config.friend_limit)
    }

    /// Makes `friend` a friend of `user` and notifies all logins of `user`: the official SDK takes
    /// the new friend from the push, also on the login that asked.
    pub(crate) fn befriend(
        &mut self,
        now: Now,
        user: &UserId,
        friend: &UserId,
        terms: &Application,
    ) {
        let Some(book) = self.friends.book_mut(self.world.has_account(user), user) else {
            return;
        };
        book.applications.forget(friend);
        book.friends.insert(
            friend.clone(),
            Friend {
                remark: terms.remark.clone(),
                source: terms.source.clone(),
                added_at: terms.at,
                custom: BTreeMap::new(),
            },
        );
        if !terms.list.is_empty() && book.groups.add(&terms.list) {
            book.groups.put(&terms.list, friend);
        }
        let event = relation(json!({"PushType": 1, "FriendAdd_Account": [friend]}));
        self.world.tell(now, user, 0, &event);
    }

    /// Removes `friend` from the friends of `user`; returns false if they were not friends.
    fn unfriend(&mut self, now: Now, user: &UserId, friend: &UserId) -> bool {
        let Some(book) = self.friends.book_mut(self.world.has_account(user), user) else {
            return false;
        };
        if book.friends.remove(friend).is_none() {
            return false;
        }
        book.groups.forget(friend);
        let event = relation(json!({"PushType": 2, "FriendDel_Account": [friend]}));
        self.world.tell(now, user, 0, &event);
        true
    }

    pub(crate) fn friend_delete(&mut self, request: &Request<'_>) -> Results {
        let (now, actor, body) = request.parts();
        let both = body.get("DeleteType").and_then(Value::as_str) != Some("Delete_Type_Single");
        let mut rows = Vec::new();
        for user in user_ids(body.get("To_Account")) {
            let mut done = self.unfriend(now, &actor.user, &user);
            if both {
                done |= self.unfriend(now, &user, &actor.user);
            }
            rows.push(result(
                &user,
                if done { Code::OK } else { Code::FRIEND_NONE },
            ));
        }
        results(rows)
    }

    pub(crate) fn friend_delete_all(&mut self, request: &Request<'_>) -> Value {
        let (now, actor, body) = request.parts();
        let both = body.get("DeleteType").and_then(Value::as_str) != Some("Delete_Type_Single");
        for friend in self.friends.of(&actor.user) {
            self.unfriend(now, &actor.user, &friend);
            if both {
                self.unfriend(now, &friend, &actor.user);
            }
        }
        ok()
    }

    pub(crate) fn friend_check(&self, request: &Request<'_>) -> Value {
        let (actor, body) = (request.caller, request.body);
        let kind = body.get("CheckType").and_then(Value::as_str);
        let both = kind != Some("CheckResult_Type_Single");
        let is_friend = |a: &UserId, b: &UserId| self.friends.is_friend(a, b);
        let rows: Vec<Value> = user_ids(body.get("To_Account"))
            .iter()
            .map(|user| {
                let mine = is_friend(&actor.user, user);
                let theirs = both && is_friend(user, &actor.user);
                let relation = match (mine, theirs) {
                    (true, true) => "CheckResult_Type_BothWay",
                    (true, false) => "CheckResult_Type_AWithB",
                    (false, true) => "CheckResult_Type_BWithA",
                    (false, false) => "CheckResult_Type_NoRelation",
                };
                json!({"To_Account": user, "Relation": relation, "ResultCode": 0, "ResultInfo": ""})
            })
            .collect();
        ok_with(json!({"InfoItem": rows}))
    }

    /// A friend's profile, and the account's data about the friend, as tags.
    fn friend_items(&self, user: &UserId, friend: &UserId, kept: &Friend) -> Vec<Value> {
        let profile = self.world.accounts.get(friend);
        let mut items = match profile.map(|account| account.profile_items(friend)) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        let book = self.friends.book(user);
        let groups = book.map_or_else(Vec::new, |book| book.groups.of(friend));
        items.extend([
            json!({"Tag": "Tag_SNS_IM_Remark", "Value": kept.remark}),
            json!({"Tag": "Tag_SNS_IM_AddSource", "Value": kept.source}),
            json!({"Tag": "Tag_SNS_IM_AddTime", "Value": kept.added_at}),
            json!({"Tag": "Tag_SNS_IM_Group", "Value": groups}),
        ]);
        let custom = kept.custom.iter();
        items.extend(custom.map(|(tag, value)| json!({"Tag": tag, "Value": value})));
        items
    }

    pub(crate) fn friend_get(&self, request: &Request<'_>) -> Value {
        let (actor, body) = (request.caller, request.body);
        let start = body.get("StartIndex").and_then(Value::as_u64).unwrap_or(0);
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let friends = self.friends.book(&actor.user).map(|book| &book.friends);
        let total = friends.map_or(0, BTreeMap::len);
        let items: Vec<Value> = friends
            .into_iter()
            .flatten()
            .skip(start)
            .take(MAX_FRIENDS_ASKED)
            .map(|(friend, kept)| {
                json!({
                    "To_Account": friend,
                    "ValueItem": self.friend_items(&actor.user, friend, kept),
                })
            })
            .collect();
        let reached = start.saturating_add(items.len());
        let complete = reached >= total;
        ok_with(json!({
            "UserDataItem": items, "StandardSequence": 1, "CustomSequence": 1,
            "FriendNum": total, "CompleteFlag": u8::from(complete),
            // Zero at the end: a client starts its next round at the returned index.
            "NextStartIndex": if complete { 0 } else { reached },
        }))
    }

    pub(crate) fn friend_get_specified(&self, request: &Request<'_>) -> Value {
        let (actor, body) = (request.caller, request.body);
        let book = self.friends.book(&actor.user);
        let rows: Vec<ItemResult> = user_ids(body.get("To_Account"))
            .iter()
            .take(MAX_FRIENDS_ASKED)
            .map(|friend| {
                let kept = book.and_then(|book| book.friends.get(friend));
                let code = if kept.is_some() {
                    Code::OK
                } else {
                    Code::FRIEND_NONE
                };
                let mut row = result(friend, code);
                if let Some(kept) = kept {
                    let items = self.friend_items(&actor.user, friend, kept);
                    row.extra.insert("SnsProfileItem".to_owned(), items.into());
                }
                row
            })
            .collect();
        ok_with(json!({"InfoItem": rows}))
    }

    pub(crate) fn friend_update(&mut self, request: &Request<'_>) -> Results {
        let (now, actor, body) = request.parts();
        let mut rows = Vec::new();
        let mut changes = Vec::new();
        for (user, item) in objects(body, "UpdateItem") {
            let kept = self
                .friends
                .book_mut(self.world.has_account(&actor.user), &actor.user)
                .and_then(|book| book.friends.get_mut(&user));
            let Some(kept) = kept else {
                rows.push(result(&user, Code::FRIEND_NONE));
                continue;
            };
            let items = item.get("SnsItem").and_then(Value::as_array);
            let mut sns = Vec::new();
            for item in items.into_iter().flatten().take(MAX_CUSTOM) {
                let tag = item.get("Tag").and_then(Value::as_str).unwrap_or_default();
                let value = words(item, "Value");
                if tag == "Tag_SNS_IM_Remark" {
                    kept.remark.clone_from(&value);
                } else if tag.starts_with("Tag_SNS_Custom_")
                    && tag.len() <= 64
                    && (kept.custom.len() < MAX_CUSTOM || kept.custom.contains_key(tag))
                {
                    kept.custom.insert(tag.to_owned(), value.clone().into());
                } else {
                    continue;
                }
                sns.push(json!({"Tag": tag, "ValueBytes": value}));
            }
            changes.push(json!({"Friend_Account": user, "Sns": sns}));
            rows.push(result(&user, Code::OK));
        }
        if !changes.is_empty() {
            let event = relation(json!({"PushType": 8, "FriendUpInfo": changes}));
            self.world.tell(now, &actor.user, actor.instance, &event);
        }
        results(rows)
    }
}
