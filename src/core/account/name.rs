//! What an account is called in its process.

use crate::proto::id::UserId;
use serde::{Serialize, Serializer};
use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// What an account is called in its process, in its logs, orders, alerts and files.
///
/// In a process with one app (`[app]`) it is the UserID. Where the config has `[[apps]]`, the name of the app and a
/// slash stand in front, since two apps may have the same UserIDs: `shop/alice`.
///
/// ```
/// use botroupe_core::account::AccountName;
/// use botroupe_proto::id::UserId;
///
/// let alone = AccountName::from(UserId::from("alice"));
/// assert_eq!((alone.as_str(), alone.app()), ("alice", None));
/// let one_of_two = AccountName::of_app("shop", UserId::from("alice"));
/// assert_eq!((one_of_two.as_str(), one_of_two.app()), ("shop/alice", Some("shop")));
/// assert_eq!(alone.user(), one_of_two.user());
/// ```
#[derive(Clone)]
pub struct AccountName {
    /// The whole name; the text of the UserID itself where no app stands in front.
    text: Arc<str>,
    user: UserId,
}

impl AccountName {
    /// An account of the app of this name, which has no slash.
    #[must_use]
    pub fn of_app(app: &str, user: UserId) -> Self {
        Self {
            text: format!("{app}/{user}").into(),
            user,
        }
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The UserID: what the service knows the account by.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.user
    }

    /// The name of its app; `None` in a process with one app.
    #[must_use]
    pub fn app(&self) -> Option<&str> {
        let app = self.text.strip_suffix(self.user.as_str())?;
        app.strip_suffix('/')
    }
}

impl From<UserId> for AccountName {
    /// The account of a process with one app.
    fn from(user: UserId) -> Self {
        Self {
            text: user.clone().into(),
            user,
        }
    }
}

impl Deref for AccountName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl Borrow<str> for AccountName {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}

// Compared as text, so that maps with names as keys can be asked with text.
impl PartialEq for AccountName {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for AccountName {}

impl PartialEq<str> for AccountName {
    fn eq(&self, other: &str) -> bool {
        *self.text == *other
    }
}

impl PartialEq<&str> for AccountName {
    fn eq(&self, other: &&str) -> bool {
        *self.text == **other
    }
}

impl PartialOrd for AccountName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for AccountName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl std::hash::Hash for AccountName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Serialize for AccountName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
