//! Texts in other languages.

use super::{Api, ApiError, count};
use crate::account::unreadable;
use crate::proto::code::Code;
use crate::proto::op::Outcome;
use crate::proto::op::translation::MAX_TEXTS;
use crate::proto::op::translation::Translate;

impl Api {
    /// Translates texts, 100 at most, from the language `from` (detected if `None`) into `to` (`en`, `zh`, `ja`
    /// and so on). The translations have the order of the texts. The app must have bought this; the sandbox
    /// returns every text unchanged.
    ///
    /// # Errors
    /// When the server refused it or did not translate all texts; [`ApiError::Item`] when the translator failed.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api) -> Result<(), ApiError> {
    /// let words = api.translate(["good morning"], Some("en"), "zh").await?;
    /// # Ok(())
    /// # }
    /// ```
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
            // With a text missing, the translations could not be matched to the texts.
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
