//! The decisions of Botroupe as plain state machines: what goes in are inputs and the time, what comes
//! out are effects. Nothing here opens a socket, reads a clock or a file, or starts a thread; the
//! manifest names no library that could, and `clippy.toml` forbids what the standard library offers.

pub mod account;
pub mod alerts;
pub mod ledger;
pub mod policy;
pub mod session;

use botroupe_proto as proto;
