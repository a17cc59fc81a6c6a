//! Catching up with what was missed, and sending.
//!
//! After every login the server is asked for missed messages, page by page. Until the last page has
//! come, pushed messages are held back, so that a conversation is handed out in its order. Pushed
//! messages do not move the cookie: they come again with the next catching-up and are recognised
//! by their key. So that this memory can be bounded, the cookie is moved on every few hundred
//! pushed messages.
//!
//! The next page is asked for when the bots have taken the one before; see `intake` for what waits. What
//! fails is tried again with a growing pause, and so is a server that pages without giving anything.

use super::event::{Event, Part};
use super::inbox::Reach;
use super::intake::MAX_WAITING;
use super::request::{Purpose, RequestError, RequestId};
use super::state::{Session, State};
use super::waiting::Waiting;
use crate::policy::{Backoff, Now};
use crate::proto::answer::MissedMessages;
use crate::proto::command;
use crate::proto::event::{Notice, read_event, read_missed};
use crate::proto::message::{Conversation, Draft, Message, MessageKey, SendC2c, SendGroup};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Pages without anything new in a row after which catching up counts as failed.
const MAX_EMPTY: u32 = 16;
/// Pages in a row that may bring what was there already before they count as pages without anything.
const MAX_REPEATED: u32 = 256;
/// Pages without anything new in a row after which pushed messages are not held back any longer.
const MAX_HELD_BACK: u32 = 3;
/// Pause before the page after one without anything new: doubles with each.
const EMPTY_PAUSE: Duration = Duration::from_millis(100);
const MAX_EMPTY_PAUSE: Duration = Duration::from_secs(10);
/// Pause before catching up is tried again.
pub(super) const RETRY: Backoff = Backoff::FETCH;
/// Least time between two catchings-up that the server hints at: doubles while they find nothing.
const HINT_PAUSE: Duration = Duration::from_secs(1);
const MAX_HINT_PAUSE: Duration = Duration::from_secs(64);
/// Failures in a row after which the account counts as degraded.
pub(super) const DEGRADED_AFTER: u32 = 3;

/// Where catching up stands.
#[derive(Debug, Default)]
pub(super) struct Sync {
    pub(super) cookie: Box<str>,
    running: Option<Run>,
    /// Something was refused that a run under way may not bring: once more after it.
    pub(super) again: bool,
    /// The server has hinted during a run that something was missed.
    hinted: bool,
    /// Something was missed; a run is to be started when there is room.
    pub(super) wanted: bool,
    retry_at: Option<Duration>,
    failures: u32,
    /// Not before this because of a hint.
    hint_at: Option<Duration>,
    next_hint: Duration,
    fruitless_hints: u32,
    /// Caught up with so many messages, which is told when the last of them has found room.
    untold: Option<usize>,
    /// Messages that were pushed since the cookie moved.
    pub(super) pushed: usize,
    /// Pushed while catching up.
    pub(super) held: Vec<Message>,
    /// Fetched, and waiting for room.
    pub(super) waiting: Waiting,
    /// Conversations of which a pushed message was refused for want of room: the rest of them is fetched.
    pub(super) refused: BTreeSet<Conversation>,
    /// The push being looked at brought something that was refused.
    pub(super) push_refused: bool,
}

impl Sync {
    pub(super) const fn is_running(&self) -> bool {
        self.running.is_some()
    }
}

