//! Stands for traces in a build without the feature `otlp`. Everything is nothing, and is optimised away.

use crate::config::Config;
use crate::policy::Now;
use crate::proto::message::{Conversation, Message};
use std::time::Duration;

/// Where traces go: nowhere.
#[derive(Clone, Debug, Default)]
pub struct Traces(());

/// There are no spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceCounts {}

/// Nothing is traced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spot(());

/// Whose span it would be.
#[allow(dead_code, reason = "the traces of the feature read it")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) account: &'a str,
    pub(crate) bot: &'a str,
}

/// A handler.
#[derive(Debug, Default)]
pub(crate) struct Handling(());

/// A message that is being sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sending(());

/// Where something that a handler does belongs.
#[derive(Clone, Debug, Default)]
pub(crate) struct TracePoint(());

impl Spot {
    pub(crate) const NONE: Self = Self(());

    pub(crate) const fn or(self, _: Self) -> Self {
        self
    }
}

impl Handling {
    pub(crate) const fn spot(&self) -> Spot {
        Spot(())
    }
}

impl TracePoint {
    pub(crate) fn new(_: Traces, _: Spot, _: &'static str) -> Self {
        Self(())
    }

    pub(crate) const fn sending(&self) -> Sending {
        Sending(())
    }

    pub(crate) fn sent(
        &self,
        _: Sending,
        _: &str,
        _: &Conversation,
        _: Result<impl FnOnce() -> String, impl FnOnce() -> String>,
    ) {
    }
}

impl Traces {
    pub(crate) const fn start(_: &Config) -> Self {
        Self(())
    }

    pub(crate) const fn counts(&self) -> Option<TraceCounts> {
        None
    }

    #[expect(clippy::unused_async, reason = "sending with the feature takes time")]
    pub(crate) async fn finish(&self) {}

    pub(crate) const fn draw(&self, _: Now) -> Spot {
        Spot(())
    }

    pub(crate) fn received(
        &self,
        _: Spot,
        _: Now,
        _: impl FnOnce() -> Now,
        _: (&str, &Message, usize),
    ) {
    }

    pub(crate) const fn handling(&self, _: Spot, _: &[Spot], _: Duration) -> Handling {
        Handling(())
    }

    pub(crate) fn began(&self, _: &mut Handling, _: impl FnOnce() -> Now, _: Place<'_>) {}

    pub(crate) fn handled(
        &self,
        _: Handling,
        _: impl FnOnce() -> Now,
        _: (Place<'_>, &str, Option<&Message>),
        _: Option<&'static str>,
    ) {
    }

    pub(crate) fn sending(&self, _: Spot, _: impl FnOnce() -> Now) -> Sending {
        Sending(())
    }

    pub(crate) fn sent(
        &self,
        _: Sending,
        _: impl FnOnce() -> Now,
        _: (Place<'_>, &Conversation),
        _: Result<impl FnOnce() -> String, impl FnOnce() -> String>,
    ) {
    }
}
