//! Variables of the environment with a meaning of their own.

/// The variable that holds the SecretKey, so that it need not be on the command line.
pub(super) const SECRET_KEY: &str = "BOTROUPE_SECRET_KEY";

#[cfg(feature = "sandbox")]
/// The variable that holds the token of a sandbox: the same as for the key `sandbox.token` of a config.
pub(super) const SANDBOX_TOKEN: &str = "BOTROUPE__SANDBOX__TOKEN";
