//! Texts in other languages.

use super::{Api, ApiError, count};
use crate::account::unreadable;
use crate::proto::code::Code;
use crate::proto::op::Outcome;
use crate::proto::op::translation::MAX_TEXTS;
use crate::proto::op::translation::Translate;

impl Api {
    /// Has texts translated, 100 at most, into the language `to` (`en`, `zh`, `ja` and so on), from
    /// `from` or whatever they seem to be in. The translations come in the order of the texts. The app
    /// has to have bought it; the sandbox gives every text back as it is.
    ///
    /// # Errors
    /// When the server did not do it, or not with all of them; [`ApiError::Item`] when it was the
    /// translator that did not.
    pub async fn translate(
        &self,
        texts: impl IntoIterator<Item = impl Into<String>>,
        from: Option<&str>,
        to: &str,
    ) -> Result<Vec<String>, ApiError> {
        let texts: Vec<String> = texts.into_iter().map(Into::into).collect();
        let asked = texts.len();
        count(asked, "texts", MAX_TEXTS)?;
        let answer = self.call(&Translate::new(texts, from, to)).await?;
        went_well(answer.outcome, "the translation")?;
        let got = answer.texts.len();
        if got != asked {
            // Nobody could tell which belongs to which.
            let error = format_args!("{got} translations of {asked} texts");
            return Err(ApiError::Call(unreadable(&error)));
        }
        Ok(answer.texts)
    }
}

pub(super) fn went_well(outcome: Outcome, what: &str) -> Result<(), ApiError> {
    match outcome.code {
        0 => Ok(()),
        code => Err(ApiError::Item {
            what: what.to_owned(),
            code: Code(code),
            info: outcome.info,
        }),
    }
}
