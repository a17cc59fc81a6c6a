//! The contents of elements that carry no file: text, custom, face, location.

use crate::lenient;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `TIMTextElem`: plain text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// The text.
    #[serde(rename = "Text")]
    pub text: String,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `TIMCustomElem`: whatever two programs agree on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Custom {
    /// The payload, usually JSON text.
    #[serde(rename = "Data", default, deserialize_with = "lenient::string")]
    pub data: String,
    /// A description, shown where the payload cannot be.
    #[serde(rename = "Desc", default, deserialize_with = "lenient::string")]
    pub desc: String,
    /// An extension field.
    #[serde(rename = "Ext", default, deserialize_with = "lenient::string")]
    pub ext: String,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `TIMFaceElem`: a sticker; which one is between the two clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// The number of the sticker or of its pack.
    #[serde(rename = "Index", default, deserialize_with = "lenient::int")]
    pub index: i64,
    /// Its name or anything else.
    #[serde(rename = "Data", default, deserialize_with = "lenient::string")]
    pub data: String,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `TIMLocationElem`: a place on earth.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// What to call it.
    #[serde(rename = "Desc", default, deserialize_with = "lenient::string")]
    pub desc: String,
    /// Degrees east, -180 to 180.
    #[serde(rename = "Longitude", default, deserialize_with = "lenient::float")]
    pub longitude: f64,
    /// Degrees north, -90 to 90.
    #[serde(rename = "Latitude", default, deserialize_with = "lenient::float")]
    pub latitude: f64,
    /// Fields this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
