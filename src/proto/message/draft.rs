//! Drafts: messages before they are sent.

use super::{
    Custom, Element, Face, File, Image, Location, MAX_MESSAGE, Mention, Merger, Message, Sound,
    Text, Video, quote, typing,
};
use crate::id::UserId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A message to send: elements, mentions and options.
///
/// ```
/// use botroupe_proto::message::Draft;
///
/// let draft = Draft::text("on my way").mention("bob").receipt();
/// assert_eq!(draft.elements.len(), 1);
/// ```
///
/// As JSON it can be kept and sent later: it is then the same message, byte by byte.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// The content: at least one element, and at most 12 KiB in total.
    pub elements: Vec<Element>,
    /// Application data stored with the message.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cloud_custom_data: String,
    /// The mentioned members; groups only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
    /// The send options.
    #[serde(skip_serializing_if = "SendOptions::is_ordinary")]
    pub options: SendOptions,
}

/// Send options. The default is an ordinary message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SendOptions {
    /// Deliver only to users who are online; do not store.
    pub online_only: bool,
    /// Ask for read receipts.
    pub receipt: bool,
    /// Do not count the message as unread.
    pub no_unread: bool,
    /// Do not make this the last message of the conversation.
    pub no_last: bool,
    /// Skip the content filter.
    pub no_check: bool,
    /// Allow message extensions, see [`extension`](crate::op::extension).
    pub extensible: bool,
    /// Mark the message as forwarded.
    pub forwarded: bool,
    /// The priority in a busy group.
    pub priority: Priority,
    /// The receiving members of a group, at most 50; empty for all.
    pub targets: Vec<UserId>,
    /// The push notification for offline phones; `None` selects the server's default.
    pub offline_push: Option<OfflinePush>,
}

/// The push notification for phones that are not connected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfflinePush {
    /// Suppress the notification.
    pub off: bool,
    /// The title.
    pub title: String,
    /// The body text.
    pub description: String,
    /// Application data, passed to the app on the phone.
    pub extension: String,
}

/// The priority of a group message. A busy server drops messages of low priority first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Priority {
    /// `High`
    High,
    /// `Normal`
    #[default]
    Normal,
    /// `Low`
    Low,
    /// `Lowest`
    Lowest,
}

impl Priority {
    /// Returns the name on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::High => "High",
            Self::Normal => "Normal",
            Self::Low => "Low",
            Self::Lowest => "Lowest",
        }
    }
}

impl SendOptions {
    /// Returns whether these are the options of an ordinary message.
    fn is_ordinary(&self) -> bool {
        *self == Self::default()
    }
}

/// The reason why a draft cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DraftError {
    /// The draft has no elements.
    #[error("a message needs at least one element")]
    Empty,
    /// The draft holds nothing but texts without a character.
    #[error("a text message needs at least one character")]
    Blank,
    /// The content is larger than [`MAX_MESSAGE`].
    #[error(
        "message of {length} bytes is over the limit of {MAX_MESSAGE}; split it, or send a file"
    )]
    TooLong {
        /// The length in bytes.
        length: usize,
    },
    /// The draft contains an element that only the server can create.
    #[error("a {0} element cannot be sent: only the server can create it")]
    NotSendable(String),
    /// The draft has more than [`MAX_TARGETS`] targets.
    #[error("a message can have at most {limit} receivers, not {0}", limit = MAX_TARGETS)]
    TooManyTargets(usize),
}

/// The maximum number of target members of one group message.
pub const MAX_TARGETS: usize = 50;

impl Draft {
    /// Creates a text message.
    pub fn text(text: impl Into<String>) -> Self {
        Element::text(text).into()
    }

    /// Creates a custom message. The data is usually JSON text.
    pub fn custom(data: impl Into<String>) -> Self {
        Element::custom(data).into()
    }

    /// Creates a sticker message.
    pub fn face(index: i64, data: impl Into<String>) -> Self {
        Element::face(index, data).into()
    }

    /// Creates a location message. The coordinates are in degrees.
    pub fn location(desc: impl Into<String>, longitude: f64, latitude: f64) -> Self {
        Element::location(desc, longitude, latitude).into()
    }

    /// Creates a message that forwards another one.
    #[must_use]
    pub fn forward(message: &Message) -> Self {
        let elements = message
            .elements
            .iter()
            .filter(|element| element.is_sendable());
        let mut draft = Self::from(elements.cloned().collect::<Vec<_>>());
        draft.options.forwarded = true;
        draft
    }

