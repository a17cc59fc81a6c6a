//! Friend applications: create, answer, list.
//!
//! See "Conversations and people" in docs/src/protocol.md.

pub(crate) use crate::table::friend_application::Application;
use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    fields::user_ids,
    policy::Now,
    proto::{code::Code, id::UserId},
    request::Request,
    service::{
        friend::{objects, words},
        relation::{Results, of_account, relation, result, results},
    },
    state::State,
};
use serde_json::{Value, json};

pub(crate) fn register(commands: &mut Commands) {
    commands.both("sns.friend_add", of_account, |s, r| s.friend_add(r));
    commands.both("sns.friend_response", of_account, |s, r| {
        s.friend_response(r)
    });
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

    /// `user` asks `peer` for friendship.
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

    /// Stores an application on both sides and notifies both.
    fn ask(&mut self, now: Now, user: &UserId, peer: &UserId, application: &Application) {
        let mut dropped = 0;
        for (owner, other, incoming) in [(peer, user, true), (user, peer, false)] {
            let Some(book) = self.friends.book_mut(self.world.has_account(owner), owner) else {
                continue;
            };
            dropped += book.applications.add(incoming, other, application);
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
            .and_then(|book| book.applications.received.get(applicant).cloned())
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

    /// Removes the application of `applicant` to `user` on both sides.
    fn drop_application(&mut self, now: Now, user: &UserId, applicant: &UserId) {
        for (owner, other) in [(user, applicant), (applicant, user)] {
            let Some(book) = self.friends.book_mut(self.world.has_account(owner), owner) else {
                continue;
            };
            if book.applications.remove(owner == user, other) {
                // The misspelled field name is that of the service.
                let event = relation(json!({"PushType": 4, "FrienPencydDel_Account": [other]}));
                self.world.tell(now, owner, 0, &event);
            }
        }
    }

    pub(crate) fn applications(&self, request: &Request<'_>) -> Value {
        let actor = request.caller;
        let mut items = Vec::new();
        let mut unseen = 0;
        if let Some(book) = self.friends.book(&actor.user) {
            let kinds = [
                ("Pendency_Type_ComeIn", &book.applications.received),
                ("Pendency_Type_SendOut", &book.applications.sent),
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
            unseen = book.applications.unseen();
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
            let book = self
                .friends
                .book_mut(self.world.has_account(&actor.user), &actor.user);
            let gone = book.is_some_and(|book| book.applications.remove(!sent, &user));
            let code = if gone {
                Code::OK
            } else {
                Code::FRIEND_NO_APPLICATION
            };
            if gone {
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
        if let Some(book) = self
            .friends
            .book_mut(self.world.has_account(&actor.user), &actor.user)
        {
            book.applications.seen_until = book.applications.seen_until.max(until);
        }
        let event = relation(json!({"PushType": 7, "ReportTime": until}));
        self.world.tell(now, &actor.user, actor.instance, &event);
        ok()
    }
}
