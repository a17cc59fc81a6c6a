//! Brings the answer to a question back to the handler that asked it.

use super::script::{End, Input, Journal, Script};
use super::waiting::{DialoguePlace, cell_of};
use super::{DialogueError, Shared};
use crate::bot::event::{Event, What};
use crate::bot::reply::Reply;
use crate::proto::message::{Draft, Message};
use botroupe_core::ledger::Cell;
use std::sync::Arc;

/// Words that end a dialogue.
const CANCEL: [&str; 6] = ["cancel", "/cancel", "stop", "/stop", "取消", "退出"];
// The ids of texts.
const CHANGED: &str = "dialogue-changed";
const TOO_LONG: &str = "dialogue-too-long";
const CANCELLED: &str = "dialogue-cancelled";
const TIMED_OUT: &str = "dialogue-timed-out";

/// A dialogue that goes on.
#[derive(Debug)]
pub(in crate::bot) struct Resumed {
    /// The message that it began with.
    pub(in crate::bot) start: Arc<Message>,
    pub(in crate::bot) script: Shared,
}

/// What the event has to do with a dialogue: `Err` with the reply if no handler is to be called, `Ok` with the handler
/// to go on with.
pub(in crate::bot) async fn converse(event: &Event) -> Result<Option<usize>, Reply> {
    let ledger = event.ledger();
    let Some(place) = event.dialogue_place() else {
        return Ok(None);
    };
    let lapse = matches!(event.what(), What::Lapsed(_));
    let elsewhere = if lapse { Err(Reply::none()) } else { Ok(None) };
    if !ledger.is_in_dialogue(&place) {
        return elsewhere;
    }
    // A command is never an answer: `/help` helps, and the question still waits.
    if !lapse && event.bot().handlers.desk().is_command(event) && !is_cancel(event) {
        return Ok(None);
    }
    let key = cell_of(&place, ledger.number());
    let found = ledger.shelf().store().cell(key, 0).await;
    let cell = found.map_err(Reply::failed)?;
    let Some(cell) = cell else {
        ledger.end_dialogue(&place);
        return elsewhere;
    };
    let bot = event.bot().clone();
    let journal = serde_json::from_str::<Journal>(&cell.value).ok();
    let resumed = journal.and_then(|journal| {
        let handler = bot.handlers.named(&journal.handler)?;
        Some((journal, handler))
    });
    let Some((journal, handler)) = resumed else {
        // The handler is gone, or the journal is of a later version.
        event.forget_dialogue();
        return Err(Reply::message(event.say(CHANGED)));
    };
    let input = match event.what() {
        What::Message(_) if is_cancel(event) => Input::Cancelled,
        What::Message(message) => Input::Message(message.clone()),
        // It was answered meanwhile, and asks something else.
        _ if journal.deadline > event.now().unix_secs() => return elsewhere,
        _ => Input::TimedOut,
    };
    let start = journal.start.clone();
    let script = Shared::new(Script::resumed(journal, input));
    event.resume(Resumed { start, script });
    Ok(Some(handler))
}

/// Whether somebody wants no more of a dialogue.
fn is_cancel(event: &Event) -> bool {
    let text = event.message().and_then(Message::text).unwrap_or_default();
    CANCEL.contains(&text.trim().to_lowercase().as_str())
}

/// What becomes of a dialogue whose handler did not go on.
#[derive(Debug)]
pub(in crate::bot) struct Stop {
    /// What is said.
    pub(in crate::bot) said: Draft,
    /// The dialogue as it is kept, and its deadline; `None` when it is over.
    pub(in crate::bot) kept: Option<(Box<str>, u64)>,
}

impl Stop {
    /// The end of a run.
    pub(in crate::bot) fn of(end: End, script: &Script, handler: &str, event: &Event) -> Self {
        let over = |id: &str| Self {
            said: Draft::text(event.say(id)),
            kept: None,
        };
        match end {
            End::Asked {
                question,
                deadline,
                pending,
            } => {
                let journal = script.journal(handler, pending, deadline);
                match serde_json::to_string(&journal) {
                    Ok(value) => Self {
                        said: *question,
                        kept: Some((value.into(), deadline)),
                    },
                    // It holds texts and numbers only, so it can be written.
                    Err(_) => over(TOO_LONG),
                }
            }
            End::Changed => over(CHANGED),
            End::TooLong => over(TOO_LONG),
        }
    }
}

impl DialogueError {
    /// The id of the text that the user is told when the handler returns this.
    pub(in crate::bot) const fn said(&self) -> &'static str {
        match self {
            Self::Cancelled => CANCELLED,
            Self::TimedOut => TIMED_OUT,
        }
    }
}

/// The value that keeps a dialogue.
pub(in crate::bot) fn cell(place: &DialoguePlace, event: &Event, value: Box<str>) -> Cell {
    Cell {
        key: cell_of(place, event.ledger().number()),
        value,
        ends: None,
        at: event.now().unix_secs(),
    }
}
