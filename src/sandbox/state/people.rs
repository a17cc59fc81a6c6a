//! Who stands how to whom: what an account keeps about others, profiles and the blacklist, and the
//! way to every `sns` command, which clients and the REST API share.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Caller, State,
    friends::{Application, Friend},
    lists::{user_ids, user_ids_in},
};
use crate::commands::{Command, Commands, Speaker};
use crate::world::{ok, ok_with};
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId},
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

/// The most accounts on a blacklist, as the service documents it. One answer holds them all.
const MAX_BLOCKED: usize = 1000;
/// The most profiles in one call.
const MAX_PROFILES: usize = 100;

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

pub(crate) fn register(commands: &mut Commands) {
    commands
        .socket("profile.portrait_get_all", |state, r| {
            state.profiles(&r.caller.user, r.body)
        })
        .reads();
    commands.socket("profile.portrait_set", |state, r| {
        state.set_profiles(r.now, r.caller, r.body)
    });
    commands
        .rest("profile.portrait_set", |state, r| {
            state.set_profiles(r.now, r.caller, r.body)
        })
        .for_accounts(Code::ACCOUNT_UNKNOWN)
        .speaks_for(Speaker::Account {
            missing: Code::FRIEND_PARAMETER,
            admin: true,
        });
    commands.both(
        "sns.black_list_get",
        |command| of_account(command).reads(),
        |state, r| state.blacklist(r.caller),
    );
    commands.both("sns.black_list_add", of_account, |state, r| {
        state.block(r.now, r.caller, r.body)
    });
    commands.both("sns.black_list_delete", of_account, |state, r| {
        state.unblock(r.now, r.caller, r.body)
    });
    commands.both("sns.black_list_check", of_account, |state, r| {
        state.check_blacklist(r.caller, r.body)
    });
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

    /// `profile.portrait_get_all`: profiles, by default one's own.
    pub(crate) fn profiles(&self, user: &UserId, body: &Value) -> Value {
        let mut asked = user_ids_in(body.get("UserItem"), "To_Account");
        asked.extend(user_ids(body.get("To_Account")));
        asked.truncate(MAX_PROFILES);
        if asked.is_empty() {
            asked.push(user.clone());
        }
        let wanted: Option<BTreeSet<&str>> = body
            .get("TagList")
            .and_then(Value::as_array)
            .map(|tags| tags.iter().filter_map(Value::as_str).collect());
        let items: Vec<Value> = asked
            .iter()
            .map(|user| {
                let mut items = self.world.accounts.get(user).map_or_else(
                    || json!([{"Tag": "Tag_Profile_IM_Nick", "Value": ""}]),
                    |account| account.profile_items(user),
                );
                if let (Some(wanted), Value::Array(items)) = (&wanted, &mut items) {
                    items.retain(|item| {
                        let tag = item.get("Tag").and_then(Value::as_str);
                        tag.is_some_and(|tag| wanted.contains(tag))
                    });
                }
                json!({
                    "To_Account": user, "ProfileItem": items, "ResultCode": 0, "ResultInfo": "",
                })
            })
            .collect();
        ok_with(json!({"UserProfileItem": items, "CurrentStandardSequence": 0}))
    }

    /// `profile.portrait_set`: sets tags and tells the other logins and the friends.
    pub(crate) fn set_profiles(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
    ) -> Result<Value, Code> {
        let items = body.get("ProfileItem").and_then(Value::as_array);
        // One generation of clients writes the names in lower case.
        let field = |item: &Value, name: &str, small: &str| -> Option<Value> {
            item.get(name).or_else(|| item.get(small)).cloned()
        };
        let fields = items.into_iter().flatten().take(MAX_PROFILES).map(|item| {
            let tag = field(item, "Tag", "tag")?.as_str()?.to_owned();
            Some((tag, field(item, "Value", "value")?))
        });
        // All or nothing, so that nobody believes that something was set.
        let fields: Option<Vec<(String, Value)>> = fields.collect();
        let mut changed = Vec::new();
        for (tag, value) in fields.ok_or(Code::PROFILE_PARAMETER)? {
            self.set_profile(&actor.user, &tag, &value);
            let kept = self
                .world
                .accounts
                .get(&actor.user)
                .and_then(|account| account.profile.get(&tag));
            // What was too long or of the wrong type is not kept, so nobody hears of it.
            if kept == Some(&value) {
                let field = if value.is_string() {
                    "ValueBytes"
                } else {
                    "ValueNum"
                };
                changed.push(json!({"Tag": tag, field: value}));
            }
        }
        if changed.is_empty() {
            return Ok(ok());
        }
        let event = json!({"Event": 8, "ProfileDataMod": [{
            "PushType": 1, "Profile_Account": actor.user, "ProfileList": changed,
        }]});
        self.world.tell(now, &actor.user, actor.instance, &event);
        let friends: Vec<UserId> = self
            .world
            .people(&actor.user)
            .map(|people| people.friends.keys().cloned().collect())
            .unwrap_or_default();
        for friend in friends {
            let is_mutual = self
                .world
                .people(&friend)
                .is_some_and(|people| people.friends.contains_key(&actor.user));
            if is_mutual {
                self.world.tell(now, &friend, 0, &event);
            }
        }
        Ok(ok())
    }

    /// All in one answer. The official SDK asks on and on until `StartIndex` is zero.
    fn blacklist(&self, actor: &Caller) -> Value {
        let items: Vec<Value> = self
            .world
            .people(&actor.user)
            .into_iter()
            .flat_map(|people| &people.blocked)
            .map(|user| json!({"To_Account": user, "AddBlackTimeStamp": 0}))
            .collect();
        ok_with(json!({"BlackListItem": items, "StartIndex": 0, "CurruentSequence": 0}))
    }

    fn block(&mut self, now: Now, actor: &Caller, body: &Value) -> Value {
        let mut added = Vec::new();
        let mut rows = Vec::new();
        for user in user_ids(body.get("To_Account")) {
            let known = self.world.known_or_created(&user);
            let Some(people) = self.world.people_mut(&actor.user) else {
                break;
            };
            let code = if user == actor.user {
                Code::FRIEND_PARAMETER
            } else if !known {
                Code::FRIEND_UNKNOWN_USER
            } else if people.blocked.len() >= MAX_BLOCKED && !people.blocked.contains(&user) {
                Code::BLACKLIST_FULL
            } else {
                people.blocked.insert(user.clone());
                // An application of someone who is not wanted is none.
                people.received.remove(&user);
                added.push(user.clone());
                Code::OK
            };
            rows.push(result(&user, code));
        }
        if !added.is_empty() {
            // To the caller's login as well: the official SDK takes the list from the push only.
            let event = relation(json!({"PushType": 5, "BlackListAdd_Account": added}));
            self.world.tell(now, &actor.user, 0, &event);
        }
        results(&rows)
    }

    fn unblock(&mut self, now: Now, actor: &Caller, body: &Value) -> Value {
        let mut removed = Vec::new();
        let mut rows = Vec::new();
        for user in user_ids(body.get("To_Account")) {
            if let Some(people) = self.world.people_mut(&actor.user)
                && people.blocked.remove(&user)
            {
                removed.push(user.clone());
            }
            rows.push(result(&user, Code::OK));
        }
        if !removed.is_empty() {
            let event = relation(json!({"PushType": 6, "BlackListDel_Account": removed}));
            self.world.tell(now, &actor.user, 0, &event);
        }
        results(&rows)
    }

    fn check_blacklist(&self, actor: &Caller, body: &Value) -> Value {
        let both =
            body.get("CheckType").and_then(Value::as_str) == Some("BlackCheckResult_Type_Both");
        let rows: Vec<Value> = user_ids(body.get("To_Account"))
            .iter()
            .map(|user| {
                let mine = self.world.has_blocked(&actor.user, user);
                let theirs = both && self.world.has_blocked(user, &actor.user);
                let relation = match (mine, theirs) {
                    (true, true) => "BlackCheckResult_Type_BothWay",
                    (true, false) => "BlackCheckResult_Type_AWithB",
                    (false, true) => "BlackCheckResult_Type_BWithA",
                    (false, false) => "BlackCheckResult_Type_NO",
                };
                json!({"To_Account": user, "Relation": relation, "ResultCode": 0, "ResultInfo": ""})
            })
            .collect();
        ok_with(json!({"BlackListCheckItem": rows}))
    }
}
