//! Friends: adding, asking, answering, removing. The groups they are put into are in `friend_group`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    commands::{Commands, Request},
    policy::Now,
    proto::{code::Code, id::UserId, op::ItemResult},
    service::{
        fields::user_ids,
        friend_application::{Application, Applications},
        friend_group::FriendGroups,
        relation::{Results, of_account, relation, result, results},
    },
    state::State,
    world::{World, ok, ok_with},
};

/// What an account keeps about a friend.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Friend {
    remark: String,
    source: String,
    /// Unix seconds.
    added_at: u64,
    /// Custom fields, by tag. Bounded.
    custom: BTreeMap<String, Value>,
}

/// Lists of friends per account.
pub(crate) const MAX_LISTS: usize = 32;

/// Accounts in one call, and friends in one page.
const MAX_FRIENDS_ASKED: usize = 100;

/// The longest remark, wording, source and list name kept, in bytes.
pub(crate) const MAX_WORDS: usize = 512;

/// Custom fields per friend.
const MAX_CUSTOM: usize = 20;

/// A string of an object, cut where it gets too long.
pub(crate) fn words(item: &Value, field: &str) -> String {
    let text = item.get(field).and_then(Value::as_str).unwrap_or_default();
    let mut end = text.len().min(MAX_WORDS);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

pub(crate) fn objects<'a>(
    body: &'a Value,
    field: &str,
) -> impl Iterator<Item = (UserId, &'a Value)> {
    body.get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .take(MAX_FRIENDS_ASKED)
        .filter_map(|item| {
            let user = item.get("To_Account").and_then(Value::as_str)?;
            Some((UserId::parse(user).ok()?, item))
        })
}

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

/// What an account keeps about friendship.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Book {
    friends: BTreeMap<UserId, Friend>,
    #[serde(rename = "lists")]
    pub(crate) groups: FriendGroups,
    #[serde(flatten)]
    pub(crate) applications: Applications,
}

impl Book {
    pub(crate) fn is_friend(&self, user: &UserId) -> bool {
        self.friends.contains_key(user)
    }
}

/// The friends of all accounts.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Friends {
    books: BTreeMap<UserId, Book>,
}

impl Friends {
    pub(crate) fn book(&self, user: &UserId) -> Option<&Book> {
        self.books.get(user)
    }

    /// What an account keeps, to be changed; `None` if there is no such account.
    pub(crate) fn book_mut(&mut self, world: &World, user: &UserId) -> Option<&mut Book> {
        world
            .has_account(user)
            .then(|| self.books.entry(user.clone()).or_default())
    }

    /// True if `other` is on the list of `user`.
    pub(crate) fn is_friend(&self, user: &UserId, other: &UserId) -> bool {
        self.book(user).is_some_and(|book| book.is_friend(other))
    }

    /// Those on the list of `user`.
    pub(crate) fn of(&self, user: &UserId) -> Vec<UserId> {
        let friends = self.book(user).map(|book| book.friends.keys().cloned());
        friends.into_iter().flatten().collect()
    }

    /// What `user` calls a friend; empty for everybody else.
    pub(crate) fn remark(&self, user: &UserId, friend: &UserId) -> &str {
        let friend = self.book(user).and_then(|book| book.friends.get(friend));
        friend.map_or("", |friend| &friend.remark)
    }

    /// Drops an application that `user` has received.
    pub(crate) fn drop_received(&mut self, user: &UserId, from: &UserId) {
        if let Some(book) = self.books.get_mut(user) {
            book.applications.remove(true, from);
        }
    }

    /// Takes over what an account keeps.
    pub(crate) fn adopt(&mut self, user: &UserId, book: Book) {
        self.books.insert(user.clone(), book);
    }

    /// The account is deleted: it is nobody's friend any more.
    pub(crate) fn forget(&mut self, user: &UserId) {
        let Some(book) = self.books.remove(user) else {
            return;
        };
        for other in book.friends.keys().chain(book.applications.others()) {
            if let Some(other) = self.books.get_mut(other) {
                other.friends.remove(user);
                other.applications.forget(user);
                other.groups.forget(user);
            }
        }
    }
}

impl State {
    /// Friends without asking anybody, and without telling: for taking over from elsewhere.
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

    /// Makes `friend` a friend of `user`, and tells all logins of `user`: the official SDK takes
    /// the new friend from the push, also on the login that asked.
    pub(crate) fn befriend(
        &mut self,
        now: Now,
        user: &UserId,
        friend: &UserId,
        terms: &Application,
    ) {
        let Some(book) = self.friends.book_mut(&self.world, user) else {
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

    /// Takes `friend` off `user`'s friends; false if it was none.
    fn unfriend(&mut self, now: Now, user: &UserId, friend: &UserId) -> bool {
        let Some(book) = self.friends.book_mut(&self.world, user) else {
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

    /// A friend's profile and what the account keeps about it, as tags.
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
            // Zero at the end, because a client begins its next round where this one ended.
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
                .book_mut(&self.world, &actor.user)
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