#[derive(Debug, Default)]
struct Run {
    messages: usize,
    /// Pages without anything new in a row.
    empty: u32,
    /// Pages in a row that brought what was there already.
    repeated: u32,
    /// Asked for in the middle of a login, not after one: nothing needs to be held back.
    background: bool,
    /// The page that came was the last one, or not, and waits to be taken by the bots.
    taken: Option<Page>,
    /// The next page is asked for at this time.
    page_at: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Last,
    MoreAfter(Duration),
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
            _ => {
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
        let background = self.state == State::Online;
        self.sync.again = false;
        self.sync.wanted = false;
        self.sync.retry_at = None;
        self.sync.running = Some(Run {
            background,
            ..Run::default()
        });
        if !background && self.sync.failures == 0 {
            // From here on what comes is in its order, unless this fails.
            self.memory.set_reach(now, Reach::Paging);
        }
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
        let mut new = 0;
        for notice in notices {
            match notice {
                Notice::C2c(item) => {
                    let message = Message::from_c2c(*item, self.config.user.as_str());
                    if !self.memory.knows(&message) {
                        new += 1;
                        self.wait(message);
                    }
                }
                other => {
                    new += usize::from(!matches!(other, Notice::Malformed { .. }));
                    self.noticed(now, other);
                }
            }
            if self.ticket.is_none() {
                return; // A kick among the notices ended the login.
            }
        }
        run.messages += new;
        let had_items = !page.items.is_empty() || !page.events.is_empty();
        if new > 0 {
            (run.empty, run.repeated) = (0, 0);
        } else if had_items && run.repeated < MAX_REPEATED {
            // What was pushed since the cookie comes again.
            run.repeated += 1;
        } else {
            run.empty += 1;
        }
        if page.sync_flag == MissedMessages::LAST_PAGE || !moved {
            run.taken = Some(Page::Last);
        } else if run.empty >= MAX_EMPTY {
            let what = format!("{MAX_EMPTY} pages in a row without a new message, and no end");
            return self.sync_failed(now, RequestError::Shape(what));
        } else {
            let pause = match run.empty {
                0 => Duration::ZERO,
                empty => (EMPTY_PAUSE * (1 << (empty - 1).min(10))).min(MAX_EMPTY_PAUSE),
            };
            run.taken = Some(Page::MoreAfter(pause));
        }
        let held_back = run.empty >= MAX_HELD_BACK && !run.background;
        run.background |= held_back;
        self.sync.running = Some(run);
        if held_back {
            // Nobody waits for a server that does not come to its end.
            self.go_online_behind(now);
        }
        self.pump(now);
    }

    /// The rest of what was missed takes long: what is pushed is handed out meanwhile.
    fn go_online_behind(&mut self, now: Now) {
        if let Some(run) = &mut self.sync.running {
            run.background = true;
        }
        self.memory.set_reach(now, Reach::Behind);
        self.state = State::Online;
        self.release(now);
        self.poll_rooms(now);
    }

    /// The page that came was taken by the bots: on to the next.
    pub(super) fn page_taken(&mut self, now: Now) {
        let Some(run) = &mut self.sync.running else {
            return;
        };
        if matches!(run.taken, Some(Page::MoreAfter(_))) && self.sync.waiting.len() >= MAX_WAITING {
            if !run.background {
                self.go_online_behind(now);
            }
            return;
        }
        match run.taken.take() {
            Some(Page::Last) => {
                let messages = run.messages;
                self.sync.running = None;
                self.synced(now, messages);
            }
            Some(Page::MoreAfter(Duration::ZERO)) => self.ask_page(now, 1),
            Some(Page::MoreAfter(pause)) => run.page_at = Some(now.mono + pause),
            None => {}
        }
    }

    fn synced(&mut self, now: Now, messages: usize) {
        self.sync.pushed = 0;
        self.sync.failures = 0;
        self.sync.fruitless_hints = if messages > 0 {
            0
        } else {
            self.sync.fruitless_hints.saturating_add(1)
        };
        self.state = State::Online;
        if !self.sync.again {
            // Whatever was refused has come with the pages.
            for conversation in std::mem::take(&mut self.sync.refused) {
                self.held_up_no_longer(now, &conversation);
            }
        }
        self.release(now);
        self.set_trouble(Part::Missed, None);
        self.sync.untold = Some(self.sync.untold.unwrap_or(0) + messages);
        self.poll_rooms(now);
        if self.sync.again {
            self.sync.again = false;
            self.sync.wanted = true;
        }
        if std::mem::take(&mut self.sync.hinted) {
            self.follow_hint(now);
        } else {
            // But for what waits or was refused, of which the books know.
            self.memory.set_reach(now, Reach::CaughtUp);
        }
        self.pump(now);
    }

    /// Everything that was fetched has found room: from here a next session may go on.
    pub(super) fn tell_synced(&mut self) {
        if let Some(messages) = self.sync.untold.take() {
            self.events.push_back(Event::Synced {
                cookie: self.sync.cookie.clone(),
                messages,
            });
        }
    }

