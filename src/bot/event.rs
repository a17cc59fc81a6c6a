//! The event that handlers are called with, and the trait that reads their parameters from it.

use super::api::Api;
use super::ledger::{Exchange, Ledger, Owner};
use super::seat::Seat;
use crate::account::Cause;
use crate::proto::message::Message;
use crate::proto::update::Update;
use botroupe_core::ledger::{exchange, message_id};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Values shared by the handlers of one bot on one account, by type.
pub(super) type Values = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// What happened.
#[derive(Clone, Debug)]
pub(super) enum What {
    Message(Arc<Message>),
    Update(Arc<Update>),
    /// The account is ready for the first time.
    Start,
    Ready,
    NotReady(Cause),
}

/// The event that a handler is called with.
#[derive(Clone, Debug)]
pub struct Event {
    pub(super) what: What,
    place: Place,
    /// Made when somebody asks for it: many handlers only answer.
    api: OnceLock<Api>,
    /// Made with the API or the first value of the store.
    exchange: OnceLock<Arc<Exchange>>,
}

/// Where an event happens.
#[derive(Clone, Debug)]
enum Place {
    /// On a bot of an account.
    Seat(Arc<Seat>),
    /// On a bot under test, with the name of the bot.
    Test(Arc<Values>, Arc<Ledger>, &'static str),
}

/// Why a handler was not called.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The handler is not for this event. The next one is asked.
    Skip,
    /// The bot lacks something that the handler asks for; the text says what to add. No other handler is asked.
    Misconfigured(String),
}

/// Types that a handler may take as a parameter.
///
/// About a message: [`Text`](super::Text), [`Message`], [`Attachment`](super::Attachment),
/// [`Sender`](super::Sender), [`Group`](super::Group) and
/// [`Conversation`](crate::proto::message::Conversation). About what happens around messages: [`Update`],
/// [`GroupTip`](crate::proto::message::GroupTip) and
/// [`SystemNotice`](crate::proto::message::SystemNotice). About the account: [`NotReady`](super::NotReady)
/// and [`Kicked`](super::Kicked). Always: [`Api`], [`State<T>`](super::State),
/// [`Store<T>`](super::Store) and [`Config<T>`](super::Config). Further types are a bot's own:
///
/// ```
/// use botroupe::prelude::*;
///
/// /// A text that is a number. Of other texts the handler hears nothing.
/// struct Number(i64);
///
/// impl FromEvent for Number {
///     fn from_event(event: &Event) -> Result<Self, Rejection> {
///         let text = event.message().and_then(|message| message.text());
///         let number = text.and_then(|text| text.trim().parse().ok());
///         number.map(Self).ok_or(Rejection::Skip)
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
    note = "parameters are `Text`, `Message`, `Attachment`, `Sender`, `Group`, `Conversation`, `Update`, `GroupTip`, `SystemNotice`, `Api`, `State<T>`, `Store<T>` and `Config<T>`, or your own type with `impl FromEvent`"
)]
pub trait FromEvent: Sized {
    /// Reads the value from the event.
    ///
    /// # Errors
    /// [`Rejection::Skip`] when the handler is not meant for the event.
    fn from_event(event: &Event) -> Result<Self, Rejection>;
}

impl Event {
    /// An event for a bot on an account.
    pub(super) const fn new(what: What, seat: Arc<Seat>) -> Self {
        Self {
            what,
            place: Place::Seat(seat),
            api: OnceLock::new(),
            exchange: OnceLock::new(),
        }
    }

    /// An event for a bot under test.
    pub(super) fn of_test(
        what: What,
        api: Api,
        values: Arc<Values>,
        (ledger, bot): (Arc<Ledger>, &'static str),
    ) -> Self {
        Self {
            what,
            place: Place::Test(values, ledger, bot),
            api: api.into(),
            exchange: OnceLock::new(),
        }
    }

    /// The bot on its account; `None` in a test.
    pub(super) const fn seat(&self) -> Option<&Arc<Seat>> {
        match &self.place {
            Place::Seat(seat) => Some(seat),
            Place::Test(..) => None,
        }
    }

    /// The values that the handlers of the bot share.
    pub(super) fn values(&self) -> &Values {
        match &self.place {
            Place::Seat(seat) => &seat.bot.values,
            Place::Test(values, ..) => values,
        }
    }

    /// The ledger that the handler is on.
    pub(super) fn ledger(&self) -> &Arc<Ledger> {
        match &self.place {
            Place::Seat(seat) => &seat.ledger,
            Place::Test(_, ledger, _) => ledger,
        }
    }

    /// What the handler does on the ledger.
    pub(super) fn owner(&self) -> Owner {
        let exchange = self.exchange.get_or_init(|| {
            let bot = self.bot();
            let message = match &self.what {
                What::Message(message) => Some(message),
                _ => None,
            };
            let id = message.map(|message| exchange(bot, message_id(message)));
            let place = message.map(|said| (said.conversation.clone(), said.from.clone()));
            Arc::new(Exchange::new(id, place))
        });
        Owner::new(self.bot().into(), Some(exchange.clone()))
    }

    fn bot(&self) -> &'static str {
        match &self.place {
            Place::Seat(seat) => seat.bot.name,
            Place::Test(.., bot) => bot,
        }
    }

    /// What the handler has done on the ledger, if it has asked for anything there.
    pub(super) fn take_exchange(&mut self) -> Option<Arc<Exchange>> {
        self.exchange.take()
    }

    /// Whether files are being transferred for the handler.
    pub(super) fn is_transferring(&self) -> bool {
        let api = self.api.get();
        api.is_some_and(|api| api.transfers().any())
    }

    /// The message; `None` for other events.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        match &self.what {
            What::Message(message) => Some(message),
            What::Update(_) | What::Start | What::Ready | What::NotReady(_) => None,
        }
    }

    /// The update; `None` for other events.
    #[must_use]
    pub fn update(&self) -> Option<&Update> {
        match &self.what {
            What::Update(update) => Some(update),
            _ => None,
        }
    }

    pub(super) fn said(&self) -> Result<&Message, Rejection> {
        self.message().ok_or(Rejection::Skip)
    }

    /// The API of the account.
    #[must_use]
    pub fn api(&self) -> &Api {
        self.api.get_or_init(|| match &self.place {
            Place::Seat(seat) => {
                let handler = seat.bot.handlers.candidate(&self.what);
                seat.api(handler.unwrap_or("none"), self.owner())
            }
            // Made with the event.
            Place::Test(..) => Api::recorded(Arc::default()),
        })
    }
}
