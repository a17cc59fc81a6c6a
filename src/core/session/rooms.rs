//! Live rooms: nothing of theirs is pushed; each is asked for what is new, again and again, over the
//! same link.
//!
//! A room is followed from the answer to a join on, whoever asked to join, until the account
//! quits it or the room ends. After a resume the polls go on where they were. After a full login the
//! room is joined again: the old key belonged to the old login. What was said meanwhile is asked for from
//! where the polls had got to; a server may have forgotten it, and then what it shows of the past to
//! whoever enters is all there is.

use super::event::{Event, Ignored};
use super::memory::Memory;
use super::request::{InFlight, Purpose, RequestError};
use super::state::SessionState;
use super::turn::Turn;
use crate::proto::command;
use crate::proto::event::Notice;
use crate::proto::message::{GroupItem, Message};
use crate::proto::op::live_room::poll::{PollAnswer, RoomJoined, read_item};
use crate::proto::packet::Packet;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Rooms followed at a time.
const MAX_ROOMS: usize = 64;
/// Between an answer and the next poll.
const PAUSE: Duration = Duration::from_millis(300);
/// The same in a room where nothing happens.
const QUIET_PAUSE: Duration = Duration::from_millis(2_300);
/// Empty answers in a row after which a room counts as quiet.
const QUIET_AFTER: u32 = 20;
/// Pause after a poll that failed; doubles up to a minute.
const RETRY: Duration = Duration::from_secs(2);
const MAX_RETRY: Duration = Duration::from_secs(60);

/// One room that is followed.
#[derive(Debug)]
struct Room {
    key: Box<str>,
    start: u64,
    broadcast: Option<u64>,
    empty: u32,
    failures: u32,
    /// The poll in flight.
    request: Option<u32>,
    next: Duration,
    /// Joined with a login that is over.
    stale: bool,
    /// What the server has shown of the time between the last poll and the login, until the next poll
    /// tells which of it is still to come.
    missed: Vec<Message>,
}

impl Room {
    /// One that has to be joined again, and to be gone on with from this number.
    fn stale(start: u64) -> Self {
        Self {
            key: "".into(),
            start,
            broadcast: None,
            empty: 0,
            failures: 0,
            request: None,
            next: Duration::ZERO,
            stale: true,
            missed: Vec::new(),
        }
    }
}

/// What a poll brought.
#[derive(Debug)]
pub(super) struct Polled {
    pub(super) group: Box<str>,
    pub(super) notices: Vec<Notice>,
}

/// All rooms of a session, by their GroupIDs.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    /// `None` of an account that is in no live room: most are, and should cost one pointer.
    #[expect(clippy::box_collection, reason = "idle accounts pay for it inline")]
    followed: Option<Box<BTreeMap<Box<str>, Room>>>,
}

impl Rooms {
    /// Looks at the answer to a request of the account's own: it may begin or end the following.
    pub(super) fn request_answered(&mut self, turn: &mut Turn<'_>, request: &InFlight, body: &str) {
        let Some((_, command)) = request.servcmd.rsplit_once('.') else {
            return;
        };
        if !matches!(command, "apply_join_group" | "quit_group" | "destroy_group") {
            return;
        }
        #[derive(Deserialize)]
        struct Named {
            #[serde(rename = "GroupId")]
            group: String,
        }
        let named = Packet::parse(&request.packet)
            .ok()
            .and_then(|packet| serde_json::from_str::<Named>(packet.body).ok());
        let Some(Named { group }) = named else {
            return;
        };
        if command != "apply_join_group" {
            return self.leave(turn, &group);
        }
        let joined: RoomJoined<'_> = serde_json::from_str(body).unwrap_or_default();
        if joined.is_live && !joined.key.is_empty() {
            self.follow(turn, &group, &joined, Vec::new());
        }
    }

    /// Polls a room from now on; what was `missed` waits for the first poll.
    fn follow(
        &mut self,
        turn: &mut Turn<'_>,
        group: &str,
        joined: &RoomJoined<'_>,
        missed: Vec<Message>,
    ) {
        let rooms = self.followed.get_or_insert_default();
        if rooms.len() >= MAX_ROOMS && !rooms.contains_key(group) {
            turn.events.push(Event::RoomLost {
                room: group.to_owned(),
                reason: format!("{MAX_ROOMS} are followed already"),
            });
            return;
        }
        // Joined again, it goes on where it was: the server may still have what came meanwhile.
        let (before, mut waiting) = rooms
            .remove(group)
            .map_or((0, Vec::new()), |room| (room.start, room.missed));
        waiting.extend(missed);
        let start = if before > 0 {
            before.min(joined.start_seq)
        } else {
            joined.start_seq
        };
        let room = Room {
            key: joined.key.as_str().into(),
            next: turn.now.mono,
            stale: false,
            missed: waiting,
            ..Room::stale(start)
        };
        rooms.insert(group.into(), room);
        turn.memory.poll_room(group, start);
        self.poll(turn);
    }

