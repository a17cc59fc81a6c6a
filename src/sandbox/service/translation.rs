//! Translation: returns every text unchanged.
//!
//! See "Sandbox choices" in docs/src/protocol.md.

use crate::{
    commands::Commands,
    proto::{
        code::Code,
        op::translation::{Translate, Translated},
    },
};

pub(crate) fn register(commands: &mut Commands) {
    commands
        .socket("im_open_translate.ws_batch_trans_text", |_, r| {
            let Translate { texts, .. } = r.read(Code::C2C_BAD_PACKET)?;
            Ok::<_, Code>(Translated {
                texts,
                ..Translated::default()
            })
        })
        .reads();
}
