//! What a session hears: missed messages, groups and live rooms, brought together so that each message
//! is handed out once and in its order.

use super::catch_up::{CatchUp, Step};
use super::event::{Event, Ignored, Part};
use super::groups::Groups;
use super::memory::Memory;
use super::request::{InFlight, RequestError};
use super::rooms::Rooms;
use super::state::SessionState;
use super::turn::Shared;
use crate::policy::Now;
use crate::proto::event::{KickType, Notice};
use crate::proto::message::{GroupItem, Message, NoticeKind};
use std::time::Duration;

/// The machines that bring messages. What one of them finds out may move the others.
#[derive(Debug, Default)]
pub(super) struct Feed {
    catch_up: CatchUp,
    groups: Groups,
    rooms: Rooms,
}

impl Feed {
    /// Where catching up with missed messages goes on.
    pub(super) fn cookie(&self) -> &str {
        self.catch_up.cookie()
    }

    pub(super) fn set_cookie(&mut self, cookie: Box<str>) {
        self.catch_up.set_cookie(cookie);
    }

    #[cfg(test)]
    pub(super) const fn follows_no_group(&self) -> bool {
        self.groups.is_empty()
    }

    #[cfg(test)]
    pub(super) fn follows(&self, group: &str) -> bool {
        self.groups.follows(group)
    }

    // ── logins and links ─────────────────────────────────────────────────────────────────────

    /// A login is done: what was missed?
    pub(super) fn start(
        &mut self,
        now: Now,
        memory: &mut Memory,
        shared: &mut Shared,
        resumed: bool,
    ) {
        let mut turn = shared.turn(now, memory);
        self.catch_up.start(&mut turn);
        self.groups.start(&mut turn);
        self.rooms.start(&mut turn, resumed);
    }

    /// The login is over.
    pub(super) fn abort(&mut self) {
        self.catch_up.abort();
        self.groups.abort();
    }

    /// The link is gone: what was asked about groups will not be answered.
    pub(super) fn link_lost(&mut self) {
        self.groups.abort();
    }

    // ── messages of our own ──────────────────────────────────────────────────────────────────

    /// Remembers which group a message in flight is for.
    pub(super) fn sending(&mut self, request: u32, group: &str) {
        self.groups.sending(request, group);
    }

    /// A request of the caller was answered, with a good body or none.
    pub(super) fn request_answered(
        &mut self,
        now: Now,
        memory: &mut Memory,
        shared: &mut Shared,
        (request, body): (&InFlight, Option<&str>),
    ) {
        let mut turn = shared.turn(now, memory);
        self.groups.sent(&mut turn, request.seq, body);
        if let Some(body) = body {
            self.rooms.request_answered(&mut turn, request, body);
        }
    }

    // ── answers ──────────────────────────────────────────────────────────────────────────────

    /// An answer to a list of groups, or of the topics of a community.
    pub(super) fn list_answered(
        &mut self,
        now: Now,
        memory: &mut Memory,
        shared: &mut Shared,
        outcome: Result<&str, RequestError>,
    ) {
        let mut turn = shared.turn(now, memory);
        self.groups.list_answered(&mut turn, outcome);
    }

    /// An answer to the history of a group.
    pub(super) fn history_answered(
        &mut self,
        now: Now,
        memory: &mut Memory,
        shared: &mut Shared,
        (request, outcome): (u32, Result<&str, RequestError>),
    ) {
        let mut turn = shared.turn(now, memory);
        self.groups.history_answered(&mut turn, request, outcome);
    }

    /// An answer to a poll of a live room. Returns a kick that it brought.
    pub(super) fn poll_answered(
        &mut self,
        now: Now,
        memory: &mut Memory,
        shared: &mut Shared,
        (request, outcome): (u32, Result<&str, RequestError>),
    ) -> Option<KickType> {
        let mut turn = shared.turn(now, memory);
        let polled = self.rooms.poll_answered(&mut turn, request, outcome)?;
        let mut kick = None;
        for notice in polled.notices {
            match notice {
                Notice::Group { event, item } => {
                    let mut turn = shared.turn(now, memory);
                    self.rooms.item(&mut turn, &polled.group, event, *item);
                }
                other => kick = kick.or(self.noticed(now, memory, shared, other)),
            }
        }
        kick
    }

