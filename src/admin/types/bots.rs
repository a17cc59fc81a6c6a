//! Bots, and who runs them.

use crate::bot::BotDeeds;
use serde::{Deserialize, Serialize};
use std::time::Duration;
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Bots {
    /// In the order in which the program knows them.
    pub bots: Vec<BotOfFleet>,
}

/// A bot of the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BotOfFleet {
    /// Its name.
    pub bot: String,
    /// How many accounts run it.
    pub accounts: usize,
    /// What its handlers have done, over all accounts; null for a token of some accounts only.
    #[schema(required)]
    pub handlers: Option<HandlersOf>,
}

/// What the handlers of a bot have done since the process started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HandlersOf {
    /// How many began.
    pub begun: u64,
    /// How many ended well.
    pub done: u64,
    /// How many returned an error, panicked or took too long.
    pub failed: u64,
    /// How many were stopped because something newer came.
    pub cancelled: u64,
    /// How many were left because their thread hung.
    pub left: u64,
    /// How many run.
    pub running: u64,
    /// How many messages and updates wait for one.
    pub waiting: usize,
    /// The time within which half of them ended, in milliseconds, and at most 1.42 times as much; null before any ended.
    #[schema(required)]
    pub p50_ms: Option<f64>,
    /// The same for 99 of 100.
    #[schema(required)]
    pub p99_ms: Option<f64>,
    /// How long the longest took, in milliseconds.
    pub longest_ms: f64,
}

impl HandlersOf {
    /// What they have done, while so much waits.
    #[must_use]
    pub fn new(deeds: &BotDeeds, waiting: usize) -> Self {
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        Self {
            begun: deeds.begun,
            done: deeds.done,
            failed: deeds.failed,
            cancelled: deeds.cancelled,
            left: deeds.left,
            running: deeds.running(),
            waiting,
            p50_ms: deeds.within(0.5).map(millis),
            p99_ms: deeds.within(0.99).map(millis),
            longest_ms: millis(deeds.longest()),
        }
    }
}

/// A bot of the program, and the last mistakes of its handlers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BotInDetail {
    /// The bot.
    #[serde(flatten)]
    pub bot: BotOfFleet,
    /// The last mistakes, the newest first; ten at most.
    pub mistakes: Vec<MistakeOf>,
}

/// A handler that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MistakeOf {
    /// When, in Unix seconds.
    pub at: u64,
    /// On which account.
    pub account: String,
    /// Which handler.
    pub handler: String,
    /// What it said.
    pub text: String,
}
