//! Keeps a second process away from a store.

use super::OpenError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Held as long as a store is open. The system gives it back when the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    pub(super) fn take(store: &Path) -> Result<Self, OpenError> {
        let mut path = store.to_owned().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let unmade = |source| OpenError::Lock {
            path: path.clone(),
            source,
        };
        loop {
            let file = options().open(&path).map_err(unmade)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let mut pid = String::new();
                    // Without a number the message names no process.
                    let _ = (&file).read_to_string(&mut pid);
                    return Err(OpenError::InUse {
                        path: store.to_owned(),
                        pid: pid.trim().parse().ok(),
                    });
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    tracing::warn!(
                        path = %path.display(),
                        "this file system has no locks: see to it that only one process uses the store"
                    );
                }
                Err(TryLockError::Error(error)) => return Err(unmade(error)),
            }
            if !is_same(&file, &path) {
                continue; // Whoever had it took it away just now.
            }
            write_pid(&file).map_err(unmade)?;
            return Ok(Self { path, _file: file });
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is locked: the next process finds no file, or an unlocked one.
        let _ = fs::remove_file(&self.path);
    }
}

fn options() -> OpenOptions {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes the number of this process into a lock, for those who find it taken.
pub(crate) fn write_pid(mut file: &File) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{}", std::process::id())
}

/// Whether the file is still the one of that name.
#[cfg(unix)]
pub(crate) fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(file), Ok(named)) => (file.dev(), file.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
pub(crate) const fn is_same(_: &File, _: &Path) -> bool {
    true // A file that is open cannot be taken away.
}
