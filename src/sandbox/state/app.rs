//! What the app alone sets: who may not speak anywhere, and by what accounts are chosen when it speaks
//! to all of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::State;

/// Attributes that the app may name.
const MAX_NAMES: usize = 10;
/// Attributes, and tags, of one account.
const MAX_MARKS: usize = 100;
/// The longest name and value, in bytes.
const MAX_LENGTH: usize = 50;

/// What the app has set about an account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ByApp {
    /// It may not write to users until then, Unix seconds.
    pub(crate) silent_to_users: u64,
    /// It may not write to groups until then.
    pub(crate) silent_in_groups: u64,
    /// Values of the attributes that the app has named.
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) tags: BTreeSet<String>,
}

impl ByApp {
    /// Sets an attribute. False if there is no room, or it is too long.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> bool {
        let known = self.attributes.contains_key(name);
        let fits = name.len() <= MAX_LENGTH && value.len() <= MAX_LENGTH;
        let fits = fits && (known || self.attributes.len() < MAX_MARKS);
        if fits {
            self.attributes.insert(name.to_owned(), value.to_owned());
        }
        fits
    }

    /// Adds a tag. False if there is no room, or it is too long.
    pub(crate) fn tag(&mut self, tag: &str) -> bool {
        let fits = !tag.is_empty() && tag.len() <= MAX_LENGTH && self.tags.len() < MAX_MARKS;
        if fits {
            self.tags.insert(tag.to_owned());
        }
        fits
    }
}

impl State {
    /// The names that the app has given to attributes, by number.
    pub(crate) const fn attribute_names(&self) -> &BTreeMap<String, String> {
        &self.attribute_names
    }

    /// Names an attribute. False if there is no room, or it is too long.
    pub(crate) fn name_attribute(&mut self, number: &str, name: &str) -> bool {
        let is_number = number
            .parse::<usize>()
            .is_ok_and(|number| number < MAX_NAMES);
        let fits = is_number && !name.is_empty() && name.len() <= MAX_LENGTH;
        if fits {
            self.attribute_names
                .insert(number.to_owned(), name.to_owned());
        }
        fits
    }
}
