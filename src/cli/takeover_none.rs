//! Stands for the handover on systems without Unix sockets.

use super::exit::Failure;
use crate::account::Handover;
use crate::config::Config;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// # Errors
/// Always.
pub(super) fn take_over(_: &Path, _: &Config) -> Result<HashMap<Arc<str>, Handover>, Failure> {
    Err(Failure::Usage(
        "--takeover works on Unix systems only".to_owned(),
    ))
}

/// # Errors
/// Always.
pub(super) fn give(
    _: &Path,
    config: &Config,
    _: HashMap<Arc<str>, Handover>,
) -> Result<(), Failure> {
    take_over(Path::new(""), config).map(drop)
}
