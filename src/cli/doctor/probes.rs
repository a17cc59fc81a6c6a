//! Looks at the machine. Every look is short and changes nothing that stays.

use std::fs::{self, OpenOptions};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use crate::gateway::{http_client, now, without_url};

/// How long a name server and the endpoint may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What the endpoint said.
#[derive(Debug)]
pub(super) struct Told {
    /// The status and how long it took, or why there was no answer.
    pub(super) answer: Result<(u16, Duration), String>,
    /// By how many seconds its clock is ahead of ours, and how long asking took.
    pub(super) off: Option<(i64, Duration)>,
}

/// Resolves a name.
pub(super) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    match timeout(LIMIT, tokio::net::lookup_host((host, port))).await {
        Ok(found) => Ok(found?.collect()),
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "no answer within 10 s",
        )),
    }
}

/// Asks the endpoint for whatever it answers.
pub(super) async fn ask(origin: &str) -> Told {
    let began = now();
    let sent = http_client().get(format!("{origin}/")).send();
    let answer = match timeout(LIMIT, sent).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            return Told {
                answer: Err(without_url(&error)),
                off: None,
            };
        }
        Err(_) => {
            return Told {
                answer: Err("no answer within 10 s".to_owned()),
                off: None,
            };
        }
    };
    let ended = now();
    let took = ended.mono.saturating_sub(began.mono);
    let date = answer.headers().get(awc::http::header::DATE);
    let date = date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    let theirs = date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok());
    let off = theirs.map(|theirs| {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        (seconds(theirs).saturating_sub(seconds(ended.unix)), took)
    });
    Told {
        answer: Ok((answer.status().as_u16(), took)),
        off,
    }
}

/// Whether an address can be listened at; it is let go at once.
pub(super) fn bind(address: SocketAddr) -> io::Result<()> {
    TcpListener::bind(address).map(drop)
}

/// Why a file cannot be written to, or made. A file that is not there is not left behind.
pub(super) fn unwritable(path: &Path) -> Option<String> {
    if path.exists() {
        let opened = OpenOptions::new().append(true).open(path);
        return opened.err().map(|error| error.to_string());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let probe = folder.join(format!(".botroupe-doctor-{}", std::process::id()));
    let made = OpenOptions::new().write(true).create_new(true).open(&probe);
    match made {
        Ok(file) => {
            drop(file);
            // If that fails, an empty file is left.
            let _ = fs::remove_file(&probe);
            None
        }
        Err(error) => Some(format!("{}: {error}", folder.display())),
    }
}

/// The ports that the system gives to links.
pub(super) fn port_range() -> Option<(u16, u16)> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut words = text.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

/// Bytes of memory that are available without swapping; what a control group allows, if that is less.
pub(super) fn available_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    let number = |path: &str| -> Option<u64> { fs::read_to_string(path).ok()?.trim().parse().ok() };
    // "max" is no number, and no limit.
    let limit = number("/sys/fs/cgroup/memory.max").map(|max| {
        let used = number("/sys/fs/cgroup/memory.current").unwrap_or(0);
        max.saturating_sub(used)
    });
    Some((kib << 10).min(limit.unwrap_or(u64::MAX)))
}

/// Whether others than its owner and group may read a file.
pub(super) fn readable_by_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o004 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// Whether a config names a secret itself, and not a variable in its place.
pub(super) fn holds_secret(text: &str) -> bool {
    const KEYS: [&str; 4] = ["secret_key", "user_sig", "secret", "token"];
    text.lines().any(|line| {
        let Some((key, value)) = line.trim().split_once('=') else {
            return false;
        };
        let value = value.trim();
        KEYS.contains(&key.trim())
            && value.starts_with(['"', '\''])
            && !value.contains("${")
            && value.trim_matches(['"', '\'']).len() > 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_a_config_are_told_from_variables() {
        for (line, expected) in [
            ("secret_key = \"a1b2c3\"", true),
            ("  secret = 'abc'", true),
            ("secret_key = \"${KEY:-x}\"", false),
            ("# secret_key = \"a1b2c3\"", false),
            ("secret_key_file = \"/run/key\"", false),
            ("secret_key = \"\"", false),
        ] {
            assert_eq!(holds_secret(line), expected, "{line}");
        }
    }

    #[test]
    fn a_look_at_a_folder_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(unwritable(&folder.path().join("b.db")), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let there = folder.path().join("there");
        fs::write(&there, "x").unwrap();
        assert_eq!(unwritable(&there), None);
        assert_eq!(fs::read(&there).unwrap(), b"x");
        assert!(unwritable(&folder.path().join("no/b.db")).is_some());
    }

    #[test]
    fn a_taken_port_is_found() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        assert_eq!(bind(address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(taken);
        assert!(bind(address).is_ok());
    }
}
