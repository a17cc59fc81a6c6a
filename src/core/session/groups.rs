//! Group messages in their order and without gaps: the numbers of each joined group are followed, and
//! whatever is missing is fetched from its history.
//!
//! A group numbers its messages and stored tips without gaps. A message that comes is handed out only
//! as the next one; when it is not, everything up to it is fetched, the message itself included. After
//! every login the server is asked which groups there are and how far each has got, so that an outage
//! is only a large gap. Unlike in the official client, neither the size of a gap matters nor whether the
//! group was seen before. Which groups there are is found out in `listing`.
//!
//! A topic of a community is a group here, named by its own ID: it has members, numbers and a history of
//! its own.

use super::event::{Event, Ignored, Part};
use super::group::{Group, Listed, Pushed};
use super::listing::{Listing, Named, Progress};
use super::member::Member;
use super::request::{Purpose, RequestError};
use super::span::Found;
use super::turn::Turn;
use crate::policy::Pace;
use crate::proto::address::GroupAddress;
use crate::proto::answer::{GroupHistory, Sent};
use crate::proto::command;
use crate::proto::lenient;
use crate::proto::message::{Body, Conversation, GroupItem, Message};
use crate::proto::op::group_message::GetHistory;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Histories asked for at a time.
const MAX_FETCHES: usize = 4;
/// Histories asked for a second, and how many at once: the service allows 20.
const FETCH_PACE: (f64, u32) = (15.0, 4);
/// Groups followed at most, topics included.
const MAX_GROUPS: usize = 20_000;
/// Unread messages of a group that are fetched at the first login; older ones are left to the history.
const MAX_BACKLOG: u32 = 100_000;

/// All groups of one session.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// This app's edition has no communities: they are not asked for again.
    without_communities: bool,
    /// `None` of an account that is in no group: most are, and should cost nothing.
    followed: Option<Box<Followed>>,
}

#[derive(Debug)]
struct Followed {
    known: BTreeMap<Box<str>, Member>,
    listing: Listing,
    /// Which group a request in flight is about, by its number.
    fetches: HashMap<u32, Box<str>>,
    sends: HashMap<u32, Box<str>>,
    pace: Pace,
    /// The next history is asked for at this time: the pace, or a pause after a failure.
    next_fetch: Option<Duration>,
}

impl Default for Followed {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            listing: Listing::default(),
            fetches: HashMap::new(),
            sends: HashMap::new(),
            pace: Pace::new(FETCH_PACE.0, FETCH_PACE.1),
            next_fetch: None,
        }
    }
}

impl Groups {
    #[cfg(test)]
    pub(super) const fn is_empty(&self) -> bool {
        self.followed.is_none()
    }

    #[cfg(test)]
    pub(super) fn follows(&self, group: &str) -> bool {
        let followed = self.followed.as_ref();
        followed.is_some_and(|followed| followed.known.contains_key(group))
    }

    // ── logins and lists ─────────────────────────────────────────────────────────────────────

    /// A login is done: what has happened in the groups meanwhile?
    pub(super) fn start(&mut self, turn: &mut Turn<'_>) {
        let followed = self.followed.get_or_insert_default();
        followed.fetches.clear();
        followed.abort();
        followed.listing.start(turn);
    }

    /// The link is gone, or the login: what was in flight will not be answered.
    pub(super) fn abort(&mut self) {
        if let Some(followed) = &mut self.followed {
            followed.fetches.clear();
            followed.next_fetch = None;
            followed.listing.abort();
            followed.abort();
        }
    }

    /// An answer to a list of groups, or of the topics of a community.
    pub(super) fn list_answered(
        &mut self,
        turn: &mut Turn<'_>,
        outcome: Result<&str, RequestError>,
    ) {
        let Some(followed) = &mut self.followed else {
            return;
        };
        let flag = &mut self.without_communities;
        let (named, step) = followed.listing.answered(turn, outcome, flag);
        for named in &named {
            followed.found(turn, named);
        }
        let progress = followed.listing.go_on(turn, step, self.without_communities);
        self.listing_went_on(turn, progress);
    }

