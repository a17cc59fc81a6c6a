//! All accounts.
