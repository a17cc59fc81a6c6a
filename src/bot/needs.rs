//! What the handlers of a bot need, checked when the bot is made and not at the first message.

use super::command::{ArgsNeed, CommandError, PrefixError};
use super::kinds::Kinds;
use super::language::TextsError;
use std::any::TypeId;

/// Collects what the parameters of one handler need. See [`FromEvent::needs`](super::FromEvent::needs).
#[derive(Debug)]
pub struct Needs {
    /// The kinds of events of which all parameters can be read.
    kinds: Kinds,
    may_skip: bool,
    has_dialogue: bool,
    values: Vec<Value>,
    args: Vec<ArgsNeed>,
}

/// A value that a handler takes.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) id: TypeId,
    pub(super) of: &'static str,
    pub(super) what: Store,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    State,
    Config,
}

/// A mistake in how a bot is put together. The bot is not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BotMistake {
    /// A handler takes a [`State<T>`](super::State) that nobody gave.
    #[error("{handler} takes State<{of}>: add `.state(…)` to the bot, or to the fleet")]
    NoState {
        /// The handler.
        handler: &'static str,
        /// The type.
        of: &'static str,
    },
    /// A handler takes a [`Config<T>`](super::Config) that the bot does not declare.
    #[error("{handler} takes Config<{of}>: add `.config::<{of}>()` to the bot")]
    NoConfig {
        /// The handler.
        handler: &'static str,
        /// The type.
        of: &'static str,
    },
    /// The events that a handler is added for never hold what its parameters ask for.
    #[error("{handler} is never called: no event that it is added for has all its parameters")]
    NeverCalled {
        /// The handler.
        handler: &'static str,
    },
    /// The times at which a handler is to be called are none.
    #[error("the schedule of {handler} cannot be used: {reason}")]
    Schedule {
        /// The handler.
        handler: &'static str,
        /// Why not.
        reason: String,
    },
    /// The filter of a handler cannot be used.
    #[error("the filter of {handler} cannot be used: {reason}")]
    Filter {
        /// The handler.
        handler: &'static str,
        /// Why not.
        reason: String,
    },
    /// A command of a handler cannot be used.
    #[error("the command of {handler} cannot be used: {reason}")]
    Command {
        /// The handler.
        handler: &'static str,
        /// Why not.
        #[source]
        reason: CommandError,
    },
    /// A handler takes [`Args`](super::Args), and is added for no command.
    #[error("{handler} takes `Args`, which only a command has: add it with `.command(…)`")]
    NoCommand {
        /// The handler.
        handler: &'static str,
    },
    /// What a command begins with cannot be used.
    #[error(transparent)]
    Prefix(PrefixError),
    /// A file of texts cannot be used.
    #[error(transparent)]
    Texts(TextsError),
    /// An earlier handler takes every message of the kind.
    #[error(
        "{handler} is never called: {by} comes first and takes every such message; let {by} return `Pass` for what it does not answer, add a filter to it, or add {handler} before it"
    )]
    Shadowed {
        /// The handler.
        handler: &'static str,
        /// The one that comes first.
        by: &'static str,
    },
}

impl Needs {
    pub(super) const fn new() -> Self {
        Self {
            kinds: Kinds::ALL,
            may_skip: false,
            has_dialogue: false,
            values: Vec::new(),
            args: Vec::new(),
        }
    }

    /// The value cannot always be read: the handler may be skipped.
    pub const fn may_skip(&mut self) {
        self.may_skip = true;
    }

    /// The value can be read from these kinds of events, and always.
    pub(super) fn only(&mut self, kinds: Kinds) {
        self.kinds = self.kinds & kinds;
    }

    /// The handler holds dialogues.
    pub(super) const fn dialogue(&mut self) {
        self.has_dialogue = true;
    }

    pub(super) const fn has_dialogue(&self) -> bool {
        self.has_dialogue
    }

    /// The bot must have a [`State<T>`](super::State).
    pub fn state<T: 'static>(&mut self) {
        self.value::<T>(Store::State);
    }

    /// The bot must have a [`Config<T>`](super::Config).
    pub fn config<T: 'static>(&mut self) {
        self.value::<T>(Store::Config);
    }

    fn value<T: 'static>(&mut self, what: Store) {
        self.values.push(Value {
            id: TypeId::of::<T>(),
            of: std::any::type_name::<T>(),
            what,
        });
    }

    /// The arguments of a command are read.
    pub(super) fn args(&mut self, need: ArgsNeed) {
        self.args.push(need);
    }

    pub(super) fn all_args(&self) -> &[ArgsNeed] {
        &self.args
    }

    /// The kinds of events of which everything can be read.
    pub(super) const fn kinds(&self) -> Kinds {
        self.kinds
    }

    /// Whether everything can be read of every event of these kinds.
    pub(super) const fn always(&self, kinds: Kinds) -> bool {
        !self.may_skip && self.kinds.holds(kinds)
    }

    pub(super) fn values(&self) -> &[Value] {
        &self.values
    }
}
