//! What the API does for a handler that holds a dialogue: once, although the handler runs again and again.

use super::{Api, ApiError};
use crate::bot::dialogue::{Shared, StepKind, StepNext};
use botroupe_core::ledger::Fingerprint;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::pending;

/// A step of a handler.
pub(super) enum Step<'a, T> {
    /// It was done before, and has led to this.
    Done(T),
    /// It is to be done now.
    Live(Record<'a>),
}

/// Notes what a step has led to.
pub(super) struct Record<'a>(Option<(&'a Shared, StepKind, u64)>);

impl Record<'_> {
    /// A request was answered with this body.
    pub(super) fn answered(&self, body: &str) {
        if let Some((script, kind, key)) = self.0 {
            script.lock().done(kind, key, body.into());
        }
    }

    pub(super) fn done<T: Serialize>(&self, value: &T) {
        if let Some((script, kind, key)) = self.0
            // Without it the step is done again.
            && let Ok(value) = serde_json::to_string(value)
        {
            script.lock().done(kind, key, value.into());
        }
    }
}

impl Api {
    /// Does something once for a handler that holds a dialogue.
    pub(in crate::bot) async fn once<T: Serialize + DeserializeOwned>(
        &self,
        what: &str,
        name: &str,
        work: impl AsyncFnOnce() -> T,
    ) -> Result<T, ApiError> {
        let key = || Fingerprint::new(what).text(name).finish();
        match self.dialogue_step(StepKind::Run, key).await? {
            Step::Done(result) => Ok(result),
            Step::Live(record) => {
                let result = work().await;
                record.done(&result);
                Ok(result)
            }
        }
    }

    /// Whether the handler holds a dialogue.
    pub(super) fn is_in_dialogue(&self) -> bool {
        let owner = self.books.as_ref().map(|(_, owner)| owner);
        owner.is_some_and(|owner| owner.dialogue().is_some())
    }

    /// Whether a task is to be started: a handler that runs again has started it before.
    pub(super) fn spawns_now(&self) -> bool {
        let owner = self.books.as_ref().map(|(_, owner)| owner);
        let Some(script) = owner.and_then(|owner| owner.dialogue()) else {
            return true;
        };
        let mut script = script.lock();
        let is_live = matches!(script.next(StepKind::Spawn, 0), StepNext::Live);
        if is_live {
            script.done(StepKind::Spawn, 0, "".into());
        }
        is_live
    }

    /// What becomes of a step that is known by its kind and `key`. Does not return when the handler does something else
    /// than it did before: then it does not go on.
    ///
    /// # Errors
    /// When what is known cannot be read.
    pub(super) async fn dialogue_step<T: DeserializeOwned>(
        &self,
        kind: StepKind,
        key: impl FnOnce() -> u64,
    ) -> Result<Step<'_, T>, ApiError> {
        let owner = self.books.as_ref().map(|(_, owner)| owner);
        let Some(script) = owner.and_then(|owner| owner.dialogue()) else {
            return Ok(Step::Live(Record(None)));
        };
        let key = key();
        let next = script.lock().next(kind, key);
        match next {
            StepNext::Live => Ok(Step::Live(Record(Some((script, kind, key))))),
            StepNext::Done(value) => match serde_json::from_str(&value) {
                Ok(value) => Ok(Step::Done(value)),
                Err(_) => {
                    script.lock().change();
                    pending().await
                }
            },
            StepNext::Changed => pending().await,
        }
    }
}
