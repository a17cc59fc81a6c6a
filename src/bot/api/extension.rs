//! Key-value pairs under messages.

use super::reaction::name;
use super::{Api, ApiError, count};
use crate::proto::code::Code;
use crate::proto::message::Message;
use crate::proto::op::extension::{
    ChangeExtensions, ChangedExtension, Extension, GetExtensions, MAX_CHANGED, MAX_EXTENSIONS,
};

impl Api {
    /// The key-value pairs of a message, 300 at most.
    ///
    /// # Errors
    /// When a page could not be fetched; [`ApiError::Unfit`] for notices.
    pub async fn extensions(&self, message: &Message) -> Result<Vec<Extension>, ApiError> {
        let (mut all, mut from): (Vec<Extension>, _) = (Vec::new(), None);
        for _ in 0..MAX_EXTENSIONS {
            let request = GetExtensions::new(name(message)?, from);
            let page = self.call(&request).await?;
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
    pub async fn set_extensions(
        &self,
        message: &Message,
        known: &[Extension],
        pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Result<Vec<Extension>, ApiError> {
        let pairs = pairs.into_iter().map(|(key, value)| {
            let (key, value) = (key.into(), value.into());
            change(known, key, value)
        });
        let extensions: Vec<Extension> = pairs.collect();
        count(extensions.len(), "extensions", MAX_CHANGED)?;
        let request = ChangeExtensions::set(name(message)?, extensions);
        done(self.call(&request).await?.results)
    }

    /// Deletes keys, 20 at most at a time.
    ///
    /// # Errors
    /// As [`set_extensions`](Self::set_extensions).
    pub async fn delete_extensions(
        &self,
        message: &Message,
        known: &[Extension],
        keys: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), ApiError> {
        let keys = keys.into_iter().map(Into::into);
        let extensions: Vec<Extension> =
            keys.map(|key| change(known, key, String::new())).collect();
        count(extensions.len(), "extensions", MAX_CHANGED)?;
        let request = ChangeExtensions::delete(name(message)?, extensions);
        done(self.call(&request).await?.results)?;
        Ok(())
    }

    /// Deletes all keys.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::Unfit`] for notices.
    pub async fn clear_extensions(&self, message: &Message) -> Result<(), ApiError> {
        self.call(&ChangeExtensions::clear(name(message)?)).await?;
        Ok(())
    }
}

pub(super) fn change(known: &[Extension], key: String, value: String) -> Extension {
    let before = known.iter().find(|extension| extension.key == key);
    Extension {
        seq: before.map_or(0, |extension| extension.seq),
        key,
        value,
        ..Extension::default()
    }
}

/// The new pairs, or the first refusal.
pub(super) fn done(results: Vec<ChangedExtension>) -> Result<Vec<Extension>, ApiError> {
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
