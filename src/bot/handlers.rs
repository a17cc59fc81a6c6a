//! The handlers of a bot, and which of them is called for an event.

use super::command::{Attended, Command, Desk};
use super::dialogue::converse;
use super::event::{Event, Values, What};
use super::filter::Filter;
use super::handler::{Handler, Parameters};
use super::kinds::Kinds;
use super::middleware::{Layer, Next};
use super::needs::{BotMistake, Needs, Store};
use super::reply::{IntoReply, Reply};
use super::timer::{Alarm, Schedule};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

type Call = Box<dyn Fn(Event) -> BoxFuture<'static, Reply> + Send + Sync>;

/// One handler, as it was added.
pub(super) struct Registered {
    name: &'static str,
    filter: Filter,
    needs: Needs,
    may_pass: bool,
    /// It captures nothing.
    is_bare: bool,
    alarm: ForAlarm,
    call: Call,
}

/// Which alarms a handler is for.
enum ForAlarm {
    None,
    /// Those of its own schedule.
    Schedule(Schedule),
    /// Those that were set for this topic.
    Topic(&'static str),
    /// Those of a schedule that is none: why.
    Wrong(String),
}

impl Registered {
    pub(super) fn new<Args, H>(filter: Filter, handler: H) -> Self
    where
        H: Handler<Args>,
        Args: Parameters,
        H::Output: IntoReply,
        H::Future: Send + 'static,
    {
        let mut needs = Needs::new();
        Args::needs(&mut needs);
        let handler = Arc::new(handler);
        let call: Call = Box::new(move |event| {
            let handler = handler.clone();
            Box::pin(async move {
                let args = Args::from_event(&event).await;
                // What the event holds is not needed while the handler runs, unless it took it.
                drop(event);
                match args {
                    Ok(args) => handler.call(args).await.into_reply(),
                    Err(rejection) => rejection.into_reply(),
                }
            })
        });
        Self {
            name: std::any::type_name::<H>(),
            filter: filter.settled(),
            needs,
            may_pass: H::Output::MAY_PASS,
            is_bare: size_of::<H>() == 0,
            alarm: ForAlarm::None,
            call,
        }
    }

    /// Calls it at the times of a schedule.
    pub(super) fn scheduled(mut self, schedule: Result<Schedule, String>) -> Self {
        self.alarm = match schedule {
            Ok(schedule) => ForAlarm::Schedule(schedule),
            Err(reason) => ForAlarm::Wrong(reason),
        };
        self
    }

    /// Calls it for alarms of this topic.
    pub(super) fn for_topic(mut self, topic: &'static str) -> Self {
        self.alarm = ForAlarm::Topic(topic);
        self
    }

    /// Calls the handler.
    pub(super) fn call(&self, event: Event) -> BoxFuture<'static, Reply> {
        (self.call)(event)
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) const fn needs(&self) -> &Needs {
        &self.needs
    }

    /// The kinds of events that it takes.
    fn kinds(&self) -> Kinds {
        self.filter.kinds()
    }

    /// Takes every event of its kinds.
    fn takes_all(&self) -> bool {
        self.filter.is_plain() && !self.may_pass && self.needs.always(self.kinds())
    }
}

/// The handlers of a bot, in the order they were added.
#[derive(Default)]
pub(super) struct Handlers {
    all: Vec<Registered>,
    layers: Vec<Layer>,
    /// Called when one of the others fails.
    on_error: Option<Registered>,
    /// Messages that are older are not handled, but by the other.
    max_age: Option<Duration>,
    on_old: Option<Registered>,
    /// The commands with their handlers, which come before the others.
    desk: Desk,
    /// One of them holds dialogues.
    have_dialogues: bool,
}

impl Handlers {
    pub(super) fn add(&mut self, handler: Registered) {
        self.have_dialogues |= handler.needs.has_dialogue();
        self.all.push(handler);
    }

    pub(super) fn add_layer(&mut self, layer: Layer) {
        self.layers.push(layer);
    }

    /// Puts these around the bot's own.
    pub(super) fn surround(&mut self, layers: &[Layer]) {
        self.layers.splice(0..0, layers.iter().cloned());
    }

    pub(super) fn set_on_error(&mut self, handler: Registered) {
        self.on_error = Some(handler);
    }

    pub(super) const fn set_max_age(&mut self, age: Duration) {
        self.max_age = Some(age);
    }

    pub(super) fn set_on_old(&mut self, handler: Registered) {
        self.on_old = Some(handler);
    }

    /// Whether a message is too old to be handled.
    fn is_old(&self, event: &Event) -> bool {
        let Some((age, message)) = self.max_age.zip(event.message()) else {
            return false;
        };
        message.time > 0 && message.time.saturating_add(age.as_secs()) < event.service_time()
    }

