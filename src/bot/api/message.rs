//! Messages that were sent: recall, edit, delete, history, read.

use super::{Api, ApiError, ConversationApi, IntoDraft, IntoMessage, UserApi, count};
use crate::proto::address::GroupAddress;
use crate::proto::message::{Conversation, DraftError, Element, Message, MessageId};
use crate::proto::op::c2c_message;
use crate::proto::op::c2c_message::Edited;
use crate::proto::op::group_message;
use std::sync::atomic::{AtomicU32, Ordering};

/// Messages that one call fetches at most.
const MAX_HISTORY: usize = 10_000;

/// How often an edit by the ID of a message is tried again when others edit it at the same time.
const EDIT_RETRIES: u32 = 2;

pub(super) const SYSTEM: ApiError =
    ApiError::Unfit("what the server says is in no conversation of its own");

/// What requests need to know of a message.
#[derive(Clone, Debug)]
pub struct Named {
    pub(super) id: MessageId,
    /// `None` if only the ID is known.
    version: Option<u32>,
    /// Whether its sender waits for a receipt, as far as that is known.
    pub(super) awaits_receipt: bool,
    /// The sender's clock in Unix seconds; zero if it is unknown.
    pub(super) client_time: u64,
}

impl Named {
    pub(super) fn of(message: &Message) -> Self {
        Self {
            id: message.id(),
            version: Some(message.version),
            awaits_receipt: message.needs_receipt && !message.is_own,
            client_time: message.client_time.unwrap_or(0),
        }
    }

    pub(super) const fn by_id(id: MessageId) -> Self {
        Self {
            version: None,
            awaits_receipt: !id.is_sent(),
            client_time: 0,
            id,
        }
    }
}

/// Collects messages of one conversation, and checks how many they are.
pub(super) fn of_one_conversation(
    messages: impl IntoIterator<Item = impl IntoMessage>,
    limit: usize,
) -> Result<Vec<Named>, ApiError> {
    let messages = messages.into_iter().map(IntoMessage::into_named);
    let messages: Vec<Named> = messages.collect();
    count(messages.len(), "messages", limit)?;
    let mut conversations = messages.iter().map(|message| message.id.conversation());
    let first = conversations.next();
    if conversations.any(|other| Some(other) != first) {
        return Err(ApiError::Unfit("the messages are of several conversations"));
    }
    Ok(messages)
}

/// The conversation of such messages.
pub(super) fn conversation_of(messages: &[Named]) -> &Conversation {
    let first = messages.first();
    first.map_or(&Conversation::System, |message| message.id.conversation())
}

/// Acts on one message, see [`Api::message`].
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn count_down(conversation: Conversation, api: Api) -> Result<(), ApiError> {
///     let said = api.say(conversation, "3").await?;
///     let said = api.message(&said);
///     said.edit("2").await?;
///     said.edit("1").await?;
///     said.recall().await
/// }
/// # let _ = Bot::new("rocket").on_text(count_down);
/// ```
#[derive(Debug)]
pub struct MessageApi<'a> {
    api: &'a Api,
    named: Named,
    /// The version that the next edit is of.
    version: AtomicU32,
}

