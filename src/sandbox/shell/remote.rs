//! Reaches a running sandbox from elsewhere.

use std::sync::Arc;

use secrecy::SecretString;

use super::USER_SIG_LIFETIME;
use super::hub::Shared;
use crate::{
    policy::Now,
    proto::{code::Code, id::UserId, usersig},
    state::{Fault, FaultError, GroupItem, HistoryItem, State},
};

/// Changes a running sandbox, from any thread. Cheap to clone; after the sandbox has stopped nothing happens.
#[derive(Clone, Debug)]
pub struct SandboxRemote(pub(super) Arc<Shared>);

impl SandboxRemote {
    /// Creates an account if it does not exist. Returns false if the account limit is reached.
    pub fn import(&self, user: &UserId) -> bool {
        let mut state = self.0.lock();
        state.note_change();
        state.import(user)
    }

    /// Sends a text as `from`, who does not have to be online.
    ///
    /// # Errors
    /// The code a client would get.
    pub fn say(&self, from: &UserId, to: &UserId, text: &str) -> Result<String, Code> {
        self.with(|state, now| state.say(now, from, to, text))
    }

    /// Everything stored between two accounts, oldest first.
    pub fn history(&self, a: &UserId, b: &UserId) -> Vec<HistoryItem> {
        self.0.lock().history(a, b)
    }

    /// The messages and tips stored in a group, oldest first.
    pub fn group_history(&self, group: &str) -> Vec<GroupItem> {
        self.0.lock().group_history(group)
    }

    /// A new file address for `user`, as a client would get it, without the origin of the server. `None` if the account
    /// does not exist.
    pub fn media_path(&self, user: &UserId, name: &str) -> Option<String> {
        self.with(|state, now| state.media_address(now, user, name))
    }

    /// Applies a fault.
    ///
    /// # Errors
    /// [`FaultError`] if the account does not exist or a value is out of range.
    pub fn fault(&self, fault: Fault) -> Result<(), FaultError> {
        self.with(|state, now| state.fault(now, fault))
    }

    /// Executes a REST call as the first administrator, without HTTP, e.g.
    /// `group_open_http_svc/create_group`. Returns its answer.
    pub fn administer(&self, command: &str, body: &serde_json::Value) -> serde_json::Value {
        self.with(|state, now| {
            let administrator = state.config().administrators.first().cloned();
            let Some(administrator) = administrator else {
                return state.rest(now, command, &[], b"").json;
            };
            let (app, key) = (state.config().app, &state.config().key);
            let lifetime = USER_SIG_LIFETIME;
            let sig = usersig::sign(app, key, &administrator, now.unix_secs(), lifetime);
            let query = [
                ("sdkappid", app.get().to_string()),
                ("identifier", administrator.to_string()),
                ("usersig", sig.expose().to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value));
            let path = format!("/v4/{command}");
            state
                .rest(now, &path, &query, body.to_string().as_bytes())
                .json
        })
    }

    /// Calls the state with the current time, and lets the server send the resulting output.
    pub(super) fn with<T>(&self, call: impl FnOnce(&mut State, Now) -> T) -> T {
        let now = self.0.now();
        let result = {
            let mut state = self.0.lock();
            state.note_change();
            let result = call(&mut state, now);
            self.0.adjust_clock(&state);
            result
        };
        self.0.touched.notify_one();
        result
    }

    /// Replaces the SecretKey of the app: from now on only UserSigs made with this one are taken. Accounts that are
    /// online stay so, as they do at the service.
    pub fn set_key(&self, key: SecretString) {
        self.0.lock().set_key(key);
    }
}
