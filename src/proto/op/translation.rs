//! Translation of texts. The app must have bought the service. See "Conversations and people" in
//! `docs/src/protocol.md`.

use super::Outcome;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};

/// The maximum number of texts that `Api` sends per request. The limit of the service is not
/// documented.
pub const MAX_TEXTS: usize = 100;
pub(super) const TRANSLATE: &str = "im_open_translate.ws_batch_trans_text";

calls! {
    Translate => "im_open_translate.ws_batch_trans_text" -> Translated, Limit::NONE;
}

/// Requests translations of texts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Translate {
    /// The texts.
    #[serde(rename = "SourceText", default, deserialize_with = "lenient::list")]
    pub texts: Vec<String>,
    /// The source language, or `auto`.
    #[serde(rename = "Source", default, deserialize_with = "lenient::string")]
    pub from: String,
    /// The target language.
    #[serde(rename = "Target", default, deserialize_with = "lenient::string")]
    pub to: String,
}

impl Translate {
    /// Requests a translation from the language `from` (detected if it is `None`) into `to`: `zh`,
    /// `en`, `ja` or another language of the service.
    pub fn new(texts: Vec<String>, from: Option<&str>, to: impl Into<String>) -> Self {
        Self {
            texts,
            from: from.unwrap_or("auto").to_owned(),
            to: to.into(),
        }
    }
}

/// The answer to [`Translate`].
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Translated {
    /// The result.
    #[serde(rename = "CmdErrorCode", default)]
    pub outcome: Outcome,
    /// The translations, in the order of the texts.
    #[serde(rename = "TargetText", default, deserialize_with = "lenient::list")]
    pub texts: Vec<String>,
}
