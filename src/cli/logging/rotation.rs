//! A file of log lines that is put aside when it is full, or when a day has passed.
//!
//! It looks before each line whether the file is still where it was: whoever removes or moves it gets a new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::LogFileConfig;

/// A day, in seconds.
const DAY: u64 = 86_400;

/// What to do before a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// Nothing.
    Write,
    /// Put the file aside and begin a new one.
    Rotate,
}

/// The rules, without a file.
#[derive(Clone, Copy, Debug)]
struct Rules {
    max_size: u64,
    daily: bool,
}

impl Rules {
    /// What to do with a file of `size` bytes whose last line is of `since`, before a line of `line` bytes now.
    const fn before(self, size: u64, since: Duration, line: usize, now: Duration) -> Before {
        // The first line of a file is always written, however long it is.
        if size > 0
            && (size.saturating_add(line as u64) > self.max_size
                || self.daily && since.as_secs() / DAY < now.as_secs() / DAY)
        {
            Before::Rotate
        } else {
            Before::Write
        }
    }
}

/// The file and those put aside.
#[derive(Debug)]
pub(super) struct Rotation {
    path: PathBuf,
    rules: Rules,
    max_files: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    size: u64,
    /// When the last line was written, wall-clock time.
    since: Duration,
}

impl Rotation {
    /// Nothing is opened before the first line.
    pub(super) fn new(config: &LogFileConfig) -> Self {
        Self {
            path: config.path.clone(),
            rules: Rules {
                max_size: config.max_size,
                daily: config.daily,
            },
            max_files: config.max_files.max(1),
            open: None,
        }
    }

    /// Writes a line, in the file that is its own at the wall-clock time `now`.
    ///
    /// # Errors
    /// When it cannot be written. Nothing of it is in the file then, and the next line tries again.
    pub(super) fn write(&mut self, line: &[u8], now: Duration) -> io::Result<()> {
        let written = self.try_write(line, now);
        if written.is_err() {
            self.open = None;
        }
        written
    }

    fn try_write(&mut self, line: &[u8], now: Duration) -> io::Result<()> {
        let is_ours = |open: &Open| is_same(&open.file, &self.path);
        let mut open = match self.open.take().filter(is_ours) {
            Some(open) => open,
            None => Open::at(&self.path)?,
        };
        if self.rules.before(open.size, open.since, line.len(), now) == Before::Rotate {
            match put_aside(&self.path, self.max_files) {
                Ok(()) => open = Open::at(&self.path)?,
                // A folder in which nothing can be renamed: better one file that is too large, up to a point.
                Err(error) if open.size >= self.rules.max_size.saturating_mul(2) => {
                    return Err(error);
                }
                Err(_) => {}
            }
        }
        if let Err(error) = open.file.write_all(line) {
            // A full disk may have taken a part of the line.
            let _ = open.file.set_len(open.size);
            return Err(error);
        }
        open.size = open.size.saturating_add(line.len() as u64);
        open.since = now;
        self.open = Some(open);
        Ok(())
    }
}

impl Open {
    fn at(path: &Path) -> io::Result<Self> {
        // A pipe that nobody reads must not stop the thread.
        if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "this is no regular file",
            ));
        }
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            // Lines hold names of users: the group may read them, others not.
            options.mode(0o640);
        }
        let file = options.open(path)?;
        let meta = file.metadata()?;
        let since = meta.modified().ok();
        let since = since.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        Ok(Self {
            file,
            size: meta.len(),
            since: since.unwrap_or_default(),
        })
    }
}

