//! Translations of texts. The app must have bought the service.

use super::Outcome;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};

/// Texts that `Api` has translated in one request. The service does not say how
/// many it takes.
pub const MAX_TEXTS: usize = 100;
pub(super) const TRANSLATE: &str = "im_open_translate.ws_batch_trans_text";

calls! {
    Translate => "im_open_translate.ws_batch_trans_text" -> Translated, Limit::NONE;
}

/// Has texts translated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Translate {
    /// The texts.
    #[serde(rename = "SourceText", default, deserialize_with = "lenient::list")]
    pub texts: Vec<String>,
    /// Their language, or `auto`.
    #[serde(rename = "Source", default, deserialize_with = "lenient::string")]
    pub from: String,
    /// The wanted language.
    #[serde(rename = "Target", default, deserialize_with = "lenient::string")]
    pub to: String,
}

impl Translate {
    /// From the language `from`, or whichever it seems to be, into `to`: `zh`, `en`, `ja` and others
    /// of the service's list.
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
    /// How it went.
    #[serde(rename = "CmdErrorCode", default)]
    pub outcome: Outcome,
    /// The translations, one for each text, in their order.
    #[serde(rename = "TargetText", default, deserialize_with = "lenient::list")]
    pub texts: Vec<String>,
}
