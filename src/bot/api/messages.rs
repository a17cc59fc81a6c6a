//! What is said: taking it back, changing it, reading it again, telling that it was read.

use super::{Api, ApiError, count};
use crate::proto::address::GroupAddress;
use crate::proto::message::{
    Conversation, Draft, DraftError, Element, MAX_INLINE, MergedMessage, Merger, Message,
};
use crate::proto::op::c2c_message::{self, Edited};
use crate::proto::op::receive_option::{self, MuteOption};
use crate::proto::op::{group_member, group_message, merger, receipt};

/// Messages that [`Api::history`] fetches at most.
const MAX_HISTORY: usize = 10_000;
/// Bytes of a message around its element, rounded up.
const MESSAGE_FRAME: usize = 1024;

impl Api {
    /// Takes a message back: an own one, or in a group as its owner or administrator one of another
    /// member. Possible for two minutes, unless the console says otherwise.
    ///
    /// # Errors
    /// [`Code::C2C_RECALL_WINDOW`](crate::proto::code::Code::C2C_RECALL_WINDOW) or
    /// [`GROUP_RECALL_WINDOW`](crate::proto::code::Code::GROUP_RECALL_WINDOW) when it is too late;
    /// [`ApiError::Unfit`] for a one-to-one message of the other side, and for notices.
    pub async fn recall(&self, message: &Message) -> Result<(), ApiError> {
        match &message.conversation {
            Conversation::C2c(_) if !message.is_own => {
                Err(ApiError::Unfit("only own messages can be taken back"))
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

    /// Changes what a message says: an own one, or a one-to-one message of the other side. `draft` is
    /// all it says then, its custom data included; mentions and options stay as they are. Text,
    /// custom, face and location elements can be changed; with a draft without elements only the
    /// custom data changes, which is possible for every message.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] when `message` is not its present version: it says what is;
    /// [`ApiError::Draft`] for content that cannot be sent or edited.
    pub async fn edit(
        &self,
        message: &Message,
        draft: impl Into<Draft>,
    ) -> Result<Edited, ApiError> {
        let draft = draft.into();
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
                self.call(&c2c_message::Edit::new(message, elements, cloud))
                    .await
            }
            Conversation::Group(group) => {
                let edit = group_message::Edit::new(&**group, message, elements, cloud);
                self.call(&edit).await
            }
            _ => Err(SYSTEM),
        }
    }

    /// The newest `count` messages of a conversation, oldest first; fewer when there are no more.
    /// Recalled ones are among them, marked. Of a group, tips are among them.
    ///
    /// # Errors
    /// When a page of it could not be had; [`ApiError::TooMany`] for more than 10,000.
    pub async fn history(
        &self,
        conversation: impl Into<Conversation>,
        count: usize,
    ) -> Result<Vec<Message>, ApiError> {
        let conversation = conversation.into();
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
            // Older ones are gone, or there is nothing any more: holes are entries too.
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

    /// Reports a conversation as read up to and with this message. Messages that went through the
    /// bot's handlers are reported by the account itself.
    ///
    /// # Errors
    /// When the server did not take it; [`ApiError::Unfit`] for notices.
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
    /// When the server did not take it.
    pub async fn mark_all_read(&self) -> Result<(), ApiError> {
        let all = c2c_message::ReadAll {
            c2c: 1,
            groups: Vec::new(),
        };
        self.call(&all).await?;
        Ok(())
    }

    /// Tells the sender that a message that asked for a receipt was read.
    ///
    /// # Errors
    /// As [`send_receipts`](Self::send_receipts).
    pub async fn send_receipt(&self, message: &Message) -> Result<(), ApiError> {
        self.send_receipts(std::slice::from_ref(message)).await
    }

    /// Tells the senders that messages were read, 30 at most and of one conversation. Own ones and
    /// those that asked for no receipt are passed over.
    ///
    /// # Errors
    /// When the server did not take it; [`ApiError::TooMany`] and [`ApiError::Unfit`] before
    /// anything was sent.
    pub async fn send_receipts(&self, messages: &[Message]) -> Result<(), ApiError> {
        count(messages.len(), "messages", c2c_message::MAX_MESSAGES)?;
        let conversation = one_conversation(messages)?;
        let wanted = |message: &&Message| message.needs_receipt && !message.is_own;
        let messages: Vec<&Message> = messages.iter().filter(wanted).collect();
        if messages.is_empty() {
            return Ok(());
        }
        match conversation {
            Conversation::C2c(peer) => {
                self.call(&receipt::SendC2cReceipts::new(&**peer, messages))
                    .await?;
            }
            Conversation::Group(group) => {
                let numbers: Vec<u32> = messages.iter().map(|message| message.seq).collect();
                let receipt = receipt::SendGroupReceipts::new(&**group, &numbers);
                self.call(&receipt).await?;
            }
            _ => return Err(SYSTEM),
        }
        Ok(())
    }

    /// Up to when each of these users, 30 at most, has read what this account said to it: server
    /// times in Unix seconds in the same order, zero for never.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    pub async fn peer_read_times(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<u64>, ApiError> {
        let users = super::collect(users, "users", receipt::MAX_PEERS)?;
        let asked = users.len();
        let mut times = self.call(&receipt::PeerReadTimes { users }).await?.times;
        times.resize(asked, 0);
        Ok(times)
    }

    /// Tells `user` that this account is typing, or is no longer: for those who are online, and
    /// without a trace. It ends by itself with the next message to `user`, or after 30 s; say it again
    /// to go on.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn typing(&self, user: &str, is_typing: bool) -> Result<(), ApiError> {
        self.send(user, Draft::typing(is_typing)).await?;
        Ok(())
    }

