//! Records the actions of a bot under test and answers its requests.

use super::api::ApiError;
use super::failure::Failure;
use crate::account::{OutboxError, RequestError, SendError};
use crate::proto::answer::Sent;
use crate::proto::code::Code;
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Draft, Element};
use crate::proto::op::Call;
use crate::proto::op::c2c_message::Edited;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The recorded actions of a bot under test, and the answers to its requests. A bot whose process has died does nothing
/// any more that is recorded.
#[derive(Debug)]
pub(super) struct Recording {
    user: UserId,
    state: Arc<Mutex<Recorded>>,
    /// The process that acts.
    life: u64,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            user: Self::USER.into(),
            state: Arc::default(),
            life: 0,
        }
    }
}

#[derive(Debug, Default)]
struct Recorded {
    life: u64,
    sent: Vec<(u32, Conversation, Draft)>,
    edits: Vec<Edit>,
    calls: Vec<(String, Value)>,
    answers: HashMap<String, VecDeque<Result<String, Code>>>,
    failures: Vec<Failure>,
    /// What the server has, by number from 1, with the number of edits.
    messages: Vec<(Conversation, Draft, u32)>,
}

/// An edit of a message that the bot has sent.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    /// The number of the message.
    pub(super) number: u32,
    pub(super) to: Conversation,
    /// What it says now.
    pub(super) draft: Draft,
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

    /// The process has died: what it does from now on is not done. Returns what the next one records with.
    pub(super) fn died(&self) -> Arc<Self> {
        let mut state = self.lock();
        state.life += 1;
        Arc::new(Self {
            user: self.user.clone(),
            state: self.state.clone(),
            life: state.life,
        })
    }

    /// Answers the next request of this command.
    pub(super) fn answer(&self, servcmd: &str, answer: &Value) {
        let mut state = self.lock();
        let answers = state.answers.entry(servcmd.to_owned()).or_default();
        answers.push_back(Ok(answer.to_string()));
    }

    /// Refuses the next request of this command.
    pub(super) fn refuse(&self, servcmd: &str, code: Code) {
        let mut state = self.lock();
        let answers = state.answers.entry(servcmd.to_owned()).or_default();
        answers.push_back(Err(code));
    }

    /// The messages sent since the last call, with their numbers.
    pub(super) fn take_sent(&self) -> Vec<(u32, Conversation, Draft)> {
        std::mem::take(&mut self.lock().sent)
    }

    /// The edits since the last call.
    pub(super) fn take_edits(&self) -> Vec<Edit> {
        std::mem::take(&mut self.lock().edits)
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
        let mut state = self.lock();
        if state.life == self.life {
            state.failures.push(failure);
        }
    }

    /// The failures since the last call.
    pub(super) fn take_failures(&self) -> Vec<Failure> {
        std::mem::take(&mut self.lock().failures)
    }

    /// The server takes a message and numbers it.
    pub(super) fn send(&self, to: Conversation, draft: Draft) -> Sent {
        let mut state = self.lock();
        let seq = u32::try_from(state.messages.len() + 1).unwrap_or(u32::MAX);
        if state.life == self.life {
            state.messages.push((to.clone(), draft.clone(), 0));
            state.sent.push((seq, to, draft));
        }
        Sent {
            time: 0,
            key: format!("{seq}_{seq}_0"),
            seq,
        }
    }

    pub(super) fn call<C: Call>(&self, call: &C) -> Result<String, ApiError> {
        let servcmd = call.servcmd().into_owned();
        let mut state = self.lock();
        if state.life != self.life {
            return Err(ApiError::NoAnswer { servcmd });
        }
        let body = serde_json::to_value(call).unwrap_or_default();
        state.calls.push((servcmd.clone(), body.clone()));
        let answers = state.answers.get_mut(&servcmd);
        if let Some(answer) = answers.and_then(VecDeque::pop_front) {
            let refused = |code| {
                let info = "refused by the test".to_owned();
                let error = RequestError::Refused { code, info };
                ApiError::Call(SendError::Outbox(OutboxError::Refused(error)))
            };
            return answer.map_err(refused);
        }
        let edited = match servcmd.as_str() {
            "openim.modify_c2c_msg" => state.edit(&body, &body["To_Account"]),
            "openim.modify_group_msg" => {
                state.edit(&body, body.get("TopicId").unwrap_or(&body["GroupId"]))
            }
            _ => None,
        };
        edited.unwrap_or(Err(ApiError::NoAnswer { servcmd }))
    }
}

impl Recorded {
    /// Edits a message as the server does; `None` if it is none that the bot has sent.
    fn edit(&mut self, body: &Value, to: &Value) -> Option<Result<String, ApiError>> {
        let number = u32::try_from(body["MsgSeq"].as_u64()?).ok()?;
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        let (conversation, draft, version) = self.messages.get_mut(at)?;
        if to.as_str() != Some(conversation.name()) {
            return None;
        }
        if body["MsgVersion"].as_u64() != Some(u64::from(*version)) {
            return Some(Err(ApiError::Conflict(Box::new(Edited {
                version: *version,
                elements: draft.elements.clone(),
                cloud_custom_data: draft.cloud_custom_data.clone(),
            }))));
        }
        *version += 1;
        if let Some(elements) = body.get("MsgBody") {
            draft.elements = Vec::<Element>::deserialize(elements).ok()?;
        }
        body["CloudCustomData"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut draft.cloud_custom_data);
        self.edits.push(Edit {
            number,
            to: conversation.clone(),
            draft: draft.clone(),
        });
        let answer = json!({
            "MsgVersion": *version, "MsgBody": draft.elements, "CloudCustomData": draft.cloud_custom_data,
        });
        Some(Ok(answer.to_string()))
    }
}
