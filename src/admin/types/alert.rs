//! Alerts and silences.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What fires, and what is kept quiet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertList {
    /// What fires.
    pub alerts: Vec<AlertOf>,
    /// The silences, in the order in which they were made.
    pub silences: Vec<SilenceOf>,
}

/// An alert that fires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertOf {
    /// What it is about: `share`, `quarantined`, `contested`, `held`, `user_sig`, `outbox`, `disk`, `store` or `crash`.
    pub rule: String,
    /// The account, if it is about one.
    #[schema(required)]
    pub account: Option<String>,
    /// What happened, and what a person can do.
    pub text: String,
    /// Since when, in Unix seconds.
    pub since: u64,
    /// Until when nobody is told of it, in Unix seconds; null if it is not kept quiet.
    #[schema(required)]
    pub silenced_until: Option<u64>,
    /// The names of the receivers that are told of it.
    pub receivers: Vec<String>,
}

/// Some alerts are kept quiet for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SilenceOf {
    /// Its number.
    pub number: u64,
    /// Those of this rule; null for every one.
    #[schema(required)]
    pub rule: Option<String>,
    /// Those of this account, or of those that begin like this, with a `*`; null for everything.
    #[schema(required)]
    pub account: Option<String>,
    /// Until when, in Unix seconds.
    pub until: u64,
    /// Why.
    pub reason: String,
    /// Who has made it.
    pub by: String,
}

/// A silence to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSilence {
    /// Of alerts of this rule; every one, if nothing is said.
    #[serde(default)]
    pub rule: Option<String>,
    /// Of this account, or of those that begin like this, with a `*`; everything, if nothing is said.
    #[serde(default)]
    pub account: Option<String>,
    /// For how long, like `2h`: a minute to 30 days.
    #[serde(rename = "for")]
    pub long: String,
    /// Why, for others who look.
    #[serde(default)]
    pub reason: String,
}
