//! The event that handlers are called with, and the trait that reads their parameters from it.

use super::api::Api;
use super::command::Called;
use super::dialogue::{
    self, Approver, DialoguePlace, Lapse, Resumed, Script, Shared, Stop, cell_of,
};
use super::failure::Failure;
use super::kinds::Kinds;
use super::language::Texts;
use super::ledger::{Exchange, Ledger, Owner};
use super::needs::Needs;
use super::pool::Pool;
use super::rejection::IntoRejection;
#[cfg(doc)]
use super::rejection::Rejection;
use super::seat::{Seat, SharedBot};
use super::timer::Alarm;
use crate::account::Cause;
use crate::policy::Now;
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Draft, Message};
use crate::proto::update::Update;
use crate::traces::{Spot, TracePoint};
use botroupe_core::ledger::{Cell, Change, exchange, message_id};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Values shared by the handlers of one bot on one account, by type.
pub(super) type Values = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// No handler has been called yet.
const NONE: usize = usize::MAX;

/// What happened.
#[derive(Clone, Debug)]
pub(super) enum What {
    Message(Arc<Message>),
    Update(Arc<Update>),
    /// The account is ready for the first time.
    Start,
    Ready,
    NotReady(Cause),
    /// The time for an answer in a dialogue is over.
    Lapsed(Arc<Lapse>),
    /// The time of an alarm has come.
    Alarm(Arc<Alarm>),
}

impl What {
    /// The name of an event that is handled once, over restarts.
    pub(super) fn id(&self) -> Option<u64> {
        match self {
            Self::Message(message) => Some(message_id(message)),
            Self::Lapsed(lapse) => Some(lapse.id()),
            Self::Alarm(alarm) => Some(alarm.id()),
            Self::Update(_) | Self::Start | Self::Ready | Self::NotReady(_) => None,
        }
    }
}

/// The event that a handler is called with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Event(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    what: What,
    place: Place,
    /// Made when somebody asks for it: many handlers only answer.
    api: OnceLock<Api>,
    /// Made with the API or the first value of the store.
    exchange: OnceLock<Arc<Exchange>>,
    /// The handler that runs.
    handler: AtomicUsize,
    /// What went wrong before, for a handler of errors.
    failure: OnceLock<Failure>,
    /// The command that it is, for its handler.
    command: OnceLock<Called>,
    /// Messages of the same sender that are handled together with it.
    earlier: Vec<Arc<Message>>,
    /// The dialogue that goes on with it.
    resumed: OnceLock<Resumed>,
    /// Where its handler is traced.
    spot: Spot,
}

/// Where an event happens.
#[derive(Debug)]
enum Place {
    /// On a bot of an account.
    Seat(Arc<Seat>),
    /// On a bot, and no account.
    #[cfg(test)]
    Test(Arc<SharedBot>, Arc<Ledger>),
}

/// Types that a handler may take as a parameter.
///
/// About a message: [`Text`](super::Text), [`Message`] and `Arc<Message>`, [`Attachment`](super::Attachment),
/// [`Sender`](super::Sender), [`Group`](super::Group) and
/// [`Conversation`](crate::proto::message::Conversation). About what happens around messages: [`Update`],
/// [`GroupTip`](crate::proto::message::GroupTip) and
/// [`SystemNotice`](crate::proto::message::SystemNotice). About the account: [`NotReady`](super::NotReady)
/// and [`Kicked`](super::Kicked). Always: [`Event`], [`Api`], [`State<T>`](super::State),
/// [`Store<T>`](super::Store), [`Config<T>`](super::Config), [`Language`](super::Language) and
/// [`Texts`](super::Texts). Of a command: [`Args<T>`](super::Args). `Option<T>` and `Result<T, T::Rejection>` of each
/// do not keep the handler from being called. Further types are a bot's own:
///
/// ```
/// use botroupe::prelude::*;
///
/// /// A text that is a number. Of other texts the handler hears nothing.
/// struct Number(i64);
///
/// impl FromEvent for Number {
///     type Rejection = Skipped;
///
///     async fn from_event(event: &Event) -> Result<Self, Skipped> {
///         let text = event.message().and_then(|message| message.text());
///         let number = text.and_then(|text| text.trim().parse().ok());
///         number.map(Self).ok_or(Skipped)
///     }
/// }
///
/// async fn double(Number(number): Number) -> String {
///     (2 * number).to_string()
/// }
/// # let _ = Bot::new("double").on_text(double);
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler cannot take `{Self}` as a parameter",
    label = "not a parameter of a handler",
    note = "what was written is `Text`; further parameters are `Message`, `Arc<Message>`, `Messages`, `Attachment`, `Custom<T>`, `Sender`, `Group`, `Conversation`, `Dialogue`, `Update`, `GroupTip`, `SystemNotice`, `Event`, `Api`, `State<T>`, `Store<T>`, `Config<T>`, `Args<T>`, `Later<T>`, `Language` and `Texts`, the type of an event (`Recalled`, `Reacted`, …), an `Option` or `Result` of one, or your own type with `impl FromEvent`"
)]
pub trait FromEvent: Sized + Send {
    /// Why the value cannot be read; it becomes what the bot does then.
    type Rejection: IntoRejection + Send;