/// Whether the path still leads to this file.
fn is_same(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        match (file.metadata(), fs::metadata(path)) {
            (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        file.metadata().is_ok() && path.exists()
    }
}

/// Renames the file to `.1`, `.1` to `.2` and so on; the oldest goes.
fn put_aside(path: &Path, max_files: u32) -> io::Result<()> {
    let older = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{n}"));
        PathBuf::from(name)
    };
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    let most = max_files.saturating_sub(1);
    if most == 0 {
        return gone(fs::remove_file(path));
    }
    for n in (1..most).rev() {
        gone(fs::rename(older(n), older(n + 1)))?;
    }
    gone(fs::rename(path, older(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources};

    fn rotation(path: &Path, more: &str) -> Rotation {
        let text = format!(
            "[app]\nsdk_app_id = 1\nsecret_key = \"k\"\n[[accounts]]\nuser_id = \"a\"\nbots = []\n\
             [log.file]\npath = {:?}\nmax_size = \"4KiB\"\n{more}",
            path.display().to_string()
        );
        let env = std::collections::BTreeMap::new();
        let config = Config::parse(Sources::new("config.toml", &text, &env)).unwrap();
        Rotation::new(&config.log.file.unwrap())
    }

    fn files(folder: &Path) -> Vec<(String, u64)> {
        let mut found: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let size = entry.metadata().unwrap().len();
                (entry.file_name().into_string().unwrap(), size)
            })
            .collect();
        found.sort();
        found
    }

    #[test]
    fn the_table_of_when_a_file_is_put_aside() {
        let day = |n: u64| Duration::from_secs(n * DAY);
        let noon = Duration::from_secs(DAY / 2);
        for (daily, size, since, line, now, expected) in [
            (false, 0, day(0), 9_999, day(9), Before::Write),
            (false, 50, day(0), 50, day(9), Before::Write),
            (false, 50, day(0), 51, day(0), Before::Rotate),
            (true, 50, day(5), 1, day(5) + noon, Before::Write),
            (true, 50, day(5) + noon, 1, day(6), Before::Rotate),
            (true, 0, day(5), 1, day(6), Before::Write),
            // A clock that was put back.
            (true, 50, day(6), 1, day(5), Before::Write),
        ] {
            let rules = Rules {
                max_size: 100,
                daily,
            };
            assert_eq!(
                rules.before(size, since, line, now),
                expected,
                "{daily} {size} {since:?} {line} {now:?}"
            );
        }
    }

    #[test]
    fn full_files_are_put_aside_and_never_more_than_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.log");
        let mut log = rotation(&path, "max_files = 3\n");
        for n in 0..10u8 {
            let line = [&[b'a' + n; 2_999][..], b"\n"].concat();
            log.write(&line, Duration::ZERO).unwrap();
        }
        let found = files(folder.path());
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b.log", "b.log.1", "b.log.2"]);
        assert!(found.iter().all(|(_, size)| *size == 3_000), "{found:?}");
        assert!(fs::read_to_string(&path).unwrap().starts_with('j'));
        let oldest = folder.path().join("b.log.2");
        assert!(fs::read_to_string(oldest).unwrap().starts_with('h'));

        let mut log = rotation(&path, "max_files = 1\n");
        log.write(&[b'x'; 3_000], Duration::ZERO).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [b'x'; 3_000]);
    }

    #[test]
    fn a_new_day_begins_a_new_file_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.log");
        let day = |n: u64| Duration::from_secs(n * DAY + 100);
        let mut log = rotation(&path, "daily = true\n");
        // Far ahead, since the file has the time of the disk's clock.
        log.write(b"one\n", day(90_000)).unwrap();
        log.write(b"two\n", day(90_000)).unwrap();
        log.write(b"three\n", day(90_001)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
        let mut log = rotation(&path, "daily = true\n");
        log.write(b"four\n", day(90_002)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "four\n");
        assert_eq!(files(folder.path()).len(), 3);
    }

    #[test]
    fn a_file_that_is_removed_or_moved_comes_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.log");
        let mut log = rotation(&path, "");
        log.write(b"one\n", Duration::ZERO).unwrap();
        fs::rename(&path, folder.path().join("moved")).unwrap();
        log.write(b"two\n", Duration::ZERO).unwrap();
        fs::remove_file(&path).unwrap();
        log.write(b"three\n", Duration::ZERO).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
    }

    #[test]
    fn a_folder_that_is_missing_costs_lines_until_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/b.log");
        let mut log = rotation(&path, "");
        assert!(log.write(b"one\n", Duration::ZERO).is_err());
        fs::create_dir(folder.path().join("sub")).unwrap();
        log.write(b"two\n", Duration::ZERO).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        let mut none = rotation(folder.path(), "");
        assert!(none.write(b"x\n", Duration::ZERO).is_err(), "a folder");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_no_file_is_refused_instead_of_waited_for() {
        let mut log = rotation(Path::new("/dev/full"), "");
        assert!(log.write(b"one\n", Duration::ZERO).is_err());
    }
}
