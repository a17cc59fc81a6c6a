//! REST calls about accounts: import, check, delete, kick, silence, robots.
//!
//! See "REST" in docs/src/protocol.md.

use serde_json::{Value, json};

use crate::{
    commands::Commands,
    proto::{
        code::Code,
        id::{IdError, UserId},
    },
    request::refusal,
    request::{Outcome, Refusal, Request},
    service::app_call::{bounded, number, text_account},
    state::{KickType, State},
};

/// The most accounts in one call.
const MAX_ACCOUNTS: usize = 100;

fn failed_item(item: &Value, failed: &Refusal) -> Value {
    json!({
        "UserID": item.get("UserID").and_then(Value::as_str).unwrap_or_default(),
        "ResultCode": failed.code.0,
        "ResultInfo": failed.info.as_deref().unwrap_or_else(|| failed.code.meaning()),
    })
}

/// The account a call names; older documentation calls the field `Identifier`.
fn account_of(body: &Value) -> Result<UserId, Refusal> {
    let older = body.get("UserID").is_none() && body.get("Identifier").is_some();
    account_field(body, if older { "Identifier" } else { "UserID" })
}

fn account_field(item: &Value, name: &str) -> Result<UserId, Refusal> {
    let text = item.get(name).and_then(Value::as_str).unwrap_or_default();
    UserId::parse(text)
        .map_err(|error: IdError| refusal(Code::ACCOUNT_PARAMETER, error.to_string()))
}

/// Prefix of robot UserIDs.
const ROBOT: &str = "@RBT#";

pub(crate) fn register(commands: &mut Commands) {
    commands.rest("openconfigsvr.setnospeaking", |s, r| s.silence(r));
    commands.rest("openconfigsvr.getnospeaking", |s, r| s.silence_of(r));
    commands.rest("openim_robot_http_svc.create_robot", |s, r| {
        s.create_robot(r)
    });
    commands.rest("openim_robot_http_svc.delete_robot", |s, r| {
        s.delete_robot(r)
    });
    commands.rest("openim_robot_http_svc.get_all_robots", |state, _| {
        let robots = state
            .world
            .users()
            .filter(|user| user.as_str().starts_with(ROBOT));
        json!({"Robot_Account": robots.collect::<Vec<&UserId>>()})
    });
    commands.rest("im_open_login_svc.account_import", |s, r| {
        s.account_import(r)
    });
    commands.rest("im_open_login_svc.multiaccount_import", |s, r| {
        s.multiaccount_import(r)
    });
    commands.rest("im_open_login_svc.account_check", |s, r| s.account_check(r));
    commands.rest("im_open_login_svc.account_delete", |s, r| {
        s.account_delete(r)
    });
    commands.rest("im_open_login_svc.kick", |s, r| s.kick_account(r));
}

impl State {
    fn kick_account(&mut self, request: &Request<'_>) -> Outcome {
        let user = account_of(request.body)?;
        if !self.world.has_account(&user) {
            return Err(Code::ACCOUNT_UNKNOWN.into());
        }
        self.world.kick_all(request.now, &user, KickType::Rest);
        Ok(json!({}))
    }

    fn account_import(&mut self, request: &Request<'_>) -> Outcome {
        let body = request.body;
        let user = account_of(body)?;
        self.import_with_profile(&user, body)?;
        Ok(json!({}))
    }

    fn import_with_profile(&mut self, user: &UserId, body: &Value) -> Result<(), Refusal> {
        if !self.world.import(user) {
            return Err(Code::ACCOUNT_QUOTA.into());
        }
        for (field, tag) in [
            ("Nick", "Tag_Profile_IM_Nick"),
            ("FaceUrl", "Tag_Profile_IM_Image"),
        ] {
            if let Some(value) = body.get(field) {
                self.set_profile(user, tag, value);
            }
        }
        Ok(())
    }

    fn multiaccount_import(&mut self, request: &Request<'_>) -> Outcome {
        let body = request.body;
        let list = body.get("AccountList").or_else(|| body.get("Accounts"));
        let mut failed = Vec::new();
        for item in bounded(list, MAX_ACCOUNTS, Code::ACCOUNT_PARAMETER)? {
            let name = item.get("UserID").or_else(|| item.get("Identifier"));
            let name = item.as_str().or_else(|| name.and_then(Value::as_str));
            let user = name.and_then(|name| UserId::parse(name).ok());
            let imported = user.is_some_and(|user| self.import_with_profile(&user, item).is_ok());
            if !imported {
                failed.push(name.unwrap_or_default());
            }
        }
        Ok(json!({"FailAccounts": failed}))
    }

