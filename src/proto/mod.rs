//! What is on the wire. Pure: no socket, clock or actor.
