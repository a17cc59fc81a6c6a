//! What a config is made from.

use super::env::Env;

/// Everything a config is made from. Nothing else is read.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Sources<'a> {
    /// The name of the config file, for messages.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The environment: `${NAME}` in the file, and `BOTROUPE__SECTION__KEY` as a layer over it.
    pub env: &'a dyn Env,
    /// `--set key=value` from the command line, over all; later ones win.
    pub overrides: &'a [(String, String)],
    /// The names of the bots that are compiled in.
    pub known_bots: &'a [&'a str],
}

impl<'a> Sources<'a> {
    /// The text of a file, without overrides and bots.
    #[must_use]
    pub const fn new(file: &'a str, text: &'a str, env: &'a dyn Env) -> Self {
        Self {
            file,
            text,
            env,
            overrides: &[],
            known_bots: &[],
        }
    }

    /// With `--set` pairs over the file.
    #[must_use]
    pub const fn overrides(mut self, overrides: &'a [(String, String)]) -> Self {
        self.overrides = overrides;
        self
    }

    /// With these bots compiled in.
    #[must_use]
    pub const fn known_bots(mut self, names: &'a [&'a str]) -> Self {
        self.known_bots = names;
        self
    }
}

impl std::fmt::Debug for Sources<'_> {
    /// Shows names only: text, environment and overrides hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources")
            .field("file", &self.file)
            .field("known_bots", &self.known_bots)
            .finish_non_exhaustive()
    }
}