    /// The account is in the room no longer.
    pub(super) fn leave(&mut self, turn: &mut Turn<'_>, group: &str) {
        turn.memory.leave_room(group);
        if let Some(rooms) = &mut self.followed {
            rooms.remove(group);
            if rooms.is_empty() {
                self.followed = None;
            }
        }
    }

    /// A login is done: a new one has to join its rooms anew, a resumed one only goes on.
    pub(super) fn start(&mut self, turn: &mut Turn<'_>, resumed: bool) {
        // Those of a session that died are joined anew as well.
        for (group, start) in turn.memory.rooms() {
            let rooms = self.followed.get_or_insert_default();
            rooms.entry(group).or_insert_with(|| Room::stale(start));
        }
        for room in self
            .followed
            .iter_mut()
            .flat_map(|rooms| rooms.values_mut())
        {
            room.request = None;
            room.next = turn.now.mono;
            room.stale |= !resumed;
        }
        self.poll(turn);
    }

    /// Asks each room that is due for what is new.
    pub(super) fn poll(&mut self, turn: &mut Turn<'_>) {
        // A poll brings messages: none without room for them.
        let Some(rooms) = self.followed.as_mut().filter(|_| turn.state.is_ready()) else {
            return;
        };
        if !turn.memory.may_poll() {
            return;
        }
        for (group, room) in rooms.iter_mut() {
            if room.request.is_some() || room.next > turn.now.mono || !room.may_be_asked(turn.state)
            {
                continue;
            }
            let (servcmd, body) = if room.stale {
                let body = serde_json::json!({
                    "GroupId": group, "WebPushFlag": 1, "HugeGroupHistoryMsgFlag": 1,
                });
                (command::JOIN_GROUP, body)
            } else {
                let mut body = serde_json::json!({
                    "USP": 1, "StartSeq": room.start, "HoldTime": 90, "Key": room.key,
                    "DownsizeFlag": 0,
                });
                if let Some(broadcast) = room.broadcast {
                    body["StartBroadcastSeq"] = broadcast.into();
                }
                turn.memory.poll_room(group, room.start);
                (command::POLL_ROOM, body)
            };
            let body = body.to_string();
            room.request = Some(turn.out.ask(turn.now, Purpose::Poll, servcmd, &body));
        }
    }

