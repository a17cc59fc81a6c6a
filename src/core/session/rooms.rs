//! Live rooms: nothing of theirs is pushed; each is asked for what is new, again and again, over the
//! same link.
//!
//! A room is followed from the answer to a join on, by whomever that was asked, until the account
//! quits it or the room ends. After a resume the polls go on where they were. After a full login the
//! room is joined again: the old key belonged to the old login. What was said meanwhile is asked for from
//! where the polls had got to; a server may have forgotten it, and then what it shows of the past to
//! whoever enters is all there is.

use super::event::{Event, Ignored};
use super::request::{InFlight, Purpose, RequestError};
use super::state::{Session, State};
use crate::policy::Now;
use crate::proto::command;
use crate::proto::event::Notice;
use crate::proto::message::Message;
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
pub(super) struct Room {
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

/// All rooms of a session, by their GroupIDs.
pub(super) type Rooms = BTreeMap<Box<str>, Room>;

impl Session {
    /// Looks at the answer to a request of the account's own: it may begin or end the following.
    pub(super) fn room_answered(&mut self, now: Now, request: &InFlight, body: &str) {
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
            return self.leave_room(&group);
        }
        let joined: RoomJoined<'_> = serde_json::from_str(body).unwrap_or_default();
        if joined.is_live && !joined.key.is_empty() {
            self.follow_room(now, &group, &joined, Vec::new());
        }
    }

