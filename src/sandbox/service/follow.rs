//! Who follows whom. Other than a friend, nobody has to agree.

use serde_json::{Value, json};

use crate::{
    commands::{Commands, Request},
    policy::Now,
    proto::{code::Code, id::UserId},
    service::{
        fields::{user_ids, user_ids_in},
        relation::{of_account, result, results},
    },
    state::State,
    world::ok_with,
};

/// The most accounts in one call.
pub(crate) const MAX_ASKED: usize = 100;

/// The most entries in one page of a list.
pub(crate) const MAX_PAGE: usize = 1000;

/// The lists, by their numbers on the wire.
const FOLLOWERS: u64 = 1;

const FOLLOWING: u64 = 2;

const MUTUAL: u64 = 3;

/// The accounts that a command names, as many as one call may name.
pub(crate) fn asked(mut users: Vec<UserId>) -> Vec<UserId> {
    users.truncate(MAX_ASKED);
    users
}

pub(crate) fn register(commands: &mut Commands) {
    commands.both("follow.follow_add", of_account, |state, r| {
        let users = asked(user_ids_in(r.body.get("FollowItem"), "To_Account"));
        state.change_follows(r.now, &r.caller.user, &users, true)
    });
    commands.both("follow.follow_delete", of_account, |state, r| {
        let users = asked(user_ids(r.body.get("To_Account")));
        state.change_follows(r.now, &r.caller.user, &users, false)
    });
    commands.both(
        "follow.follow_get",
        |c| of_account(c).reads(),
        |s, r| s.follow_list(r),
    );
    commands.both(
        "follow.follow_get_info",
        |c| of_account(c).reads(),
        |state, r| state.follow_counts(&asked(user_ids(r.body.get("To_Account")))),
    );
    commands.both(
        "follow.follow_check",
        |c| of_account(c).reads(),
        |state, r| {
            let users = asked(user_ids(r.body.get("To_Account")));
            state.check_follows(&r.caller.user, &users)
        },
    );
}

impl State {
    /// Works out who is followed by whom from whom everybody follows.
    pub(crate) fn settle_follows(&mut self) {
        let follows: Vec<(UserId, UserId, u64)> = self
            .world
            .accounts
            .iter()
            .flat_map(|(me, account)| {
                let following = account.people.following.iter();
                following.map(move |(user, since)| (me.clone(), user.clone(), *since))
            })
            .collect();
        for account in self.world.accounts.values_mut() {
            account.people.followers.clear();
        }
        for (me, user, since) in follows {
            if let Some(people) = self.world.people_mut(&user) {
                people.followers.insert(me, since);
            } else if let Some(people) = self.world.people_mut(&me) {
                people.following.remove(&user);
            }
        }
    }

    fn change_follows(&mut self, now: Now, me: &UserId, users: &[UserId], add: bool) -> Value {
        let mut rows = Vec::new();
        for user in users {
            let code = if add {
                self.follow(now, me, user)
            } else {
                self.unfollow(now, me, user);
                Code::OK
            };
            rows.push(result(user, code));
        }
        results(&rows)
    }

    fn follow(&mut self, now: Now, me: &UserId, user: &UserId) -> Code {
        if user == me {
            return Code::FRIEND_PARAMETER;
        }
        if !self.world.known_or_created(user) {
            return Code::FRIEND_UNKNOWN_USER;
        }
        let limit = self.world.config.friend_limit;
        let Some(people) = self.world.people_mut(me) else {
            return Code::FRIEND_UNKNOWN_USER;
        };
        if people.following.contains_key(user) {
            return Code::OK;
        }
        if people.following.len() >= limit {
            return Code::FRIENDS_FULL;
        }
        people.following.insert(user.clone(), now.unix_secs());
        let back = people.followers.contains_key(user);
        if let Some(people) = self.world.people_mut(user) {
            people.followers.insert(me.clone(), now.unix_secs());
        }
        self.tell_follow(now, me, user, back, true);
        Code::OK
    }

