//! Catching up with what was missed.
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
use super::request::{Purpose, RequestError};
use super::state::SessionState;
use super::turn::Turn;
use crate::policy::Backoff;
use crate::proto::answer::MissedMessages;
use crate::proto::command;
use crate::proto::event::{Notice, read_event, read_missed};
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
pub(super) struct CatchUp {
    cookie: Box<str>,
    running: Option<Run>,
    /// Something was refused that a run under way may not bring: once more after it.
    again: bool,
    /// The server has hinted during a run that something was missed.
    hinted: bool,
    /// Something was missed; a run is to be started when there is room.
    wanted: bool,
    retry_at: Option<Duration>,
    failures: u32,
    /// A run that the server hints at starts at this time.
    hint_at: Option<Duration>,
    /// The next hint is followed from this time on.
    next_hint: Duration,
    fruitless_hints: u32,
    /// Caught up with so many messages, which is told when the last of them has found room.
    untold: Option<usize>,
}

/// One catching-up, from its first page to its last.
#[derive(Debug, Default)]
struct Run {
    messages: usize,
    /// Pages without anything new in a row.
    empty: u32,
    /// Pages in a row that brought what was there already.
    repeated: u32,
    /// Asked for in the middle of a login, not after one: nothing needs to be held back.
    background: bool,
    /// The last page that came waits to be taken by the bots. What follows it?
    taken: Option<Next>,
    /// The next page is asked for at this time.
    page_at: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Nothing,
    PageAfter(Duration),
}

/// A page that came, for the session to hand out.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) notices: Vec<Notice>,
    had_items: bool,
    is_last: bool,
}

/// What a session does about a step of catching up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Step {
    /// Nothing.
    None,
    /// Nothing is held back any longer: what waits is handed out, and more follows by itself.
    Online,
    /// Everything has come.
    CaughtUp,
}

impl CatchUp {
    pub(super) fn cookie(&self) -> &str {
        &self.cookie
    }

    pub(super) fn set_cookie(&mut self, cookie: Box<str>) {
        self.cookie = cookie;
    }

    /// Starts a run.
    pub(super) fn start(&mut self, turn: &mut Turn<'_>) {
        let background = turn.state == SessionState::Online;
        self.again = false;
        self.wanted = false;
        self.retry_at = None;
        self.running = Some(Run {
            background,
            ..Run::default()
        });
        if !background && self.failures == 0 {
            // From here on what comes is in its order, unless this fails.
            turn.memory.set_reach(turn.now, Reach::Paging);
        }
        self.ask_page(turn, 0);
    }

    fn ask_page(&self, turn: &mut Turn<'_>, sync_flag: u8) {
        let online = u8::from(self.running.as_ref().is_some_and(|run| run.background));
        let body = serde_json::json!({
            "Cookie": self.cookie, "SyncFlag": sync_flag, "NeedAbstract": 1,
            "IsOnlineSync": online, "NeedSignaling": 1, "NeedCachedMsg": 1,
        });
        let (servcmd, body) = (command::GET_MSG, body.to_string());
        turn.out.ask(turn.now, Purpose::Sync, servcmd, &body);
    }

    // ── answers ──────────────────────────────────────────────────────────────────────────────

    /// Reads the answer to a page; the session hands its notices out and says so with
    /// [`handed_out`](Self::handed_out). `Ok(None)`: nobody waits for it.
    pub(super) fn read_page(
        &mut self,
        outcome: Result<&str, RequestError>,
    ) -> Result<Option<Page>, RequestError> {
        if self.running.is_none() {
            return Ok(None);
        }
        let page = outcome.and_then(|body| {
            serde_json::from_str::<MissedMessages<'_>>(body)
                .map_err(|error| RequestError::Shape(error.to_string()))
        })?;
        // An answer without a cookie is void, whatever else it says.
        if page.cookie.is_empty() {
            return Err(RequestError::Shape("answer without Cookie".into()));
        }
        let moved = *page.cookie != *self.cookie;
        self.cookie = page.cookie.as_str().into();
        let items = page.items.iter().flat_map(|raw| read_missed(raw));
        let events = page.events.iter().flat_map(|raw| read_event(raw));
        Ok(Some(Page {
            notices: items.chain(events).collect(),
            had_items: !page.items.is_empty() || !page.events.is_empty(),
            is_last: page.sync_flag == MissedMessages::LAST_PAGE || !moved,
        }))
    }

