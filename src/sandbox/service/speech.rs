//! Speech recognition. Nothing listens here: the text is empty.

use serde_json::json;

use crate::commands::Commands;

pub(crate) fn register(commands: &mut Commands) {
    commands
        .socket("im_open_speech.ws_sentence_recognition", |_, _| {
            json!({
                "BytesRequestid": "sandbox", "CmdErrorCode": {"ErrorCode": 0, "ErrorInfo": ""},
                "BytesResult": "",
            })
        })
        .any_body()
        .reads();
}
