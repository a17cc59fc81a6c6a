//! One WebSocket: dialling, framing, and the actor that drives a [`Session`](crate::session::Session).
//!
//! A link is dialled by hand, without a client for HTTP (`connector`, `dial`, `upgrade`), and our own small frame
//! layer works on the raw stream. It costs an idle account about a fifth of what a buffered framing does, closes
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
mod limits;
mod memory;
mod net;
mod proxy;
mod race;
mod reason;
mod running;
mod socks;
mod sources;
mod stream;
mod system_thread;
mod tickets;
mod tls;
mod upgrade;
mod websocket;

pub use clock::{Clock, now};
pub use connection::{Connection, Dial, Transmit};
pub use connector::{Connector, Dialled, NetConnector, open_over};
pub use down::{Down, DownGuard};
pub(crate) use http::{http_client, http_client_for_strangers, is_lost, without_url};
pub use limits::{BESIDE_LINKS, limit_links};
pub use memory::SharedMemory;
pub use net::{NetError, check_net, use_first_net, use_net};
pub use running::{Handling, Running, Workplace};
pub use stream::{Io, Stream, Tcp};
pub use system_thread::SystemThread;
pub use tls::Tls;
