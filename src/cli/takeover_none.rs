//! Stands for the handover on systems without Unix sockets.

use super::exit::Failure;
use crate::account::Handover;
use crate::proto::id::{SdkAppId, UserId};
use std::collections::HashMap;
use std::path::Path;

/// # Errors
/// Always.
pub(super) fn take_over(_: &Path, _: SdkAppId) -> Result<HashMap<UserId, Handover>, Failure> {
    Err(Failure::Usage(
        "--takeover works on Unix systems only".to_owned(),
    ))
}

/// # Errors
/// Always.
pub(super) fn give(_: &Path, app: SdkAppId, _: HashMap<UserId, Handover>) -> Result<(), Failure> {
    take_over(Path::new(""), app).map(drop)
}
