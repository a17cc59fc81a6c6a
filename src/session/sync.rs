//! Messages in and out: catching up with what was missed, telling repeats, sending.
//!
//! After every login the server is asked for missed messages, page by page. Until the last page has
//! come, pushed messages are held back, so that a conversation is handed out in its order. Pushed
//! messages do not move the cookie: they come again with the next catching-up and are recognised
//! by their key. So that this memory can be bounded, the cookie is moved on every few hundred
//! pushed messages.

use super::event::Event;
use super::request::{Purpose, RequestError, RequestId};
use super::state::{Session, State};
use crate::policy::Now;
use crate::proto::answer::MissedMessages;
use crate::proto::command;
use crate::proto::event::{Notice, read_event, read_missed};
use crate::proto::message::{Conversation, Draft, Message, MessageKey, SendC2c, SendGroup};
use crate::proto::update::Update;
use std::sync::Arc;
use std::time::Duration;

/// Pages fetched in one go at most; a server that never ends is asked again later.
const MAX_PAGES: u32 = 10_000;
/// Messages held back at most; beyond, order within a conversation is given up, not messages.
const MAX_HELD: usize = 2_048;
/// Pause before catching up is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// Where catching up stands.
#[derive(Debug, Default)]
pub(super) struct Sync {
    pub(super) cookie: Box<str>,
    running: Option<Run>,
    again: bool,
    retry_at: Option<Duration>,
    pushed: usize,
    held: Vec<Message>,
}

#[derive(Debug, Default)]
struct Run {
    pages: u32,
    messages: usize,
    /// Asked for in the middle of a login, not after one: nothing needs to be held back.
    background: bool,
}

/// A message to send.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The user or group.
    pub to: Conversation,
    /// The message.
    pub draft: Arc<Draft>,
    /// Drawn once; the same one for every try.
    pub key: MessageKey,
}

impl Session {
    /// Sends a message; [`Event::Settled`] tells its outcome. Sent again with the same key after a
    /// [`TimedOut`](RequestError::TimedOut) it is delivered once all the same.
    ///
    /// # Errors
    /// As [`request`](Self::request), and [`RequestError::Shape`] for what
    /// [`Draft::check`] refuses.
    pub fn send(&mut self, now: Now, message: &Outgoing) -> Result<RequestId, RequestError> {
        let shape = |error: &dyn std::fmt::Display| RequestError::Shape(error.to_string());
        message.draft.check().map_err(|error| shape(&error))?;
        let local_ms = i64::try_from(now.unix.as_millis()).unwrap_or(i64::MAX);
        let server_ms = local_ms.saturating_add(self.clock_offset);
        let time = u64::try_from(server_ms / 1000).unwrap_or(0);
        let user = self.config.user.clone();
        let (from, draft, key) = (user.as_str(), &*message.draft, message.key);
        let (servcmd, body) = match &message.to {
            Conversation::C2c(to) => (
                command::SEND_C2C.into(),
                serde_json::to_string(&SendC2c::new(from, to, draft, key, time)),
            ),
            Conversation::Group(group) => (
                command::of_group(command::SEND_GROUP, group),
                serde_json::to_string(&SendGroup::new(from, group, draft, key, time)),
            ),
            Conversation::System => {
                return Err(RequestError::Shape(
                    "nothing can be said to the server itself".to_owned(),
                ));
            }
        };
        let id = self.request(now, &servcmd, &body.map_err(|error| shape(&error))?)?;
        if let Conversation::Group(group) = &message.to {
            self.sending_to(id.0, group);
        }
        Ok(id)
    }

    pub(super) fn start_sync(&mut self, now: Now) {
        self.sync.again = false;
        self.sync.retry_at = None;
        self.sync.running = Some(Run {
            background: self.state == State::Online,
            ..Run::default()
        });
        self.ask_page(now, 0);
    }

    fn ask_page(&mut self, now: Now, sync_flag: u8) {
        let online = u8::from(self.sync.running.as_ref().is_some_and(|run| run.background));
        let body = serde_json::json!({
            "Cookie": self.sync.cookie, "SyncFlag": sync_flag, "NeedAbstract": 1,
            "IsOnlineSync": online, "NeedSignaling": 1, "NeedCachedMsg": 1,
        });
        self.ask(now, Purpose::Sync, command::GET_MSG, &body.to_string());
    }

