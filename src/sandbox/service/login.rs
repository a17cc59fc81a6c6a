//! Commands of a login: log in, log out, and commands that need no login.
//!
//! See "Login" in docs/src/protocol.md.

use crate::{answer::ok, commands::Commands};

pub(crate) fn register(commands: &mut Commands) {
    commands.open("im_open_status.wslogin", |state, now, conn, head, _| {
        if let Some(user) = state.world.log_in(now, conn, head) {
            state.note_presence(now, &user);
        }
    });
    // Succeeds even if the ticket is not valid.
    commands
        .open("im_open_status.wslogout", |state, now, conn, head, _| {
            if let Some(user) = state.world.log_out(head) {
                state.note_presence(now, &user);
            }
            state.world.answer(now, conn, head, ok());
        })
        .reads();
    // An acknowledgement gets no answer.
    commands
        .open("openim.ws_msg_push_ack", |state, _, _, _, _| {
            state.world.counters.acknowledged += 1;
        })
        .reads();
    // Telemetry names no account.
    commands
        .open(
            "imopenstat.tim_web_report_v2",
            |state, now, conn, head, _| {
                state.world.answer(now, conn, head, ok());
            },
        )
        .reads();
}
