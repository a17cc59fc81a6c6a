//! An answer on its way: what the model has said so far, and what it cost.

use super::events::{Piece, Trouble};
use super::model::Answering;

/// Bytes of an answer, as they are written into a message: a little less than one holds, with room for the label.
const LONGEST: usize = 10_000;

/// See the module.
pub(super) struct Said {
    from: Answering,
    text: String,
    /// How many bytes are left.
    room: usize,
    cost: Option<u64>,
    is_over: bool,
}

impl Said {
    /// What a model says from here on.
    pub(super) const fn new(from: Answering) -> Self {
        Self {
            from,
            text: String::new(),
            room: LONGEST,
            cost: None,
            is_over: false,
        }
    }

    /// Waits for more of the text; `None` when that was all.
    ///
    /// # Errors
    /// When the model fails, or has said nothing.
    pub(super) async fn more(&mut self) -> Result<Option<String>, Trouble> {
        while !self.is_over {
            match self.from.next().await {
                Ok(Piece::Text(more)) => {
                    let more = match self.text.is_empty() {
                        true => more.trim_start(),
                        false => &more,
                    };
                    let more = self.fit(more);
                    if !more.is_empty() {
                        self.text.push_str(&more);
                        return Ok(Some(more));
                    }
                }
                Ok(Piece::Cost(tokens)) => self.cost = Some(tokens),
                Ok(Piece::Done) => self.is_over = true,
                Err(trouble) => {
                    self.is_over = true;
                    return Err(trouble);
                }
            }
        }
        match self.text.trim().is_empty() {
            true => Err(Trouble::Empty),
            false => Ok(None),
        }
    }

    /// The part of a text that the message has room for.
    fn fit(&mut self, text: &str) -> String {
        let mut fitting = String::new();
        for c in text.chars() {
            // As JSON writes it.
            let bytes = match c {
                '"' | '\\' | '\n' | '\r' | '\t' => 2,
                c if c.is_control() => 6,
                c => c.len_utf8(),
            };
            let Some(left) = self.room.checked_sub(bytes) else {
                fitting.push('…');
                self.is_over = true;
                break;
            };
            self.room = left;
            fitting.push(c);
        }
        fitting
    }

    /// Everything that was said.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// What it cost, in tokens, if a question had so many bytes. Who does not say so is taken to have used a token for
    /// each two bytes.
    pub(super) fn cost(&self, question: usize) -> u64 {
        let guess = (question + self.text.len()) / 2;
        self.cost
            .unwrap_or_else(|| u64::try_from(guess).unwrap_or(u64::MAX))
    }
}
