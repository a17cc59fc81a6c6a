//! The lines of a recording: JSON, one event each.

use crate::proto::message::Message;
use crate::proto::update::Update;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// The version of recordings that is written.
const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    botroupe: String,
    version: u32,
    /// In Unix seconds.
    began: u64,
    masked: bool,
}

impl Header {
    pub(super) fn new(began: u64, masked: bool) -> Self {
        Self {
            botroupe: "recording".to_owned(),
            version: VERSION,
            began,
            masked,
        }
    }
}

/// Something that happened.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::bot) struct Line {
    /// When, in milliseconds since the recording began.
    pub(in crate::bot) at: u64,
    /// The account that it happened to.
    pub(in crate::bot) account: String,
    pub(in crate::bot) heard: Happened,
}

/// What happened.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::bot) enum Happened {
    Message(Box<Message>),
    Update(Box<Update>),
    Ready,
    /// The account is away; why, as `botroupe status` says it in a word.
    NotReady(String),
    /// So many events before were not recorded.
    Lost(u64),
}

impl Line {
    pub(super) fn of(at: Duration, account: &str, heard: Happened) -> Self {
        Self {
            at: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
            account: account.to_owned(),
            heard,
        }
    }
}

/// What a recording holds of an account, which is called `me` then; and when it began, in Unix seconds. Without an
/// `account` it may hold one alone.
///
/// # Errors
/// What is wrong with it.
pub(in crate::bot) fn recorded(
    text: &str,
    account: Option<&str>,
    me: &str,
) -> Result<(u64, Vec<Line>), String> {
    let mut lines = text.lines().enumerate();
    let first = lines.next().map(|(_, line)| serde_json::from_str(line));
    let Some(Ok(Header { version, began, .. })) = first else {
        return Err("this is no recording of botroupe".to_owned());
    };
    if version > VERSION {
        return Err(format!(
            "the recording has version {version}; this program reads {VERSION}"
        ));
    }
    let mut account = account.map(str::to_owned);
    let is_given = account.is_some();
    let mut found = Vec::new();
    for (number, line) in lines {
        let unreadable = |error: serde_json::Error| format!("line {}: {error}", number + 1);
        let value: Value = serde_json::from_str(line).map_err(unreadable)?;
        let of = value["account"].as_str().unwrap_or_default().to_owned();
        let wanted = account.get_or_insert_with(|| of.clone());
        if *wanted != of {
            if is_given {
                continue;
            }
            return Err(format!(
                "the recording is of several accounts, {wanted} and {of} among them; name the one to replay"
            ));
        }
        let value = renamed(value, &of, me).to_string();
        found.push(serde_json::from_str(&value).map_err(unreadable)?);
    }
    Ok((began, found))
}

/// Calls an account otherwise, wherever its name stands alone.
fn renamed(value: Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) if text == from => to.into(),
        Value::Array(all) => all
            .into_iter()
            .map(|value| renamed(value, from, to))
            .collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, value)| {
                // What somebody said is not a name.
                let value = match key.as_str() {
                    "Text" => value,
                    _ => renamed(value, from, to),
                };
                (key, value)
            });
            Value::Object(fields.collect())
        }
        other => other,
    }
}
