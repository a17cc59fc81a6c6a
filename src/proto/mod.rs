//! What is on the wire. Pure: no socket, clock or actor.

pub mod checksum;
pub mod code;
pub mod endpoint;
pub mod id;
pub mod usersig;