    pub(super) const fn on_error(&self) -> Option<&Registered> {
        self.on_error.as_ref()
    }

    pub(super) const fn desk(&self) -> &Desk {
        &self.desk
    }

    pub(super) fn add_command(&mut self, command: Command, handler: Registered) {
        self.have_dialogues |= handler.needs.has_dialogue();
        self.desk.add(command, handler);
    }

    /// The command of the handler that was called, if it is one of a command.
    pub(super) fn called_command(&self, event: &Event) -> Option<usize> {
        event.called()?.checked_sub(self.all.len())
    }

    pub(super) const fn desk_mut(&mut self) -> &mut Desk {
        &mut self.desk
    }

    pub(super) fn len(&self) -> usize {
        self.all.len() + self.desk.handlers().len()
    }

    /// The handler of this number: those of commands come after the others.
    fn numbered(&self, number: usize) -> Option<&Registered> {
        let command = number.checked_sub(self.all.len());
        command.map_or_else(|| self.all.get(number), |at| self.desk.handlers().get(at))
    }

    pub(super) fn layer(&self, position: usize) -> Option<Layer> {
        self.layers.get(position).cloned()
    }

    /// Whether nothing in them could tell accounts apart.
    pub(super) fn are_bare(&self) -> bool {
        let all = self.all.iter().chain(self.desk.handlers());
        let all = all.chain(&self.on_error);
        all.chain(&self.on_old).all(|handler| handler.is_bare)
    }

    /// Whether a handler takes updates.
    pub(super) fn want_updates(&self) -> bool {
        self.all
            .iter()
            .any(|handler| handler.kinds().meets(Kinds::UPDATE))
    }

    /// Whether some handler may take the event, which is made of `what` when it has to be looked at.
    pub(super) fn want(&self, what: &What, event: impl FnOnce() -> Event) -> bool {
        let mut unclear = false;
        for handler in &self.all {
            match handler.filter.quick(what) {
                Some(true) => return true,
                Some(false) => {}
                None => unclear = true,
            }
        }
        let may_be_command = self.desk.may_be_command(what);
        if !unclear && !may_be_command {
            return false;
        }
        let event = event();
        if may_be_command && self.desk.may_want(&event) {
            return true;
        }
        self.all
            .iter()
            .any(|handler| handler.filter.now(&event) != Some(false))
    }

    /// The names of handlers that have a schedule.
    pub(super) fn schedules(&self) -> impl Iterator<Item = (&'static str, &Schedule)> {
        self.all.iter().filter_map(|handler| match &handler.alarm {
            ForAlarm::Schedule(schedule) => Some((handler.name, schedule)),
            _ => None,
        })
    }

    /// The handler that an alarm is for.
    pub(super) fn of_alarm(&self, alarm: &Alarm) -> Option<usize> {
        let later = alarm.later.as_ref();
        self.all.iter().position(|handler| match &handler.alarm {
            ForAlarm::Schedule(_) => alarm.key.scheduled() == Some(handler.name),
            ForAlarm::Topic(topic) => later.is_some_and(|later| *later.topic == **topic),
            ForAlarm::None | ForAlarm::Wrong(_) => false,
        })
    }

    /// The handlers that each get an event of this kind.
    pub(super) fn wanting<'a>(&'a self, what: &'a What) -> impl Iterator<Item = usize> + 'a {
        let all = self.all.iter().enumerate();
        all.filter(|(_, handler)| handler.filter.quick(what) != Some(false))
            .map(|(number, _)| number)
    }

