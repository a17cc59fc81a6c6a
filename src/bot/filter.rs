//! Filters: which events a handler is for. They combine with `&`, `|` and `!`.
//!
//! A filter that names no kind of events, such as [`private`] or [`from`], is for what somebody says, unless it is
//! combined by `&` with one that does.
//!
//! ```
//! use botroupe::prelude::*;
//!
//! async fn help() -> &'static str {
//!     "Ask me in a private chat."
//! }
//! # let _ =
//! Bot::new("helper")
//!     .on(filter::text() & filter::mentioned() & !filter::from("spammer"), help)
//!     .on(filter::private() & filter::regex("(?i)^help"), help)
//! # ;
//! ```
//!
//! ```
//! use botroupe::prelude::*;
//!
//! async fn nosy(recalled: Recalled) -> String {
//!     format!("{} has taken something back.", recalled.by)
//! }
//! # let _ =
//! Bot::new("nosy").on(filter::recalled() & filter::in_group("@TGS#1") & !filter::from("boss"), nosy)
//! # ;
//! ```

use super::api::{IntoGroupId, IntoUserId};
use super::command::ADMINS;
use super::event::{Event, What};
use super::kinds::Kinds;
use crate::proto::message::Conversation;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use regex::Regex;
use std::fmt;
use std::future::Future;
use std::ops::{BitAnd, BitOr, Not};
use std::sync::Arc;

/// Which events a handler is for. See the [module](self).
#[derive(Clone)]
pub struct Filter(Node);

#[derive(Clone)]
enum Node {
    Kinds(Kinds),
    /// Decided at once.
    Check(Arc<dyn Fn(&Event) -> bool + Send + Sync>),
    /// Decided after a wait.
    Ask(Arc<dyn Fn(Event) -> BoxFuture<'static, bool> + Send + Sync>),
    Both(Arc<(Self, Self)>),
    Either(Arc<(Self, Self)>),
    Other(Arc<Self>),
    /// It cannot be used: why.
    Broken(Arc<str>),
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").finish_non_exhaustive()
    }
}

/// Every message that somebody said, whatever its elements. Typing notices of the UI kits are none: they are
/// [`Update::Typing`](crate::proto::update::Update::Typing).
#[must_use]
pub const fn message() -> Filter {
    Filter(Node::Kinds(Kinds::SAID))
}

/// Text messages.
#[must_use]
pub const fn text() -> Filter {
    Filter(Node::Kinds(Kinds::TEXT))
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident: $kind:ident;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub const fn $name() -> Filter {
            Filter(Node::Kinds(Kinds::$kind))
        }
    )*};
}

kinds! {
    /// What happens in groups, see [`Bot::on_group_tip`](super::Bot::on_group_tip).
    group_tip: TIP;
    /// Somebody joins a group, see [`Joined`](super::Joined).
    joined: JOINED;
    /// Somebody leaves a group, see [`Left`](super::Left).
    left: LEFT;
    /// Members are muted, see [`Muted`](super::Muted).
    muted: MUTED;
    /// Messages are recalled, see [`Recalled`](super::Recalled).
    recalled: RECALLED;
    /// A message is edited, see [`Edited`](super::Edited).
    edited: EDITED;
    /// A one-to-one conversation is read, see [`Read`](super::Read).
    read: READ;
    /// Messages that ask for receipts are read, see [`Receipts`](super::Receipts).
    receipt: RECEIPT;
    /// The reactions to a message change, see [`Reacted`](super::Reacted).
    reaction: REACTED;
    /// Somebody types, see [`Typing`](super::Typing).
    typing: TYPING;
}

/// Messages that mention the account, or everybody.
#[must_use]
pub fn mentioned() -> Filter {
    check(|event| {
        let message = event.message();
        message.is_some_and(|message| message.mentions(event.user()))
    })
}

/// One-to-one chats.
#[must_use]
pub fn private() -> Filter {
    check(|event| matches!(place(event), Some(Conversation::C2c(_))))
}

/// Groups.
#[must_use]
pub fn group() -> Filter {
    check(|event| matches!(place(event), Some(Conversation::Group(_))))
}

/// This group.
#[must_use]
pub fn in_group(id: impl IntoGroupId) -> Filter {
    let id = id.into_group_id();
    check(move |event| matches!(place(event), Some(Conversation::Group(group)) if group == id))
}

/// What this user says or does.
#[must_use]
pub fn from(user: impl IntoUserId) -> Filter {
    let user = user.into_user_id();
    check(move |event| event.actor() == Some(&user))
}

/// Events of the users that `admins` in the section of the bot lists. [`Permission`](super::Permission) is for commands.
///
/// ```
/// use botroupe::prelude::*;
///
/// async fn obey() -> &'static str {
///     "At your service."
/// }
/// # let _ =
/// Bot::new("servant").on(filter::private() & filter::from_admin(), obey)
/// # ;
/// ```
#[must_use]
pub fn from_admin() -> Filter {
    from_role(ADMINS)
}

/// Events of the users that `roles` in the section of the bot lists under this name.
#[must_use]
pub fn from_role(name: impl Into<String>) -> Filter {
    let name = name.into();
    check(move |event| {
        let desk = event.bot().handlers.desk();
        event.actor().is_some_and(|user| desk.has_role(user, &name))
    })
}

/// Texts that contain these words; capitals do not count.
#[must_use]
pub fn contains(words: impl AsRef<str>) -> Filter {
    let words = words.as_ref().to_lowercase();
    check(move |event| {
        let text = event.message().and_then(|message| message.text());
        text.is_some_and(|text| text.to_lowercase().contains(&words))
    })
}

