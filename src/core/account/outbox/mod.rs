//! The queue of everything an account sends. It is bounded, and each item is settled exactly once. Messages of
//! one conversation leave in order, and no quicker than a group allows.
//!
//! A message keeps its key through every try, so the server delivers it once however often it is
//! sent within the time for which it remembers keys. After that, the history is read first, and only
//! what is not there is sent again; see [`ReadBack`]. Other requests are sent once. While the account is
//! away, or the server has asked for rest, everything waits, and its time stands still.

use super::read_back::{Found, ReadBack};
use crate::policy::{Now, Pace};
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Draft, MessageKey};
use crate::proto::op::Limit;
use crate::session::{OutgoingMessage, RequestError};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Messages waiting or in flight at most, per account; as many replies of bots beside them.
pub const MAX_OUTBOX: usize = 256;
/// Tokens from here on, and below those of read reports, are of replies of bots.
pub const REPLIES: u64 = 1 << 62;
/// Pause before a message that failed for a passing reason is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// Messages and requests in flight at most: fewer than a session takes, so that none finds it full.
const MAX_FLIGHTS: usize = 96;
/// How long the service recognises a repeated one-to-one message (Tencent documents 120 s), less the time that a
/// message may be on its way.
const C2C_KEYS: Duration = Duration::from_secs(100);
/// The same of a group message (Tencent documents 5 min).
const GROUP_KEYS: Duration = Duration::from_secs(280);

/// Kinds of requests whose pace is remembered; beyond, those that have long been idle are forgotten.
const MAX_PACED: usize = 256;

/// What somebody wants done as the account.
#[derive(Clone, Debug)]
pub enum OutboxItem {
    /// Send a message.
    Message {
        /// The user or group.
        to: Conversation,
        /// The message.
        draft: Arc<Draft>,
        /// What makes a repetition the same message; drawn when there is none.
        key: Option<MessageKey>,
        /// An earlier process may have sent it with this key, at this time of the service (Unix seconds) at the
        /// earliest: it is sent only if the history does not have it.
        sent_since: Option<u64>,
    },
    /// Ask the server for something, or tell it to do something.
    Call {
        /// The command.
        servcmd: Cow<'static, str>,
        /// Its body, a JSON object.
        body: String,
        /// How often the service takes it.
        limit: Limit,
    },
}

/// An [`OutboxItem`] on its way.
#[derive(Clone, Debug)]
pub enum Attempt {
    /// A message; the same for every try.
    Message(OutgoingMessage),
    /// A request.
    Call {
        /// The command.
        servcmd: Cow<'static, str>,
        /// Its body.
        body: Arc<str>,
    },
}

/// Why something was not sent, or not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// Too much is waiting already.
    #[error("outbox is full: {MAX_OUTBOX} messages and requests are waiting")]
    Full,
    /// The account is offline and will not be back by itself, or is shutting down.
    #[error("account is offline: {0}")]
    Offline(String),
    /// It was sent at least once, and whether it arrived cannot be found out.
    #[error("unknown whether it arrived: {0}")]
    Unknown(String),
    /// It could not be sent within its time online; the last reason is given.
    #[error("not sent in time: {0}")]
    Expired(RequestError),
    /// The server refused it, or a check before the server.
    #[error(transparent)]
    Refused(RequestError),
}

/// How long something may still take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    /// The account is online: until then, as monotonic time.
    Until(Duration),
    /// The account is away: this much remains once it is back.
    Left(Duration),
}

impl Time {
    fn is_over(self, now: Now) -> bool {
        matches!(self, Self::Until(at) if at <= now.mono)
    }
}

#[derive(Debug)]
struct Item {
    token: u64,
    time: Time,
    in_flight: bool,
    /// The item waits to hear when its group has room for it.
    awaits_group: bool,
    not_before: Duration,
    last: RequestError,
    sending: Attempt,
    tried: Tried,
    /// The same before the try that is in flight.
    tried_before: Tried,
    /// The history is being read.
    read_back: Option<Box<ReadBack>>,
}

/// Whether a message may have been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    /// Never, or it is known not to have arrived.
    Never,
    /// First at this time.
    At(Moment),
    /// By an earlier process, at this time of the service at the earliest.
    Before(u64),
}

/// A time by two clocks: one of them may stand still or jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    mono: Duration,
    service: u64,
}

impl Moment {
    /// `service`: Unix seconds of the service.
    pub(super) const fn new(now: Now, service: u64) -> Self {
        Self {
            mono: now.mono,
            service,
        }
    }

    fn elapsed(self, since: Self) -> Duration {
        let service = self.service.saturating_sub(since.service);
        let mono = self.mono.saturating_sub(since.mono);
        mono.max(Duration::from_secs(service))
    }
}