    /// Polls a room from now on; what was `missed` waits for the first poll.
    fn follow_room(
        &mut self,
        now: Now,
        group: &str,
        joined: &RoomJoined<'_>,
        missed: Vec<Message>,
    ) {
        let rooms = self.rooms.get_or_insert_default();
        if rooms.len() >= MAX_ROOMS && !rooms.contains_key(group) {
            self.events.push_back(Event::RoomLost {
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
            next: now.mono,
            stale: false,
            missed: waiting,
            ..Room::stale(start)
        };
        rooms.insert(group.into(), room);
        self.memory.poll_room(group, start);
        self.poll_rooms(now);
    }

    /// The account is in the room no longer.
    pub(super) fn leave_room(&mut self, group: &str) {
        self.memory.leave_room(group);
        if let Some(rooms) = self.rooms.as_mut() {
            rooms.remove(group);
            if rooms.is_empty() {
                self.rooms = None;
            }
        }
    }

    /// A login is done: a new one has to join its rooms anew, a resumed one only goes on.
    pub(super) fn start_rooms(&mut self, now: Now, resumed: bool) {
        // Those of a session that died are joined anew as well.
        for (group, start) in self.memory.rooms() {
            let rooms = self.rooms.get_or_insert_default();
            rooms.entry(group).or_insert_with(|| Room::stale(start));
        }
        for room in self.rooms.iter_mut().flat_map(|rooms| rooms.values_mut()) {
            room.request = None;
            room.next = now.mono;
            room.stale |= !resumed;
        }
        self.poll_rooms(now);
    }

    pub(super) fn poll_rooms(&mut self, now: Now) {
        // A poll brings messages: none without room for them.
        if !self.state.is_ready() || self.rooms.is_none() || !self.memory.has_room(None) {
            return;
        }
        // Taken out, because asking needs the whole session.
        let Some(mut rooms) = self.rooms.take() else {
            return;
        };
        for (group, room) in rooms.iter_mut() {
            if room.request.is_some() || room.next > now.mono || !self.may_ask(room) {
                continue;
            }
            let seq = if room.stale {
                let body = serde_json::json!({
                    "GroupId": group, "WebPushFlag": 1, "HugeGroupHistoryMsgFlag": 1,
                });
                self.ask(now, Purpose::Poll, command::JOIN_GROUP, &body.to_string())
            } else {
                let mut body = serde_json::json!({
                    "USP": 1, "StartSeq": room.start, "HoldTime": 90, "Key": room.key,
                    "DownsizeFlag": 0,
                });
                if let Some(broadcast) = room.broadcast {
                    body["StartBroadcastSeq"] = broadcast.into();
                }
                self.memory.poll_room(group, room.start);
                self.ask(now, Purpose::Poll, command::POLL_ROOM, &body.to_string())
            };
            room.request = Some(seq);
        }
        self.rooms = Some(rooms);
    }

    /// What waits for a session that has not caught up may say that it was thrown out of a room, of the
    /// time before: it must not be taken for the end of a visit that begins only now.
    fn may_ask(&self, room: &Room) -> bool {
        !room.stale || self.state == State::Online
    }

    pub(super) fn poll_answered(
        &mut self,
        now: Now,
        request: u32,
        outcome: Result<&str, RequestError>,
    ) {
        let found = self
            .rooms
            .iter_mut()
            .flat_map(|rooms| rooms.iter_mut())
            .find(|(_, room)| room.request == Some(request));
        let Some((group, room)) = found else {
            return;
        };
        let group = group.clone();
        room.request = None;
        if room.stale {
            return self.rejoined(now, &group, outcome);
        }
        let answer = outcome.and_then(|body| {
            serde_json::from_str::<PollAnswer<'_>>(body)
                .map_err(|error| RequestError::Shape(error.to_string()))
        });
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.poll_failed(now, &group, &error),
        };
        room.failures = 0;
        if !answer.key.is_empty() {
            room.key = answer.key.as_str().into();
        }
        if answer.next_seq > 0 {
            room.start = answer.next_seq;
        }
        room.broadcast = answer.next_broadcast_seq.or(room.broadcast);
        let empty = answer.items.is_empty() && answer.broadcasts.is_empty();
        room.empty = if empty {
            room.empty.saturating_add(1)
        } else {
            0
        };
        room.next = now.mono
            + if room.empty >= QUIET_AFTER {
                QUIET_PAUSE
            } else {
                PAUSE
            };
        let missed = std::mem::take(&mut room.missed);
        if !missed.is_empty() {
            self.hand_out_missed(now, missed, &answer, &group);
        }
        let items = answer.items.iter().chain(&answer.broadcasts);
        let notices: Vec<Notice> = items.flat_map(|raw| read_item(raw, &group)).collect();
        for notice in notices {
            match notice {
                Notice::Group { event, item } => {
                    let user = self.config.user.clone();
                    match Message::from_group(*item, event, user.as_str()) {
                        Some(message) => {
                            let ended = message
                                .notice()
                                .is_some_and(|notice| notice.ends_membership());
                            self.hand_out(now, message);
                            if ended {
                                self.leave_room(&group);
                            }
                        }
                        None => {
                            self.ignore(Ignored::Malformed("a live item of no kind".to_owned()))
                        }
                    }
                }
                other => self.noticed(now, other),
            }
        }
    }

    /// Hands out what the polls will not bring: whatever came before their first item. What is said to
    /// all rooms has numbers of its own.
    fn hand_out_missed(
        &mut self,
        now: Now,
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
                self.hand_out(now, message);
            }
        }
    }

    fn poll_failed(&mut self, now: Now, group: &str, error: &RequestError) {
        // A poll that timed out found nothing new; that is how a server may hold it.
        let gone = !error.is_retryable() && !matches!(error, RequestError::Shape(_));
        let Some(room) = self.rooms.as_mut().and_then(|rooms| rooms.get_mut(group)) else {
            return;
        };
        let doubled = RETRY.saturating_mul(1 << room.failures.min(5));
        room.failures = room.failures.saturating_add(1);
        room.next = now.mono + doubled.min(MAX_RETRY);
        // The server does not know the key any more: only joining again can help.
        room.stale |= gone;
    }

    fn rejoined(&mut self, now: Now, group: &str, outcome: Result<&str, RequestError>) {
        match outcome {
            Ok(body) => {
                let joined: RoomJoined<'_> = serde_json::from_str(body).unwrap_or_default();
                if joined.is_live && !joined.key.is_empty() {
                    let missed = self.missed_in(group, &joined);
                    self.follow_room(now, group, &joined, missed);
                } else {
                    self.lose_room(group, "it is no live room any more".to_owned());
                }
            }
            Err(error) if error.is_retryable() => self.poll_failed(now, group, &error),
            // Dismissed, banned, or closed to us.
            Err(error) => self.lose_room(group, error.to_string()),
        }
    }

    /// What was said between the last poll and this login, if the server shows it; of what was said
    /// before there was a poll, nobody wants to hear.
    fn missed_in(&self, group: &str, joined: &RoomJoined<'_>) -> Vec<Message> {
        let rooms = self.rooms.as_ref();
        let start = rooms
            .and_then(|rooms| rooms.get(group))
            .map(|room| room.start);
        let Some(start) = start.filter(|start| *start > 0) else {
            return Vec::new();
        };
        let items = joined.items().into_iter();
        let notices = items.flat_map(|raw| read_item(raw, group));
        notices
            .filter_map(|notice| match notice {
                Notice::Group { event: 3, item } if u64::from(item.seq) >= start => {
                    Message::from_group(*item, 3, self.config.user.as_str())
                }
                _ => None,
            })
            .collect()
    }

    fn lose_room(&mut self, group: &str, reason: String) {
        self.events.push_back(Event::RoomLost {
            room: group.to_owned(),
            reason,
        });
        self.leave_room(group);
    }

    pub(super) fn rooms_timeout(&mut self, now: Now) {
        if self.rooms.is_some() {
            self.poll_rooms(now);
        }
    }

    pub(super) fn rooms_deadline(&self) -> Option<Duration> {
        let rooms = self.rooms.as_ref().filter(|_| self.state.is_ready())?;
        if !self.memory.has_room(None) {
            return None; // The end of a message wakes it up.
        }
        rooms
            .values()
            .filter(|room| room.request.is_none() && self.may_ask(room))
            .map(|room| room.next)
            .min()
    }
}
