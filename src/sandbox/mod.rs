//! The embedded server that the official SDKs accept.
