//! Fetches UserSigs from outside: files, the environment, programs, HTTP services.
//!
//! *When* one is fetched is [`Core`](super::Core)'s decision.

use super::credential::{CredentialError, External};
use crate::proto::id::UserId;
use crate::proto::usersig::UserSig;
use std::sync::Arc;

/// Fetches one UserSig for `user`.
///
/// # Errors
/// [`CredentialError::Source`] when there is none, with what to look at.
pub(super) async fn fetch(source: Arc<External>, user: UserId) -> Result<UserSig, CredentialError> {
    let _ = user;
    Err(CredentialError::Source {
        from: source.to_string(),
        reason: "not available".to_owned(),
    })
}
