//! Botroupe runs many Tencent Cloud Chat (IM) accounts as bots from one config file and keeps
//! them online.
//!
//! Bot authors need the [`prelude`] and [`bot`]; whoever embeds the whole needs [`app`]; whoever
//! tests against a server needs [`sandbox`]. The rest is public for those who build something of
//! their own on a layer, and for fuzzing.
//!
//! ```text
//!                     main + bots ─► app, cli
//!          ┌──────────────┬────────────┴┬─────────────┐
//!      supervisor        bot          config        sandbox ─► proto, policy only
//!          └──────┬───────┘
//!              account
//!              gateway                 (actix, awc, tokio from here up)
//!  ───────────────────────────────────  IO line: pure below
//!              session
//!           proto     policy
//! ```

pub mod account;
pub mod app;
pub mod bot;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod gateway;
pub mod rest;
pub mod supervisor;

pub use botroupe_core::{policy, session};
pub use botroupe_proto as proto;
#[cfg(feature = "sandbox")]
pub use botroupe_sandbox as sandbox;
#[cfg(feature = "simulator")]
pub use botroupe_simulator as simulator;

/// What a bot needs: `use botroupe::prelude::*;`.
pub mod prelude {
    pub use crate::bot::{
        Api, ApiError, Attachment, Bot, Config, Group, GroupApi, IntoReply, Kicked, NotReady,
        Outgoing, Sender, State, Text, Upload,
    };
    pub use crate::proto::code::Code;
    pub use crate::proto::message::{
        Conversation, Draft, Element, GroupTip, Message, NoticeKind, SystemNotice, TipKind,
    };
    pub use crate::proto::op::group::{JoinOption, Modify as GroupChange, NewGroup};
    pub use crate::proto::op::group_member::Role;
    pub use crate::proto::op::profile::SetProfile;
    pub use crate::proto::op::receive_option::{DoNotDisturb, MuteOption};
    pub use crate::proto::op::speech::Spoken;
    pub use crate::proto::signaling::{Action as SignalAction, Signal};
    pub use crate::proto::update::Update;
}
