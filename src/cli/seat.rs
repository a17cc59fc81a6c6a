//! The paths of a process that runs a config: its control socket, its lock and its kept state.
//!
//! They are beside the config file. Where that is impossible (the folder is read-only, the path is too long for a
//! socket) they are in a private folder, under a name made from the config's path.

use super::exit::Failure;
use crate::store::{is_same, write_pid};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The longest path of a socket: 104 bytes on some systems, with a zero at the end. While a socket is created its
/// name is longer.
const MAX_SOCKET_PATH: usize = 103 - ".1234567890/s".len();

/// Where the Debian package has the configs of the service, and its state.
const SERVICE: (&str, &str) = ("/etc/botroupe", "/var/lib/botroupe");

/// The paths that belong to one config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    /// The path without its extension.
    base: PathBuf,
    /// Why it is not beside the config.
    pub(super) moved: Option<&'static str>,
}

impl Seat {
    /// Beside the config: `botroupe` for `config.toml`, `botroupe-NAME` for `NAME.toml`, so that two
    /// configs in one folder do not get in each other's way.
    pub(super) fn beside(config: &Path) -> Self {
        Self {
            base: config.with_file_name(Self::name(config)),
            moved: None,
        }
    }

    fn name(config: &Path) -> String {
        match config.file_stem().and_then(|stem| stem.to_str()) {
            None | Some("config") => "botroupe".to_owned(),
            Some(stem) => format!("botroupe-{stem}"),
        }
    }

    /// That of a service, whose configs lie in one folder, which it must not write to, and its state in another;
    /// `None` for other configs.
    fn of_service(config: &Path, (configs, state): (&str, &str)) -> Option<Self> {
        let full = fs::canonicalize(config).ok()?;
        let state = Path::new(state);
        let is_one = full.parent() == Some(Path::new(configs)) && state.is_dir();
        is_one.then(|| Self {
            base: state.join(Self::name(&full)),
            moved: None,
        })
    }

    /// In a folder of this user alone. The folder is made when `make` says so.
    fn private(config: &Path, why: &'static str, make: bool) -> io::Result<Self> {
        let full = fs::canonicalize(config).unwrap_or_else(|_| config.to_owned());
        let digest = Sha256::digest(full.as_os_str().as_encoded_bytes());
        let mut name = "botroupe-".to_owned();
        for byte in digest.iter().take(8) {
            // Writing to a String cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        Ok(Self {
            base: private_folder(make)?.join(name),
            moved: Some(why),
        })
    }

    /// Whether a socket can have this name.
    fn fits(&self) -> bool {
        self.socket().as_os_str().len() <= MAX_SOCKET_PATH
    }

    /// The paths for the process that will run `config`.
    ///
    /// # Errors
    /// When there is no place at all.
    pub(super) fn for_run(config: &Path) -> io::Result<Self> {
        let is_writable = |seat: &Self| {
            let mut options = OpenOptions::new();
            let file = options.append(true).create(true).open(seat.lock_file());
            file.is_ok()
        };
        if let Some(seat) = Self::of_service(config, SERVICE).filter(is_writable) {
            return Ok(seat);
        }
        let beside = Self::beside(config);
        if !beside.fits() {
            return Self::private(
                config,
                "the path of the config is too long for a socket",
                true,
            );
        }
        if is_writable(&beside) {
            return Ok(beside);
        }
        let why = "the folder of the config cannot be written to";
        Self::private(config, why, true)
    }

    /// The paths at which the process that runs `config` may be found, the likeliest first.
    #[cfg_attr(not(unix), allow(dead_code, reason = "only asked over a Unix socket"))]
    pub(super) fn candidates(config: &Path) -> Vec<Self> {
        let private = Self::private(config, "it could not be beside the config", false);
        let beside = Some(Self::beside(config)).filter(Self::fits);
        let service = Self::of_service(config, SERVICE);
        let known = service.into_iter().chain(beside);
        known.chain(private.ok()).collect()
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.with("sock")
    }

    /// Its socket and the reason, when it is not beside the config.
    pub(super) fn told(&self) -> Option<String> {
        let why = self.moved?;
        Some(format!("{} ({why})", self.socket().display()))
    }

    /// The file of the state that is kept over restarts.
    pub(super) fn kept(&self) -> PathBuf {
        self.with("kept.json")
    }

    fn lock_file(&self) -> PathBuf {
        self.with("lock")
    }

    fn with(&self, ending: &str) -> PathBuf {
        let mut path = self.base.clone().into_os_string();
        path.push(".");
        path.push(ending);
        path.into()
    }
}

