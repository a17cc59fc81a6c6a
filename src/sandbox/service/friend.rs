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

/// An application to become a friend that waits for an answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Application {
    source: String,
    wording: String,
    /// What the applicant wants to call the other side.
    remark: String,
    list: String,
    /// Unix seconds.
    at: u64,
    /// The applicant wants to be the other side's friend as well.
    both: bool,
}

/// Applications kept per account and direction, as the service documents it.
const MAX_APPLICATIONS: usize = 100;

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
    commands.both("sns.friend_add", of_account, |s, r| s.friend_add(r));
    commands.both("sns.friend_import", of_account, |s, r| s.friend_import(r));
    commands.both("sns.friend_response", of_account, |s, r| {
        s.friend_response(r)
    });
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
    commands.both(
        "sns.pendency_get",
        |c| of_account(c).reads(),
        |s, r| s.applications(r),
    );
    commands.both("sns.pendency_delete", of_account, |s, r| {
        s.delete_applications(r)
    });
    commands.both("sns.pendency_report", of_account, |s, r| {
        s.applications_seen(r)
    });
}

/// What an account keeps about friendship.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Book {
    friends: BTreeMap<UserId, Friend>,
    #[serde(rename = "lists")]
    pub(crate) groups: FriendGroups,
    /// Applications of others that wait for an answer. Bounded.
    received: BTreeMap<UserId, Application>,
    /// Own applications that wait for an answer. Bounded.
    sent: BTreeMap<UserId, Application>,
    /// Applications up to this Unix second were looked at.
    seen_until: u64,
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
            book.received.remove(from);
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
        let others = book.friends.keys().chain(book.received.keys());
        for other in others.chain(book.sent.keys()) {
            if let Some(other) = self.books.get_mut(other) {
                other.friends.remove(user);
                other.received.remove(user);
                other.sent.remove(user);
                other.groups.forget(user);
            }
        }
    }
}

impl State {
    pub(crate) fn friend_add(&mut self, request: &Request<'_>) -> Results {
        let (now, actor, body) = request.parts();
        let both = body.get("AddType").and_then(Value::as_str) != Some("Add_Type_Single");
        let forced = actor.admin && body.get("ForceAddFlags").and_then(Value::as_u64) == Some(1);
        let mut rows = Vec::new();
        for (user, item) in objects(body, "AddFriendItem") {
            let application = Application {
                source: words(item, "AddSource"),
                wording: words(item, "AddWording"),
                remark: words(item, "Remark"),
                list: words(item, "GroupName"),
                at: now.unix_secs(),
                both,
            };
            let code = self.apply(now, &actor.user, &user, &application, forced);
            rows.push(result(&user, code));
        }
        results(rows)
    }

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

    /// `user` wants `peer` as a friend.
    pub(crate) fn apply(
        &mut self,
        now: Now,
        user: &UserId,
        peer: &UserId,
        application: &Application,
        forced: bool,
    ) -> Code {
        if user == peer {
            return Code::FRIEND_PARAMETER;
        }
        if !self.world.known_or_created(peer) {
            return Code::FRIEND_UNKNOWN_USER;
        }
        let is_friend = |a: &UserId, b: &UserId| self.friends.is_friend(a, b);
        if is_friend(user, peer) && (!application.both || is_friend(peer, user)) {
            return Code::OK;
        }
        if self.blacklists.has_blocked(user, peer) {
            return Code::FRIEND_YOU_BLOCKED;
        }
        if self.blacklists.has_blocked(peer, user) {
            return Code::FRIEND_BLOCKED_YOU;
        }
        if !self.has_room(user, peer) {
            return Code::FRIENDS_FULL;
        }
        if application.both && !self.has_room(peer, user) {
            return Code::PEER_FRIENDS_FULL;
        }
        let allow = self
            .world
            .accounts
            .get(peer)
            .and_then(|account| account.profile.get("Tag_Profile_IM_AllowType"))
            .and_then(Value::as_str);
        match allow {
            Some("AllowType_Type_DenyAny") if !forced => Code::FRIEND_DENIED,
            Some("AllowType_Type_NeedConfirm") if !forced => {
                self.ask(now, user, peer, application);
                Code::FRIEND_NEEDS_CONFIRMATION
            }
            _ => {
                self.befriend(now, user, peer, application);
                if application.both {
                    self.befriend(
                        now,
                        peer,
                        user,
                        &Application {
                            source: application.source.clone(),
                            at: application.at,
                            ..Application::default()
                        },
                    );
                }
                Code::OK
            }
        }
    }

    /// Keeps an application on both sides and tells both.
    fn ask(&mut self, now: Now, user: &UserId, peer: &UserId, application: &Application) {
        let mut dropped = 0;
        for (owner, other, incoming) in [(peer, user, true), (user, peer, false)] {
            let Some(book) = self.friends.book_mut(&self.world, owner) else {
                continue;
            };
            let list = if incoming {
                &mut book.received
            } else {
                &mut book.sent
            };
            list.insert(other.clone(), application.clone());
            if list.len() > MAX_APPLICATIONS {
                let oldest = list
                    .iter()
                    .filter(|(from, _)| *from != other)
                    .min_by_key(|(_, waiting)| waiting.at)
                    .map(|(from, _)| from.clone());
                if let Some(oldest) = oldest {
                    list.remove(&oldest);
                    dropped += 1;
                }
            }
            let (nick, face_url) = self.world.sender_profile(other);
            let event = relation(json!({
                "PushType": 3, "From_Account": user, "PendencyAdd": [{
                    "PendencyAdd_Account": other, "ProfileImNick": nick,
                    "ProfileImImage": face_url, "AddSource": application.source,
                    "AddWording": application.wording, "AddTime": application.at,
                }],
            }));
            self.world.tell(now, owner, 0, &event);
        }
        self.world.counters.dropped_applications += dropped;
    }

