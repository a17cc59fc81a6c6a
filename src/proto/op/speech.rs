//! Speech recognition. The app must have bought the service. See "Conversations and people" in
//! `docs/src/protocol.md`.

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
    /// Mandarin, mixed with English and dialects.
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
    /// Returns the name on the wire.
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

/// The supported formats, by file extension.
const FORMATS: [&str; 9] = [
    "wav", "pcm", "ogg-opus", "speex", "silk", "mp3", "m4a", "aac", "amr",
];

/// Requests the text of a sound.
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
    /// Requests the text of the sound at `url`. Returns `None` if its extension is not a supported
    /// format: wav, pcm, ogg-opus, speex, silk, mp3, m4a, aac or amr.
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
            // 0: the service fetches the sound from the URL.
            source: 0,
            language: language.word(),
        })
    }
}

/// The answer to [`Recognise`].
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Recognised {
    /// The result.
    #[serde(rename = "CmdErrorCode", default)]
    pub outcome: Outcome,
    /// The recognised text.
    #[serde(rename = "BytesResult", default, deserialize_with = "lenient::string")]
    pub text: String,
}
