//! What a reload does.

use crate::app::{Action, Plan};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a reload does, or has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReloadPlan {
    /// The accounts that change: those of the new config in its order, then those that stop.
    pub accounts: Vec<ReloadStep>,
    /// Keys of the whole fleet that change while it runs.
    pub fleet: Vec<String>,
    /// Keys that only a restart of the process changes. With any of them a reload is refused as a whole.
    pub needs_restart: Vec<String>,
    /// How many accounts stay as they are.
    pub unchanged: usize,
    /// Full logins that it costs.
    pub logins: usize,
    /// How long those take at the pace of the governor, in whole seconds.
    pub login_seconds: u64,
    /// All of it, as `botroupe plan` prints it.
    pub text: String,
}

/// What happens to one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReloadStep {
    /// Its UserID.
    pub account: String,
    /// What happens.
    pub action: ReloadAction,
    /// The keys of the config that cause it.
    pub because: Vec<String>,
}

/// What happens to an account in a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReloadAction {
    /// It logs in.
    Start,
    /// Its handlers finish, and it logs out.
    Stop,
    /// It stays logged in, and moves to a new link.
    Relink,
    /// It stays online, and changes in place.
    Change,
}

impl From<Plan> for ReloadPlan {
    fn from(plan: Plan) -> Self {
        let text = plan.to_string();
        let accounts = plan.accounts.into_iter().map(|step| ReloadStep {
            account: step.account.to_string(),
            action: match step.action {
                Action::Start => ReloadAction::Start,
                Action::Stop => ReloadAction::Stop,
                Action::Relink => ReloadAction::Relink,
                Action::Change => ReloadAction::Change,
            },
            because: step.because,
        });
        Self {
            accounts: accounts.collect(),
            fleet: plan.fleet,
            needs_restart: plan.needs_restart,
            unchanged: plan.unchanged,
            logins: plan.logins,
            login_seconds: plan.login_seconds,
            text,
        }
    }
}
