//! What methods of the API take for a conversation, a user, a group and a message. The traits are there for what the
//! compiler says when something does not fit.

use super::message::Named;
use crate::proto::id::{GroupId, UserId};
use crate::proto::message::{Conversation, Draft, Message, MessageId};
use std::sync::Arc;

/// What names a conversation: a [`Conversation`], a [`UserId`], a [`GroupId`], or a `&Message` that was said there.
/// Everything that converts into a [`Conversation`] does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a conversation",
    label = "not a conversation",
    note = "write `Conversation::c2c(\"alice\")` for a user and `Conversation::group(\"@TGS#1\")` for a group, or give a `UserId`, a `GroupId`, or the `&Message` that was said there: a text alone could be the ID of either"
)]
pub trait IntoConversation {
    /// The conversation.
    fn into_conversation(self) -> Conversation;
}

#[diagnostic::do_not_recommend]
impl<T: Into<Conversation>> IntoConversation for T {
    fn into_conversation(self) -> Conversation {
        self.into()
    }
}

/// What names a user: a text, a [`UserId`], or a `&Sender`. Everything that converts into a [`UserId`] does.
///
/// Whether it can be the ID of a user at all is checked by the method that uses it, which fails with
/// [`ApiError::Id`](super::ApiError::Id).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a user",
    label = "not the ID of a user",
    note = "give a `UserId`, a text with a UserID, or a `&Sender`; a `GroupId` belongs to `api.group(…)`"
)]
pub trait IntoUserId {
    /// The UserID.
    fn into_user_id(self) -> UserId;
}

#[diagnostic::do_not_recommend]
impl<T: Into<UserId>> IntoUserId for T {
    fn into_user_id(self) -> UserId {
        self.into()
    }
}

/// What names a group, or a topic of a community: a text, a [`GroupId`], or a `&Group`. Everything that converts into
/// a [`GroupId`] does.
///
/// Whether it can be the ID of a group at all is checked by the method that uses it, which fails with
/// [`ApiError::Id`](super::ApiError::Id).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a group",
    label = "not the ID of a group",
    note = "give a `GroupId`, a text with a GroupID, or a `&Group`; a `UserId` belongs to `api.user(…)`"
)]
pub trait IntoGroupId {
    /// The GroupID.
    fn into_group_id(self) -> GroupId;
}

#[diagnostic::do_not_recommend]
impl<T: Into<GroupId>> IntoGroupId for T {
    fn into_group_id(self) -> GroupId {
        self.into()
    }
}

/// What names a message: a `&Message`, or a [`MessageId`] that was kept.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a message",
    label = "not a message",
    note = "give the `&Message`, or its ID: `message.id()`"
)]
pub trait IntoMessage {
    /// What is known of the message.
    #[doc(hidden)]
    fn into_named(self) -> Named;
}

impl IntoMessage for &Message {
    fn into_named(self) -> Named {
        Named::of(self)
    }
}

impl IntoMessage for &Arc<Message> {
    fn into_named(self) -> Named {
        Named::of(self)
    }
}

impl IntoMessage for MessageId {
    fn into_named(self) -> Named {
        Named::by_id(self)
    }
}

impl IntoMessage for &MessageId {
    fn into_named(self) -> Named {
        Named::by_id(self.clone())
    }
}

/// What can be sent: a [`Draft`], an [`Element`](crate::proto::message::Element), several of them, or a text. Everything
/// that converts into a [`Draft`] does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    label = "not a message",
    note = "send a text (`&str` or `String`; of a number, `.to_string()`), a `Draft`, an `Element` or a `Vec` of them"
)]
pub trait IntoDraft {
    /// The message.
    fn into_draft(self) -> Draft;
}

#[diagnostic::do_not_recommend]
impl<T: Into<Draft>> IntoDraft for T {
    fn into_draft(self) -> Draft {
        self.into()
    }
}
