//! Traces: what happens to one message, from its frame to the answers, as spans of OpenTelemetry that go to a collector.
//!
//! A message that is drawn gets a [`Spot`], which goes with it through lines, handlers, the ledger and the outbox of
//! replies; each of them tells [`Traces`] of its span when that has ended. Spans go into a queue of a fixed size; where
//! that is full they are dropped and counted, so that a collector holds up no account. What a span says is
//! [`span`](self), how it is written [`encode`](self), how it is sent [`export`](self).

#[cfg(feature = "otlp")]
mod encode;
#[cfg(feature = "otlp")]
mod export;
#[cfg(feature = "otlp")]
mod span;
#[cfg_attr(not(feature = "otlp"), path = "none.rs")]
mod tracer;

pub(crate) use tracer::{Handling, Place, Sending, Spot, TracePoint};
pub use tracer::{TraceCounts, Traces};

use crate::config::Config;

/// Whether the traces of the config are in this build.
#[must_use]
pub const fn is_able(config: &Config) -> bool {
    cfg!(feature = "otlp") || config.traces.is_none()
}
