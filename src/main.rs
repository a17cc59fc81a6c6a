//! The `botroupe` binary: the library's command line, with the bots of `bots/`.

#[path = "../bots/mod.rs"]
#[allow(unreachable_pub, reason = "a bot's file looks the same in a library")]
mod bots;

use std::process::ExitCode;

/// Keeps small what a burst of logins leaves behind.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    botroupe::cli::main(bots::all())
}
