//! Tests of bots without a server.
//!
//! ```
//! use botroupe::prelude::*;
//! use botroupe::bot::testing::TestBot;
//!
//! async fn shout(text: Text) -> String {
//!     text.to_uppercase()
//! }
//!
//! # futures_executor_block_on(async {
//! let bot = TestBot::new(Bot::new("shout").on_text(shout));
//! assert_eq!(bot.hears("hi").await, ["HI"]);
//! assert_eq!(bot.from("bob").in_group("g1").hears("hi").await, ["HI"]);
//! # });
//! # fn futures_executor_block_on(f: impl std::future::Future<Output = ()>) {
//! #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(f);
//! # }
//! ```
//!
//! A bot under test runs as it does in a fleet, with the same queues, dialogues and store; only the account, the server
//! and the time are played. Time stands still but for [`TestBot::advance`], and two seconds before each thing that
//! somebody says.

mod outcome;
mod replay;
mod said;
mod stage;

pub use outcome::{Edited, Outcome};
pub use said::Speaker;

use super::api::Api;
use super::builder::Bot;
use super::extract::Kicked;
use crate::account::{AccountEvent, Cause};
use crate::proto::code::Code;
use crate::proto::event::KickType;
use crate::proto::message::{Conversation, Draft, Element, GroupTip, SystemNotice};
use crate::proto::update::Update;
use serde_json::Value;
use stage::Stage;
use std::time::Duration;

/// How long people take to write something.
const WRITING: Duration = Duration::from_secs(2);

/// A bot on an account named `bot`, without a connection. It hears `alice` in a one-to-one chat if nothing else is said.
pub struct TestBot {
    stage: Stage,
}

impl std::fmt::Debug for TestBot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestBot").finish_non_exhaustive()
    }
}

impl TestBot {
    /// Runs the bot that `bot()` makes.
    ///
    /// # Panics
    /// When the bot is put together wrongly: then it would not start in a fleet either.
    #[must_use]
    pub fn new(bot: Bot) -> Self {
        Self {
            stage: Stage::new(checked(bot)),
        }
    }

    /// Like [`new`](Self::new), on a store of the caller.
    #[cfg(feature = "unstable")]
    #[must_use]
    pub fn on_store(bot: Bot, store: crate::store::Store) -> Self {
        Self {
            stage: Stage::on_store(checked(bot), store),
        }
    }

