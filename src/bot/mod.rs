//! Writing bots.
//!
//! A bot is a value: a name and handlers. A handler is an `async fn`. Its parameters name what it needs
//! ([`Text`], [`Sender`], [`State<T>`](State), …); its return value is the reply.
//!
//! ```
//! use botroupe::prelude::*;
//!
//! pub fn bot() -> Bot {
//!     Bot::new("echo").on_text(echo)
//! }
//!
//! async fn echo(text: Text) -> String {
//!     text.into_inner()
//! }
//! # let _ = bot();
//! ```
//!
//! # What a bot can rely on
//!
//! * Its handlers are called only while the account is ready (SDK_READY). Earlier messages wait.
//! * Messages of one conversation are handled in order, one at a time; conversations run side by
//!   side.
//! * A message counts as read only when every bot that wants it is done with it. The bots of an account hold
//!   a bounded number of messages; the others wait at the server.
//! * A message is handled once, and its answer is said once, over crashes and restarts: that a message is handled, its
//!   answers and the values that its handler wrote ([`Store<T>`](Store)) are kept together. A handler that dies half-way runs
//!   again; what it has sent is not sent again, and what it did through [`Api::run`] is not done again. The
//!   book (`docs/src/reliability.md`) says on what this rests and where it ends. With `[store] path = ":memory:"`
//!   nothing of it holds over a restart.
//! * A handler that panics, never ends or blocks its thread harms no other bot: panics are caught, a
//!   deadline ends handlers that hang, a bot that holds its thread for long gets threads of its own, and a bot
//!   that keeps blocking is parked on its account. Some faults end the process, and nothing can prevent it: a
//!   panic during another one, a stack overflow, `std::process::exit` and `abort`.
//! * Messages that the account itself sent from another terminal, and recalled messages, do not reach text
//!   handlers; nor do those of other accounts of this process, unless the bot
//!   [asks for them](Bot::hear_own_accounts).
//! * Two programs that answer each other without end are detected, and the bot pauses there for a while.

mod api;
mod attachment;
mod builder;
mod choices;
mod claims;
mod command;
mod dialogue;
mod drain;
mod event;
mod extract;
mod failure;
mod figures;
mod file_access;
pub mod filter;
mod handler;
mod handlers;
mod host;
mod isolation;
mod kinds;
mod language;
mod ledger;
mod line;
mod lines;
mod loop_guard;
pub mod middleware;
mod needs;
mod occasions;
mod on_unknown;
mod outgoing_file;
mod overlap;
mod pool;
mod recording;
mod registry;
mod rejection;
mod replies;
mod reply;
mod run;
mod schedule;
mod seat;
mod settings;
mod settings_shape;
mod store;
mod streamed;
mod tape;
mod tasks;
pub mod testing;
mod timer;
mod transfer;
mod typing;
mod voices;

pub use crate::account::{AccountName, SendError};
pub use crate::proto::id::{GroupId, UserId};
pub use crate::proto::message::{MessageId, MessageIdError};
pub use crate::store::{Cause as StoreCause, StoreError};
pub use api::{
    Api, ApiError, Broadcast, ConversationApi, GroupApi, IntoConversation, IntoDraft, IntoGroupId,
    IntoMessage, IntoUserId, Kind, MessageApi, RunError, Sending, Upload, Uploads, UserApi,
};
pub use attachment::Attachment;
pub use builder::{Bot, SettingsError};
pub use command::{
    Args, Command, CommandError, Cooldown, NotGiven, PatternError, PatternMistake, Permission,
    PrefixError, command,
};
pub use dialogue::{Answer, Approval, Ask, AskApproval, Dialogue, DialogueError, NoAnswer};
#[cfg(feature = "unstable")]
pub use drain::{Drain, Draining};
#[cfg(not(feature = "unstable"))]
pub(crate) use drain::{Drain, Draining};
pub use event::{Event, FromEvent};
pub use extract::{
    Card, Config, Custom, Edited, Group, GroupChanged, Invited, JoinRequest, Joined, Kicked, Left,
    Messages, Muted, NotReady, Reacted, Read, ReadMessage, Recalled, Receipts, Removed, Sender,
    State, Statuses, Text, Typing,
};
pub use failure::{BotResult, Failure};
#[cfg(feature = "unstable")]
pub use figures::{BotDeeds, BotFigures, HandlerMistake};
#[cfg(not(feature = "unstable"))]
pub(crate) use figures::{BotDeeds, BotFigures, HandlerMistake};
#[cfg(feature = "unstable")]
pub use file_access::FileAccess;
#[cfg(not(feature = "unstable"))]
pub(crate) use file_access::FileAccess;
pub use filter::Filter;
pub use handler::{Handler, Parameters};
#[cfg(feature = "unstable")]
pub use host::Host;
#[cfg(not(feature = "unstable"))]
pub(crate) use host::Host;
pub use isolation::{Isolation, IsolationError};
pub use language::{Language, LanguageChoice, LanguageError, TextValue, Texts, TextsError};
#[cfg(feature = "unstable")]
pub use ledger::{DropDialogueError, Ledger, OpenDialogue, Question, Shelf};
#[cfg(not(feature = "unstable"))]
pub(crate) use ledger::{DropDialogueError, Ledger, OpenDialogue, Question, Shelf};
pub use middleware::Next;
pub use needs::{BotMistake, Needs};
pub use on_unknown::{OnUnknown, OnUnknownError};
pub use outgoing_file::Outgoing;
pub use overlap::{Overlap, OverlapError};
#[cfg(feature = "unstable")]
pub use pool::Pool;
#[cfg(not(feature = "unstable"))]
pub(crate) use pool::Pool;
pub(crate) use registry::Registered;
pub use registry::{AccountContext, Bots};
pub use rejection::{IntoRejection, Missing, Rejection, Skipped};
pub use reply::{IntoError, IntoReply, Pass, Reply};
#[cfg(feature = "unstable")]
pub use seat::{SharedBot, Site};
#[cfg(not(feature = "unstable"))]
pub(crate) use seat::{SharedBot, Site};
pub use settings_shape::{SettingField, SettingKind};
pub use store::{Cells, Store, ValueError};
pub use streamed::Streamed;
pub use tape::RecordError;
#[cfg(feature = "unstable")]
pub use tape::Tape;
#[cfg(not(feature = "unstable"))]
pub(crate) use tape::Tape;
pub use timer::{AlarmId, Cron, Delay, Every, Later, Missed, Pending};
pub use transfer::{FileError, TransferError};
#[cfg(feature = "unstable")]
pub use voices::Voices;
#[cfg(not(feature = "unstable"))]
pub(crate) use voices::Voices;