impl Api {
    /// Acts on a message: a `&Message`, or a [`MessageId`] that was kept.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// /// Keeps its greeting, and takes it back when the user says anything else.
    /// async fn greet(message: Message, store: Store<MessageId>, api: Api) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    ///     let kept = store.user()?;
    ///     if let Some(id) = kept.get("greeting").await? {
    ///         api.message(id).recall().await?;
    ///     }
    ///     let said = api.say(&message, "Hello!").await?;
    ///     kept.set("greeting", &said.id()).await?;
    ///     Ok(())
    /// }
    /// # let _ = Bot::new("greeter").on_text(greet);
    /// ```
    pub fn message(&self, message: impl IntoMessage) -> MessageApi<'_> {
        let named = message.into_named();
        MessageApi {
            api: self,
            version: named.version.unwrap_or(0).into(),
            named,
        }
    }

    /// Reports all one-to-one conversations as read.
    ///
    /// # Errors
    /// When the server refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn catch_up(api: Api) -> Result<(), ApiError> {
    ///     api.mark_all_read().await
    /// }
    /// # let _ = Bot::new("b").on_start(catch_up);
    /// ```
    pub async fn mark_all_read(&self) -> Result<(), ApiError> {
        let all = c2c_message::ReadAll {
            c2c: 1,
            groups: Vec::new(),
        };
        self.call(&all).await?;
        Ok(())
    }

    /// Deletes messages for this account only, 30 at most and of one conversation.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::TooMany`] and [`ApiError::Unfit`] before anything
    /// was sent.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn forget(api: Api) -> Result<(), ApiError> {
    ///     let newest = api.user("alice").history(10).await?;
    ///     api.delete_messages(&newest).await
    /// }
    /// # let _ = Bot::new("b").on_ready(forget);
    /// ```
    pub async fn delete_messages(
        &self,
        messages: impl IntoIterator<Item = impl IntoMessage>,
    ) -> Result<(), ApiError> {
        let messages = of_one_conversation(messages, c2c_message::MAX_MESSAGES)?;
        match conversation_of(&messages) {
            Conversation::C2c(peer) => {
                let ids = messages.iter().map(|message| &message.id);
                self.call(&c2c_message::Delete::new(self.me(), peer, ids))
                    .await?;
            }
            Conversation::Group(group) => {
                let numbers: Vec<u32> = messages.iter().map(|message| message.id.seq()).collect();
                let delete = group_message::Delete::new(group, self.me(), &numbers);
                self.call(&delete).await?;
            }
            _ => return Err(SYSTEM),
        }
        Ok(())
    }

    async fn c2c_history(&self, peer: &str, count: usize) -> Result<Vec<Message>, ApiError> {
        let mut newest_first: Vec<Message> = Vec::new();
        let mut request = c2c_message::GetHistory::newest(peer, c2c_message::PAGE);
        loop {
            let page = self.call(&request).await?;
            let is_last = page.complete || page.items.is_empty();
            request = request.before(&page, c2c_message::PAGE);
            newest_first.extend(page.messages(self.me()).into_iter().rev());
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
        super::count(count, "messages", MAX_HISTORY)?;
        let mut newest_first: Vec<Message> = Vec::new();
        while newest_first.len() < count && upper != Some(0) {
            let request = group_message::GetHistory::new(group, upper, group_message::PAGE);
            let page = self.call(&request).await?;
            // The server lists gaps as entries, so a page without entries is the end of the history.
            let Some(lowest) = page.lowest() else { break };
            let is_last = page.finished == Some(2) || upper.is_some_and(|upper| lowest > upper);
            newest_first.extend(page.messages(group, self.me()));
            if is_last {
                break;
            }
            upper = Some(lowest.saturating_sub(1));
        }
        newest_first.truncate(count);
        newest_first.reverse();
        Ok(newest_first)
    }
}

