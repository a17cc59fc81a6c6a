//! Shared by friends, blacklist, followers and user status: result rows and REST rights.
//!
//! See "Conversations and people" in docs/src/protocol.md.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    commands::Command,
    proto::{
        code::Code,
        id::UserId,
        op::{ItemResult, UserResults},
    },
    request::{IntoOutcome, Outcome, Refusal, Speaker},
};

/// One row of the answer to a command that takes several accounts.
pub(crate) fn result(user: &UserId, code: Code) -> ItemResult {
    let info = if code == Code::OK { "" } else { code.meaning() };
    ItemResult {
        user: user.clone(),
        code: code.0,
        info: info.to_owned(),
        ..ItemResult::default()
    }
}

/// The answer with these rows.
pub(crate) fn results(items: Vec<ItemResult>) -> Results {
    let failed = items.iter().filter(|row| !row.is_ok());
    Results {
        failed: failed.map(|row| row.user.clone()).collect(),
        all: UserResults { items },
    }
}

/// A result for each account; the failed accounts are listed a second time.
#[derive(Serialize)]
pub(crate) struct Results {
    #[serde(flatten)]
    all: UserResults,
    #[serde(rename = "Fail_Account", skip_serializing_if = "Vec::is_empty")]
    failed: Vec<UserId>,
}

impl IntoOutcome for Results {
    fn into_outcome(self) -> Outcome {
        Ok::<_, Refusal>(self).into_outcome()
    }
}

/// An event that carries one change of relations.
pub(crate) fn relation(change: Value) -> Value {
    json!({"Event": 7, "FriendListMod": Value::Array(vec![change])})
}

/// A command about relations: over REST the app acts for the account in `From_Account` and does not
/// need the other side's consent.
pub(crate) fn of_account(command: &mut Command) -> &mut Command {
    command
        .for_accounts(Code::FRIEND_UNKNOWN_USER)
        .speaks_for(Speaker::Account {
            missing: Code::FRIEND_PARAMETER,
            admin: true,
        })
}
