//! Room on disks.

use std::io;
use std::path::Path;

/// How many bytes this user may still write where `path` is, or will be. A disk that does not answer blocks the thread.
///
/// # Errors
/// When the file system cannot be asked.
#[cfg(unix)]
pub fn free_space(path: &Path) -> io::Result<u64> {
    // A file that is not there yet will be in its folder.
    let asked = match path.exists() {
        true => path,
        false => match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        },
    };
    let about = rustix::fs::statvfs(asked)?;
    Ok(about.f_bavail.saturating_mul(about.f_frsize))
}

/// It is not known on this system.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn free_space(_: &Path) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_yet_has_the_room_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let room = free_space(&folder.path().join("none.db")).unwrap();
        assert!(room > 0);
        assert!(free_space(Path::new("none.db")).is_ok());
        assert!(free_space(&folder.path().join("no/folder")).is_err());
    }
}
