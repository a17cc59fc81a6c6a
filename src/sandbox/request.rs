//! A command in execution, and its outcome.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    policy::Now,
    proto::code::Code,
    world::{Caller, ConnId},
};

/// A command in execution.
pub(crate) struct Request<'a> {
    pub(crate) now: Now,
    pub(crate) caller: &'a Caller,
    /// The client's connection; `None` for a REST call.
    pub(crate) conn: Option<ConnId>,
    /// The service in the request; group commands have four.
    pub(crate) service: &'a str,
    /// The body, an object; `Null` for a command that reads [`text`](Self::text).
    pub(crate) body: &'a Value,
    /// The body as it was sent.
    pub(crate) text: &'a str,
}

impl<'a> Request<'a> {
    /// The time, the caller and the body.
    pub(crate) const fn parts(&self) -> (Now, &'a Caller, &'a Value) {
        (self.now, self.caller, self.body)
    }

    /// Parses the body as a request of `proto::op`; fails with the code `unreadable`.
    pub(crate) fn read<T: Deserialize<'a>>(&self, unreadable: Code) -> Result<T, Code> {
        T::deserialize(self.body).map_err(|_| unreadable)
    }

    /// Returns true for a group command that was sent to the service of the Communities.
    pub(crate) fn is_about_communities(&self) -> bool {
        self.service.starts_with("million_")
    }
}

/// Why a command is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    /// The text of a REST answer; `None` uses the meaning of the code.
    pub(crate) info: Option<String>,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, info: None }
    }
}

/// A refusal with a text that is more specific than the code.
pub(crate) fn refusal(code: Code, info: String) -> Refusal {
    Refusal {
        code,
        info: Some(info),
    }
}

/// The fields of an answer, or the reason for a refusal.
pub(crate) type Outcome = Result<Value, Refusal>;

/// What a handler may return.
pub(crate) trait IntoOutcome {
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for Value {
    fn into_outcome(self) -> Outcome {
        Ok(self)
    }
}

impl<T: Serialize, E: Into<Refusal>> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Outcome {
        let answer = self.map_err(Into::into)?;
        // Serialization only fails for maps with non-string keys, and no answer has one.
        Ok(serde_json::to_value(answer).unwrap_or_default())
    }
}

/// The account for which the app acts in a REST call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Speaker {
    /// The app itself.
    App,
    /// The account in `From_Account`.
    Account {
        /// The code if the field is missing.
        missing: Code,
        /// The call has the rights of the app, not only those of the account.
        admin: bool,
    },
}
