//! Draws messages, and makes spans of what happens to them.

use super::encode::Resource;
use super::export::{Counts, Exporter, Item};
use super::span::{Kind, Span, Value};
use crate::config::Config;
use crate::gateway::now;
use crate::policy::Now;
use crate::proto::message::{Conversation, Message};
use actix_rt::{Arbiter, ArbiterHandle};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Spans that wait for the collector at most; a few MB.
const WAITING: usize = 4096;
/// How long the end of the process waits for the last spans.
const LAST: Duration = Duration::from_secs(1);
/// What the service is called in `messaging.system`.
const SYSTEM: &str = "tencent_im";

/// Where traces go; nowhere by default. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    sample: f64,
    users: bool,
    items: mpsc::Sender<Item>,
    counts: Arc<Counts>,
    /// The thread of the exporter.
    thread: ArbiterHandle,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.thread.stop();
    }
}

/// What became of spans so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceCounts {
    /// Those that the collector took.
    pub sent: u64,
    /// Those that it did not take, or that found the queue full.
    pub dropped: u64,
}

/// The span of a message or a handler, under which others stand; nothing for one that is not traced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spot(Option<Mark>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    trace: u128,
    id: u64,
    /// The wall-clock time at which the monotonic clock was zero, so that times of one trace agree.
    zero: Duration,
}

impl Mark {
    /// A span below it.
    fn child(self) -> Self {
        Self { id: id(), ..self }
    }

    /// The wall-clock time of a monotonic one.
    fn unix(self, mono: Duration) -> Duration {
        self.zero + mono
    }

    const fn ids(self) -> (u128, u64) {
        (self.trace, self.id)
    }
}

impl Spot {
    /// Nothing is traced.
    pub(crate) const NONE: Self = Self(None);

    /// This one, or another where it is nothing.
    pub(crate) const fn or(self, other: Self) -> Self {
        match self.0 {
            Some(_) => self,
            None => other,
        }
    }
}

/// Whose span it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) account: &'a str,
    pub(crate) bot: &'a str,
}

/// A handler that waits, or runs.
#[derive(Debug, Default)]
pub(crate) struct Handling(Option<Box<Handler>>);

#[derive(Debug)]
struct Handler {
    message: u64,
    own: Mark,
    links: Vec<(u128, u64)>,
    /// When its message came into the line, monotonic.
    came: Duration,
    /// The same of the moment when it began.
    began: Option<Duration>,
}

/// A message that is being sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sending(Option<(Mark, Duration)>);

/// Where something that a handler does belongs, and where spans of it go.
#[derive(Clone, Debug, Default)]
pub(crate) struct TracePoint {
    traces: Traces,
    spot: Spot,
    bot: &'static str,
}

impl TracePoint {
    pub(crate) const fn new(traces: Traces, spot: Spot, bot: &'static str) -> Self {
        Self { traces, spot, bot }
    }

    /// A message is about to be sent.
    pub(crate) fn sending(&self) -> Sending {
        self.traces.sending(self.spot, now)
    }

    /// A message was sent, or was not; `outcome` as for [`Traces::sent`].
    pub(crate) fn sent(
        &self,
        sending: Sending,
        account: &str,
        to: &Conversation,
        outcome: Result<impl FnOnce() -> String, impl FnOnce() -> String>,
    ) {
        let bot = self.bot;
        let place = Place { account, bot };
        self.traces.sent(sending, now, (place, to), outcome);
    }
}

/// A number that no other span has: not zero, which OTLP has for nothing.
fn id() -> u64 {
    fastrand::u64(1..)
}

impl Traces {
    /// Starts to send traces where the config says so, inside a running actix `System`.
    #[must_use]
    pub fn start(config: &Config) -> Self {
        let Some(config) = &config.traces else {
            return Self::default();
        };
        let (items, receiver) = mpsc::channel(WAITING);
        let counts = Arc::<Counts>::default();
        let exporter = Exporter {
            config: config.clone(),
            resource: Resource {
                service: config.service.clone(),
                instance: format!("{:032x}", fastrand::u128(..)),
            },
            counts: counts.clone(),
            items: receiver,
            is_failing: false,
        };
        let thread = Arbiter::new();
        thread.spawn_fn(move || drop(actix_rt::spawn(exporter.run())));
        Self(Some(Arc::new(Shared {
            sample: config.sample,
            users: config.users,
            items,
            counts,
            thread: thread.handle(),
        })))
    }

