//! `botroupe new`: files to begin with.

mod bot;
mod list;
mod name;
mod project;

use super::args::NewCommand;
use super::exit::Failure;
use std::io::Write;
use std::path::Path;

/// Writes the files, and says to `out` which ones.
pub(super) fn new(command: &NewCommand, out: &mut dyn Write) -> Result<(), Failure> {
    let said = match command {
        NewCommand::Bot(args) => bot::write(Path::new("."), &args.name)?,
        NewCommand::Project(args) => project::write(&args.folder, args.path.as_deref())?,
    };
    out.write_all(said.as_bytes()).map_err(Failure::Output)
}

/// What was wrong with a file.
fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Runtime(format!("{}: {error}", path.display()).into())
}
