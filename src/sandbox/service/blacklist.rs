//! The blacklist: users who may not write to an account.
//!
//! See "Conversations and people" in docs/src/protocol.md.

use crate::{
    answer::ok_with,
    commands::Commands,
    fields::user_ids,
    policy::Now,
    proto::code::Code,
    request::Request,
    service::relation::{Results, of_account, relation, result, results},
    state::{Caller, State},
};
use serde_json::{Value, json};

pub(crate) fn register(commands: &mut Commands) {
    commands.both(
        "sns.black_list_get",
        |c| of_account(c).reads(),
        |s, r| s.blacklist(r),
    );
    commands.both("sns.black_list_add", of_account, |state, r| {
        state.block(r.now, r.caller, r.body)
    });
    commands.both("sns.black_list_delete", of_account, |s, r| s.unblock(r));
    commands.both("sns.black_list_check", of_account, |s, r| {
        s.check_blacklist(r)
    });
}

impl State {
    /// Returns the whole list in one answer. The official SDK repeats the request until
    /// `StartIndex` is zero.
    fn blacklist(&self, request: &Request<'_>) -> Value {
        let actor = request.caller;
        let items: Vec<Value> = self
            .blacklists
            .list(&actor.user)
            .map(|user| json!({"To_Account": user, "AddBlackTimeStamp": 0}))
            .collect();
        ok_with(json!({"BlackListItem": items, "StartIndex": 0, "CurruentSequence": 0}))
    }

    fn block(&mut self, now: Now, actor: &Caller, body: &Value) -> Results {
        let mut added = Vec::new();
        let mut rows = Vec::new();
        for user in user_ids(body.get("To_Account")) {
            let known = self.world.known_or_created(&user);
            let code = if user == actor.user {
                Code::FRIEND_PARAMETER
            } else if !known {
                Code::FRIEND_UNKNOWN_USER
            } else if !self.blacklists.add(&actor.user, &user) {
                Code::BLACKLIST_FULL
            } else {
                // Blocking a user also withdraws that user's application.
                self.friends.drop_received(&actor.user, &user);
                added.push(user.clone());
                Code::OK
            };
            rows.push(result(&user, code));
        }
        if !added.is_empty() {
            // The push also goes to the caller's login: the official SDK updates its list from the
            // push only.
            let event = relation(json!({"PushType": 5, "BlackListAdd_Account": added}));
            self.world.tell(now, &actor.user, 0, &event);
        }
        results(rows)
    }

    fn unblock(&mut self, request: &Request<'_>) -> Results {
        let (now, actor, body) = request.parts();
        let mut removed = Vec::new();
        let mut rows = Vec::new();
        for user in user_ids(body.get("To_Account")) {
            if self.blacklists.remove(&actor.user, &user) {
                removed.push(user.clone());
            }
            rows.push(result(&user, Code::OK));
        }
        if !removed.is_empty() {
            let event = relation(json!({"PushType": 6, "BlackListDel_Account": removed}));
            self.world.tell(now, &actor.user, 0, &event);
        }
        results(rows)
    }

    fn check_blacklist(&self, request: &Request<'_>) -> Value {
        let (actor, body) = (request.caller, request.body);
        let both =
            body.get("CheckType").and_then(Value::as_str) == Some("BlackCheckResult_Type_Both");
        let rows: Vec<Value> = user_ids(body.get("To_Account"))
            .iter()
            .map(|user| {
                let mine = self.blacklists.has_blocked(&actor.user, user);
                let theirs = both && self.blacklists.has_blocked(user, &actor.user);
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
