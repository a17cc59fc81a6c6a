//! Speech recognition: always answers with an empty text.
//!
//! See "Sandbox choices" in docs/src/protocol.md.

use crate::{
    commands::Commands,
    proto::{code::Code, op::speech::Recognised},
};

pub(crate) fn register(commands: &mut Commands) {
    commands
        .socket("im_open_speech.ws_sentence_recognition", |_, _| {
            Ok::<_, Code>(Recognised::default())
        })
        .any_body()
        .reads();
}