    /// An answer to a page of missed messages. Returns a kick that it brought, which ends the login.
    pub(super) fn page_answered(
        &mut self,
        now: Now,
        memory: &mut Memory,
        shared: &mut Shared,
        outcome: Result<&str, RequestError>,
    ) -> Option<KickType> {
        let page = match self.catch_up.read_page(outcome) {
            Ok(page) => page?,
            Err(error) => {
                self.catch_up_failed(now, memory, shared, error);
                return None;
            }
        };
        let (had_items, is_last) = page.facts();
        let mut new = 0;
        for notice in page.notices {
            match notice {
                Notice::C2c(item) => {
                    let message = Message::from_c2c(*item, shared.out.user().as_str());
                    if !memory.knows(&message) {
                        new += 1;
                        shared.intake.wait(message, memory);
                    }
                }
                other => {
                    new += usize::from(!matches!(other, Notice::Malformed { .. }));
                    let kick = self.noticed(now, memory, shared, other);
                    if kick.is_some() {
                        return kick;
                    }
                }
            }
        }
        match self.catch_up.handed_out(had_items, is_last, new) {
            Ok(step) => {
                self.take_step(now, memory, shared, step);
                self.pump(now, memory, shared);
            }
            Err(error) => self.catch_up_failed(now, memory, shared, error),
        }
        None
    }

    // ── pushes ───────────────────────────────────────────────────────────────────────────────

    /// Something was pushed, or stands in a page. Returns a kick of this login.
    pub(super) fn noticed(
        &mut self,
        now: Now,
        memory: &mut Memory,
        shared: &mut Shared,
        notice: Notice,
    ) -> Option<KickType> {
        match notice {
            Notice::C2c(item) => {
                let message = Message::from_c2c(*item, shared.out.user().as_str());
                let holding = matches!(
                    shared.state,
                    SessionState::LoggingIn | SessionState::Resuming | SessionState::Syncing
                );
                let (intake, events) = (&mut shared.intake, &mut shared.events);
                if intake.take(now, holding, message, memory, events) {
                    let mut turn = shared.turn(now, memory);
                    self.catch_up.push_refused(&mut turn);
                }
            }
            Notice::Group { event, item } => {
                self.noticed_group(now, memory, shared, event, *item);
            }
            Notice::Update(mut update) => {
                update.seen_by(shared.out.user().as_str());
                shared.events.push(Event::Update(update));
            }
            Notice::Kicked { inst_id, kind, .. } => {
                if !shared.out.is_of_another_login(inst_id.as_ref()) {
                    return Some(kind);
                }
                shared.events.ignore(Ignored::Kick);
            }
            Notice::Unknown { event, .. } => shared.events.ignore(Ignored::Notice(event)),
            Notice::Malformed { reason } => shared.events.ignore(Ignored::Malformed(reason)),
        }
        None
    }

    fn noticed_group(
        &mut self,
        now: Now,
        memory: &mut Memory,
        shared: &mut Shared,
        event: u64,
        item: GroupItem,
    ) {
        let Some(message) = Message::from_group(item, event, shared.out.user().as_str()) else {
            let what = "a group item of no kind".to_owned();
            return shared.events.ignore(Ignored::Malformed(what));
        };
        let mut turn = shared.turn(now, memory);
        if let Some(notice) = message.notice() {
            if notice.kind() == NoticeKind::TopicDeleted {
                self.groups.topics_gone(&mut turn, &notice.topics());
            } else if notice.ends_membership() {
                // The notice is as good as the end of the membership.
                self.groups.left(&mut turn, &message.to);
                self.rooms.leave(&mut turn, &message.to);
            }
        }
        self.groups.pushed(&mut turn, message);
    }

