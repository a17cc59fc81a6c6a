//! Requests that send messages. The C2C request, the group request and received messages use
//! different names for the same fields.

use super::{Draft, Element, Mention};
use crate::address::GroupAddress;
use crate::id::UserId;
use serde::Serialize;

/// The numbers that identify a message when it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageKey {
    /// The sender's counter.
    pub seq: u32,
    /// A random number, generated once per message.
    pub random: u32,
}

/// The body of `openim.sendmsg`.
#[derive(Clone, Debug, Serialize)]
pub struct SendC2c<'a> {
    #[serde(rename = "From_Account")]
    from: &'a str,
    #[serde(rename = "To_Account")]
    to: &'a str,
    #[serde(rename = "MsgSeq")]
    seq: u32,
    #[serde(rename = "MsgRandom")]
    random: u32,
    #[serde(rename = "MsgBody")]
    body: &'a [Element],
    #[serde(rename = "CloudCustomData")]
    cloud_custom_data: &'a str,
    #[serde(rename = "From_AccountNick")]
    nick: &'static str,
    #[serde(rename = "From_AccountHeadurl")]
    head_url: &'static str,
    #[serde(rename = "OfflinePushInfo")]
    offline_push: OfflinePushInfo<'a>,
    #[serde(rename = "SendMsgControl", skip_serializing_if = "Option::is_none")]
    control: Option<Vec<&'static str>>,
    #[serde(rename = "MsgLifeTime", skip_serializing_if = "Option::is_none")]
    life_time: Option<u32>,
    #[serde(rename = "MsgClientTime")]
    client_time: u64,
    #[serde(rename = "IsNeedReadReceipt")]
    need_receipt: u8,
    #[serde(rename = "SupportMessageExtension")]
    extension: u8,
    #[serde(rename = "IsRelayMsg")]
    relay: u8,
}

/// The body of `group_open_http_svc.send_group_msg`.
#[derive(Clone, Debug, Serialize)]
pub struct SendGroup<'a> {
    #[serde(rename = "From_Account")]
    from: &'a str,
    #[serde(flatten)]
    group: GroupAddress,
    #[serde(rename = "Random")]
    random: u32,
    #[serde(rename = "ClientSeq")]
    seq: u32,
    #[serde(rename = "MsgPriority")]
    priority: &'static str,
    #[serde(rename = "MsgBody")]
    body: &'a [Element],
    #[serde(rename = "CloudCustomData")]
    cloud_custom_data: &'a str,
    #[serde(rename = "OnlineOnlyFlag")]
    online_only: u8,
    #[serde(rename = "OfflinePushInfo")]
    offline_push: OfflinePushInfo<'a>,
    #[serde(rename = "GroupAtInfo")]
    mentions: &'a [Mention],
    #[serde(rename = "SendMsgControl", skip_serializing_if = "Option::is_none")]
    control: Option<Vec<&'static str>>,
    #[serde(rename = "MsgClientTime")]
    client_time: u64,
    #[serde(rename = "NeedReadReceipt")]
    need_receipt: u8,
    #[serde(rename = "To_Account", skip_serializing_if = "<[UserId]>::is_empty")]
    targets: &'a [UserId],
    #[serde(rename = "SupportMessageExtension")]
    extension: u8,
    #[serde(rename = "IsRelayMsg")]
    relay: u8,
}

#[derive(Clone, Debug, Default, Serialize)]
struct OfflinePushInfo<'a> {
    #[serde(rename = "PushFlag")]
    flag: u8,
    #[serde(rename = "Title")]
    title: &'a str,
    #[serde(rename = "Desc")]
    desc: &'a str,
    #[serde(rename = "Ext")]
    ext: &'a str,
}

/// Builds the push settings. `off` suppresses the notification, whatever the draft requests.
fn offline_push(draft: &Draft, off: bool) -> OfflinePushInfo<'_> {
    let push = draft.options.offline_push.as_ref();
    OfflinePushInfo {
        flag: u8::from(off || push.is_some_and(|push| push.off)),
        title: push.map_or("", |push| &push.title),
        desc: push.map_or("", |push| &push.description),
        ext: push.map_or("", |push| &push.extension),
    }
}

/// Returns the control flags. `None` for messages that are not stored: the official client leaves
/// the field out.
fn control(draft: &Draft) -> Option<Vec<&'static str>> {
    let options = &draft.options;
    (!options.online_only).then(|| {
        let wishes = [
            (options.no_unread, "NoUnread"),
            (options.no_last, "NoLastMsg"),
            (options.no_check, "NoMsgCheck"),
        ];
        wishes
            .into_iter()
            .filter_map(|(wanted, word)| wanted.then_some(word))
            .collect()
    })
}

impl<'a> SendC2c<'a> {
    /// Creates the request of `from` to send `draft` to `to`. `client_time` is the sender's clock
    /// in Unix seconds, corrected by the server time.
    #[must_use]
    pub fn new(
        from: &'a str,
        to: &'a str,
        draft: &'a Draft,
        key: MessageKey,
        client_time: u64,
    ) -> Self {
        Self {
            from,
            to,
            seq: key.seq,
            random: key.random,
            body: &draft.elements,
            cloud_custom_data: &draft.cloud_custom_data,
            nick: "",
            head_url: "",
            // A message that is not stored causes no push notification. The official client states
            // this here, and leaves it to the server in groups.
            // and leaves it to the server in groups.
            offline_push: offline_push(draft, draft.options.online_only),
            control: control(draft),
            life_time: draft.options.online_only.then_some(0),
            client_time,
            need_receipt: u8::from(draft.options.receipt),
            extension: u8::from(draft.options.extensible),
            relay: u8::from(draft.options.forwarded),
        }
    }
}

impl<'a> SendGroup<'a> {
    /// Creates the request of `from` to send `draft` to the group or topic `group`, see
    /// [`SendC2c::new`].
    #[must_use]
    pub fn new(
        from: &'a str,
        group: &'a str,
        draft: &'a Draft,
        key: MessageKey,
        client_time: u64,
    ) -> Self {
        Self {
            from,
            group: GroupAddress::new(group),
            random: key.random,
            seq: key.seq,
            priority: draft.options.priority.word(),
            body: &draft.elements,
            cloud_custom_data: &draft.cloud_custom_data,
            online_only: u8::from(draft.options.online_only),
            offline_push: offline_push(draft, false),
            mentions: &draft.mentions,
            control: control(draft),
            client_time,
            need_receipt: u8::from(draft.options.receipt),
            targets: &draft.options.targets,
            extension: u8::from(draft.options.extensible),
            relay: u8::from(draft.options.forwarded),
        }
    }
}
