//! Typing notices of the UI kits: custom messages that report whether a user is typing.

use super::{Custom, Draft, Element, Message};
use serde::Deserialize;
use serde_json::json;

/// The `businessID` of a typing notice.
const BUSINESS: &str = "user_typing_status";
/// `actionParam` when the user starts typing.
const BEGINS: &str = "EIMAMSG_InputStatus_Ing";
/// `actionParam` when the user stops typing.
const ENDS: &str = "EIMAMSG_InputStatus_End";
/// The maximum length of a payload that is parsed, in bytes. The payload of the kits has about 130
/// bytes.
const MAX_LENGTH: usize = 1024;

/// Returns the payload of a notice.
pub(super) fn data(is_typing: bool) -> String {
    json!({
        "businessID": BUSINESS, "typingStatus": u8::from(is_typing), "version": 1,
        "userAction": 14, "actionParam": if is_typing { BEGINS } else { ENDS },
    })
    .to_string()
}

/// Parses the elements. Returns `None` unless they are exactly one typing notice.
fn read(elements: &[Element]) -> Option<bool> {
    #[derive(Deserialize)]
    struct Data {
        #[serde(rename = "businessID")]
        business: String,
        #[serde(rename = "typingStatus", default)]
        status: serde_json::Value,
        #[serde(rename = "actionParam", default)]
        param: String,
    }
    let [Element::Custom(Custom { data, .. })] = elements else {
        return None;
    };
    // Every custom message passes through here; most of them need no JSON parsing.
    if data.len() > MAX_LENGTH || !data.contains(BUSINESS) {
        return None;
    }
    let data: Data = serde_json::from_str(data).ok()?;
    (data.business == BUSINESS).then(|| match data.param.as_str() {
        BEGINS => true,
        ENDS => false,
        _ => data.status == 1 || data.status == true,
    })
}

impl Message {
    /// Returns whether the sender is typing, or `None` if this is not a typing notice of the UI
    /// kits. Bots receive typing notices as [`Update::Typing`](crate::update::Update::Typing).
    #[must_use]
    pub fn typing(&self) -> Option<bool> {
        read(&self.elements)
    }
}

impl Draft {
    /// Like [`Message::typing`](super::Message::typing), for a draft.
    #[must_use]
    pub fn is_typing(&self) -> Option<bool> {
        read(&self.elements)
    }
}
