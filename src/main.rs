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
    // The allocator asks for huge pages, and the kernel then gives 2 MiB for the first byte of each: that is a
    // tenth of what ten thousand accounts take, and doubles what a few take. If it is refused, nothing is lost.
    #[cfg(all(feature = "mimalloc", target_os = "linux"))]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    botroupe::cli::main(bots::all())
}