    /// Reads the value from the event. It may wait for something: the store, a request.
    ///
    /// # Errors
    /// [`Skipped`](super::Skipped), or [`Rejection::Skip`], when the handler is not meant for the event; others as the
    /// extractor decides.
    fn from_event(event: &Event) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// Says what the value needs of its bot; checked when the bot is made. By default nothing, and the handler may be
    /// skipped.
    fn needs(needs: &mut Needs) {
        needs.may_skip();
    }
}

/// `None` when the value cannot be read.
impl<T: FromEvent> FromEvent for Option<T> {
    type Rejection = std::convert::Infallible;

    async fn from_event(event: &Event) -> Result<Self, Self::Rejection> {
        Ok(T::from_event(event).await.ok())
    }

    fn needs(_: &mut Needs) {}
}

/// Hands the reason to the handler.
impl<T: FromEvent> FromEvent for Result<T, T::Rejection> {
    type Rejection = std::convert::Infallible;

    async fn from_event(event: &Event) -> Result<Self, Self::Rejection> {
        Ok(T::from_event(event).await)
    }

    fn needs(_: &mut Needs) {}
}

impl FromEvent for Event {
    type Rejection = std::convert::Infallible;

    async fn from_event(event: &Event) -> Result<Self, Self::Rejection> {
        Ok(event.clone())
    }

    fn needs(_: &mut Needs) {}
}

impl Event {
    fn make(
        what: What,
        place: Place,
        api: OnceLock<Api>,
        (earlier, spot): (Vec<Arc<Message>>, Spot),
    ) -> Self {
        Self(Arc::new(Inner {
            earlier,
            spot,
            what,
            place,
            api,
            exchange: OnceLock::new(),
            handler: AtomicUsize::new(NONE),
            failure: OnceLock::new(),
            command: OnceLock::new(),
            resumed: OnceLock::new(),
        }))
    }

    /// An event for a bot on an account.
    pub(super) fn new(what: What, seat: Arc<Seat>) -> Self {
        Self::after(what, seat, Vec::new(), Spot::NONE)
    }

    /// An event for a bot on an account, which is handled together with earlier messages and traced at `spot`.
    pub(super) fn after(
        what: What,
        seat: Arc<Seat>,
        earlier: Vec<Arc<Message>>,
        spot: Spot,
    ) -> Self {
        Self::make(what, Place::Seat(seat), OnceLock::new(), (earlier, spot))
    }

    /// Where what its handler does is traced.
    pub(super) fn trace(&self) -> TracePoint {
        match self.seat() {
            Some(seat) => TracePoint::new(seat.site.traces.clone(), self.0.spot, seat.bot.name),
            None => TracePoint::default(),
        }
    }

    /// An event for a bot without an account.
    #[cfg(test)]
    pub(super) fn of_test(what: What, api: Api, bot: Arc<SharedBot>, ledger: Arc<Ledger>) -> Self {
        let place = Place::Test(bot, ledger);
        Self::make(what, place, api.into(), (Vec::new(), Spot::NONE))
    }

    pub(super) fn what(&self) -> &What {
        &self.0.what
    }