    fn account_check(&self, request: &Request<'_>) -> Outcome {
        let body = request.body;
        let items = bounded(body.get("CheckItem"), MAX_ACCOUNTS, Code::ACCOUNT_PARAMETER)?;
        let results: Vec<Value> = items
            .iter()
            .map(|item| match account_of(item) {
                Ok(user) => json!({
                    "UserID": user, "ResultCode": 0, "ResultInfo": "",
                    "AccountStatus": if self.world.has_account(&user) { "Imported" } else { "NotImported" },
                }),
                Err(failed) => failed_item(item, &failed),
            })
            .collect();
        Ok(json!({"ResultItem": results}))
    }

    fn account_delete(&mut self, request: &Request<'_>) -> Outcome {
        let body = request.body;
        let items = bounded(
            body.get("DeleteItem"),
            MAX_ACCOUNTS,
            Code::ACCOUNT_PARAMETER,
        )?;
        let results: Vec<Value> = items
            .iter()
            .map(|item| {
                let done = account_of(item).and_then(|user| {
                    if self.delete_account(&user) {
                        Ok(user)
                    } else {
                        Err(Code::ACCOUNT_UNKNOWN.into())
                    }
                });
                match done {
                    Ok(user) => json!({"UserID": user, "ResultCode": 0, "ResultInfo": ""}),
                    Err(failed) => failed_item(item, &failed),
                }
            })
            .collect();
        Ok(json!({"ResultItem": results}))
    }

    /// Silences an account for a number of seconds; 4,294,967,295 means forever.
    fn silence(&mut self, request: &Request<'_>) -> Outcome {
        let (now, body) = (request.now, request.body);
        let user = text_account(body.get("Set_Account"), Code::ACCOUNT_PARAMETER)?;
        let until = |name: &str| {
            let lasts = number(body.get(name))?;
            Some(match lasts {
                0 => 0,
                lasts if lasts == u64::from(u32::MAX) => u64::MAX,
                lasts => now.unix_secs().saturating_add(lasts),
            })
        };
        let (users, groups) = (
            until("C2CmsgNospeakingTime"),
            until("GroupmsgNospeakingTime"),
        );
        if users.is_none() && groups.is_none() {
            return Err(Code::ACCOUNT_PARAMETER.into());
        }
        let by_app = self.world.by_app_mut(&user).ok_or(Code::ACCOUNT_UNKNOWN)?;
        by_app.silent_to_users = users.unwrap_or(by_app.silent_to_users);
        by_app.silent_in_groups = groups.unwrap_or(by_app.silent_in_groups);
        Ok(json!({}))
    }

    fn silence_of(&self, request: &Request<'_>) -> Outcome {
        let (now, body) = (request.now, request.body);
        let user = text_account(body.get("Get_Account"), Code::ACCOUNT_PARAMETER)?;
        let by_app = self.world.by_app(&user).ok_or(Code::ACCOUNT_UNKNOWN)?;
        let left = |until: u64| match until {
            u64::MAX => u64::from(u32::MAX),
            until => until.saturating_sub(now.unix_secs()),
        };
        Ok(json!({
            "C2CmsgNospeakingTime": left(by_app.silent_to_users),
            "GroupmsgNospeakingTime": left(by_app.silent_in_groups),
        }))
    }

    fn create_robot(&mut self, request: &Request<'_>) -> Outcome {
        let body = request.body;
        let user = account_field(body, "UserID")?;
        if !user.as_str().starts_with(ROBOT) {
            let info = format!("the UserID of a robot begins with {ROBOT}");
            return Err(refusal(Code::ACCOUNT_PARAMETER, info));
        }
        self.import_with_profile(&user, body)?;
        if let Some(words) = body.get("SelfSignature") {
            self.set_profile(&user, "Tag_Profile_IM_SelfSignature", words);
        }
        Ok(json!({}))
    }

    fn delete_robot(&mut self, request: &Request<'_>) -> Outcome {
        let body = request.body;
        let named = body.get("Robot_Account").or_else(|| body.get("UserID"));
        let user = text_account(named, Code::ACCOUNT_PARAMETER)?;
        if !user.as_str().starts_with(ROBOT) || !self.delete_account(&user) {
            return Err(Code::ACCOUNT_UNKNOWN.into());
        }
        Ok(json!({}))
    }
}
