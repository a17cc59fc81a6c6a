//! What the services read from the REST calls of the app.
//!
//! See "REST" in docs/src/protocol.md.

use serde_json::Value;

use crate::{
    proto::{code::Code, id::UserId},
    request::{Refusal, refusal},
};

/// The most accounts in one call of the message commands.
pub(crate) const MAX_RECIPIENTS: usize = 500;

/// The REST code for a socket code, where the two differ.
pub(crate) const fn rest_code(code: Code) -> Code {
    match code {
        Code::C2C_UNKNOWN_USER => Code::REST_ACCOUNT_UNKNOWN,
        Code::MESSAGE_TOO_LONG => Code::REST_TOO_LONG,
        Code::C2C_BAD_PACKET => Code::REST_BODY,
        other => other,
    }
}

pub(crate) fn bounded(
    list: Option<&Value>,
    limit: usize,
    code: Code,
) -> Result<&Vec<Value>, Refusal> {
    list.and_then(Value::as_array)
        .filter(|items| !items.is_empty() && items.len() <= limit)
        .ok_or_else(|| refusal(code, format!("expected a list of 1 to {limit} accounts")))
}

pub(crate) fn text_account(value: Option<&Value>, code: Code) -> Result<UserId, Refusal> {
    let text = value.and_then(Value::as_str).ok_or(code)?;
    UserId::parse(text).map_err(|error| refusal(code, error.to_string()))
}

pub(crate) fn number(value: Option<&Value>) -> Option<u64> {
    value.and_then(Value::as_u64)
}
