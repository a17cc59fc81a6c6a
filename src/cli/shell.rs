//! `botroupe completions` and `botroupe man`: what shells and `man` read, made from the arguments themselves.

use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Args;
use super::exit::Failure;

/// The name under which the program is called.
const NAME: &str = "botroupe";

/// Writes the completions of a shell to `out`.
///
/// # Errors
/// [`Failure::Output`].
pub(super) fn completions(shell: Shell, out: &mut dyn Write) -> Result<(), Failure> {
    // It panics when it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), NAME, &mut script);
    out.write_all(&script).map_err(Failure::Output)
}

/// Writes a page for the program and one for each command: to files of `folder`, or that of the program to `out`.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn man(folder: Option<&Path>, out: &mut dyn Write) -> Result<(), Failure> {
    let program = Args::command();
    let Some(folder) = folder else {
        let page = clap_mangen::Man::new(program);
        return page.render(out).map_err(Failure::Output);
    };
    let unwritten = |error: io::Error| {
        let text = format!("{}: {error}", folder.display());
        Failure::Runtime(text.into())
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(program, folder))
        .map_err(unwritten)
}
