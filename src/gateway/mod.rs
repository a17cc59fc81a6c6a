//! One WebSocket: dialling, framing and the connection actor.