    pub(super) fn kind(&self) -> Kinds {
        Kinds::of(&self.0.what)
    }

    /// The bot on its account; `None` in a test.
    pub(super) fn seat(&self) -> Option<&Arc<Seat>> {
        match &self.0.place {
            Place::Seat(seat) => Some(seat),
            #[cfg(test)]
            Place::Test(..) => None,
        }
    }

    /// The UserID of the account.
    #[must_use]
    pub fn user(&self) -> &str {
        match &self.0.place {
            Place::Seat(seat) => seat.account.user().as_str(),
            #[cfg(test)]
            Place::Test(..) => super::recording::Recording::USER,
        }
    }

    /// What the account is called in its process.
    pub(super) fn account(&self) -> &str {
        match &self.0.place {
            Place::Seat(seat) => seat.account.name().as_str(),
            #[cfg(test)]
            Place::Test(..) => self.user(),
        }
    }

    /// The bot that the event is for.
    pub(super) fn bot(&self) -> &Arc<SharedBot> {
        match &self.0.place {
            Place::Seat(seat) => &seat.bot,
            #[cfg(test)]
            Place::Test(bot, _) => bot,
        }
    }

    /// The ledger that the handler is on.
    pub(super) fn ledger(&self) -> &Arc<Ledger> {
        match &self.0.place {
            Place::Seat(seat) => &seat.ledger,
            #[cfg(test)]
            Place::Test(_, ledger) => ledger,
        }
    }

    /// What the handler does on the ledger.
    pub(super) fn owner(&self) -> Owner {
        let bot = self.bot().name;
        let exchange = self.0.exchange.get_or_init(|| {
            let id = self.0.what.id().map(|id| exchange(bot, id));
            let place = match &self.0.what {
                What::Message(said) => Some((said.conversation.clone(), said.from.clone())),
                What::Lapsed(lapse) => {
                    let DialoguePlace {
                        conversation, user, ..
                    } = &*lapse.place;
                    Some((conversation.clone(), user.clone()))
                }
                What::Alarm(alarm) => alarm.later.as_ref().and_then(|later| later.place.clone()),
                _ => None,
            };
            Arc::new(Exchange::new(id, place))
        });
        Owner::new(bot.into(), Some(exchange.clone()))
    }

    /// What the handler has done on the ledger, if it has asked for anything there.
    pub(super) fn exchange(&self) -> Option<Arc<Exchange>> {
        self.0.exchange.get().cloned()
    }

    /// Whether files are being transferred for the handler.
    pub(super) fn is_transferring(&self) -> bool {
        let api = self.0.api.get();
        api.is_some_and(|api| api.transfers().any())
    }

    /// The handler of this place in the list is called.
    pub(super) fn call(&self, handler: usize) {
        self.0.handler.store(handler, Ordering::Relaxed);
    }

    /// The handler that was called last.
    pub(super) fn called(&self) -> Option<usize> {
        let handler = self.0.handler.load(Ordering::Relaxed);
        (handler != NONE).then_some(handler)
    }

    /// It is this command.
    pub(super) fn set_command(&self, command: Called) {
        let _ = self.0.command.set(command);
    }

    pub(super) fn command(&self) -> Option<&Called> {
        self.0.command.get()
    }

    /// The texts of the bot, in the language of the event's message.
    pub(super) fn texts(&self) -> Texts {
        self.bot().handlers.desk().texts_now(self)
    }

    /// What is said to who has decided about the dialogue that goes on, and where.
    pub(super) fn told(&self) -> Option<(Conversation, Draft)> {
        self.0.resumed.get()?.told.clone()
    }

    /// A text of the framework, in the language of the event's message: what its sender has chosen is not asked for.
    pub(super) fn say(&self, id: &str) -> String {
        self.bot().handlers.desk().texts_now(self).get(id)
    }

    /// All bots of the account; none in a test.
    pub(super) fn neighbours(&self) -> Arc<[Arc<SharedBot>]> {
        self.seat()
            .map_or_else(|| [].into(), |seat| seat.neighbours())
    }

    /// A handler has failed.
    pub(super) fn fail(&self, failure: Failure) {
        let _ = self.0.failure.set(failure);
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        self.0.failure.get()
    }

