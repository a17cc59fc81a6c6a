//! What an account knows about its connection.

use std::{sync::Arc, time::Duration};

/// How long a logout may take before the link is closed without an answer.
const LOGOUT_LIMIT: Duration = Duration::from_secs(3);

/// The connection, and whether its login can be resumed.
#[derive(Debug)]
pub(super) struct Link {
    number: u64,
    host: Arc<str>,
    is_open: bool,
    has_ticket: bool,
    /// The ticket is of another process, and nothing was dialled with it.
    is_handed: bool,
    resumed: bool,
    logout_by: Option<Duration>,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            number: 0,
            host: "".into(),
            is_open: false,
            has_ticket: false,
            is_handed: false,
            resumed: false,
            logout_by: None,
        }
    }
}

impl Link {
    /// The number of the current or last connection, counted from 1.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The origin of the current or last connection.
    pub(super) fn host(&self) -> Arc<str> {
        Arc::clone(&self.host)
    }

    /// A new connection to this origin is opened.
    pub(super) fn dial(&mut self, origin: &str) {
        self.number += 1;
        if *self.host != *origin {
            self.host = origin.into();
        }
    }

    /// The connection is open.
    pub(super) const fn opened(&mut self) {
        self.is_open = true;
    }

    /// The connection is closed. True if it was open.
    pub(super) const fn closed(&mut self) -> bool {
        std::mem::replace(&mut self.is_open, false)
    }

    /// The session has a login that can be resumed.
    pub(super) const fn has_ticket(&self) -> bool {
        self.has_ticket
    }

    /// Sets whether the session still has a login that can be resumed.
    pub(super) const fn keep_ticket(&mut self, keep: bool) {
        self.has_ticket = keep;
    }

    /// The session goes on with a login of another process.
    pub(super) const fn go_on(&mut self) {
        self.has_ticket = true;
        self.is_handed = true;
    }

    /// Whether to dial without a turn of the governor, once: the login is there, and was cut by a change of processes.
    pub(super) const fn takes_no_turn(&mut self) -> bool {
        std::mem::replace(&mut self.is_handed, false)
    }

    /// A login succeeded; `resumed` says that it continues an earlier one.
    pub(super) const fn logged_in(&mut self, resumed: bool) {
        self.has_ticket = true;
        self.resumed = resumed;
    }

    /// The last login was a resume.
    pub(super) const fn resumed(&self) -> bool {
        self.resumed
    }

    /// A logout is sent now.
    pub(super) fn logging_out(&mut self, now: Duration) {
        self.logout_by = Some(now + LOGOUT_LIMIT);
    }

    /// When the link is closed whether the logout was answered or not, monotonic.
    pub(super) const fn logout_by(&self) -> Option<Duration> {
        self.logout_by
    }

    /// No logout is waited for any more.
    pub(super) const fn forget_logout(&mut self) {
        self.logout_by = None;
    }
}
