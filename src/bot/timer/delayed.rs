//! Replies that are said after a while.

use super::alarms::{Key, Later};
use super::later::Later as Payload;
use crate::bot::event::Event;
use crate::bot::filter::Filter;
use crate::bot::handlers::Registered;
use crate::bot::kinds::Kinds;
use crate::bot::reply::Reply;
use crate::proto::message::Draft;
use std::sync::Arc;
use std::time::Duration;

/// The topic of such an alarm. No bot of an author has it: there a handler takes its topics.
pub(super) const TOPIC: &str = " delayed reply";

/// The handler that says what the time has come for.
pub(in crate::bot) fn speaker() -> Registered {
    async fn say(draft: Payload<Draft>) -> Reply {
        Reply::message(draft.into_inner())
    }
    Registered::new(Filter::kinds_only(Kinds::ALARM), say).for_topic(TOPIC)
}

/// Says something where the event is from, after a time. It is set when the handler ends well.
pub(in crate::bot) fn say_later(event: &Event, after: Duration, draft: &Draft) {
    let (ledger, owner) = (event.ledger(), event.owner());
    let Some(exchange) = owner.exchange() else {
        return; // Every event has one.
    };
    // Times of alarms have whole seconds, and a reply does not come too early.
    let after = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    let key = Key {
        bot: owner.bot().into(),
        name: ledger.alarm_name(&owner),
    };
    let later = Later {
        due: event.now().unix_secs().saturating_add(after),
        topic: TOPIC.into(),
        // It holds texts and numbers only, so it can be written.
        payload: serde_json::to_string(draft).unwrap_or_default().into(),
        place: exchange.place.clone(),
    };
    ledger.change_alarm_of(exchange, key, Some(Arc::new(later)));
}
