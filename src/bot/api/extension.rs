//! Key-value pairs under messages.

use super::{ApiError, MessageApi, count};
use crate::proto::code::Code;
use crate::proto::op::extension::{
    ChangeExtensions, ChangedExtension, Extension, GetExtensions, MAX_CHANGED, MAX_EXTENSIONS,
};

impl MessageApi<'_> {
    /// The key-value pairs of the message, 300 at most.
    ///
    /// # Errors
    /// When a page could not be fetched; [`ApiError::Unfit`] for notices.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn votes(message: Message, api: Api) -> Result<usize, ApiError> {
    ///     Ok(api.message(&message).extensions().await?.len())
    /// }
    /// ```
    pub async fn extensions(&self) -> Result<Vec<Extension>, ApiError> {
        let (mut all, mut from): (Vec<Extension>, _) = (Vec::new(), None);
        for _ in 0..MAX_EXTENSIONS {
            let request = GetExtensions::new(self.name()?, from);
            let page = self.api().call(&request).await?;
            let newest = page.list.iter().map(|extension| extension.seq).max();
            let next = newest.map(|seq| seq.saturating_add(1));
            all.extend(page.list);
            if page.complete || next.is_none() || next <= from {
                break;
            }
            from = next;
        }
        // A deleted key has an empty value.
        all.retain(|extension| !extension.value.is_empty());
        Ok(all)
    }

    /// Sets key-value pairs of a message that was sent with
    /// [`Draft::extensible`](crate::proto::message::Draft::extensible), 20 at most at a time. `known`
    /// holds the pairs that were read last; a key that is not among them must be new.
    ///
    /// # Errors
    /// [`ApiError::Item`] with the first pair that was not set, and [`Code::EXTENSION_CONFLICT`] when somebody
    /// else changed it first; the others may have been set. [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn vote(message: Message, sender: Sender, api: Api) -> Result<(), ApiError> {
    ///     let poll = api.message(&message);
    ///     let known = poll.extensions().await?;
    ///     poll.set_extensions(&known, [(&*sender.user_id, "yes")]).await?;
    ///     Ok(())
    /// }
    /// # let _ = Bot::new("b").on_text(vote);
    /// ```
    pub async fn set_extensions(
        &self,
        known: &[Extension],
        pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Result<Vec<Extension>, ApiError> {
        let pairs = pairs.into_iter().map(|(key, value)| {
            let (key, value) = (key.into(), value.into());
            change(known, key, value)
        });
        let extensions: Vec<Extension> = pairs.collect();
        count(extensions.len(), "extensions", MAX_CHANGED)?;
        let request = ChangeExtensions::set(self.name()?, extensions);
        done(self.api().call(&request).await?.results)
    }

    /// Deletes keys, 20 at most at a time.
    ///
    /// # Errors
    /// As [`set_extensions`](Self::set_extensions).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn withdraw(message: Message, sender: Sender, api: Api) -> Result<(), ApiError> {
    ///     let poll = api.message(&message);
    ///     let known = poll.extensions().await?;
    ///     poll.delete_extensions(&known, [sender.user_id]).await
    /// }
    /// # let _ = Bot::new("b").on_text(withdraw);
    /// ```
    pub async fn delete_extensions(
        &self,
        known: &[Extension],
        keys: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), ApiError> {
        let keys = keys.into_iter().map(Into::into);
        let extensions: Vec<Extension> =
            keys.map(|key| change(known, key, String::new())).collect();
        count(extensions.len(), "extensions", MAX_CHANGED)?;
        let request = ChangeExtensions::delete(self.name()?, extensions);
        done(self.api().call(&request).await?.results)?;
        Ok(())
    }

    /// Deletes all keys.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::Unfit`] for notices.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// async fn start_over(message: Message, api: Api) -> Result<(), ApiError> {
    ///     api.message(&message).clear_extensions().await
    /// }
    /// # let _ = Bot::new("b").on_text(start_over);
    /// ```
    pub async fn clear_extensions(&self) -> Result<(), ApiError> {
        let clear = ChangeExtensions::clear(self.name()?);
        self.api().call(&clear).await?;
        Ok(())
    }
}

fn change(known: &[Extension], key: String, value: String) -> Extension {
    let before = known.iter().find(|extension| extension.key == key);
    Extension {
        seq: before.map_or(0, |extension| extension.seq),
        key,
        value,
        ..Extension::default()
    }
}

/// The new pairs, or the first refusal.
fn done(results: Vec<ChangedExtension>) -> Result<Vec<Extension>, ApiError> {
    let result = |changed: ChangedExtension| {
        if changed.code == 0 {
            return Ok(changed.extension);
        }
        let code = Code(changed.code);
        Err(ApiError::Item {
            what: changed.extension.key,
            code,
            info: code.meaning().to_owned(),
        })
    };
    results.into_iter().map(result).collect()
}
