//! Where an account's UserSig comes from.

use crate::proto::id::{SdkAppId, UserId};
use crate::proto::usersig::{self, UserSig};
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

/// A source of UserSigs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credential {
    /// Minted here from the app's SecretKey.
    Minted {
        /// The app's SecretKey.
        key: Arc<SecretString>,
        /// How long each one is valid.
        lifetime: Duration,
    },
    /// One that was given; when it is over, it is over.
    Static(UserSig),
}

/// Why there is no UserSig.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The given UserSig is over and cannot be renewed here.
    #[error(
        "the UserSig given in the config is over; put a new one there, or the app's secret_key"
    )]
    StaticIsOver,
}

impl Credential {
    /// A UserSig for `user`. `used_up` says that the server no longer takes the last one.
    ///
    /// # Errors
    /// When there is none that could work.
    pub fn user_sig(
        &self,
        app: SdkAppId,
        user: &UserId,
        unix: u64,
        used_up: bool,
    ) -> Result<UserSig, CredentialError> {
        match self {
            Self::Minted { key, lifetime } => Ok(usersig::sign(
                app,
                key,
                user,
                unix,
                lifetime.as_secs().max(1),
            )),
            Self::Static(_) if used_up => Err(CredentialError::StaticIsOver),
            Self::Static(sig) => match usersig::inspect(sig.expose()) {
                Ok(claims) if claims.expires_at() <= unix => Err(CredentialError::StaticIsOver),
                // An unreadable one is for the server to judge.
                _ => Ok(sig.clone()),
            },
        }
    }

    /// Whether a new UserSig can be had after the last one became void.
    #[must_use]
    pub const fn is_renewable(&self) -> bool {
        matches!(self, Self::Minted { .. })
    }
}
