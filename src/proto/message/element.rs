//! Message elements.

use super::content::{Custom, Face, Location, Text};
use super::media::{File, Image, Sound, Video};
use super::merger::Merger;
use super::tip::{GroupTip, SystemNotice};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Map;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// One element of a message. Most messages have one element.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Element {
    /// `TIMTextElem`
    Text(Text),
    /// `TIMCustomElem`
    Custom(Custom),
    /// `TIMFaceElem`
    Face(Face),
    /// `TIMLocationElem`
    Location(Box<Location>),
    /// `TIMImageElem`
    Image(Box<Image>),
    /// `TIMFileElem`
    File(Box<File>),
    /// `TIMSoundElem`
    Sound(Box<Sound>),
    /// `TIMVideoFileElem`
    Video(Box<Video>),
    /// `TIMRelayElem`: a forwarded record of messages.
    Merger(Box<Merger>),
    /// A group tip (`TIMGroupTipElem` in the official client). Clients only receive it.
    GroupTip(Box<GroupTip>),
    /// A system notice about a group (`TIMGroupSystemNoticeElem`). Clients only receive it.
    SystemNotice(Box<SystemNotice>),
    /// Any other element, or an element with invalid content. It is kept unchanged.
    Other(Other),
}

macro_rules! from_content {
    ($($content:ident => $make:expr),*) => {$(
        impl From<$content> for Element {
            fn from(content: $content) -> Self {
                $make(content)
            }
        }
    )*};
}

from_content!(
    Text => Self::Text,
    Custom => Self::Custom,
    Face => Self::Face,
    Location => |location| Self::Location(Box::new(location)),
    Image => |image| Self::Image(Box::new(image)),
    File => |file| Self::File(Box::new(file)),
    Sound => |sound| Self::Sound(Box::new(sound)),
    Video => |video| Self::Video(Box::new(video)),
    Merger => |merger| Self::Merger(Box::new(merger))
);

/// An unknown element, kept unchanged.
#[derive(Clone, Debug)]
pub struct Other {
    /// `MsgType`, for example `TIMNewElem`; empty if the element has none.
    pub msg_type: String,
    /// The text of `MsgContent`, or of the whole element if it has no such field.
    pub content: Box<RawValue>,
}

impl PartialEq for Other {
    fn eq(&self, other: &Self) -> bool {
        self.msg_type == other.msg_type && self.content.get() == other.content.get()
    }
}

impl Element {
    /// Creates a text element.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Text {
            text: text.into(),
            extra: Map::new(),
        })
    }

    /// Creates a custom element with empty `Desc` and `Ext`.
    pub fn custom(data: impl Into<String>) -> Self {
        Self::Custom(Custom {
            data: data.into(),
            ..Custom::default()
        })
    }

    /// Creates a sticker element.
    pub fn face(index: i64, data: impl Into<String>) -> Self {
        Self::Face(Face {
            index,
            data: data.into(),
            ..Face::default()
        })
    }

    /// Creates a location element. The coordinates are in degrees.
    pub fn location(desc: impl Into<String>, longitude: f64, latitude: f64) -> Self {
        Self::Location(Box::new(Location {
            desc: desc.into(),
            longitude,
            latitude,
            ..Location::default()
        }))
    }

    /// Returns `MsgType` on the wire. For locally produced elements it is the name that the
    /// official client uses.
    #[must_use]
    pub fn msg_type(&self) -> &str {
        match self {
            Self::Text(_) => "TIMTextElem",
            Self::Custom(_) => "TIMCustomElem",
            Self::Face(_) => "TIMFaceElem",
            Self::Location(_) => "TIMLocationElem",
            Self::Image(_) => "TIMImageElem",
            Self::File(_) => "TIMFileElem",
            Self::Sound(_) => "TIMSoundElem",
            Self::Video(_) => "TIMVideoFileElem",
            Self::Merger(_) => "TIMRelayElem",
            Self::GroupTip(_) => "TIMGroupTipElem",
            Self::SystemNotice(_) => "TIMGroupSystemNoticeElem",
            Self::Other(other) => &other.msg_type,
        }
    }

    /// Returns whether a client may send the element. Only the server can create tips and notices.
    #[must_use]
    pub const fn is_sendable(&self) -> bool {
        !matches!(self, Self::GroupTip(_) | Self::SystemNotice(_))
    }

    /// Returns whether an edit may change the element. For all other elements, an edit can only
    /// change the custom data of the message.
    #[must_use]
    pub const fn is_editable(&self) -> bool {
        matches!(
            self,
            Self::Text(_) | Self::Custom(_) | Self::Face(_) | Self::Location(_)
        )
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Custom(a), Self::Custom(b)) => a == b,
            (Self::Face(a), Self::Face(b)) => a == b,
            (Self::Location(a), Self::Location(b)) => a == b,
            (Self::Image(a), Self::Image(b)) => a == b,
            (Self::File(a), Self::File(b)) => a == b,
            (Self::Sound(a), Self::Sound(b)) => a == b,
            (Self::Video(a), Self::Video(b)) => a == b,
            (Self::Merger(a), Self::Merger(b)) => a == b,
            (Self::GroupTip(a), Self::GroupTip(b)) => a == b,
            (Self::SystemNotice(a), Self::SystemNotice(b)) => a == b,
            (Self::Other(a), Self::Other(b)) => a == b,
            _ => false,
        }
    }
}