    fn sync_failed(&mut self, now: Now, error: RequestError) {
        self.sync.failures = self.sync.failures.saturating_add(1);
        let wait = RETRY.delay(self.sync.failures, self.rng.f64());
        self.sync.retry_at = Some(now.mono + wait);
        // What is pushed now is handed out before what is still missing.
        self.memory.set_reach(now, Reach::Behind);
        self.state = State::Online;
        self.release(now);
        if self.sync.failures >= DEGRADED_AFTER {
            self.set_trouble(Part::Missed, Some(&error));
        }
        self.events.push_back(Event::SyncFailed {
            part: Part::Missed,
            error,
        });
        self.poll_rooms(now);
        self.pump(now);
    }

    pub(super) fn sync_timeout(&mut self, now: Now) {
        if !self.state.is_ready() {
            return;
        }
        let due = |at: &mut Option<Duration>| at.take_if(|at| *at <= now.mono).is_some();
        if due(&mut self.sync.retry_at) && self.sync.running.is_none() {
            self.start_sync(now);
        }
        if due(&mut self.sync.hint_at) {
            self.sync.wanted = true;
            self.sync_if_wanted(now);
        }
        if let Some(run) = &mut self.sync.running
            && due(&mut run.page_at)
        {
            self.ask_page(now, 1);
        }
    }

    pub(super) fn sync_deadline(&self) -> Option<Duration> {
        let page = self.sync.running.as_ref().and_then(|run| run.page_at);
        [self.sync.retry_at, self.sync.hint_at, page]
            .into_iter()
            .flatten()
            .min()
            .filter(|_| self.state.is_ready())
    }

    /// Starts a run that is wanted as soon as there is room for what it brings.
    pub(super) fn sync_if_wanted(&mut self, now: Now) {
        let free =
            self.state.is_ready() && self.sync.running.is_none() && self.sync.retry_at.is_none();
        if self.sync.wanted && free && self.memory.has_room(None) && self.may_bring_more() {
            self.start_sync(now);
        }
    }

    /// Whether a run can bring something that has room: what was refused behind what waits has none.
    fn may_bring_more(&self) -> bool {
        let (waiting, refused) = (&self.sync.waiting, &self.sync.refused);
        waiting.is_empty()
            || waiting.len() < MAX_WAITING
                && (refused.is_empty()
                    || refused.iter().any(|conversation| {
                        !waiting.has(conversation) && self.memory.has_room(Some(conversation))
                    }))
    }

    /// The login is over. What was held back stays so: it comes after what the next login catches up
    /// with.
    pub(super) fn abort_sync(&mut self) {
        self.sync.running = None;
        self.sync.again = false;
        self.sync.hinted = false;
        self.sync.wanted = false;
        self.sync.retry_at = None;
        self.sync.hint_at = None;
    }

    /// After each push: moves the cookie on when many messages came since it last moved, or when
    /// the server hints that something was missed.
    pub(super) fn after_push(&mut self, now: Now, sync_hint: bool) {
        if !self.state.is_ready() {
            return;
        }
        if sync_hint {
            self.memory.set_reach(now, Reach::Behind);
        }
        if self.sync.running.is_some() {
            self.sync.hinted |= sync_hint;
        } else if sync_hint {
            self.follow_hint(now);
        } else if self.sync.pushed >= self.config.seen / 4 && self.sync.retry_at.is_none() {
            self.sync.wanted = true;
            self.sync_if_wanted(now);
        }
    }

    /// Catches up because the server hints at it, but not without end.
    fn follow_hint(&mut self, now: Now) {
        if self.sync.retry_at.is_some() || self.sync.hint_at.is_some() {
            return; // About to.
        }
        let pause = HINT_PAUSE * (1 << self.sync.fruitless_hints.min(10));
        let at = self.sync.next_hint.max(now.mono);
        self.sync.next_hint = at + pause.min(MAX_HINT_PAUSE);
        if at > now.mono {
            self.sync.hint_at = Some(at);
        } else {
            self.sync.wanted = true;
            self.sync_if_wanted(now);
        }
    }
}
