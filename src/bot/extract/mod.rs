//! The types that a handler can take as parameters.

mod account;
mod message;
mod values;

pub use account::{Kicked, NotReady};
pub use message::{Group, Messages, Sender, Text};
pub use values::{Config, State};
