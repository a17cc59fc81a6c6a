//! Message extensions: keys and values that everybody in a conversation may attach to a message
//! that was sent with [`Draft::extensible`](crate::message::Draft::extensible). See "Reactions and
//! extensions" in `docs/src/protocol.md`.

use super::MessageName;
use crate::lenient;
use crate::message::MessageRef;
use crate::op::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The maximum number of extensions per change.
pub const MAX_CHANGED: usize = 20;
/// The maximum number of extensions per message.
pub const MAX_EXTENSIONS: usize = 300;

/// One extension of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Extension {
    /// The key.
    #[serde(rename = "Key", default, deserialize_with = "lenient::string")]
    pub key: String,
    /// The value; empty for a deleted extension.
    #[serde(rename = "Value", default, deserialize_with = "lenient::string")]
    pub value: String,
    /// The number of the change that last set this extension. A change of the key must contain it;
    /// it is zero for a new key.
    #[serde(rename = "Seq", default, deserialize_with = "lenient::int")]
    pub seq: u64,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Changes the extensions of a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChangeExtensions {
    /// The message.
    #[serde(flatten)]
    pub message: MessageName,
    /// 1 set, 2 delete, 3 delete all.
    #[serde(rename = "OperateType", default, deserialize_with = "lenient::int")]
    pub what: u32,
    /// The extensions to set or delete.
    #[serde(
        rename = "ExtensionList",
        default,
        deserialize_with = "lenient::list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub extensions: Vec<Extension>,
}

impl ChangeExtensions {
    /// Sets extensions. `seq` of each extension is its last known change number.
    #[must_use]
    pub const fn set(message: MessageName, extensions: Vec<Extension>) -> Self {
        Self {
            message,
            what: 1,
            extensions,
        }
    }

    /// Deletes extensions. Their values are ignored.
    #[must_use]
    pub const fn delete(message: MessageName, extensions: Vec<Extension>) -> Self {
        Self {
            message,
            what: 2,
            extensions,
        }
    }

    /// Deletes all extensions.
    #[must_use]
    pub const fn clear(message: MessageName) -> Self {
        Self {
            message,
            what: 3,
            extensions: Vec::new(),
        }
    }
}

impl super::Call for ChangeExtensions {
    type Answer = ChangedExtensions;
    const LIMIT: Limit = Limit::NONE;

    fn servcmd(&self) -> Cow<'static, str> {
        self.message.servcmd(
            "openim_msg_ext_http_svc.set_key_values",
            "openim_msg_ext_http_svc.group_set_key_values",
        )
    }
}

/// The answer to [`ChangeExtensions`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangedExtensions {
    /// The number of the last change to the extensions of the message.
    #[serde(rename = "Seq", default, deserialize_with = "lenient::int")]
    pub seq: u64,
    /// The same number, under the field name that [`Extensions`] uses.
    #[serde(rename = "LatestSeq", default, deserialize_with = "lenient::int")]
    pub latest: u64,
    /// The number of the change that deleted all earlier extensions.
    #[serde(rename = "ClearSeq", default, deserialize_with = "lenient::int")]
    pub cleared: u64,
    /// One result per extension.
    #[serde(rename = "ExtensionList", default, deserialize_with = "lenient::list")]
    pub results: Vec<ChangedExtension>,
}

/// The result for one extension.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangedExtension {
    /// The error code; zero means success.
    #[serde(rename = "ErrorCode", default, deserialize_with = "lenient::int")]
    pub code: i64,
    /// The current state.
    #[serde(rename = "Extension", default)]
    pub extension: Extension,
}

/// Requests the extensions of a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GetExtensions {
    /// The message.
    #[serde(flatten)]
    pub message: MessageName,
    /// The number of the first change that is of interest.
    #[serde(
        rename = "StartSeq",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    pub from: Option<u64>,
}

impl GetExtensions {
    /// Requests the extensions changed at or after the change `from`, or all if `from` is `None`.
    #[must_use]
    pub const fn new(message: MessageName, from: Option<u64>) -> Self {
        Self { message, from }
    }
}

impl super::Call for GetExtensions {
    type Answer = Extensions;
    const LIMIT: Limit = Limit::NONE;

