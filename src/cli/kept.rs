//! Keeps in a small file which accounts are held or quarantined, so that a restart does not bring them back.
//!
//! An operator who holds an account, or an administrator who kicks it, does not expect a restart of the process
//! to undo that.

use crate::account::{Cause, Phase, Status};
use crate::proto::event::KickType;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

/// Why an account stays offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Away {
    /// Held by an operator.
    Held,
    /// Quarantined by an operator.
    Quarantined,
    /// Kicked by an administrator.
    #[serde(rename = "REST_API_Kick")]
    Kicked,
}

impl Away {
    fn of(status: &Status) -> Option<Self> {
        match (status.phase, &status.cause) {
            (Phase::Held, Cause::Ordered) => Some(Self::Held),
            (Phase::Quarantined, Cause::Ordered) => Some(Self::Quarantined),
            (Phase::Held, Cause::Kicked(KickType::RestApi)) => Some(Self::Kicked),
            _ => None,
        }
    }

    const fn parts(self) -> (Phase, Cause) {
        match self {
            Self::Held => (Phase::Held, Cause::Ordered),
            Self::Quarantined => (Phase::Quarantined, Cause::Ordered),
            Self::Kicked => (Phase::Held, Cause::Kicked(KickType::RestApi)),
        }
    }
}

/// The contents of the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    away: BTreeMap<String, Away>,
}

/// See the module. A thread of its own writes the file, so that a slow disk holds up nobody.
#[derive(Debug)]
pub(super) struct Kept {
    contents: Contents,
    /// Dropped first, so that the thread ends.
    texts: Option<Sender<String>>,
    writer: Option<JoinHandle<()>>,
    path: PathBuf,
}

impl Kept {
    /// Reads the file; a missing one holds nothing.
    ///
    /// # Errors
    /// When it cannot be read or parsed.
    pub(super) fn read(path: PathBuf) -> io::Result<Self> {
        let contents = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Contents::default(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            contents,
            texts: None,
            writer: None,
            path,
        })
    }

    /// The phases and causes of accounts that start offline.
    pub(super) fn away(&self) -> HashMap<Arc<str>, (Phase, Cause)> {
        let away = self.contents.away.iter();
        away.map(|(account, away)| (account.as_str().into(), away.parts()))
            .collect()
    }

    /// Records the status of an account.
    pub(super) fn note(&mut self, status: &Status) {
        // A stop of the program is no decision about the account.
        if matches!(status.phase, Phase::Stopping | Phase::Stopped) {
            return;
        }
        let away = &mut self.contents.away;
        let before = away.get(&*status.account).copied();
        let now = Away::of(status);
        if before == now {
            return;
        }
        match now {
            Some(now) => away.insert(status.account.to_string(), now),
            None => away.remove(&*status.account),
        };
        self.write();
    }

    fn write(&mut self) {
        // It holds names only, so it can always be serialised.
        let text = serde_json::to_string_pretty(&self.contents).unwrap_or_default() + "\n";
        let path = self.path.clone();
        let texts = self.texts.get_or_insert_with(|| {
            let (texts, written) = channel::<String>();
            let thread = std::thread::Builder::new().name("kept-writer".into());
            let spawned = thread.spawn(move || {
                for text in written {
                    if let Err(error) = replace(&path, &text) {
                        tracing::warn!(%error, path = %path.display(), "who is held or quarantined is not kept over a restart");
                    }
                }
            });
            self.writer = spawned.ok();
            texts
        });
        if texts.send(text).is_err() {
            tracing::warn!(
                "who is held or quarantined is not kept over a restart: no thread to write it"
            );
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.texts = None;
        if let Some(writer) = self.writer.take() {
            // A panic of the thread changes nothing here.
            let _ = writer.join();
        }
    }
}

/// Replaces the file in one step: a reader sees the old one or the new one, never a part.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let file = fs::File::create(&new)?;
    io::Write::write_all(&mut &file, text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::id::UserId;
    use std::time::Duration;

    fn status(user: &str, phase: Phase, cause: Cause) -> Status {
        Status {
            phase,
            cause,
            ..Status::new(UserId::from(user), Duration::ZERO)
        }
    }

    #[test]
    fn who_was_sent_away_is_kept_until_it_is_let_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept.json");
        let mut kept = Kept::read(path.clone()).unwrap();
        let kick = || Cause::Kicked(KickType::RestApi);
        kept.note(&status("a", Phase::Held, Cause::Ordered));
        kept.note(&status("b", Phase::Quarantined, Cause::Ordered));
        kept.note(&status("c", Phase::Held, kick()));
        kept.note(&status("d", Phase::Held, Cause::Ordered));
        kept.note(&status("d", Phase::Waiting, Cause::Ordered));
        // No decision of a person, so the next start tries again.
        kept.note(&status("e", Phase::Quarantined, Cause::Crashed));
        kept.note(&status("a", Phase::Stopped, Cause::Stopped));
        drop(kept);
        let away = Kept::read(path).unwrap().away();
        let expected = [
            ("a", (Phase::Held, Cause::Ordered)),
            ("b", (Phase::Quarantined, Cause::Ordered)),
            ("c", (Phase::Held, kick())),
        ];
        let expected = expected.map(|(user, away)| (Arc::from(user), away));
        assert_eq!(away, expected.into());
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept.json");
        fs::write(&path, "{\"away\": 3}").unwrap();
        assert!(Kept::read(path.clone()).is_err());
        assert_eq!(fs::read_to_string(path).unwrap(), "{\"away\": 3}");
    }
}