    /// An answer to a poll, or to joining a room again. Returns what the poll brought; items of the room
    /// among it go to [`item`](Self::item).
    pub(super) fn poll_answered(
        &mut self,
        turn: &mut Turn<'_>,
        request: u32,
        outcome: Result<&str, RequestError>,
    ) -> Option<Polled> {
        let found = self
            .followed
            .iter_mut()
            .flat_map(|rooms| rooms.iter_mut())
            .find(|(_, room)| room.request == Some(request));
        let (group, room) = found?;
        let group = group.clone();
        room.request = None;
        if room.stale {
            self.rejoined(turn, &group, outcome);
            return None;
        }
        let answer = outcome.and_then(|body| {
            serde_json::from_str::<PollAnswer<'_>>(body)
                .map_err(|error| RequestError::Shape(error.to_string()))
        });
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                room.failed(turn, &error);
                return None;
            }
        };
        let missed = room.answered(turn, &answer);
        if !missed.is_empty() {
            hand_out_missed(turn, missed, &answer, &group);
        }
        let items = answer.items.iter().chain(&answer.broadcasts);
        let notices = items.flat_map(|raw| read_item(raw, &group)).collect();
        Some(Polled { group, notices })
    }

    /// An item of a room that a poll brought.
    pub(super) fn item(&mut self, turn: &mut Turn<'_>, group: &str, event: u64, item: GroupItem) {
        let Some(message) = Message::from_group(item, event, &turn.me()) else {
            let what = "a live item of no kind".to_owned();
            return turn.events.ignore(Ignored::Malformed(what));
        };
        let notice = message.notice();
        let ended = notice.is_some_and(|notice| notice.ends_membership());
        turn.take_live(message);
        if ended {
            self.leave(turn, group);
        }
    }

    fn rejoined(&mut self, turn: &mut Turn<'_>, group: &str, outcome: Result<&str, RequestError>) {
        match outcome {
            Ok(body) => {
                let joined: RoomJoined<'_> = serde_json::from_str(body).unwrap_or_default();
                if joined.is_live && !joined.key.is_empty() {
                    let missed = self.missed_in(turn, group, &joined);
                    self.follow(turn, group, &joined, missed);
                } else {
                    self.lose(turn, group, "it is no live room any more".to_owned());
                }
            }
            Err(error) if error.is_retryable() => {
                if let Some(room) = self
                    .followed
                    .as_mut()
                    .and_then(|rooms| rooms.get_mut(group))
                {
                    room.failed(turn, &error);
                }
            }
            // Dismissed, banned, or closed to us.
            Err(error) => self.lose(turn, group, error.to_string()),
        }
    }

    /// What was said between the last poll and this login, if the server shows it; of what was said
    /// before there was a poll, nobody wants to hear.
    fn missed_in(&self, turn: &Turn<'_>, group: &str, joined: &RoomJoined<'_>) -> Vec<Message> {
        let rooms = self.followed.as_ref();
        let start = rooms
            .and_then(|rooms| rooms.get(group))
            .map(|room| room.start);
        let Some(start) = start.filter(|start| *start > 0) else {
            return Vec::new();
        };
        let me = turn.me();
        let items = joined.items().into_iter();
        let notices = items.flat_map(|raw| read_item(raw, group));
        notices
            .filter_map(|notice| match notice {
                Notice::Group { event: 3, item } if u64::from(item.seq) >= start => {
                    Message::from_group(*item, 3, &me)
                }
                _ => None,
            })
            .collect()
    }

    fn lose(&mut self, turn: &mut Turn<'_>, group: &str, reason: String) {
        turn.events.push(Event::RoomLost {
            room: group.to_owned(),
            reason,
        });
        self.leave(turn, group);
    }

    pub(super) fn poll_timeout(
        &self,
        state: SessionState,
        memory: &mut Memory,
    ) -> Option<Duration> {
        let rooms = self.followed.as_ref()?;
        if !memory.may_poll() {
            return None; // The end of a message wakes the session up.
        }
        rooms
            .values()
            .filter(|room| room.request.is_none() && room.may_be_asked(state))
            .map(|room| room.next)
            .min()
    }
}

impl Room {
    /// What waits for a session that has not caught up may say that it was thrown out of a room, of the
    /// time before: it must not be taken for the end of a visit that begins only now.
    fn may_be_asked(&self, state: SessionState) -> bool {
        !self.stale || state == SessionState::Online
    }

    /// Notes what a poll says about the next one. Returns what was held back for this answer.
    fn answered(&mut self, turn: &Turn<'_>, answer: &PollAnswer<'_>) -> Vec<Message> {
        self.failures = 0;
        if !answer.key.is_empty() {
            self.key = answer.key.as_str().into();
        }
        if answer.next_seq > 0 {
            self.start = answer.next_seq;
        }
        self.broadcast = answer.next_broadcast_seq.or(self.broadcast);
        let empty = answer.items.is_empty() && answer.broadcasts.is_empty();
        self.empty = if empty {
            self.empty.saturating_add(1)
        } else {
            0
        };
        let is_quiet = self.empty >= QUIET_AFTER;
        self.next = turn.now.mono + if is_quiet { QUIET_PAUSE } else { PAUSE };
        std::mem::take(&mut self.missed)
    }

    /// A poll failed. One that timed out found nothing new; that is how a server may hold it.
    fn failed(&mut self, turn: &Turn<'_>, error: &RequestError) {
        let gone = !error.is_retryable() && !matches!(error, RequestError::Shape(_));
        let doubled = RETRY.saturating_mul(1 << self.failures.min(5));
        self.failures = self.failures.saturating_add(1);
        self.next = turn.now.mono + doubled.min(MAX_RETRY);
        // The server does not know the key any more: only joining again can help.
        self.stale |= gone;
    }
}

/// Hands out what the polls will not bring: whatever came before their first item. What is said to
/// all rooms has numbers of its own.
fn hand_out_missed(
    turn: &mut Turn<'_>,
    missed: Vec<Message>,
    polled: &PollAnswer<'_>,
    group: &str,
) {
    let items = polled.items.iter().flat_map(|raw| read_item(raw, group));
    let numbers = items.filter_map(|notice| match notice {
        Notice::Group { item, .. } if item.seq > 0 => Some(item.seq),
        _ => None,
    });
    let first = numbers.min();
    for message in missed {
        if first.is_none_or(|first| message.seq < first) {
            turn.take_live(message);
        }
    }
}
