//! Which groups an account is in, and how far each has got: asked for after every login.
//!
//! There are three lists, one after the other: groups, communities, and communities with topics; then
//! the topics of each of the last. What is done with them is in `groups`.

use super::event::{Event, Part};
use super::group::Group;
use super::groups::MAX_GROUPS;
use super::request::{Purpose, RequestError};
use super::state::Session;
use super::sync::{DEGRADED_AFTER, RETRY};
use crate::policy::{Now, Pace};
use crate::proto::answer::JoinedGroups;
use crate::proto::code::Code;
use crate::proto::command;
use crate::proto::op::topic::{GetTopics, Topics};
use std::collections::VecDeque;
use std::time::Duration;

/// Groups asked for in one go.
const LIST_LIMIT: u32 = 200;
/// Unread messages of a group that are fetched at the first login; older ones are left to the history.
const MAX_BACKLOG: u32 = 100_000;
/// Communities whose topics are asked for a second, and how many at once: the service allows 10.
const TOPICS_PACE: (f64, u32) = (8.0, 2);
/// How often, after a login, what fails about communities is tried again. Groups must not wait for ever
/// for what a server cannot give.
const MAX_FAILURES: u8 = 3;

/// How far finding out has got.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) list: List,
    /// Whose topics are still to be asked for, by community.
    communities: VecDeque<Box<str>>,
    /// What was tried again about communities since the login.
    failures: u8,
    /// How often in a row the list itself was refused.
    refusals: u32,
    pace: Pace,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Nothing since the last login.
    Stale,
    /// A list, from this offset on.
    Asked(Kind, u32),
    /// The topics of the first community, at this time.
    TopicsAt(Duration),
    /// The topics of the first community, in flight.
    TopicsAsked,
    /// Everything anew, at this time, after a failure.
    RetryAt(Duration),
    /// Everything is known.
    Done,
}

/// One of the three lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Groups,
    Communities,
    WithTopics,
}

impl Default for Listing {
    fn default() -> Self {
        Self {
            list: List::Stale,
            communities: VecDeque::new(),
            failures: 0,
            refusals: 0,
            pace: Pace::new(TOPICS_PACE.0, TOPICS_PACE.1),
        }
    }
}

impl Listing {
    /// Of an account that is in no group.
    pub(super) fn done() -> Self {
        Self {
            list: List::Done,
            ..Self::default()
        }
    }

    /// What was in flight will not be answered.
    pub(super) fn abort(&mut self) {
        self.list = List::Stale;
        self.communities.clear();
    }

    /// Whether what failed so about communities is to be tried again.
    fn may_try_again(&mut self, error: &RequestError) -> bool {
        let may = error.is_retryable() && self.failures < MAX_FAILURES;
        self.failures += u8::from(may);
        may
    }

    /// Groups are followed without the list, from what is pushed on.
    pub(super) const fn is_given_up(&self) -> bool {
        self.refusals >= DEGRADED_AFTER
    }

    /// When it goes on by itself.
    pub(super) const fn due(&self) -> Option<Duration> {
        match self.list {
            List::TopicsAt(at) | List::RetryAt(at) => Some(at),
            List::Stale | List::Asked(..) | List::TopicsAsked | List::Done => None,
        }
    }
}

impl Session {
    /// A login is done: what has happened in the groups meanwhile?
    pub(super) fn start_groups(&mut self, now: Now) {
        let groups = self.groups.get_or_insert_default();
        groups.fetches.clear();
        groups.listing.communities.clear();
        groups.listing.failures = 0;
        groups.known.values_mut().for_each(Group::abort);
        self.ask_list(now, Kind::Groups, 0);
    }

    /// The pause is over.
    pub(super) fn go_on_listing(&mut self, now: Now) {
        let Some(groups) = self.groups.as_mut() else {
            return;
        };
        match groups.listing.list {
            List::TopicsAt(_) => self.ask_topics(now),
            List::RetryAt(_) => {
                groups.listing.communities.clear();
                self.ask_list(now, Kind::Groups, 0);
            }
            List::Stale | List::Asked(..) | List::TopicsAsked | List::Done => {}
        }
    }

