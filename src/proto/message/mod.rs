//! Chat messages: elements, wire items, the type that bots receive, and drafts.
//!
//! Unknown data survives: unknown element types, elements with unexpected content, and unknown
//! fields of known elements are kept and sent back unchanged. The only exception is a number of
//! more than 64 bits in such a field, which becomes the nearest floating-point number.
//! [`op`](super::op) contains the commands about existing messages (recall, edit, history, …).

mod c2c;
mod chat;
mod content;
mod draft;
mod element;
mod group;
mod heal;
mod id;
mod kept;
mod media;
mod merger;
mod name;
mod quote;
mod send;
mod split;
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
pub use heal::{MAX_HEALING, heal_markdown};
pub use id::{MessageId, MessageIdError};
pub use media::{File, Image, ImageFormat, ImageSize, Sound, Video};
pub use merger::{MAX_INLINE, MergedMessage, Merger};
pub use name::MessageRef;
pub use send::{MessageKey, SendC2c, SendGroup};
pub use split::{cost as text_cost, split_off};
pub use tip::{GroupTip, MemberChange, NoticeKind, SystemNotice, TipKind};

/// The maximum size of the message content, in bytes of its JSON text.
pub const MAX_MESSAGE: usize = 12 * 1024;