    /// The handler of this name that holds dialogues.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        let mut all = self.all.iter().chain(self.desk.handlers());
        all.position(|handler| handler.name == name && handler.needs.has_dialogue())
    }

    /// Whether one of them holds dialogues.
    pub(super) const fn have_dialogues(&self) -> bool {
        self.have_dialogues
    }

    /// The name of the handler that was called; before that, of the first that may take the event.
    pub(super) fn name(&self, event: &Event) -> &'static str {
        let called = event.called().and_then(|number| self.numbered(number));
        called.map_or_else(|| self.candidate(event.what()), |handler| handler.name)
    }

    /// The name of the first handler that may take the event.
    pub(super) fn candidate(&self, what: &What) -> &'static str {
        let mut all = self.all.iter();
        let found = all.find(|handler| handler.filter.quick(what) != Some(false));
        found.map_or("none", |handler| handler.name)
    }

    /// What is wrong with them, for a bot with these values.
    pub(super) fn mistakes(&self, values: &Values) -> Vec<BotMistake> {
        let mut mistakes = self.desk.mistakes().to_vec();
        let commands = self.all.len()..self.len();
        let all = self.all.iter().chain(self.desk.handlers());
        for (number, handler) in all.chain(&self.on_error).enumerate() {
            let name = handler.name;
            if !commands.contains(&number) && !handler.needs.all_args().is_empty() {
                mistakes.push(BotMistake::NoCommand { handler: name });
            }
            if let ForAlarm::Wrong(reason) = &handler.alarm {
                let reason = reason.clone();
                mistakes.push(BotMistake::Schedule {
                    handler: name,
                    reason,
                });
            }
            if let Some(reason) = handler.filter.broken() {
                let reason = reason.to_owned();
                mistakes.push(BotMistake::Filter {
                    handler: name,
                    reason,
                });
            }
            for value in handler.needs.values() {
                let of = value.of;
                if !values.contains_key(&value.id) {
                    mistakes.push(match value.what {
                        Store::State => BotMistake::NoState { handler: name, of },
                        Store::Config => BotMistake::NoConfig { handler: name, of },
                    });
                }
            }
            let possible = handler.kinds() & handler.needs.kinds();
            if possible.is_empty() {
                mistakes.push(BotMistake::NeverCalled { handler: name });
            } else if number >= self.all.len() {
                // A command, or the handler of errors: nothing comes before them.
            } else if Kinds::SAID.holds(possible)
                && let Some(first) = self.all[..number]
                    .iter()
                    .find(|first| first.takes_all() && first.kinds().holds(possible))
            {
                mistakes.push(BotMistake::Shadowed {
                    handler: name,
                    by: first.name,
                });
            }
        }
        mistakes
    }
}

/// Runs the middleware of the event's bot, and the handlers: only one, or those that take the event until one does
/// not pass. Nothing of them has run when this returns.
pub(super) fn run(event: Event, only: Option<usize>) -> BoxFuture<'static, Reply> {
    let handlers = &event.bot().handlers;
    if handlers.is_old(&event) {
        return match &handlers.on_old {
            Some(handler) => handler.call(event.clone()),
            None => std::future::ready(Reply::none()).boxed(),
        };
    }
    if !handlers.layers.is_empty() {
        return Next::first(only).run(event).boxed();
    }
    if handlers.have_dialogues || handlers.desk.may_be_command(event.what()) {
        return dispatch(event, only).boxed();
    }
    // Most bots have one handler of a kind, without a filter: it needs nothing around it.
    let sole = only.or_else(|| {
        let mut wanting = handlers.wanting(event.what());
        wanting.next().filter(|_| wanting.next().is_none())
    });
    let sole = sole.and_then(|number| Some((number, handlers.all.get(number)?)));
    match sole {
        Some((number, handler)) if handler.filter.is_plain() => {
            event.call(number);
            handler.call(event.clone())
        }
        _ => dispatch(event, only).boxed(),
    }
}

/// Calls the handlers.
pub(super) async fn dispatch(event: Event, only: Option<usize>) -> Reply {
    let bot = event.bot().clone();
    if bot.handlers.have_dialogues {
        match converse(&event).await {
            Ok(None) => {}
            Ok(Some(number)) => {
                event.call(number);
                return match bot.handlers.numbered(number) {
                    Some(handler) => handler.call(event).await,
                    None => Reply::none(),
                };
            }
            Err(reply) => return *reply,
        }
    }
    let desk = &bot.handlers.desk;
    let mut unknown = None;
    if desk.may_be_command(event.what()) {
        match desk.attend(&event).await {
            Attended::No => {}
            Attended::Unknown(name) => unknown = Some(name),
            Attended::Answer(reply) => return reply,
            Attended::Call(index) => {
                event.call(bot.handlers.all.len() + index);
                if let Some(handler) = desk.handlers().get(index) {
                    let reply = handler.call(event.clone()).await;
                    if !reply.is_pass() {
                        return reply;
                    }
                }
            }
        }
    }
    let is_for_all = !Kinds::SAID.meets(event.kind());
    let mut replies = Reply::pass();
    let mut failed = None;
    for (number, handler) in bot.handlers.all.iter().enumerate() {
        if only.is_some_and(|only| only != number) || !handler.filter.passes(&event).await {
            continue;
        }
        event.call(number);
        let reply = handler.call(event.clone()).await;
        if is_for_all {
            if reply.error().is_some() {
                failed = failed.or(Some(number));
            }
            replies = replies.then(reply);
        } else if !reply.is_pass() {
            return reply;
        }
    }
    if let Some(number) = failed {
        // It is the one that the log names.
        event.call(number);
    }
    match unknown {
        Some(name) => desk.unknown(&event, &name).await,
        None => replies,
    }
}
