//! The arguments of `botroupe doctor`.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::ConfigArgs;

/// `botroupe doctor`.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct DoctorArgs {
    /// The config file, as --config.
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,

    /// Everything as one JSON object.
    #[arg(long)]
    pub(in crate::cli) json: bool,

    /// Which config.
    #[command(flatten)]
    pub(in crate::cli) config: ConfigArgs,
}

impl DoctorArgs {
    /// The config file.
    pub(in crate::cli) fn path(&self) -> &Path {
        self.file.as_deref().unwrap_or(&self.config.config)
    }
}
