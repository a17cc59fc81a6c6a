//! Lasting faults, and floods.

/// The reason for a push that triggers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Nudge {
    /// The server asks the account to confirm its login.
    Confirm,
    /// The server indicates missed messages.
    Missed,
}
