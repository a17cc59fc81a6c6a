//! Botroupe runs many Tencent Cloud Chat (IM) accounts as bots and keeps them online.
//!
//! A bot is a name and `async` functions; a [`Fleet`](fleet::Fleet) runs bots on accounts. This program is a
//! bot, an account for it and a server to try it with:
//!
//! ```
//! use botroupe::prelude::*;
//!
//! fn echo() -> Bot {
//!     Bot::new("echo").on_text(answer)
//! }
//!
//! async fn answer(text: Text) -> String {
//!     text.into_inner()
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let fleet = Fleet::builder().sandbox().bot(echo).account("echo-bot").start().await?;
//! fleet.ready().await?;
//! fleet.stop().await?;
//! # Ok(())
//! # }
//! ```
//!
//! With [`run`](fleet::FleetBuilder::run) in the place of `start` it stays online until Ctrl-C;
//! [`Fleet::from_config`](fleet::Fleet::from_config) takes the accounts from a config file, and [`cli::main`]
//! makes a program with the whole command line of your bots.
//!
//! # Where to look
//!
//! | to | see |
//! |---|---|
//! | write a bot | [`bot`]; [`prelude`] has what most bots need |
//! | test a bot | [`bot::testing`] |
//! | act as an account | [`bot::Api`] |
//! | run bots from your own program | [`fleet`] |
//! | read messages and make them | [`message`] |
//! | name what requests take and answer | [`types`] |
//! | check a config file | [`config`] |
//! | test against a server | [`sandbox`] |
//!
//! # Features
//!
//! | feature | by default | what it adds |
//! |---|---|---|
//! | `admin` | yes | the HTTP API over a fleet, its metrics and its console; `cli` needs it |
//! | `cli` | yes | the command line: [`cli::main`] and the program `botroupe` |
//! | `otlp` | yes | traces of messages to a collector of OpenTelemetry |
//! | `sandbox` | yes | the embedded server: [`sandbox`], and the endpoint `sandbox` |
//! | `simulator` | no | `simulator`: a fleet and its server on a virtual clock |
//! | `unstable` | no | every layer: `account`, `app`, `gateway`, `policy`, `proto`, `rest`, `session`, `store`, `supervisor`. They change with any release |
//!
//! # Layers
//!
//! ```text
//!                 fleet, cli ─► app
//!          ┌──────────────┬────┴────────┬─────────────┐
//!      supervisor        bot          config        sandbox ─► proto, policy only
//!          └──────┬───────┘
//!              account
//!              gateway                 (actix, awc, tokio from here up)
//!  ───────────────────────────────────  IO line: pure below
//!              session
//!           proto     policy
//! ```

#![cfg_attr(
    not(feature = "unstable"),
    allow(
        dead_code,
        unused_imports,
        unreachable_pub,
        reason = "the layers are public, and looked through for dead code, with the feature `unstable`"
    )
)]

#[cfg(all(feature = "cli", feature = "unstable"))]
pub mod alerts;
#[cfg(all(feature = "cli", not(feature = "unstable")))]
mod alerts;
pub mod bot;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod fleet;
pub mod types;

#[cfg(feature = "unstable")]
pub mod account;
#[cfg(not(feature = "unstable"))]
mod account;
#[cfg(all(feature = "admin", feature = "unstable"))]
pub mod admin;
#[cfg(all(feature = "admin", not(feature = "unstable")))]
mod admin;
#[cfg(feature = "unstable")]
pub mod app;
#[cfg(not(feature = "unstable"))]
mod app;
#[cfg(feature = "unstable")]
pub mod gateway;
#[cfg(not(feature = "unstable"))]
mod gateway;
#[cfg(feature = "unstable")]
pub mod rest;
#[cfg(not(feature = "unstable"))]
mod rest;
#[cfg(feature = "unstable")]
pub mod store;
#[cfg(not(feature = "unstable"))]
mod store;
#[cfg(feature = "unstable")]
pub mod supervisor;
#[cfg(not(feature = "unstable"))]
mod supervisor;
#[cfg(feature = "unstable")]
pub mod traces;
#[cfg(not(feature = "unstable"))]
mod traces;

#[cfg(feature = "unstable")]
pub use botroupe_core::{ledger, policy, session};
#[cfg(not(feature = "unstable"))]
pub(crate) use botroupe_core::{ledger, policy, session};
#[cfg(feature = "unstable")]
pub use botroupe_proto as proto;
#[cfg(not(feature = "unstable"))]
pub(crate) use botroupe_proto as proto;
#[cfg(feature = "sandbox")]
pub use botroupe_sandbox as sandbox;
#[cfg(feature = "simulator")]
pub use botroupe_simulator as simulator;

pub use botroupe_proto::{code, id, message};

/// The examples of the book are tests.
#[cfg(all(doctest, feature = "sandbox"))]
#[doc = include_str!("../docs/src/bots.md")]
#[doc = include_str!("../docs/src/bots/dialogues.md")]
#[doc = include_str!("../docs/src/bots/streaming.md")]
#[doc = include_str!("../docs/src/bots/testing.md")]
#[doc = include_str!("../docs/src/bots/timers.md")]
#[doc = include_str!("../docs/src/embedding.md")]
#[doc = include_str!("../docs/src/reliability.md")]
struct Book;

/// What a bot needs: `use botroupe::prelude::*;`.
pub mod prelude {
    pub use crate::bot::{
        AlarmId, Answer, Api, ApiError, Approval, Args, Attachment, Bot, BotResult, Card, Command,
        Config, ConversationApi, Cooldown, Cron, Custom, Dialogue, DialogueError, Edited, Event,
        Every, Failure, Filter, FromEvent, Group, GroupApi, GroupChanged, GroupId, IntoReply,
        Invited, Isolation, JoinRequest, Joined, Kicked, Language, LanguageChoice, Later, Left,
        MessageApi, MessageId, Messages, Missed, Muted, Needs, Next, NoAnswer, NotReady, OnUnknown,
        Outgoing, Overlap, Pass, Pending, Permission, Reacted, Read, Recalled, Receipts, Rejection,
        Removed, Reply, RunError, Sender, Skipped, State, Statuses, Store, Streamed, Text, Texts,
        Typing, Upload, UserApi, UserId, ValueError, command, filter,
    };
    pub use crate::fleet::{Fleet, FleetError, FleetHandle};
    pub use crate::proto::code::Code;
    pub use crate::proto::message::{
        Conversation, Draft, Element, GroupTip, Message, NoticeKind, SystemNotice, TipKind,
    };
    pub use crate::proto::op::group::JoinOption;
    pub use crate::proto::op::group::Modify as GroupChange;
    pub use crate::proto::op::group::NewGroup;
    pub use crate::proto::op::group_member::Role;
    pub use crate::proto::op::profile::SetProfile;
    pub use crate::proto::op::receive_option::{DoNotDisturb, MuteOption};
    pub use crate::proto::op::speech::Spoken;
    pub use crate::proto::signaling::{Action as SignalAction, Signal};
    pub use crate::proto::update::{FollowChange, FriendChange, ProfileChange, Update};
}
