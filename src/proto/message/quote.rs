//! Quotes of messages, in the format of the UI kits.

use super::{Element, Message};
use serde_json::{Value, json};

/// The maximum length of the quoted text, in characters.
const MAX_ABSTRACT: usize = 100;

/// Returns the `messageReply` object of the custom data.
///
/// `messageType` is a number in every kit. The Android kit drops a quote with another type.
pub(super) fn reply_to(message: &Message) -> Value {
    let sender = if message.nick.is_empty() {
        &*message.from
    } else {
        message.nick.as_str()
    };
    let first = message.elements.first();
    json!({
        "messageAbstract": first.map(summary).unwrap_or_default(),
        "messageSender": sender,
        "messageID": message.terminal_id().unwrap_or_default(),
        "messageSequence": message.seq,
        "messageTime": message.time,
        "messageType": first.map_or(0, kind),
        "version": 1,
    })
}

/// Returns the kits' number for this kind of element, or zero if they have none.
const fn kind(element: &Element) -> u8 {
    match element {
        Element::Text(_) => 1,
        Element::Custom(_) => 2,
        Element::Image(_) => 3,
        Element::Sound(_) => 4,
        Element::Video(_) => 5,
        Element::File(_) => 6,
        Element::Location(_) => 7,
        Element::Face(_) => 8,
        Element::GroupTip(_) => 9,
        Element::Merger(_) => 10,
        Element::SystemNotice(_) | Element::Other(_) => 0,
    }
}

/// Returns the text shown for the element: the content of texts and merged messages, and a fixed
/// word for other kinds. The web kits translate that word, using the number of the kind.
fn summary(element: &Element) -> String {
    let said = match element {
        Element::Text(text) => &text.text,
        Element::Merger(merger) if !merger.title.is_empty() => &merger.title,
        _ => return word(element).to_owned(),
    };
    said.chars().take(MAX_ABSTRACT).collect()
}

const fn word(element: &Element) -> &'static str {
    match element {
        Element::Custom(_) => "[Custom message]",
        Element::Image(_) => "[Image]",
        Element::Sound(_) => "[Voice]",
        Element::Video(_) => "[Video]",
        Element::File(_) => "[File]",
        Element::Location(_) => "[Location]",
        Element::Face(_) => "[Sticker]",
        Element::GroupTip(_) => "[Group tip]",
        Element::Merger(_) => "[Chat history]",
        Element::Text(_) | Element::SystemNotice(_) | Element::Other(_) => "[Message]",
    }
}
