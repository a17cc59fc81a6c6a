//! Where the values of environment variables come from.
//!
//! This module does not read the environment of the process: callers pass an [`Env`].

use std::collections::BTreeMap;

/// A source of environment variables.
///
/// [`ProcessEnv`](crate::fleet::ProcessEnv) reads the process; tests use a map, so that no test changes the
/// environment of another.
pub trait Env {
    /// The value of the variable `name`, if it is set (possibly to the empty text).
    fn get(&self, name: &str) -> Option<String>;

    /// Every variable whose name starts with `prefix`, as (name, value).
    fn with_prefix(&self, prefix: &str) -> Vec<(String, String)>;
}

impl Env for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        Self::get(self, name).cloned()
    }

    fn with_prefix(&self, prefix: &str) -> Vec<(String, String)> {
        self.iter()
            .filter(|(name, _)| name.starts_with(prefix))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}
