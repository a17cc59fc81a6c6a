//! Which groups an account is in, and how far each has got: asked for after every login.
//!
//! There are three lists, one after the other: groups, communities, and communities with topics; then
//! the topics of each of the last. What is done with what they name is in `groups`.

use super::catch_up::{DEGRADED_AFTER, RETRY};
use super::event::{Event, Part};
use super::request::{Purpose, RequestError};
use super::turn::Turn;
use crate::policy::Pace;
use crate::proto::answer::JoinedGroups;
use crate::proto::code::Code;
use crate::proto::command;
use crate::proto::op::topic::{GetTopics, Topics};
use std::collections::VecDeque;
use std::time::Duration;

/// Groups asked for in one go.
const LIST_LIMIT: u32 = 200;
/// Communities whose topics are asked for a second, and how many at once: the service allows 10.
const TOPICS_PACE: (f64, u32) = (8.0, 2);
/// How often, after a login, what fails about communities is tried again. Groups must not wait for ever
/// for what a server cannot give.
const MAX_FAILURES: u8 = 3;
/// Entries of a list read at most.
const MAX_LISTED: u32 = 20_000;

/// How far finding out has got.
#[derive(Debug)]
pub(super) struct Listing {
    list: List,
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
enum List {
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
enum Kind {
    Groups,
    Communities,
    WithTopics,
}

/// A group or topic that a list names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) id: Box<str>,
    /// The number of its newest message.
    pub(super) newest: u32,
    /// The number up to which this account has read it, where that is known.
    pub(super) read: Option<u32>,
}

/// Where the listing stands after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Progress {
    /// More is to come.
    Running,
    /// A list, or the topics of a community, are complete: what is behind can be fetched.
    Part,
    /// Everything is known.
    Done,
    /// The list does not come: groups are followed from what is pushed on.
    GivenUp,
}

