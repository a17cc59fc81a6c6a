//! Bots, and who runs them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The bots of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BotsOfAccount {
    /// The account.
    pub account: String,
    /// The names of the bots that it runs, in their order.
    pub bots: Vec<String>,
    /// The names of all bots that it could run.
    pub known: Vec<String>,
}

/// The bots that an account is to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BotList {
    /// Their names, in their order.
    pub bots: Vec<String>,
}

/// All bots of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bots {
    /// In the order in which the program knows them.
    pub bots: Vec<BotOfFleet>,
}

/// A bot of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BotOfFleet {
    /// Its name.
    pub bot: String,
    /// How many accounts run it.
    pub accounts: usize,
}