    /// Creates a typing notice of the UI kits. It is online-only and leaves no trace in the
    /// conversation.
    #[must_use]
    pub fn typing(is_typing: bool) -> Self {
        Self::custom(typing::data(is_typing)).online_only()
    }

    /// Adds an element. The UI kits only show the first element of a message, so send content that
    /// everybody should see in separate messages.
    #[must_use]
    pub fn element(mut self, element: Element) -> Self {
        self.elements.push(element);
        self
    }

    /// Sets the application data stored with the message.
    #[must_use]
    pub fn cloud_custom_data(mut self, data: impl Into<String>) -> Self {
        self.cloud_custom_data = data.into();
        self
    }

    /// Mentions a member of the group. Add the `@name` to the text yourself.
    #[must_use]
    pub fn mention(mut self, user: impl Into<UserId>) -> Self {
        self.mentions.push(Mention::user(user));
        self
    }

    /// Mentions all members of the group.
    #[must_use]
    pub fn mention_all(mut self) -> Self {
        self.mentions.push(Mention::everybody());
        self
    }

    /// Quotes a message in the format of the UI kits: as `messageReply` in the custom data. If the
    /// custom data is already an object, its other fields remain.
    #[must_use]
    pub fn quote(mut self, message: &Message) -> Self {
        let mut data: Map<String, Value> =
            serde_json::from_str(&self.cloud_custom_data).unwrap_or_default();
        data.insert("messageReply".to_owned(), quote::reply_to(message));
        self.cloud_custom_data = Value::Object(data).to_string();
        self
    }

    /// Delivers the message only to users who are online, and does not store it.
    #[must_use]
    pub fn online_only(mut self) -> Self {
        self.options.online_only = true;
        self
    }

    /// Asks for read receipts.
    #[must_use]
    pub fn receipt(mut self) -> Self {
        self.options.receipt = true;
        self
    }

    /// Does not count the message as unread.
    #[must_use]
    pub fn without_unread(mut self) -> Self {
        self.options.no_unread = true;
        self
    }

    /// Allows message extensions for everybody in the conversation.
    #[must_use]
    pub fn extensible(mut self) -> Self {
        self.options.extensible = true;
        self
    }

    /// Does not show the message as the last one of the conversation.
    #[must_use]
    pub fn without_last(mut self) -> Self {
        self.options.no_last = true;
        self
    }

    /// Delivers a group message only to these members (at most 50).
    #[must_use]
    pub fn only_for(mut self, users: impl IntoIterator<Item = impl Into<UserId>>) -> Self {
        self.options.targets = users.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the priority in a busy group.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.options.priority = priority;
        self
    }

    /// Sets the push notification for phones that are not connected.
    #[must_use]
    pub fn offline_push(mut self, push: OfflinePush) -> Self {
        self.options.offline_push = Some(push);
        self
    }

    /// Checks the draft against the limits of the server.
    ///
    /// # Errors
    /// If the draft is empty, holds no character, is too long (elements and custom data over 12 KiB of JSON), contains an
    /// element that only the server can create, or has too many targets.
    pub fn check(&self) -> Result<(), DraftError> {
        if self.elements.is_empty() {
            return Err(DraftError::Empty);
        }
        if self.is_blank() {
            return Err(DraftError::Blank);
        }
        if let Some(element) = self.elements.iter().find(|element| !element.is_sendable()) {
            return Err(DraftError::NotSendable(element.msg_type().to_owned()));
        }
        if self.options.targets.len() > MAX_TARGETS {
            return Err(DraftError::TooManyTargets(self.options.targets.len()));
        }
        let body = serde_json::to_string(&self.elements).map_or(usize::MAX, |json| json.len());
        let length = body.saturating_add(self.cloud_custom_data.len());
        if length > MAX_MESSAGE {
            return Err(DraftError::TooLong { length });
        }
        Ok(())
    }
}

impl From<Element> for Draft {
    fn from(element: Element) -> Self {
        Self::from(vec![element])
    }
}

impl From<Vec<Element>> for Draft {
    fn from(elements: Vec<Element>) -> Self {
        Self {
            elements,
            ..Self::default()
        }
    }
}

/// Each element content converts to a draft, so that e.g. an uploaded sound can be sent directly.
macro_rules! from_contents {
    ($($content:ident),*) => {$(
        impl From<$content> for Draft {
            fn from(content: $content) -> Self {
                Element::from(content).into()
            }
        }
    )*};
}

from_contents!(
    Text, Custom, Face, Location, Image, File, Sound, Video, Merger
);

impl From<&str> for Draft {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Draft {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}
