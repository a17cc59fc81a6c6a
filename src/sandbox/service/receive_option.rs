//! Receive options: notification modes of conversations, and do-not-disturb. The sandbox sends no
//! notifications; it stores the options and pushes them to the other logins.
//!
//! See "Conversations and people" in docs/src/protocol.md.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    commands::Commands,
    proto::{
        code::Code,
        id::UserId,
        op::{
            Done,
            receive_option::{DoNotDisturb, GetMuteOption, MuteOptions, MuteState, SetMuteOption},
        },
    },
    request::Request,
    service::c2c_message::item::notice,
    state::State,
};

pub(crate) fn register(commands: &mut Commands) {
    commands.socket("openim.set_c2c_peer_mute_notifications", |s, r| {
        s.set_mute(r)
    });
    commands
        .socket("openim.get_c2c_peer_mute_notifications", |s, r| s.mutes(r))
        .reads();
    commands.socket("im_msg_db_logic.ws_set_do_not_disturb", |s, r| {
        s.set_do_not_disturb(r)
    });
    commands
        .socket("im_msg_db_logic.ws_get_do_not_disturb", |s, r| {
            s.do_not_disturb(r)
        })
        .any_body()
        .reads();
}

/// Event 24: the do-not-disturb setting has changed.
#[derive(Serialize)]
struct Changed {
    #[serde(rename = "Event")]
    event: u8,
    #[serde(flatten)]
    quiet: DoNotDisturb,
}

impl State {
    /// `im_msg_db_logic.ws_set_do_not_disturb`.
    fn set_do_not_disturb(&mut self, request: &Request<'_>) -> Result<Done, Code> {
        let (now, caller) = (request.now, request.caller);
        let quiet: DoNotDisturb = request.read(Code::C2C_BAD_PACKET)?;
        if let Some(account) = self.world.accounts.get_mut(&caller.user) {
            account.quiet = Some(quiet);
        }
        let event = Changed { event: 24, quiet };
        let conns = self.world.push_links(now, &caller.user, caller.instance);
        self.world.push_to_all(now, conns, &event);
        Ok(Done)
    }

    /// `im_msg_db_logic.ws_get_do_not_disturb`.
    fn do_not_disturb(&self, request: &Request<'_>) -> Result<DoNotDisturb, Code> {
        let account = self.world.accounts.get(&request.caller.user);
        Ok(account
            .and_then(|account| account.quiet)
            .unwrap_or_default())
    }

    /// `openim.set_c2c_peer_mute_notifications`.
    fn set_mute(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, caller) = (request.now, request.caller);
        let asked: SetMuteOption = request.read(Code::C2C_BAD_PACKET)?;
        let mute = asked.option;
        for peer in asked
            .peers
            .iter()
            .filter_map(|peer| UserId::parse(peer).ok())
        {
            let Some(state) = self.peer_mut(caller, &peer) else {
                continue;
            };
            state.mute = mute.into();
            let event = notice(json!({"MuteNotificationsSync": {
                "To_Account": peer, "MuteNotifications": mute,
            }}));
            let conns = self.world.push_links(now, &caller.user, caller.instance);
            self.world.push_to_all(now, conns, &event);
        }
        Ok(json!({"ErrorList": []}))
    }

    /// `openim.get_c2c_peer_mute_notifications`.
    fn mutes(&self, request: &Request<'_>) -> Result<MuteOptions, Code> {
        let asked: GetMuteOption = request.read(Code::C2C_BAD_PACKET)?;
        let account = self.world.accounts.get(&request.caller.user);
        let of = |peer: String| {
            let state = UserId::parse(&peer).ok();
            let state = state.and_then(|peer| account?.peers.get(&peer));
            MuteState {
                option: state.map_or(0, |state| u32::try_from(state.mute).unwrap_or(0)),
                peer,
                ..MuteState::default()
            }
        };
        Ok(MuteOptions {
            items: asked.peers.into_iter().map(of).collect(),
        })
    }
}