impl<'a> MessageApi<'a> {
    pub(super) const fn api(&self) -> &'a Api {
        self.api
    }

    pub(super) const fn named(&self) -> &Named {
        &self.named
    }

    /// The ID of the message, to act on it later.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # fn example(api: &Api, message: &Message) {
    /// assert_eq!(api.message(message).id(), &message.id());
    /// # }
    /// ```
    #[must_use]
    pub const fn id(&self) -> &MessageId {
        &self.named.id
    }

    /// Recalls a message of this account, or, as owner or administrator of a group, one of another member.
    /// Possible for two minutes, unless the console says otherwise.
    ///
    /// # Errors
    /// [`Code::C2C_RECALL_WINDOW`](crate::proto::code::Code::C2C_RECALL_WINDOW) or
    /// [`GROUP_RECALL_WINDOW`](crate::proto::code::Code::GROUP_RECALL_WINDOW) when it is too late;
    /// [`ApiError::Unfit`] for a one-to-one message of the other side, and for notices.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn censor(message: Message, api: Api) -> Result<(), ApiError> {
    ///     if message.text().is_some_and(|text| text.contains("casino")) {
    ///         api.message(&message).recall().await?;
    ///     }
    ///     Ok(())
    /// }
    /// # let _ = Bot::new("moderator").on(filter::text() & filter::group(), censor);
    /// ```
    pub async fn recall(&self) -> Result<(), ApiError> {
        let id = self.id();
        match id.conversation() {
            Conversation::C2c(_) if !id.is_sent() => {
                Err(ApiError::Unfit("only own messages can be recalled"))
            }
            Conversation::C2c(_) => {
                let recall = c2c_message::Recall::new(self.api.me(), id);
                self.api.call(&recall).await?;
                Ok(())
            }
            Conversation::Group(group) => {
                let recall = group_message::Recall::new(group, &[id.seq()]);
                let results = self.api.call(&recall).await?.results;
                ApiError::of_items(&results, &format!("message {}", id.seq()))
            }
            _ => Err(SYSTEM),
        }
    }

    /// Edits a message of this account, or a one-to-one message of the other side. `draft` replaces the whole
    /// content, custom data included; mentions and options stay. Text,
    /// custom, face and location elements can be changed; with a draft without elements only the
    /// custom data changes, which is possible for every message.
    ///
    /// An edit is of the version of the message that this account knows: that of the `&Message`, then the one that the
    /// last edit through this [`MessageApi`] has made. By its ID a message is edited whatever its version is. Others hear of
    /// it as [`Update::Edited`](crate::proto::update::Update::Edited); who comes later sees the message as it is at last.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] with the current version when somebody else has edited the message; editing it again
    /// through this [`MessageApi`] overwrites that. [`ApiError::Draft`] for content that cannot be sent or edited.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn work(message: Message, api: Api) -> Result<(), ApiError> {
    ///     let said = api.say(&message, "Working…").await?;
    ///     let progress = api.message(&said);
    ///     progress.edit("Nearly there…").await?;
    ///     progress.edit("Done.").await?;
    ///     Ok(())
    /// }
    /// # let _ = Bot::new("worker").on_text(work);
    /// ```
    pub async fn edit(&self, draft: impl IntoDraft) -> Result<Edited, ApiError> {
        let draft = draft.into_draft();
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
        let mut retries = match self.named.version {
            Some(_) => 0,
            None => EDIT_RETRIES,
        };
        loop {
            let version = self.version.load(Ordering::Relaxed);
            let edited = self.edit_version(version, elements.clone(), cloud.clone());
            match edited.await {
                Ok(mut edited) => {
                    // A server that does not say the version counts all the same.
                    edited.version = edited.version.max(version.saturating_add(1));
                    self.version.store(edited.version, Ordering::Relaxed);
                    return Ok(edited);
                }
                Err(ApiError::Conflict(now)) => {
                    self.version.store(now.version, Ordering::Relaxed);
                    if retries == 0 {
                        return Err(ApiError::Conflict(now));
                    }
                    retries -= 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn edit_version(
        &self,
        version: u32,
        elements: Option<Vec<Element>>,
        cloud: String,
    ) -> Result<Edited, ApiError> {
        let id = self.id();
        match id.conversation() {
            Conversation::C2c(_) => {
                let edit = c2c_message::Edit::new(self.api.me(), id, version, elements, cloud);
                self.api.call(&edit).await
            }
            Conversation::Group(group) => {
                let edit = group_message::Edit::new(group, id.seq(), version, elements, cloud);
                self.api.call(&edit).await
            }
            _ => Err(SYSTEM),
        }
    }

    /// Reports the conversation as read up to and including this message. The account itself reports messages
    /// that the bot has handled.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::Unfit`] for notices.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn at_once(message: Message, api: Api) -> Result<(), ApiError> {
    ///     api.message(&message).mark_read().await
    /// }
    /// # let _ = Bot::new("slow").on_text(at_once);
    /// ```
    pub async fn mark_read(&self) -> Result<(), ApiError> {
        let id = self.id();
        match id.conversation() {
            Conversation::C2c(peer) => {
                let report = c2c_message::ReadReport::new(peer, id.time());
                self.api.call(&report).await?;
            }
            Conversation::Group(group) => {
                let (group, seq) = (GroupAddress::new(group), id.seq());
                let report = group_message::ReadReport { group, seq };
                self.api.call(&report).await?;
            }
            _ => return Err(SYSTEM),
        }
        Ok(())
    }

    /// Deletes the message, for this account only.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::Unfit`] for notices.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn forget(message: Message, api: Api) -> Result<(), ApiError> {
    ///     api.message(&message).delete().await
    /// }
    /// # let _ = Bot::new("sieve").on_text(forget);
    /// ```
    pub async fn delete(&self) -> Result<(), ApiError> {
        self.api.delete_messages([self.id()]).await
    }
}

impl ConversationApi<'_> {
    /// The newest `count` messages of the conversation, oldest first; fewer when there are no more.
    /// Recalled messages are included and marked; so are the tips of a group.
    ///
    /// # Errors
    /// When a page could not be fetched; [`ApiError::TooMany`] for more than 10,000.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn look_back(message: Message, api: Api) -> Result<String, ApiError> {
    ///     let messages = api.conversation(&message).history(20).await?;
    ///     Ok(format!("We have said {} things.", messages.len()))
    /// }
    /// # let _ = Bot::new("historian").on_text(look_back);
    /// ```
    pub async fn history(&self, count: usize) -> Result<Vec<Message>, ApiError> {
        match self.checked()? {
            Conversation::C2c(peer) => {
                super::count(count, "messages", MAX_HISTORY)?;
                self.api().c2c_history(peer, count).await
            }
            Conversation::Group(group) => self.api().group_history(group, None, count).await,
            _ => Err(SYSTEM),
        }
    }

    /// Reports everything in the conversation as read. It asks for the newest message first.
    ///
    /// # Errors
    /// When the server did not answer, or refused it.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn seen(api: Api) -> Result<(), ApiError> {
    ///     api.conversation(Conversation::group("@TGS#1")).mark_read().await
    /// }
    /// # let _ = Bot::new("b").on_ready(seen);
    /// ```
    pub async fn mark_read(&self) -> Result<(), ApiError> {
        match self.history(1).await?.pop() {
            Some(newest) => self.api().message(&newest).mark_read().await,
            None => Ok(()),
        }
    }
}

impl UserApi<'_> {
    /// The newest `count` one-to-one messages with the user, as
    /// [`ConversationApi::history`] gives them.
    ///
    /// # Errors
    /// As [`ConversationApi::history`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn last_words(sender: Sender, api: Api) -> Result<usize, ApiError> {
    ///     Ok(api.user(&sender).history(100).await?.len())
    /// }
    /// ```
    pub async fn history(&self, count: usize) -> Result<Vec<Message>, ApiError> {
        self.conversation().history(count).await
    }
}
