//! Orders.

use crate::account::{Command, Order, Outlook, Status, Step};
use serde::{Deserialize, Serialize};
use std::fmt;
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
    /// As it is written in a path.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Resume => "resume",
            Self::Relogin => "relogin",
            Self::Quarantine => "quarantine",
            Self::Release => "release",
        }
    }

    /// What it would do to an account.
    pub(in crate::admin) fn outlook(self, status: &Status) -> OrderOutlook {
        let order = match self {
            Self::Hold => Order::Hold,
            Self::Quarantine => Order::Quarantine,
            Self::Resume | Self::Release => Order::Resume,
            Self::Relogin => Order::Relogin,
        };
        let outlook = Outlook::of(order, status.phase);
        OrderOutlook {
            account: status.account.to_string(),
            order: self,
            state: status.phase.word().to_owned(),
            then: outlook.then.word().to_owned(),
            logins: outlook.logins(),
            steps: outlook.steps.iter().map(OrderStep::of).collect(),
            open: status.open,
            refused: outlook.is_refused,
        }
    }

    pub(in crate::admin) const fn command(self) -> Command {
        match self {
            Self::Hold => Command::Hold,
            Self::Resume | Self::Release => Command::Resume,
            Self::Relogin => Command::Relogin,
            Self::Quarantine => Command::Quarantine,
        }
    }
}

/// What an order would do to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderOutlook {
    /// The account.
    pub account: String,
    /// The order.
    pub order: OrderKind,
    /// Where it stands.
    pub state: String,
    /// Where it stands afterwards, when nothing goes wrong.
    pub then: String,
    /// What happens, in this order; empty when nothing does, but for bots that are parked: `resume` and `release` let them
    /// run again.
    pub steps: Vec<OrderStep>,
    /// Full logins that it costs.
    pub logins: usize,
    /// Messages that are with its bots. They are handled all the same.
    pub open: usize,
    /// Whether it is refused: the account stays away until somebody resumes it.
    pub refused: bool,
}

/// Something that an order does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStep {
    /// It logs out.
    LogsOut,
    /// It gives up the login that is under way.
    GivesUp,
    /// It stays away until somebody resumes it.
    StaysAway,
    /// What it remembers of failures and kicks is forgotten.
    Forgets,
    /// It logs in as soon as the governor lets it.
    LogsIn,
    /// It replaces its login by one with a new UserSig, and stays online.
    Renews,
    /// Something that this version has no word for.
    Other,
}

impl OrderStep {
    const fn of(step: &Step) -> Self {
        match step {
            Step::LogsOut => Self::LogsOut,
            Step::GivesUp => Self::GivesUp,
            Step::StaysAway => Self::StaysAway,
            Step::Forgets => Self::Forgets,
            Step::LogsIn => Self::LogsIn,
            Step::Renews => Self::Renews,
            _ => Self::Other,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::LogsOut => "it logs out",
            Self::GivesUp => "it gives up the login that is under way",
            Self::StaysAway => "it stays away until somebody resumes it",
            Self::Forgets => "what it remembers of failures and kicks is forgotten",
            Self::LogsIn => "it logs in as soon as the governor lets it",
            Self::Renews => "it logs in anew with a new UserSig and stays online",
            Self::Other => "something that this version has no word for",
        }
    }
}

impl fmt::Display for OrderOutlook {
    /// As people read it, in a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}: ", self.account, self.state)?;
        if self.refused {
            return write!(f, "refused, it stays away until somebody resumes it");
        }
        if self.steps.is_empty() {
            return write!(f, "nothing changes");
        }
        let steps: Vec<&str> = self.steps.iter().map(|step| step.text()).collect();
        write!(f, "{}; then it is {}", steps.join(", "), self.then)?;
        match self.open {
            0 => Ok(()),
            1 => write!(f, " (1 message is with its bots, and is handled)"),
            open => write!(f, " ({open} messages are with its bots, and are handled)"),
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