    /// Somebody else than `alice`.
    pub fn from(&self, user: impl Into<String>) -> Speaker<'_> {
        Speaker::new(self).from(user)
    }

    /// `alice`, in this group.
    pub fn in_group(&self, group: impl Into<String>) -> Speaker<'_> {
        Speaker::new(self).in_group(group)
    }

    /// `alice` says a text. Returns what came of it.
    pub async fn hears(&self, text: &str) -> Outcome {
        Speaker::new(self).hears(text).await
    }

    /// The bot hears nothing for a while: dialogues and timers run out at their times. Returns what came of it. `time` is
    /// a text such as `3d`, `90m` or `20s`, as in config files.
    ///
    /// # Panics
    /// When `time` is no such text.
    pub async fn advance(&self, time: &str) -> Outcome {
        match crate::config::parse_duration(time) {
            Ok(time) => self.stage.advance(time).await,
            Err(error) => panic!("{time:?} is no duration: {error}"),
        }
    }

    /// Something happens in a group.
    ///
    /// # Panics
    /// When the tip cannot be written as JSON.
    pub async fn tip(&self, group: &str, tip: &GroupTip) -> Outcome {
        let message = self.stage.tip(group, tip);
        self.stage.hear(message).await
    }

    /// The server tells the account something about a group.
    ///
    /// # Panics
    /// When the notice cannot be written as JSON.
    pub async fn notice(&self, group: &str, notice: &SystemNotice) -> Outcome {
        let message = self.stage.notice(group, notice);
        self.stage.hear(message).await
    }

    /// Something about messages or people changes.
    pub async fn update(&self, update: Update) -> Outcome {
        self.stage
            .happens(AccountEvent::Update(Box::new(update)))
            .await
    }

    /// The account is kicked. It is ready again with [`ready`](Self::ready).
    pub async fn kick(&self, kick: Kicked) -> Outcome {
        let cause = match kick {
            Kicked::MultipleAccount => Cause::Kicked(KickType::MultipleAccount),
            Kicked::MultipleDevice => Cause::Kicked(KickType::MultipleDevice),
            Kicked::RestApiKick => Cause::Kicked(KickType::RestApi),
            Kicked::UserSigExpired => Cause::UserSigExpired(Code::USERSIG_EXPIRED),
        };
        self.stage.happens(AccountEvent::NotReady(cause)).await
    }

    /// The account becomes ready; it is from the start.
    pub async fn ready(&self) -> Outcome {
        self.stage.happens(AccountEvent::Ready).await
    }

    /// The process dies and starts again: what was not in the store is lost, messages that were not handled come again.
    /// Values of [`Bot::state`] stay as they are. What handlers that wait for [`Api::sleep`] would do later they never do.
    pub async fn crash_and_restart(&self) -> Outcome {
        self.stage.restart(None).await
    }

    /// The program is asked to end: no more handlers start, and those that run have a little time.
    /// [`crash_and_restart`](Self::crash_and_restart) starts it again.
    pub async fn shut_down(&self) -> Outcome {
        self.stage.shut_down().await
    }

    /// The process dies and starts again with another version of the bot.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub async fn upgrade(&self, bot: Bot) -> Outcome {
        self.stage.restart(Some(checked(bot))).await
    }

    /// The store takes so many more lists of changes, and none after them: with
    /// [`crash_and_restart`](Self::crash_and_restart) the process dies at that place. A bot that waits for the store
    /// then waits for ever: nothing more comes of what it hears.
    pub fn die_after(&self, writes: usize) {
        self.stage.die_after(writes);
    }

    /// How many dialogues wait for an answer.
    #[must_use]
    pub fn dialogues(&self) -> usize {
        self.stage.dialogues()
    }

    /// The API of the bot's account. What a test does with it is recorded like the bot's own actions.
    #[must_use]
    pub fn api(&self) -> Api {
        Api::recorded(self.stage.recording())
    }

    /// Answers the bot's next request of this command (`openim.msgwithdraw`, see
    /// [`op`](crate::proto::op)) with the body `answer`, a JSON object. Several are given in order;
    /// a request without one fails with [`ApiError::NoAnswer`](super::ApiError::NoAnswer).
    pub fn answer(&self, servcmd: &str, answer: &Value) {
        self.stage.recording().answer(servcmd, answer);
    }

    /// Refuses the bot's next request of this command, with this code of the server.
    pub fn refuse(&self, servcmd: &str, code: Code) {
        self.stage.recording().refuse(servcmd, code);
    }

    /// The messages the bot has sent since the last call, and to whom.
    #[must_use]
    pub fn sent(&self) -> Vec<(Conversation, Draft)> {
        let sent = self.stage.recording().take_sent();
        sent.into_iter().map(|(_, to, draft)| (to, draft)).collect()
    }

    /// The requests the bot has made since the last call, with their bodies.
    #[must_use]
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.stage.recording().take_calls()
    }

    /// Says `text` to the bot as the user `alice`; the texts it sends in answer come back.
    pub async fn say(&self, text: &str) -> Vec<String> {
        self.hear("alice", vec![Element::text(text)]).await
    }

    /// Sends elements to the bot as the user `from`; the texts it sends in answer come back.
    pub async fn hear(&self, from: &str, elements: Vec<Element>) -> Vec<String> {
        self.from(from).sends(elements).await.texts()
    }

    /// Sends elements to the bot as the user `alice`; everything it sends in answer comes back. Files
    /// count as uploaded, to `test:` and their name.
    pub async fn answers(&self, elements: Vec<Element>) -> Vec<Draft> {
        let outcome = Speaker::new(self).sends(elements).await;
        outcome.into_drafts()
    }
}

fn checked(bot: Bot) -> Bot {
    if let Err(mistakes) = bot.check() {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        panic!("{}", mistakes.join("\n"));
    }
    bot
}

#[cfg(test)]
mod replies;
#[cfg(test)]
mod tests;
