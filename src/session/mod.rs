//! One login with the server, as a sans-IO state machine.