    /// So many notices of the page were new.
    ///
    /// # Errors
    /// When the server pages on and on without giving anything; then it counts as
    /// [`failed`](Self::failed).
    pub(super) fn handed_out(
        &mut self,
        had_items: bool,
        is_last: bool,
        new: usize,
    ) -> Result<Step, RequestError> {
        let Some(run) = &mut self.running else {
            return Ok(Step::None);
        };
        run.messages += new;
        if new > 0 {
            (run.empty, run.repeated) = (0, 0);
        } else if had_items && run.repeated < MAX_REPEATED {
            // What was pushed since the cookie comes again.
            run.repeated += 1;
        } else {
            run.empty += 1;
        }
        run.taken = Some(if is_last {
            Next::Nothing
        } else if run.empty >= MAX_EMPTY {
            let what = format!("{MAX_EMPTY} pages in a row without a new message, and no end");
            return Err(RequestError::Shape(what));
        } else {
            Next::PageAfter(match run.empty {
                0 => Duration::ZERO,
                empty => (EMPTY_PAUSE * (1 << (empty - 1).min(10))).min(MAX_EMPTY_PAUSE),
            })
        });
        // Nobody waits for a server that does not come to its end.
        let held_back = run.empty >= MAX_HELD_BACK && !run.background;
        run.background |= held_back;
        Ok(if held_back { Step::Online } else { Step::None })
    }

    /// The page that came was taken by the bots: on to the next.
    pub(super) fn page_taken(&mut self, turn: &mut Turn<'_>) -> Step {
        let Some(run) = &mut self.running else {
            return Step::None;
        };
        if matches!(run.taken, Some(Next::PageAfter(_))) && turn.intake.is_full() {
            let was_background = std::mem::replace(&mut run.background, true);
            return if was_background {
                Step::None
            } else {
                Step::Online
            };
        }
        match run.taken.take() {
            Some(Next::Nothing) => return Step::CaughtUp,
            Some(Next::PageAfter(Duration::ZERO)) => self.ask_page(turn, 1),
            Some(Next::PageAfter(pause)) => run.page_at = Some(turn.now.mono + pause),
            None => {}
        }
        Step::None
    }

    /// The rest of what was missed takes long: what is pushed is handed out meanwhile.
    pub(super) fn behind(&self, turn: &mut Turn<'_>) {
        turn.memory.set_reach(turn.now, Reach::Behind);
    }

    /// Every page has come, and the bots have the last of them.
    pub(super) fn caught_up(&mut self, turn: &mut Turn<'_>) {
        let messages = self.running.take().map_or(0, |run| run.messages);
        turn.intake.cookie_moved();
        self.failures = 0;
        self.fruitless_hints = if messages > 0 {
            0
        } else {
            self.fruitless_hints.saturating_add(1)
        };
        if !self.again {
            turn.intake.refused_came(turn.now, turn.memory);
        }
        self.untold = Some(self.untold.unwrap_or(0) + messages);
    }

    /// The session is online after [`caught_up`](Self::caught_up).
    pub(super) fn online(&mut self, turn: &mut Turn<'_>) {
        if std::mem::take(&mut self.again) {
            self.wanted = true;
        }
        if std::mem::take(&mut self.hinted) {
            self.follow_hint(turn);
        } else {
            // But for what waits or was refused, of which the memory knows.
            turn.memory.set_reach(turn.now, Reach::CaughtUp);
        }
    }

    /// Everything that was fetched has found room: from here a next session may go on.
    pub(super) fn tell_caught_up(&mut self, turn: &mut Turn<'_>) {
        if let Some(messages) = self.untold.take() {
            turn.events.push(Event::Synced {
                cookie: self.cookie.clone(),
                messages,
            });
        }
    }

