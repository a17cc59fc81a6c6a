//! What a bot can do on its own account, beyond returning a reply.
//!
//! Sending is here; every other feature has a file of its own, under the name that `proto::op` and the
//! sandbox use for it. Its methods belong to what they are about: a [`MessageApi`], a [`UserApi`], a [`GroupApi`],
//! a [`ConversationApi`], or the account, the [`Api`].

mod blacklist;
mod broadcast;
mod conversation;
mod conversation_group;
mod error;
mod extension;
mod follow;
mod friend;
mod group;
mod group_application;
mod group_attribute;
mod group_counter;
mod group_member;
mod into;
mod live_room;
mod media;
mod merger;
mod message;
mod pin;
mod profile;
mod reaction;
mod receipt;
mod receive_option;
mod search;
mod send;
mod signaling;
mod speech;
mod step;
mod topic;
mod translation;
mod upload;
mod user;
mod user_status;

#[cfg(test)]
mod tests;

pub use broadcast::Broadcast;
pub use conversation::ConversationApi;
pub use error::{ApiError, Kind};
pub use group::GroupApi;
pub use into::{IntoConversation, IntoDraft, IntoGroupId, IntoMessage, IntoUserId};
pub use media::Uploads;
pub use message::MessageApi;
pub use send::{RunError, Sending};
pub(super) use send::{sent_id, traced};
pub use upload::Upload;
pub use user::UserApi;

use self::media::Carrier;
use super::file_access::FileAccess;
use super::ledger::{Ledger, Owner};
use super::recording::Recording;
use super::tasks::{Spawner, Transfers};
use super::transfer::Carriage;
#[cfg(doc)]
use crate::account::SendError;
use crate::account::{AccountHandle, unreadable};
use crate::bot::dialogue::StepKind;
use crate::proto::id::{GroupId, UserId};
use crate::proto::message::{Draft, Message};
use crate::proto::op::Call;
use crate::traces::TracePoint;
use actix::prelude::ArbiterHandle;
use botroupe_core::ledger::Fingerprint;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;
use step::Step;
use user::check_user;

/// The prefix of the GroupIDs and TopicIDs that the service assigns.
const GROUP: &str = "@TGS#";

/// Acts as the bot's account. Take it as a handler parameter, keep it as long as you like.
///
/// Actions wait while the account is offline for a passing reason, or while too many wait already. They fail
/// when the send timeout has passed; it counts while the account is online. A message is delivered once,
/// however often it had to be sent. Every other request is sent once: one that timed out may have been
/// carried out all the same.
///
/// | to act on | write | see |
/// |---|---|---|
/// | a message | `api.message(&message)`, or of a [`MessageId`](crate::message::MessageId) that was kept | [`MessageApi`] |
/// | a user | `api.user(&sender)`, `api.user("bob")` | [`UserApi`] |
/// | a group | `api.group(&group)`, `api.group("@TGS#1")` | [`GroupApi`] |
/// | a conversation | `api.conversation(&message)` | [`ConversationApi`] |
/// | the account as a whole, or many at once | `api` itself | below |
///
/// ```
/// use botroupe::prelude::*;
///
/// /// Marks what it has seen, and welcomes friends back.
/// async fn greet(message: Message, sender: Sender, api: Api) -> Result<(), ApiError> {
///     api.message(&message).react("[wave]").await?;
///     if api.user(&sender).is_friend().await? {
///         api.send(&message, "Welcome back!").await?;
///     }
///     Ok(())
/// }
/// # let _ = Bot::new("greeter").on_message(greet);
/// ```
#[derive(Clone, Debug)]
pub struct Api {
    backend: Backend,
    /// `None` where files cannot be transferred.
    carrier: Option<Carrier>,
    /// The file transfers of the handler.
    transfers: Transfers,
    /// `None` outside of handlers and in tests.
    spawner: Option<Spawner>,
    /// Where the actions are on the books, and whose they are; `None` in tests.
    books: Option<(Arc<Ledger>, Owner)>,
    /// Where it is traced what is sent.
    trace: TracePoint,
}

#[derive(Clone, Debug)]
enum Backend {
    Account(AccountHandle),
    /// In a test: records the actions.
    Recorded(Arc<Recording>),
}

impl Api {
    /// Acts through an account.
    #[cfg_attr(not(feature = "unstable"), doc(hidden))]
    #[must_use]
    pub fn new(account: AccountHandle) -> Self {
        Self {
            backend: Backend::Account(account),
            carrier: None,
            transfers: Transfers::default(),
            spawner: None,
            books: None,
            trace: TracePoint::default(),
        }
    }

