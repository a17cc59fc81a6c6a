//! A message that is yet to be sent.

use super::{
    Custom, Element, Face, File, Image, Location, MAX_MESSAGE, Mention, Merger, Message, Sound,
    Text, Video, quote, typing,
};
use serde_json::{Map, Value};

/// A message to send: elements, who is mentioned, and how it is to be treated.
///
/// ```
/// use botroupe_proto::message::Draft;
///
/// let draft = Draft::text("on my way").mention("bob").receipt();
/// assert_eq!(draft.elements.len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// The content; at least one element, at most 12 KiB together.
    pub elements: Vec<Element>,
    /// Free text stored with the message.
    pub cloud_custom_data: String,
    /// Who is mentioned; groups only.
    pub mentions: Vec<Mention>,
    /// How it is to be treated.
    pub options: SendOptions,
}

/// How a message is to be treated. The default is an ordinary message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// Only for those who are online now; not stored.
    pub online_only: bool,
    /// The sender wants to know who has read it.
    pub receipt: bool,
    /// Does not count as unread.
    pub no_unread: bool,
    /// Does not become the last message of the conversation.
    pub no_last: bool,
    /// Is not looked at by the content filter.
    pub no_check: bool,
    /// Keys and values may be kept with it.
    pub extensible: bool,
    /// Was said before by somebody else.
    pub forwarded: bool,
    /// How important it is to a busy group.
    pub priority: Priority,
    /// Only for these members of a group, 50 at most; empty for all.
    pub targets: Vec<String>,
    /// What phones that are not connected are told; `None` leaves it to the server.
    pub offline_push: Option<OfflinePush>,
}

/// What the notification of a phone says that is not connected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfflinePush {
    /// No notification at all.
    pub off: bool,
    /// The headline.
    pub title: String,
    /// The text.
    pub description: String,
    /// Handed to the app.
    pub extension: String,
}

/// How important a group message is. A busy server drops the least important first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// The wire's word for it.
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

/// Why a message cannot be sent as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DraftError {
    /// There is nothing in it.
    #[error("a message needs at least one element")]
    Empty,
    /// It is too long.
    #[error(
        "message of {length} bytes is over the limit of {MAX_MESSAGE}; split it, or send a file"
    )]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It holds an element that only the server makes.
    #[error("a {0} element cannot be sent: it is the server's to make")]
    NotSendable(String),
    /// More members are named than one message may be for.
    #[error("a message may be for {limit} members at most, not {0}", limit = MAX_TARGETS)]
    TooManyTargets(usize),
}

/// Members that one group message may be for, when it is not for all.
pub const MAX_TARGETS: usize = 50;

impl Draft {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Element::text(text).into()
    }

    /// Whatever two programs agree on, usually JSON text.
    pub fn custom(data: impl Into<String>) -> Self {
        Element::custom(data).into()
    }

    /// A sticker.
    pub fn face(index: i64, data: impl Into<String>) -> Self {
        Element::face(index, data).into()
    }

    /// A place, in degrees.
    pub fn location(desc: impl Into<String>, longitude: f64, latitude: f64) -> Self {
        Element::location(desc, longitude, latitude).into()
    }

    /// What somebody said, said again.
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

    /// The typing notice of the UI kits: online-only, and without a trace.
    #[must_use]
    pub fn typing(is_typing: bool) -> Self {
        Self::custom(typing::data(is_typing)).online_only()
    }

    /// Adds an element. The UI kits show only the first one of a message: what everybody is to see
    /// belongs into messages of its own.
    #[must_use]
    pub fn element(mut self, element: Element) -> Self {
        self.elements.push(element);
        self
    }

    /// Sets the free text stored with the message.
    #[must_use]
    pub fn cloud_custom_data(mut self, data: impl Into<String>) -> Self {
        self.cloud_custom_data = data.into();
        self
    }

    /// Mentions a member of the group; write the `@name` into the text yourself.
    #[must_use]
    pub fn mention(mut self, user: impl Into<String>) -> Self {
        self.mentions.push(Mention::user(user));
        self
    }

    /// Mentions everybody in the group.
    #[must_use]
    pub fn mention_all(mut self) -> Self {
        self.mentions.push(Mention::everybody());
        self
    }

    /// Quotes a message, in the way the UI kits write and read it: as `messageReply` in the custom
    /// data. What else is in there stays, if it is an object.
    #[must_use]
    pub fn quote(mut self, message: &Message) -> Self {
        let mut data: Map<String, Value> =
            serde_json::from_str(&self.cloud_custom_data).unwrap_or_default();
        data.insert("messageReply".to_owned(), quote::reply_to(message));
        self.cloud_custom_data = Value::Object(data).to_string();
        self
    }

    /// Only for those who are online now; not stored.
    #[must_use]
    pub fn online_only(mut self) -> Self {
        self.options.online_only = true;
        self
    }

    /// Asks for receipts of who has read it.
    #[must_use]
    pub fn receipt(mut self) -> Self {
        self.options.receipt = true;
        self
    }

    /// Does not count as unread.
    #[must_use]
    pub fn without_unread(mut self) -> Self {
        self.options.no_unread = true;
        self
    }

    /// Lets everybody in the conversation keep keys and values with it.
    #[must_use]
    pub fn extensible(mut self) -> Self {
        self.options.extensible = true;
        self
    }

    /// Is not shown as what was said last.
    #[must_use]
    pub fn without_last(mut self) -> Self {
        self.options.no_last = true;
        self
    }

    /// In a group, only for these members (50 at most).
    #[must_use]
    pub fn only_for(mut self, users: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.options.targets = users.into_iter().map(Into::into).collect();
        self
    }

    /// Sets how important it is to a busy group.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.options.priority = priority;
        self
    }

    /// Sets what phones that are not connected are told.
    #[must_use]
    pub fn offline_push(mut self, push: OfflinePush) -> Self {
        self.options.offline_push = Some(push);
        self
    }

    /// Checks what the server would refuse.
    ///
    /// # Errors
    /// When it is empty, too long (elements and custom data over 12 KiB of JSON), holds an element
    /// that only the server makes, or is for too many members.
    pub fn check(&self) -> Result<(), DraftError> {
        if self.elements.is_empty() {
            return Err(DraftError::Empty);
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

/// What a message is made of is a message too: a sound that was uploaded can be sent as it is.
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
