//! Read receipts.

use super::message::{Named, SYSTEM, conversation_of, of_one_conversation};
use super::{Api, ApiError, GroupApi, IntoMessage, IntoUserId, MessageApi, UserApi, users};
use crate::proto::id::UserId;
use crate::proto::message::Conversation;
use crate::proto::op::MAX_PAGES;
use crate::proto::op::group_message::MAX_MESSAGES;
use crate::proto::op::receipt::GetReaders;
use crate::proto::op::receipt::GetReceipts;
use crate::proto::op::{c2c_message, receipt};
use crate::proto::update::GroupReceipt;

impl Api {
    /// Sends the read receipts of messages of one conversation, 30 at most. Own messages and those that asked
    /// for no receipt are skipped.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::TooMany`] and [`ApiError::Unfit`] before
    /// anything was sent.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn all_read(sender: Sender, api: Api) -> Result<(), ApiError> {
    ///     let newest = api.user(&sender).history(30).await?;
    ///     api.send_receipts(&newest).await
    /// }
    /// # let _ = Bot::new("b").on_text(all_read);
    /// ```
    pub async fn send_receipts(
        &self,
        messages: impl IntoIterator<Item = impl IntoMessage>,
    ) -> Result<(), ApiError> {
        let messages = of_one_conversation(messages, c2c_message::MAX_MESSAGES)?;
        self.send_receipts_of(&messages).await
    }

    async fn send_receipts_of(&self, messages: &[Named]) -> Result<(), ApiError> {
        let awaited = || messages.iter().filter(|message| message.awaits_receipt);
        if awaited().next().is_none() {
            return Ok(());
        }
        match conversation_of(messages) {
            Conversation::C2c(peer) => {
                let received = awaited().map(|message| (&message.id, message.client_time));
                let receipts = receipt::SendC2cReceipts::new(self.me(), peer, received);
                self.call(&receipts).await?;
            }
            Conversation::Group(group) => {
                let numbers: Vec<u32> = awaited().map(|message| message.id.seq()).collect();
                let receipt = receipt::SendGroupReceipts::new(group, &numbers);
                self.call(&receipt).await?;
            }
            _ => return Err(SYSTEM),
        }
        Ok(())
    }

    /// The time up to which each of these users (30 at most) has read the messages of this account: server
    /// time in Unix seconds, in the same order; zero for never.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn who_read_it(api: Api) -> Result<usize, ApiError> {
    ///     let times = api.read_times(["alice", "bob"]).await?;
    ///     Ok(times.iter().filter(|time| **time >= 1_700_000_000).count())
    /// }
    /// ```
    pub async fn read_times(
        &self,
        users: impl IntoIterator<Item = impl IntoUserId>,
    ) -> Result<Vec<u64>, ApiError> {
        let users = self::users(users, "users", receipt::MAX_PEERS)?;
        let asked = users.len();
        let mut times = self.call(&receipt::PeerReadTimes { users }).await?.times;
        times.resize(asked, 0);
        Ok(times)
    }
}

impl UserApi<'_> {
    /// The time up to which the user has read the messages of this account: server time in Unix seconds; zero for
    /// never.
    ///
    /// # Errors
    /// When the server did not answer.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn has_read(said: Message, api: Api) -> Result<bool, ApiError> {
    ///     Ok(api.user("alice").read_time().await? >= said.time)
    /// }
    /// ```
    pub async fn read_time(&self) -> Result<u64, ApiError> {
        let times = self.api().read_times([self.id()]).await?;
        Ok(times.first().copied().unwrap_or(0))
    }
}

impl MessageApi<'_> {
    /// Sends the read receipt of a message that asked for one. Of an own message, and of one that is known not to have
    /// asked, none is sent.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::Unfit`] for notices.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn seen(message: Message, api: Api) -> Result<(), ApiError> {
    ///     api.message(&message).send_receipt().await
    /// }
    /// # let _ = Bot::new("b").on_text(seen);
    /// ```
    pub async fn send_receipt(&self) -> Result<(), ApiError> {
        let messages = std::slice::from_ref(self.named());
        self.api().send_receipts_of(messages).await
    }

    /// The members of the group who have read a message of this account that asked for receipts.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::Unfit`] for a message that is in no group.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn readers(said: Message, api: Api) -> Result<usize, ApiError> {
    ///     Ok(api.message(&said).readers().await?.len())
    /// }
    /// ```
    pub async fn readers(&self) -> Result<Vec<UserId>, ApiError> {
        self.readers_or_not(false).await
    }

    /// The members of the group who have not read a message of this account that asked for receipts.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::Unfit`] for a message that is in no group.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn remind(said: Message, api: Api) -> Result<(), ApiError> {
    ///     for user in api.message(&said).non_readers().await? {
    ///         api.user(user).send("Have you seen the news in the group?").await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub async fn non_readers(&self) -> Result<Vec<UserId>, ApiError> {
        self.readers_or_not(true).await
    }

    async fn readers_or_not(&self, unread: bool) -> Result<Vec<UserId>, ApiError> {
        let Conversation::Group(group) = self.id().conversation() else {
            return Err(ApiError::Unfit("only groups tell who has read a message"));
        };
        let mut users = Vec::new();
        let mut cursor = String::new();
        for _ in 0..MAX_PAGES {
            let request = GetReaders::new(group, self.id().seq(), unread, &cursor);
            let page = self.api().call(&request).await?;
            let is_last = page.finished || page.cursor.is_empty() || page.cursor == cursor;
            cursor.clone_from(&page.cursor);
            users.extend(page.users());
            if is_last {
                break;
            }
        }
        Ok(users)
    }
}

impl GroupApi<'_> {
    /// How many members have read messages of this account that asked for receipts, 30 messages at most.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn how_many(group: Group, said: Message, api: Api) -> Result<u32, ApiError> {
    ///     let receipts = api.group(&group).receipts([&said]).await?;
    ///     Ok(receipts.first().map_or(0, |receipt| receipt.read))
    /// }
    /// ```
    pub async fn receipts(
        &self,
        messages: impl IntoIterator<Item = impl IntoMessage>,
    ) -> Result<Vec<GroupReceipt>, ApiError> {
        let messages = of_one_conversation(messages, MAX_MESSAGES)?;
        let numbers: Vec<u32> = messages.iter().map(|message| message.id.seq()).collect();
        let request = GetReceipts::new(self.checked()?, &numbers);
        Ok(self.api().call(&request).await?.messages)
    }
}
