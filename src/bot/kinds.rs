//! The kinds of events that a handler can be for.

use super::event::What;
use super::extract::Kicked;
use crate::proto::message::{Message, NoticeKind, TipKind};
use crate::proto::update::Update;
use std::ops::{BitAnd, BitOr, Not};

/// A set of kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u32);

/// Gives each kind a bit of its own.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "they are numbered like the kinds")]
        enum Number { $($name,)* COUNT }

        impl Kinds {
            $($(#[$doc])* pub(super) const $name: Self = Self(1 << Number::$name as u32);)*
            /// Every kind that a handler can be added for.
            pub(super) const ALL: Self = Self((1 << Number::COUNT as u32) - 1);
        }
    };
}

kinds! {
    /// Messages of somebody with a text.
    TEXT
    /// Other messages of somebody.
    NO_TEXT
    /// Somebody joined a group.
    JOINED
    /// Somebody left a group, or was removed.
    LEFT
    /// Somebody was muted, or may speak again.
    MUTED
    /// The profile of a group changed.
    GROUP_CHANGED
    /// What else happened in a group.
    OTHER_TIP
    /// Somebody wants to join a group, or to bring somebody.
    JOIN_REQUEST
    /// The account was invited to a group.
    INVITED
    /// The account is no longer in a group.
    REMOVED
    /// What else the server tells about groups.
    OTHER_NOTICE
    /// Messages were recalled.
    RECALLED
    /// A message was edited.
    EDITED
    /// The peer has read the conversation.
    READ
    /// Messages that ask for receipts were read.
    RECEIPT
    /// The reactions to a message changed.
    REACTED
    /// Somebody types.
    TYPING
    /// Friends changed.
    FRIENDS
    /// A profile changed.
    PROFILE
    /// Users came online or went offline.
    STATUS
    /// Followers changed.
    FOLLOWS
    /// Other changes of messages and people.
    OTHER_UPDATE
    /// The account is ready for the first time.
    START
    /// The account is ready.
    READY
    /// The account is not ready, and was not kicked.
    AWAY
    /// The account was kicked.
    KICKED
    /// The time for an answer is over.
    LAPSED
    /// The time of an alarm has come.
    ALARM
}

impl Kinds {
    /// What somebody said.
    pub(super) const SAID: Self = Self(Self::TEXT.0 | Self::NO_TEXT.0);
    /// What happened in a group.
    pub(super) const TIP: Self = Self(
        Self::JOINED.0 | Self::LEFT.0 | Self::MUTED.0 | Self::GROUP_CHANGED.0 | Self::OTHER_TIP.0,
    );
    /// What the server tells about groups.
    pub(super) const NOTICE: Self =
        Self(Self::JOIN_REQUEST.0 | Self::INVITED.0 | Self::REMOVED.0 | Self::OTHER_NOTICE.0);
    /// Changes of messages and people.
    pub(super) const UPDATE: Self =
        Self(Self::IN_CONVERSATION.0 | Self::OF_PEOPLE.0 | Self::OTHER_UPDATE.0 | Self::REACTED.0);
    /// Changes that name their conversation.
    pub(super) const IN_CONVERSATION: Self =
        Self(Self::RECALLED.0 | Self::EDITED.0 | Self::READ.0 | Self::RECEIPT.0 | Self::TYPING.0);
    /// Changes of people.
    const OF_PEOPLE: Self =
        Self(Self::FRIENDS.0 | Self::PROFILE.0 | Self::STATUS.0 | Self::FOLLOWS.0);
    /// Everything that comes as a message.
    pub(super) const MESSAGE: Self = Self(Self::SAID.0 | Self::TIP.0 | Self::NOTICE.0);
    /// The account stops being ready.
    pub(super) const NOT_READY: Self = Self(Self::AWAY.0 | Self::KICKED.0);

    /// The kind of an event.
    pub(super) fn of(what: &What) -> Self {
        match what {
            What::Message(message) => Self::of_message(message),
            What::Update(update) => Self::of_update(update),
            What::Start => Self::START,
            What::Ready => Self::READY,
            What::NotReady(cause) if Kicked::by(cause).is_some() => Self::KICKED,
            What::NotReady(_) => Self::AWAY,
            What::Lapsed(_) => Self::LAPSED,
            What::Alarm(_) => Self::ALARM,
        }
    }

    fn of_message(message: &Message) -> Self {
        if let Some(tip) = message.tip() {
            return match tip.kind() {
                TipKind::Joined => Self::JOINED,
                TipKind::Quit | TipKind::Kicked => Self::LEFT,
                TipKind::MemberChanged => Self::MUTED,
                TipKind::ProfileChanged | TipKind::TopicChanged => Self::GROUP_CHANGED,
                _ => Self::OTHER_TIP,
            };
        }
        if let Some(notice) = message.notice() {
            return match notice.kind() {
                NoticeKind::Application | NoticeKind::InviteRequest => Self::JOIN_REQUEST,
                NoticeKind::Invited => Self::INVITED,
                _ if notice.ends_membership() => Self::REMOVED,
                _ => Self::OTHER_NOTICE,
            };
        }
        if message.text().is_some() {
            Self::TEXT
        } else {
            Self::NO_TEXT
        }
    }

    const fn of_update(update: &Update) -> Self {
        match update {
            Update::Recalled { .. } => Self::RECALLED,
            Update::Edited { .. } => Self::EDITED,
            Update::ReadByPeer { .. } => Self::READ,
            Update::C2cReceipt { .. } | Update::GroupReceipt { .. } => Self::RECEIPT,
            Update::Reactions(_) => Self::REACTED,
            Update::Typing { .. } => Self::TYPING,
            Update::Friends(_) => Self::FRIENDS,
            Update::Profile(_) => Self::PROFILE,
            Update::Status(_) => Self::STATUS,
            Update::Follows(_) => Self::FOLLOWS,
            _ => Self::OTHER_UPDATE,
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