    fn servcmd(&self) -> Cow<'static, str> {
        self.message.servcmd(
            "openim_msg_ext_http_svc.get_key_values",
            "openim_msg_ext_http_svc.group_get_key_values",
        )
    }
}

/// The answer to [`GetExtensions`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Extensions {
    /// The extensions, sorted by the number of their last change.
    #[serde(rename = "ExtensionList", default, deserialize_with = "lenient::list")]
    pub list: Vec<Extension>,
    /// Whether there are no more extensions.
    #[serde(
        rename = "CompleteFlag",
        default,
        deserialize_with = "lenient::flag",
        serialize_with = "lenient::as_number"
    )]
    pub complete: bool,
    /// The number of the last change.
    #[serde(rename = "LatestSeq", default, deserialize_with = "lenient::int")]
    pub latest: u64,
    /// The number of the change that deleted all earlier extensions.
    #[serde(rename = "ClearSeq", default, deserialize_with = "lenient::int")]
    pub cleared: u64,
}

/// Push: the extensions of a message have changed. Everybody in the conversation receives it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExtensionChange {
    /// The TinyId of the sender of the message.
    #[serde(rename = "TinyId", default, deserialize_with = "lenient::string")]
    pub tiny_id: String,
    /// The number of this change.
    #[serde(rename = "MsgLastSeq", default, deserialize_with = "lenient::int")]
    pub seq: u64,
    /// 1 set, 2 deleted, 3 all deleted.
    #[serde(rename = "MsgOptType", default, deserialize_with = "lenient::int")]
    pub what: u32,
    /// The message, in a one-to-one conversation.
    #[serde(
        rename = "ExtensionC2cMsgInfo",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub c2c: Option<MessageRef>,
    /// The message, in a group.
    #[serde(
        rename = "ExtensionGroupMsgInfo",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub group: Option<MessageRef>,
    #[serde(rename = "SetKVInfo", default, skip_serializing_if = "Vec::is_empty")]
    set: Vec<Changes>,
    #[serde(
        rename = "DeleteKVInfo",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    deleted: Vec<Changes>,
    #[serde(rename = "ClearKVInfo", default, skip_serializing_if = "Vec::is_empty")]
    cleared: Vec<Changes>,
    /// Unknown fields.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Changes {
    #[serde(
        rename = "MsgKeyValue",
        default,
        deserialize_with = "lenient::null_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    list: Vec<Extension>,
    #[serde(
        rename = "ClearMsgSeq",
        default,
        deserialize_with = "lenient::opt_int",
        skip_serializing_if = "Option::is_none"
    )]
    cleared: Option<u64>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl ExtensionChange {
    /// Creates a push about extensions that were set, with their current state.
    #[must_use]
    pub fn of_set(mut self, list: Vec<Extension>) -> Self {
        self.what = 1;
        self.set = vec![Changes {
            list,
            ..Changes::default()
        }];
        self
    }

    /// Creates a push about deleted extensions.
    #[must_use]
    pub fn of_deleted(mut self, list: Vec<Extension>) -> Self {
        self.what = 2;
        self.deleted = vec![Changes {
            list,
            ..Changes::default()
        }];
        self
    }

    /// Creates a push about the deletion of all extensions, with its change number.
    #[must_use]
    pub fn of_cleared(mut self, seq: u64) -> Self {
        self.what = 3;
        self.cleared = vec![Changes {
            cleared: Some(seq),
            ..Changes::default()
        }];
        self
    }

    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> Option<&MessageRef> {
        self.c2c.as_ref().or(self.group.as_ref())
    }

    /// Returns the extensions that were set, with their current state.
    pub fn set(&self) -> impl Iterator<Item = &Extension> {
        self.set.iter().flat_map(|changes| &changes.list)
    }

    /// Returns the deleted keys. They are empty if all were deleted, see
    /// [`is_cleared`](Self::is_cleared).
    pub fn deleted(&self) -> impl Iterator<Item = &str> {
        let deleted = self.deleted.iter().flat_map(|changes| &changes.list);
        deleted.map(|extension| extension.key.as_str())
    }

    /// Returns whether all extensions were deleted.
    #[must_use]
    pub const fn is_cleared(&self) -> bool {
        self.what == 3
    }
}
