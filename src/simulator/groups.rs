//! The groups of the simulated world, and what is said in them.

use botroupe_proto::id::UserId;

/// Who is in a group.
#[derive(Debug)]
pub(super) struct SimGroup {
    pub(super) id: String,
    /// Who speaks in it.
    pub(super) speaker: UserId,
    /// Accounts by number.
    pub(super) members: Vec<usize>,
}
