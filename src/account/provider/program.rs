//! Programs that give UserSigs: run without a shell, with a clean environment, and ended as a whole.

use super::{MAX_COMPLAINT, SHOWN_COMPLAINT, read_all};
use crate::proto::shown;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// Words of a complaint that are this long are left out: a SecretKey has 64 characters, other keys, hashes and
/// tokens have 32 and more, and a UserSig some hundred.
const HIDDEN_WORD: usize = 32;

/// The environment variables a program gets: paths, language and time zone. It gets none of our secrets.
const PASSED_ON: [&str; 27] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "TMP",
    "TEMP",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    // Without these nothing starts on Windows.
    "SystemRoot",
    "SYSTEMROOT",
    "COMSPEC",
    "PATHEXT",
    "USERPROFILE",
    "APPDATA",
];

fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| {
        name.to_str()
            .is_some_and(|name| PASSED_ON.contains(&name) || name.starts_with("LC_"))
    })
}

/// Runs a program to its end and gives what it wrote, of at most `most` bytes.
///
/// # Errors
/// When it does not start, says too much, or fails; with its last complaint.
pub(super) async fn run(program: &str, args: &[String], most: usize) -> Result<Vec<u8>, String> {
    let mut command = Command::new(program);
    command
        .args(args)
        .env_clear()
        .envs(environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // What it starts belongs to the same group, unless it takes pains to leave it.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command
        .spawn()
        .map_err(|error| format!("it does not start: {error}"))?;
    // However this ends: by an error, at the deadline, with the account, with the process.
    let group = Group::of(&child);
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err("it has no output".to_owned());
    };
    let complaint = async { Ok(last_line(stderr).await) };
    let (answer, complaint) = tokio::try_join!(read_all(stdout, most), complaint)?;
    let status = child.wait().await.map_err(|error| error.to_string())?;
    group.forget();
    if status.success() {
        return Ok(answer);
    }
    match complaint {
        Some(line) => Err(format!("it ended with {status}: {line}")),
        None => Err(format!("it ended with {status}")),
    }
}

/// Reads to the end and keeps the last line that says something, fit to be shown.
async fn last_line(mut source: impl AsyncRead + Unpin) -> Option<String> {
    let mut kept: Vec<u8> = Vec::new();
    let mut chunk = [0; 1024];
    while let Ok(count @ 1..) = source.read(&mut chunk).await {
        kept.extend(chunk.iter().take(count));
        let surplus = kept.len().saturating_sub(MAX_COMPLAINT);
        kept.drain(..surplus);
    }
    let text = String::from_utf8_lossy(&kept);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(without_secrets(line))
}

/// The line without anything that may be a key: long runs of the characters that keys consist of.
fn without_secrets(line: &str) -> String {
    let is_key = |c: char| c.is_ascii_alphanumeric() || "+/=_-*".contains(c);
    let mut shown = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let same = is_key(first);
        let end = rest.find(|c| is_key(c) != same).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        // A path is long as a whole, and no key in its parts.
        let longest = match word.starts_with('/') {
            true => word.split('/').map(str::len).max().unwrap_or(0),
            false => word.len(),
        };
        if same && longest >= HIDDEN_WORD {
            shown.push('…');
        } else {
            shown.push_str(word);
        }
        rest = after;
    }
    let mut clipped = String::new();
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    // Writing to a String cannot fail.
    let _ = shown::clipped(&mut clipped, &words, SHOWN_COMPLAINT);
    clipped
}

/// The processes that run at present, so that none outlives this one.
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn running() -> MutexGuard<'static, BTreeSet<i32>> {
    // Nothing panics while holding it.
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program and whatever it started. Ended when it is dropped.
struct Group(Option<i32>);

impl Group {
    fn of(child: &Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        running().extend(leader);
        Self(leader)
    }

    /// The program has ended by itself, and nobody holds its output any more. Its number may be that
    /// of another one from now on.
    fn forget(mut self) {
        if let Some(leader) = self.0.take() {
            running().remove(&leader);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0.take() {
            running().remove(&leader);
            kill(leader);
        }
    }
}

/// Ends all programs that run at present, with what they started. For the end of the process.
pub fn end_programs() {
    for leader in std::mem::take(&mut *running()) {
        kill(leader);
    }
}

#[cfg(unix)]
fn kill(leader: i32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(leader) = Pid::from_raw(leader) {
        // Gone already: then there is nothing to be done.
        let _ = kill_process_group(leader, Signal::KILL);
    }
}

/// Elsewhere the program alone is ended, when its handle is dropped.
#[cfg(not(unix))]
const fn kill(_: i32) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_as_long_as_a_key_is_shown_of_a_complaint() {
        let key = "0123456789abcdef".repeat(4);
        for (line, shown) in [
            (format!("key={key} is wrong"), "… is wrong".to_owned()),
            (format!("bad key '{key}'"), "bad key '…'".to_owned()),
            (
                format!("\"secret\":\"{}\",", &key[..32]),
                "\"secret\":\"…\",".to_owned(),
            ),
            (
                format!("token {}", &key[..31]),
                format!("token {}", &key[..31]),
            ),
            (
                "cat: /etc/botroupe/signing/keys/of/the/app: No such file".to_owned(),
                "cat: /etc/botroupe/signing/keys/of/the/app: No such file".to_owned(),
            ),
            (format!("cat: /keys/{key}: no"), "cat: …: no".to_owned()),
            ("red \u{1b}[31m".to_owned(), "red \\u{1b}[31m".to_owned()),
        ] {
            assert_eq!(without_secrets(&line), shown);
        }
    }
}
