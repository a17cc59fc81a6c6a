//! One WebSocket: dialling, framing, and the actor that drives a [`Session`](crate::session::Session).
//!
//! awc does name resolution, TLS and the upgrade; from the 101 on our own small frame layer works
//! on the raw stream. It costs an idle account about a fifth of what a buffered framing does, closes
//! without losing its last frames, and bounds what it buffers. Nothing here decides *when* to
//! connect, log in or give up: that is [`crate::account`]'s business.

mod clock;
mod connection;
mod connector;
mod down;
mod frame;
mod http;
mod running;
mod upgrade;
mod websocket;

pub use clock::now;
pub use connection::{Close, Connection, Dial, Logout, Relogin, Report, Reported, Transmit};
pub use connector::{AwcConnector, ConnectError, Connector, Dialled, Io};
pub use down::{Down, DownGuard};
pub use frame::FrameError;
pub(crate) use http::{http_client, is_lost, without_url};
pub use running::{Running, Workplace};
pub use websocket::LinkEnd;
