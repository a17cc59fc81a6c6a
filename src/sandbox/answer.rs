//! The bodies of answers: success, success with fields, failure.
//!
//! See "Envelope" in docs/src/protocol.md.

use serde::Serialize;
use serde_json::{Value, json};

use crate::proto::code::Code;

/// The body of a success without further fields.
pub(crate) fn ok() -> Value {
    json!({"ActionStatus": "OK", "ErrorCode": 0, "ErrorInfo": ""})
}

/// [`ok`] for frequent answers: nothing is built for it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Success {
    action_status: &'static str,
    error_code: u8,
    error_info: &'static str,
}

impl Success {
    pub(crate) const OK: Self = Self {
        action_status: "OK",
        error_code: 0,
        error_info: "",
    };
}

/// The body of a success with the fields of `extra`, which must be an object.
pub(crate) fn ok_with(extra: Value) -> Value {
    let mut body = ok();
    if let (Value::Object(body), Value::Object(extra)) = (&mut body, extra) {
        body.extend(extra);
        // Both status fields agree, whatever `extra` sets.
        if body.get("ErrorCode").is_some_and(|code| *code != 0) {
            body.insert("ActionStatus".to_owned(), "FAIL".into());
        }
    }
    body
}

/// The body of a failure.
pub(crate) fn failure(code: Code) -> Value {
    json!({"ActionStatus": "FAIL", "ErrorCode": code.0, "ErrorInfo": code.name()})
}
