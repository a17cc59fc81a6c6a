//! Brings the answer to a question back to the handler that asked it.

use super::approval::Decision;
use super::script::{Approver, End, Input, Journal, Script};
use super::waiting::{DialoguePlace, cell_of};
use super::{DialogueError, Shared};
use crate::bot::event::{Event, What};
use crate::bot::reply::{HandlerError, Reply};
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Draft, Message};
use botroupe_core::ledger::Cell;
use std::sync::Arc;

/// Words that end a dialogue.
const CANCEL: [&str; 6] = ["cancel", "/cancel", "stop", "/stop", "取消", "退出"];
// The ids of texts.
const CHANGED: &str = "dialogue-changed";
const TOO_LONG: &str = "dialogue-too-long";
const CANCELLED: &str = "dialogue-cancelled";
const TIMED_OUT: &str = "dialogue-timed-out";
const GRANTED: &str = "approval-granted";
const DENIED: &str = "approval-denied";
const OWN: &str = "approval-own";

/// A dialogue that goes on.
#[derive(Debug)]
pub(in crate::bot) struct Resumed {
    pub(in crate::bot) place: DialoguePlace,
    /// The message that it began with.
    pub(in crate::bot) start: Arc<Message>,
    pub(in crate::bot) script: Shared,
    /// What is said to who has decided, where.
    pub(in crate::bot) told: Option<(Conversation, Draft)>,
}

/// A decision of somebody else about a dialogue.
struct Decided {
    decision: Decision,
    by: UserId,
    conversation: Conversation,
}

/// What the event has to do with a dialogue: `Err` with the reply if no handler is to be called, `Ok` with the handler
/// to go on with.
pub(in crate::bot) async fn converse(event: &Event) -> Result<Option<usize>, Box<Reply>> {
    let ledger = event.ledger();
    let Some(place) = event.dialogue_place() else {
        return Ok(None);
    };
    let lapse = matches!(event.what(), What::Lapsed(_));
    let elsewhere = || match lapse {
        true => Err(Box::new(Reply::none())),
        false => Ok(None),
    };
    let failed = |error: HandlerError| Box::new(Reply::failed(error));
    let said = |id: &str| Box::new(Reply::message(event.say(id)));
    let (place, decided) = match decided(event) {
        Some((of, _)) if of.user == place.user => {
            return Err(said(OWN));
        }
        Some((of, decided)) => (of, Some(decided)),
        None => (place, None),
    };
    let may_go_on = decided.is_some()
        || ledger.awaits_answer(&place)
        || (lapse || is_cancel(event)) && ledger.is_in_dialogue(&place);
    if !may_go_on {
        return elsewhere();
    }
    // A command is never an answer: `/help` helps, and the question still waits.
    let is_command = !lapse && decided.is_none() && event.bot().handlers.desk().is_command(event);
    if is_command && !is_cancel(event) {
        return Ok(None);
    }
    let key = cell_of(&place, ledger.number());
    // A decision comes in another conversation than an answer: one after the other.
    let lock = ledger.shelf().lock(&key).await;
    let lock = lock.map_err(|error| failed(error.into()))?;
    if let Some(exchange) = event.owner().exchange() {
        exchange.hold(key.clone(), lock);
    }
    let found = ledger.shelf().store().cell(key, 0).await;
    let Some(cell) = found.map_err(|error| failed(error.into()))? else {
        ledger.end_dialogue(&place);
        return elsewhere();
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
        return Err(said(CHANGED));
    };
    let mut told = None;
    let input = match (event.what(), decided) {
        (_, Some(decided)) => {
            let Decided {
                decision: Decision { granted, code },
                by,
                conversation,
            } = decided;
            if journal
                .approver
                .as_ref()
                .is_none_or(|approver| approver.code != code)
            {
                return Ok(None); // It was decided meanwhile.
            }
            let id = if granted { GRANTED } else { DENIED };
            let said = event.texts().with(id, &[("code", (&*code).into())]);
            told = Some((conversation, Draft::text(said)));
            Input::Decided { granted, by }
        }
        (What::Message(_), _) if is_cancel(event) => Input::Cancelled,
        (What::Message(_), _) if journal.approver.is_some() => return Ok(None),
        (What::Message(message), _) => Input::Message(message.clone()),
        // It was answered meanwhile, and asks something else.
        _ if journal.deadline > event.now().unix_secs() => return elsewhere(),
        _ => Input::TimedOut,
    };
    let start = journal.start.clone();
    let script = Shared::new(Script::resumed(journal, input));
    event.resume(Resumed {
        place,
        start,
        script,
        told,
    });
    Ok(Some(handler))
}

/// The dialogue about which the event decides.
fn decided(event: &Event) -> Option<(DialoguePlace, Decided)> {
    let What::Message(message) = event.what() else {
        return None;
    };
    let decision = Decision::read(message.text()?)?;
    let approver = Approver {
        conversation: message.conversation.clone(),
        code: decision.code.clone(),
    };
    let place = event.ledger().approval(event.bot().name, &approver)?;
    let decided = Decided {
        decision,
        by: message.from.clone(),
        conversation: message.conversation.clone(),
    };
    Some((place, decided))
}

/// Whether a dialogue may have to do with the event.
pub(in crate::bot) fn may_converse(event: &Event) -> bool {
    let place = event.dialogue_place();
    place.is_some_and(|place| event.ledger().is_in_dialogue(&place)) || decided(event).is_some()
}

/// Whether somebody wants no more of a dialogue.
fn is_cancel(event: &Event) -> bool {
    let What::Message(message) = event.what() else {
        return false;
    };
    let text = message.text().unwrap_or_default();
    CANCEL.contains(&text.trim().to_lowercase().as_str())
}

/// What becomes of a dialogue whose handler did not go on.
#[derive(Debug)]
pub(in crate::bot) struct Stop {
    /// What is said.
    pub(in crate::bot) said: Draft,
    /// Where it is said, if not in the conversation of the dialogue.
    pub(in crate::bot) to: Option<Conversation>,
    /// The dialogue as it is kept, its deadline, and who decides; `None` when it is over.
    pub(in crate::bot) kept: Option<(Box<str>, u64, Option<Approver>)>,
}

impl Stop {
    /// The end of a run.
    pub(in crate::bot) fn of(end: End, script: &Script, handler: &str, event: &Event) -> Self {
        let over = |id: &str| Self {
            said: Draft::text(event.say(id)),
            to: None,
            kept: None,
        };
        match end {
            End::Asked {
                question,
                deadline,
                pending,
                approver,
            } => {
                let journal =
                    script.journal(handler, pending, deadline, approver.clone(), &question);
                match serde_json::to_string(&journal) {
                    Ok(value) => Self {
                        said: *question,
                        to: approver
                            .as_ref()
                            .map(|approver| approver.conversation.clone()),
                        kept: Some((value.into(), deadline, approver)),
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
