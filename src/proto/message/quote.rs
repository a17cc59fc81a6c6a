//! What a quote says of the message it is about, as the UI kits write and read it.

use super::{Element, Message};
use serde_json::{Value, json};

/// Characters of a quoted text.
const MAX_ABSTRACT: usize = 100;

/// The object `messageReply` of the custom data.
///
/// `messageType` is a number in every kit, and the one for Android drops a quote in which it is not.
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
        "messageID": message.id().unwrap_or_default(),
        "messageSequence": message.seq,
        "messageTime": message.time,
        "messageType": first.map_or(0, kind),
        "version": 1,
    })
}

/// The number that kits give to this kind of element; zero where they have none.
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

/// What is shown in place of the element: of texts and merged messages what they say, of others a
/// word. Kits of the web put that word into the user's language, by the number.
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
