//! Contents of elements without files: text, custom, face and location.

use crate::lenient;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `TIMTextElem`: plain text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// The text.
    #[serde(rename = "Text")]
    pub text: String,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `TIMCustomElem`: application data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Custom {
    /// The payload, usually JSON text.
    #[serde(rename = "Data", default, deserialize_with = "lenient::string")]
    pub data: String,
    /// A description for clients that do not understand the payload.
    #[serde(rename = "Desc", default, deserialize_with = "lenient::string")]
    pub desc: String,
    /// An extension field.
    #[serde(rename = "Ext", default, deserialize_with = "lenient::string")]
    pub ext: String,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `TIMFaceElem`: a sticker. The clients agree on the meaning of the fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// The index of the sticker or of its pack.
    #[serde(rename = "Index", default, deserialize_with = "lenient::int")]
    pub index: i64,
    /// Its name, or other data.
    #[serde(rename = "Data", default, deserialize_with = "lenient::string")]
    pub data: String,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `TIMLocationElem`: a geographic location.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// A description.
    #[serde(rename = "Desc", default, deserialize_with = "lenient::string")]
    pub desc: String,
    /// Degrees east, -180 to 180.
    #[serde(rename = "Longitude", default, deserialize_with = "lenient::float")]
    pub longitude: f64,
    /// Degrees north, -90 to 90.
    #[serde(rename = "Latitude", default, deserialize_with = "lenient::float")]
    pub latitude: f64,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
