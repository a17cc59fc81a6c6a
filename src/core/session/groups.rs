//! Group messages in their order and without gaps: the numbers of each joined group are followed, and
//! whatever is missing is fetched from its history.
//!
//! A group numbers its messages and stored tips without gaps. A message that comes is handed out only
//! as the next one; when it is not, everything up to it is fetched, the message itself included. After
//! every login the server is asked which groups there are and how far each has got, so that an outage
//! is only a large gap. Neither the size of a gap nor whether the group was seen before matters, other
//! than with the official client. Which groups there are is found out in `joined`.
//!
//! A topic of a community is a group here, named by its own ID: it has members, numbers and a history of
//! its own.

use super::event::{Event, Ignored, Part};
use super::group::{Group, Listed, Pushed};
use super::joined::{List, Listing};
use super::request::{Purpose, RequestError};
use super::span::Found;
use super::state::Session;
use crate::policy::{Now, Pace};
use crate::proto::address::GroupAddress;
use crate::proto::answer::{GroupHistory, Sent};
use crate::proto::command;
use crate::proto::lenient;
use crate::proto::message::{Body, Conversation, GroupItem, Message, NoticeKind};
use crate::proto::op::group_message::GetHistory;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Histories asked for at a time.
const MAX_FETCHES: usize = 4;
/// Histories asked for a second, and how many at once: the service allows 20.
const FETCH_PACE: (f64, u32) = (15.0, 4);
/// Groups followed at most, topics included.
pub(super) const MAX_GROUPS: usize = 20_000;

/// All groups of one session.
#[derive(Debug)]
pub(super) struct Groups {
    pub(super) known: BTreeMap<Box<str>, Group>,
    pub(super) listing: Listing,
    /// Which group a request in flight is about, by its number.
    pub(super) fetches: HashMap<u32, Box<str>>,
    sends: HashMap<u32, Box<str>>,
    pace: Pace,
    /// Not before this: the pace, or a pause after a failure.
    next_fetch: Option<Duration>,
}

impl Default for Groups {
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

impl Session {
    /// A message or tip of a group was pushed.
    pub(super) fn group_message(&mut self, now: Now, message: Message) {
        let Conversation::Group(group) = &message.conversation else {
            return self.message(now, message);
        };
        // Not numbered: not stored.
        if message.seq == 0 || message.online_only {
            return self.message(now, message);
        }
        // An account without groups has its list: it was empty.
        let groups = self.groups.get_or_insert_with(|| {
            Box::new(Groups {
                listing: Listing::done(),
                ..Groups::default()
            })
        });
        if !groups.known.contains_key(group) && groups.known.len() >= MAX_GROUPS {
            return self.message(now, message);
        }
        let name = group.clone();
        let listed = match groups.listing.list {
            List::Done => Listed::Yes,
            _ if groups.listing.is_given_up() => Listed::Refused(self.memory.mark(&name)),
            _ => Listed::No,
        };
        let state = groups.known.entry(name.clone()).or_default();
        let before = state.hole();
        if let Some((read, waiting)) = state.settle_doubt(message.seq) {
            self.began_anew(now, &name, read, waiting);
            return self.group_message(now, message);
        }
        let has_room = self.memory.has_room(Some(&message.conversation));
        match state.pushed(message, listed, has_room) {
            Pushed::Next(message) => {
                self.note_hole(now, &name, before);
                self.hand_out(now, *message);
            }
            Pushed::Behind => {
                self.note_hole(now, &name, before);
                self.sync.push_refused |= !has_room;
                self.fetch_groups(now);
            }
            Pushed::Nothing => self.note_hole(now, &name, before),
        }
    }

    /// The numbers of a group began anew: it is another group of the same name.
    fn began_anew(&mut self, now: Now, group: &str, read: u32, waiting: Vec<Message>) {
        if let Some(groups) = self.groups.as_mut() {
            // What is asked about the one of before says nothing about this one.
            groups.fetches.retain(|_, known| **known != *group);
        }
        self.memory.forget_group(group);
        self.memory.reached(group, read);
        for message in waiting {
            self.hand_out(now, message);
        }
    }

    /// Tells the books when what is missing of a group has changed. They may know of a hole from an earlier
    /// session, too: it is closed when this one has come as far as that.
    pub(super) fn note_hole(&mut self, now: Now, group: &str, before: Option<u32>) {
        let known = self.memory.hole(group);
        let state = self
            .groups
            .as_ref()
            .and_then(|groups| groups.known.get(group));
        let hole = state.and_then(Group::hole);
        if hole == before && hole == known {
            return;
        }
        let missing = state.filter(|_| hole.is_none() && known.is_some());
        let hole = hole.or_else(|| missing?.missing_up_to(self.memory.reach_of(group)));
        if hole == known {
            return;
        }
        self.memory.set_hole(now, group, hole);
        if hole.is_none() {
            self.set_trouble(Part::Group(group.into()), None);
        }
    }