impl Serialize for Element {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a, C: Serialize> {
            #[serde(rename = "MsgType")]
            msg_type: &'a str,
            #[serde(rename = "MsgContent")]
            content: &'a C,
        }
        let msg_type = self.msg_type();
        match self {
            Self::Text(content) => Wire { msg_type, content }.serialize(serializer),
            Self::Custom(content) => Wire { msg_type, content }.serialize(serializer),
            Self::Face(content) => Wire { msg_type, content }.serialize(serializer),
            Self::Location(content) => Wire { msg_type, content }.serialize(serializer),
            Self::Image(content) => Wire { msg_type, content }.serialize(serializer),
            Self::File(content) => Wire { msg_type, content }.serialize(serializer),
            Self::Sound(content) => Wire { msg_type, content }.serialize(serializer),
            Self::Video(content) => Wire { msg_type, content }.serialize(serializer),
            Self::Merger(content) => Wire { msg_type, content }.serialize(serializer),
            Self::GroupTip(content) => Wire { msg_type, content }.serialize(serializer),
            Self::SystemNotice(content) => Wire { msg_type, content }.serialize(serializer),
            Self::Other(other) if msg_type.is_empty() => other.content.serialize(serializer),
            Self::Other(other) => Wire {
                msg_type,
                content: &other.content,
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire<'a> {
            #[serde(rename = "MsgType", borrow)]
            msg_type: Cow<'a, str>,
            #[serde(rename = "MsgContent", borrow)]
            content: &'a RawValue,
        }
        let whole = Box::<RawValue>::deserialize(deserializer)?;
        let Ok(Wire { msg_type, content }) = serde_json::from_str(whole.get()) else {
            return Ok(Self::Other(Other {
                msg_type: String::new(),
                content: whole,
            }));
        };
        Ok(Self::read(&msg_type, content))
    }
}

impl Element {
    /// Reads the content of an element of this type. Content of an unknown type or shape is kept as it is.
    pub(crate) fn read(msg_type: &str, content: &RawValue) -> Self {
        let json = content.get();
        let other = || {
            Self::Other(Other {
                msg_type: msg_type.to_owned(),
                content: content.to_owned(),
            })
        };
        let known = match msg_type {
            "TIMTextElem" => serde_json::from_str(json).map(Self::Text),
            "TIMCustomElem" => serde_json::from_str(json).map(Self::Custom),
            "TIMFaceElem" => serde_json::from_str(json).map(Self::Face),
            "TIMLocationElem" => serde_json::from_str(json).map(Self::Location),
            "TIMImageElem" => serde_json::from_str(json).map(Self::Image),
            "TIMFileElem" => serde_json::from_str(json).map(Self::File),
            "TIMSoundElem" => serde_json::from_str(json).map(Self::Sound),
            "TIMVideoFileElem" => serde_json::from_str(json).map(Self::Video),
            "TIMRelayElem" => serde_json::from_str(json).map(Self::Merger),
            _ => return other(),
        };
        known.unwrap_or_else(|_| other())
    }
}

impl fmt::Display for Element {
    /// Writes a short form for logs, a few dozen characters at most.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(element) => short(f, "", &element.text),
            Self::Custom(element) => short(f, "custom ", &element.data),
            Self::Face(element) => write!(f, "[face {}]", element.index),
            Self::Location(element) => short(f, "location ", &element.desc),
            Self::Image(image) => match image.original() {
                Some(size) => write!(f, "[image {}×{}]", size.width, size.height),
                None => f.write_str("[image]"),
            },
            Self::File(file) => {
                short(f, "file ", &file.name)?;
                write!(f, " ({} bytes)", file.size)
            }
            Self::Sound(sound) => write!(f, "[sound {} s]", sound.seconds),
            Self::Video(video) => write!(f, "[video {} s]", video.seconds),
            Self::Merger(merger) => short(f, "record ", &merger.title),
            Self::GroupTip(tip) => tip.fmt(f),
            Self::SystemNotice(notice) => notice.fmt(f),
            Self::Other(element) => write!(f, "[{}]", element.msg_type),
        }
    }
}

/// Writes the beginning of a text that may be long.
pub(super) fn short(f: &mut fmt::Formatter<'_>, what: &str, text: &str) -> fmt::Result {
    let cut: String = text.chars().take(40).collect();
    let dots = if cut.len() < text.len() { "…" } else { "" };
    write!(f, "{what}{cut:?}{dots}")
}
