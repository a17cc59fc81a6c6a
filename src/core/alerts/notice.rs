//! What is told to whoever gets alerts.

use super::rule::Rule;
use crate::account::AccountName;
use crate::account::Clock;
use std::fmt::Write as _;
use std::time::Duration;

/// The most alerts that a notice lists. A thousand accounts may fall at once, and chats take some thousand bytes.
pub const LISTED: usize = 20;

/// One alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What it is about.
    pub rule: Rule,
    /// The account, if it is about one.
    pub account: Option<AccountName>,
    /// What happened, and what a person can do.
    pub text: String,
    /// Since when, Unix time.
    pub since: Duration,
    /// When it ended, Unix time; `None` while it fires.
    pub ended: Option<Duration>,
}

impl Alert {
    /// A line for people.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = String::new();
        if self.ended.is_some() {
            line.push_str("resolved: ");
        }
        // Writing to a String cannot fail.
        let _ = match &self.account {
            Some(account) => write!(line, "{} {account}: {}", self.rule, self.text),
            None => write!(line, "{}: {}", self.rule, self.text),
        };
        let _ = write!(line, " (since {})", Clock(self.since.as_secs()));
        line
    }
}

/// Alerts that are told together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Counts the notices of a receiver from 1.
    pub number: u64,
    /// When it was made, Unix time.
    pub at: Duration,
    /// How many alerts of it fire.
    pub firing: usize,
    /// How many have ended.
    pub resolved: usize,
    /// All of it was told before and still is so.
    pub repeated: bool,
    /// The alerts, at most [`LISTED`]; those that fire first.
    pub alerts: Vec<Alert>,
}

impl Notice {
    /// A line that says how much there is of what.
    #[must_use]
    pub fn title(&self) -> String {
        let mut parts = Vec::new();
        if self.firing > 0 {
            let still = if self.repeated { "still " } else { "" };
            parts.push(format!("{} {still}firing", self.firing));
        }
        if self.resolved > 0 {
            parts.push(format!("{} resolved", self.resolved));
        }
        parts.join(", ")
    }

    /// How many alerts are not listed.
    #[must_use]
    pub const fn more(&self) -> usize {
        (self.firing + self.resolved).saturating_sub(self.alerts.len())
    }

    /// A line for each alert that is listed, and one for the rest.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.alerts.iter().map(Alert::line).collect();
        if self.more() > 0 {
            lines.push(format!(
                "… and {} more; `botroupe status` shows all",
                self.more()
            ));
        }
        lines
    }
}