/// What is asked for after an answer was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step(Ahead);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ahead {
    Nothing,
    List(Kind, u32),
    ListDone(Kind),
    NextTopics,
    Failed,
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

    pub(super) fn is_done(&self) -> bool {
        self.list == List::Done
    }

    /// Groups are followed without the list, from what is pushed on.
    pub(super) const fn is_given_up(&self) -> bool {
        self.refusals >= DEGRADED_AFTER
    }

    /// What was in flight will not be answered.
    pub(super) fn abort(&mut self) {
        self.list = List::Stale;
        self.communities.clear();
    }

    /// When it goes on by itself.
    pub(super) const fn due(&self) -> Option<Duration> {
        match self.list {
            List::TopicsAt(at) | List::RetryAt(at) => Some(at),
            List::Stale | List::Asked(..) | List::TopicsAsked | List::Done => None,
        }
    }

    /// A login is done.
    pub(super) fn start(&mut self, turn: &mut Turn<'_>) {
        self.communities.clear();
        self.failures = 0;
        self.ask_list(turn, Kind::Groups, 0);
    }

    /// The pause is over.
    pub(super) fn timeout(&mut self, turn: &mut Turn<'_>) -> Progress {
        match self.list {
            List::TopicsAt(_) => self.ask_topics(turn),
            List::RetryAt(_) => {
                self.communities.clear();
                self.ask_list(turn, Kind::Groups, 0);
                Progress::Running
            }
            List::Stale | List::Asked(..) | List::TopicsAsked | List::Done => Progress::Running,
        }
    }

    /// Reads an answer to whatever was asked for: what it names, and the step to take afterwards with
    /// [`go_on`](Self::go_on). `without_communities` is set when the app's edition has none.
    pub(super) fn answered(
        &mut self,
        turn: &mut Turn<'_>,
        outcome: Result<&str, RequestError>,
        without_communities: &mut bool,
    ) -> (Vec<Named>, Step) {
        let (named, ahead) = match self.list {
            List::Asked(kind, offset) => {
                self.list_answered(turn, kind, offset, outcome, without_communities)
            }
            List::TopicsAsked => self.topics_answered(turn, outcome),
            List::Stale | List::TopicsAt(_) | List::RetryAt(_) | List::Done => {
                (Vec::new(), Ahead::Nothing)
            }
        };
        (named, Step(ahead))
    }

    /// Asks for what comes next.
    pub(super) fn go_on(
        &mut self,
        turn: &mut Turn<'_>,
        Step(ahead): Step,
        without_communities: bool,
    ) -> Progress {
        match ahead {
            Ahead::Nothing => Progress::Running,
            Ahead::List(kind, offset) => {
                self.ask_list(turn, kind, offset);
                Progress::Running
            }
            Ahead::ListDone(kind) => {
                let progress = match kind {
                    Kind::Groups if without_communities => self.all_known(),
                    Kind::Groups => {
                        self.ask_list(turn, Kind::Communities, 0);
                        Progress::Part
                    }
                    Kind::Communities if without_communities => self.all_known(),
                    Kind::Communities => {
                        self.ask_list(turn, Kind::WithTopics, 0);
                        Progress::Part
                    }
                    Kind::WithTopics if without_communities => self.all_known(),
                    Kind::WithTopics => self.ask_topics(turn),
                };
                match progress {
                    Progress::Running => Progress::Part,
                    other => other,
                }
            }
            Ahead::NextTopics => match self.ask_topics(turn) {
                Progress::Running => Progress::Part,
                other => other,
            },
            Ahead::Failed if self.is_given_up() => Progress::GivenUp,
            Ahead::Failed => Progress::Running,
        }
    }

    fn ask_list(&mut self, turn: &mut Turn<'_>, kind: Kind, offset: u32) {
        let body = serde_json::json!({
            "Member_Account": turn.out.user(), "Limit": LIST_LIMIT, "Offset": offset,
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
        let body = body.to_string();
        turn.out.ask(turn.now, Purpose::Groups, servcmd, &body);
        self.list = List::Asked(kind, offset);
    }

    fn list_answered(
        &mut self,
        turn: &mut Turn<'_>,
        kind: Kind,
        offset: u32,
        outcome: Result<&str, RequestError>,
        without_communities: &mut bool,
    ) -> (Vec<Named>, Ahead) {
        let page = match read::<JoinedGroups>(outcome) {
            Ok(page) => page,
            Err(RequestError::Refused { code, .. })
                if kind != Kind::Groups && code == Code::NO_COMMUNITIES =>
            {
                *without_communities = true;
                return (Vec::new(), Ahead::ListDone(kind));
            }
            Err(error) => {
                if kind == Kind::Groups || self.may_try_again(&error) {
                    return (Vec::new(), self.failed(turn, error));
                }
                incomplete(turn, error);
                return (Vec::new(), Ahead::ListDone(kind));
            }
        };
        let count = u32::try_from(page.groups.len()).unwrap_or(u32::MAX);
        let mut named = Vec::new();
        for joined in page.groups {
            // A live room has no history to follow.
            if joined.kind == "AVChatRoom" || joined.id.is_empty() {
                continue;
            }
            if kind == Kind::WithTopics && joined.topics != Some(0) {
                self.communities.push_back(joined.id.as_str().into());
            }
            if joined.next_seq > 0 {
                named.push(Named {
                    id: joined.id.into(),
                    newest: joined.next_seq - 1,
                    read: joined.own.map(|own| own.seq),
                });
            }
        }
        // The service may give fewer than were asked for; only what came counts.
        let next = offset.saturating_add(count);
        let ahead = if count > 0 && next < page.total.min(MAX_LISTED) {
            Ahead::List(kind, next)
        } else {
            Ahead::ListDone(kind)
        };
        (named, ahead)
    }

    /// Asks for the topics of the next community, when the pace allows it.
    fn ask_topics(&mut self, turn: &mut Turn<'_>) -> Progress {
        let Some(community) = self.communities.front() else {
            return self.all_known();
        };
        if !matches!(self.list, List::TopicsAt(_)) {
            let wait = self.pace.reserve(turn.now.mono);
            if !wait.is_zero() {
                self.list = List::TopicsAt(turn.now.mono + wait);
                return Progress::Running;
            }
        }
        let body = GetTopics::new(&**community, Vec::new());
        // It holds strings only, so it can be written.
        let body = serde_json::to_string(&body).unwrap_or_default();
        self.list = List::TopicsAsked;
        turn.out
            .ask(turn.now, Purpose::Groups, command::TOPICS, &body);
        Progress::Running
    }

    fn topics_answered(
        &mut self,
        turn: &mut Turn<'_>,
        outcome: Result<&str, RequestError>,
    ) -> (Vec<Named>, Ahead) {
        let mut named = Vec::new();
        match read::<Topics>(outcome) {
            Ok(topics) => {
                let found = topics.found().filter(|topic| !topic.id.is_empty());
                named.extend(found.map(|topic| Named {
                    id: topic.id.as_str().into(),
                    newest: topic.last_seq,
                    read: topic.own.read_seq,
                }));
            }
            // The topics of the others are wanted all the same.
            Err(error) => {
                let again = self.may_try_again(&error);
                if again {
                    let wait = RETRY.delay(u32::from(self.failures), turn.out.chance());
                    self.list = List::TopicsAt(turn.now.mono + wait);
                }
                incomplete(turn, error);
                if again {
                    return (named, Ahead::Nothing);
                }
            }
        }
        self.communities.pop_front();
        (named, Ahead::NextTopics)
    }

    /// Whether what failed so about communities is to be tried again.
    fn may_try_again(&mut self, error: &RequestError) -> bool {
        let may = error.is_retryable() && self.failures < MAX_FAILURES;
        self.failures += u8::from(may);
        may
    }

    fn failed(&mut self, turn: &mut Turn<'_>, error: RequestError) -> Ahead {
        let chance = turn.out.chance();
        self.refusals = self.refusals.saturating_add(1);
        self.list = List::RetryAt(turn.now.mono + RETRY.delay(self.refusals, chance));
        if self.is_given_up() {
            turn.events.set_trouble(Part::Groups, Some(&error));
        }
        incomplete(turn, error);
        Ahead::Failed
    }

    fn all_known(&mut self) -> Progress {
        self.list = List::Done;
        self.refusals = 0;
        Progress::Done
    }
}

fn incomplete(turn: &mut Turn<'_>, error: RequestError) {
    let part = Part::Groups;
    turn.events.push(Event::SyncFailed { part, error });
}

fn read<T: serde::de::DeserializeOwned>(
    outcome: Result<&str, RequestError>,
) -> Result<T, RequestError> {
    outcome.and_then(|body| {
        serde_json::from_str(body).map_err(|error| RequestError::Shape(error.to_string()))
    })
}
