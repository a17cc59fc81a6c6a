//! The rules, each with its name.

use std::fmt;

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Accounts are away: fewer are online than there should be, for some time.
    Share,
    /// An account needs to be mended before it can come back.
    Quarantined,
    /// Somebody else keeps taking the place of an account.
    Contested,
    /// An account stays away until an order, although no operator of this fleet said so.
    Held,
    /// The source of an account's UserSigs gives none.
    UserSig,
    /// Messages cannot be sent, and there are more and more of them.
    Outbox,
    /// The disk of the store is nearly full.
    Disk,
    /// The store cannot be written or read.
    Store,
    /// The process was started again after an end that was not orderly.
    Crash,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 9] = [
        Self::Share,
        Self::Quarantined,
        Self::Contested,
        Self::Held,
        Self::UserSig,
        Self::Outbox,
        Self::Disk,
        Self::Store,
        Self::Crash,
    ];

    /// The name, as it is written in a config and in messages for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Quarantined => "quarantined",
            Self::Contested => "contested",
            Self::Held => "held",
            Self::UserSig => "user_sig",
            Self::Outbox => "outbox",
            Self::Disk => "disk",
            Self::Store => "store",
            Self::Crash => "crash",
        }
    }

    /// The rule of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
