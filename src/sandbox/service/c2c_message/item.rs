//! The JSON of messages and notices in pushes, answers and history.
//!
//! See "C2C messages" in docs/src/protocol.md.

use serde::Serialize;
use serde_json::{json, value::RawValue};

use crate::service::c2c_message::stored::Message;

/// A message on the wire, in pushes, missed messages and history.
#[derive(Debug, Serialize)]
pub(crate) struct Item<'a> {
    #[serde(rename = "From_Account")]
    from: &'a str,
    #[serde(rename = "To_Account")]
    to: &'a str,
    #[serde(rename = "MsgSeq")]
    seq: u64,
    #[serde(rename = "MsgRandom")]
    random: u64,
    #[serde(rename = "MsgTimeStamp")]
    time: u64,
    #[serde(rename = "MsgClientTime")]
    client_time: u64,
    #[serde(rename = "TinyId")]
    tiny_id: String,
    #[serde(rename = "ClientSeq")]
    client_seq: u64,
    #[serde(rename = "MsgBody")]
    body: &'a RawValue,
    #[serde(rename = "CloudCustomData")]
    cloud: &'a str,
    #[serde(rename = "From_AccountNick")]
    nick: &'a str,
    #[serde(rename = "From_AccountHeadurl")]
    face_url: &'a str,
    #[serde(rename = "MsgFlagBits")]
    flags: u8,
    #[serde(rename = "MsgVersion")]
    version: u64,
    #[serde(rename = "IsNeedReadReceipt")]
    need_receipt: u8,
    #[serde(rename = "SupportMessageExtension")]
    extension: u8,
    #[serde(rename = "IsSyncMsg", skip_serializing_if = "Option::is_none")]
    sync: Option<u8>,
    #[serde(rename = "MsgLifeTime", skip_serializing_if = "Option::is_none")]
    lifetime: Option<u8>,
    #[serde(rename = "SendMsgControl", skip_serializing_if = "Option::is_none")]
    control: Option<serde_json::Value>,
    #[serde(rename = "RevokerInfo", skip_serializing_if = "Option::is_none")]
    revoker: Option<serde_json::Value>,
    #[serde(rename = "IsPeerRead")]
    is_read: u8,
    #[serde(rename = "PeerReadTime", skip_serializing_if = "Option::is_none")]
    read_at: Option<u64>,
}

/// The event that carries one message.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MessageEvent<'a> {
    event: u8,
    #[serde(rename = "C2cMsgArray")]
    messages: [Item<'a>; 1],
}

/// An event that carries one notice.
pub(crate) fn notice(content: serde_json::Value) -> serde_json::Value {
    json!({"Event": 10, "C2cNotifyMsgArray": serde_json::Value::Array(vec![content])})
}

/// The notice of a recall.
pub(crate) fn withdrawal(message: &Message) -> serde_json::Value {
    let draft = &message.draft;
    json!({"WithdrawC2cMsgNotify": {"C2cWithdrawInfoArray": [{
        "From_Account": draft.from,
        "To_Account": draft.to,
        "MsgSeq": draft.seq,
        "MsgRandom": draft.random,
        "MsgTimeStamp": message.time,
        "MsgClientTime": draft.client_time,
        "TinyId": message.tiny_id.to_string(),
        "RevokerInfo": {
            "Revoker_Account": message.revoker.as_ref().map_or("", |user| user.as_str()),
            "Reason": "",
        },
    }]}})
}

impl<'a> Item<'a> {
    /// The message with its actual sender and receiver.
    pub(crate) fn plain(message: &'a Message) -> Self {
        let draft = &message.draft;
        let controlled = draft.no_unread || draft.no_last;
        Self {
            from: draft.from.as_str(),
            to: draft.to.as_str(),
            seq: draft.seq,
            random: draft.random,
            time: message.time,
            client_time: draft.client_time,
            tiny_id: message.tiny_id.to_string(),
            client_seq: draft.seq,
            body: &draft.body,
            cloud: &draft.cloud,
            nick: &draft.nick,
            face_url: &draft.face_url,
            flags: if message.revoker.is_some() { 8 } else { 0 },
            version: message.version,
            need_receipt: u8::from(draft.need_receipt),
            extension: u8::from(draft.extension),
            sync: None,
            lifetime: draft.online_only.then_some(0),
            control: controlled.then(|| {
                json!({"NoUnread": u8::from(draft.no_unread), "NoLastMsg": u8::from(draft.no_last)})
            }),
            revoker: message
                .revoker
                .as_ref()
                .map(|user| json!({"Revoker_Account": user, "Reason": ""})),
            is_read: u8::from(message.read_at.is_some()),
            read_at: message.read_at,
        }
    }

    /// The copy for another login of the sender, with the two accounts swapped.
    pub(crate) fn synced(message: &'a Message) -> Self {
        let plain = Self::plain(message);
        Self {
            from: plain.to,
            to: plain.from,
            sync: Some(1),
            ..plain
        }
    }
}

impl<'a> MessageEvent<'a> {
    pub(crate) const fn new(item: Item<'a>) -> Self {
        Self {
            event: 9,
            messages: [item],
        }
    }
}
