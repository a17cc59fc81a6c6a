//! Talks with accounts in their embedded server, as a test user.

use super::line::Line;
use super::sandbox::{self, Remote};
use crate::proto::id::UserId;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a test does to an account in the embedded server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Another web client logs in.
    MultipleAccount,
    /// Another terminal logs in.
    MultipleDevice,
    /// An administrator throws it out.
    RestApiKick,
    /// Its UserSig is over.
    UserSigExpired,
    /// Its link is cut.
    DropLink,
    /// The server says nothing for a minute.
    StopAnswering,
}

/// An account in its embedded server.
#[derive(Clone, Debug)]
pub struct TalkDesk {
    line: Arc<Line>,
    account: UserId,
}

/// Something that was said, by whom and as elements in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// Who has said it.
    pub from: String,
    /// When, in Unix seconds; 0 in groups.
    pub at: u64,
    /// The elements in JSON.
    pub body: String,
}

/// The embedded server has refused something; its words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox refused it: {0}")]
pub struct Refused(pub String);

impl TalkDesk {
    /// Of this account; `None` when it has no embedded server.
    pub(super) fn new(line: Arc<Line>, account: UserId) -> Option<Self> {
        line.sandbox.is_some().then_some(Self { line, account })
    }

    fn with<T>(&self, ask: impl FnOnce(&Remote) -> T) -> Result<T, Refused> {
        let remote = self.line.sandbox.as_ref();
        remote
            .map(ask)
            .ok_or_else(|| Refused("it has ended".to_owned()))
    }

    /// Where files of the server are: its origin for HTTP.
    #[must_use]
    pub fn origin(&self) -> String {
        self.line.walk.current().replacen("ws", "http", 1)
    }

    /// Does something to the account.
    ///
    /// # Errors
    /// When the server does not know it.
    pub fn trouble(&self, kind: Trouble) -> Result<(), Refused> {
        self.with(|remote| sandbox::trouble(remote, &self.account, kind))?
            .map_err(Refused)
    }

    /// What a user and the account have said to each other, oldest first.
    ///
    /// # Errors
    /// When the server has ended.
    pub fn history(&self, user: &UserId) -> Result<Vec<Spoken>, Refused> {
        let said = self.with(|remote| sandbox::history(remote, user, &self.account))?;
        let spoken = said.into_iter().map(|(from, at, body)| Spoken {
            from: from.to_string(),
            at,
            body,
        });
        Ok(spoken.collect())
    }

    /// What was said in a group of the account, oldest first; what the server itself says there is left out.
    ///
    /// # Errors
    /// When the server has ended.
    pub fn group_history(&self, group: &str) -> Result<Vec<Spoken>, Refused> {
        let about = json!({"GroupId": group, "User_Account": [self.account]});
        let command = "group_open_http_svc/get_role_in_group";
        let role = self.with(|remote| remote.administer(command, &about))?;
        let role = role["UserIdList"][0]["Role"].as_str().map(str::to_owned);
        if role.is_none_or(|role| role == "NotMember") {
            return Ok(Vec::new());
        }
        let said = self.with(|remote| sandbox::group_history(remote, group))?;
        let said = said.into_iter().filter(|(from, _)| from != "@TIM#SYSTEM");
        let spoken = said.map(|(from, body)| Spoken { from, at: 0, body });
        Ok(spoken.collect())
    }

    /// Says these elements as a user, to the account or in a group. The user is made when they are not there, and so is
    /// the group, with both in it.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn say(&self, user: &UserId, group: Option<&str>, elements: &Value) -> Result<(), Refused> {
        self.with(|remote| remote.import(user))?;
        let random = fastrand::u32(..);
        let Some(group) = group else {
            return self.ask(
                "openim/sendmsg",
                &json!({
                    "SyncOtherMachine": 2, "From_Account": user, "To_Account": self.account,
                    "MsgRandom": random, "MsgBody": elements,
                }),
            );
        };
        self.join(user, group)?;
        self.ask(
            "group_open_http_svc/send_group_msg",
            &json!({
                "GroupId": group, "From_Account": user, "Random": random, "MsgBody": elements,
            }),
        )
    }

    /// Has a group with a user and the account in it.
    fn join(&self, user: &UserId, group: &str) -> Result<(), Refused> {
        let both = json!([{"Member_Account": user}, {"Member_Account": self.account}]);
        let about = json!({"GroupIdList": [group]});
        let known =
            self.with(|remote| remote.administer("group_open_http_svc/get_group_info", &about))?;
        if known["GroupInfo"][0]["ErrorCode"] == 0 {
            let add = json!({"GroupId": group, "MemberList": both});
            return self.ask("group_open_http_svc/add_group_member", &add);
        }
        self.ask(
            "group_open_http_svc/create_group",
            &json!({
                "Owner_Account": user, "Type": "Work", "GroupId": group, "Name": group, "MemberList": both,
            }),
        )
    }

    fn ask(&self, command: &str, body: &Value) -> Result<(), Refused> {
        let answer = self.with(|remote| remote.administer(command, body))?;
        match answer["ErrorCode"].as_i64() {
            Some(0) => Ok(()),
            code => {
                let code = code.unwrap_or_default();
                let words = answer["ErrorInfo"].as_str().unwrap_or_default();
                Err(Refused(format!("{code} {words}")))
            }
        }
    }

    /// An address where a file of a user may be put once, and is from then on.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn file_address(&self, user: &UserId, name: &str) -> Result<String, Refused> {
        let path = self.with(|remote| {
            remote.import(user);
            remote.media_path(user, name)
        })?;
        let path = path.ok_or_else(|| Refused("it makes no more accounts".to_owned()))?;
        Ok(format!("{}{path}", self.origin()))
    }
}
