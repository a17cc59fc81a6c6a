//! One account's decisions: when to log in, what to do after each ending, what waits to be sent.
//!
//! [`Core`] holds every decision; [`decide`](decide::decide) is the table it asks after each ending.

mod cause;
mod core;
mod credential;
pub mod decide;
mod delivery;
mod drops;
mod effect;
mod fleet_users;
mod group_paces;
mod inflow;
mod kicks;
mod lifecycle;
mod link;
mod login_pace;
mod name;
mod outbox;
mod outlook;
mod read_back;
mod read_reports;
mod recorder;
mod recovery;
mod report;
mod service_clock;
mod setbacks;
mod status;
mod tally;
#[cfg(test)]
mod tests;
mod troubles;
mod typing;
mod user_sigs;

pub use cause::{Cause, Clock, Off};
pub use core::Core;
pub use credential::{Credential, CredentialError, External, Redacted};
pub use effect::{AccountEvent, CoreConfig, Effect};
pub use fleet_users::{FleetUsers, is_heard};
pub use group_paces::GroupPaces;
pub use name::AccountName;
pub use outbox::{Attempt, MAX_OUTBOX, OutboxError, OutboxItem, REPLIES};
pub use outlook::{Order, Outlook, Step};
pub use recovery::{Policy, TakeBack};
pub use report::{ConnectError, FrameError, LinkEnd, Report};
pub use status::{Counters, Phase, Record, RecordedEvent, SourceState, Status};
