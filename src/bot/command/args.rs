//! The arguments of a command as a Rust type.

use super::fault::Fault;
use super::given::Given;
use super::pattern::Pattern;
use super::root::Root;
use super::set::{CommandError, Commands};
use super::usage::{UsageError, UsageMistake};

use super::written;
use crate::bot::event::{Event, FromEvent};
use crate::bot::kinds::Kinds;
use crate::bot::needs::Needs;
use crate::bot::rejection::Rejection;
use crate::bot::reply::Reply;
use serde::de::DeserializeOwned;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// The arguments of the command that the handler is for, as a `T`: a tuple with one element for each argument
/// of the pattern, a struct with fields named like them, or the value of the only one.
///
/// ```
/// use botroupe::prelude::*;
/// use serde::Deserialize;
///
/// // weather <city> [days:1..7]
/// async fn weather(Args((city, days)): Args<(String, Option<u8>)>) -> String {
///     format!("{city}: sunny for {} days", days.unwrap_or(1))
/// }
///
/// // ban <who:user> [for:duration] [--quietly] [--reason <why>]
/// #[derive(Deserialize)]
/// struct Ban {
///     who: UserId,
///     r#for: Option<std::time::Duration>,
///     quietly: bool,
///     reason: Option<String>,
/// }
///
/// async fn ban(ban: Args<Ban>) -> Option<String> {
///     (!ban.quietly).then(|| format!("{} is banned", ban.who))
/// }
/// ```
///
/// A `user` is a [`UserId`](crate::id::UserId), a `group` a [`GroupId`](crate::id::GroupId); either may be read as a text.
/// What may be missing is an `Option` (or has `#[serde(default)]`), what is repeated a `Vec`, a flag a `bool`, a
/// duration a [`Duration`](std::time::Duration), a date a text like `2026-12-31`, which date types read. Enums of the bot's own
/// that derive `Deserialize` are choices. Whether the type fits the pattern is checked when the bot is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Args<T>(pub T);

impl<T> Deref for Args<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Args<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Why there are no arguments.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotGiven {
    /// The handler is not called for a command.
    #[error("the handler is not called for a command")]
    NoCommand,
    /// What was written does not fit the type; this is answered.
    #[error("what was written does not fit the arguments")]
    Unfit(Reply),
}

impl From<NotGiven> for Rejection {
    fn from(reason: NotGiven) -> Self {
        match reason {
            NotGiven::NoCommand => Self::Skip,
            NotGiven::Unfit(reply) => Self::Answer(reply),
        }
    }
}

impl<T: DeserializeOwned + Send> FromEvent for Args<T> {
    type Rejection = NotGiven;

    async fn from_event(event: &Event) -> Result<Self, NotGiven> {
        let desk = event.bot().handlers.desk();
        let recalled = match event.command() {
            Some(_) => None,
            None => desk.recall(event),
        };
        let called = event.command().or(recalled.as_ref());
        let called = called.ok_or(NotGiven::NoCommand)?;
        let error = match read(&called.given) {
            Ok(args) => return Ok(Self(args)),
            Err(error) => error,
        };
        Err(NotGiven::Unfit(
            desk.misused(event, called.index, &error).await,
        ))
    }

    fn needs(needs: &mut Needs) {
        needs.only(Kinds::TEXT);
        needs.args(ArgsNeed {
            check: Commands::check_args::<T>,
        });
    }
}

/// What a handler asks of its command.
#[derive(Clone, Copy, Debug)]
pub(in crate::bot) struct ArgsNeed {
    /// Whether the type fits the command of this place.
    pub(super) check: fn(&Commands, usize) -> Result<(), CommandError>,
}

/// Reads what was given.
///
/// # Errors
/// What does not fit the type, as a mistake of who wrote it.
pub(super) fn read<T: DeserializeOwned>(given: &Given) -> Result<T, UsageError> {
    T::deserialize(Root::given(given)).map_err(|fault| {
        let (at, fault) = fault.apart();
        let arguments = &given.pattern.arguments;
        let argument = at.and_then(|at| arguments.get(at)).or(arguments.first());
        let taken = at.and_then(|at| given.taken.get(at));
        let text = taken.and_then(|taken| taken.first());
        let text = text.map_or("", |one| one.written.as_str());
        match (argument, fault) {
            (Some(argument), Fault::Wanted { wanted, written }) => {
                UsageError::wrong(argument, written.as_deref().unwrap_or(text), wanted)
            }
            (argument, Fault::Refused(reason) | Fault::Structure(reason)) => {
                UsageMistake::Refused {
                    argument: argument.map_or_else(String::new, |argument| argument.label()),
                    written: written::quotable(text),
                    reason: written::quotable_long(&reason),
                }
                .into()
            }
            (None, Fault::Wanted { .. } | Fault::At(..)) | (Some(_), Fault::At(..)) => {
                UsageMistake::TooMany(String::new()).into()
            }
        }
    })
}

/// Checks that `T` fits the pattern, by giving it what somebody might write: everything, and only what is required.
/// That the samples are no values of a type of the bot's own is no mistake.
///
/// # Errors
/// What does not fit.
pub(super) fn check<T: DeserializeOwned>(pattern: &Arc<Pattern>) -> Result<(), String> {
    let choices = pattern.arguments.iter().map(|it| it.kind.choices());
    let rounds = choices.max().unwrap_or(0).clamp(3, 64);
    let all = (0..rounds).map(|round| (true, round));
    for (all, round) in all.chain((0..3).map(|round| (false, round))) {
        let given = Given::sample(pattern, all, round);
        let Err(fault) = T::deserialize(Root::sample(&given, all)) else {
            continue;
        };
        let (at, fault) = fault.apart();
        if let Fault::Structure(reason) = fault {
            let argument = at.and_then(|at| pattern.arguments.get(at));
            return Err(argument.map_or(reason.clone(), |argument| {
                format!("{}: {reason}", argument.usage())
            }));
        }
    }
    Ok(())
}