#[cfg(unix)]
fn private_folder(make: bool) -> io::Result<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let user = rustix::process::geteuid().as_raw();
    let of_session = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let of_session = of_session.filter(|path| path.is_absolute() && path.is_dir());
    // Under /tmp another user could have created it first; then it must not be used.
    let folder = of_session.unwrap_or_else(|| format!("/tmp/botroupe-{user}").into());
    if make {
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    let about = fs::symlink_metadata(&folder)?;
    if about.is_dir() && about.uid() == user && about.mode() & 0o022 == 0 {
        Ok(folder)
    } else {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} does not belong to this user alone", folder.display()),
        ))
    }
}

#[cfg(not(unix))]
fn private_folder(make: bool) -> io::Result<PathBuf> {
    let folder = std::env::temp_dir().join("botroupe");
    if make {
        fs::create_dir_all(&folder)?;
    }
    Ok(folder)
}

/// Tells other copies that this config is running already, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: Option<File>,
    /// The number of a process that had it and did not stop in order.
    before: Option<u32>,
    /// A lock on the config itself, which may also be reached under another name.
    _config: Option<File>,
}

impl Lock {
    /// Takes the lock; with `force` it goes on even if another process holds it.
    ///
    /// # Errors
    /// [`Failure::AlreadyRunning`] when another process has it, [`Failure::Runtime`] when it cannot
    /// be made.
    pub(super) fn take(config: &Path, seat: &Seat, force: bool) -> Result<Self, Failure> {
        let path = seat.lock_file();
        let unmade = |error: io::Error| {
            Failure::Runtime(format!("{}: {error}; no lock", path.display()).into())
        };
        let running = |mut file: &File| {
            let mut pid = String::new();
            // Without a number the message names no process.
            let _ = file.read_to_string(&mut pid);
            Failure::AlreadyRunning {
                config: config.to_owned(),
                pid: pid.trim().parse().ok(),
            }
        };
        // The file system may have no locks, or none for files opened for reading: the other lock remains.
        let of_config = File::open(config).ok();
        let is_taken = |file: &File| matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(unmade)?;
            if is_taken(&file) {
                if force {
                    return Ok(Self {
                        path,
                        file: None,
                        before: None,
                        _config: None,
                    });
                }
                return Err(running(&file));
            }
            if !is_same(&file, &path) {
                continue; // Whoever had it took it away just now.
            }
            if of_config.as_ref().is_some_and(is_taken) && !force {
                let none = Self {
                    path,
                    file: Some(file),
                    before: None,
                    _config: None,
                };
                drop(none);
                return Err(Failure::AlreadyRunning {
                    config: config.to_owned(),
                    pid: None,
                });
            }
            let mut pid = String::new();
            // Whoever stops in order takes its file away.
            let _ = (&file).read_to_string(&mut pid);
            write_pid(&file).map_err(unmade)?;
            return Ok(Self {
                path,
                file: Some(file),
                before: pid.trim().parse().ok(),
                _config: of_config,
            });
        }
    }
}

