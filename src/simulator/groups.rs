//! The groups of the simulated world and their messages.

use botroupe_proto::id::UserId;

/// A simulated group.
#[derive(Debug)]
pub(super) struct SimGroup {
    pub(super) id: String,
    /// The user who writes in the group.
    pub(super) speaker: UserId,
    /// The account numbers of the members.
    pub(super) members: Vec<usize>,
}
