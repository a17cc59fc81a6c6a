//! Group attributes: keys and values that an app stores with a group. See "Groups" in
//! `docs/src/protocol.md`.

use crate::lenient;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The maximum number of attributes per group.
pub const MAX_ATTRIBUTES: usize = 16;

const CHANGES: Limit = Limit::new("group attributes", 2.0, 10);

group_calls! {
    SetAttributes => "set_group_attr" -> Attributes, CHANGES;
    ModifyAttributes => "modify_group_attr" -> Attributes, CHANGES;
    DeleteAttributes => "delete_group_attr" -> Attributes, CHANGES;
    ClearAttributes => "clear_group_attr" -> Attributes, CHANGES;
}

/// Makes the server report a conflict if another client has changed the attributes in the meantime.
const CONTROL: &[&str] = &["RaceConflict"];

/// One attribute. Unlike all others, its field names on the wire are in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// The key.
    #[serde(default, deserialize_with = "lenient::string")]
    pub key: String,
    /// The value; `None` if only the key matters.
    #[serde(
        default,
        deserialize_with = "lenient::opt_string",
        skip_serializing_if = "Option::is_none"
    )]
    pub value: Option<String>,
    /// The number of changes; `None` if it does not matter.
    #[serde(
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub seq: Option<u64>,
}

/// The attributes of a group. It is also the answer to every change, then without values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Attributes {
    /// The number of changes to the attributes. A change must contain the current value; otherwise
    /// the server rejects it with
    /// [`GROUP_ATTRIBUTE_CONFLICT`](crate::code::Code::GROUP_ATTRIBUTE_CONFLICT).
    #[serde(rename = "AttrMainSeq", default, deserialize_with = "lenient::int")]
    pub main_seq: u64,
    /// The attributes.
    #[serde(rename = "GroupAttrAry", default, deserialize_with = "lenient::list")]
    pub list: Vec<Attribute>,
}

impl Attributes {
    /// Returns the value of this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let attribute = self.list.iter().find(|attribute| attribute.key == key)?;
        attribute.value.as_deref()
    }

    fn seq(&self, key: &str) -> u64 {
        let attribute = self.list.iter().find(|attribute| attribute.key == key);
        attribute.and_then(|attribute| attribute.seq).unwrap_or(0)
    }
}

/// Requests the attributes of a group.
#[derive(Clone, Debug, Serialize)]
pub struct GetAttributes {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "GroupType")]
    kind: u8,
}

impl GetAttributes {
    /// Requests the attributes of `group`.
    pub fn new(group: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            kind: 0,
        }
    }
}

impl super::Call for GetAttributes {
    type Answer = Attributes;
    const LIMIT: Limit = Limit::new("reading group attributes", 4.0, 20);

    /// Attributes have their own service; communities do not use the `million_` one.
    fn servcmd(&self) -> Cow<'static, str> {
        Cow::Borrowed("group_open_attr_http_svc.get_group_attr")
    }
}

/// Replaces all attributes.
#[derive(Clone, Debug, Serialize)]
pub struct SetAttributes {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "GroupAttr")]
    attributes: Vec<Attribute>,
    #[serde(rename = "AttrMainSeq")]
    main_seq: u64,
    #[serde(rename = "AttrControl")]
    control: &'static [&'static str],
}

impl SetAttributes {
    /// Replaces the attributes of `group`, whose last known state is `known`.
    pub fn new(
        group: impl Into<String>,
        known: &Attributes,
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let attributes = pairs.into_iter().map(|(key, value)| Attribute {
            key,
            value: Some(value),
            seq: None,
        });
        Self {
            group: group.into(),
            attributes: attributes.collect(),
            main_seq: known.main_seq,
            control: CONTROL,
        }
    }
}

/// Sets some attributes and keeps the others.
#[derive(Clone, Debug, Serialize)]
pub struct ModifyAttributes {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "GroupAttr")]
    attributes: Vec<Attribute>,
    #[serde(rename = "AttrMainSeq")]
    main_seq: u64,
    #[serde(rename = "AttrControl")]
    control: &'static [&'static str],
}

impl ModifyAttributes {
    /// Changes the attributes of `group`, whose last known state is `known`.
    pub fn new(
        group: impl Into<String>,
        known: &Attributes,
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let attributes = pairs.into_iter().map(|(key, value)| Attribute {
            seq: Some(known.seq(&key)),
            key,
            value: Some(value),
        });
        Self {
            group: group.into(),
            attributes: attributes.collect(),
            main_seq: known.main_seq,
            control: CONTROL,
        }
    }
}

/// Removes some attributes.
#[derive(Clone, Debug, Serialize)]
pub struct DeleteAttributes {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "GroupAttr")]
    attributes: Vec<Attribute>,
    #[serde(rename = "AttrMainSeq")]
    main_seq: u64,
    #[serde(rename = "AttrControl")]
    control: &'static [&'static str],
}

impl DeleteAttributes {
    /// Removes attributes of `group`, whose last known state is `known`.
    pub fn new(
        group: impl Into<String>,
        known: &Attributes,
        keys: impl IntoIterator<Item = String>,
    ) -> Self {
        let attributes = keys.into_iter().map(|key| Attribute {
            seq: Some(known.seq(&key)),
            key,
            value: None,
        });
        Self {
            group: group.into(),
            attributes: attributes.collect(),
            main_seq: known.main_seq,
            control: CONTROL,
        }
    }
}

/// Removes all attributes.
#[derive(Clone, Debug, Serialize)]
pub struct ClearAttributes {
    #[serde(rename = "GroupId")]
    group: String,
    #[serde(rename = "AttrMainSeq")]
    main_seq: u64,
    #[serde(rename = "AttrControl")]
    control: &'static [&'static str],
}

impl ClearAttributes {
    /// Removes all attributes of `group`, whose last known state is `known`.
    pub fn new(group: impl Into<String>, known: &Attributes) -> Self {
        Self {
            group: group.into(),
            main_seq: known.main_seq,
            control: CONTROL,
        }
    }
}
