//! Receive options: how conversations announce their messages, and when an account is not to be disturbed.
//! Nothing in the sandbox notifies anybody, so the options are kept and told to the other logins.

use serde_json::{Value, json};

use crate::{
    commands::{Commands, Request},
    service::{c2c_message::item::notice, fields::user_ids},
    state::State,
    world::{ok, ok_with},
};

/// The fields of "do not disturb".
const QUIET: [&str; 4] = ["Level", "StartTime", "EndTime", "IsRepeated"];

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

impl State {
    /// `im_msg_db_logic.ws_set_do_not_disturb`. Nothing here notifies anybody, so it is only kept, and
    /// told to the account's other logins.
    pub(crate) fn set_do_not_disturb(&mut self, request: &Request<'_>) -> Value {
        let (now, caller, body) = request.parts();
        let numbers = QUIET.iter().map(|name| {
            let number = body.get(*name).and_then(Value::as_u64).unwrap_or(0);
            ((*name).to_owned(), Value::from(number))
        });
        let quiet = Value::Object(numbers.collect());
        let mut event = quiet.clone();
        event["Event"] = 24.into();
        if let Some(account) = self.world.accounts.get_mut(&caller.user) {
            account.quiet = Some(quiet);
        }
        self.world.tell(now, &caller.user, caller.instance, &event);
        ok()
    }

    /// `im_msg_db_logic.ws_get_do_not_disturb`.
    pub(crate) fn do_not_disturb(&self, request: &Request<'_>) -> Value {
        let caller = request.caller;
        let account = self.world.accounts.get(&caller.user);
        let quiet = account.and_then(|account| account.quiet.clone());
        ok_with(quiet.unwrap_or_else(|| {
            json!({
                "Level": 0, "StartTime": 0, "EndTime": 0, "IsRepeated": 0,
            })
        }))
    }

    /// `openim.set_c2c_peer_mute_notifications`.
    pub(crate) fn set_mute(&mut self, request: &Request<'_>) -> Value {
        let (now, caller, body) = request.parts();
        let mute = body
            .get("Mute_Notifications")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        for peer in user_ids(body.get("Peer_Account")) {
            let Some(state) = self.peer_mut(caller, &peer) else {
                continue;
            };
            state.mute = mute;
            let event = notice(json!({"MuteNotificationsSync": {
                "To_Account": peer, "MuteNotifications": mute,
            }}));
            let conns = self.world.push_links(now, &caller.user, caller.instance);
            self.world.push_to_all(now, conns, &event);
        }
        ok_with(json!({"ErrorList": []}))
    }

    /// `openim.get_c2c_peer_mute_notifications`.
    pub(crate) fn mutes(&self, request: &Request<'_>) -> Value {
        let (caller, body) = (request.caller, request.body);
        let account = self.world.accounts.get(&caller.user);
        let items: Vec<Value> = user_ids(body.get("Peer_Account"))
            .iter()
            .map(|peer| {
                let state = account.and_then(|account| account.peers.get(peer));
                json!({
                    "Peer_Account": peer,
                    "MuteNotifications": state.map_or(0, |state| state.mute),
                })
            })
            .collect();
        ok_with(json!({"MuteNotificationsList": items}))
    }
}
