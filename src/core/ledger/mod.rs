//! What an account must not forget when its process dies: which messages its bots have handled, which answers
//! are still to be sent, and what handlers recorded on their way.
//!
//! Everything is written as a list of [`Change`]s that a store applies in one transaction. [`Tables`] is what a
//! store holds afterwards: the store in memory and the simulator's disk are made of it, and every other store has
//! to give back the same.

mod boundary;
mod change;
mod identity;
mod tables;

pub use boundary::{Boundary, pass, watch_boundaries};
pub use change::{
    AccountNo, Cell, CellKey, Change, Ended, Letter, LetterState, Record, Recovered, SPILL_COST,
    Scope, SpillLine, Spilled, SpilledLine, spill_bytes,
};
pub use identity::{Fingerprint, exchange, message_id, update_id};
pub use tables::{Counts, Horizon, Tables};
