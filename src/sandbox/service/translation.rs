//! Translations. There is no translator here, so every text is its own translation.

use serde_json::{Value, json};

use crate::{commands::Commands, state::State, world::ok_with};

pub(crate) fn register(commands: &mut Commands) {
    commands
        .socket("im_open_translate.ws_batch_trans_text", |_, r| {
            State::translation(r.body)
        })
        .reads();
}

impl State {
    /// `im_open_translate.ws_batch_trans_text`: there is no translator here, so every text is its
    /// own translation.
    pub(crate) fn translation(body: &Value) -> Value {
        let texts = body.get("SourceText").cloned().unwrap_or_else(|| json!([]));
        ok_with(json!({
            "RequestId": "sandbox", "CmdErrorCode": {"ErrorCode": 0, "ErrorInfo": ""},
            "TargetText": texts,
        }))
    }
}