impl Item {
    fn to(&self) -> Option<&Conversation> {
        match &self.sending {
            Attempt::Message(message) => Some(&message.to),
            Attempt::Call { .. } => None,
        }
    }

    /// Its key, and when it was sent at the earliest, if it must not be sent before the history was read.
    fn doubtful(&self, moment: Moment, trusts_keys: bool) -> Option<(MessageKey, u64)> {
        let Attempt::Message(message) = &self.sending else {
            return None;
        };
        let keys = if message.to.is_group() {
            GROUP_KEYS
        } else {
            C2C_KEYS
        };
        let (since, is_fresh) = match self.tried {
            Tried::Never => return None,
            Tried::At(first) => (first.service, moment.elapsed(first) <= keys),
            // Of an earlier process only the service's clock tells.
            Tried::Before(since) => {
                let elapsed = moment.service.checked_sub(since);
                (
                    since,
                    elapsed.is_some_and(|elapsed| elapsed <= keys.as_secs()),
                )
            }
        };
        let is_known = trusts_keys && is_fresh;
        // What leaves no trace cannot be looked for.
        let is_repeated = is_known || message.draft.options.online_only;
        (!is_repeated).then_some((message.key, since))
    }

    fn settled(&self, outcome: Result<String, OutboxError>) -> Outcome {
        Outcome {
            token: self.token,
            is_message: self.to().is_some(),
            outcome,
        }
    }
}

/// What became of an item.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) token: u64,
    /// A message, and not a request.
    pub(super) is_message: bool,
    pub(super) outcome: Result<String, OutboxError>,
}

/// The queue. See the module.
#[derive(Debug)]
pub(super) struct Outbox {
    items: VecDeque<Item>,
    rng: fastrand::Rng,
    message_seq: u32,
    /// The pace of each kind of request; empty if the account makes none.
    paces: BTreeMap<Box<str>, Pace>,
    paced: u64,
    online: bool,
    flights: usize,
    /// The service recognises a repeated message.
    trusts_keys: bool,
}

impl Outbox {
    pub(super) const fn trust_keys(&mut self, trusts_keys: bool) {
        self.trusts_keys = trusts_keys;
    }

    /// With `trusts_keys` messages are repeated as long as the service is said to recognise them; without, the
    /// history is read before every repetition.
    pub(super) fn new(mut rng: fastrand::Rng, trusts_keys: bool) -> Self {
        Self {
            trusts_keys,
            items: VecDeque::new(),
            message_seq: rng.u32(1..=u32::MAX / 2),
            rng,
            paces: BTreeMap::new(),
            paced: 0,
            online: false,
            flights: 0,
        }
    }

    /// Messages and requests that had to wait for a limit of the service so far.
    pub(super) const fn paced(&self) -> u64 {
        self.paced
    }

    /// The account is online, or is not: time runs only while it is.
    pub(super) fn set_online(&mut self, now: Now, online: bool) {
        if std::mem::replace(&mut self.online, online) == online {
            return;
        }
        for item in &mut self.items {
            item.time = match (item.time, online) {
                (Time::Until(at), false) => Time::Left(at.saturating_sub(now.mono)),
                (Time::Left(left), true) => Time::Until(now.mono + left),
                (time, _) => time,
            };
        }
    }

    /// Takes an item in, which may take `limit`. For a message to a group it returns the group: the message is
    /// not sent before [`group_turn`](Self::group_turn) tells when it may.
    pub(super) fn push(
        &mut self,
        now: Now,
        token: u64,
        item: OutboxItem,
        limit: Duration,
    ) -> Result<Option<Box<str>>, OutboxError> {
        if self.items.len() >= MAX_OUTBOX && self.is_full_for(token) {
            return Err(OutboxError::Full);
        }
        let (mut not_before, mut awaited, mut tried) = (Duration::ZERO, None, Tried::Never);
        let sending = match item {
            OutboxItem::Message {
                to,
                draft,
                key,
                sent_since,
            } => {
                tried = sent_since.map_or(Tried::Never, Tried::Before);
                let key = key.unwrap_or_else(|| self.draw_key());
                if let Conversation::Group(group) = &to {
                    awaited = Some((&**group).into());
                }
                Attempt::Message(OutgoingMessage { to, draft, key })
            }
            OutboxItem::Call {
                servcmd,
                body,
                limit,
            } => {
                not_before = self.pace(now, limit);
                Attempt::Call {
                    servcmd,
                    body: body.into(),
                }
            }
        };
        self.items.push_back(Item {
            token,
            time: if self.online {
                Time::Until(now.mono + limit)
            } else {
                Time::Left(limit)
            },
            in_flight: false,
            awaits_group: awaited.is_some(),
            not_before,
            last: RequestError::NotLoggedIn,
            sending,
            tried,
            tried_before: tried,
            read_back: None,
        });
        Ok(awaited)
    }

