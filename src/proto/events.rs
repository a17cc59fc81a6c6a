//! Converts entries of an `EventArray` to notices. The payload key determines the kind of an entry;
//! the event number only matters where several kinds share a payload key.

use super::event::{EventsBody, KickType, Notice};
use super::id::{GroupId, UserId};
use super::lenient;
use super::message::{Conversation, GroupItem, MessageRef};
use super::packet::InstId;
use super::update::{EditedMessage, Fields, Update, UserStatus};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

/// Default event number of a group item that names none: a stored tip.
const TIP: u64 = 4;
const NOTICE: u64 = 5;
const UNSTORED_TIP: u64 = 6;
const MENTION: u64 = 12;
/// Event number of group messages.
pub(super) const MESSAGE: u64 = 3;
const ALL_READ: u64 = 14;
const C2C_RECEIPT: u64 = 16;
const DO_NOT_DISTURB: u64 = 24;

type Raws<'a> = Option<Vec<&'a RawValue>>;

#[derive(Deserialize)]
struct EventItem<'a> {
    #[serde(rename = "Event", default, deserialize_with = "lenient::opt_int")]
    event: Option<u64>,
    #[serde(rename = "C2cMsgArray", default, borrow)]
    c2c: Raws<'a>,
    #[serde(rename = "C2cNotifyMsgArray", default, borrow)]
    c2c_notify: Raws<'a>,
    #[serde(rename = "GroupMsgArray", default, borrow)]
    group: Raws<'a>,
    #[serde(rename = "GroupTips", default, borrow)]
    tips: Raws<'a>,
    #[serde(rename = "C2cMsgModNotifys", default, borrow)]
    c2c_edits: Raws<'a>,
    #[serde(rename = "GroupMsgModNotifys", default, borrow)]
    group_edits: Raws<'a>,
    #[serde(rename = "ProfileDataMod", default, borrow)]
    profiles: Raws<'a>,
    #[serde(rename = "FriendListMod", default, borrow)]
    friends: Raws<'a>,
    #[serde(rename = "RecentContactMod", default, borrow)]
    contacts: Raws<'a>,
    #[serde(rename = "UserStatusList", default, borrow)]
    status: Raws<'a>,
    #[serde(rename = "MsgReactionNotifyList", default, borrow)]
    reactions: Raws<'a>,
    #[serde(rename = "MsgReactionNotify", default, borrow)]
    own_reaction: Option<&'a RawValue>,
    #[serde(rename = "MsgExtensionNotify", default, borrow)]
    extensions: Option<&'a RawValue>,
    #[serde(rename = "FollowChangeList", default, borrow)]
    follows: Raws<'a>,
}

