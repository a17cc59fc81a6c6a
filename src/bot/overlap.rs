//! What happens when somebody writes again while a bot is busy with them.

use crate::config::parse_duration;
use std::str::FromStr;
use std::time::Duration;

/// What happens when the same person writes again, in the same conversation, while a handler of theirs runs or before it
/// has begun. Messages are lost under none of these. Commands are never merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overlap {
    /// One message after the other, in order.
    #[default]
    Queue,
    /// Waits until the person has been silent for so long (at most ten times that), and hands over everything they have
    /// written at once: [`Text`](super::Text) holds the texts on lines of their own, [`Messages`](super::Messages) all
    /// messages. The handler's message is the last of them.
    Burst(Duration),
    /// The newest message ends the handler that runs for the one before: it is stopped where it waits, and what it has
    /// not sent yet is not sent. The next call gets the messages of both, as [`Burst`](Self::Burst) does.
    Latest,
    /// Handlers run beside each other, up to 16 in a conversation. Their answers may overtake each other.
    Parallel,
}

/// A text that names no [`Overlap`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "overlap is one of \"queue\", \"burst 1500ms\" (any time up to a minute), \"latest\" and \"parallel\""
)]
pub struct OverlapError;

/// The longest time that a burst waits for.
const LONGEST: Duration = Duration::from_secs(60);

impl FromStr for Overlap {
    type Err = OverlapError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "queue" => Ok(Self::Queue),
            "latest" => Ok(Self::Latest),
            "parallel" => Ok(Self::Parallel),
            other => {
                let time = other.strip_prefix("burst ").ok_or(OverlapError)?;
                let time = parse_duration(time).map_err(|_| OverlapError)?;
                (time <= LONGEST)
                    .then_some(Self::Burst(time))
                    .ok_or(OverlapError)
            }
        }
    }
}

impl Overlap {
    /// How long to wait for more, and whether messages are merged at all.
    pub(super) const fn merges(self) -> Option<Duration> {
        match self {
            Self::Burst(time) => Some(time),
            Self::Latest => Some(Duration::ZERO),
            Self::Queue | Self::Parallel => None,
        }
    }
}
