//! The arguments of `botroupe completions` and `botroupe man`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap_complete::Shell;

/// `botroupe completions`.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub(in crate::cli) shell: Shell,
}

/// `botroupe man`.
#[derive(Clone, Debug, ClapArgs)]
pub(in crate::cli) struct ManArgs {
    /// The folder to write a page for each command to; without it, the page of the program is printed.
    #[arg(value_name = "FOLDER")]
    pub(in crate::cli) folder: Option<PathBuf>,
}
