//! What the app sets for accounts: mutes, attributes, tags.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The longest name and value, in bytes.
pub(crate) const MAX_LENGTH: usize = 50;
/// The most attributes, and the most tags, of one account.
const MAX_MARKS: usize = 100;

/// Data that the app has set for an account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ByApp {
    /// The account may not write to users until then, Unix seconds.
    pub(crate) silent_to_users: u64,
    /// The account may not write to groups until then, Unix seconds.
    pub(crate) silent_in_groups: u64,
    /// Values of the attributes, by name.
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) tags: BTreeSet<String>,
}

impl ByApp {
    /// Sets an attribute. Returns false if the limit is reached or the text is too long.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> bool {
        let known = self.attributes.contains_key(name);
        let fits = name.len() <= MAX_LENGTH && value.len() <= MAX_LENGTH;
        let fits = fits && (known || self.attributes.len() < MAX_MARKS);
        if fits {
            self.attributes.insert(name.to_owned(), value.to_owned());
        }
        fits
    }

    /// Adds a tag. Returns false if the limit is reached or the text is too long.
    pub(crate) fn tag(&mut self, tag: &str) -> bool {
        let fits = !tag.is_empty() && tag.len() <= MAX_LENGTH && self.tags.len() < MAX_MARKS;
        if fits {
            self.tags.insert(tag.to_owned());
        }
        fits
    }
}
