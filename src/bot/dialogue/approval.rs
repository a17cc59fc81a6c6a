//! Approvals: a dialogue that waits for the word of somebody else.

use super::ask::Ask;
use super::script::Approver;
use super::{Dialogue, DialogueError};
use crate::proto::id::UserId;
use crate::proto::message::{Conversation, Message};
use botroupe_core::ledger::Fingerprint;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

/// How long an approval waits if nothing is said.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 3600);
/// The letters of codes; none that looks like another.
const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Texts that are longer are no decisions.
const LONGEST: usize = 64;

/// What somebody decided, see [`Dialogue::approval`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Approval {
    /// Whether it was approved.
    pub granted: bool,
    /// The UserID of who decided.
    pub by: UserId,
}

/// A decision as it is written: `approve 7KQ4`, `reject 7KQ4`, also in Chinese. Pure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bot) struct Decision {
    pub(in crate::bot) granted: bool,
    pub(in crate::bot) code: Box<str>,
}

impl Decision {
    /// Reads a text; `None` when it is no decision.
    pub(in crate::bot) fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut words = text.split_whitespace();
        let (word, code) = (words.next()?, words.next()?);
        if words.next().is_some() {
            return None;
        }
        let granted = match word.trim_start_matches('/').to_lowercase().as_str() {
            "approve" | "yes" | "ok" | "同意" | "批准" => true,
            "reject" | "no" | "deny" | "不同意" | "拒绝" => false,
            _ => return None,
        };
        let code = code.to_uppercase().into();
        Some(Self { granted, code })
    }
}

/// A code that people can type. The same for the same question of the same dialogue.
pub(super) fn code(start: &Message, key: u64) -> Box<str> {
    let start = botroupe_core::ledger::message_id(start);
    let mut number = Fingerprint::new("approval")
        .number(start)
        .number(key)
        .finish();
    let letters = LETTERS.len() as u64;
    let letter = |_| {
        let at = usize::try_from(number % letters).unwrap_or_default();
        number /= letters;
        LETTERS.get(at).map_or('A', |letter| char::from(*letter))
    };
    (0..4).map(letter).collect::<String>().into()
}

/// A question to somebody else about to be asked: `.await` it. Made by [`Dialogue::approval`].
#[derive(Debug)]
#[must_use = "nothing is asked before `.await`"]
pub struct AskApproval<'a> {
    dialogue: &'a Dialogue,
    by: Conversation,
    question: String,
    within: Duration,
}

impl AskApproval<'_> {
    /// How long to wait; a week, if nothing is said. Then `.await` returns [`DialogueError::TimedOut`].
    pub const fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }
}

impl<'a> IntoFuture for AskApproval<'a> {
    type Output = Result<Approval, DialogueError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            dialogue,
            by,
            question,
            within,
        } = self;
        Ask::approval(dialogue, by, question)
            .within(within)
            .into_future()
    }
}

impl Dialogue {
    /// Asks somebody else for a decision: a group such as `Conversation::group("ops")`, or a user. The question is said
    /// there with a code, and whoever answers `approve 7KQ4` or `reject 7KQ4` (`同意`, `拒绝`) there decides; not the
    /// person that the dialogue is with, if they are in the group themselves. It waits for days and over restarts, and
    /// the person may go on talking with the bot meanwhile.
    ///
    /// ```
    /// use botroupe::prelude::*;
    ///
    /// async fn refund(Args(sum): Args<u32>, dialogue: Dialogue) -> Result<String, DialogueError> {
    ///     let ops = Conversation::group("ops");
    ///     let approval = dialogue.approval(ops, format!("Refund {sum}?")).await?;
    ///     Ok(match approval.granted {
    ///         true => format!("{sum} is on its way."),
    ///         false => format!("{} says no.", approval.by),
    ///     })
    /// }
    /// # let _ = Bot::new("shop").command("refund <sum:1..1000>", refund);
    /// ```
    pub fn approval(&self, by: Conversation, question: impl Into<String>) -> AskApproval<'_> {
        AskApproval {
            dialogue: self,
            by,
            question: question.into(),
            within: PATIENCE,
        }
    }
}

/// Who is asked, and the code of the question.
pub(super) fn approver(conversation: Conversation, start: &Message, key: u64) -> Approver {
    Approver {
        conversation,
        code: code(start, key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_read_in_both_languages_and_nothing_else_is_one() {
        let read = |text| Decision::read(text).map(|it| (it.granted, it.code.to_string()));
        assert_eq!(read("approve 7kq4"), Some((true, "7KQ4".into())));
        assert_eq!(read("  /reject  7KQ4 "), Some((false, "7KQ4".into())));
        assert_eq!(read("同意 7KQ4"), Some((true, "7KQ4".into())));
        assert_eq!(read("不同意 7KQ4"), Some((false, "7KQ4".into())));
        for text in ["", "approve", "approve 7KQ4 now", "I approve 7KQ4", "yes"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&format!("approve {}", "x".repeat(12_000))), None);
    }
}
