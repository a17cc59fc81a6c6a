//! Where an account's UserSig comes from.

use crate::proto::id::{SdkAppId, UserId};
use crate::proto::usersig::{self, UserSig};
use secrecy::{ExposeSecret, SecretString};
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
    /// A UserSig given in the config. It cannot be renewed.
    Static(UserSig),
    /// A UserSig that is fetched from outside of the config.
    External(Arc<External>),
}

/// Where a UserSig is fetched from. `{user_id}` stands for the account's UserID and is replaced at each
/// fetch, so that all accounts share one source.
///
/// What is fetched is the UserSig as text, white space around it aside, or a JSON object with a
/// field `userSig`, `user_sig` or `usersig`; 64 KiB at most. `Debug` and `Display` name the source
/// and show no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum External {
    /// The text of a file, read anew each time. A `/` in the UserID becomes `_`.
    File(PathBuf),
    /// An environment variable, read anew each time. Letters of the UserID become upper case, what
    /// is no ASCII letter or digit becomes `_`.
    Env(String),
    /// The standard output of a program, run without a shell; `{user_id}` in an argument is
    /// replaced.
    Command {
        /// The program.
        program: String,
        /// Its arguments.
        args: Vec<String>,
        /// How long it may run.
        timeout: Duration,
    },
    /// The body of an HTTP answer with a status of 2xx; redirects are not followed. `{user_id}` in
    /// the URL (percent-encoded) and body is replaced.
    Http {
        /// `http://` or `https://`.
        url: String,
        /// Sent with POST when given; GET otherwise. One that starts with `{` or `[` is JSON, any
        /// other a form, unless a header field `Content-Type` says otherwise; the UserID is escaped
        /// accordingly.
        body: Option<Redacted>,
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
                let shown = url.split(['?', '#']).next().unwrap_or_default();
                match (shown.split_once("://"), shown.rsplit_once('@')) {
                    (Some((scheme, _)), Some((_, rest))) => write!(f, "HTTP {scheme}://{rest}"),
                    _ => write!(f, "HTTP {shown}"),
                }
            }
        }
    }
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "External({self})")
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
    /// The source gave no UserSig.
    #[error("no UserSig from {from}: {reason}")]
    Source {
        /// Where it should have come from.
        from: String,
        /// Why it did not.
        reason: String,
    },
    /// The source gave a UserSig that has expired already, or the one that was to be replaced.
    #[error("{from} has no new UserSig yet")]
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
    /// A UserSig for `user`; `None` when it has to be fetched from outside. `is_void`: the server no longer
    /// accepts the last one.
    ///
    /// # Errors
    /// If there is no UserSig that could work.
    pub fn user_sig(
        &self,
        app: SdkAppId,
        user: &UserId,
        unix: u64,
        is_void: bool,
    ) -> Result<Option<UserSig>, CredentialError> {
        match self {
            Self::Minted { key, lifetime } => {
                let lifetime = lifetime.as_secs().max(1);
                Ok(Some(usersig::sign(app, key, user, unix, lifetime)))
            }
            Self::Static(_) if is_void => Err(CredentialError::StaticIsOver),
            // Whether it is over is for the server to say: our clock may be wrong.
            Self::Static(sig) => Ok(Some(sig.clone())),
            Self::External(_) => Ok(None),
        }
    }

    /// Whether it gives the same UserSigs as another one.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Minted { key, lifetime },
                Self::Minted {
                    key: other_key,
                    lifetime: other_lifetime,
                },
            ) => key.expose_secret() == other_key.expose_secret() && lifetime == other_lifetime,
            (Self::Static(sig), Self::Static(other)) => sig.expose() == other.expose(),
            (Self::External(source), Self::External(other)) => source == other,
            _ => false,
        }
    }

    /// Whether a new UserSig can be had after the last one became void.
    #[must_use]
    pub const fn is_renewable(&self) -> bool {
        matches!(self, Self::Minted { .. } | Self::External(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_named_without_its_secrets() {
        let http = |url: &str| External::Http {
            url: url.to_owned(),
            body: Some(Redacted("s3cret".to_owned())),
            headers: vec![("Authorization".to_owned(), Redacted("s3cret".to_owned()))],
            timeout: Duration::from_secs(1),
        };
        let command = External::Command {
            program: "sign".to_owned(),
            args: vec!["--key=s3cret".to_owned()],
            timeout: Duration::from_secs(1),
        };
        for (source, expected) in [
            (
                http("https://h/{user_id}?key=s3cret"),
                "HTTP https://h/{user_id}",
            ),
            (http("https://u:s3cret@h/p#s3cret"), "HTTP https://h/p"),
            (http("http://u:s3cret@h?x=s3cret@y"), "HTTP http://h"),
            (command, "command sign"),
            (External::Env("SIG".to_owned()), "environment variable SIG"),
            (External::File("a/b.sig".into()), "file a/b.sig"),
        ] {
            assert_eq!(source.to_string(), expected);
            assert!(!format!("{source:?}").contains("s3cret"), "{source:?}");
        }
    }
}