    /// Deletes messages for this account only, 30 at most and of one conversation.
    ///
    /// # Errors
    /// When the server did not do it; [`ApiError::TooMany`] and [`ApiError::Unfit`] before anything
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

    /// Sets how a conversation announces itself to this account's own terminals;
    /// [`MuteOption::Discard`] keeps its messages from this account altogether.
    ///
    /// # Errors
    /// When the server did not take it.
    pub async fn set_mute_option(
        &self,
        conversation: impl Into<Conversation>,
        option: MuteOption,
    ) -> Result<(), ApiError> {
        match conversation.into() {
            Conversation::C2c(peer) => {
                let set = receive_option::SetMuteOption {
                    peers: vec![peer.into()],
                    option: option.number(),
                };
                self.call(&set).await?;
            }
            Conversation::Group(group) => {
                let set = group_member::ModifyMember::announce(group, self.me(), option);
                self.call(&set).await?;
            }
            _ => return Err(SYSTEM),
        }
        Ok(())
    }

    /// How the one-to-one conversation with `user` announces itself.
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn mute_option(&self, user: &str) -> Result<MuteOption, ApiError> {
        let get = receive_option::GetMuteOption {
            me: self.me(),
            peers: vec![user.to_owned()],
        };
        let items = self.call(&get).await?.items;
        let state = items.iter().find(|state| state.peer == user);
        Ok(state.map_or(MuteOption::Announce, |state| {
            MuteOption::from_number(state.option)
        }))
    }

    /// A record of messages, to be sent as one message. One that is too long to travel inside a
    /// message is stored with the server first.
    ///
    /// # Errors
    /// When it is too long and could not be stored; [`ApiError::Unfit`] for no messages at all.
    pub async fn merge(
        &self,
        title: impl Into<String>,
        messages: &[Message],
    ) -> Result<Merger, ApiError> {
        if messages.is_empty() {
            return Err(ApiError::Unfit("nobody and nothing is named"));
        }
        let merger = Merger::of(title, messages);
        let length = serde_json::to_string(&merger).map_or(usize::MAX, |json| json.len());
        // Beside the element the message has its names, its custom data and the like.
        if length <= MAX_INLINE - MESSAGE_FRAME {
            return Ok(merger);
        }
        let messages = messages.iter().map(MergedMessage::of).collect();
        let stored = self.call(&merger::SaveMerged { messages }).await?;
        if stored.json_key.is_empty() {
            return Err(ApiError::Unfit("the server did not store the record"));
        }
        Ok(merger.stored(stored.json_key, stored.pb_key))
    }

    /// The messages of a forwarded record, fetched when they did not travel inside it.
    ///
    /// # Errors
    /// When the server did not have them.
    pub async fn open_merger(&self, merger: &Merger) -> Result<Vec<MergedMessage>, ApiError> {
        if let Some(messages) = merger.inline() {
            return Ok(messages);
        }
        let key = merger.json_key.clone();
        Ok(self.call(&merger::GetMerged { key }).await?.messages)
    }

    /// The record of messages that `message` forwards, fetched when it did not travel inside; `None`
    /// when it forwards none.
    ///
    /// # Errors
    /// As [`open_merger`](Self::open_merger).
    pub async fn merged_messages(
        &self,
        message: &Message,
    ) -> Result<Option<Vec<MergedMessage>>, ApiError> {
        for element in &message.elements {
            if let Element::Merger(merger) = element {
                return self.open_merger(merger).await.map(Some);
            }
        }
        Ok(None)
    }
}

pub(super) const SYSTEM: ApiError =
    ApiError::Unfit("what the server says is in no conversation of its own");

/// Refuses messages of several conversations.
pub(super) fn one_conversation(messages: &[Message]) -> Result<&Conversation, ApiError> {
    let mut conversations = messages.iter().map(|message| &message.conversation);
    let first = conversations
        .next()
        .ok_or(ApiError::Unfit("nobody and nothing is named"))?;
    if conversations.all(|other| other == first) {
        Ok(first)
    } else {
        Err(ApiError::Unfit("the messages are of several conversations"))
    }
}