    fn ask_list(&mut self, now: Now, kind: Kind, offset: u32) {
        let body = serde_json::json!({
            "Member_Account": self.config.user, "Limit": LIST_LIMIT, "Offset": offset,
            "SupportTopic": u8::from(kind == Kind::WithTopics), "NeedAppDefineData": 0,
            "ResponseFilter": {
                "GroupBaseInfoFilter": ["Type", "NextMsgSeq"],
                "SelfInfoFilter": ["MsgSeq"],
            },
        });
        let servcmd = match kind {
            Kind::Groups => command::JOINED_GROUPS,
            Kind::Communities | Kind::WithTopics => command::JOINED_COMMUNITIES,
        };
        self.ask(now, Purpose::Groups, servcmd, &body.to_string());
        self.groups.get_or_insert_default().listing.list = List::Asked(kind, offset);
    }

    /// An answer to whatever was asked for.
    pub(super) fn groups_answered(&mut self, now: Now, outcome: Result<&str, RequestError>) {
        let Some(groups) = self.groups.as_mut() else {
            return;
        };
        match groups.listing.list {
            List::Asked(kind, offset) => self.list_answered(now, kind, offset, outcome),
            List::TopicsAsked => self.topics_answered(now, outcome),
            List::Stale | List::TopicsAt(_) | List::RetryAt(_) | List::Done => {}
        }
    }

    fn list_answered(
        &mut self,
        now: Now,
        kind: Kind,
        offset: u32,
        outcome: Result<&str, RequestError>,
    ) {
        let page = match read::<JoinedGroups>(outcome) {
            Ok(page) => page,
            Err(RequestError::Refused { code, .. })
                if kind != Kind::Groups && code == Code::NO_COMMUNITIES =>
            {
                self.without_communities = true;
                return self.listed(now);
            }
            Err(error) => {
                let listing = &mut self.groups.get_or_insert_default().listing;
                if kind == Kind::Groups || listing.may_try_again(&error) {
                    return self.listing_failed(now, error);
                }
                self.list_incomplete(error);
                return self.list_done(now, kind);
            }
        };
        let count = u32::try_from(page.groups.len()).unwrap_or(u32::MAX);
        for joined in page.groups {
            // A live room has no history to follow.
            if joined.kind == "AVChatRoom" || joined.id.is_empty() {
                continue;
            }
            if kind == Kind::WithTopics && joined.topics != Some(0) {
                let listing = &mut self.groups.get_or_insert_default().listing;
                listing.communities.push_back(joined.id.as_str().into());
            }
            if joined.next_seq > 0 {
                let read = joined.own.map(|own| own.seq);
                self.found_group(now, &joined.id, joined.next_seq - 1, read);
            }
        }
        // The service may give fewer than were asked for; only what came counts.
        let next = offset.saturating_add(count);
        let room = u32::try_from(MAX_GROUPS).unwrap_or(u32::MAX);
        if count > 0 && next < page.total.min(room) {
            return self.ask_list(now, kind, next);
        }
        self.list_done(now, kind);
    }

    /// There is no more of this list; on to the next.
    fn list_done(&mut self, now: Now, kind: Kind) {
        match kind {
            Kind::Groups if self.without_communities => self.listed(now),
            Kind::Groups => self.ask_list(now, Kind::Communities, 0),
            Kind::Communities => self.ask_list(now, Kind::WithTopics, 0),
            Kind::WithTopics => self.ask_topics(now),
        }
        self.fetch_groups(now);
    }

    /// Asks for the topics of the next community, when the pace allows it.
    fn ask_topics(&mut self, now: Now) {
        let listing = &mut self.groups.get_or_insert_default().listing;
        let Some(community) = listing.communities.front() else {
            return self.listed(now);
        };
        if !matches!(listing.list, List::TopicsAt(_)) {
            let wait = listing.pace.reserve(now.mono);
            if !wait.is_zero() {
                listing.list = List::TopicsAt(now.mono + wait);
                return;
            }
        }
        let body = GetTopics::new(&**community, Vec::new());
        // It holds strings only, so it can be written.
        let body = serde_json::to_string(&body).unwrap_or_default();
        listing.list = List::TopicsAsked;
        self.ask(now, Purpose::Groups, command::TOPICS, &body);
    }

