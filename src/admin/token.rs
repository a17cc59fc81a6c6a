//! Tokens: 256 random bits, of which the config holds the SHA-256.
//!
//! A slow hash would be for passwords, which people choose and others guess. Nobody guesses one of 2²⁵⁶ values at any
//! speed, so the plain hash gives as little away, and a request costs a microsecond and not a tenth of a second.

use super::caller::Caller;
use crate::config::AdminToken;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// What a token begins with, so that people and scanners know one when they see it.
const PREFIX: &str = "btr_";

/// A token that was made just now: the one moment at which it can be read.
pub struct NewToken {
    text: String,
    hash: [u8; 32],
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken").finish_non_exhaustive()
    }
}

/// Why no token can be made.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers: {0}; a token made without them could be guessed")]
pub struct TokenError(String);

impl NewToken {
    /// Makes one.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn make() -> Result<Self, TokenError> {
        Self::with(PREFIX)
    }

    /// One for a session or a link.
    pub(super) fn with(prefix: &str) -> Result<Self, TokenError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| TokenError(error.to_string()))?;
        let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes));
        let hash = hash(&text);
        Ok(Self { text, hash })
    }

    /// The token itself.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the config holds: `sha256:` and 64 digits.
    #[must_use]
    pub fn config_hash(&self) -> String {
        use fmt::Write as _;
        let mut text = "sha256:".to_owned();
        for byte in self.hash {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    pub(super) const fn hash(&self) -> [u8; 32] {
        self.hash
    }
}

/// The hash of a text that somebody has sent.
pub(super) fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Whose token has this hash. Looks at every token, and at every byte of each, whatever it finds.
pub(super) fn find(tokens: &[AdminToken], given: &[u8; 32]) -> Option<Caller> {
    let mut found = None;
    for token in tokens {
        if bool::from(token.hash.ct_eq(given)) {
            found = found.or(Some(token));
        }
    }
    found.map(Caller::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_alike_and_none_shows_itself() {
        let (a, b) = (NewToken::make().unwrap(), NewToken::make().unwrap());
        assert_ne!(a.text(), b.text());
        assert_eq!(a.text().len(), PREFIX.len() + 43);
        assert_eq!(hash(a.text()), a.hash());
        assert_eq!(a.config_hash().len(), "sha256:".len() + 64);
        assert!(!format!("{a:?}").contains(a.text()));
    }
}