    fn unfollow(&mut self, now: Now, me: &UserId, user: &UserId) {
        let Some(people) = self.world.people_mut(me) else {
            return;
        };
        if people.following.remove(user).is_none() {
            return;
        }
        let back = people.followers.contains_key(user);
        if let Some(people) = self.world.people_mut(user) {
            people.followers.remove(me);
        }
        self.tell_follow(now, me, user, back, false);
    }

    /// Tells both sides, every login of them: the official SDK knows its own changes only so.
    fn tell_follow(&mut self, now: Now, me: &UserId, user: &UserId, back: bool, add: bool) {
        for (told, about, list) in [(me, user, FOLLOWING), (user, me, FOLLOWERS)] {
            let lists = std::iter::once(list).chain(back.then_some(MUTUAL));
            let changes: Vec<Value> = lists
                .map(|list| json!({"IsAdd": u8::from(add), "FollowType": list}))
                .collect();
            let (nick, face_url) = self.world.sender_profile(about);
            let event = json!({"Event": 33, "FollowChangeList": [{
                "From_Account": about, "FollowDiffList": changes, "Nick": nick, "Avatar": face_url,
            }]});
            self.world.tell(now, told, 0, &event);
        }
    }

    /// A page of one of the three lists, in the order of UserIDs. The cursor is the last one given.
    fn follow_list(&self, request: &Request<'_>) -> Value {
        let body = request.body;
        let me = &request.caller.user;
        let number = |name: &str| body.get(name).and_then(Value::as_u64);
        let start = body.get("StartCursor").and_then(Value::as_str);
        let count = number("WantNum").and_then(|count| usize::try_from(count).ok());
        let count = count.unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
        let people = self.world.people(me);
        let (list, other) = match number("FollowType") {
            Some(FOLLOWERS) => (people.map(|p| &p.followers), None),
            Some(MUTUAL) => (people.map(|p| &p.following), people.map(|p| &p.followers)),
            _ => (people.map(|p| &p.following), None),
        };
        let mut items = list
            .into_iter()
            .flatten()
            .filter(|(user, _)| start.is_none_or(|start| user.as_str() > start))
            .filter(|(user, _)| other.is_none_or(|other| other.contains_key(*user)))
            .peekable();
        let page: Vec<(&UserId, &u64)> = items.by_ref().take(count).collect();
        let next = page.last().filter(|_| items.peek().is_some());
        let next = next.map_or("", |(user, _)| user.as_str());
        let page: Vec<Value> = page
            .iter()
            .map(|(user, since)| {
                let profile = self
                    .world
                    .accounts
                    .get(*user)
                    .map(|a| a.profile_items(user));
                json!({
                    "To_Account": user, "FollowTime": since,
                    "ProfileItem": profile.unwrap_or_else(|| json!([])),
                })
            })
            .collect();
        ok_with(json!({"FollowItem": page, "NextCursor": next}))
    }

    fn follow_counts(&self, users: &[UserId]) -> Value {
        let rows: Vec<Value> = users
            .iter()
            .map(|user| {
                let Some(people) = self.world.people(user) else {
                    return result(user, Code::FRIEND_UNKNOWN_USER);
                };
                let following = people.following.keys();
                let mutual = following.filter(|other| people.followers.contains_key(*other));
                let mut row = result(user, Code::OK);
                row["FollowerCount"] = people.followers.len().into();
                row["FollowingCount"] = people.following.len().into();
                row["MutualFollowingCount"] = mutual.count().into();
                row
            })
            .collect();
        ok_with(json!({"FollowInfo": rows}))
    }

    fn check_follows(&self, me: &UserId, users: &[UserId]) -> Value {
        let people = self.world.people(me);
        let rows: Vec<Value> = users
            .iter()
            .map(|user| {
                if !self.world.has_account(user) {
                    return result(user, Code::FRIEND_UNKNOWN_USER);
                }
                let follower = people.is_some_and(|people| people.followers.contains_key(user));
                let followed = people.is_some_and(|people| people.following.contains_key(user));
                let mut row = result(user, Code::OK);
                row["FollowType"] = match (follower, followed) {
                    (true, true) => MUTUAL,
                    (false, true) => FOLLOWING,
                    (true, false) => FOLLOWERS,
                    (false, false) => 0,
                }
                .into();
                row
            })
            .collect();
        results(&rows)
    }
}
