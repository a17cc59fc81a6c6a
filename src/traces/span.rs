//! What a span says.

use std::borrow::Cow;
use std::time::Duration;

/// How a span stands to other services, with the numbers of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Internal = 1,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(Cow<'static, str>),
    Number(i64),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

/// A span that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) trace: u128,
    pub(super) id: u64,
    pub(super) parent: Option<u64>,
    pub(super) name: Cow<'static, str>,
    pub(super) kind: Kind,
    /// Since the Unix epoch.
    pub(super) start: Duration,
    /// Since the Unix epoch.
    pub(super) end: Duration,
    pub(super) attributes: Vec<(&'static str, Value)>,
    /// Why it failed, as `error.type` has it.
    pub(super) error: Option<Cow<'static, str>>,
    /// Spans of other traces that it goes on with.
    pub(super) links: Vec<(u128, u64)>,
}