    /// Remembers which group a message in flight is for.
    pub(super) fn sending_to(&mut self, request: u32, group: &str) {
        if let Some(groups) = self.groups.as_mut() {
            groups.sends.insert(request, group.into());
        }
    }

    /// The answer to a message of our own tells its number, which will not be pushed to us.
    pub(super) fn sent_to_group(&mut self, now: Now, request: u32, body: Option<&str>) {
        let Some(groups) = self.groups.as_mut() else {
            return;
        };
        let Some(group) = groups.sends.remove(&request) else {
            return;
        };
        let sent: Option<Sent> = body.and_then(|body| serde_json::from_str(body).ok());
        let Some(seq) = sent.map(|sent| sent.seq).filter(|seq| *seq > 0) else {
            return;
        };
        let Some(state) = groups.known.get_mut(&group) else {
            return;
        };
        if state.sent(seq) {
            self.memory.reached(&group, seq);
        } else {
            self.fetch_groups(now);
        }
    }

    /// Asks for the history of groups that are behind, as many as are allowed at a time and as the bots
    /// have room for.
    pub(super) fn fetch_groups(&mut self, now: Now) {
        if !self.state.is_ready() {
            return;
        }
        loop {
            let Some(groups) = self.groups.as_mut() else {
                return;
            };
            if groups.fetches.len() >= MAX_FETCHES
                || groups.next_fetch.is_some_and(|at| at > now.mono)
            {
                return;
            }
            groups.next_fetch = None;
            let memory = &self.memory;
            let mut next: Option<Duration> = None;
            let found = groups.known.iter_mut().find(|(name, state)| {
                if !state.wants() {
                    return false;
                }
                let at = state.not_before();
                if at > now.mono {
                    next = Some(next.map_or(at, |before| before.min(at)));
                    return false;
                }
                // Without room the end of a message wakes it up.
                memory.has_room(Some(&Conversation::group(&***name)))
            });
            let Some((name, state)) = found else {
                // The next one has to wait for the end of its pause.
                groups.next_fetch = next;
                return;
            };
            let Some(page) = state.ask() else {
                return;
            };
            let body = GetHistory::new(&**name, Some(page.top), page.count);
            // It holds numbers and strings only, so it can be written.
            let body = serde_json::to_string(&body).unwrap_or_default();
            let (name, servcmd) = (
                name.clone(),
                command::of_group(command::GROUP_HISTORY, name),
            );
            let wait = groups.pace.reserve(now.mono);
            if !wait.is_zero() {
                groups.next_fetch = Some(now.mono + wait);
            }
            let seq = self.ask(now, Purpose::History, &servcmd, &body);
            if let Some(groups) = self.groups.as_mut() {
                groups.fetches.insert(seq, name);
            }
        }
    }

    pub(super) fn history_answered(
        &mut self,
        now: Now,
        request: u32,
        outcome: Result<&str, RequestError>,
    ) {
        let Some(groups) = self.groups.as_mut() else {
            return;
        };
        let Some(name) = groups.fetches.remove(&request) else {
            return;
        };
        let answer = outcome.and_then(|body| {
            serde_json::from_str::<GroupHistory<'_>>(body)
                .map_err(|error| RequestError::Shape(error.to_string()))
        });
        match answer {
            Ok(page) => self.history_came(now, &name, &page),
            Err(error) => self.history_failed(now, &name, error),
        }
        self.fetch_groups(now);
    }

    fn history_came(&mut self, now: Now, name: &str, page: &GroupHistory<'_>) {
        let found = self.read_history(name, page);
        let newest_time = found.messages.iter().map(|message| message.time).max();
        let Some(state) = self
            .groups
            .as_mut()
            .and_then(|groups| groups.known.get_mut(name))
        else {
            return;
        };
        if state.is_doubted() {
            let hole = state.hole();
            let is_newer = newest_time.is_some_and(|time| time > self.memory.time(name));
            let anew = if is_newer { state.begin_anew() } else { None };
            match anew {
                Some((read, waiting)) => self.began_anew(now, name, read, waiting),
                None => {
                    state.doubt_stays();
                    self.note_hole(now, name, hole);
                }
            }
            return;
        }
        let (hole, last) = (state.hole(), state.last());
        let fetched = state.answered(found);
        let reached = state.last();
        if fetched.gone > 0 {
            self.events.push_back(Event::HistoryGone {
                group: name.to_owned(),
                count: fetched.gone,
            });
        }
        for message in fetched.messages {
            self.hand_out(now, message);
        }
        if let Some(reached) = reached.filter(|_| reached != last) {
            self.memory.reached(name, reached);
        }
        self.note_hole(now, name, hole);
        if hole.is_none() {
            self.set_trouble(Part::Group(name.into()), None);
        }
    }

