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

use super::event::{Event, Ignored};
use super::joined::{List, Listing};
use super::request::{Purpose, RequestError};
use super::state::Session;
use crate::policy::{Now, Pace};
use crate::proto::answer::{GroupHistory, Sent};
use crate::proto::command;
use crate::proto::lenient;
use crate::proto::message::{Body, Conversation, GroupItem, Message, NoticeKind};
use crate::proto::op::group_message::GetHistory;
use crate::proto::place::Place;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Messages fetched in one go.
const FETCH: u32 = 20;
/// Histories asked for at a time.
const MAX_FETCHES: usize = 4;
/// Histories asked for a second, and how many at once: the service allows 20.
const FETCH_PACE: (f64, u32) = (15.0, 4);
/// Pause before something that failed is tried again.
pub(super) const RETRY: Duration = Duration::from_secs(10);
/// Messages kept per group until what came before them is fetched; further ones are fetched too.
const MAX_AHEAD: usize = 64;
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

#[derive(Debug, Default)]
pub(super) struct Group {
    /// Everything up to this number was handed out; `None` until it is known where to begin.
    pub(super) last: Option<u32>,
    /// The newest number there is by the server's own list, where that is below `last`. Either the list
    /// is old, or the group is another one of the same name, whose numbers began anew: the next push
    /// tells.
    pub(super) listed_below: Option<u32>,
    /// The lowest number that came while that was not known.
    pub(super) first_pushed: u32,
    /// The highest number that is known to exist.
    pub(super) target: u32,
    /// A fetch is in flight.
    pub(super) fetching: bool,
    /// Its upper end.
    asked: u32,
    /// Not before this, after a failure.
    not_before: Duration,
    /// Pushed ahead of what is being fetched, the first few: all there is if the history is refused.
    ahead: BTreeMap<u32, Message>,
    /// Messages of a history that was cut, newer than what is still missing.
    newer: Vec<Message>,
    /// The upper end of what is to be fetched next, when a history was cut.
    below: Option<u32>,
}

