//! What the load server tells, one JSON line each.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// A line of the load server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    /// It listens. It begins when it was told the process of the client.
    Ready(Option<SocketAddr>),
    /// The state, every second.
    Alive(Alive),
    /// Every account is online and has asked for what it missed.
    Online(Login),
    /// The load is over.
    Load(Load),
}

/// The state of a moment.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Alive {
    pub(crate) online: usize,
    pub(crate) heartbeats: u64,
}

/// How the logins went.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Login {
    /// From the first connection to the last account.
    pub(crate) seconds: f64,
    pub(crate) client_cpu: f64,
    pub(crate) server_cpu: f64,
}

/// What was measured under load.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Load {
    /// How long it was measured.
    pub(crate) seconds: f64,
    /// Echoed messages in that time.
    pub(crate) messages: u64,
    /// Pushes that were acknowledged.
    pub(crate) acknowledged: u64,
    /// Messages that answer nothing. Must be zero.
    pub(crate) strays: u64,
    /// From the push to the echo, in microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Seconds of CPU.
    pub(crate) client_cpu: f64,
    pub(crate) server_cpu: f64,
    /// Context switches of the client.
    pub(crate) switches: u64,
}
