//! `accounts_command` and `accounts_http`: a program or a service that says which accounts there are, and is asked
//! again.

use super::error::Problem;
use super::model::SecretSource;
use super::read::Section;
use super::secret_source;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The keys that name a source, and the one that says how often it is asked.
pub(super) const COMMAND: &str = "accounts_command";
pub(super) const HTTP: &str = "accounts_http";
const EVERY: &str = "accounts_every";
/// How often a source is asked, unless something else is written.
const DEFAULT_EVERY: Duration = Duration::from_secs(300);
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(86_400);

/// Who says which accounts there are: a program, or an HTTP service. It is asked at the start, at each reload, and from
/// time to time in between.
///
/// `Debug` and `Display` show no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccountSource {
    /// A program or a service.
    pub from: Arc<SecretSource>,
    /// How often it is asked while the process runs; 1 second to 1 day.
    pub every: Duration,
}

impl AccountSource {
    /// The key that gives it.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match &*self.from {
            SecretSource::Http { .. } => HTTP,
            _ => COMMAND,
        }
    }
}

impl fmt::Display for AccountSource {
    /// As messages name its answers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.from {
            SecretSource::Command { program, .. } => write!(f, "answer of {program}"),
            SecretSource::Http { url, .. } => {
                write!(f, "answer of {}", url.split('?').next().unwrap_or_default())
            }
            SecretSource::File(_) | SecretSource::Env(_) => f.write_str("answer"),
        }
    }
}

/// Reads the source of `root`, when there is one. Mistakes are reported there.
pub(super) fn read(root: &mut Section<'_>) -> Option<AccountSource> {
    let command = root.get(COMMAND);
    let http = root.get(HTTP);
    let every = root.get(EVERY);
    let from = match (&command, &http) {
        (None, None) => {
            if let Some(node) = every {
                node.report(Problem::Unusable {
                    reason: format!("nobody is asked; write {COMMAND} or {HTTP} as well"),
                });
            }
            return None;
        }
        (Some(_), Some(node)) => {
            node.report(Problem::SeveralSources {
                first: COMMAND,
                second: HTTP,
            });
            return None;
        }
        (Some(node), None) => secret_source::command(node),
        (None, Some(node)) => secret_source::http(node),
    };
    let every = every.map_or(Some(DEFAULT_EVERY), |node| node.duration(SHORTEST, LONGEST));
    Some(AccountSource {
        from: Arc::new(from?),
        every: every?,
    })
}