    /// A page did not come. It is asked for again after a pause; what is pushed until then is handed out
    /// before what is still missing.
    pub(super) fn failed(&mut self, turn: &mut Turn<'_>) {
        self.running = None;
        self.failures = self.failures.saturating_add(1);
        let wait = RETRY.delay(self.failures, turn.out.chance());
        self.retry_at = Some(turn.now.mono + wait);
        turn.memory.set_reach(turn.now, Reach::Behind);
    }

    /// Tells of a failure when the session is online in spite of it.
    pub(super) fn tell_failed(&self, turn: &mut Turn<'_>, error: RequestError) {
        let part = Part::Missed;
        if self.failures >= DEGRADED_AFTER {
            turn.events.set_trouble(part.clone(), Some(&error));
        }
        turn.events.push(Event::SyncFailed { part, error });
    }

    // ── reasons for a run ────────────────────────────────────────────────────────────────────

    /// A pushed message found no room: it is fetched later.
    pub(super) fn push_refused(&mut self, turn: &mut Turn<'_>) {
        if self.running.is_some() {
            self.again = true;
        } else {
            self.wanted = true;
            self.start_if_wanted(turn);
        }
    }

    /// After each push: moves the cookie on when many messages came since it last moved, or when
    /// the server hints that something was missed.
    pub(super) fn pushed(&mut self, turn: &mut Turn<'_>, sync_hint: bool) {
        if !turn.state.is_ready() {
            return;
        }
        if sync_hint {
            turn.memory.set_reach(turn.now, Reach::Behind);
        }
        if self.running.is_some() {
            self.hinted |= sync_hint;
        } else if sync_hint {
            self.follow_hint(turn);
        } else if turn.intake.is_cookie_old() && self.retry_at.is_none() {
            self.wanted = true;
            self.start_if_wanted(turn);
        }
    }

    /// Catches up because the server hints at it, but not without end.
    fn follow_hint(&mut self, turn: &mut Turn<'_>) {
        if self.retry_at.is_some() || self.hint_at.is_some() {
            return; // A run is due already.
        }
        let now = turn.now.mono;
        let pause = HINT_PAUSE * (1 << self.fruitless_hints.min(10));
        let at = self.next_hint.max(now);
        self.next_hint = at + pause.min(MAX_HINT_PAUSE);
        if at > now {
            self.hint_at = Some(at);
        } else {
            self.wanted = true;
            self.start_if_wanted(turn);
        }
    }

    /// Starts a run that is wanted as soon as there is room for what it brings.
    pub(super) fn start_if_wanted(&mut self, turn: &mut Turn<'_>) {
        let free = turn.state.is_ready() && self.running.is_none() && self.retry_at.is_none();
        if self.wanted
            && free
            && turn.memory.has_room(None)
            && turn.intake.may_take_more(turn.memory)
        {
            self.start(turn);
        }
    }

    /// The login is over. What was held back stays so: it comes after what the next login catches up
    /// with.
    pub(super) fn abort(&mut self) {
        // Everything but the cookie and the counters of failures is about this login.
        *self = Self {
            cookie: std::mem::take(&mut self.cookie),
            failures: self.failures,
            next_hint: self.next_hint,
            fruitless_hints: self.fruitless_hints,
            untold: self.untold,
            ..Self::default()
        };
    }

    // ── time ─────────────────────────────────────────────────────────────────────────────────

    pub(super) fn timeout(&mut self, turn: &mut Turn<'_>) {
        if !turn.state.is_ready() {
            return;
        }
        let now = turn.now.mono;
        let due = |at: &mut Option<Duration>| at.take_if(|at| *at <= now).is_some();
        if due(&mut self.retry_at) && self.running.is_none() {
            self.start(turn);
        }
        if due(&mut self.hint_at) {
            self.wanted = true;
            self.start_if_wanted(turn);
        }
        if let Some(run) = &mut self.running
            && due(&mut run.page_at)
        {
            self.ask_page(turn, 1);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let page = self.running.as_ref().and_then(|run| run.page_at);
        [self.retry_at, self.hint_at, page]
            .into_iter()
            .flatten()
            .min()
    }
}

impl Page {
    /// What [`CatchUp::handed_out`] wants to know of the page.
    pub(super) const fn facts(&self) -> (bool, bool) {
        (self.had_items, self.is_last)
    }
}
