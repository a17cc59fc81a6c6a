//! Messages that were sent: recall, edit, delete, history, read.

use super::{Api, ApiError, IntoConversation, IntoDraft, count};
use crate::proto::address::GroupAddress;
use crate::proto::message::{Conversation, Draft, DraftError, Message};
use crate::proto::op::c2c_message;
use crate::proto::op::c2c_message::Edited;
use crate::proto::op::group_message;

/// Messages that [`Api::history`] fetches at most.
const MAX_HISTORY: usize = 10_000;

pub(super) const SYSTEM: ApiError =
    ApiError::Unfit("what the server says is in no conversation of its own");

/// Refuses messages of several conversations.
pub(super) fn one_conversation(messages: &[Message]) -> Result<&Conversation, ApiError> {
    let mut conversations = messages.iter().map(|message| &message.conversation);
    let first = conversations
        .next()
        .ok_or(ApiError::Unfit("the list is empty"))?;
    if conversations.all(|other| other == first) {
        Ok(first)
    } else {
        Err(ApiError::Unfit("the messages are of several conversations"))
    }
}

/// An edit, of either kind of conversation.
enum Edit {
    C2c(c2c_message::Edit),
    Group(group_message::Edit),
}

impl Edit {
    fn new(message: &Message, draft: Draft) -> Result<Self, ApiError> {
        let elements = if draft.elements.is_empty() {
            None
        } else {
            draft.check()?;
            if let Some(element) = draft.elements.iter().find(|e| !e.is_editable()) {
                return Err(DraftError::NotSendable(element.msg_type().to_owned()).into());
            }
            Some(draft.elements)
        };
        let cloud = draft.cloud_custom_data;
        match &message.conversation {
            Conversation::C2c(_) => {
                let edit = c2c_message::Edit::new(message, elements, cloud);
                Ok(Self::C2c(edit))
            }
            Conversation::Group(group) => {
                let edit = group_message::Edit::new(&**group, message, elements, cloud);
                Ok(Self::Group(edit))
            }
            _ => Err(SYSTEM),
        }
    }
}

impl Edit {
    /// The message is as it was edited.
    fn follow(self, message: &mut Message, answer: &Edited) {
        // A server that does not say the version counts all the same.
        message.version = answer.version.max(message.version.saturating_add(1));
        let (elements, cloud) = match self {
            Self::C2c(edit) => edit.into_content(),
            Self::Group(edit) => edit.into_content(),
        };
        message.cloud_custom_data = cloud;
        if let Some(elements) = elements {
            message.elements = elements;
        }
    }
}

impl Api {
    /// Recalls a message of this account, or, as owner or administrator of a group, one of another member.
    /// Possible for two minutes, unless the console says otherwise.
    ///
    /// # Errors
    /// [`Code::C2C_RECALL_WINDOW`](crate::proto::code::Code::C2C_RECALL_WINDOW) or
    /// [`GROUP_RECALL_WINDOW`](crate::proto::code::Code::GROUP_RECALL_WINDOW) when it is too late;
    /// [`ApiError::Unfit`] for a one-to-one message of the other side, and for notices.
    pub async fn recall(&self, message: &Message) -> Result<(), ApiError> {
        match &message.conversation {
            Conversation::C2c(_) if !message.is_own => {
                Err(ApiError::Unfit("only own messages can be recalled"))
            }
            Conversation::C2c(_) => {
                self.call(&c2c_message::Recall::new(message)).await?;
                Ok(())
            }
            Conversation::Group(group) => {
                let recall = group_message::Recall::new(&**group, &[message.seq]);
                let results = self.call(&recall).await?.results;
                ApiError::of_items(&results, &format!("message {}", message.seq))
            }
            _ => Err(SYSTEM),
        }
    }

    /// Edits a message of this account, or a one-to-one message of the other side. `draft` replaces the whole
    /// content, custom data included; mentions and options stay. Text,
    /// custom, face and location elements can be changed; with a draft without elements only the
    /// custom data changes, which is possible for every message.
    ///
    /// `message` is then as it was edited, and can be edited again. Others hear of it as
    /// [`Update::Edited`](crate::proto::update::Update::Edited); who comes later sees the message as it is at last.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn count(message: Message, api: Api) -> Result<(), ApiError> {
    ///     let mut said = api.say(&message, "3").await?;
    ///     api.edit(&mut said, "2").await?;
    ///     api.edit(&mut said, "1").await?;
    ///     Ok(())
    /// }
    /// # let _ = Bot::new("countdown").on_text(count);
    /// ```
    ///
    /// # Errors
    /// [`ApiError::Conflict`] with the current version when `message` is an older one;
    /// [`ApiError::Draft`] for content that cannot be sent or edited. `message` stays as it was.
    pub async fn edit(
        &self,
        message: &mut Message,
        draft: impl IntoDraft,
    ) -> Result<Edited, ApiError> {
        let edit = Edit::new(message, draft.into_draft())?;
        let edited = match &edit {
            Edit::C2c(edit) => self.call(edit).await?,
            Edit::Group(edit) => self.call(edit).await?,
        };
        edit.follow(message, &edited);
        Ok(edited)
    }

