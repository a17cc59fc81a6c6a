//! The typing notices of the UI kits: custom messages that say whether somebody writes at present.

use super::{Custom, Draft, Element, Message};
use serde::Deserialize;
use serde_json::json;

/// What the kits call such a message.
const BUSINESS: &str = "user_typing_status";
/// `actionParam` of one who begins to write.
const BEGINS: &str = "EIMAMSG_InputStatus_Ing";
/// `actionParam` of one who no longer does.
const ENDS: &str = "EIMAMSG_InputStatus_End";
/// The longest payload that is looked at, in bytes; that of the kits has about 130.
const MAX_LENGTH: usize = 1024;

/// The payload of a notice.
pub(super) fn data(is_typing: bool) -> String {
    json!({
        "businessID": BUSINESS, "typingStatus": u8::from(is_typing), "version": 1,
        "userAction": 14, "actionParam": if is_typing { BEGINS } else { ENDS },
    })
    .to_string()
}

/// Whether somebody writes, if that is what the elements say and all they say.
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
    // Every custom message passes here; most are not worth reading.
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
    /// Whether the sender writes at present, if this is a typing notice of the UI kits. Bots get it as
    /// [`Update::Typing`](crate::update::Update::Typing).
    #[must_use]
    pub fn typing(&self) -> Option<bool> {
        read(&self.elements)
    }
}

impl Draft {
    /// The same of what is yet to be sent.
    #[must_use]
    pub fn is_typing(&self) -> Option<bool> {
        read(&self.elements)
    }
}