/// Parses one entry of an `EventArray`.
#[must_use]
pub fn read_event(raw: &RawValue) -> Vec<Notice> {
    let item: EventItem<'_> = match serde_json::from_str(raw.get()) {
        Ok(item) => item,
        Err(error) => return vec![malformed(&error)],
    };
    let number = item.event;
    if let Some(messages) = item.c2c {
        return messages.into_iter().map(read_c2c).collect();
    }
    if let Some(notes) = item.c2c_notify {
        return notes
            .into_iter()
            .flat_map(|note| read_notify(note, number))
            .collect();
    }
    if let Some(messages) = item.group {
        return each(&messages, |item: GroupItem| Notice::Group {
            event: MESSAGE,
            item: Box::new(item),
        });
    }
    if let Some(tips) = item.tips {
        return tips
            .into_iter()
            .map(|tip| read_tip(tip, number.unwrap_or(TIP)))
            .collect();
    }
    if let Some(edits) = item.c2c_edits {
        return each(&edits, |edit: EditedMessage| {
            // Both sides may edit a message. Only the receiver knows which of the two is the other
            // side.
            update(Update::Edited {
                conversation: Conversation::C2c(edit.from.as_str().into()),
                message: Box::new(edit),
            })
        });
    }
    if let Some(edits) = item.group_edits {
        return each(&edits, |edit: EditedMessage| {
            update(Update::Edited {
                conversation: place(&edit.group, &edit.topic),
                message: Box::new(edit),
            })
        });
    }
    if let Some(changes) = item.profiles {
        return each(&changes, |change| update(Update::Profile(change)));
    }
    if let Some(changes) = item.friends {
        return each(&changes, |change| update(Update::Friends(change)));
    }
    if let Some(changes) = item.contacts {
        return each(&changes, |change| update(Update::Conversations(change)));
    }
    if let Some(list) = item.status {
        let read = |raw: &&RawValue| serde_json::from_str::<UserStatus>(raw.get());
        return match list.iter().map(read).collect() {
            Ok(list) => vec![update(Update::Status(list))],
            Err(error) => vec![malformed(&error)],
        };
    }
    if let Some(list) = item.reactions {
        return each(&list, |change| update(Update::Reactions(change)));
    }
    if let Some(change) = item.own_reaction {
        return each(&[change], |change| update(Update::ReactedElsewhere(change)));
    }
    if let Some(change) = item.extensions {
        return each(&[change], |change| update(Update::Extensions(change)));
    }
    if let Some(changes) = item.follows {
        return each(&changes, |change| update(Update::Follows(change)));
    }
    let whole = match number {
        Some(C2C_RECEIPT) => read_c2c_receipt(raw),
        Some(ALL_READ) => read_all_read(raw),
        Some(DO_NOT_DISTURB) => serde_json::from_str(raw.get()).map(Update::DoNotDisturb),
        _ => return vec![unknown(raw, number)],
    };
    vec![whole.map_or_else(|error| malformed(&error), update)]
}

/// Parses one entry of `MsgList` in a page of missed messages: an item, or a list of events.
#[must_use]
pub fn read_missed(raw: &RawValue) -> Vec<Notice> {
    match serde_json::from_str::<EventsBody<'_>>(raw.get()) {
        Ok(body) if !body.events.is_empty() => body
            .events
            .iter()
            .flat_map(|event| read_event(event))
            .collect(),
        _ => vec![read_c2c(raw)],
    }
}

/// Returns the conversation of the topic, if one is named, or else of the group.
fn place(group: &str, topic: &str) -> Conversation {
    Conversation::group(if topic.is_empty() { group } else { topic })
}

fn update(update: Update) -> Notice {
    Notice::Update(Box::new(update))
}

fn malformed(error: &serde_json::Error) -> Notice {
    Notice::Malformed {
        reason: error.to_string(),
    }
}

fn unknown(raw: &RawValue, event: Option<u64>) -> Notice {
    Notice::Unknown {
        event,
        raw: raw.to_owned(),
    }
}

fn each<T: DeserializeOwned>(raws: &[&RawValue], make: impl Fn(T) -> Notice) -> Vec<Notice> {
    raws.iter()
        .map(|raw| lenient::read(raw.get()).map_or_else(|error| malformed(&error), &make))
        .collect()
}

fn read_c2c(raw: &RawValue) -> Notice {
    match lenient::read(raw.get()) {
        Ok(item) => Notice::C2c(Box::new(item)),
        Err(error) => malformed(&error),
    }
}

#[derive(Deserialize)]
struct NotifyItem {
    #[serde(rename = "KickoutMsgNotify")]
    kick: Option<Kickout>,
    #[serde(rename = "WithdrawC2cMsgNotify")]
    withdraw: Option<Withdraw>,
    #[serde(rename = "C2cReadedReceipt")]
    read_by_peer: Option<ReadPairs>,
    #[serde(rename = "ReadC2cMsgNotify")]
    read_elsewhere: Option<ReadPairs>,
    #[serde(rename = "MuteNotificationsSync")]
    mute: Option<Mute>,
}

#[derive(Deserialize)]
struct Kickout {
    #[serde(rename = "KickType")]
    kick_type: Value,
    #[serde(rename = "Instid", default)]
    inst_id: Value,
}

