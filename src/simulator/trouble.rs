//! Faults that last for a while, and floods.

/// What a server pushes to make an account do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Nudge {
    /// The login is to be confirmed.
    Confirm,
    /// Something was missed.
    Missed,
}