    fn listing_went_on(&mut self, turn: &mut Turn<'_>, progress: Progress) {
        let Some(followed) = &mut self.followed else {
            return;
        };
        match progress {
            Progress::Running => {}
            Progress::Part => followed.fetch(turn),
            Progress::GivenUp => {
                followed.follow_unlisted(turn);
                followed.fetch(turn);
            }
            Progress::Done => {
                followed.listed(turn);
                turn.events.set_trouble(Part::Groups, None);
                if followed.known.is_empty() {
                    self.followed = None;
                } else {
                    followed.fetch(turn);
                }
            }
        }
    }

    // ── pushes ───────────────────────────────────────────────────────────────────────────────

    /// A message or tip of a group was pushed.
    pub(super) fn pushed(&mut self, turn: &mut Turn<'_>, message: Message) {
        let is_followed = match &message.conversation {
            // Messages without a number are not stored.
            Conversation::Group(group) if message.seq > 0 && !message.online_only => {
                self.has_place_for(group)
            }
            _ => false,
        };
        if !is_followed {
            return turn.take_unstored(message);
        }
        // Without a table the list was fetched and empty.
        let followed = self.followed.get_or_insert_with(|| {
            Box::new(Followed {
                listing: Listing::done(),
                ..Followed::default()
            })
        });
        followed.pushed(turn, message);
    }

    fn has_place_for(&self, group: &str) -> bool {
        self.followed.as_ref().is_none_or(|followed| {
            followed.known.len() < MAX_GROUPS || followed.known.contains_key(group)
        })
    }

    /// This account is in the group no longer, nor in its topics.
    pub(super) fn left(&mut self, turn: &mut Turn<'_>, group: &str) {
        if let Some(followed) = &mut self.followed {
            // It may be joined again before an answer about it comes.
            let is_in = |known: &str| GroupAddress::new(known).group() == group;
            followed.fetches.retain(|_, known| !is_in(known));
            followed.known.retain(|known, _| {
                let gone = is_in(known);
                if gone {
                    turn.memory.forget_group(known);
                }
                !gone
            });
        }
        turn.memory.forget_group(group);
    }

    /// Topics were deleted.
    pub(super) fn topics_gone(&mut self, turn: &mut Turn<'_>, topics: &[String]) {
        for topic in topics {
            if let Some(followed) = &mut self.followed {
                followed.fetches.retain(|_, known| **known != **topic);
                followed.known.remove(topic.as_str());
            }
            turn.memory.forget_group(topic);
        }
    }

    // ── messages of our own ──────────────────────────────────────────────────────────────────

    /// Remembers which group a message in flight is for.
    pub(super) fn sending(&mut self, request: u32, group: &str) {
        if let Some(followed) = &mut self.followed {
            followed.sends.insert(request, group.into());
        }
    }

    /// The answer to a message of our own tells its number, which will not be pushed to us.
    pub(super) fn sent(&mut self, turn: &mut Turn<'_>, request: u32, body: Option<&str>) {
        let Some(followed) = &mut self.followed else {
            return;
        };
        let Some(group) = followed.sends.remove(&request) else {
            return;
        };
        let sent: Option<Sent> = body.and_then(|body| serde_json::from_str(body).ok());
        let Some(seq) = sent.map(|sent| sent.seq).filter(|seq| *seq > 0) else {
            return;
        };
        let Some(member) = followed.known.get_mut(&group) else {
            return;
        };
        let is_next = member.open().sent(seq);
        member.rest();
        if is_next {
            turn.memory.reached(&group, seq);
        } else {
            followed.fetch(turn);
        }
    }

    // ── histories ────────────────────────────────────────────────────────────────────────────

    /// Asks for the history of groups that are behind, as many as are allowed at a time and as the bots
    /// have room for.
    pub(super) fn fetch(&mut self, turn: &mut Turn<'_>) {
        if let Some(followed) = &mut self.followed {
            followed.fetch(turn);
        }
    }

