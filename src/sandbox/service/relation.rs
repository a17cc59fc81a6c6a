//! What friends, the blacklist, follows and user status share: rows of answers, and the terms of their commands.

use serde_json::{Value, json};

use crate::{
    commands::{Command, Speaker},
    proto::{code::Code, id::UserId},
    world::ok_with,
};

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
