//! Measures Botroupe beside hand-written clients and the official SDK, on the same wire format.
//!
//! `cargo run --release -p botroupe-bench -- all` measures everything; see `docs/src/benchmarks.md`.

mod account;
mod case;
mod error;
mod figures;
mod fleet;
mod frames;
mod page;
mod peers;
mod plug;
mod server;
mod spread;
mod tables;
mod tls;
mod told;

use case::Bench;
use clap::{Args, Parser, Subcommand};
use error::{Error, Result};
use rustix::process::{Resource, Signal, getrlimit, set_parent_process_death_signal, setrlimit};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use tables::{Name, Scale};

/// The same as that of the program `botroupe`, for every client.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Botroupe beside hand-written clients and the official SDK.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    program: Option<Program>,
    #[command(flatten)]
    measure: Measure,
}

/// What a measurement starts in processes of their own.
#[derive(Subcommand)]
enum Program {
    /// The load server.
    #[command(hide = true)]
    Serve(server::Options),
    /// A hand-written client.
    #[command(hide = true)]
    Peer(peers::Options),
    /// Our fleet over links without sockets.
    #[command(hide = true)]
    Fleet(fleet::Options),
    /// Another program.
    #[command(hide = true)]
    Other {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
}

/// What to measure.
#[derive(Args)]
struct Measure {
    /// The tables.
    #[arg(value_enum)]
    tables: Vec<Name>,
    /// Measure little, to see whether everything works.
    #[arg(long)]
    quick: bool,
    /// How often each figure is measured.
    #[arg(long)]
    runs: Option<usize>,
    /// Write the tables into this page. Tables that are not measured stay as they are there.
    #[arg(long)]
    write: Option<PathBuf>,
    /// The program `botroupe`; by default the one that was built beside this one.
    #[arg(long)]
    botroupe: Option<PathBuf>,
    /// A folder in whose `node_modules` the official SDK is; by default where the interop tests install it.
    #[arg(long)]
    sdk: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.program.is_some() {
        // Nothing goes on when the runner is gone. Where the kernel cannot promise that, it is only less tidy.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
    }
    let outcome = match cli.program {
        Some(Program::Serve(options)) => server::run(options),
        Some(Program::Peer(options)) => peers::run(options),
        Some(Program::Fleet(options)) => fleet::run(&options),
        Some(Program::Other { words }) => become_other(&words),
        None => measure(&cli.measure),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Makes another program of this process.
fn become_other(words: &[OsString]) -> Result<()> {
    let Some((program, words)) = words.split_first() else {
        return Err(Error::new("no program is named"));
    };
    Err(Command::new(program).args(words).exec().into())
}

/// Writes a line to standard error.
fn complain(text: &str) {
    // There is nobody to tell that it failed.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn measure(options: &Measure) -> Result<()> {
    raise_limit()?;
    let here = std::env::current_exe()?;
    let beside = here.parent().unwrap_or(Path::new("."));
    let botroupe = options.botroupe.clone();
    let botroupe = botroupe.unwrap_or_else(|| beside.join("botroupe"));
    let sdk = options.sdk.clone().or_else(|| installed_sdk(beside));
    let mut bench = Bench::new(botroupe, sdk)?;
    let scale = Scale::new(options.quick, options.runs);
    let mut measured = BTreeMap::new();
    let mut failed = Vec::new();
    for name in options.tables.iter().flat_map(Name::tables) {
        complain(&format!("measuring {}", name.text()));
        // One that fails does not take the others with it.
        match name.measure(&mut bench, scale) {
            Ok(table) => {
                let place = page::place(scale.runs, scale.is_quick);
                let table = format!("{table}\n{place}\n");
                writeln!(std::io::stdout().lock(), "{table}")?;
                measured.insert(name.text(), table);
            }
            Err(error) => failed.push(format!("{}: {error}", name.text())),
        }
        if let Some(file) = &options.write {
            page::write(file, &measured)?;
        }
    }
    match (measured.is_empty(), failed.is_empty()) {
        (true, true) => Err(Error::new("name a table, or `all`; --help lists them")),
        (_, true) => Ok(()),
        _ => Err(Error::new(failed.join("\n"))),
    }
}

/// Lets this process and those that it starts open as many files as the machine allows.
fn raise_limit() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit).map_err(std::io::Error::from)?)
}

/// Where the interop tests install the official SDK: a folder of `target/tmp`, beside the folder of this program.
fn installed_sdk(beside: &Path) -> Option<PathBuf> {
    let scratch = beside.parent()?.join("tmp");
    let folders = std::fs::read_dir(scratch).ok()?.flatten();
    folders
        .map(|entry| entry.path())
        .find(|folder| folder.join("node_modules/@tencentcloud/chat").is_dir())
}
