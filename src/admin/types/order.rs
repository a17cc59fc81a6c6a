//! Orders.

use crate::account::Command;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An order to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// What to do.
    pub order: OrderKind,
}

/// What an account can be ordered to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// Log out and stay offline.
    Hold,
    /// Come back, for whatever reason it is offline.
    Resume,
    /// Replace the login by one with a new UserSig.
    Relogin,
    /// Log out and stay offline, marked as broken.
    Quarantine,
    /// Come back from quarantine.
    Release,
}

impl OrderKind {
    pub(in crate::admin) const fn command(self) -> Command {
        match self {
            Self::Hold => Command::Hold,
            Self::Resume | Self::Release => Command::Resume,
            Self::Relogin => Command::Relogin,
            Self::Quarantine => Command::Quarantine,
        }
    }
}

/// It is done, or will be as soon as the account gets to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// Always true.
    pub done: bool,
}

impl Done {
    /// It is.
    pub(in crate::admin) const DONE: Self = Self { done: true };
}