    /// Replies of bots and everything else have as many places each: neither can keep the other out.
    fn is_full_for(&self, token: u64) -> bool {
        let alike = self
            .items
            .iter()
            .filter(|item| (item.token >= REPLIES) == (token >= REPLIES));
        alike.count() >= MAX_OUTBOX
    }

    /// The message of this token may go to its group after so long a wait.
    pub(super) fn group_turn(&mut self, now: Now, token: u64, wait: Duration) {
        let not_before = self.at(now, wait);
        let mut items = self.items.iter_mut();
        if let Some(item) = items.find(|item| item.token == token) {
            (item.awaits_group, item.not_before) = (false, not_before);
        }
    }

    /// The key of a new message.
    pub(super) fn draw_key(&mut self) -> MessageKey {
        self.message_seq = self.message_seq.wrapping_add(1).max(1);
        MessageKey {
            seq: self.message_seq,
            random: self.rng.u32(0..100_000_000),
        }
    }

    /// Until when the next request of a bucket has to wait; zero if it need not.
    fn pace(&mut self, now: Now, limit: Limit) -> Duration {
        let Some(bucket) = limit.bucket() else {
            return Duration::ZERO;
        };
        if self.paces.len() >= MAX_PACED {
            self.paces.retain(|_, pace| pace.is_busy(now.mono));
        }
        let pace = self
            .paces
            .entry(bucket.into())
            .or_insert_with(|| Pace::new(limit.rate(), limit.burst()));
        let wait = pace.reserve(now.mono);
        self.at(now, wait)
    }

    /// The end of a wait; zero for none.
    fn at(&mut self, now: Now, wait: Duration) -> Duration {
        if wait.is_zero() {
            return Duration::ZERO;
        }
        self.paced += 1;
        now.mono + wait
    }

    /// The next item to send: the oldest message of a conversation that has none in flight, or a request.
    pub(super) fn next(&mut self, now: Now, moment: Moment) -> Option<(u64, Attempt)> {
        // A pause that is over is no time to wake up for any more, also for what still has to wait
        // behind an earlier message, or for room.
        for item in &mut self.items {
            if item.not_before <= now.mono {
                item.not_before = Duration::ZERO;
            }
        }
        if self.flights >= MAX_FLIGHTS {
            return None; // An answer makes room.
        }
        for index in 0..self.items.len() {
            let item = &self.items[index];
            let blocked = item.in_flight
                || item.awaits_group
                || item.not_before > now.mono
                || item.to().is_some_and(|to| {
                    let mut earlier = self.items.iter().take(index);
                    earlier.any(|earlier| earlier.to() == Some(to))
                });
            if blocked {
                continue;
            }
            let attempt = match self.doubt(index, moment) {
                None => {
                    let item = &mut self.items[index];
                    item.tried_before = item.tried;
                    if item.tried == Tried::Never {
                        item.tried = Tried::At(moment);
                    }
                    item.sending.clone()
                }
                Some(mut read_back) => {
                    let has_turn = read_back.take_turn();
                    let turn = match has_turn {
                        true => Duration::ZERO,
                        false => self.pace(now, read_back.limit()),
                    };
                    if turn > now.mono {
                        read_back.give_turn();
                        let item = &mut self.items[index];
                        // That is not the message's time.
                        if let Time::Until(at) = &mut item.time {
                            *at += turn - now.mono;
                        }
                        (item.not_before, item.read_back) = (turn, Some(read_back));
                        continue;
                    }
                    let request = read_back.request();
                    self.items[index].read_back = Some(read_back);
                    request
                }
            };
            let item = &mut self.items[index];
            item.in_flight = true;
            self.flights += 1;
            return Some((item.token, attempt));
        }
        None
    }

    /// The search that has to come before another try of a message; `None` when it may be sent. It looks for
    /// everything to this conversation that is in doubt.
    fn doubt(&mut self, index: usize, moment: Moment) -> Option<Box<ReadBack>> {
        let item = self.items.get_mut(index)?;
        if let Some(read_back) = item.read_back.take() {
            return Some(read_back);
        }
        item.doubtful(moment, self.trusts_keys)?;
        let to = self.items.get(index)?.to()?;
        let doubtful = self.items.iter().filter(|item| item.to() == Some(to));
        let doubtful = doubtful.filter_map(|item| {
            let (key, since) = item.doubtful(moment, self.trusts_keys)?;
            Some((item.token, key, since))
        });
        ReadBack::new(to, doubtful).map(Box::new)
    }

