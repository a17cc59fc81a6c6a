//! User status: queries, and pushes to subscribers.
//!
//! See "Conversations and people" in docs/src/protocol.md.

pub(crate) use crate::table::user_status::{MAX_STATUS, known, platform_name};
use crate::{
    commands::Commands,
    fields::user_ids,
    policy::Now,
    proto::{
        code::Code,
        id::UserId,
        op::{
            Done,
            user_status::{GetStatus, NotSubscribed, SetStatus, Statuses, Subscribe, Unsubscribe},
        },
        update::UserStatus,
    },
    request::Outcome,
    request::Request,
    service::app_call::{MAX_RECIPIENTS, bounded},
    service::relation::result,
    state::State,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

pub(crate) fn register(commands: &mut Commands) {
    for name in ["openim.query_online_status", "openim.querystate"] {
        commands.rest(name, |s, r| s.online_status(r));
    }
    commands
        .socket("im_open_status.ws_get_user_status", |s, r| {
            let asked: GetStatus = r.read(Code::C2C_BAD_PACKET)?;
            Ok::<_, Code>(s.user_statuses(r.now, &asked.users))
        })
        .reads();
    commands.rest("im_open_status.get_user_status", |s, r| {
        let asked = r.body.get("UserList").or_else(|| r.body.get("To_Account"));
        let users: Vec<String> = user_ids(asked).iter().map(UserId::to_string).collect();
        Ok::<_, Code>(s.user_statuses(r.now, &users))
    });
    commands.socket("im_open_status.ws_status_subscribe", |s, r| s.watch(r));
    commands.socket("im_open_status.ws_status_unsubscribe", |s, r| s.unwatch(r));
    commands.socket("im_open_status.ws_set_custom_status", |s, r| {
        s.set_custom_status(r)
    });
}

impl State {
    /// One row of an answer or push. Clients send the custom status as plain text and receive it as
    /// base64.
    fn status_of(&self, now: Now, user: &UserId) -> UserStatus {
        let account = self.world.accounts.get(user);
        let status = if self.world.is_online(now, user) {
            1
        } else if account.is_some_and(|account| !account.past.is_empty()) {
            2
        } else {
            3
        };
        let custom = self.user_statuses.custom(user);
        UserStatus {
            user: user.clone(),
            status,
            custom: STANDARD.encode(custom),
            ..UserStatus::default()
        }
    }

    /// `im_open_status.ws_get_user_status`.
    fn user_statuses(&self, now: Now, users: &[String]) -> Statuses {
        Statuses {
            items: known(users)
                .map(|user| self.status_of(now, &user))
                .collect(),
            ..Statuses::default()
        }
    }

    /// `im_open_status.ws_status_subscribe`.
    fn watch(&mut self, request: &Request<'_>) -> Result<NotSubscribed, Code> {
        let (now, caller) = (request.now, request.caller);
        let asked: Subscribe = request.read(Code::C2C_BAD_PACKET)?;
        let mut errors = Vec::new();
        for user in known(&asked.users) {
            if !self.world.has_account(&user) {
                errors.push(result(&user, Code::FRIEND_UNKNOWN_USER));
                continue;
            }
            let online = self.world.is_online(now, &user);
            if let Err(code) = self.user_statuses.watch(&caller.user, &user, online) {
                errors.push(result(&user, code));
            }
        }
        Ok(NotSubscribed { errors })
    }

    /// `im_open_status.ws_status_unsubscribe`; without names, ends all subscriptions.
    fn unwatch(&mut self, request: &Request<'_>) -> Result<NotSubscribed, Code> {
        let asked: Unsubscribe = request.read(Code::C2C_BAD_PACKET)?;
        let mut users: Vec<UserId> = known(&asked.users).collect();
        if users.is_empty() {
            users = self.user_statuses.watchers.keys().cloned().collect();
        }
        for user in users {
            self.user_statuses.unwatch(&request.caller.user, &user);
        }
        Ok(NotSubscribed::default())
    }

    /// `im_open_status.ws_set_custom_status`.
    fn set_custom_status(&mut self, request: &Request<'_>) -> Result<Done, Code> {
        let (now, caller) = (request.now, request.caller);
        let SetStatus { text } = request.read(Code::C2C_BAD_PACKET)?;
        if text.len() > MAX_STATUS {
            return Err(Code::C2C_BAD_PACKET);
        }
        let custom = &mut self.user_statuses.custom;
        custom.insert(caller.user.clone(), text);
        self.tell_status(now, &caller.user);
        Ok(Done)
    }

    /// Notifies the watchers of `user` if its presence differs from what they were told last.
    pub(crate) fn note_presence(&mut self, now: Now, user: &UserId) {
        if !self.user_statuses.watchers.contains_key(user) {
            return;
        }
        let online = self.world.is_online(now, user);
        if self.user_statuses.note(user, online) {
            self.tell_status(now, user);
        }
    }

    /// Checks all watched accounts: kicks, expiry and lost links notify nobody directly.
    pub(crate) fn note_presences(&mut self, now: Now) {
        let watched: Vec<UserId> = self.user_statuses.watchers.keys().cloned().collect();
        for user in watched {
            self.note_presence(now, &user);
        }
    }

    fn tell_status(&mut self, now: Now, user: &UserId) {
        let watchers = self.user_statuses.watchers.get(user).cloned();
        let event = json!({"Event": 20, "UserStatusList": [self.status_of(now, user)]});
        for watcher in watchers.into_iter().flatten() {
            self.world.tell(now, &watcher, 0, &event);
        }
    }

    fn online_status(&self, request: &Request<'_>) -> Outcome {
        let (now, body) = (request.now, request.body);
        let list = bounded(body.get("To_Account"), MAX_RECIPIENTS, Code::REST_BATCH)?;
        let detail = body.get("IsNeedDetail").and_then(Value::as_u64) == Some(1);
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for item in list {
            let user = item.as_str().and_then(|text| UserId::parse(text).ok());
            let Some(user) = user.filter(|user| self.world.has_account(user)) else {
                errors.push(json!({"To_Account": item, "ErrorCode": Code::ACCOUNT_UNKNOWN.0}));
                continue;
            };
            let platforms = self.world.platforms(now, &user);
            let status = if platforms.is_empty() {
                "Offline"
            } else {
                "Online"
            };
            let mut result = json!({"To_Account": user, "Status": status});
            if detail && let Value::Object(result) = &mut result {
                let details = platforms
                    .iter()
                    .map(|platform| json!({"Platform": platform_name(*platform), "Status": "Online"}))
                    .collect();
                result.insert("Detail".to_owned(), Value::Array(details));
            }
            results.push(result);
        }
        Ok(json!({"QueryResult": results, "ErrorList": errors}))
    }
}