    /// A push is over; with `sync_hint` the server hints that something was missed.
    pub(super) fn pushed(
        &mut self,
        now: Now,
        memory: &mut Memory,
        shared: &mut Shared,
        sync_hint: bool,
    ) {
        let mut turn = shared.turn(now, memory);
        self.catch_up.pushed(&mut turn, sync_hint);
    }

    // ── room and time ────────────────────────────────────────────────────────────────────────

    /// The bots have room again.
    pub(super) fn room(&mut self, now: Now, memory: &mut Memory, shared: &mut Shared) {
        self.pump(now, memory, shared);
        if shared.state.is_ready() {
            let mut turn = shared.turn(now, memory);
            self.groups.fetch(&mut turn);
            self.rooms.poll(&mut turn);
        }
    }

    pub(super) fn timeout(&mut self, now: Now, memory: &mut Memory, shared: &mut Shared) {
        let mut turn = shared.turn(now, memory);
        self.catch_up.timeout(&mut turn);
        self.groups.timeout(&mut turn);
        self.rooms.poll(&mut turn);
    }

    pub(super) fn poll_timeout(
        &self,
        memory: &mut Memory,
        state: SessionState,
    ) -> Option<Duration> {
        if !state.is_ready() {
            return None;
        }
        [
            self.catch_up.poll_timeout(),
            self.groups.poll_timeout(),
            self.rooms.poll_timeout(state, memory),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    // ── catching up ──────────────────────────────────────────────────────────────────────────

    fn take_step(&mut self, now: Now, memory: &mut Memory, shared: &mut Shared, step: Step) {
        match step {
            Step::None => {}
            Step::Online => {
                self.catch_up.behind(&mut shared.turn(now, memory));
                go_online(now, memory, shared);
                self.rooms.poll(&mut shared.turn(now, memory));
            }
            Step::CaughtUp => {
                self.catch_up.caught_up(&mut shared.turn(now, memory));
                go_online(now, memory, shared);
                shared.events.set_trouble(Part::Missed, None);
                let mut turn = shared.turn(now, memory);
                self.rooms.poll(&mut turn);
                self.catch_up.online(&mut turn);
                self.pump(now, memory, shared);
            }
        }
    }

    fn catch_up_failed(
        &mut self,
        now: Now,
        memory: &mut Memory,
        shared: &mut Shared,
        error: RequestError,
    ) {
        self.catch_up.failed(&mut shared.turn(now, memory));
        go_online(now, memory, shared);
        let mut turn = shared.turn(now, memory);
        self.catch_up.tell_failed(&mut turn, error);
        self.rooms.poll(&mut turn);
        self.pump(now, memory, shared);
    }

    /// Hands out what has room, and goes on catching up when enough of it had.
    fn pump(&mut self, now: Now, memory: &mut Memory, shared: &mut Shared) {
        shared.intake.pump(now, memory, &mut shared.events);
        if !shared.state.is_ready() {
            return;
        }
        if shared.intake.is_empty() {
            let mut turn = shared.turn(now, memory);
            self.catch_up.tell_caught_up(&mut turn);
        }
        // Nothing more is asked for before what came is taken. What waits for room in its own
        // conversation only keeps nobody else waiting, within bounds.
        if memory.has_room(None) {
            let step = self.catch_up.page_taken(&mut shared.turn(now, memory));
            self.take_step(now, memory, shared, step);
            let mut turn = shared.turn(now, memory);
            self.catch_up.start_if_wanted(&mut turn);
        }
    }
}

/// Nothing that is pushed is held back any longer.
fn go_online(now: Now, memory: &mut Memory, shared: &mut Shared) {
    shared.state = SessionState::Online;
    shared.intake.release(now, memory, &mut shared.events);
}
