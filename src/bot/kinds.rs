//! The kinds of events that a handler can be for.

use super::event::What;
use super::extract::Kicked;
use std::ops::{BitAnd, BitOr, Not};

/// A set of kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u16);

impl Kinds {
    /// Messages of somebody whose first element is a text.
    pub(super) const TEXT: Self = Self(1);
    /// Other messages of somebody.
    pub(super) const NO_TEXT: Self = Self(1 << 1);
    /// What happened in a group.
    pub(super) const TIP: Self = Self(1 << 2);
    /// What the server tells about groups.
    pub(super) const NOTICE: Self = Self(1 << 3);
    /// Changes of messages and people.
    pub(super) const UPDATE: Self = Self(1 << 4);
    /// The account is ready for the first time.
    pub(super) const START: Self = Self(1 << 5);
    /// The account is ready.
    pub(super) const READY: Self = Self(1 << 6);
    /// The account is not ready, and was not kicked.
    pub(super) const AWAY: Self = Self(1 << 7);
    /// The account was kicked.
    pub(super) const KICKED: Self = Self(1 << 8);
    /// The time for an answer is over.
    pub(super) const LAPSED: Self = Self(1 << 9);
    /// The time of an alarm has come.
    pub(super) const ALARM: Self = Self(1 << 10);
    /// Every kind that a handler can be added for.
    pub(super) const ALL: Self = Self((1 << 11) - 1);
    /// What somebody said.
    pub(super) const SAID: Self = Self(Self::TEXT.0 | Self::NO_TEXT.0);
    /// Everything that comes as a message.
    pub(super) const MESSAGE: Self = Self(Self::SAID.0 | Self::TIP.0 | Self::NOTICE.0);
    /// The account stops being ready.
    pub(super) const NOT_READY: Self = Self(Self::AWAY.0 | Self::KICKED.0);

    /// The kind of an event.
    pub(super) fn of(what: &What) -> Self {
        match what {
            What::Message(message) if message.tip().is_some() => Self::TIP,
            What::Message(message) if message.notice().is_some() => Self::NOTICE,
            What::Message(message) if message.text().is_some() => Self::TEXT,
            What::Message(_) => Self::NO_TEXT,
            What::Update(_) => Self::UPDATE,
            What::Start => Self::START,
            What::Ready => Self::READY,
            What::NotReady(cause) if Kicked::by(cause).is_some() => Self::KICKED,
            What::NotReady(_) => Self::AWAY,
            What::Lapsed(_) => Self::LAPSED,
            What::Alarm(_) => Self::ALARM,
        }
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn holds(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitAnd for Kinds {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Kinds {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Not for Kinds {
    type Output = Self;

    fn not(self) -> Self {
        Self(!self.0 & Self::ALL.0)
    }
}
