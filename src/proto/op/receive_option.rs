//! Notification modes of conversations (Tencent: message receive option), and the do-not-disturb
//! period of an account. See "Conversations and people" in `docs/src/protocol.md`.

use super::Done;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The maximum number of users per request.
pub const MAX_PEERS: usize = 30;

calls! {
    SetMuteOption => "openim.set_c2c_peer_mute_notifications" -> Done, Limit::NONE;
    GetMuteOption => "openim.get_c2c_peer_mute_notifications" -> MuteOptions, Limit::NONE;
    DoNotDisturb => "im_msg_db_logic.ws_set_do_not_disturb" -> Done, Limit::NONE;
    GetDoNotDisturb => "im_msg_db_logic.ws_get_do_not_disturb" -> DoNotDisturb, Limit::NONE;
}

/// The notification mode of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MuteOption {
    /// Receive messages and notify.
    #[default]
    Announce,
    /// Do not receive messages.
    Discard,
    /// Receive messages without notification.
    Silent,
}

impl MuteOption {
    /// Returns the number on the wire, for one-to-one conversations.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Announce => 0,
            Self::Discard => 1,
            Self::Silent => 2,
        }
    }

    /// Returns the name on the wire, for groups.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Announce => "AcceptAndNotify",
            Self::Discard => "Discard",
            Self::Silent => "AcceptNotNotify",
        }
    }

    /// Converts a number from the wire. Unknown numbers become `Announce`.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Discard,
            2 => Self::Silent,
            _ => Self::Announce,
        }
    }
}

/// Sets the notification mode of one-to-one conversations.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetMuteOption {
    /// The peers, at most 30.
    #[serde(rename = "Peer_Account", default, deserialize_with = "lenient::list")]
    pub peers: Vec<String>,
    /// [`MuteOption::number`].
    #[serde(
        rename = "Mute_Notifications",
        default,
        deserialize_with = "lenient::int"
    )]
    pub option: u32,
}

/// Requests the notification mode of one-to-one conversations.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetMuteOption {
    /// This account.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub me: String,
    /// The peers, at most 30.
    #[serde(rename = "Peer_Account", default, deserialize_with = "lenient::list")]
    pub peers: Vec<String>,
}

/// The answer to [`GetMuteOption`].
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct MuteOptions {
    /// One entry per conversation.
    #[serde(
        rename = "MuteNotificationsList",
        default,
        deserialize_with = "lenient::list"
    )]
    pub items: Vec<MuteState>,
}

/// The notification mode of one conversation.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct MuteState {
    /// The peer.
    #[serde(rename = "Peer_Account", default, deserialize_with = "lenient::string")]
    pub peer: String,
    /// See [`MuteOption::from_number`].
    #[serde(
        rename = "MuteNotifications",
        alias = "Mute_Notifications",
        default,
        deserialize_with = "lenient::int"
    )]
    pub option: u32,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The do-not-disturb period of an account, for all its terminals and conversations. By default
/// there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoNotDisturb {
    /// [`MuteOption::number`].
    #[serde(rename = "Level", default, deserialize_with = "lenient::int")]
    level: u32,
    /// The start, in Unix seconds.
    #[serde(rename = "StartTime", default, deserialize_with = "lenient::int")]
    pub start: u64,
    /// The end, in Unix seconds.
    #[serde(rename = "EndTime", default, deserialize_with = "lenient::int")]
    pub end: u64,
    /// 1: the period repeats every day.
    #[serde(rename = "IsRepeated", default, deserialize_with = "lenient::int")]
    repeated: u32,
}

impl DoNotDisturb {
    /// Sets the period, in Unix seconds. Messages in the period are received without notification.
    #[must_use]
    pub const fn between(start: u64, end: u64) -> Self {
        Self {
            level: MuteOption::Silent.number(),
            start,
            end,
            repeated: 0,
        }
    }

    /// Repeats the period every day.
    #[must_use]
    pub const fn daily(mut self) -> Self {
        self.repeated = 1;
        self
    }

    /// Sets the notification mode in the period.
    #[must_use]
    pub const fn with(mut self, option: MuteOption) -> Self {
        self.level = option.number();
        self
    }

    /// Returns the notification mode in the period.
    #[must_use]
    pub const fn option(&self) -> MuteOption {
        MuteOption::from_number(self.level)
    }

    /// Returns whether the period repeats every day.
    #[must_use]
    pub const fn is_daily(&self) -> bool {
        self.repeated == 1
    }
}

/// Requests the [`DoNotDisturb`] period.
#[derive(Clone, Debug, Serialize)]
pub struct GetDoNotDisturb {
    /// This account.
    #[serde(rename = "ToAccount")]
    pub me: String,
}