    /// Makes `friend` a friend of `user`, and tells all logins of `user`: the official SDK takes
    /// the new friend from the push, also on the login that asked.
    fn befriend(&mut self, now: Now, user: &UserId, friend: &UserId, terms: &Application) {
        let Some(book) = self.friends.book_mut(&self.world, user) else {
            return;
        };
        book.received.remove(friend);
        book.sent.remove(friend);
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

    pub(crate) fn friend_response(&mut self, request: &Request<'_>) -> Results {
        let (now, actor, body) = request.parts();
        let mut rows = Vec::new();
        for (user, item) in objects(body, "ResponseFriendItem") {
            let action = item.get("ResponseAction").and_then(Value::as_str);
            let code = self.respond(now, &actor.user, &user, action, words(item, "Remark"));
            rows.push(result(&user, code));
        }
        results(rows)
    }

    fn respond(
        &mut self,
        now: Now,
        user: &UserId,
        applicant: &UserId,
        action: Option<&str>,
        remark: String,
    ) -> Code {
        let Some(application) = self
            .friends
            .book(user)
            .and_then(|book| book.received.get(applicant).cloned())
        else {
            return Code::FRIEND_NO_APPLICATION;
        };
        let (accepted, mutual) = match action {
            Some("Response_Action_AgreeAndAdd") => (true, true),
            Some("Response_Action_Agree") => (true, false),
            Some("Response_Action_Reject") => (false, false),
            _ => return Code::FRIEND_PARAMETER,
        };
        if mutual && !self.has_room(user, applicant) {
            return Code::FRIENDS_FULL;
        }
        if accepted && !self.has_room(applicant, user) {
            return Code::PEER_FRIENDS_FULL;
        }
        self.drop_application(now, user, applicant);
        if accepted {
            self.befriend(now, applicant, user, &application);
        }
        if mutual {
            self.befriend(
                now,
                user,
                applicant,
                &Application {
                    remark,
                    source: application.source,
                    at: now.unix_secs(),
                    ..Application::default()
                },
            );
        }
        Code::OK
    }

    /// Removes an application of `applicant` to `user` on both sides.
    fn drop_application(&mut self, now: Now, user: &UserId, applicant: &UserId) {
        for (owner, other) in [(user, applicant), (applicant, user)] {
            let Some(book) = self.friends.book_mut(&self.world, owner) else {
                continue;
            };
            let gone = if owner == user {
                book.received.remove(other)
            } else {
                book.sent.remove(other)
            };
            if gone.is_some() {
                // The name is the service's own misspelling.
                let event = relation(json!({"PushType": 4, "FrienPencydDel_Account": [other]}));
                self.world.tell(now, owner, 0, &event);
            }
        }
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

    pub(crate) fn applications(&self, request: &Request<'_>) -> Value {
        let actor = request.caller;
        let mut items = Vec::new();
        let mut unseen = 0;
        if let Some(book) = self.friends.book(&actor.user) {
            let kinds = [
                ("Pendency_Type_ComeIn", &book.received),
                ("Pendency_Type_SendOut", &book.sent),
            ];
            for (kind, list) in kinds {
                for (user, application) in list {
                    let (nick, face_url) = self.world.sender_profile(user);
                    items.push(json!({
                        "To_Account": user, "PendencyType": kind, "Nick": nick,
                        "Image": face_url, "AddTime": application.at,
                        "AddSource": application.source, "AddWording": application.wording,
                    }));
                }
            }
            let seen = book.seen_until;
            unseen = book
                .received
                .values()
                .filter(|waiting| waiting.at > seen)
                .count();
        }
        ok_with(json!({
            "UnreadPendencyCount": unseen, "CurrentPendencySequence": 0,
            "PendencyItem": items, "StartTime": 0,
        }))
    }

    pub(crate) fn delete_applications(&mut self, request: &Request<'_>) -> Results {
        let (now, actor, body) = request.parts();
        let sent =
            body.get("PendencyType").and_then(Value::as_str) == Some("Pendency_Type_SendOut");
        let mut rows = Vec::new();
        for user in user_ids(body.get("To_Account")) {
            let gone = self
                .friends
                .book_mut(&self.world, &actor.user)
                .and_then(|book| {
                    let list = if sent {
                        &mut book.sent
                    } else {
                        &mut book.received
                    };
                    list.remove(&user)
                });
            let code = if gone.is_some() {
                Code::OK
            } else {
                Code::FRIEND_NO_APPLICATION
            };
            if gone.is_some() {
                let event = relation(json!({"PushType": 4, "FrienPencydDel_Account": [user]}));
                self.world.tell(now, &actor.user, actor.instance, &event);
            }
            rows.push(result(&user, code));
        }
        results(rows)
    }

    pub(crate) fn applications_seen(&mut self, request: &Request<'_>) -> Value {
        let (now, actor, body) = request.parts();
        let until = body.get("LatestPendencyTimeStamp").and_then(Value::as_u64);
        let until = until.unwrap_or(0).min(now.unix_secs());
        if let Some(book) = self.friends.book_mut(&self.world, &actor.user) {
            book.seen_until = book.seen_until.max(until);
        }
        let event = relation(json!({"PushType": 7, "ReportTime": until}));
        self.world.tell(now, &actor.user, actor.instance, &event);
        ok()
    }
}
