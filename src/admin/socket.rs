//! The control socket: a Unix socket that only its owner can use.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// File handles kept in reserve for clients.
const SPARE: usize = 8;

/// The socket; dropping it removes its file.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    /// Not blocking; until it is served.
    listener: Option<UnixListener>,
    spare: Spare,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // If it is gone already or cannot be removed, nothing can be done at this point.
        let _ = fs::remove_file(&self.path);
    }
}

impl Socket {
    /// Creates it. Clients wait until it is served. The file handles for them are reserved now, before the accounts
    /// take theirs.
    ///
    /// # Errors
    /// When another process answers there, or the file cannot be created.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "another process answers there",
            ));
        }
        let listener = bind(path)?;
        listener.set_nonblocking(true)?;
        let mut spare = Spare::default();
        spare.refill();
        Ok(Self {
            path: path.to_owned(),
            listener: Some(listener),
            spare,
        })
    }

    /// The listener and the reserve, once.
    pub(super) fn take(&mut self) -> Option<(UnixListener, Spare)> {
        Some((self.listener.take()?, std::mem::take(&mut self.spare)))
    }
}

/// Handles that are left when all others are used up.
#[derive(Debug, Default)]
pub(super) struct Spare(Vec<fs::File>);

impl Spare {
    pub(super) fn refill(&mut self) {
        while self.0.len() < SPARE {
            match fs::File::open("/dev/null") {
                Ok(file) => self.0.push(file),
                Err(_) => return,
            }
        }
    }

    /// Gives one back, for the next client.
    pub(super) fn release(&mut self) {
        self.0.pop();
    }
}

/// Creates the socket where no other user has access, and moves it into place once its mode is set.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let folder = path.with_extension(format!("{}", std::process::id()));
    DirBuilder::new().mode(0o700).create(&folder)?;
    let made = (|| {
        let hidden = folder.join("s");
        let listener = UnixListener::bind(&hidden)?;
        fs::set_permissions(&hidden, Permissions::from_mode(0o600))?;
        fs::rename(&hidden, path)?;
        Ok(listener)
    })();
    let _ = fs::remove_dir_all(&folder);
    made
}
