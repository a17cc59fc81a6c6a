//! What is on the wire of Tencent Cloud Chat, and nothing else.
//!
//! ```text
//! WebSocket message ──codec──► JSON text ──packet──► head + body ──┬─ answer   (matched by servcmd + seq)
//!                                                                  └─ push ──► event ──► message
//! ```
//!
//! Everything here is pure: no socket, no clock, no randomness. Decoding never panics and keeps
//! what it does not know. Sessions and the sandbox decide who sends
//! what, and when. The facts the code relies on are written down in `docs/src/protocol.md`.

pub mod address;
pub mod answer;
pub mod checksum;
pub mod code;
pub mod codec;
pub mod command;
pub mod endpoint;
pub mod event;
mod events;
pub mod id;
pub mod lenient;

pub mod message;
pub mod op;
pub mod packet;

pub mod shown;
pub mod signaling;
pub mod surrogate;
pub mod update;
pub mod usersig;
