//! What the API is given of the alerts.

use super::types::{AlertList, SilenceOf};
use botroupe_core::alerts::Rule;
use futures_util::future::BoxFuture;
use std::fmt;
use std::time::Duration;

/// Shows the alerts of a fleet, and keeps them quiet. Each answer is `None` when nobody watches any more.
pub trait AlertBoard: fmt::Debug + Send + Sync {
    /// What fires, and the silences.
    fn told(&self) -> BoxFuture<'static, Option<AlertList>>;

    /// Keeps some alerts quiet for a while; says how, or nothing if too many silences last.
    fn silence(&self, new: Silencing) -> BoxFuture<'static, Option<Option<SilenceOf>>>;

    /// Ends a silence; says what it was, or nothing if there was none of this number.
    fn unsilence(&self, number: u64) -> BoxFuture<'static, Option<Option<SilenceOf>>>;
}

/// A silence that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silencing {
    /// Of this rule; `None` for every one.
    pub rule: Option<Rule>,
    /// Of this account, or of those that begin like this, with a `*`; `None` for everything.
    pub account: Option<String>,
    /// For how long.
    pub long: Duration,
    /// Why.
    pub reason: String,
    /// Who asks.
    pub by: String,
}