    pub(super) fn history_answered(
        &mut self,
        turn: &mut Turn<'_>,
        request: u32,
        outcome: Result<&str, RequestError>,
    ) {
        let Some(followed) = &mut self.followed else {
            return;
        };
        let Some(name) = followed.fetches.remove(&request) else {
            return;
        };
        let answer = outcome.and_then(|body| {
            serde_json::from_str::<GroupHistory<'_>>(body)
                .map_err(|error| RequestError::Shape(error.to_string()))
        });
        match answer {
            Ok(page) => followed.history_came(turn, &name, &page),
            Err(error) => followed.history_failed(turn, &name, error),
        }
        followed.fetch(turn);
    }

    // ── time ─────────────────────────────────────────────────────────────────────────────────

    pub(super) fn timeout(&mut self, turn: &mut Turn<'_>) {
        let Some(followed) = &mut self.followed else {
            return;
        };
        if !turn.state.is_ready() {
            return;
        }
        let due = followed.listing.due();
        if due.is_some_and(|at| at <= turn.now.mono) {
            let progress = followed.listing.timeout(turn);
            self.listing_went_on(turn, progress);
        }
        self.fetch(turn);
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let followed = self.followed.as_ref()?;
        let list = followed.listing.due();
        let fetch = followed
            .next_fetch
            .filter(|_| followed.fetches.len() < MAX_FETCHES);
        list.into_iter().chain(fetch).min()
    }
}

impl Followed {
    /// What was in flight about single groups will not be answered.
    fn abort(&mut self) {
        for member in self.known.values_mut() {
            if let Some(group) = member.opened() {
                group.abort();
            }
        }
    }

    fn pushed(&mut self, turn: &mut Turn<'_>, message: Message) {
        let Conversation::Group(name) = &message.conversation else {
            return;
        };
        let name: Box<str> = (&**name).into();
        let listed = if self.listing.is_done() {
            Listed::Yes
        } else if self.listing.is_given_up() {
            Listed::Refused(turn.memory.mark(&name))
        } else {
            Listed::No
        };
        let member = self.known.entry(name.clone()).or_default();
        let state = member.open();
        let before = state.hole();
        if let Some((read, waiting)) = state.settle_doubt(message.seq) {
            self.began_anew(turn, &name, read, waiting);
            return self.pushed(turn, message);
        }
        let has_room = turn.memory.has_room(Some(&message.conversation));
        let pushed = state.pushed(message, listed, has_room);
        member.rest();
        match pushed {
            Pushed::Next(message) => {
                self.note_hole(turn, &name, before);
                turn.hand_out(*message);
            }
            Pushed::Behind => {
                self.note_hole(turn, &name, before);
                if !has_room {
                    turn.intake.refuse_push();
                }
                self.fetch(turn);
            }
            Pushed::Nothing => self.note_hole(turn, &name, before),
        }
    }

    /// The numbers of a group began anew: it is another group of the same name.
    fn began_anew(&mut self, turn: &mut Turn<'_>, group: &str, read: u32, waiting: Vec<Message>) {
        // An answer about the old group says nothing about this one.
        self.fetches.retain(|_, known| **known != *group);
        turn.memory.forget_group(group);
        turn.memory.reached(group, read);
        for message in waiting {
            turn.hand_out(message);
        }
    }

    /// Tells the memory when what is missing of a group has changed. It may know of a hole from an earlier
    /// session, too: that one is closed when this session has come as far.
    fn note_hole(&self, turn: &mut Turn<'_>, group: &str, before: Option<u32>) {
        let known = turn.memory.hole(group);
        let member = self.known.get(group);
        let hole = member.and_then(|member| member.look(Group::hole));
        if hole == before && hole == known {
            return;
        }
        let missing = member.filter(|_| hole.is_none() && known.is_some());
        let reached = turn.memory.reach_of(group);
        let hole = hole.or_else(|| missing?.look(|group| group.missing_up_to(reached)));
        if hole == known {
            return;
        }
        turn.memory.set_hole(turn.now, group, hole);
        if hole.is_none() {
            turn.events.set_trouble(Part::Group(group.into()), None);
        }
    }