#[derive(Deserialize)]
struct Withdraw {
    #[serde(
        rename = "C2cWithdrawInfoArray",
        default,
        deserialize_with = "lenient::null_default"
    )]
    messages: Vec<MessageRef>,
}

#[derive(Deserialize)]
struct ReadPairs {
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    to: String,
    #[serde(
        rename = "UinPairReadArray",
        default,
        deserialize_with = "lenient::null_default"
    )]
    pairs: Vec<ReadPair>,
}

#[derive(Deserialize)]
struct ReadPair {
    #[serde(rename = "From_Account", default, deserialize_with = "lenient::string")]
    from: String,
    #[serde(rename = "LastReadTime", default, deserialize_with = "lenient::int")]
    until: u64,
}

#[derive(Deserialize)]
struct Mute {
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    peer: UserId,
    #[serde(
        rename = "MuteNotifications",
        default,
        deserialize_with = "lenient::int"
    )]
    option: u32,
}

fn read_notify(raw: &RawValue, event: Option<u64>) -> Vec<Notice> {
    let Ok(item) = lenient::read::<NotifyItem>(raw.get()) else {
        return vec![unknown(raw, event)];
    };
    if let Some(kick) = item.kick {
        let Some(kind) = kick.kick_type.as_u64().and_then(KickType::from_wire) else {
            return vec![unknown(raw, event)];
        };
        // A kick without an instance ID concerns the login that receives it.
        let inst_id = serde_json::from_value::<InstId>(kick.inst_id).ok();
        let inst_id = inst_id.filter(InstId::is_some);
        return vec![Notice::Kicked { kind, inst_id }];
    }
    if let Some(withdraw) = item.withdraw {
        return withdraw.messages.into_iter().map(read_withdrawal).collect();
    }
    if let Some(read) = item.read_by_peer {
        let peer = UserId::from(read.to);
        return read
            .pairs
            .into_iter()
            .map(|pair| {
                update(Update::ReadByPeer {
                    peer: peer.clone(),
                    until: pair.until,
                })
            })
            .collect();
    }
    if let Some(read) = item.read_elsewhere {
        return read
            .pairs
            .into_iter()
            .map(|pair| {
                update(Update::ReadElsewhere {
                    conversation: Conversation::C2c(pair.from.into()),
                    until: pair.until,
                })
            })
            .collect();
    }
    if let Some(Mute { peer, option }) = item.mute {
        return vec![update(Update::MuteNotifications { peer, option })];
    }
    vec![unknown(raw, event)]
}

fn revoker(fields: &Fields) -> UserId {
    fields
        .get("RevokerInfo")
        .and_then(|info| info.get("Revoker_Account"))
        .and_then(Value::as_str)
        .unwrap_or_default()
        .into()
}

fn read_withdrawal(message: MessageRef) -> Notice {
    update(Update::Recalled {
        conversation: Conversation::C2c(message.from.as_str().into()),
        by: revoker(&message.extra),
        messages: vec![message],
    })
}

#[derive(Deserialize)]
struct Tip<'a> {
    #[serde(rename = "GroupAtTips", default, borrow)]
    mention: Option<&'a RawValue>,
    #[serde(rename = "MsgBody", default, borrow)]
    body: Option<&'a RawValue>,
    #[serde(rename = "GroupInfo", default)]
    info: Fields,
    #[serde(flatten)]
    extra: Fields,
}

#[derive(Deserialize)]
struct NoticeBody {
    #[serde(rename = "GroupWithdrawInfoArray")]
    recalled: Option<Vec<MessageRef>>,
    #[serde(rename = "GroupReadInfoArray")]
    read: Option<Vec<GroupRead>>,
    #[serde(rename = "GroupMsgReceiptList")]
    receipts: Option<Vec<super::update::GroupReceipt>>,
}

#[derive(Deserialize)]
struct GroupRead {
    #[serde(rename = "GroupId", default, deserialize_with = "lenient::string")]
    group: GroupId,
    #[serde(rename = "TopicId", default, deserialize_with = "lenient::string")]
    topic: GroupId,
    #[serde(rename = "LastReadMsgSeq", default, deserialize_with = "lenient::int")]
    seq: u32,
}

