//! Extensions of one message.

use crate::{
    proto::{
        code::Code,
        op::extension::{Extension, ExtensionChange, MAX_EXTENSIONS},
    },
    shape,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest key and value, in bytes.
pub(crate) const MAX_KEY: usize = 100;

pub(crate) const MAX_VALUE: usize = 1024;

/// The most extensions in one page.
pub(crate) const MAX_PAGE: usize = 100;

/// The extensions of one message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Extensions {
    /// Values and the number of their last change. A deleted extension stays with an empty value,
    /// so that clients that were offline learn of the deletion.
    pub(crate) extensions: BTreeMap<String, (String, u64)>,
    /// The number of the last change.
    #[serde(deserialize_with = "shape::counter")]
    pub(crate) changes: u64,
    /// The number of the change that deleted all extensions.
    pub(crate) cleared: u64,
}

impl Extensions {
    pub(crate) const NONE: Self = Self {
        extensions: BTreeMap::new(),
        changes: 0,
        cleared: 0,
    };

    pub(crate) fn clear(&mut self) {
        self.changes += 1;
        self.cleared = self.changes;
        self.extensions.clear();
    }

    /// Sets or deletes an extension, if `known` is the number of its last change.
    pub(crate) fn change(&mut self, key: &str, value: &str, known: u64) -> Code {
        let now = self.extensions.get(key).map_or(0, |(_, seq)| *seq);
        if key.is_empty() || key.len() > MAX_KEY || value.len() > MAX_VALUE {
            return Code::GROUP_PARAMETER;
        }
        if now != known {
            return Code::EXTENSION_CONFLICT;
        }
        if now == 0 && self.extensions.len() >= MAX_EXTENSIONS {
            // The extension deleted first makes room.
            let deleted = self.extensions.iter();
            let deleted = deleted.filter(|(_, (value, _))| value.is_empty());
            let oldest = deleted.min_by_key(|(_, (_, seq))| *seq);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                return Code::EXTENSIONS_FULL;
            };
            self.extensions.remove(&oldest);
        }
        self.changes += 1;
        let entry = (value.to_owned(), self.changes);
        self.extensions.insert(key.to_owned(), entry);
        Code::OK
    }

    pub(crate) fn extension(&self, key: &str) -> Extension {
        let (value, seq) = self.extensions.get(key).cloned().unwrap_or_default();
        Extension {
            key: key.to_owned(),
            value,
            seq,
            ..Extension::default()
        }
    }

    /// The extensions changed at or after change `from`, in the order of their last changes.
    pub(crate) fn since(&self, from: u64) -> Vec<Extension> {
        let keys = self.extensions.keys();
        let mut list: Vec<Extension> = keys.map(|key| self.extension(key)).collect();
        list.retain(|extension| extension.seq >= from);
        list.sort_by_key(|extension| extension.seq);
        list
    }
}

/// `MsgExtensionNotify`: the extensions of a message have changed.
#[derive(Serialize)]
pub(crate) struct Changed {
    #[serde(rename = "Event")]
    pub(crate) event: u8,
    #[serde(rename = "MsgExtensionNotify")]
    pub(crate) change: ExtensionChange,
}
