//! What methods of the API take for a conversation and for a message. The traits are there for what the compiler says
//! when something does not fit.

use crate::proto::message::{Conversation, Draft};

/// What names a conversation: a [`Conversation`], or a `&Message` that was said there. Everything that converts into a
/// [`Conversation`] does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a conversation",
    label = "not a conversation",
    note = "write `Conversation::c2c(\"alice\")` for a user and `Conversation::group(\"@TGS#1\")` for a group, or give the `&Message` that was said there: a text alone could be the ID of either"
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
