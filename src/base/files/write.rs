//! Writing files: completely, or not at all.
//!
//! A new text is written to a temporary file beside the old one, and then takes its place. A killed
//! run leaves such files behind. Their names tell which run they belong to, so that a later run can
//! remove them.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use tempfile::{NamedTempFile, TempDir, TempPath};

/// How the names of temporary files begin; `PID-START-RANDOM` follows, the process and when it
/// started.
const PREFIX: &str = ".cowrap-";

/// What writing did to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was written.
    Changed,
    /// It had the text already, and was not touched.
    Same,
}

/// Gives a file this text. Others see the old text or the new one, even if the program is killed. A
/// file that already has the text keeps its time, so that no build step runs again. For safety
/// against a crash of the machine, see [`Staged`]. A pipe or a device is written to, not replaced.
///
/// # Errors
///
/// The file system reports an error; the file is unchanged then.
pub fn write_whole(path: &Path, text: &[u8]) -> io::Result<Written> {
    // A symbolic link is followed, not replaced.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    if std::fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
        std::fs::OpenOptions::new().write(true).open(&path)?.write_all(text)?;
        return Ok(Written::Changed);
    }
    if std::fs::read(&path).is_ok_and(|old| old == text) {
        return Ok(Written::Same);
    }
    write_beside(&path, text)?.persist(&path).map_err(|error| error.error)?;
    Ok(Written::Changed)
}

/// A file's new text, on disk beside the file and not yet in its place. Dropping it removes it.
///
/// With it, many files can be changed so that a full disk or another obstacle shows before the
/// first file is changed.
#[derive(Debug)]
pub struct Staged {
    temporary: TempPath,
    path: PathBuf,
}

impl Staged {
    /// Writes the new text of a file, and waits until the disk has it. An existing file keeps its
    /// mode, and its owner as far as the system permits. `path` must not be a symbolic link, which
    /// would be replaced.
    ///
    /// No file stays open, so any number can be staged.
    ///
    /// # Errors
    ///
    /// The file system reports an error; nothing is left behind then.
    pub fn write(path: &Path, text: &[u8]) -> io::Result<Staged> {
        let temporary = write_beside(path, text)?;
        temporary.as_file().sync_all()?;
        Ok(Staged { temporary: temporary.into_temp_path(), path: path.to_path_buf() })
    }

    /// Moves the new text into the file's place, in one step. It survives a crash of the machine
    /// once the directory is synchronised too: [`sync_directory`].
    ///
    /// # Errors
    ///
    /// The file system reports an error; the file is unchanged then.
    pub fn put(self) -> io::Result<()> {
        self.temporary.persist(&self.path).map_err(|error| error.error)
    }
}

/// Waits until the disk has a directory's entries.
///
/// # Errors
///
/// The file system reports an error; the entries may be lost in a crash of the machine.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Removes the temporary files in a directory, not below it, whose process has ended. Files that
/// cannot be read or removed stay, and do no harm.
///
/// If another process has the same number now, the file stays for a later run. Two machines, or
/// containers with their own processes, must not write to one directory at the same time: each
/// would take the other's process for dead. A write fails then, and no file is lost.
pub fn remove_abandoned(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && entry.file_name().to_str().is_some_and(is_abandoned) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Makes a temporary directory with a name like those of temporary files. Dropping it removes it
/// with its content.
///
/// # Errors
///
/// The file system reports an error.
pub fn temporary_directory(directory: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(&own_prefix()).tempdir_in(directory)
}

/// Whether a name is one of this program's temporary files or directories.
pub fn is_temporary(name: &str) -> bool {
    maker(name).is_some()
}

/// Writes a text to a temporary file beside the file it is for.
fn write_beside(path: &Path, text: &[u8]) -> io::Result<NamedTempFile> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The process's mask applies to these permissions of a new file.
    let new = std::fs::Permissions::from_mode(0o666);
    let mut temporary = tempfile::Builder::new().prefix(&own_prefix()).permissions(new).tempfile_in(directory)?;
    temporary.write_all(text)?;
    if let Ok(old) = std::fs::metadata(path) {
        let own = temporary.as_file().metadata()?;
        if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
            // Only root can do this; another user becomes the owner. It also clears bits of the
            // mode.
            let _ = fchown(temporary.as_file(), Some(old.uid()), Some(old.gid()));
        }
        temporary.as_file().set_permissions(old.permissions())?;
    }
    Ok(temporary)
}

/// How the names of this process's temporary files begin.
fn own_prefix() -> String {
    format!("{PREFIX}{}-{:x}-", std::process::id(), start())
}

/// When this process started to write, in nanoseconds. It distinguishes processes with the same
/// number, which are common in containers.
fn start() -> u128 {
    static START: OnceLock<u128> = OnceLock::new();
    *START.get_or_init(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.map(|time| time.as_nanos()).unwrap_or_default()
    })
}

/// Whether a name is that of a temporary file or directory whose process has ended; see
/// [`remove_abandoned`].
pub fn is_abandoned(name: &str) -> bool {
    let Some((process, started)) = maker(name) else { return false };
    if process == std::process::id() {
        return started != start();
    }
    let Some(process) = i32::try_from(process).ok().and_then(Pid::from_raw) else { return false };
    // For a living process of another user, the error is another one.
    test_kill_process(process) == Err(Errno::SRCH)
}

/// The process that made a temporary file, and when it started.
fn maker(name: &str) -> Option<(u32, u128)> {
    let parts: Vec<&str> = name.strip_prefix(PREFIX)?.split('-').collect();
    let &[process, started, _] = parts.as_slice() else { return None };
    Some((process.parse().ok()?, u128::from_str_radix(started, 16).ok()?))
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
    fn what_is_staged_appears_when_it_is_put() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a.c");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        drop(Staged::write(&path, b"dropped").unwrap());
        let staged = Staged::write(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        staged.put().unwrap();
        sync_directory(scratch.path()).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_files_of_dead_processes_are_abandoned() {
        let scratch = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = child.id();
        child.wait().unwrap();
        let own = std::process::id();
        let staged = Staged::write(&scratch.path().join("a.c"), b"new").unwrap();
        let gone = [format!(".cowrap-{dead}-1f-abcdef"), format!(".cowrap-{own}-1f-abcdef")];
        // Process 1 always exists; the other names are not this program's.
        let stay = [".cowrap-1-1f-abcdef", ".cowrap-abcdef", ".cowrap-0-1f-abcdef", ".cowrap-4294967295-1f-a", "a.c-1"];
        for name in gone.iter().map(String::as_str).chain(stay) {
            std::fs::write(scratch.path().join(name), "").unwrap();
        }
        std::fs::create_dir(scratch.path().join(format!(".cowrap-{dead}-1f-direct"))).unwrap();
        remove_abandoned(scratch.path());
        for name in &gone {
            assert!(!scratch.path().join(name).exists(), "{name}");
        }
        for name in stay {
            assert!(scratch.path().join(name).exists(), "{name}");
        }
        staged.put().unwrap();
        remove_abandoned(&scratch.path().join("none"));
    }

    #[test]
    fn without_the_directory_nothing_is_written() {
        let scratch = tempfile::tempdir().unwrap();
        assert!(write_whole(&scratch.path().join("none/a.c"), b"x").is_err());
        assert!(!scratch.path().join("none").exists());
    }
}
