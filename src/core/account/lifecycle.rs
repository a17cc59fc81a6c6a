//! Where an account stands, with the facts that are true only there: entering a state drops those of
//! the one before.

use super::status::Phase;
use crate::proto::usersig::UserSig;
use std::time::Duration;

/// The state of an account.
#[derive(Debug)]
pub(super) enum Life {
    /// Away, and coming back by itself.
    Away(Away),
    /// Opening a link; the login has to be done by a time.
    Connecting(Duration),
    /// Logging in or resuming; it has to be done by a time.
    LoggingIn(Duration),
    /// SDK_READY.
    Online(Online),
    /// Online since a time, and replacing its login; that has to be done by another.
    Renewing(Duration, Duration),
    /// Away until somebody says otherwise.
    Held,
    /// Away until somebody mends something.
    Quarantined,
    /// Logging out for good.
    Stopping,
    /// Logged out for good.
    Stopped,
}

impl Life {
    pub(super) const fn phase(&self) -> Phase {
        match self {
            Self::Away(away) => away.phase(),
            Self::Connecting(_) => Phase::Connecting,
            Self::LoggingIn(_) => Phase::LoggingIn,
            Self::Online(_) => Phase::Online,
            Self::Renewing(..) => Phase::Renewing,
            Self::Held => Phase::Held,
            Self::Quarantined => Phase::Quarantined,
            Self::Stopping => Phase::Stopping,
            Self::Stopped => Phase::Stopped,
        }
    }

    /// A link is there, or about to be.
    pub(super) const fn is_connected(&self) -> bool {
        matches!(
            self,
            Self::Connecting(_) | Self::LoggingIn(_) | Self::Online(_) | Self::Renewing(..)
        )
    }

    /// Since when it has been online, as monotonic time.
    pub(super) const fn online_since(&self) -> Option<Duration> {
        match self {
            Self::Online(online) => Some(online.since),
            Self::Renewing(since, _) => Some(*since),
            _ => None,
        }
    }

    /// What it waits for, when that is neither time nor the server.
    pub(super) fn waits_for(&self) -> Option<&str> {
        match self {
            Self::Away(away) => away.waits_for.as_deref(),
            Self::Online(online) => online.waits_for.as_deref(),
            _ => None,
        }
    }

    /// By when a login has to be done.
    pub(super) const fn login_by(&self) -> Option<Duration> {
        match self {
            Self::Connecting(by) | Self::LoggingIn(by) | Self::Renewing(_, by) => Some(*by),
            _ => None,
        }
    }
}

/// Why an account is away that comes back by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// A back-off, or a turn.
    Waiting,
    /// It stays away on purpose for a while.
    CoolingDown,
    /// Somebody else keeps taking its place.
    Contested,
}

/// An account that is away, and how far coming back has got.
#[derive(Debug)]
pub(super) struct Away {
    reason: Reason,
    /// It sets out at this time; `None` before it has started.
    at: Option<Duration>,
    step: Step,
    waits_for: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Until the time has come.
    Resting,
    /// Asking whether the login that took its place has gone.
    Probing,
    /// Waiting for the governor's turn.
    TurnAsked,
    /// Its turn has come, and it waits for a UserSig from its source.
    Fetching,
}

impl Away {
    pub(super) const fn new(reason: Reason, at: Option<Duration>) -> Self {
        Self {
            reason,
            at,
            step: Step::Resting,
            waits_for: None,
        }
    }

    pub(super) const fn phase(&self) -> Phase {
        match self.reason {
            Reason::Waiting => Phase::Waiting,
            Reason::CoolingDown => Phase::CoolingDown,
            Reason::Contested => Phase::Contested,
        }
    }

    /// Another login took its place.
    pub(super) const fn is_taken(&self) -> bool {
        matches!(self.reason, Reason::CoolingDown | Reason::Contested)
    }

    /// When it sets out, or would have if it did not wait for something.
    pub(super) const fn at(&self) -> Option<Duration> {
        self.at
    }

    /// When time alone is waited for: until then.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.at.filter(|_| self.step == Step::Resting)
    }

    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.poll_timeout().is_some_and(|at| at <= now)
    }

    pub(super) const fn probe(&mut self) {
        self.step = Step::Probing;
    }

    /// Whether this is the answer that is waited for.
    pub(super) fn is_probing(&self) -> bool {
        self.step == Step::Probing
    }

    /// The other login is still there: it is asked again at a time.
    pub(super) fn probe_again(&mut self, at: Duration) {
        (self.step, self.at) = (Step::Resting, Some(at));
        self.waits_for = Some("the other login to go".to_owned());
    }

    pub(super) fn ask_turn(&mut self) {
        self.step = Step::TurnAsked;
        self.waits_for = None;
    }

    /// Whether this is the turn that was asked for.
    pub(super) fn has_asked_turn(&self) -> bool {
        self.step == Step::TurnAsked
    }

    pub(super) fn fetch(&mut self, source: String) {
        self.step = Step::Fetching;
        self.waits_for = Some(source);
    }

    pub(super) fn is_fetching(&self) -> bool {
        self.step == Step::Fetching
    }

    /// Somebody wants it back at once. A turn or a UserSig that is under way is kept.
    pub(super) fn hurry(&mut self, at: Duration) {
        (self.reason, self.at) = (Reason::Waiting, Some(at));
        if self.step == Step::Probing {
            self.step = Step::Resting;
        }
        self.waits_for = None;
    }
}

