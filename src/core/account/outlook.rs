//! What an order would do to an account, without giving it.

use super::status::Phase;

/// What an account can be ordered to do by a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// [`Core::hold`](super::Core::hold).
    Hold,
    /// [`Core::quarantine`](super::Core::quarantine).
    Quarantine,
    /// [`Core::resume`](super::Core::resume).
    Resume,
    /// [`Core::relogin`](super::Core::relogin).
    Relogin,
}

/// Something that an order does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// It logs out. What was sent and not answered fails; what its bots have finished is reported as read before.
    LogsOut,
    /// It gives up the login that is under way.
    GivesUp,
    /// It stays away until somebody resumes it.
    StaysAway,
    /// What it remembers of failures and kicks is forgotten.
    Forgets,
    /// It logs in as soon as the governor lets it.
    LogsIn,
    /// It replaces its login by one with a new UserSig, and stays online.
    Renews,
}

/// What an order would do.
///
/// ```
/// use botroupe_core::account::{Order, Outlook, Phase, Step};
///
/// let outlook = Outlook::of(Order::Hold, Phase::Online);
/// assert_eq!(outlook.steps, [Step::LogsOut, Step::StaysAway]);
/// assert_eq!((outlook.then, outlook.logins()), (Phase::Held, 0));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outlook {
    /// Where the account stands afterwards, when nothing goes wrong.
    pub then: Phase,
    /// What happens, in this order; nothing when nothing does.
    pub steps: Vec<Step>,
    /// Whether the order is refused: the account stays away until somebody resumes it.
    pub is_refused: bool,
}

impl Outlook {
    /// What `order` does to an account that stands at `phase`.
    #[must_use]
    pub fn of(order: Order, phase: Phase) -> Self {
        use Phase as P;
        let (then, steps): (Phase, &[Step]) = match (order, phase) {
            (_, P::Stopping | P::Stopped) | (Order::Resume, P::Online) => (phase, &[]),
            (Order::Hold, P::Held) | (Order::Quarantine, P::Quarantined) => (phase, &[]),
            (Order::Hold | Order::Quarantine, _) => {
                let then = match order {
                    Order::Hold => P::Held,
                    _ => P::Quarantined,
                };
                let steps: &[Step] = match phase {
                    P::Online | P::Renewing => &[Step::LogsOut, Step::StaysAway],
                    P::Connecting | P::LoggingIn => &[Step::GivesUp, Step::StaysAway],
                    _ => &[Step::StaysAway],
                };
                (then, steps)
            }
            (Order::Relogin, P::Held | P::Quarantined) => {
                return Self {
                    then: phase,
                    steps: Vec::new(),
                    is_refused: true,
                };
            }
            (Order::Relogin, P::Online) => (phase, &[Step::Renews]),
            // One is under way.
            (_, P::Connecting | P::LoggingIn | P::Renewing) => (P::Online, &[]),
            (Order::Resume | Order::Relogin, _) => (P::Online, &[Step::Forgets, Step::LogsIn]),
        };
        Self {
            then,
            steps: steps.to_vec(),
            is_refused: false,
        }
    }

    /// How many logins it costs.
    #[must_use]
    pub fn logins(&self) -> usize {
        let is_login = |step: &&Step| matches!(step, Step::LogsIn | Step::Renews);
        self.steps.iter().filter(is_login).count()
    }
}
