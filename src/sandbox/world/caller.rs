//! Who makes a request.

use crate::proto::id::UserId;

/// On whose behalf a command is carried out.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) user: UserId,
    /// The login it comes from; zero for a request that was signed by itself, a REST call or an internal one.
    pub(crate) instance: u64,
    /// The app itself, over REST: no permission and no consent is asked for.
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

    /// The login of the caller if it is this account; zero for everybody else.
    pub(crate) fn instance_if(&self, user: &UserId) -> u64 {
        if *user == self.user { self.instance } else { 0 }
    }

    /// The app, in the name of this account.
    pub(crate) const fn app(user: UserId) -> Self {
        Self {
            user,
            instance: 0,
            admin: true,
        }
    }
}
