//! Profiles: get and set.
//!
//! See "Conversations and people" in docs/src/protocol.md.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    fields::{user_ids, user_ids_in},
    policy::Now,
    proto::{code::Code, id::UserId},
    request::Outcome,
    request::{Request, Speaker},
    service::app_call::text_account,
    state::{Caller, State},
};

/// The most profiles in one call.
const MAX_PROFILES: usize = 100;

pub(crate) fn register(commands: &mut Commands) {
    commands.rest("profile.portrait_get", |s, r| s.rest_profiles(r));
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
}

impl State {
    /// `profile.portrait_get_all`: the profiles of the named accounts, by default the caller's.
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

    /// `profile.portrait_set`: sets tags and notifies the account's other logins and its friends.
    pub(crate) fn set_profiles(
        &mut self,
        now: Now,
        actor: &Caller,
        body: &Value,
    ) -> Result<Value, Code> {
        let items = body.get("ProfileItem").and_then(Value::as_array);
        // One generation of the SDK writes the field names in lower case.
        let field = |item: &Value, name: &str, small: &str| -> Option<Value> {
            item.get(name).or_else(|| item.get(small)).cloned()
        };
        let fields = items.into_iter().flatten().take(MAX_PROFILES).map(|item| {
            let tag = field(item, "Tag", "tag")?.as_str()?.to_owned();
            Some((tag, field(item, "Value", "value")?))
        });
        // All or nothing: a partial success would hide the fields that were not set.
        let fields: Option<Vec<(String, Value)>> = fields.collect();
        let mut changed = Vec::new();
        for (tag, value) in fields.ok_or(Code::PROFILE_PARAMETER)? {
            self.set_profile(&actor.user, &tag, &value);
            let kept = self
                .world
                .accounts
                .get(&actor.user)
                .and_then(|account| account.profile.get(&tag));
            // Values that are too long or of the wrong type were not stored, so they are not
            // pushed.
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
        for friend in self.friends.of(&actor.user) {
            let is_mutual = self.friends.is_friend(&friend, &actor.user);
            if is_mutual {
                self.world.tell(now, &friend, 0, &event);
            }
        }
        Ok(ok())
    }

    fn rest_profiles(&self, request: &Request<'_>) -> Outcome {
        let body = request.body;
        let first = body.get("To_Account").and_then(Value::as_array);
        let first = first.and_then(|users| users.first());
        let user = text_account(first, Code::REST_RECIPIENT)?;
        Ok(self.profiles(&user, body))
    }
}