    /// The newest `count` messages of a conversation, oldest first; fewer when there are no more.
    /// Recalled messages are included and marked; so are the tips of a group.
    ///
    /// # Errors
    /// When a page could not be fetched; [`ApiError::TooMany`] for more than 10,000.
    pub async fn history(
        &self,
        conversation: impl IntoConversation,
        count: usize,
    ) -> Result<Vec<Message>, ApiError> {
        let conversation = conversation.into_conversation();
        self::count(count, "messages", MAX_HISTORY)?;
        match &conversation {
            Conversation::C2c(peer) => self.c2c_history(peer, count).await,
            Conversation::Group(group) => self.group_history(group, None, count).await,
            _ => Err(SYSTEM),
        }
    }

    async fn c2c_history(&self, peer: &str, count: usize) -> Result<Vec<Message>, ApiError> {
        let mut newest_first: Vec<Message> = Vec::new();
        let mut request = c2c_message::GetHistory::newest(peer, c2c_message::PAGE);
        loop {
            let page = self.call(&request).await?;
            let is_last = page.complete || page.items.is_empty();
            request = request.before(&page, c2c_message::PAGE);
            newest_first.extend(page.messages(self.user()).into_iter().rev());
            if is_last || newest_first.len() >= count {
                newest_first.truncate(count);
                newest_first.reverse();
                return Ok(newest_first);
            }
        }
    }

    /// Messages of a group at and below the number `upper`, oldest first.
    pub(super) async fn group_history(
        &self,
        group: &str,
        mut upper: Option<u32>,
        count: usize,
    ) -> Result<Vec<Message>, ApiError> {
        let mut newest_first: Vec<Message> = Vec::new();
        while newest_first.len() < count && upper != Some(0) {
            let request = group_message::GetHistory::new(group, upper, group_message::PAGE);
            let page = self.call(&request).await?;
            // The server lists gaps as entries, so a page without entries is the end of the history.
            let Some(lowest) = page.lowest() else { break };
            let is_last = page.finished == Some(2) || upper.is_some_and(|upper| lowest > upper);
            newest_first.extend(page.messages(group, self.user()));
            if is_last {
                break;
            }
            upper = Some(lowest.saturating_sub(1));
        }
        newest_first.truncate(count);
        newest_first.reverse();
        Ok(newest_first)
    }

    /// Reports a conversation as read up to and including this message. The account itself reports messages
    /// that the bot has handled.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::Unfit`] for notices.
    pub async fn mark_read(&self, message: &Message) -> Result<(), ApiError> {
        match &message.conversation {
            Conversation::C2c(peer) => {
                let report = c2c_message::ReadReport::new(&**peer, message.time);
                self.call(&report).await?;
            }
            Conversation::Group(group) => {
                let (group, seq) = (GroupAddress::new(&**group), message.seq);
                self.call(&group_message::ReadReport { group, seq }).await?;
            }
            _ => return Err(SYSTEM),
        }
        Ok(())
    }

    /// Reports all one-to-one conversations as read.
    ///
    /// # Errors
    /// When the server refused it.
    pub async fn mark_all_read(&self) -> Result<(), ApiError> {
        let all = c2c_message::ReadAll {
            c2c: 1,
            groups: Vec::new(),
        };
        self.call(&all).await?;
        Ok(())
    }

    /// Shows `user` that this account is typing, or has stopped. Only users who are online see it; it is not
    /// stored. It ends with the next message to `user` or after 30 s, unless it is sent again.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn typing(&self, user: &str, is_typing: bool) -> Result<(), ApiError> {
        self.send(Conversation::c2c(user), Draft::typing(is_typing))
            .await?;
        Ok(())
    }

    /// Deletes messages for this account only, 30 at most and of one conversation.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::TooMany`] and [`ApiError::Unfit`] before anything
    /// was sent.
    pub async fn delete_messages(&self, messages: &[Message]) -> Result<(), ApiError> {
        count(messages.len(), "messages", c2c_message::MAX_MESSAGES)?;
        match one_conversation(messages)? {
            Conversation::C2c(peer) => {
                let delete = c2c_message::Delete::new(self.me(), &**peer, messages);
                self.call(&delete).await?;
            }
            Conversation::Group(group) => {
                let numbers: Vec<u32> = messages.iter().map(|message| message.seq).collect();
                let delete = group_message::Delete::new(&**group, self.me(), &numbers);
                self.call(&delete).await?;
            }
            _ => return Err(SYSTEM),
        }
        Ok(())
    }
}
