//! What the service makes of words: translations of texts, and the words of sounds. The app has to
//! have bought either.
//!
//! Both requests name the app and the number of the account (TinyId), which nobody knows but the
//! [`Session`](crate::session::Session) that is logged in: it puts them in when it sends one.

use crate::id::SdkAppId;
use crate::lenient;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Texts that [`Api`](crate::bot::Api) has translated in one request. The service does not say how
/// many it takes.
pub const MAX_TEXTS: usize = 100;

const TRANSLATE: &str = "im_open_translate.ws_batch_trans_text";
const RECOGNISE: &str = "im_open_speech.ws_sentence_recognition";

calls! {
    Translate => "im_open_translate.ws_batch_trans_text" -> Translated;
    Recognise => "im_open_speech.ws_sentence_recognition" -> Recognised;
}

/// Has texts translated.
#[derive(Clone, Debug, Serialize)]
pub struct Translate {
    #[serde(rename = "SourceText")]
    texts: Vec<String>,
    #[serde(rename = "Source")]
    from: String,
    #[serde(rename = "Target")]
    to: String,
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
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Translated {
    /// How it went.
    #[serde(rename = "CmdErrorCode", default)]
    pub outcome: Outcome,
    /// The translations, one for each text, in their order.
    #[serde(rename = "TargetText", default, deserialize_with = "lenient::list")]
    pub texts: Vec<String>,
}

/// What is spoken in a sound.
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

/// Kinds of sounds that the service understands, as files of the kind are named.
const FORMATS: [&str; 9] = [
    "wav", "pcm", "ogg-opus", "speex", "silk", "mp3", "m4a", "aac", "amr",
];

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
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Recognised {
    /// How it went.
    #[serde(rename = "CmdErrorCode", default)]
    pub outcome: Outcome,
    /// The words.
    #[serde(rename = "BytesResult", default, deserialize_with = "lenient::string")]
    pub text: String,
}

/// How it went with the service behind the one that answers, whose own code stays 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Outcome {
    /// 0: well.
    #[serde(rename = "ErrorCode", default, deserialize_with = "lenient::int")]
    pub code: i64,
    /// In words.
    #[serde(rename = "ErrorInfo", default, deserialize_with = "lenient::string")]
    pub info: String,
}

/// The body of a request with what it has to say of the login that makes it; `None` when it has to
/// say nothing, as nearly all, or when it is no object. What it says already stays.
pub fn of_login(servcmd: &str, body: &str, app: SdkAppId, tiny_id: &str) -> Option<String> {
    let (app_field, account_field) = match servcmd {
        TRANSLATE => ("SdkAppId", Some("FromAccount")),
        RECOGNISE => ("Uint32Sdkappid", None),
        _ => return None,
    };
    let mut body: Map<String, Value> = serde_json::from_str(body).ok()?;
    body.entry(app_field).or_insert_with(|| app.get().into());
    if let Some(field) = account_field {
        body.entry(field).or_insert_with(|| tiny_id.into());
    }
    Some(Value::Object(body).to_string())
}