    /// What became of spans; `None` where there are no traces.
    #[must_use]
    pub fn counts(&self) -> Option<TraceCounts> {
        let Counts { sent, dropped } = &*self.0.as_ref()?.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Some(TraceCounts {
            sent: read(sent),
            dropped: read(dropped),
        })
    }

    /// Sends what waits; gives up after a second.
    pub async fn finish(&self) {
        let Some(shared) = &self.0 else {
            return;
        };
        let (done, finished) = oneshot::channel();
        let flush = async {
            if shared.items.send(Item::Flush(done)).await.is_ok() {
                let _ = finished.await;
            }
        };
        if tokio::time::timeout(LAST, flush).await.is_err() {
            tracing::warn!("the collector did not take the last traces in time");
        }
    }

    /// A message is being handed to the bots: whether it is traced.
    pub(crate) fn draw(&self, at: Now) -> Spot {
        let chosen = self.0.as_ref();
        let chosen = chosen.filter(|shared| shared.sample > 0.0 && fastrand::f64() < shared.sample);
        Spot(chosen.map(|_| Mark {
            trace: fastrand::u128(1..),
            id: id(),
            zero: at.unix.saturating_sub(at.mono),
        }))
    }

    /// A message that was read at `began` is in the lines of its bots.
    pub(crate) fn received(
        &self,
        spot: Spot,
        began: Now,
        now: impl FnOnce() -> Now,
        (account, message, bots): (&str, &Message, usize),
    ) {
        let (Some(shared), Some(own)) = (&self.0, spot.0) else {
            return;
        };
        let mut attributes = shared.about("receive", message);
        attributes.push(("messaging.destination.name", account.to_owned().into()));
        attributes.push(("botroupe.account", account.to_owned().into()));
        let bots = i64::try_from(bots).unwrap_or_default();
        attributes.push(("botroupe.bots", Value::Number(bots)));
        shared.push(Span {
            trace: own.trace,
            id: own.id,
            parent: None,
            name: "receive".into(),
            kind: Kind::Client,
            start: own.unix(began.mono),
            end: own.unix(now().mono),
            attributes,
            error: None,
            links: Vec::new(),
        });
    }

    /// A handler is to be called for the message of `spot`, which has waited since `came`, monotonic, and those of
    /// `others`.
    pub(crate) fn handling(&self, spot: Spot, others: &[Spot], came: Duration) -> Handling {
        let (Some(_), Some(message)) = (&self.0, spot.0) else {
            return Handling::default();
        };
        let others = others.iter().filter_map(|other| other.0);
        Handling(Some(Box::new(Handler {
            message: message.id,
            own: message.child(),
            links: others
                .filter(|other| *other != message)
                .map(Mark::ids)
                .collect(),
            came,
            began: None,
        })))
    }

    /// The handler begins: it does not wait any more.
    pub(crate) fn began(
        &self,
        handling: &mut Handling,
        now: impl FnOnce() -> Now,
        place: Place<'_>,
    ) {
        let (Some(shared), Some(handler)) = (&self.0, &mut handling.0) else {
            return;
        };
        let now = now().mono;
        handler.began = Some(now);
        let mut attributes = vec![("messaging.system", SYSTEM.into())];
        attributes.extend(place.attributes());
        shared.push(Span {
            trace: handler.own.trace,
            id: id(),
            parent: Some(handler.message),
            name: "queue".into(),
            kind: Kind::Internal,
            start: handler.own.unix(handler.came),
            end: handler.own.unix(now),
            attributes,
            error: None,
            links: Vec::new(),
        });
    }

