//! Reads frames recorded from the official SDK and from a server that it accepted, one of each
//! shape. The tests check that all content is parsed and that no field is lost when it is written
//! again.

use botroupe::proto::event::{Notice, Push};
use botroupe::proto::message::{
    C2cItem, Draft, GroupItem, MessageKey, MessageRef, OfflinePush, Priority, SendC2c, SendGroup,
    SendOptions,
};
use botroupe::proto::op::live_room::poll::read_item;
use botroupe::proto::op::reaction::ReactionChange;
use botroupe::proto::update::{EditedMessage, FriendChange, ProfileChange, UserStatus};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

struct Frame {
    servcmd: String,
    body: Value,
}

fn frames(direction: &str) -> Vec<Frame> {
    let all: Vec<Value> =
        serde_json::from_str(include_str!("../fixtures/messaging_frames.json")).unwrap();
    all.into_iter()
        .filter(|frame| frame["dir"] == direction)
        .map(|mut frame| Frame {
            servcmd: frame["servcmd"].as_str().unwrap().to_owned(),
            body: frame["body"].take(),
        })
        .collect()
}

/// Returns the other names of a field on the wire.
fn aliases(key: &str) -> &[&str] {
    match key {
        "MsgTime" | "MsgTimeStamp" => &["MsgTimeStamp", "MsgTime"],
        "Random" | "MsgRandom" => &["MsgRandom", "Random"],
        _ => &[],
    }
}

/// Checks that everything in `before` is in `after`. Empty values and zeros may be missing.
fn kept(before: &Value, after: &Value) -> Result<(), String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                let empty = match value {
                    Value::Null => true,
                    Value::String(text) => text.is_empty(),
                    Value::Array(list) => list.is_empty(),
                    Value::Object(fields) => fields.is_empty(),
                    Value::Number(number) => number.as_u64() == Some(0),
                    Value::Bool(_) => false,
                };
                let found = after
                    .get(key)
                    .or_else(|| aliases(key).iter().find_map(|name| after.get(*name)));
                match found {
                    Some(found) => kept(value, found).map_err(|path| format!("{key}.{path}"))?,
                    None if empty => {}
                    None => return Err(format!("{key} is gone")),
                }
            }
            Ok(())
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => before
            .iter()
            .zip(after)
            .try_for_each(|(before, after)| kept(before, after)),
        (Value::String(_) | Value::Number(_), Value::String(_) | Value::Number(_)) => {
            let plain = |value: &Value| value.to_string().trim_matches('"').to_owned();
            let same_number = before.as_f64().is_some() && before.as_f64() == after.as_f64();
            if plain(before) == plain(after) || same_number {
                Ok(())
            } else {
                Err(format!("{before} became {after}"))
            }
        }
        _ if before == after => Ok(()),
        _ => Err(format!("{before} became {after}")),
    }
}

#[track_caller]
fn survives<T: Serialize + DeserializeOwned>(value: &Value) {
    let read: T = serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{e}: {value}"));
    let written = serde_json::to_value(&read).unwrap();
    kept(value, &written).unwrap_or_else(|what| panic!("{what}\nin {value}\nout {written}"));
}

/// Collects every value under `key`, at any depth.
fn all<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == key {
                    found.extend(value.as_array().into_iter().flatten());
                }
                all(value, key, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| all(value, key, found)),
        _ => {}
    }
}

fn check<T: Serialize + DeserializeOwned>(key: &str, from: fn(&Value) -> bool) -> usize {
    let frames = frames("down");
    let mut found = Vec::new();
    for frame in &frames {
        all(&frame.body, key, &mut found);
    }
    found.retain(|value| from(value));
    found.iter().for_each(|value| survives::<T>(value));
    found.len()
}

#[test]
fn nothing_in_a_received_item_is_lost() {
    let any: fn(&Value) -> bool = |_| true;
    // The recordings contain some pushes that are invalid on purpose; those have no random number.
    let whole: fn(&Value) -> bool = |item| item.get("MsgRandom").is_some();
    let counts = [
        check::<C2cItem>("C2cMsgArray", whole),
        check::<GroupItem>("GroupMsgArray", any),
        check::<GroupItem>("GroupTips", any),
        check::<GroupItem>("RspMsgList", any),
        check::<MessageRef>("C2cWithdrawInfoArray", any),
        check::<MessageRef>("GroupWithdrawInfoArray", any),
        check::<MessageRef>("C2cMsgInfo", any),
        check::<EditedMessage>("C2cMsgModNotifys", any),
        check::<EditedMessage>("GroupMsgModNotifys", any),
        check::<ProfileChange>("ProfileDataMod", any),
        check::<FriendChange>("FriendListMod", any),
        check::<UserStatus>("UserStatusList", any),
        check::<ReactionChange>("MsgReactionNotifyList", any),
    ];
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    let messages: fn(&Value) -> bool =
        |item| item.get("From_Account").is_some() && item.get("EventArray").is_none();
    assert!(check::<C2cItem>("MsgList", messages) > 5);
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap()
}

