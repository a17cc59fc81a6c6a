//! The words of recorded speech. The app must have bought the service.

use super::Outcome;
use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};

pub(super) const RECOGNISE: &str = "im_open_speech.ws_sentence_recognition";

calls! {
    Recognise => "im_open_speech.ws_sentence_recognition" -> Recognised, Limit::NONE;
}

/// The language of a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Spoken {
    /// Mandarin, with English and dialects in between.
    #[default]
    Mixed,
    /// Mandarin.
    Mandarin,
    /// English.
    English,
    /// Cantonese.
    Cantonese,
    /// Japanese.
    Japanese,
}

impl Spoken {
    /// The service's word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mixed => "16k_zh-PY",
            Self::Mandarin => "16k_zh",
            Self::English => "16k_en",
            Self::Cantonese => "16k_yue",
            Self::Japanese => "16k_ja",
        }
    }
}

/// Kinds of sounds that the service understands, as files of the kind are named.
const FORMATS: [&str; 9] = [
    "wav", "pcm", "ogg-opus", "speex", "silk", "mp3", "m4a", "aac", "amr",
];

/// Has the words of a sound written down.
#[derive(Clone, Debug, Serialize)]
pub struct Recognise {
    #[serde(rename = "BytesUrl")]
    url: String,
    #[serde(rename = "BytesVoiceFormat")]
    format: &'static str,
    #[serde(rename = "Uint64SourceType")]
    source: u8,
    #[serde(rename = "BytesEngServiceType")]
    language: &'static str,
}

impl Recognise {
    /// The sound at `url`; `None` when its name does not end as that of a kind which the service
    /// understands: wav, pcm, ogg-opus, speex, silk, mp3, m4a, aac and amr.
    pub fn new(url: impl Into<String>, language: Spoken) -> Option<Self> {
        let url = url.into();
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let (_, ending) = path.rsplit_once('.')?;
        let format = FORMATS
            .into_iter()
            .find(|format| format.eq_ignore_ascii_case(ending))?;
        Some(Self {
            url,
            format,
            // 0: to be fetched from the URL.
            source: 0,
            language: language.word(),
        })
    }
}

/// The answer to [`Recognise`].
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Recognised {
    /// How it went.
    #[serde(rename = "CmdErrorCode", default)]
    pub outcome: Outcome,
    /// The words.
    #[serde(rename = "BytesResult", default, deserialize_with = "lenient::string")]
    pub text: String,
}