impl GroupRead {
    /// Returns the group or topic, and the sequence number up to which it was read.
    fn mark(self) -> (GroupId, u32) {
        let id = if self.topic.is_empty() {
            self.group
        } else {
            self.topic
        };
        (id, self.seq)
    }
}

fn read_tip(raw: &RawValue, event: u64) -> Notice {
    match event {
        TIP | UNSTORED_TIP => {}
        NOTICE => {
            if let Some(update) = read_group_update(raw) {
                return Notice::Update(Box::new(update));
            }
        }
        MENTION => {
            let tip = serde_json::from_str::<Tip<'_>>(raw.get());
            return match tip.map(|tip| tip.mention.map(|raw| serde_json::from_str(raw.get()))) {
                Ok(Some(Ok(mentioned))) => update(Update::Mentioned(mentioned)),
                Ok(Some(Err(error))) | Err(error) => malformed(&error),
                Ok(None) => unknown(raw, Some(event)),
            };
        }
        other => return unknown(raw, Some(other)),
    }
    match lenient::read(raw.get()) {
        Ok(item) => Notice::Group {
            event,
            item: Box::new(item),
        },
        Err(error) => malformed(&error),
    }
}

/// Parses the three group updates that share their event number with system notices.
fn read_group_update(raw: &RawValue) -> Option<Update> {
    let tip: Tip<'_> = serde_json::from_str(raw.get()).ok()?;
    let body: NoticeBody = lenient::read(tip.body?.get()).ok()?;
    let named = |fields: &Fields| {
        let text = |key| fields.get(key).and_then(Value::as_str);
        let topic = text("TopicId").filter(|topic| !topic.is_empty());
        let id = topic.or_else(|| text("GroupId"));
        GroupId::from(id.unwrap_or_default())
    };
    if let Some(messages) = body.recalled {
        let inside = messages.first().map(|message| named(&message.extra));
        let group = inside
            .filter(|group| !group.is_empty())
            .unwrap_or_else(|| named(&tip.info));
        return Some(Update::Recalled {
            conversation: Conversation::group(group),
            by: revoker(&tip.extra),
            messages,
        });
    }
    if let Some(read) = body.read {
        let groups = read.into_iter().map(GroupRead::mark);
        return Some(Update::AllReadElsewhere {
            c2c: false,
            groups: groups.collect(),
        });
    }
    Some(Update::GroupReceipt {
        group: named(&tip.info),
        messages: body.receipts?,
    })
}

fn read_c2c_receipt(raw: &RawValue) -> Result<Update, serde_json::Error> {
    #[derive(Deserialize)]
    struct Receipt {
        #[serde(rename = "Peer_Account", default, deserialize_with = "lenient::string")]
        peer: UserId,
        #[serde(rename = "PeerReadTime", default, deserialize_with = "lenient::int")]
        time: u64,
        #[serde(
            rename = "C2cMsgInfo",
            default,
            deserialize_with = "lenient::null_default"
        )]
        messages: Vec<MessageRef>,
    }
    let receipt: Receipt = lenient::read(raw.get())?;
    Ok(Update::C2cReceipt {
        peer: receipt.peer,
        time: receipt.time,
        messages: receipt.messages,
    })
}

fn read_all_read(raw: &RawValue) -> Result<Update, serde_json::Error> {
    #[derive(Deserialize)]
    struct AllRead {
        #[serde(rename = "C2CReadAllMsg", default, deserialize_with = "lenient::flag")]
        c2c: bool,
        #[serde(
            rename = "GroupReadInfoArray",
            default,
            deserialize_with = "lenient::null_default"
        )]
        groups: Vec<GroupRead>,
    }
    let read: AllRead = serde_json::from_str(raw.get())?;
    let groups = read.groups.into_iter().map(GroupRead::mark);
    Ok(Update::AllReadElsewhere {
        c2c: read.c2c,
        groups: groups.collect(),
    })
}