impl Lock {
    /// Whether a process has it at present.
    pub(super) fn is_taken(seat: &Seat) -> bool {
        let file = OpenOptions::new().read(true).open(seat.lock_file());
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// The process before this one, if it did not stop in order.
    pub(super) const fn crashed_before(&self) -> Option<u32> {
        self.before
    }

    /// Lets the next process find out that this one did not stop in order.
    pub(super) fn leave(mut self) {
        self.file = None;
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.file.is_some() {
            // Remove it while it is locked: the next process finds no file, or an unlocked one.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_configs_in_one_folder_have_a_socket_each() {
        for (config, socket) in [
            ("config.toml", "botroupe.sock"),
            ("/etc/bots/config.toml", "/etc/bots/botroupe.sock"),
            ("/etc/bots/shop.toml", "/etc/bots/botroupe-shop.sock"),
            ("live.v2.toml", "botroupe-live.v2.sock"),
        ] {
            let seat = Seat::beside(Path::new(config));
            assert_eq!(seat.socket(), Path::new(socket), "{config}");
        }
    }

    #[test]
    fn a_second_copy_of_a_config_gets_no_lock_under_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        fs::write(&config, "").unwrap();
        let seat = Seat::for_run(&config).unwrap();
        let lock = Lock::take(&config, &seat, false).unwrap();
        let pid = std::process::id();
        match Lock::take(&config, &seat, false) {
            Err(Failure::AlreadyRunning {
                pid: Some(known), ..
            }) => assert_eq!(known, pid),
            other => panic!("{other:?}"),
        }
        #[cfg(unix)]
        {
            let other = folder.path().join("other.toml");
            std::os::unix::fs::symlink(&config, &other).unwrap();
            let seat = Seat::for_run(&other).unwrap();
            assert!(matches!(
                Lock::take(&other, &seat, false),
                Err(Failure::AlreadyRunning { .. })
            ));
        }
        drop(Lock::take(&config, &seat, true).unwrap());
        assert!(
            Lock::take(&config, &seat, false).is_err(),
            "who forced its way took nothing from the first"
        );
        drop(lock);
        assert!(!seat.lock_file().exists());
        Lock::take(&config, &seat, false).unwrap();
    }

    #[test]
    fn a_process_that_did_not_stop_in_order_is_found_out_once() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        fs::write(&config, "").unwrap();
        let before = |lock: &Lock| lock.crashed_before().is_some();
        let take = || {
            let seat = Seat::for_run(&config).unwrap();
            Lock::take(&config, &seat, false).unwrap()
        };
        let lock = take();
        assert!(!before(&lock));
        lock.leave();
        let lock = take();
        assert_eq!(lock.crashed_before(), Some(std::process::id()));
        drop(lock);
        assert!(!before(&take()), "an orderly stop leaves nothing");
    }

    #[test]
    fn a_service_keeps_its_state_apart_from_its_configs() {
        let folder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(folder.path()).unwrap();
        let (configs, state) = (folder.join("etc"), folder.join("state"));
        let service = || (configs.to_str().unwrap(), state.to_str().unwrap());
        fs::create_dir(&configs).unwrap();
        let config = configs.join("shop.toml");
        fs::write(&config, "").unwrap();
        assert_eq!(Seat::of_service(&config, service()), None, "no such folder");
        fs::create_dir(&state).unwrap();
        let seat = Seat::of_service(&config, service()).unwrap();
        assert_eq!(seat.socket(), state.join("botroupe-shop.sock"));
        assert_eq!(seat.kept(), state.join("botroupe-shop.kept.json"));
        let other = folder.join("shop.toml");
        fs::write(&other, "").unwrap();
        assert_eq!(Seat::of_service(&other, service()), None);
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_lie_beside_the_config_lies_in_a_private_folder() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x".repeat(120));
        fs::create_dir(&deep).unwrap();
        let config = deep.join("config.toml");
        fs::write(&config, "").unwrap();
        let seat = Seat::for_run(&config).unwrap();
        assert!(seat.moved.is_some() && seat.fits(), "{seat:?}");
        let found = Seat::candidates(&config);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].socket(), seat.socket());
    }
}
