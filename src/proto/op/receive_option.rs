//! How conversations announce their messages (Tencent: message receive option), and the hours in which
//! the account does not want to be disturbed.

use super::Done;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Users whose receive option one request may be about.
pub const MAX_PEERS: usize = 30;

calls! {
    SetMuteOption => "openim.set_c2c_peer_mute_notifications" -> Done, Limit::NONE;
    GetMuteOption => "openim.get_c2c_peer_mute_notifications" -> MuteOptions, Limit::NONE;
    DoNotDisturb => "im_msg_db_logic.ws_set_do_not_disturb" -> Done, Limit::NONE;
    GetDoNotDisturb => "im_msg_db_logic.ws_get_do_not_disturb" -> DoNotDisturb, Limit::NONE;
}

/// How the messages of a conversation announce themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MuteOption {
    /// Received, and announced.
    #[default]
    Announce,
    /// Not received at all.
    Discard,
    /// Received without being announced.
    Silent,
}

impl MuteOption {
    /// The number that stands for it in a one-to-one conversation.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Announce => 0,
            Self::Discard => 1,
            Self::Silent => 2,
        }
    }

    /// The word that stands for it in a group.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Announce => "AcceptAndNotify",
            Self::Discard => "Discard",
            Self::Silent => "AcceptNotNotify",
        }
    }

    /// The option of this number; `Announce` for an unknown one.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Discard,
            2 => Self::Silent,
            _ => Self::Announce,
        }
    }
}

/// Sets how one-to-one conversations announce themselves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetMuteOption {
    /// The other sides, 30 at most.
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

/// Asks how one-to-one conversations announce themselves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetMuteOption {
    /// This account.
    #[serde(rename = "To_Account", default, deserialize_with = "lenient::string")]
    pub me: String,
    /// The other sides, 30 at most.
    #[serde(rename = "Peer_Account", default, deserialize_with = "lenient::list")]
    pub peers: Vec<String>,
}

/// The answer to [`GetMuteOption`].
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct MuteOptions {
    /// One per conversation.
    #[serde(
        rename = "MuteNotificationsList",
        default,
        deserialize_with = "lenient::list"
    )]
    pub items: Vec<MuteState>,
}

/// The receive option of one conversation.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct MuteState {
    /// The other side.
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

/// When an account's terminals are to announce nothing of anybody; by default they always may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoNotDisturb {
    /// [`MuteOption::number`].
    #[serde(rename = "Level", default, deserialize_with = "lenient::int")]
    level: u32,
    /// From here, Unix seconds.
    #[serde(rename = "StartTime", default, deserialize_with = "lenient::int")]
    pub start: u64,
    /// To here, Unix seconds.
    #[serde(rename = "EndTime", default, deserialize_with = "lenient::int")]
    pub end: u64,
    /// 1: every day at that time.
    #[serde(rename = "IsRepeated", default, deserialize_with = "lenient::int")]
    repeated: u32,
}

impl DoNotDisturb {
    /// From one time to another, both in Unix seconds; what comes meanwhile is received without
    /// being announced.
    #[must_use]
    pub const fn between(start: u64, end: u64) -> Self {
        Self {
            level: MuteOption::Silent.number(),
            start,
            end,
            repeated: 0,
        }
    }

    /// Every day at that time.
    #[must_use]
    pub const fn daily(mut self) -> Self {
        self.repeated = 1;
        self
    }

    /// The receive option during that time.
    #[must_use]
    pub const fn with(mut self, option: MuteOption) -> Self {
        self.level = option.number();
        self
    }

    /// The receive option during that time.
    #[must_use]
    pub const fn option(&self) -> MuteOption {
        MuteOption::from_number(self.level)
    }

    /// Whether it is so every day.
    #[must_use]
    pub const fn is_daily(&self) -> bool {
        self.repeated == 1
    }
}

/// Asks for [`DoNotDisturb`].
#[derive(Clone, Debug, Serialize)]
pub struct GetDoNotDisturb {
    /// This account.
    #[serde(rename = "ToAccount")]
    pub me: String,
}
