//! Lines for journald, in its native protocol: each with its fields, so that `journalctl BOTROUPE_ACCOUNT=…` finds
//! those of an account.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use tracing::Level;

use super::line::Line;
use crate::config::Env;

/// Where journald listens.
const SOCKET: &str = "/run/systemd/journal/socket";
/// A journal that takes longer loses the line.
const LIMIT: Duration = Duration::from_secs(5);

/// A way to journald.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    socket: Option<UnixDatagram>,
}

impl Journal {
    pub(super) fn system() -> Self {
        Self::at(SOCKET.into())
    }

    const fn at(path: PathBuf) -> Self {
        Self { path, socket: None }
    }

    /// Sends one encoded line.
    ///
    /// # Errors
    /// When journald does not take it in time. The next line tries again.
    pub(super) fn write(&mut self, entry: &[u8]) -> io::Result<()> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => {
                let socket = UnixDatagram::unbound()?;
                socket.set_write_timeout(Some(LIMIT))?;
                socket
            }
        };
        // By its path each time: a journald that was restarted listens on a new socket.
        socket.send_to(entry, &self.path)?;
        self.socket = Some(socket);
        Ok(())
    }
}

/// Whether standard error leads to journald, as systemd's variable says.
pub(super) fn is_standard_error(env: &dyn Env) -> bool {
    use std::os::fd::AsFd;
    let Some(told) = env.get("JOURNAL_STREAM") else {
        return false;
    };
    let stream = io::stderr().as_fd().try_clone_to_owned();
    let Ok(meta) = stream.and_then(|stream| std::fs::File::from(stream).metadata()) else {
        return false;
    };
    told == format!("{}:{}", meta.dev(), meta.ino())
}

/// A line as journald wants it.
pub(super) fn entry(line: &Line) -> Vec<u8> {
    let priority = match line.level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        _ => "7",
    };
    let mut entry = Vec::new();
    put(&mut entry, "PRIORITY", priority);
    put(&mut entry, "SYSLOG_IDENTIFIER", "botroupe");
    put(&mut entry, "TARGET", line.target);
    let mut message = line.message.clone();
    for (name, value) in line.fields.iter() {
        let text = match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        message.push_str(&format!(" {name}={text}"));
        put(&mut entry, &field_name(name), &text);
    }
    // The message that `journalctl` shows has the fields as well, like a line on a terminal.
    put(&mut entry, "MESSAGE", &message);
    entry
}

/// `BOTROUPE_ACCOUNT` for `account`: upper case letters, digits and underscores, at most 64.
fn field_name(name: &str) -> String {
    let fits = |c: char| match c {
        c if c.is_ascii_alphanumeric() => c.to_ascii_uppercase(),
        _ => '_',
    };
    format!("BOTROUPE_{}", name.chars().map(fits).collect::<String>())
        .chars()
        .take(64)
        .collect()
}

fn put(entry: &mut Vec<u8>, name: &str, value: &str) {
    entry.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend_from_slice(value.as_bytes());
    entry.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::logging::line::Lines;
    use crate::cli::logging::queue::Queue;
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    fn a_line_reaches_journald_with_priority_and_fields() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let there = UnixDatagram::bind(&path).unwrap();
        there
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut journal = Journal::at(path);
        let sink = Queue::start("journal", move |line: &[u8]| journal.write(line));
        let layers = tracing_subscriber::registry().with(Lines::queued(entry, sink));
        tracing::subscriber::with_default(layers, || {
            tracing::warn!(target: "botroupe::account", account = %"shop-01", server.code = 70001, "offline");
        });
        let mut bytes = [0; 4096];
        let length = there.recv(&mut bytes).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&bytes[..length]),
            "PRIORITY=4\nSYSLOG_IDENTIFIER=botroupe\nTARGET=botroupe::account\nBOTROUPE_ACCOUNT=shop-01\n\
             BOTROUPE_SERVER_CODE=70001\nMESSAGE=offline account=shop-01 server.code=70001\n"
        );
    }

    #[test]
    fn a_value_of_several_lines_has_its_length_before_it() {
        let mut bytes = Vec::new();
        put(&mut bytes, "A", "x\ny");
        assert_eq!(bytes, b"A\n\x03\0\0\0\0\0\0\0x\ny\n");
    }

    #[test]
    fn a_journald_that_is_not_there_is_an_error_and_found_when_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let mut journal = Journal::at(path.clone());
        assert!(journal.write(b"A=1\n").is_err());
        let there = UnixDatagram::bind(&path).unwrap();
        journal.write(b"A=2\n").unwrap();
        let mut bytes = [0; 16];
        assert_eq!(there.recv(&mut bytes).unwrap(), 4);
        drop(there);
        std::fs::remove_file(&path).unwrap();
        assert!(journal.write(b"A=3\n").is_err());
        let there = UnixDatagram::bind(&path).unwrap();
        journal.write(b"A=4\n").unwrap();
        assert_eq!(there.recv(&mut bytes).unwrap(), 4);
    }

    #[test]
    fn standard_error_is_the_journal_only_when_it_is_the_very_stream() {
        let env = |value: &str| {
            std::collections::BTreeMap::from([("JOURNAL_STREAM".to_owned(), value.to_owned())])
        };
        assert!(!is_standard_error(&env("1:1")));
        assert!(!is_standard_error(&env("nonsense")));
        assert!(!is_standard_error(&std::collections::BTreeMap::new()));
    }
}
