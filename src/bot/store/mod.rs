//! Values that a bot keeps: [`Store<T>`].

use super::event::{Event, FromEvent};
use super::ledger::{Ledger, Owner, cell_key};
use super::needs::Needs;
use crate::bot::api::IntoUserId;
use crate::proto::id::UserId;
use crate::store::StoreError;
use botroupe_core::ledger::{Cell, CellKey, Change, Scope};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// Why a value of a bot cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The handler is not for a message, so there is neither a conversation nor a sender.
    #[error("values of a conversation or a user need a message; use `bot`, `account` or `of_user`")]
    NoMessage,
    /// The value cannot be written as JSON, or what is there is of another type.
    #[error("the value {name:?} does not fit its type: {reason}")]
    Unfit {
        /// The name of the value.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The values of the bot would take too much room.
    #[error("the values of the bot would take more than {limit} bytes (key store.quota)")]
    QuotaExceeded {
        /// The bytes that they may take.
        limit: u64,
    },
    /// Another handler is changing the value and does not end.
    #[error("another handler does not let go of the value {name:?}")]
    Busy {
        /// The name of the value.
        name: String,
    },
    /// The store cannot be asked.
    #[error("the store cannot be asked: {0}")]
    Store(#[from] StoreError),
}

/// Values of type `T` that a bot keeps under names, over restarts. Take it as a handler parameter.
///
/// Values belong to one of four scopes: the bot over all its accounts, the bot on its account, the conversation of
/// the message, or its sender. What a handler writes takes effect when it ends successfully, in one step with the
/// message being handled and with its answers: after a crash either all of it has happened, or none and the handler
/// runs again. A handler sees its own writes at once.
///
/// They are kept in the file of `[store] path`; with `":memory:"` they end with the process. A value is written as
/// JSON: a `T` that gains a field needs `#[serde(default)]` there.
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn count(store: Store<u64>) -> Result<String, ValueError> {
///     let count = store.user()?.update("texts", |count| count.unwrap_or(0) + 1).await?;
///     Ok(format!("text number {count}"))
/// }
/// # let _ = Bot::new("counter").on_text(count);
/// ```
pub struct Store<T> {
    ledger: Arc<Ledger>,
    owner: Owner,
    of: PhantomData<fn() -> T>,
}

/// The values of one scope of a [`Store<T>`].
pub struct Cells<T> {
    ledger: Arc<Ledger>,
    owner: Owner,
    scope: Scope,
    of: PhantomData<fn() -> T>,
}

impl<T> FromEvent for Store<T> {
    type Rejection = Infallible;

    async fn from_event(event: &Event) -> Result<Self, Infallible> {
        Ok(Self {
            ledger: event.ledger().clone(),
            owner: event.owner(),
            of: PhantomData,
        })
    }

    fn needs(_: &mut Needs) {}
}

impl<T> Clone for Store<T> {
    fn clone(&self) -> Self {
        Self {
            ledger: self.ledger.clone(),
            owner: self.owner.clone(),
            of: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.owner.bot()).finish()
    }
}

impl<T> fmt::Debug for Cells<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cells")
            .field("bot", &self.owner.bot())
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl<T> Store<T> {
    /// The values of the bot, over all its accounts.
    #[must_use]
    pub fn bot(&self) -> Cells<T> {
        self.cells(Scope::Bot)
    }

    /// The values of the bot on this account.
    #[must_use]
    pub fn account(&self) -> Cells<T> {
        self.cells(Scope::Account(self.ledger.number()))
    }

    /// The values of the message's conversation.
    ///
    /// # Errors
    /// [`ValueError::NoMessage`] in handlers of other events.
    pub fn conversation(&self) -> Result<Cells<T>, ValueError> {
        let (conversation, _) = self.place()?;
        let scope = Scope::Conversation(self.ledger.number(), conversation);
        Ok(self.cells(scope))
    }

    /// The values of the message's sender.
    ///
    /// # Errors
    /// [`ValueError::NoMessage`] in handlers of other events.
    pub fn user(&self) -> Result<Cells<T>, ValueError> {
        let (_, user) = self.place()?;
        let scope = Scope::User(self.ledger.number(), user.into());
        Ok(self.cells(scope))
    }

    /// The values of any user, as this account knows them.
    #[must_use]
    pub fn of_user(&self, user: impl IntoUserId) -> Cells<T> {
        let user = user.into_user_id();
        self.cells(Scope::User(self.ledger.number(), user.into()))
    }

    fn place(&self) -> Result<(crate::proto::message::Conversation, UserId), ValueError> {
        let exchange = self.owner.exchange();
        exchange
            .and_then(|exchange| exchange.place.clone())
            .ok_or(ValueError::NoMessage)
    }

    fn cells(&self, scope: Scope) -> Cells<T> {
        Cells {
            ledger: self.ledger.clone(),
            owner: self.owner.clone(),
            scope,
            of: PhantomData,
        }
    }
}

impl<T: Serialize + DeserializeOwned> Cells<T> {
    /// The value of this name; `None` when there is none, or when its time is over.
    ///
    /// # Errors
    /// When the store cannot be read, or holds something that is no `T`.
    pub async fn get(&self, name: &str) -> Result<Option<T>, ValueError> {
        let key = self.key(name);
        let value = self.read(&key).await?;
        value.map(|value| read(&key, &value)).transpose()
    }

    /// Sets a value.
    ///
    /// # Errors
    /// When the value cannot be written as JSON, or the bot's quota (`[store] quota`) is used up.
    pub async fn set(&self, name: &str, value: &T) -> Result<(), ValueError> {
        self.write(self.key(name), value, None).await
    }

    /// Sets a value that ends after some time.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub async fn set_for(&self, name: &str, value: &T, time: Duration) -> Result<(), ValueError> {
        self.write(self.key(name), value, Some(time)).await
    }

    /// Removes a value.
    ///
    /// # Errors
    /// None at present.
    pub async fn remove(&self, name: &str) -> Result<(), ValueError> {
        self.put(self.key(name), None).await;
        Ok(())
    }

    /// Changes a value: `change` gets what is there and returns what shall be. Nobody else updates the value between
    /// this and the end of the handler.
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`set`](Self::set), and [`ValueError::Busy`] when another handler does not let go
    /// of the value.
    pub async fn update(
        &self,
        name: &str,
        change: impl FnOnce(Option<T>) -> T,
    ) -> Result<T, ValueError> {
        let key = self.key(name);
        let lock = self.lock(&key).await?;
        let before = self.read(&key).await?;
        let before = before.map(|value| read(&key, &value)).transpose()?;
        let after = change(before);
        self.write(key, &after, None).await?;
        drop(lock);
        Ok(after)
    }

    /// Sets a value if there is what `expected` says. Returns whether it was set.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub async fn compare_and_set(
        &self,
        name: &str,
        expected: Option<&T>,
        value: &T,
    ) -> Result<bool, ValueError>
    where
        T: PartialEq,
    {
        let key = self.key(name);
        let lock = self.lock(&key).await?;
        let before = self.read(&key).await?;
        let before = before.map(|value| read::<T>(&key, &value)).transpose()?;
        let is_expected = before.as_ref() == expected;
        if is_expected {
            self.write(key, value, None).await?;
        }
        drop(lock);
        Ok(is_expected)
    }

    fn key(&self, name: &str) -> CellKey {
        cell_key(self.owner.bot(), self.scope.clone(), name)
    }

    async fn read(&self, key: &CellKey) -> Result<Option<Box<str>>, ValueError> {
        let now = self.ledger.now().unix_secs();
        let own = self.owner.exchange();
        if let Some(written) = own.and_then(|exchange| exchange.written(key)) {
            let cell = written.filter(|cell| cell.ends.is_none_or(|ends| now < ends));
            return Ok(cell.map(|cell| cell.value));
        }
        let cell = self.ledger.shelf().store().cell(key.clone(), now).await?;
        Ok(cell.map(|cell| cell.value))
    }

    async fn write(
        &self,
        key: CellKey,
        value: &T,
        time: Option<Duration>,
    ) -> Result<(), ValueError> {
        let value = serde_json::to_string(value).map_err(|error| unfit(&key, &error))?;
        let more = self.written_bytes() + key.name.len() + value.len();
        self.ledger.shelf().check_quota(&key.bot, more).await?;
        let at = self.ledger.now().unix_secs();
        let cell = Cell {
            key: key.clone(),
            value: value.into(),
            ends: time.map(|time| at.saturating_add(time.as_secs().max(1))),
            at,
        };
        self.put(key, Some(cell)).await;
        Ok(())
    }

    fn written_bytes(&self) -> usize {
        let exchange = self.owner.exchange();
        exchange.map_or(0, |exchange| exchange.bytes_written())
    }

    async fn put(&self, key: CellKey, cell: Option<Cell>) {
        let change = match self.owner.exchange() {
            Some(exchange) => exchange.write(key, cell),
            None => Some(match cell {
                Some(cell) => Change::Put(Box::new(cell)),
                None => Change::Removed(Box::new(key)),
            }),
        };
        if let Some(change) = change {
            self.ledger.write(vec![change]).await;
        }
    }

    /// The lock of a value, which its handler holds to its end. Outside of handlers the caller holds it.
    async fn lock(
        &self,
        key: &CellKey,
    ) -> Result<Option<tokio::sync::OwnedMutexGuard<()>>, ValueError> {
        let exchange = self.owner.exchange();
        if exchange.is_some_and(|exchange| exchange.holds(key)) {
            return Ok(None);
        }
        let lock = self.ledger.shelf().lock(key).await?;
        Ok(match exchange {
            Some(exchange) => exchange.hold(key.clone(), lock),
            None => Some(lock),
        })
    }
}

fn read<T: DeserializeOwned>(key: &CellKey, value: &str) -> Result<T, ValueError> {
    serde_json::from_str(value).map_err(|error| unfit(key, &error))
}

fn unfit(key: &CellKey, error: &serde_json::Error) -> ValueError {
    ValueError::Unfit {
        name: key.name.to_string(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests;
