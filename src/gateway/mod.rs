//! One WebSocket: dialling, framing, and the actor that drives a [`Session`](crate::session::Session).
//!
//! awc does name resolution, TLS and the upgrade; from the 101 on our own small frame layer works
//! on the raw stream. It costs an idle account about a fifth of what a buffered framing does, closes
//! without losing its last frames, and bounds what it buffers. Nothing here decides *when* to
//! connect, log in or give up: that is [`crate::account`]'s business.

pub use botroupe_core::account::{ConnectError, FrameError, LinkEnd, Report};

mod address;
mod clock;
mod connection;
mod connector;
mod dial;
mod down;
mod frame;
mod held;
mod http;
mod memory;
mod net;
mod proxy;
mod running;
mod system_thread;
mod upgrade;
mod websocket;

pub use clock::now;
pub use connection::{Connection, Dial, Transmit};
pub use connector::{AwcConnector, Connector, Dialled, Io};
pub use down::{Down, DownGuard};
pub(crate) use http::{http_client, http_client_for_strangers, is_lost, without_url};
pub use memory::SharedMemory;
pub use net::{NetError, check_net, use_net};
pub use proxy::ProxyError;
pub use running::{Handling, Running, Workplace};
pub use system_thread::SystemThread;