    /// A handler has ended, with an error of this kind.
    pub(crate) fn handled(
        &self,
        handling: Handling,
        now: impl FnOnce() -> Now,
        (place, handler, message): (Place<'_>, &str, Option<&Message>),
        error: Option<&'static str>,
    ) {
        let (Some(shared), Some(handling)) = (&self.0, handling.0) else {
            return;
        };
        let Some(began) = handling.began else {
            return; // It did not run.
        };
        let own = handling.own;
        let mut attributes = message.map_or_else(
            || vec![("messaging.system", SYSTEM.into())],
            |message| shared.about("process", message),
        );
        attributes.push((
            "messaging.destination.name",
            place.account.to_owned().into(),
        ));
        attributes.extend(place.attributes());
        attributes.push(("botroupe.handler", handler.to_owned().into()));
        shared.push(Span {
            trace: own.trace,
            id: own.id,
            parent: Some(handling.message),
            name: format!("process {}", place.bot).into(),
            kind: Kind::Consumer,
            start: own.unix(began),
            end: own.unix(now().mono),
            attributes,
            error: error.map(Cow::Borrowed),
            links: handling.links,
        });
    }

    /// A message of the handler of `spot` is about to be sent.
    pub(crate) fn sending(&self, spot: Spot, now: impl FnOnce() -> Now) -> Sending {
        let spot = spot.0.filter(|_| self.0.is_some());
        Sending(spot.map(|parent| (parent, now().mono)))
    }

    /// A message was sent, and has this ID, or was not, because of an error of this kind.
    pub(crate) fn sent(
        &self,
        sending: Sending,
        now: impl FnOnce() -> Now,
        (place, to): (Place<'_>, &Conversation),
        outcome: Result<impl FnOnce() -> String, impl FnOnce() -> String>,
    ) {
        let (Some(shared), Some((parent, start))) = (&self.0, sending.0) else {
            return;
        };
        let mut attributes = vec![
            ("messaging.system", SYSTEM.into()),
            ("messaging.operation.type", "send".into()),
            ("messaging.operation.name", "send".into()),
            (
                "messaging.destination.template",
                if to.is_group() { "group" } else { "user" }.into(),
            ),
        ];
        if shared.users {
            attributes.push(("messaging.destination.name", to.name().to_owned().into()));
        }
        attributes.extend(place.attributes());
        let error = match outcome {
            Ok(id) => {
                let id = id();
                if !id.is_empty() {
                    attributes.push(("messaging.message.id", id.into()));
                }
                None
            }
            Err(kind) => Some(Cow::Owned(kind())),
        };
        shared.push(Span {
            trace: parent.trace,
            id: id(),
            parent: Some(parent.id),
            name: "send".into(),
            kind: Kind::Producer,
            start: parent.unix(start),
            end: parent.unix(now().mono),
            attributes,
            error,
            links: Vec::new(),
        });
    }
}

impl Handling {
    /// The span of the handler.
    pub(crate) fn spot(&self) -> Spot {
        Spot(self.0.as_ref().map(|handler| handler.own))
    }
}

impl Place<'_> {
    fn attributes(self) -> [(&'static str, Value); 2] {
        [
            ("botroupe.account", self.account.to_owned().into()),
            ("botroupe.bot", self.bot.to_owned().into()),
        ]
    }
}

impl Shared {
    /// What spans say of a message that came: never what is in it.
    fn about(&self, operation: &'static str, message: &Message) -> Vec<(&'static str, Value)> {
        let mut about = vec![
            ("messaging.system", SYSTEM.into()),
            ("messaging.operation.type", operation.into()),
            ("messaging.operation.name", operation.into()),
            ("messaging.message.id", message.server_key().into()),
        ];
        if self.users {
            let conversation = message.conversation.to_string();
            about.push(("messaging.message.conversation_id", conversation.into()));
            about.push(("botroupe.sender", message.from.to_string().into()));
        }
        about
    }

    fn push(&self, span: Span) {
        if self.items.try_send(Item::Span(Box::new(span))).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}
