//! Writing files: whole, or not at all.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It has the new text.
    Changed,
    /// It had that text before, and was not touched.
    Same,
}

/// Gives a file this text. Whoever reads it meanwhile, or when the program is killed, sees the old text or the new one. A file that
/// has the text already keeps its time, so that a build does not go on from it.
///
/// # Errors
///
/// Those of the file system; the file is as it was then.
pub fn write_whole(path: &Path, text: &[u8]) -> io::Result<Written> {
    // Through a symbolic link the file behind it is written, and not the link replaced.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    if std::fs::read(&path).is_ok_and(|old| old == text) {
        return Ok(Written::Same);
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A new file gets what the process's mask leaves of these permissions.
    let new = std::fs::Permissions::from_mode(0o666);
    let mut temporary = tempfile::Builder::new().prefix(".cowrap-").permissions(new).tempfile_in(directory)?;
    temporary.write_all(text)?;
    if let Ok(old) = std::fs::metadata(&path) {
        temporary.as_file().set_permissions(old.permissions())?;
    }
    temporary.persist(&path).map_err(|error| error.error)?;
    Ok(Written::Changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_keeps_its_mode() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a.c");
        assert_eq!(write_whole(&path, b"one").unwrap(), Written::Changed);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let time = || std::fs::metadata(&path).unwrap().modified().unwrap();
        let before = time();
        assert_eq!(write_whole(&path, b"one").unwrap(), Written::Same);
        assert_eq!(time(), before);
        assert_eq!(write_whole(&path, b"two").unwrap(), Written::Changed);
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let left: Vec<_> = std::fs::read_dir(scratch.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn a_link_stays_a_link() {
        let scratch = tempfile::tempdir().unwrap();
        let (real, link) = (scratch.path().join("real.c"), scratch.path().join("link.c"));
        std::fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_whole(&link, b"new").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(std::fs::read(&real).unwrap(), b"new");
    }

    #[test]
    fn without_the_directory_nothing_is_written() {
        let scratch = tempfile::tempdir().unwrap();
        assert!(write_whole(&scratch.path().join("none/a.c"), b"x").is_err());
        assert!(!scratch.path().join("none").exists());
    }
}
