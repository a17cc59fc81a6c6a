//! What a handler can take of a change of messages and people.

use crate::bot::event::{Event, FromEvent};
use crate::bot::kinds::Kinds;
use crate::bot::needs::Needs;
use crate::bot::rejection::Skipped;
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Element, Message, MessageRef};
use crate::proto::op::reaction::Reaction;
use crate::proto::update::{
    EditedMessage, FollowChange, FriendChange, ProfileChange, Update, UserStatus,
};
use std::ops::Deref;

/// Messages were recalled: a parameter of [`on_recalled`](crate::bot::Bot::on_recalled) handlers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Recalled {
    /// Where.
    pub conversation: Conversation,
    /// Who recalled them; empty if the server does not say.
    pub by: UserId,
    /// Which: in groups their numbers (`seq`), one to one `seq`, `random` and `time`. What they said is not told;
    /// [`is`](Self::is) knows a message that you have kept.
    pub messages: Vec<MessageRef>,
}

impl Recalled {
    /// Whether the message is one of them.
    #[must_use]
    pub fn is(&self, message: &Message) -> bool {
        let is_one = |one: &MessageRef| {
            one.seq == message.seq
                && (message.conversation.is_group() || one.random == message.random)
        };
        self.conversation == message.conversation && self.messages.iter().any(is_one)
    }
}

/// A message was edited: a parameter of [`on_edited`](crate::bot::Bot::on_edited) handlers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Edited {
    /// Where.
    pub conversation: Conversation,
    /// The message as it is now.
    pub message: EditedMessage,
}

impl Edited {
    /// The text that it has now.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.message
            .elements
            .iter()
            .find_map(|element| match element {
                Element::Text(text) => Some(text.text.as_str()),
                _ => None,
            })
    }

    /// Whether it is this message.
    #[must_use]
    pub fn is(&self, message: &Message) -> bool {
        self.conversation == message.conversation
            && self.message.seq == message.seq
            && (message.conversation.is_group() || self.message.random == message.random)
    }
}

/// The other side has read a one-to-one conversation: a parameter of [`on_read`](crate::bot::Bot::on_read) handlers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Read {
    /// Who has read it.
    pub user: UserId,
    /// Every message of this time and before was read. Unix seconds, by the server's clock.
    pub until: u64,
}

impl Read {
    /// Whether a message of the account to this user was read.
    #[must_use]
    pub fn covers(&self, message: &Message) -> bool {
        message.is_own
            && matches!(&message.conversation, Conversation::C2c(peer) if **peer == *self.user)
            && message.time <= self.until
    }
}

/// Messages that ask for receipts were read: a parameter of [`on_receipt`](crate::bot::Bot::on_receipt) handlers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Receipts {
    /// Where.
    pub conversation: Conversation,
    /// The messages.
    pub messages: Vec<ReadMessage>,
}

/// A message that was read, see [`Receipts`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadMessage {
    /// The number of the message.
    pub seq: u32,
    /// How many have read it; one in one-to-one conversations.
    pub read: u32,
    /// How many have not.
    pub unread: u32,
}

/// The reactions to a message have changed: a parameter of [`on_reaction`](crate::bot::Bot::on_reaction) handlers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reacted {
    /// The message, as far as the server names it: it says neither the conversation nor the text. Keep what you want to
    /// know later, and ask [`is_to`](Self::is_to).
    pub message: MessageRef,
    /// The reactions that have changed, as they are now: one that nobody has any more has the count zero.
    pub reactions: Vec<Reaction>,
}

impl Reacted {
    /// Whether it is a reaction to this message.
    #[must_use]
    pub fn is_to(&self, message: &Message) -> bool {
        match (self.message.terminal_id(), message.terminal_id()) {
            (Some(one), Some(other)) => one == other,
            // What the account has sent itself has no TinyId.
            _ => self.message.random == message.random,
        }
    }
}

/// Somebody types, or has stopped: a parameter of [`on_typing`](crate::bot::Bot::on_typing) handlers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Typing {
    /// Where.
    pub conversation: Conversation,
    /// Who; the account itself when it types on another of its terminals.
    pub user: UserId,
    /// Whether they type.
    pub is_typing: bool,
}

/// Users came online or went offline: a parameter of [`on_status`](crate::bot::Bot::on_status) handlers. The account
/// hears of its friends, and of those that it has [subscribed](crate::bot::UserApi::subscribe_status) to.
#[derive(Clone, Debug, PartialEq)]
pub struct Statuses(Vec<UserStatus>);

impl Deref for Statuses {
    type Target = [UserStatus];

    fn deref(&self) -> &[UserStatus] {
        &self.0
    }
}

macro_rules! change {
    ($($type:ty: $kind:ident, $pattern:pat => $value:expr;)*) => {$(
        impl FromEvent for $type {
            type Rejection = Skipped;

            async fn from_event(event: &Event) -> Result<Self, Skipped> {
                match event.update() {
                    Some($pattern) => Ok($value),
                    _ => Err(Skipped),
                }
            }

            fn needs(needs: &mut Needs) {
                needs.only(Kinds::$kind);
            }
        }
    )*};
}

change! {
    Recalled: RECALLED, Update::Recalled { conversation, by, messages } => Self {
        conversation: conversation.clone(),
        by: by.clone(),
        messages: messages.clone(),
    };
    Edited: EDITED, Update::Edited { conversation, message } => Self {
        conversation: conversation.clone(),
        message: (**message).clone(),
    };
    Read: READ, Update::ReadByPeer { peer, until } => Self {
        user: peer.clone(),
        until: *until,
    };
    Reacted: REACTED, Update::Reactions(change) => Self {
        message: change.message().cloned().unwrap_or_default(),
        reactions: change.reactions.to_vec(),
    };
    Typing: TYPING, Update::Typing { conversation, user, is_typing } => Self {
        conversation: conversation.clone(),
        user: user.clone(),
        is_typing: *is_typing,
    };
    Statuses: STATUS, Update::Status(all) => Self(all.clone());
    FriendChange: FRIENDS, Update::Friends(change) => change.clone();
    ProfileChange: PROFILE, Update::Profile(change) => change.clone();
    FollowChange: FOLLOWS, Update::Follows(change) => change.clone();
}

impl FromEvent for Receipts {
    type Rejection = Skipped;

    async fn from_event(event: &Event) -> Result<Self, Skipped> {
        let messages = match event.update() {
            Some(Update::C2cReceipt { messages, .. }) => {
                let one = |message: &MessageRef| ReadMessage {
                    seq: message.seq,
                    read: 1,
                    unread: 0,
                };
                messages.iter().map(one).collect()
            }
            Some(Update::GroupReceipt { messages, .. }) => {
                let all = messages.iter();
                all.map(|message| ReadMessage {
                    seq: message.seq,
                    read: message.read,
                    unread: message.unread,
                })
                .collect()
            }
            _ => return Err(Skipped),
        };
        let conversation = event.conversation().ok_or(Skipped)?;
        Ok(Self {
            conversation,
            messages,
        })
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::RECEIPT);
    }
}