    /// Waits, on the clock of the ledger, while it waits for something else, too.
    pub(super) async fn sleep_meanwhile(&self, pool: &Pool, time: Duration) {
        match self.ledger().clock().nap(time) {
            Some(nap) => nap.light().await,
            None => pool.sleep(time).await,
        }
    }

    /// Waits, on the clock of the ledger.
    pub(super) async fn sleep(&self, pool: &Pool, time: Duration) {
        match self.ledger().clock().nap(time) {
            Some(nap) => nap.await,
            None => pool.sleep(time).await,
        }
    }

    /// The time.
    pub(super) fn now(&self) -> Now {
        self.ledger().now()
    }

    /// The time of the service, in Unix seconds.
    pub(super) fn service_time(&self) -> u64 {
        let now = self.now();
        let seat = self.seat();
        seat.map_or_else(|| now.unix_secs(), |seat| seat.account.service_time(now))
    }

    // ── dialogues ────────────────────────────────────────────────────────────────────────────

    /// Where a dialogue about this event is held; `None` if it can be none.
    pub(super) fn dialogue_place(&self) -> Option<DialoguePlace> {
        if let Some(resumed) = self.0.resumed.get() {
            return Some(resumed.place.clone());
        }
        match &self.0.what {
            What::Message(message) if Kinds::SAID.meets(self.kind()) => Some(DialoguePlace {
                bot: self.bot().name.into(),
                conversation: message.conversation.clone(),
                user: message.from.clone(),
            }),
            What::Lapsed(lapse) => Some((*lapse.place).clone()),
            _ => None,
        }
    }

    /// A dialogue goes on with this event.
    pub(super) fn resume(&self, resumed: Resumed) {
        let owner = self.owner();
        if let Some(exchange) = owner.exchange() {
            exchange.hold_dialogue(|| resumed.script.clone());
        }
        let _ = self.0.resumed.set(resumed);
    }

    /// The dialogue that the handler holds; it begins one if it holds none.
    pub(super) fn begin_dialogue(&self) -> Option<Shared> {
        let start = self.shared_message()?.clone();
        let owner = self.owner();
        let exchange = owner.exchange()?;
        Some(exchange.hold_dialogue(|| Shared::new(Script::new(start))))
    }

    /// The dialogue that the handler holds.
    pub(super) fn dialogue(&self) -> Option<&Shared> {
        self.0.exchange.get()?.dialogue()
    }

    /// Whether the handler that holds a dialogue does not go on.
    pub(super) fn has_stopped(&self) -> bool {
        self.dialogue()
            .is_some_and(|script| script.lock().has_ended())
    }

    /// How the dialogue stands after the handler did not go on.
    pub(super) fn stop(&self, handler: &str) -> Option<Stop> {
        let mut script = self.dialogue()?.lock();
        let end = script.take_end()?;
        Some(Stop::of(end, &script, handler, self))
    }

    /// Keeps the dialogue that the handler holds until its deadline.
    pub(super) fn keep_dialogue(&self, value: Box<str>, deadline: u64, approver: Option<Approver>) {
        if let Some(place) = self.dialogue_place()
            && let Some(exchange) = self.0.exchange.get()
        {
            let cell = dialogue::cell(&place, self, value);
            exchange.change(Change::Put(Box::new(cell)));
            self.ledger().park_dialogue(place, deadline, approver);
        }
    }

    /// The handler has ended: the dialogue that went on with the event is over.
    pub(super) fn end_dialogue(&self) {
        if self.0.resumed.get().is_some() {
            self.forget_dialogue();
        }
    }

    /// The dialogue of the place is over.
    pub(super) fn forget_dialogue(&self) {
        let Some(place) = self.dialogue_place() else {
            return;
        };
        if self.ledger().is_in_dialogue(&place) {
            let owner = self.owner();
            if let Some(exchange) = owner.exchange() {
                let key = cell_of(&place, self.ledger().number());
                exchange.change(Change::Removed(Box::new(key)));
            }
            self.ledger().end_dialogue(&place);
        }
    }

    /// The alarm whose time has come.
    pub(super) fn alarm(&self) -> Option<&Alarm> {
        match &self.0.what {
            What::Alarm(alarm) => Some(alarm),
            _ => None,
        }
    }

