//! Chat messages: their elements, the items on the wire, the form bots see, and what is sent.
//!
//! What is not known survives: an unknown element type, an element whose content has an unexpected
//! shape, and unknown fields inside a known element are all kept and sent back as they came; only a number
//! of more than 64 bits in such a field becomes the nearest floating-point number.
//! Commands about messages that exist (recall, edit, history, …) are in [`op`](super::op).

mod c2c;
mod chat;
mod content;
mod draft;
mod element;
mod group;
mod media;
mod merger;
mod name;
mod quote;
mod send;
mod tip;
mod typing;

#[cfg(test)]
mod tests;

pub use c2c::C2cItem;
pub use chat::{C2cKey, Conversation, Message, SYSTEM};
pub use content::{Custom, Face, Location, Text};
pub use draft::{Draft, DraftError, MAX_TARGETS, OfflinePush, Priority, SendOptions};
pub use element::{Element, Other};
pub use group::{Body, GroupInfo, GroupItem, Mention};
pub use media::{File, Image, ImageFormat, ImageSize, Sound, Video};
pub use merger::{MAX_INLINE, MergedMessage, Merger};
pub use name::MessageRef;
pub use send::{MessageKey, SendC2c, SendGroup};
pub use tip::{GroupTip, MemberChange, NoticeKind, SystemNotice, TipKind};

/// The longest message content the service takes, in bytes of its JSON text.
pub const MAX_MESSAGE: usize = 12 * 1024;
