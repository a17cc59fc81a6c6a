//! What an operator should hear of: which alerts fire, and when somebody is told.
//!
//! [`Conditions`] turns changes of accounts and figures of the fleet into alerts that begin and end. [`Alerts`] decides
//! what of that is told, when, and together with what. Both get the time as an argument.

mod conditions;
mod machine;
mod notice;
mod queue;
mod rule;
#[cfg(test)]
mod tests;

pub use conditions::{Conditions, Figures, Limits, Turn};
pub use machine::{Alerts, Policy, Silence};
pub use notice::{Alert, LISTED, Notice};
pub use queue::{Delivery, Queue};
pub use rule::Rule;