    fn read_history(&mut self, name: &str, page: &GroupHistory<'_>) -> Found {
        let mut items: Vec<GroupItem> = Vec::with_capacity(page.items.len());
        for raw in &page.items {
            match lenient::read(raw.get()) {
                Ok(item) => items.push(item),
                Err(error) => {
                    let what = format!("an item of the history of {name}: {error}");
                    self.ignore(Ignored::Malformed(what));
                }
            }
        }
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
                    Message::from_history(item, event, name, self.config.user.as_str())
                })
                .collect(),
        }
    }

    fn history_failed(&mut self, now: Now, name: &str, error: RequestError) {
        let is_gone = matches!(error, RequestError::Refused { .. }) && !error.is_retryable();
        let chance = self.rng.f64();
        let Some(groups) = self.groups.as_mut() else {
            return;
        };
        let part = Part::Group(name.into());
        if is_gone {
            // Not a member any more, or no such group: there is nothing left to follow. What was pushed
            // all the same is not lost with it.
            let waiting = groups.known.remove(name).map(Group::into_waiting);
            for message in waiting.unwrap_or_default() {
                self.hand_out(now, message);
            }
            self.memory.set_hole(now, name, None);
            self.set_trouble(part.clone(), None);
        } else if let Some(state) = groups.known.get_mut(name) {
            let hole = state.hole();
            let failed = state.failed(now, chance);
            for message in failed.messages {
                self.hand_out(now, message);
            }
            self.note_hole(now, name, hole);
            if failed.gave_up {
                self.set_trouble(part.clone(), Some(&error));
            }
        }
        self.events.push_back(Event::SyncFailed { part, error });
    }

    /// This account is in the group no longer, nor in its topics.
    pub(super) fn left_group(&mut self, group: &str) {
        if let Some(groups) = self.groups.as_mut() {
            // It may be joined again before an answer about it comes.
            let is_in = |known: &str| GroupAddress::new(known).group() == group;
            groups.fetches.retain(|_, known| !is_in(known));
            groups.known.retain(|known, _| {
                let gone = is_in(known);
                if gone {
                    self.memory.forget_group(known);
                }
                !gone
            });
        }
        self.memory.forget_group(group);
        self.leave_room(group);
    }

    fn topics_gone(&mut self, topics: &[String]) {
        for topic in topics {
            if let Some(groups) = self.groups.as_mut() {
                groups.fetches.retain(|_, known| **known != **topic);
                groups.known.remove(topic.as_str());
            }
            self.memory.forget_group(topic);
        }
    }

    pub(super) fn groups_timeout(&mut self, now: Now) {
        let Some(groups) = &self.groups else {
            return;
        };
        if !self.state.is_ready() {
            return;
        }
        if groups.listing.due().is_some_and(|at| at <= now.mono) {
            self.go_on_listing(now);
        }
        self.fetch_groups(now);
    }

    pub(super) fn groups_deadline(&self) -> Option<Duration> {
        let groups = self.groups.as_ref().filter(|_| self.state.is_ready())?;
        let list = groups.listing.due();
        let fetch = groups
            .next_fetch
            .filter(|_| groups.fetches.len() < MAX_FETCHES);
        list.into_iter().chain(fetch).min()
    }

    /// The link is gone, or the login: what was in flight will not be answered.
    pub(super) fn abort_groups(&mut self) {
        if let Some(groups) = self.groups.as_mut() {
            groups.fetches.clear();
            groups.next_fetch = None;
            groups.listing.abort();
            groups.known.values_mut().for_each(Group::abort);
        }
    }

    /// A notice that ends a membership is as good as the end of it.
    pub(super) fn noticed_group(&mut self, now: Now, event: u64, item: GroupItem) {
        let Some(message) = Message::from_group(item, event, self.config.user.as_str()) else {
            return self.ignore(Ignored::Malformed("a group item of no kind".to_owned()));
        };
        if let Some(notice) = message.notice() {
            if notice.kind() == NoticeKind::TopicDeleted {
                let topics = notice.topics();
                self.topics_gone(&topics);
            } else if notice.ends_membership() {
                let group = message.to.clone();
                self.left_group(&group);
            }
        }
        self.group_message(now, message);
    }
}