/// Texts that match a regular expression somewhere, in the syntax of the crate
/// [`regex`](https://docs.rs/regex/latest/regex/#syntax). A wrong one stops the bot from being made.
#[must_use]
pub fn regex(pattern: &str) -> Filter {
    match Regex::new(pattern) {
        Ok(pattern) => check(move |event| {
            let text = event.message().and_then(|message| message.text());
            text.is_some_and(|text| pattern.is_match(text))
        }),
        Err(error) => Filter(Node::Broken(error.to_string().into())),
    }
}

/// Events of which `check` says so.
pub fn check(check: impl Fn(&Event) -> bool + Send + Sync + 'static) -> Filter {
    Filter(Node::Check(Arc::new(check)))
}

/// Events of which `ask` says so, after it has waited for something: the store, a request.
pub fn ask<F>(ask: impl Fn(Event) -> F + Send + Sync + 'static) -> Filter
where
    F: Future<Output = bool> + Send + 'static,
{
    Filter(Node::Ask(Arc::new(move |event| ask(event).boxed())))
}

fn place(event: &Event) -> Option<Conversation> {
    event.conversation()
}

impl Filter {
    pub(super) const fn kinds_only(kinds: Kinds) -> Self {
        Self(Node::Kinds(kinds))
    }

    /// As a handler is for it: if no kind of events is named, for what somebody says.
    pub(super) fn settled(self) -> Self {
        Self(self.0.settled())
    }

    /// The kinds of events that may pass.
    pub(super) fn kinds(&self) -> Kinds {
        self.0.kinds()
    }

    /// Whether the kind alone decides.
    pub(super) const fn is_plain(&self) -> bool {
        matches!(self.0, Node::Kinds(_))
    }

    /// Why it cannot be used.
    pub(super) fn broken(&self) -> Option<&str> {
        self.0.broken()
    }

    /// Whether the event passes, as far as that is known from its kind.
    pub(super) fn quick(&self, what: &What) -> Option<bool> {
        let kind = Kinds::of(what);
        match &self.0 {
            Node::Kinds(kinds) => Some(kinds.meets(kind)),
            node if !node.kinds().meets(kind) => Some(false),
            _ => None,
        }
    }

    /// Whether the event passes; `None` when that has to be waited for.
    pub(super) fn now(&self, event: &Event) -> Option<bool> {
        self.0.now(event)
    }

    /// Whether the event passes.
    pub(super) async fn passes(&self, event: &Event) -> bool {
        match self.0.now(event) {
            Some(passes) => passes,
            None => self.0.later(event).await,
        }
    }
}

impl Node {
    /// The kinds of events that may pass.
    fn kinds(&self) -> Kinds {
        match self {
            Self::Kinds(kinds) => *kinds,
            Self::Check(_) | Self::Ask(_) | Self::Broken(_) => Kinds::ALL,
            Self::Both(both) => both.0.kinds() & both.1.kinds(),
            Self::Either(either) => either.0.kinds() | either.1.kinds(),
            Self::Other(other) => match &**other {
                Self::Kinds(kinds) => !*kinds,
                _ => Kinds::ALL,
            },
        }
    }

    /// Whether it says which kinds of events it is for.
    fn names_kinds(&self) -> bool {
        match self {
            Self::Kinds(_) => true,
            Self::Check(_) | Self::Ask(_) | Self::Broken(_) => false,
            Self::Both(both) => both.0.names_kinds() || both.1.names_kinds(),
            Self::Either(either) => either.0.names_kinds() && either.1.names_kinds(),
            Self::Other(other) => matches!(&**other, Self::Kinds(_)),
        }
    }

    fn settled(self) -> Self {
        match self {
            node if node.names_kinds() => node,
            node => Self::Both(Arc::new((Self::Kinds(Kinds::SAID), node))),
        }
    }

    fn broken(&self) -> Option<&str> {
        match self {
            Self::Broken(why) => Some(why),
            Self::Both(two) | Self::Either(two) => two.0.broken().or_else(|| two.1.broken()),
            Self::Other(other) => other.broken(),
            Self::Kinds(_) | Self::Check(_) | Self::Ask(_) => None,
        }
    }

    fn now(&self, event: &Event) -> Option<bool> {
        match self {
            Self::Kinds(kinds) => Some(kinds.meets(event.kind())),
            Self::Check(check) => Some(check(event)),
            Self::Ask(_) => None,
            Self::Broken(_) => Some(false),
            Self::Both(both) => match both.0.now(event) {
                Some(false) => Some(false),
                Some(true) => both.1.now(event),
                None => both.1.now(event).filter(|passes| !passes),
            },
            Self::Either(either) => match either.0.now(event) {
                Some(true) => Some(true),
                Some(false) => either.1.now(event),
                None => either.1.now(event).filter(|passes| *passes),
            },
            Self::Other(other) => other.now(event).map(|passes| !passes),
        }
    }

    fn later<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, bool> {
        async move {
            if let Some(passes) = self.now(event) {
                return passes;
            }
            match self {
                Self::Ask(ask) => ask(event.clone()).await,
                Self::Both(both) => both.0.later(event).await && both.1.later(event).await,
                Self::Either(either) => either.0.later(event).await || either.1.later(event).await,
                Self::Other(other) => !other.later(event).await,
                Self::Kinds(_) | Self::Check(_) | Self::Broken(_) => false,
            }
        }
        .boxed()
    }
}

impl BitAnd for Filter {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(Node::Both(Arc::new((self.0, other.0))))
    }
}

impl BitOr for Filter {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        // If one names kinds of events, the other is for what somebody says.
        let (one, other) = (self.0, other.0);
        Self(Node::Either(Arc::new(
            if one.names_kinds() == other.names_kinds() {
                (one, other)
            } else {
                (one.settled(), other.settled())
            },
        )))
    }
}

impl Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        Self(Node::Other(Arc::new(self.0)))
    }
}