    fn fetch(&mut self, turn: &mut Turn<'_>) {
        if !turn.state.is_ready() {
            return;
        }
        loop {
            let now = turn.now.mono;
            if self.fetches.len() >= MAX_FETCHES || self.next_fetch.is_some_and(|at| at > now) {
                return;
            }
            self.next_fetch = None;
            let memory = &mut *turn.memory;
            let mut next: Option<Duration> = None;
            let found = self.known.iter_mut().find(|(name, member)| {
                let Some(state) = member.peek().filter(|state| state.wants()) else {
                    return false;
                };
                let at = state.not_before();
                if at > now {
                    next = Some(next.map_or(at, |before| before.min(at)));
                    return false;
                }
                // Without room, the end of a message wakes the session up.
                memory.has_room(Some(&Conversation::group(&***name)))
            });
            let Some((name, member)) = found else {
                // The next one has to wait for the end of its pause.
                self.next_fetch = next;
                return;
            };
            let Some(page) = member.open().ask() else {
                return;
            };
            let body = GetHistory::new(&**name, Some(page.top), page.count);
            // It holds numbers and strings only, so it can be written.
            let body = serde_json::to_string(&body).unwrap_or_default();
            let servcmd = command::of_group(command::GROUP_HISTORY, name);
            let name = name.clone();
            let wait = self.pace.reserve(now);
            if !wait.is_zero() {
                self.next_fetch = Some(now + wait);
            }
            let seq = turn.out.ask(turn.now, Purpose::History, &servcmd, &body);
            self.fetches.insert(seq, name);
        }
    }

    fn history_came(&mut self, turn: &mut Turn<'_>, name: &str, page: &GroupHistory<'_>) {
        let found = read_history(turn, name, page);
        let newest_time = found.messages.iter().map(|message| message.time).max();
        let Some(member) = self.known.get_mut(name) else {
            return;
        };
        let state = member.open();
        if state.is_doubted() {
            let hole = state.hole();
            let is_newer = newest_time.is_some_and(|time| time > turn.memory.time(name));
            let anew = if is_newer { state.begin_anew() } else { None };
            match anew {
                Some((read, waiting)) => self.began_anew(turn, name, read, waiting),
                None => {
                    state.doubt_stays();
                    self.note_hole(turn, name, hole);
                }
            }
            return;
        }
        let (hole, last) = (state.hole(), state.last());
        let fetched = state.answered(found);
        let reached = state.last();
        member.rest();
        if fetched.gone > 0 {
            turn.events.push(Event::HistoryGone {
                group: name.to_owned(),
                count: fetched.gone,
            });
        }
        for message in fetched.messages {
            turn.hand_out(message);
        }
        if let Some(reached) = reached.filter(|_| reached != last) {
            turn.memory.reached(name, reached);
        }
        self.note_hole(turn, name, hole);
        if hole.is_none() {
            turn.events.set_trouble(Part::Group(name.into()), None);
        }
    }

    fn history_failed(&mut self, turn: &mut Turn<'_>, name: &str, error: RequestError) {
        let is_gone = matches!(error, RequestError::Refused { .. }) && !error.is_retryable();
        let chance = turn.out.chance();
        let part = Part::Group(name.into());
        if is_gone {
            // The account is no member any more, or there is no such group: nothing is left to follow. What
            // was pushed all the same is handed out.
            let waiting = self
                .known
                .remove(name)
                .map(|member| member.into_group().into_waiting());
            for message in waiting.unwrap_or_default() {
                turn.hand_out(message);
            }
            turn.memory.set_hole(turn.now, name, None);
            turn.events.set_trouble(part.clone(), None);
        } else if let Some(member) = self.known.get_mut(name) {
            let state = member.open();
            let hole = state.hole();
            let failed = state.failed(turn.now, chance);
            for message in failed.messages {
                turn.hand_out(message);
            }
            self.note_hole(turn, name, hole);
            if failed.gave_up {
                turn.events.set_trouble(part.clone(), Some(&error));
            }
        }
        turn.events.push(Event::SyncFailed { part, error });
    }

