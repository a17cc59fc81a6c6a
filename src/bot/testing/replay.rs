//! Replays what the bots of a run have heard.

use super::{Outcome, TestBot};
use crate::account::{AccountEvent, Cause};
use crate::bot::recording::Recording;
use crate::bot::tape::{Happened, Line, recorded};
use crate::proto::code::Code;
use crate::proto::event::KickType;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

impl TestBot {
    /// Plays a recording of `botroupe run --record` to the bot, on the clock of the test: what the bots of the run have
    /// heard, with the same time between. Returns what came of each event, in their order; of the time before an event what
    /// came of that belongs to it. The account of the run is called `bot` here, and its messages are as old as they were then.
    ///
    /// # Panics
    /// When the file cannot be read, or is of several accounts.
    pub async fn replay(&self, file: impl AsRef<Path>) -> Vec<Outcome> {
        let file = file.as_ref();
        match std::fs::read_to_string(file) {
            Ok(text) => self.replay_text(&text, None).await,
            Err(error) => panic!("{}: {error}", file.display()),
        }
    }

    /// Like [`replay`](Self::replay), from the text of a recording; of one account, if it is of several.
    ///
    /// # Panics
    /// When the text is no recording, or is of several accounts and none is given.
    pub async fn replay_text(&self, recording: &str, account: Option<&str>) -> Vec<Outcome> {
        let (began, lines) = match recorded(recording, account, Recording::USER) {
            Ok(found) => found,
            Err(reason) => panic!("{reason}"),
        };
        let start = self.stage.now();
        let mut outcomes = Vec::with_capacity(lines.len());
        let mut is_ready = true;
        for Line { at, heard, .. } in lines {
            let due = start.mono + Duration::from_millis(at);
            let wait = due.saturating_sub(self.stage.now().mono);
            let mut outcome = self.stage.advance(wait).await;
            let what = match heard {
                Happened::Message(mut message) => {
                    let age = began.saturating_sub(message.time);
                    let newer = message.time.saturating_sub(began);
                    message.time = start.unix_secs().saturating_sub(age) + newer;
                    outcome.then(self.stage.hear(Arc::from(message)).await);
                    None
                }
                Happened::Update(update) => Some(AccountEvent::Update(update)),
                // A bot under test is ready from the start.
                Happened::Ready => (!is_ready).then_some(AccountEvent::Ready),
                Happened::NotReady(cause) => Some(AccountEvent::NotReady(cause_of(&cause))),
                Happened::Lost(_) => None,
            };
            if let Some(event) = what {
                is_ready = !matches!(event, AccountEvent::NotReady(_));
                outcome.then(self.stage.happens(event).await);
            }
            outcomes.push(outcome);
        }
        outcomes
    }
}

/// The cause of this word, as far as bots can tell causes apart.
fn cause_of(word: &str) -> Cause {
    match word {
        "multipleAccount" => Cause::Kicked(KickType::MultipleAccount),
        "multipleDevice" => Cause::Kicked(KickType::MultipleDevice),
        "REST_API_Kick" => Cause::Kicked(KickType::RestApi),
        "userSigExpired" => Cause::UserSigExpired(Code::USERSIG_EXPIRED),
        "ordered" => Cause::Ordered,
        "stopped" => Cause::Stopped,
        "hung" => Cause::Hung,
        "reconfigured" => Cause::Reconfigured,
        "crashed" => Cause::Crashed,
        _ => Cause::NotStarted,
    }
}