    /// A page of history has come, or has not. Returns what it settles.
    fn read_back(
        &mut self,
        now: Now,
        me: &UserId,
        (index, mut read_back): (usize, Box<ReadBack>),
        outcome: Result<String, RequestError>,
    ) -> Vec<Outcome> {
        let reason = match outcome {
            Ok(body) => match read_back.answered(me, &body) {
                Found::Everything => None,
                Found::Unknown(reason) => Some(reason),
                Found::NotYet => {
                    self.items[index].read_back = Some(read_back);
                    return Vec::new();
                }
            },
            Err(error) if error.is_retryable() || error == RequestError::Lost => {
                let item = &mut self.items[index];
                // To ask again is no part of the message's time.
                if let Time::Until(at) = &mut item.time {
                    *at += AGAIN;
                }
                item.not_before = now.mono + AGAIN;
                item.last = error;
                return Vec::new();
            }
            Err(error) => Some(error.to_string()),
        };
        let (arrived, missing) = read_back.into_parts();
        let mut settled = Vec::with_capacity(arrived.len());
        for (token, answer) in arrived {
            settled.extend(self.take_token(token, Ok(answer)));
        }
        for token in missing {
            match &reason {
                Some(reason) => {
                    let unknown = OutboxError::Unknown(reason.clone());
                    settled.extend(self.take_token(token, Err(unknown)));
                }
                None => {
                    let mut items = self.items.iter_mut();
                    if let Some(item) = items.find(|item| item.token == token) {
                        item.tried = Tried::Never;
                    }
                }
            }
        }
        settled
    }

    /// Notes the outcome of a try of the account `me`. Returns what that settles.
    pub(super) fn settle(
        &mut self,
        now: Now,
        me: &UserId,
        token: u64,
        outcome: Result<String, RequestError>,
    ) -> Vec<Outcome> {
        let Some(index) = self.items.iter().position(|item| item.token == token) else {
            return Vec::new();
        };
        let item = &mut self.items[index];
        if std::mem::take(&mut item.in_flight) {
            self.flights -= 1;
        }
        if let Some(read_back) = item.read_back.take() {
            return self.read_back(now, me, (index, read_back), outcome);
        }
        let outcome = match outcome {
            Ok(body) => Ok(body),
            Err(error) if !error.is_retryable() => Err(OutboxError::Refused(error)),
            // The server has asked for rest, or there was no way to it: that is not the message's time.
            Err(error) if error.is_unsent() || error == RequestError::NotLoggedIn => {
                let item = &mut self.items[index];
                if error.is_unsent() {
                    item.tried = item.tried_before;
                }
                if let Time::Until(at) = &mut item.time {
                    *at += AGAIN;
                }
                item.not_before = now.mono + AGAIN;
                item.last = error;
                return Vec::new();
            }
            // Only a message can be told from its repetition.
            Err(error) if self.items[index].to().is_none() => Err(OutboxError::Refused(error)),
            Err(error) if self.items[index].time.is_over(now) => Err(OutboxError::Expired(error)),
            Err(error) => {
                let item = &mut self.items[index];
                item.not_before = now.mono + AGAIN;
                item.last = error;
                return Vec::new();
            }
        };
        self.take_at(index, outcome).into_iter().collect()
    }

    fn take_token(&mut self, token: u64, outcome: Result<String, OutboxError>) -> Option<Outcome> {
        let index = self.items.iter().position(|item| item.token == token)?;
        self.take_at(index, outcome)
    }

    fn take_at(&mut self, index: usize, outcome: Result<String, OutboxError>) -> Option<Outcome> {
        let item = self.items.remove(index)?;
        self.shrink();
        Some(item.settled(outcome))
    }

    /// The connection died without settling: everything may be tried again.
    pub(super) fn forget_flights(&mut self) {
        for item in &mut self.items {
            item.in_flight = false;
        }
        self.flights = 0;
    }

    /// Takes an item whose time is over. An item in flight is left to its own limit.
    pub(super) fn take_expired(&mut self, now: Now) -> Option<Outcome> {
        let index = self
            .items
            .iter()
            .position(|item| !item.in_flight && item.time.is_over(now))?;
        let item = self.items.remove(index)?;
        self.shrink();
        let error = OutboxError::Expired(item.last.clone());
        Some(item.settled(Err(error)))
    }

    /// Takes everything that is left: for this reason the account will not send any more.
    pub(super) fn take_all(&mut self, reason: &str) -> Vec<Outcome> {
        self.flights = 0;
        std::mem::take(&mut self.items)
            .into_iter()
            .map(|item| item.settled(Err(OutboxError::Offline(reason.to_owned()))))
            .collect()
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.items
            .iter()
            .filter(|item| !item.in_flight)
            .filter_map(|item| match item.time {
                Time::Until(at) => Some(at),
                Time::Left(_) => None,
            })
            .min()
    }

    /// When a message that waits for its next try may go.
    pub(super) fn next_try(&self) -> Option<Duration> {
        self.items
            .iter()
            .filter(|item| !item.in_flight && !item.not_before.is_zero())
            .map(|item| item.not_before)
            .min()
    }

    fn shrink(&mut self) {
        if self.items.is_empty() {
            self.items = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests;
