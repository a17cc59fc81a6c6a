//! The environment of this process, read in one place.

use crate::config::Env;

/// The variable that holds the SecretKey, so that it need not be on the command line.
pub const SECRET_KEY: &str = "BOTROUPE_SECRET_KEY";

#[cfg(feature = "sandbox")]
/// The variable that holds the token of a sandbox: the same as for the key `sandbox.token` of a config.
pub(super) const SANDBOX_TOKEN: &str = "BOTROUPE__SANDBOX__TOKEN";

/// The environment of this process. Variables that are not UTF-8 count as unset.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnv;

impl Env for ProcessEnv {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn with_prefix(&self, prefix: &str) -> Vec<(String, String)> {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with(prefix))
            .collect()
    }
}
