//! Records the actions of a bot under test and answers its requests.

use super::api::ApiError;
use super::failure::Failure;
use crate::proto::answer::Sent;
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Draft};
use crate::proto::op::Call;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The recorded actions of a bot under test, and the answers to its requests.
#[derive(Debug)]
pub(super) struct Recording {
    user: UserId,
    state: Mutex<Recorded>,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            user: Self::USER.into(),
            state: Mutex::default(),
        }
    }
}

#[derive(Debug, Default)]
struct Recorded {
    sent: Vec<(Conversation, Draft)>,
    calls: Vec<(String, Value)>,
    answers: HashMap<String, VecDeque<String>>,
    failures: Vec<Failure>,
}

impl Recording {
    /// The account of a bot under test.
    pub(super) const USER: &'static str = "bot";

    /// The account of a bot under test.
    pub(super) const fn user(&self) -> &UserId {
        &self.user
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the next request of this command.
    pub(super) fn answer(&self, servcmd: &str, answer: &Value) {
        let mut state = self.lock();
        let answers = state.answers.entry(servcmd.to_owned()).or_default();
        answers.push_back(answer.to_string());
    }

    /// The messages sent since the last call, and to whom.
    pub(super) fn take_sent(&self) -> Vec<(Conversation, Draft)> {
        std::mem::take(&mut self.lock().sent)
    }

    /// How many messages were sent since they were taken.
    #[cfg(test)]
    pub(super) fn sent(&self) -> usize {
        self.lock().sent.len()
    }

    /// The requests made since the last call, with their bodies.
    pub(super) fn take_calls(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.lock().calls)
    }

    /// A handler has failed.
    pub(super) fn fail(&self, failure: Failure) {
        self.lock().failures.push(failure);
    }

    /// The failures since the last call.
    pub(super) fn take_failures(&self) -> Vec<Failure> {
        std::mem::take(&mut self.lock().failures)
    }

    /// The number of the next message, in groups and elsewhere.
    pub(super) fn send(&self, to: Conversation, draft: Draft) -> Sent {
        let mut state = self.lock();
        state.sent.push((to, draft));
        let seq = u32::try_from(state.sent.len()).unwrap_or(u32::MAX);
        Sent {
            time: 0,
            key: format!("{seq}_{seq}_0"),
            seq,
        }
    }

    pub(super) fn call<C: Call>(&self, call: &C) -> Result<String, ApiError> {
        let servcmd = call.servcmd().into_owned();
        let mut state = self.lock();
        let body = serde_json::to_value(call).unwrap_or_default();
        state.calls.push((servcmd.clone(), body));
        let answers = state.answers.get_mut(&servcmd);
        let answer = answers.and_then(VecDeque::pop_front);
        answer.ok_or(ApiError::NoAnswer { servcmd })
    }
}