#[test]
fn every_push_is_understood() {
    let (mut read, mut broken, mut unknown) = (0, 0, Vec::new());
    for Frame { servcmd, body } in frames("down") {
        let notices = if servcmd.starts_with("im_open_push.") {
            match Push::parse(&servcmd, &body.to_string()) {
                Push::Events { notices, .. } => notices,
                other => panic!("{servcmd}: {other:?}"),
            }
        } else if servcmd.ends_with(".get_msg") {
            let items = body["RspMsgList"].as_array().unwrap();
            items
                .iter()
                .flat_map(|item| read_item(&raw(item), "room"))
                .collect()
        } else {
            continue;
        };
        for notice in notices {
            match notice {
                Notice::Unknown { event, raw } => unknown.push((event, raw)),
                Notice::Malformed { .. } => broken += 1,
                _ => read += 1,
            }
        }
    }
    assert!(read > 70, "{read}");
    // The server of the recording sent it on purpose, to test the official client.
    assert!(broken <= 2, "{broken}");
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// Returns the draft of a recorded request.
fn draft(body: &Value) -> Draft {
    let flag = |key: &str| body[key].as_u64() == Some(1);
    let control: Vec<&str> = body["SendMsgControl"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let push = &body["OfflinePushInfo"];
    let text = |key: &str| push[key].as_str().unwrap_or_default().to_owned();
    Draft {
        elements: serde_json::from_value(body["MsgBody"].clone()).unwrap(),
        cloud_custom_data: body["CloudCustomData"].as_str().unwrap().to_owned(),
        mentions: serde_json::from_value(body["GroupAtInfo"].clone()).unwrap_or_default(),
        options: SendOptions {
            online_only: body["MsgLifeTime"] == json!(0) || flag("OnlineOnlyFlag"),
            receipt: flag("IsNeedReadReceipt") || flag("NeedReadReceipt"),
            no_unread: control.contains(&"NoUnread"),
            no_last: control.contains(&"NoLastMsg"),
            no_check: control.contains(&"NoMsgCheck"),
            forwarded: flag("IsRelayMsg"),
            priority: match body["MsgPriority"].as_str() {
                Some("High") => Priority::High,
                Some("Low") => Priority::Low,
                Some("Lowest") => Priority::Lowest,
                _ => Priority::Normal,
            },
            offline_push: Some(OfflinePush {
                off: push["PushFlag"] == json!(1),
                title: text("Title"),
                description: text("Desc"),
                extension: text("Ext"),
            }),
            ..SendOptions::default()
        },
    }
}

#[test]
fn our_sends_say_what_theirs_say() {
    let (mut c2c, mut group) = (0, 0);
    for Frame { servcmd, body } in frames("up") {
        let draft = draft(&body);
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| u32::try_from(body[key].as_u64().unwrap_or_default()).unwrap();
        let (from, time) = (text("From_Account"), u64::from(number("MsgClientTime")));
        let mut ours = if servcmd == "openim.sendmsg" {
            c2c += 1;
            let key = MessageKey {
                seq: number("MsgSeq"),
                random: number("MsgRandom"),
            };
            serde_json::to_value(SendC2c::new(&from, &text("To_Account"), &draft, key, time))
        } else {
            group += 1;
            let key = MessageKey {
                seq: number("ClientSeq"),
                random: number("Random"),
            };
            serde_json::to_value(SendGroup::new(&from, &text("GroupId"), &draft, key, time))
        }
        .unwrap();
        let mut theirs = body.clone();
        for side in [&mut ours, &mut theirs] {
            let fields = side.as_object_mut().unwrap();
            // We do not set the sender's profile names, message extensions and topics.
            for key in [
                "From_AccountNick",
                "From_AccountHeadurl",
                "SupportMessageExtension",
                "TopicId",
            ] {
                fields.remove(key);
            }
            if let Some(push) = fields["OfflinePushInfo"].as_object_mut() {
                push.retain(|key, _| !matches!(key.as_str(), "ApnsInfo" | "AndroidInfo"));
            }
        }
        assert_eq!(ours, theirs, "{servcmd}");
    }
    assert!(c2c > 10 && group > 4, "{c2c} {group}");
}