    fn topics_answered(&mut self, now: Now, outcome: Result<&str, RequestError>) {
        match read::<Topics>(outcome) {
            Ok(topics) => {
                for topic in topics.found().filter(|topic| !topic.id.is_empty()) {
                    self.found_group(now, &topic.id, topic.last_seq, topic.own.read_seq);
                }
            }
            // The topics of the others are wanted all the same.
            Err(error) => {
                let listing = &mut self.groups.get_or_insert_default().listing;
                let again = listing.may_try_again(&error);
                if again {
                    let wait = RETRY.delay(u32::from(listing.failures), self.rng.f64());
                    listing.list = List::TopicsAt(now.mono + wait);
                }
                self.list_incomplete(error);
                if again {
                    return;
                }
            }
        }
        let listing = &mut self.groups.get_or_insert_default().listing;
        listing.communities.pop_front();
        self.ask_topics(now);
        self.fetch_groups(now);
    }

    /// A group that has got to the number `newest`, and that this account has read up to `read`.
    fn found_group(&mut self, now: Now, id: &str, newest: u32, read: Option<u32>) {
        let mark = self.memory.mark(id);
        let groups = self.groups.get_or_insert_default();
        if groups.known.len() >= MAX_GROUPS && !groups.known.contains_key(id) {
            return;
        }
        let state = groups.known.entry(id.into()).or_default();
        let read = read.unwrap_or(newest).min(newest);
        let oldest = newest.saturating_sub(MAX_BACKLOG);
        // Where an earlier session had got to matters only at the begin of this one.
        let mark = mark.filter(|_| state.last().is_none());
        let is_new = state.last().is_none() && mark.is_none();
        let begin = match mark {
            Some(mark) if mark <= newest => mark,
            // Of another numbering, if it is one: there the server's own mark is all there is.
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
        self.note_hole(now, id, hole);
        if is_new && begin > read {
            let (group, count) = (id.to_owned(), begin - read);
            self.events.push_back(Event::Skipped { group, count });
        }
    }

    fn list_incomplete(&mut self, error: RequestError) {
        let part = Part::Groups;
        self.events.push_back(Event::SyncFailed { part, error });
    }

    fn listing_failed(&mut self, now: Now, error: RequestError) {
        let chance = self.rng.f64();
        let listing = &mut self.groups.get_or_insert_default().listing;
        listing.refusals = listing.refusals.saturating_add(1);
        listing.list = List::RetryAt(now.mono + RETRY.delay(listing.refusals, chance));
        if listing.is_given_up() {
            self.set_trouble(Part::Groups, Some(&error));
            self.follow_unlisted(now);
        }
        self.list_incomplete(error);
    }

    /// The list does not come: what was pushed is where groups begin.
    fn follow_unlisted(&mut self, now: Now) {
        let memory = self.memory.clone();
        let Some(groups) = self.groups.as_mut() else {
            return;
        };
        let mut changed = Vec::new();
        for (name, state) in &mut groups.known {
            let hole = state.hole();
            if state.assume(memory.mark(name)) {
                changed.push((name.clone(), hole));
            }
        }
        for (name, hole) in changed {
            self.note_hole(now, &name, hole);
        }
        self.fetch_groups(now);
    }

    /// Everything is known.
    fn listed(&mut self, now: Now) {
        let groups = self.groups.get_or_insert_default();
        groups.listing.list = List::Done;
        groups.listing.refusals = 0;
        // Joined while the lists were under way: what was pushed is where it begins.
        let mut changed = Vec::new();
        for (name, state) in &mut groups.known {
            let hole = state.hole();
            state.unlisted();
            if state.hole() != hole {
                changed.push((name.clone(), hole));
            }
        }
        for (name, hole) in changed {
            self.note_hole(now, &name, hole);
        }
        self.set_trouble(Part::Groups, None);
        let groups = self.groups.get_or_insert_default();
        if groups.known.is_empty() {
            // Most accounts are in no group; they should cost nothing.
            self.groups = None;
            return;
        }
        self.fetch_groups(now);
    }
}

fn read<T: serde::de::DeserializeOwned>(
    outcome: Result<&str, RequestError>,
) -> Result<T, RequestError> {
    outcome.and_then(|body| {
        serde_json::from_str(body).map_err(|error| RequestError::Shape(error.to_string()))
    })
}