/// An account that is online, and what is under way meanwhile.
#[derive(Debug)]
pub(super) struct Online {
    since: Duration,
    renewal: Renewal,
    /// The server wants the login to be confirmed.
    confirm: Confirm,
    turn_asked: bool,
    /// An orderly stop waits for the last read reports, up to this.
    stop_by: Option<Duration>,
    waits_for: Option<String>,
}

/// How far replacing the login has got.
#[derive(Debug)]
enum Renewal {
    None,
    /// Waiting for a UserSig from the source.
    Fetching,
    /// Waiting for the governor's turn, to log in with this one.
    WaitingForTurn(UserSig),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Confirm {
    None,
    Due(Duration),
    WaitingForTurn,
}

/// What a turn is used for.
#[derive(Debug)]
pub(super) enum TurnFor {
    /// Confirming the login; `true` when a renewal shared the turn, and needs one of its own.
    Confirm(bool),
    /// Replacing it with this UserSig.
    Renewal(UserSig),
}

impl Online {
    pub(super) const fn new(since: Duration) -> Self {
        Self {
            since,
            renewal: Renewal::None,
            confirm: Confirm::None,
            turn_asked: false,
            stop_by: None,
            waits_for: None,
        }
    }

    // ── renewal ──────────────────────────────────────────────────────────────────────────────

    pub(super) const fn is_renewing(&self) -> bool {
        !matches!(self.renewal, Renewal::None)
    }

    pub(super) fn fetch(&mut self, source: String) {
        self.renewal = Renewal::Fetching;
        self.waits_for = Some(source);
    }

    pub(super) const fn is_fetching(&self) -> bool {
        matches!(self.renewal, Renewal::Fetching)
    }

    /// The source gave no UserSig, for this reason.
    pub(super) fn not_fetched(&mut self, reason: String) {
        self.renewal = Renewal::None;
        self.waits_for = Some(reason);
    }

    /// There is a UserSig to replace the login with. Returns whether a turn has to be asked for.
    #[must_use]
    pub(super) fn renew_with(&mut self, user_sig: UserSig) -> bool {
        self.renewal = Renewal::WaitingForTurn(user_sig);
        self.waits_for = None;
        !std::mem::replace(&mut self.turn_asked, true)
    }

    // ── confirmation ─────────────────────────────────────────────────────────────────────────

    pub(super) const fn confirm_at(&mut self, at: Duration) {
        self.confirm = Confirm::Due(at);
    }

    /// When the login is to be confirmed.
    pub(super) const fn confirm_due(&self) -> Option<Duration> {
        match self.confirm {
            Confirm::Due(at) => Some(at),
            _ => None,
        }
    }

    /// Confirms at the next turn. Returns whether one has to be asked for.
    #[must_use]
    pub(super) const fn confirm_at_turn(&mut self) -> bool {
        self.confirm = Confirm::WaitingForTurn;
        !std::mem::replace(&mut self.turn_asked, true)
    }

    /// The login is confirmed.
    pub(super) const fn confirmed(&mut self) {
        self.confirm = Confirm::None;
    }

    /// The turn has come.
    pub(super) fn take_turn(&mut self) -> Option<TurnFor> {
        self.turn_asked = false;
        if self.confirm == Confirm::WaitingForTurn {
            self.confirm = Confirm::None;
            let shared = matches!(self.renewal, Renewal::WaitingForTurn(_));
            if shared {
                self.renewal = Renewal::None;
            }
            return Some(TurnFor::Confirm(shared));
        }
        match std::mem::replace(&mut self.renewal, Renewal::None) {
            Renewal::WaitingForTurn(user_sig) => Some(TurnFor::Renewal(user_sig)),
            other => {
                self.renewal = other;
                None
            }
        }
    }

    // ── stop ─────────────────────────────────────────────────────────────────────────────────

    pub(super) const fn stop_by(&self) -> Option<Duration> {
        self.stop_by
    }

    pub(super) const fn set_stop_by(&mut self, by: Duration) {
        self.stop_by = Some(by);
    }
}