    /// Lets the thread `on` carry files, with the given upload scheme and download addresses. The [`Api`] of a
    /// bot has this already.
    #[cfg_attr(not(feature = "unstable"), doc(hidden))]
    #[must_use]
    pub fn with_files(self, on: ArbiterHandle, uploads: Uploads, files: FileAccess) -> Self {
        self.with_carriage(Carriage::new(on, files), uploads)
    }

    pub(super) fn with_carriage(mut self, carriage: Carriage, uploads: Uploads) -> Self {
        self.carrier = Some(Carrier { carriage, uploads });
        self
    }

    pub(super) fn recorded(recording: Arc<Recording>) -> Self {
        Self {
            backend: Backend::Recorded(recording),
            carrier: None,
            transfers: Transfers::default(),
            spawner: None,
            books: None,
            trace: TracePoint::default(),
        }
    }

    pub(super) fn with_spawner(mut self, spawner: Spawner) -> Self {
        self.spawner = Some(spawner);
        self
    }

    /// Runs a background task until it ends or the bot does. The same guards apply as for handlers: a panic is
    /// logged with account and bot, and a task that blocks harms no other bot. Outside of handlers, and in
    /// tests, the task runs on the caller's tokio runtime.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn start(api: Api) {
    ///     let mine = api.clone();
    ///     api.spawn(async move {
    ///         loop {
    ///             tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    ///             let _ = mine.send_text("alice", "an hour has passed").await;
    ///         }
    ///     });
    /// }
    /// # let _ = Bot::new("clock").on_start(start);
    /// ```
    ///
    /// A handler that holds a [`Dialogue`](super::Dialogue) and runs again starts it once.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if !self.spawns_now() {
            return;
        }
        match &self.spawner {
            Some(spawner) => spawner.spawn(task),
            None => drop(tokio::spawn(task)),
        }
    }

    /// Waits. In a [`TestBot`](super::testing::TestBot) it is the time of the test that passes, so that nobody waits for long.
    ///
    /// ```
    /// use botroupe::prelude::*;
    /// use std::time::Duration;
    ///
    /// async fn slow(text: Text, api: Api) -> String {
    ///     api.sleep(Duration::from_secs(2)).await;
    ///     text.into_inner()
    /// }
    /// # let _ = Bot::new("slow").on_text(slow);
    /// ```
    pub async fn sleep(&self, time: Duration) {
        let nap = self
            .books()
            .and_then(|(ledger, _)| ledger.clock().nap(time));
        match (nap, &self.spawner) {
            (Some(nap), _) => nap.await,
            (None, Some(spawner)) => spawner.pool.sleep(time).await,
            (None, None) => tokio::time::sleep(time).await,
        }
    }

    /// The same account, without a ledger: what it does is no step of a handler or of a dialogue.
    pub(super) fn off_the_books(&self) -> Self {
        Self {
            books: None,
            ..self.clone()
        }
    }

    pub(super) const fn transfers(&self) -> &Transfers {
        &self.transfers
    }

    /// The UserID of the account; `bot` in a test.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # fn example(api: Api, message: Message) {
    /// let is_mine = message.from == api.me();
    /// # }
    /// ```
    #[must_use]
    pub fn me(&self) -> &UserId {
        match &self.backend {
            Backend::Account(account) => account.user(),
            Backend::Recorded(recording) => recording.user(),
        }
    }

    /// What the account is called in its process.
    fn account_name(&self) -> &str {
        match &self.backend {
            Backend::Account(account) => account.name().as_str(),
            Backend::Recorded(recording) => recording.user().as_str(),
        }
    }

    /// The ledger of the account, and who acts; `None` outside of bots.
    pub(super) fn books(&self) -> Option<(&Arc<Ledger>, &Owner)> {
        self.books.as_ref().map(|(ledger, owner)| (ledger, owner))
    }

    /// The time, in Unix seconds.
    pub(super) fn time(&self) -> Result<u64, ApiError> {
        let (ledger, _) = self
            .books()
            .ok_or(ApiError::Unfit("only a bot can set alarms"))?;
        Ok(ledger.now().unix_secs())
    }

    /// Sends a text to the user `to`. Waits while the account is offline for a passing reason; the send
    /// timeout counts while the account is online. [`Sending::key`] sends it once over restarts.
    ///
    /// # Errors
    /// When the text was not sent: the server refused it, the account is held or quarantined, or the send
    /// timeout passed.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// api.send_text("alice", "The report is ready.").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn send_text(&self, to: impl IntoUserId, text: impl Into<String>) -> Sending<'_> {
        self.user(to).send(Draft::text(text))
    }

    /// Sends a message to a user (`Conversation::c2c("alice")`), to a group
    /// (`Conversation::group("@TGS#1")`), or to where a `&Message` came from; a message is a [`Draft`], an
    /// element, several elements, or a text.
    ///
    /// # Errors
    /// As [`send_text`](Self::send_text).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, message: Message) -> Result<(), ApiError> {
    /// api.send(&message, "Hello!").await?;
    /// api.send(Conversation::group("@TGS#1"), Draft::text("Hello @bob").mention("bob")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn send(&self, to: impl IntoConversation, draft: impl IntoDraft) -> Sending<'_> {
        Sending::new(self, Ok((to.into_conversation(), draft.into_draft())))
    }

    /// Sends a message and returns it, for [`message`](Self::message); of a text that is too long for one
    /// message, the last one.
    ///
    /// # Errors
    /// As [`send_text`](Self::send_text).
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, message: Message) -> Result<(), ApiError> {
    /// let said = api.say(&message, "One moment…").await?;
    /// api.message(&said).edit("Here it is.").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn say(
        &self,
        to: impl IntoConversation,
        draft: impl IntoDraft,
    ) -> Result<Message, ApiError> {
        let (to, draft) = (to.into_conversation(), draft.into_draft());
        let sent = self.send(to.clone(), draft.clone()).await?;
        let last = draft.split().pop().unwrap_or_default();
        let (elements, cloud) = (last.elements, last.cloud_custom_data);
        Ok(Message::sent(self.me(), to, elements, cloud, &sent))
    }

    /// Makes any request of [`op`](crate::proto::op), or one of your own that implements [`Call`].
    ///
    /// # Errors
    /// [`ApiError::Call`] when the request failed; in a test, [`ApiError::NoAnswer`] when the test gave no
    /// answer.
    #[cfg_attr(not(feature = "unstable"), doc(hidden))]
    pub async fn call<C: Call>(&self, call: &C) -> Result<C::Answer, ApiError> {
        let key = || Fingerprint::new("call").text(&call.servcmd()).finish();
        match self
            .dialogue_step::<Box<RawValue>>(StepKind::Call, key)
            .await?
        {
            Step::Done(answer) => read(answer.get()),
            Step::Live(record) => {
                let answer = match &self.backend {
                    Backend::Account(account) => {
                        account.ask(call).await.map_err(ApiError::from_call)?
                    }
                    Backend::Recorded(recording) => recording.call(call)?,
                };
                record.answered(&answer);
                read(&answer)
            }
        }
    }
}

