//! The limits of the machine that links come up against: open files and ports.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

/// File handles that a process needs besides its links: for threads, requests, the control socket, files of bots
/// and programs.
pub const BESIDE_LINKS: u64 = 64;

static OPEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Keeps [`BESIDE_LINKS`] of the allowed file handles for everything else, or four in five where few are allowed.
/// A link takes `each`. A dial beyond that fails at once.
pub fn limit_links(each: u64) {
    let most = most_links(soft_limit(), each);
    MOST.store(most, Ordering::Relaxed);
}

fn most_links(allowed: Option<u64>, each: u64) -> usize {
    let Some(allowed) = allowed else {
        return usize::MAX;
    };
    let links = (allowed - BESIDE_LINKS.min(allowed - allowed / 5)) / each.max(1);
    usize::try_from(links).unwrap_or(usize::MAX)
}

/// Open files that are allowed; `None` if there is no limit.
#[cfg(unix)]
fn soft_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
const fn soft_limit() -> Option<u64> {
    None
}

/// The file handle of a link, from before it is dialled until it is dropped.
#[derive(Debug)]
pub(super) struct Slot(());

impl Slot {
    /// Takes one.
    ///
    /// # Errors
    /// When every handle that links may have is taken.
    pub(super) fn take() -> io::Result<Self> {
        let most = MOST.load(Ordering::Relaxed);
        let slot = Self(());
        if OPEN.fetch_add(1, Ordering::Relaxed) < most {
            return Ok(slot);
        }
        Err(io::Error::other(TooManyFiles {
            links: most,
            allowed: soft_limit(),
        }))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// No file handle is left.
#[derive(Debug, thiserror::Error)]
#[error(
    "too many open files: {links} links are open{}; raise the limit with LimitNOFILE= of a systemd service, nofile \
     in limits.conf, or ulimit -n",
    .allowed.map(|allowed| format!(", and this process may have {allowed} open files")).unwrap_or_default()
)]
struct TooManyFiles {
    links: usize,
    allowed: Option<u64>,
}

/// No port is left for a connection.
#[derive(Debug, thiserror::Error)]
#[error(
    "no port is left for another connection from {} to {to} (28,232 for each pair of addresses by default); name \
     further addresses of this machine in [io] bind, or use more addresses of the endpoint",
    .from.map_or_else(|| "this machine".to_owned(), |from| from.to_string())
)]
struct NoPort {
    from: Option<IpAddr>,
    to: SocketAddr,
}

/// An address of `[io] bind` that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{from} of [io] bind cannot be used: {reason}")]
struct NoSource {
    from: IpAddr,
    reason: String,
}

/// The error for a machine that has no file handle left, in place of the system's.
pub(super) fn explain_files(error: io::Error) -> io::Error {
    if !is_out_of_files(&error) {
        return error;
    }
    io::Error::other(TooManyFiles {
        links: OPEN.load(Ordering::Relaxed),
        allowed: soft_limit(),
    })
}

#[cfg(unix)]
fn is_out_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errno = Errno::from_io_error(error);
    errno == Some(Errno::MFILE) || errno == Some(Errno::NFILE)
}

#[cfg(not(unix))]
const fn is_out_of_files(_: &io::Error) -> bool {
    false
}

/// The error for an address of ours that cannot be used, in place of the system's.
pub(super) fn explain_bind(error: &io::Error, from: IpAddr, to: SocketAddr) -> io::Error {
    let from_and_to = NoPort {
        from: Some(from),
        to,
    };
    match error.kind() {
        // Any port was asked for.
        io::ErrorKind::AddrInUse => io::Error::new(io::ErrorKind::AddrInUse, from_and_to),
        io::ErrorKind::AddrNotAvailable => io::Error::other(NoSource {
            from,
            reason: "it is no address of this machine".to_owned(),
        }),
        _ => io::Error::other(NoSource {
            from,
            reason: error.to_string(),
        }),
    }
}

/// The error for a connection that was not even tried, in place of the system's.
pub(super) fn explain_connect(error: io::Error, from: Option<IpAddr>, to: SocketAddr) -> io::Error {
    match error.kind() {
        // Without a source, a machine that has no IPv6 says the same.
        io::ErrorKind::AddrNotAvailable if from.is_some() || to.is_ipv4() => {
            io::Error::new(io::ErrorKind::AddrInUse, NoPort { from, to })
        }
        _ => explain_files(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_handles_are_for_links_and_some_for_the_rest() {
        for (allowed, each, links) in [
            (Some(1024), 1, 960),
            (Some(1024), 2, 480),
            (Some(64), 1, 12),
            (Some(1), 1, 0),
            (Some(0), 2, 0),
            (None, 1, usize::MAX),
        ] {
            assert_eq!(most_links(allowed, each), links, "{allowed:?} / {each}");
        }
    }

    #[test]
    fn what_ran_out_is_named_with_a_remedy() {
        let to = "198.51.100.7:443".parse().unwrap();
        let from = IpAddr::from([10, 0, 0, 4]);
        let of = |kind: io::ErrorKind| io::Error::from(kind);
        for (error, words) in [
            (
                explain_bind(&of(io::ErrorKind::AddrInUse), from, to),
                ["from 10.0.0.4 to 198.51.100.7:443", "[io] bind"],
            ),
            (
                explain_bind(&of(io::ErrorKind::AddrNotAvailable), from, to),
                ["10.0.0.4 of [io] bind", "no address of this"],
            ),
            (
                explain_connect(of(io::ErrorKind::AddrNotAvailable), None, to),
                ["from this machine to", "28,232"],
            ),
            (
                explain_connect(of(io::ErrorKind::ConnectionRefused), None, to),
                ["refused", ""],
            ),
        ] {
            let said = error.to_string();
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        }
        #[cfg(unix)]
        for errno in [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE] {
            let said = explain_files(errno.into()).to_string();
            assert!(
                said.contains("open files") && said.contains("ulimit -n"),
                "{said}"
            );
        }
    }
}
