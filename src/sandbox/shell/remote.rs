//! Reaches a running sandbox from elsewhere.

use std::sync::Arc;

use secrecy::SecretString;

use super::hub::Shared;
use crate::{
    proto::{code::Code, id::UserId},
    state::HistoryItem,
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
        let now = self.0.now();
        let said = {
            let mut state = self.0.lock();
            state.note_change();
            let said = state.say(now, from, to, text);
            self.0.adjust_clock(&state);
            said
        };
        self.0.touched.notify_one();
        said
    }

    /// Everything stored between two accounts, oldest first.
    pub fn history(&self, a: &UserId, b: &UserId) -> Vec<HistoryItem> {
        self.0.lock().history(a, b)
    }

    /// Replaces the SecretKey of the app: from now on only UserSigs made with this one are taken. Accounts that are
    /// online stay so, as they do at the service.
    pub fn set_key(&self, key: SecretString) {
        self.0.lock().set_key(key);
    }
}