impl Group {
    fn is_behind(&self) -> bool {
        self.last.is_some_and(|last| last < self.target)
    }
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
            return self.message(message);
        };
        // Not numbered: not stored.
        if message.seq == 0 || message.online_only {
            return self.message(message);
        }
        // An account without groups has its list: it was empty.
        let groups = self.groups.get_or_insert_with(|| {
            Box::new(Groups {
                listing: Listing::done(),
                ..Groups::default()
            })
        });
        if !groups.known.contains_key(group) && groups.known.len() >= MAX_GROUPS {
            return self.message(message);
        }
        let (seq, name) = (message.seq, group.clone());
        let listed = groups.listing.list == List::Done;
        let state = groups.known.entry(name).or_default();
        if state.listed_below.is_some_and(|newest| seq > newest) {
            let group = group.clone();
            self.settle_doubt(&group, seq);
            return self.group_message(now, message);
        }
        state.target = state.target.max(seq);
        match state.last {
            Some(last) if seq <= last => {}
            Some(last) if seq == last + 1 && !state.fetching && state.below.is_none() => {
                state.last = Some(seq);
                self.hand_out(message);
            }
            Some(_) => {
                if state.ahead.len() < MAX_AHEAD {
                    state.ahead.insert(seq, message);
                }
                self.fetch_groups(now);
            }
            // Joined since the list was made: it begins here.
            None if listed => {
                state.last = Some(seq);
                self.hand_out(message);
            }
            None if state.first_pushed == 0 || seq < state.first_pushed => {
                state.first_pushed = seq;
            }
            None => {}
        }
    }

    /// The push of `seq` tells whether the list was old, or the group is another one of its name.
    fn settle_doubt(&mut self, group: &str, seq: u32) {
        let Some(groups) = self.groups.as_mut() else {
            return;
        };
        let Some(state) = groups.known.get_mut(group) else {
            return;
        };
        let newest = state.listed_below.take();
        // Had the list only been old, this would be above `last`, or be known.
        if state.last.is_none_or(|last| seq > last) {
            return;
        }
        let before = std::mem::replace(
            state,
            Group {
                last: newest,
                ..Group::default()
            },
        );
        // What is asked about the one of before says nothing about this one.
        groups.fetches.retain(|_, known| **known != *group);
        self.memory.forget_group(group);
        for message in before.ahead.into_values() {
            self.hand_out(message);
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
        if state.last == Some(seq - 1) && !state.fetching && state.below.is_none() {
            state.last = Some(seq);
            state.target = state.target.max(seq);
            self.memory.reached(&group, seq);
        } else {
            state.target = state.target.max(seq);
            self.fetch_groups(now);
        }
    }

    /// Asks for the history of groups that are behind, as many as are allowed at a time.
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
            let behind = groups.known.iter_mut().find(|(_, state)| {
                state.is_behind() && !state.fetching && state.not_before <= now.mono
            });
            let Some((name, state)) = behind else {
                // The next one has to wait for the end of its pause.
                groups.next_fetch = groups
                    .known
                    .values()
                    .filter(|state| state.is_behind() && !state.fetching)
                    .map(|state| state.not_before)
                    .min();
                return;
            };
            let last = state.last.unwrap_or_default();
            let top = state
                .below
                .unwrap_or_else(|| last.saturating_add(FETCH).min(state.target));
            let count = top.saturating_sub(last).clamp(1, FETCH);
            let body = GetHistory::new(&**name, Some(top), count);
            // It holds numbers and strings only, so it can be written.
            let body = serde_json::to_string(&body).unwrap_or_default();
            state.fetching = true;
            state.asked = top;
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
        let Some(state) = groups.known.get_mut(&name) else {
            return;
        };
        state.fetching = false;
        let answer = outcome.and_then(|body| {
            serde_json::from_str::<GroupHistory<'_>>(body)
                .map_err(|error| RequestError::Shape(error.to_string()))
        });
        let page = match answer {
            Ok(page) => page,
            Err(error) => {
                let mut ahead = BTreeMap::new();
                if error.is_retryable() {
                    state.not_before = now.mono + RETRY;
                } else {
                    // Not a member any more, or no such group: there is nothing left to follow. What
                    // was pushed all the same is not lost with it.
                    ahead = std::mem::take(&mut state.ahead);
                    groups.known.remove(&name);
                }
                for message in ahead.into_values() {
                    self.hand_out(message);
                }
                self.events.push_back(Event::SyncFailed { error });
                return self.fetch_groups(now);
            }
        };
        let last = state.last.unwrap_or_default();
        let top = state.asked;
        state.below = None;
        let mut items: Vec<GroupItem> = Vec::with_capacity(page.items.len());
        for raw in &page.items {
            match lenient::read(raw.get()) {
                Ok(item) => items.push(item),
                Err(error) => {
                    let what = format!("an item of the history of {name}: {error}");
                    self.events
                        .push_back(Event::Ignored(Ignored::Malformed(what)));
                }
            }
        }
        let lowest = items.iter().map(|item| item.seq).min();
        let mut messages: Vec<Message> = items
            .into_iter()
            .filter(|item| item.seq > last && item.seq <= top && item.place != Some(1))
            .filter_map(|item| {
                let event = if matches!(item.body, Body::Object(_)) {
                    4
                } else {
                    3
                };
                Message::from_history(item, event, &name, self.config.user.as_str())
            })
            .collect();
        messages.append(&mut state.newer);
        // Cut because it was too long: what is missing lies below, and comes first.
        if page.finished == GroupHistory::CUT
            && let Some(lowest) = lowest.filter(|lowest| *lowest > last + 1 && *lowest <= top)
        {
            state.newer = messages;
            state.below = Some(lowest - 1);
            return self.fetch_groups(now);
        }
        messages.sort_by_key(|message| message.seq);
        messages.dedup_by_key(|message| message.seq);
        // Numbers that the history does not have any more will never come.
        let reached = messages.last().map_or(top, |newest| newest.seq.max(top));
        state.last = Some(reached);
        state.target = state.target.max(reached);
        state.ahead = state.ahead.split_off(&reached.saturating_add(1));
        for message in messages {
            self.hand_out(message);
        }
        self.memory.reached(&name, reached);
        self.fetch_groups(now);
    }

    /// This account is in the group no longer, nor in its topics.
    pub(super) fn left_group(&mut self, group: &str) {
        if let Some(groups) = self.groups.as_mut() {
            // It may be joined again before an answer about it comes.
            let is_in = |known: &str| Place::new(known).group() == group;
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
            for state in groups.known.values_mut() {
                state.fetching = false;
                state.newer = Vec::new();
                state.below = None;
            }
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