    pub(super) fn sync_answered(&mut self, now: Now, outcome: Result<&str, RequestError>) {
        let Some(mut run) = self.sync.running.take() else {
            return;
        };
        let answer = outcome.and_then(|body| {
            serde_json::from_str::<MissedMessages<'_>>(body)
                .map_err(|error| RequestError::Shape(error.to_string()))
        });
        let page = match answer {
            Ok(page) if !page.cookie.is_empty() => page,
            // An answer without a cookie is void, whatever else it says.
            Ok(_) => {
                return self.sync_failed(now, RequestError::Shape("answer without Cookie".into()));
            }
            Err(error) => return self.sync_failed(now, error),
        };
        let moved = *page.cookie != *self.sync.cookie;
        self.sync.cookie = page.cookie.as_str().into();
        let notices = page
            .items
            .iter()
            .flat_map(|raw| read_missed(raw))
            .chain(page.events.iter().flat_map(|raw| read_event(raw)));
        for notice in notices {
            match notice {
                Notice::C2c(item) => {
                    let message = Message::from_c2c(*item, self.config.user.as_str());
                    run.messages += usize::from(self.hand_out(message));
                }
                other => self.noticed(now, other),
            }
            if self.ticket.is_none() {
                return; // A kick among the notices ended the login.
            }
        }
        run.pages += 1;
        if page.sync_flag == MissedMessages::LAST_PAGE || !moved {
            return self.synced(now, &run);
        }
        if run.pages >= MAX_PAGES {
            return self.sync_failed(
                now,
                RequestError::Shape(format!("no end after {MAX_PAGES} pages")),
            );
        }
        self.sync.running = Some(run);
        self.ask_page(now, 1);
    }

    fn synced(&mut self, now: Now, run: &Run) {
        self.sync.pushed = 0;
        self.release();
        self.state = State::Online;
        self.events.push_back(Event::Synced {
            cookie: self.sync.cookie.clone(),
            messages: run.messages,
        });
        self.poll_rooms(now);
        if self.sync.again {
            self.start_sync(now);
        }
    }

    fn sync_failed(&mut self, now: Now, error: RequestError) {
        self.release();
        self.state = State::Online;
        self.sync.retry_at = Some(now.mono + RETRY);
        self.events.push_back(Event::SyncFailed { error });
        self.poll_rooms(now);
    }

    pub(super) fn sync_timeout(&mut self, now: Now) {
        if self.sync.retry_at.is_some_and(|at| at <= now.mono) {
            self.sync.retry_at = None;
            if self.state.is_ready() && self.sync.running.is_none() {
                self.start_sync(now);
            }
        }
    }

    pub(super) fn sync_deadline(&self) -> Option<Duration> {
        self.sync.retry_at.filter(|_| self.state.is_ready())
    }

    /// The login is over; what was held back was received and is handed out.
    pub(super) fn abort_sync(&mut self) {
        self.sync.running = None;
        self.sync.again = false;
        self.sync.retry_at = None;
        self.release();
    }

    /// A pushed message.
    pub(super) fn message(&mut self, message: Message) {
        self.sync.pushed += 1;
        let holding = matches!(
            self.state,
            State::LoggingIn | State::Resuming | State::Syncing
        );
        if !holding {
            self.hand_out(message);
        } else if self.sync.held.len() < MAX_HELD {
            self.sync.held.push(message);
        } else {
            self.release();
            self.hand_out(message);
        }
    }

    fn release(&mut self) {
        for message in std::mem::take(&mut self.sync.held) {
            self.hand_out(message);
        }
    }

    pub(super) fn hand_out(&mut self, message: Message) -> bool {
        let first = self.memory.insert(&message.key(), self.config.seen);
        if first {
            self.events.push_back(match message.typing() {
                Some(is_typing) => Event::Update(Box::new(Update::Typing {
                    user: message.from.into(),
                    conversation: message.conversation,
                    is_typing,
                })),
                None => Event::Message(Box::new(message)),
            });
        }
        first
    }

    /// After each push: moves the cookie on when many messages came since it last moved, or when
    /// the server hints that something was missed.
    pub(super) fn after_push(&mut self, now: Now, sync_hint: bool) {
        let due = sync_hint || self.sync.pushed >= self.config.seen / 4;
        if !due || !self.state.is_ready() {
            return;
        }
        if self.sync.running.is_some() {
            self.sync.again |= sync_hint;
        } else if self.sync.retry_at.is_none() {
            self.start_sync(now);
        }
    }
}
