//! The list of conversations, and acting in one of them.

use super::message::SYSTEM;
use super::user::check_user;
use super::{Api, ApiError, IntoConversation, IntoDraft, Sending, count};
use crate::proto::message::{Conversation, Message};
use crate::proto::op::MAX_PAGES;
use crate::proto::op::conversation::ClearHistory;
use crate::proto::op::conversation::Delete;
use crate::proto::op::conversation::GetConversations;
use crate::proto::op::conversation::Listed;
use crate::proto::op::conversation::MAX_CONVERSATIONS;
use crate::proto::op::conversation::Mark;
use crate::proto::op::conversation::Pin;
use crate::proto::op::{Contact, GroupField};

/// Acts in one conversation, see [`Api::conversation`].
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn tidy(message: Message, api: Api) -> Result<(), ApiError> {
///     let here = api.conversation(&message);
///     here.clear_history().await?;
///     here.send("All gone.").await?;
///     Ok(())
/// }
/// # let _ = Bot::new("tidy").on_text(tidy);
/// ```
#[derive(Clone, Debug)]
pub struct ConversationApi<'a> {
    api: &'a Api,
    conversation: Conversation,
}

impl Api {
    /// Acts in a conversation: that of a user (`Conversation::c2c("alice")`, a [`UserId`](crate::id::UserId)), of a
    /// group (`Conversation::group("@TGS#1")`, a [`GroupId`](crate::id::GroupId)), or where a `&Message` was said.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn star(conversation: Conversation, api: Api) -> Result<(), ApiError> {
    ///     api.conversation(conversation).mark(&[0], &[]).await
    /// }
    /// # let _ = Bot::new("b").on_text(star);
    /// ```
    pub fn conversation(&self, conversation: impl IntoConversation) -> ConversationApi<'_> {
        ConversationApi {
            api: self,
            conversation: conversation.into_conversation(),
        }
    }

    /// All conversations of the account with their last message, in the server's order.
    ///
    /// # Errors
    /// When a page could not be fetched.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn count(api: Api) -> Result<String, ApiError> {
    ///     Ok(format!("I talk with {} people and groups.", api.conversations().await?.len()))
    /// }
    /// # let _ = Bot::new("b").on_text(count);
    /// ```
    pub async fn conversations(&self) -> Result<Vec<Listed>, ApiError> {
        let mut all = Vec::new();
        let mut request = GetConversations::new(self.me());
        for _ in 0..MAX_PAGES {
            let page = self.call(&request).await?;
            let is_last = page.complete == 1 || page.items.is_empty();
            request = request.after(&page);
            all.extend(page.items);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// Removes several conversations from the list, 100 at most, as [`ConversationApi::delete`] does.
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first one that the server did not delete; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn clean(api: Api) -> Result<(), ApiError> {
    ///     let old = ["alice", "bob"].map(Conversation::c2c);
    ///     api.delete_conversations(old, false).await
    /// }
    /// # let _ = Bot::new("b").on_start(clean);
    /// ```
    pub async fn delete_conversations(
        &self,
        conversations: impl IntoIterator<Item = Conversation>,
        clear: bool,
    ) -> Result<(), ApiError> {
        let contacts: Vec<Contact> = conversations
            .into_iter()
            .map(|conversation| contact(&conversation, GroupField::ToGroupid))
            .collect::<Result<_, _>>()?;
        count(contacts.len(), "conversations", MAX_CONVERSATIONS)?;
        let delete = Delete::new(self.me(), contacts, clear);
        let results = self.call(&delete).await?.items;
        ApiError::of_items(&results, "a conversation")
    }
}

impl<'a> ConversationApi<'a> {
    pub(super) const fn api(&self) -> &'a Api {
        self.api
    }

    /// The conversation, if its ID can be one.
    pub(super) fn checked(&self) -> Result<&Conversation, ApiError> {
        check(&self.conversation)?;
        Ok(&self.conversation)
    }

    fn contact(&self, field: GroupField) -> Result<Contact, ApiError> {
        contact(&self.conversation, field)
    }

    /// Which conversation it is.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # fn example(api: &Api, message: &Message) {
    /// assert_eq!(api.conversation(message).id(), &message.conversation);
    /// # }
    /// ```
    #[must_use]
    pub const fn id(&self) -> &Conversation {
        &self.conversation
    }

    /// Sends a message there: a [`Draft`](crate::message::Draft), an element, several elements, or a text.
    ///
    /// # Errors
    /// As [`Api::send`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn announce(api: Api) -> Result<(), ApiError> {
    ///     api.conversation(Conversation::group("@TGS#1")).send("Lunch!").await?;
    ///     Ok(())
    /// }
    /// # let _ = Bot::new("cook").on_ready(announce);
    /// ```
    pub fn send(&self, draft: impl IntoDraft) -> Sending<'a> {
        let to = self.checked().cloned();
        Sending::new(self.api, to.map(|to| (to, draft.into_draft())))
    }

    /// Sends a message there and returns it, for [`Api::message`]; of a text that is too long for one message, the
    /// last one.
    ///
    /// # Errors
    /// As [`Api::send`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn vote(message: Message, api: Api) -> Result<(), ApiError> {
    ///     let said = api.conversation(&message).say("Pizza today?").await?;
    ///     api.message(&said).react("[ok]").await
    /// }
    /// # let _ = Bot::new("cook").on_text(vote);
    /// ```
    pub async fn say(&self, draft: impl IntoDraft) -> Result<Message, ApiError> {
        let to = self.checked()?.clone();
        self.api.say(to, draft).await
    }

    /// Pins the conversation to the top of the list.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn keep_on_top(message: Message, api: Api) -> Result<(), ApiError> {
    ///     api.conversation(&message).pin().await
    /// }
    /// # let _ = Bot::new("b").on_text(keep_on_top);
    /// ```
    pub async fn pin(&self) -> Result<(), ApiError> {
        self.set_pinned(true).await
    }

    /// Unpins the conversation.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn let_go(message: Message, api: Api) -> Result<(), ApiError> {
    ///     api.conversation(&message).unpin().await
    /// }
    /// # let _ = Bot::new("b").on_text(let_go);
    /// ```
    pub async fn unpin(&self) -> Result<(), ApiError> {
        self.set_pinned(false).await
    }

    async fn set_pinned(&self, pin: bool) -> Result<(), ApiError> {
        let contact = self.contact(GroupField::GroupId)?;
        let pin = Pin::new(self.api.me(), contact, pin);
        self.api.call(&pin).await?;
        Ok(())
    }

    /// Removes the conversation from the list; with `clear` also its history, for this account only. The next
    /// message brings the conversation back.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn forget(message: Message, api: Api) -> Result<(), ApiError> {
    ///     api.conversation(&message).delete(true).await
    /// }
    /// # let _ = Bot::new("b").on_text(forget);
    /// ```
    pub async fn delete(&self, clear: bool) -> Result<(), ApiError> {
        let conversation = self.conversation.clone();
        self.api.delete_conversations([conversation], clear).await
    }

    /// Clears the history of the conversation, for this account only.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn forget(message: Message, api: Api) -> Result<(), ApiError> {
    ///     api.conversation(&message).clear_history().await
    /// }
    /// # let _ = Bot::new("b").on_text(forget);
    /// ```
    pub async fn clear_history(&self) -> Result<(), ApiError> {
        let contact = self.contact(GroupField::ToGroupid)?;
        let clear = ClearHistory::new(self.api.me(), contact);
        self.api.call(&clear).await?;
        Ok(())
    }

    /// Sets marks of the conversation by their bits, and clears others: 0 star, 1 unread, 2 folded, 3
    /// hidden, 32 to 63 the app's own.
    ///
    /// # Errors
    /// When the server refused it; not every edition offers this.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn star(message: Message, api: Api) -> Result<(), ApiError> {
    ///     api.conversation(&message).mark(&[0], &[2, 3]).await
    /// }
    /// # let _ = Bot::new("b").on_text(star);
    /// ```
    pub async fn mark(&self, set: &[u32], clear: &[u32]) -> Result<(), ApiError> {
        let contact = self.contact(GroupField::ToGroupId)?;
        let mark = Mark::bits(self.api.me(), contact, set.to_vec(), clear.to_vec());
        let results = self.api.call(&mark).await?.items;
        ApiError::of_items(&results, "the conversation")
    }

    /// Stores data of the app (256 bytes at most) with the conversation, for this account only.
    ///
    /// # Errors
    /// When the server refused it; not every edition offers this.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn ticket(message: Message, api: Api) -> Result<(), ApiError> {
    ///     api.conversation(&message).set_data("ticket 17").await
    /// }
    /// # let _ = Bot::new("b").on_text(ticket);
    /// ```
    pub async fn set_data(&self, data: impl Into<String>) -> Result<(), ApiError> {
        let contact = self.contact(GroupField::ToGroupId)?;
        let mark = Mark::custom(self.api.me(), contact, data);
        let results = self.api.call(&mark).await?.items;
        ApiError::of_items(&results, "the conversation")
    }
}

/// Refuses a conversation with what cannot be an ID.
fn check(conversation: &Conversation) -> Result<(), ApiError> {
    match conversation {
        Conversation::C2c(peer) => check_user(peer),
        Conversation::Group(group) => Ok(group.check()?),
        _ => Ok(()),
    }
}

pub(super) fn contact(conversation: &Conversation, field: GroupField) -> Result<Contact, ApiError> {
    check(conversation)?;
    Contact::new(conversation, field).ok_or(SYSTEM)
}
