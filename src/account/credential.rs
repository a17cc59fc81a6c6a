//! Where an account's UserSig comes from.

use crate::proto::id::{SdkAppId, UserId};
use crate::proto::usersig::{self, UserSig};
use secrecy::SecretString;
use std::fmt;
use std::path::PathBuf;
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
    /// One that has to be fetched from outside of this process's config.
    External(Arc<External>),
}

/// Where a UserSig is fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum External {
    /// The text of a file, read anew each time.
    File(PathBuf),
    /// An environment variable, read anew each time.
    Env(String),
    /// The standard output of a program; `{user_id}` in an argument is replaced.
    Command {
        /// The program.
        program: String,
        /// Its arguments.
        args: Vec<String>,
        /// How long it may run.
        timeout: Duration,
    },
    /// The body of an HTTP answer; `{user_id}` in the URL and body is replaced.
    Http {
        /// `http://` or `https://`.
        url: String,
        /// Sent with POST when given; GET otherwise.
        body: Option<String>,
        /// Further header fields. Values may be secrets.
        headers: Vec<(String, Redacted)>,
        /// How long the answer may take.
        timeout: Duration,
    },
}

impl fmt::Display for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Command { program, .. } => write!(f, "command {program}"),
            // Query and user part may hold secrets.
            Self::Http { url, .. } => {
                write!(
                    f,
                    "HTTP {}",
                    url.split(['?', '@']).next().unwrap_or_default()
                )
            }
        }
    }
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Redacted(pub String);

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
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
    /// The source gave none.
    #[error("no UserSig from {from}: {reason}")]
    Source {
        /// Where it should have come from.
        from: String,
        /// Why it did not.
        reason: String,
    },
    /// The source gave the one that is over already.
    #[error("{from} still gives the UserSig that is over")]
    Stale {
        /// Where it came from.
        from: String,
    },
}

impl CredentialError {
    /// Whether asking again later may help.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Source { .. } | Self::Stale { .. })
    }
}

impl Credential {
    /// A UserSig for `user`; `None` when it has to be fetched from outside. `used_up` says that the
    /// server no longer takes the last one.
    ///
    /// # Errors
    /// When there is none that could work.
    pub fn user_sig(
        &self,
        app: SdkAppId,
        user: &UserId,
        unix: u64,
        used_up: bool,
    ) -> Result<Option<UserSig>, CredentialError> {
        match self {
            Self::Minted { key, lifetime } => {
                let lifetime = lifetime.as_secs().max(1);
                Ok(Some(usersig::sign(app, key, user, unix, lifetime)))
            }
            Self::Static(_) if used_up => Err(CredentialError::StaticIsOver),
            Self::Static(sig) => match usersig::inspect(sig.expose()) {
                Ok(claims) if claims.expires_at() <= unix => Err(CredentialError::StaticIsOver),
                // An unreadable one is for the server to judge.
                _ => Ok(Some(sig.clone())),
            },
            Self::External(_) => Ok(None),
        }
    }

    /// Whether a new UserSig can be had after the last one became void.
    #[must_use]
    pub const fn is_renewable(&self) -> bool {
        matches!(self, Self::Minted { .. } | Self::External(_))
    }
}
