//! The account or app that makes a request.
//!
//! See "REST" in docs/src/protocol.md.

use crate::proto::id::UserId;

/// The caller of a command.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) user: UserId,
    /// InstId of the calling login; zero for REST calls and internal calls.
    pub(crate) instance: u64,
    /// The caller is the app itself (REST): permission and consent checks are skipped.
    pub(crate) admin: bool,
}

impl Caller {
    /// An account that acts without a login.
    pub(crate) const fn of(user: UserId) -> Self {
        Self {
            user,
            instance: 0,
            admin: false,
        }
    }

    /// The InstId of the caller if `user` is the caller; otherwise zero.
    pub(crate) fn instance_if(&self, user: &UserId) -> u64 {
        if *user == self.user { self.instance } else { 0 }
    }

    /// The app, acting in the name of `user`.
    pub(crate) const fn app(user: UserId) -> Self {
        Self {
            user,
            instance: 0,
            admin: true,
        }
    }
}