    // ── the list ─────────────────────────────────────────────────────────────────────────────

    /// A list names a group.
    fn found(&mut self, turn: &mut Turn<'_>, named: &Named) {
        let (id, newest) = (&*named.id, named.newest);
        let mark = turn.memory.mark(id);
        if self.known.len() >= MAX_GROUPS && !self.known.contains_key(id) {
            return;
        }
        let member = self.known.entry(id.into()).or_default();
        let state = member.open();
        let read = named.read.unwrap_or(newest).min(newest);
        let oldest = newest.saturating_sub(MAX_BACKLOG);
        // Where an earlier session had got to matters only at the begin of this one.
        let mark = mark.filter(|_| state.last().is_none());
        let is_new = state.last().is_none() && mark.is_none();
        let begin = match mark {
            Some(mark) if mark <= newest => mark,
            // Numbers that began anew make our mark void; the server's own mark is all there is.
            Some(_) => read,
            None => read.max(oldest),
        };
        let hole = state.hole();
        match mark {
            Some(mark) if state.last().is_none() && mark > newest => {
                *state = Group::from(mark, mark);
                state.listed(newest, begin, Some(mark));
            }
            _ => state.listed(newest, begin, mark),
        }
        member.rest();
        self.note_hole(turn, id, hole);
        if is_new && begin > read {
            let (group, count) = (id.to_owned(), begin - read);
            turn.events.push(Event::Skipped { group, count });
        }
    }

    /// The list does not come: what was pushed is where groups begin.
    fn follow_unlisted(&mut self, turn: &mut Turn<'_>) {
        let mut changed = Vec::new();
        // Where a group begins is open only of those in which something is going on.
        for (name, member) in &mut self.known {
            let Some(state) = member.opened() else {
                continue;
            };
            let hole = state.hole();
            if state.assume(turn.memory.mark(name)) {
                changed.push((name.clone(), hole));
            }
        }
        for (name, hole) in changed {
            self.note_hole(turn, &name, hole);
        }
    }

    /// Everything is known. A group that was joined while the lists were under way begins where it was
    /// pushed.
    fn listed(&mut self, turn: &mut Turn<'_>) {
        let mut changed = Vec::new();
        for (name, member) in &mut self.known {
            let Some(state) = member.opened() else {
                continue;
            };
            let hole = state.hole();
            state.unlisted();
            if state.hole() != hole {
                changed.push((name.clone(), hole));
            }
            member.rest();
        }
        for (name, hole) in changed {
            self.note_hole(turn, &name, hole);
        }
    }
}

fn read_history(turn: &mut Turn<'_>, name: &str, page: &GroupHistory<'_>) -> Found {
    let mut items: Vec<GroupItem> = Vec::with_capacity(page.items.len());
    for raw in &page.items {
        match lenient::read(raw.get()) {
            Ok(item) => items.push(item),
            Err(error) => {
                let what = format!("an item of the history of {name}: {error}");
                turn.events.ignore(Ignored::Malformed(what));
            }
        }
    }
    let me = turn.me();
    Found {
        lowest: items.iter().map(|item| item.seq).min(),
        items: page.items.len(),
        is_cut: page.finished == GroupHistory::CUT,
        messages: items
            .into_iter()
            .filter(|item| item.place != Some(1))
            .filter_map(|item| {
                let is_tip = matches!(item.body, Body::Object(_));
                let event = if is_tip { 4 } else { 3 };
                Message::from_history(item, event, name, &me)
            })
            .collect(),
    }
}