fn read<T: DeserializeOwned>(answer: &str) -> Result<T, ApiError> {
    serde_json::from_str(answer).map_err(|error| ApiError::Call(unreadable(&error)))
}

/// The ID of a user, if it can be one.
fn user_id(user: impl IntoUserId) -> Result<UserId, ApiError> {
    let user = user.into_user_id();
    check_user(&user)?;
    Ok(user)
}

/// The ID of a user as requests hold it.
fn user_name(user: impl IntoUserId) -> Result<String, ApiError> {
    user_id(user).map(String::from)
}

/// Collects the IDs of users as requests hold them, and checks how many they are.
fn users(
    users: impl IntoIterator<Item = impl IntoUserId>,
    what: &'static str,
    limit: usize,
) -> Result<Vec<String>, ApiError> {
    let users: Vec<String> = users.into_iter().map(user_name).collect::<Result<_, _>>()?;
    count(users.len(), what, limit)?;
    Ok(users)
}

/// Collects the IDs of groups as requests hold them, and checks how many they are.
fn groups(
    groups: impl IntoIterator<Item = impl IntoGroupId>,
    what: &'static str,
    limit: usize,
) -> Result<Vec<String>, ApiError> {
    let name = |group: GroupId| group.check().map(|()| String::from(group));
    let groups = groups.into_iter().map(IntoGroupId::into_group_id);
    let groups: Vec<String> = groups.map(name).collect::<Result<_, _>>()?;
    count(groups.len(), what, limit)?;
    Ok(groups)
}

/// Refuses an empty list, and one that is longer than the server accepts.
fn count(count: usize, what: &'static str, limit: usize) -> Result<(), ApiError> {
    match count {
        0 => Err(ApiError::Unfit("the list is empty")),
        n if n > limit => Err(ApiError::TooMany {
            what,
            count: n,
            limit,
        }),
        _ => Ok(()),
    }
}
