//! Followers: following a user needs no consent, unlike friendship.
//!
//! See "Conversations and people" in docs/src/protocol.md.

pub(crate) use crate::table::follow::{FOLLOWERS, FOLLOWING, MAX_PAGE, MUTUAL, asked};
use crate::{
    answer::ok_with,
    commands::Commands,
    fields::{user_ids, user_ids_in},
    policy::Now,
    proto::{code::Code, id::UserId, op::ItemResult},
    request::Request,
    service::relation::{Results, of_account, result, results},
    state::State,
};
use serde_json::{Value, json};

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
    fn change_follows(&mut self, now: Now, me: &UserId, users: &[UserId], add: bool) -> Results {
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
        results(rows)
    }

    fn follow(&mut self, now: Now, me: &UserId, user: &UserId) -> Code {
        if user == me {
            return Code::FRIEND_PARAMETER;
        }
        if !self.world.known_or_created(user) {
            return Code::FRIEND_UNKNOWN_USER;
        }
        let following = self.follows.following(me);
        if following.contains_key(user) {
            return Code::OK;
        }
        if following.len() >= self.world.config.friend_limit {
            return Code::FRIENDS_FULL;
        }
        self.follows.insert(me, user, now.unix_secs());
        self.tell_follow(now, me, user, true);
        Code::OK
    }

    fn unfollow(&mut self, now: Now, me: &UserId, user: &UserId) {
        if self.follows.remove(me, user) {
            self.tell_follow(now, me, user, false);
        }
    }

    /// Notifies every login of both sides: the official SDK applies even its own changes only from
    /// the push.
    fn tell_follow(&mut self, now: Now, me: &UserId, user: &UserId, add: bool) {
        let back = self.follows.followers(me).contains_key(user);
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

    /// A page of one of the three lists, ordered by UserID. The cursor is the last UserID of the
    /// previous page.
    fn follow_list(&self, request: &Request<'_>) -> Value {
        let body = request.body;
        let me = &request.caller.user;
        let number = |name: &str| body.get(name).and_then(Value::as_u64);
        let start = body.get("StartCursor").and_then(Value::as_str);
        let count = number("WantNum").and_then(|count| usize::try_from(count).ok());
        let count = count.unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
        let (following, followers) = (self.follows.following(me), self.follows.followers(me));
        let (list, other) = match number("FollowType") {
            Some(FOLLOWERS) => (followers, None),
            Some(MUTUAL) => (following, Some(followers)),
            _ => (following, None),
        };
        let mut items = list
            .iter()
            .filter(|(user, _)| start.is_none_or(|start| user.as_str() > start))
            .filter(|(user, _)| other.is_none_or(|other| other.contains_key(*user)))
            .peekable();
        let page: Vec<(&UserId, &u64)> = items.by_ref().take(count).collect();
        let next = page.last().filter(|_| items.peek().is_some());
        let next = next.map_or("", |(user, _)| user.as_str());
        let page: Vec<Value> = page
            .iter()
            .map(|(user, since)| {
                let profile = self.world.accounts.get(user).map(|a| a.profile_items(user));
                json!({
                    "To_Account": user, "FollowTime": since,
                    "ProfileItem": profile.unwrap_or_else(|| json!([])),
                })
            })
            .collect();
        ok_with(json!({"FollowItem": page, "NextCursor": next}))
    }

    fn follow_counts(&self, users: &[UserId]) -> Value {
        let rows: Vec<ItemResult> = users
            .iter()
            .map(|user| {
                if !self.world.has_account(user) {
                    return result(user, Code::FRIEND_UNKNOWN_USER);
                }
                let (following, followers) =
                    (self.follows.following(user), self.follows.followers(user));
                let mutual = following
                    .keys()
                    .filter(|other| followers.contains_key(*other));
                let mut row = result(user, Code::OK);
                row.extra
                    .insert("FollowerCount".to_owned(), followers.len().into());
                row.extra
                    .insert("FollowingCount".to_owned(), following.len().into());
                row.extra
                    .insert("MutualFollowingCount".to_owned(), mutual.count().into());
                row
            })
            .collect();
        ok_with(json!({"FollowInfo": rows}))
    }

    fn check_follows(&self, me: &UserId, users: &[UserId]) -> Results {
        let (following, followers) = (self.follows.following(me), self.follows.followers(me));
        let rows: Vec<ItemResult> = users
            .iter()
            .map(|user| {
                if !self.world.has_account(user) {
                    return result(user, Code::FRIEND_UNKNOWN_USER);
                }
                let follower = followers.contains_key(user);
                let followed = following.contains_key(user);
                let mut row = result(user, Code::OK);
                row.extra.insert(
                    "FollowType".to_owned(),
                    match (follower, followed) {
                        (true, true) => MUTUAL,
                        (false, true) => FOLLOWING,
                        (true, false) => FOLLOWERS,
                        (false, false) => 0,
                    }
                    .into(),
                );
                row
            })
            .collect();
        results(rows)
    }
}
