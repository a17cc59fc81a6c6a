//! Where the handlers of a bot run: on the thread of their account, or on threads of their own.

use super::figures::BotFigures;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A first poll that takes no longer earns trust.
pub(super) const QUICK: Duration = Duration::from_millis(1);
/// The quick polls after which a bot is trusted.
const TRUSTED: u32 = 16;
/// The most trust that a bot collects.
const MOST: u32 = 64;
/// The trust that a poll costs which is not quick: a machine that is busy for a moment makes a good bot slow.
const COST: u32 = 16;

/// How much a bot is kept apart from everything else in the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Isolation {
    /// Its handlers begin on the thread of their account, and leave it when they wait for something. The
    /// quickest way; a handler that computes for long, or blocks, holds up the other accounts of that thread.
    Inline,
    /// On threads of its own until it has shown that it is quick, then as [`Inline`](Self::Inline), and back
    /// when it holds its thread for too long.
    #[default]
    Auto,
    /// Always on threads of its own.
    Pool,
}

/// A text that names no [`Isolation`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("isolation is one of \"inline\", \"auto\" and \"pool\"{remark}")]
pub struct IsolationError {
    remark: &'static str,
}

impl FromStr for Isolation {
    type Err = IsolationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "inline" => Ok(Self::Inline),
            "auto" => Ok(Self::Auto),
            "pool" => Ok(Self::Pool),
            "process" => Err(IsolationError {
                remark: "; a process for each bot is not there yet",
            }),
            _ => Err(IsolationError { remark: "" }),
        }
    }
}

/// Where a handler begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On the thread of its account.
    Here,
    /// On a bot thread.
    Pool,
}

/// What is known of how long the polls of a bot take, over all accounts of the process, and what its handlers have done.
#[derive(Debug, Default)]
pub(super) struct Trust(AtomicU32, Arc<BotFigures>);

impl Trust {
    /// Where the handlers of a bot with this isolation begin.
    pub(super) fn place(&self, isolation: Isolation) -> Place {
        let is_here = match isolation {
            Isolation::Inline => true,
            Isolation::Auto => self.0.load(Ordering::Relaxed) >= TRUSTED,
            Isolation::Pool => false,
        };
        if is_here { Place::Here } else { Place::Pool }
    }

    /// What the handlers of the bot have done.
    pub(super) const fn figures(&self) -> &Arc<BotFigures> {
        &self.1
    }

    /// A poll of the bot has held its thread for so long.
    pub(super) fn note(&self, held: Duration) {
        let trust = self.0.load(Ordering::Relaxed);
        let next = if held <= QUICK {
            trust.saturating_add(1).min(MOST)
        } else {
            trust.saturating_sub(COST)
        };
        // Two threads that note at the same time may count as one.
        if next != trust {
            self.0.store(next, Ordering::Relaxed);
        }
    }

    /// A poll of the bot has held its thread for much too long. Returns whether that costs it its place.
    pub(super) fn lose(&self) -> bool {
        self.0.swap(0, Ordering::Relaxed) >= TRUSTED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_earns_its_place_and_loses_it() {
        let trust = Trust::default();
        assert_eq!(trust.place(Isolation::Inline), Place::Here);
        for _ in 0..TRUSTED {
            assert_eq!(trust.place(Isolation::Auto), Place::Pool);
            trust.note(QUICK);
        }
        assert_eq!(trust.place(Isolation::Auto), Place::Here);
        assert_eq!(trust.place(Isolation::Pool), Place::Pool);
        for _ in 0..100 {
            trust.note(Duration::ZERO);
        }
        // A busy machine makes one poll slow; a slow bot is slow each time.
        trust.note(2 * QUICK);
        assert_eq!(trust.place(Isolation::Auto), Place::Here);
        for _ in 0..3 {
            trust.note(2 * QUICK);
        }
        assert_eq!(trust.place(Isolation::Auto), Place::Pool);
        for _ in 0..100 {
            trust.note(Duration::ZERO);
        }
        assert!(trust.lose() && !trust.lose());
        assert_eq!(trust.place(Isolation::Auto), Place::Pool);
    }

    #[test]
    fn a_name_that_is_none_is_refused_with_those_there_are() {
        assert_eq!("pool".parse(), Ok(Isolation::Pool));
        for text in ["", "Pool", "process"] {
            let error = text.parse::<Isolation>().unwrap_err().to_string();
            assert!(error.contains("\"auto\""), "{error}");
        }
    }
}
