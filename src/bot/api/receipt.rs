//! Read receipts.

use super::message::{SYSTEM, one_conversation};
use super::{Api, ApiError, GroupApi, collect, count};
use crate::proto::message::{Conversation, Message};
use crate::proto::op::MAX_PAGES;
use crate::proto::op::group_message::MAX_MESSAGES;
use crate::proto::op::receipt::GetReaders;
use crate::proto::op::receipt::GetReceipts;
use crate::proto::op::{c2c_message, receipt};
use crate::proto::update::GroupReceipt;

impl Api {
    /// Sends the read receipt of a message that asked for one.
    ///
    /// # Errors
    /// As [`send_receipts`](Self::send_receipts).
    pub async fn send_receipt(&self, message: &Message) -> Result<(), ApiError> {
        self.send_receipts(std::slice::from_ref(message)).await
    }

    /// Sends the read receipts of messages of one conversation, 30 at most. Own messages and those that asked
    /// for no receipt are skipped.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::TooMany`] and [`ApiError::Unfit`] before
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

    /// The time up to which each of these users (30 at most) has read the messages of this account: server
    /// time in Unix seconds, in the same order; zero for never.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    pub async fn peer_read_times(
        &self,
        users: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<u64>, ApiError> {
        let users = collect(users, "users", receipt::MAX_PEERS)?;
        let asked = users.len();
        let mut times = self.call(&receipt::PeerReadTimes { users }).await?.times;
        times.resize(asked, 0);
        Ok(times)
    }
}

impl GroupApi {
    /// How many members have read messages of this account that asked for receipts, 30 messages at most.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    pub async fn receipts(&self, messages: &[Message]) -> Result<Vec<GroupReceipt>, ApiError> {
        count(messages.len(), "messages", MAX_MESSAGES)?;
        let numbers: Vec<u32> = messages.iter().map(|message| message.seq).collect();
        let request = GetReceipts::new(self.id_owned(), &numbers);
        Ok(self.api().call(&request).await?.messages)
    }

    /// The members who have read a message of this account that asked for receipts.
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn readers(&self, message: &Message) -> Result<Vec<String>, ApiError> {
        self.readers_or_not(message, false).await
    }

    /// The members who have not read a message of this account that asked for receipts.
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn non_readers(&self, message: &Message) -> Result<Vec<String>, ApiError> {
        self.readers_or_not(message, true).await
    }

    async fn readers_or_not(
        &self,
        message: &Message,
        unread: bool,
    ) -> Result<Vec<String>, ApiError> {
        let mut users = Vec::new();
        let mut cursor = String::new();
        for _ in 0..MAX_PAGES {
            let request = GetReaders::new(self.id_owned(), message.seq, unread, &cursor);
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
