//! The wire format of Tencent Cloud Chat.
//!
//! ```text
//! WebSocket message ──codec──► JSON text ──packet──► head + body ──┬─ answer   (matched by servcmd + seq)
//!                                                                  └─ push ──► event ──► message
//! ```
//!
//! The crate does no I/O and reads neither a clock nor a random generator. Decoding never panics
//! and keeps unknown fields. Sessions and the sandbox decide who sends what, and when.
//! `docs/src/protocol.md` describes the protocol and names the source of each fact.

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
pub mod incoming;
pub mod lenient;

pub mod message;
pub mod op;
pub mod packet;

pub mod shown;
pub mod signaling;
pub mod surrogate;
pub mod update;
pub mod usersig;
