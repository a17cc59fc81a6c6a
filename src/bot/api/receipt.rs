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
        let users = collect(users, "users", receipt::MAX_PEERS)?;
        let asked = users.len();
        let mut times = self.call(&receipt::PeerReadTimes { users }).await?.times;
        times.resize(asked, 0);
        Ok(times)
    }
}

impl GroupApi {
    /// How many have read own messages that asked for receipts, 30 at most.
    ///
    /// # Errors
    /// When the server did not answer; [`ApiError::TooMany`].
    pub async fn receipts(&self, messages: &[Message]) -> Result<Vec<GroupReceipt>, ApiError> {
        count(messages.len(), "messages", MAX_MESSAGES)?;
        let numbers: Vec<u32> = messages.iter().map(|message| message.seq).collect();
        let request = GetReceipts::new(self.id_owned(), &numbers);
        Ok(self.api().call(&request).await?.messages)
    }

    /// Who has read an own message that asked for receipts.
    ///
    /// # Errors
    /// When the server did not answer.
    pub async fn readers(&self, message: &Message) -> Result<Vec<String>, ApiError> {
        self.readers_or_not(message, false).await
    }

    /// Who has not read an own message that asked for receipts.
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