    /// The handler of an alarm has ended.
    pub(super) fn end_alarm(&self) {
        let Some(alarm) = self.alarm() else {
            return;
        };
        let kept = self.ledger().alarm_over(alarm);
        let owner = self.owner();
        if let Some(exchange) = owner.exchange() {
            let key = alarm.key.cell(self.ledger().number());
            exchange.change(match kept {
                Some(value) => Change::Put(Box::new(Cell {
                    key,
                    value,
                    ends: None,
                    at: self.now().unix_secs(),
                })),
                None => Change::Removed(Box::new(key)),
            });
        }
    }

    /// The conversation that the event is about.
    #[must_use]
    pub fn conversation(&self) -> Option<Conversation> {
        if let Some(resumed) = self.0.resumed.get() {
            return Some(resumed.place.conversation.clone());
        }
        match &self.0.what {
            What::Message(message) => Some(message.conversation.clone()),
            What::Lapsed(lapse) => Some(lapse.place.conversation.clone()),
            What::Alarm(alarm) => {
                let (conversation, _) = alarm.later.as_ref()?.place.as_ref()?;
                Some(conversation.clone())
            }
            What::Update(update) => match &**update {
                Update::Recalled { conversation, .. }
                | Update::Edited { conversation, .. }
                | Update::Typing { conversation, .. } => Some(conversation.clone()),
                Update::ReadByPeer { peer, .. } | Update::C2cReceipt { peer, .. } => {
                    Some(Conversation::c2c(peer.as_str()))
                }
                Update::GroupReceipt { group, .. } => Some(Conversation::group(group.as_str())),
                _ => None,
            },
            What::Start | What::Ready | What::NotReady(_) => None,
        }
    }

    /// Who has done it: the sender of a message, who acted in a group, recalled, edited, read or types.
    #[must_use]
    pub fn actor(&self) -> Option<&UserId> {
        let user = match &self.0.what {
            What::Message(message) => match (message.tip(), message.notice()) {
                (Some(tip), _) => &tip.operator,
                (_, Some(notice)) => &notice.operator,
                _ => &message.from,
            },
            What::Update(update) => match &**update {
                Update::Recalled { by, .. } => by,
                Update::Edited { message, .. } => &message.from,
                Update::ReadByPeer { peer, .. } | Update::C2cReceipt { peer, .. } => peer,
                Update::Typing { user, .. } => user,
                Update::Profile(change) => &change.user,
                Update::Follows(change) => &change.user,
                _ => return None,
            },
            What::Lapsed(lapse) => &lapse.place.user,
            What::Alarm(_) | What::Start | What::Ready | What::NotReady(_) => return None,
        };
        (!user.is_empty()).then_some(user)
    }

    /// The message; `None` for other events. In a dialogue it is the one that the dialogue began with.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        self.shared_message().map(|message| &**message)
    }

    /// Messages of the same sender that are handled together with [`message`](Self::message), in order. There are some
    /// only if the bot merges what [overlaps](super::Overlap).
    #[must_use]
    pub fn earlier(&self) -> &[Arc<Message>] {
        if self.0.resumed.get().is_some() {
            return &[];
        }
        &self.0.earlier
    }

    pub(super) fn shared_message(&self) -> Option<&Arc<Message>> {
        if let Some(resumed) = self.0.resumed.get() {
            return Some(&resumed.start);
        }
        match &self.0.what {
            What::Message(message) => Some(message),
            _ => None,
        }
    }

    /// The update; `None` for other events.
    #[must_use]
    pub fn update(&self) -> Option<&Update> {
        match &self.0.what {
            What::Update(update) => Some(update),
            _ => None,
        }
    }

    /// The API of the account.
    #[must_use]
    pub fn api(&self) -> &Api {
        self.0.api.get_or_init(|| match &self.0.place {
            Place::Seat(seat) => {
                let handlers = &seat.bot.handlers;
                seat.api(handlers.name(self), self.owner(), self.trace())
            }
            // Made with the event.
            #[cfg(test)]
            Place::Test(..) => Api::recorded(Arc::default()),
        })
    }
}
