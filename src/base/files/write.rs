//! Writing files: completely, or not at all.
//!
//! A new text is written to a temporary file beside the old one, and then takes its place. A run that
//! ends early removes its temporary files; a killed run cannot. Their names say which run they belong
//! to, so that a later run can remove them.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use rustix::io::Errno;
use rustix::process::{Pid, geteuid, test_kill_process};

use super::digest::Digest;
use super::directory::{Directory, Entry};

/// How the names of temporary files begin; `PID-START-SYSTEM-RANDOM` follows: the process, when it
/// started, and where its number means something.
const PREFIX: &str = ".cowrap-";

/// How they begin if they are a part of a change of many files, which a later run can finish. So only
/// who knows that there is nothing to finish removes them.
const OF_A_CHANGE: &str = ".cowrap-fix-";

/// How old a temporary file of another machine is before it is taken for abandoned.
const OLD: Duration = Duration::from_secs(3600);

/// How often another name is tried if there is a file with the first one.
const MOST_NAMES: usize = 100;

/// A file's new text, on disk beside the file and not yet in its place. Dropping it removes it.
///
/// With it, many files can be changed so that a full disk or another obstacle shows before the
/// first file is changed. No file stays open, so any number can be staged.
#[derive(Debug)]
pub struct Staged {
    temporary: Temporary,
    name: OsString,
}

impl Staged {
    /// Writes the new text of a file in a directory. If a regular file has this name, the new one
    /// gets its mode, its extended attributes with the access control lists, and its owner as far as
    /// the system permits.
    ///
    /// # Errors
    ///
    /// The file system reports an error; nothing is left behind then.
    pub fn write_in(directory: &Directory, name: &OsStr, text: &[u8]) -> io::Result<Staged> {
        Ok(Staged::stage(directory, name, text, PREFIX)?.0)
    }

    /// The same, and waits until the disk has the text.
    ///
    /// # Errors
    ///
    /// As [`Staged::write_in`].
    pub fn sync_in(directory: &Directory, name: &OsStr, text: &[u8]) -> io::Result<Staged> {
        let (staged, file) = Staged::stage(directory, name, text, PREFIX)?;
        file.sync_all()?;
        Ok(staged)
    }

    /// The same, as a part of a change of many files: only [`remove_abandoned_parts_in`] removes it later.
    ///
    /// # Errors
    ///
    /// As [`Staged::write_in`].
    pub fn sync_part_in(directory: &Directory, name: &OsStr, text: &[u8]) -> io::Result<Staged> {
        let (staged, file) = Staged::stage(directory, name, text, OF_A_CHANGE)?;
        file.sync_all()?;
        Ok(staged)
    }

    fn stage(directory: &Directory, name: &OsStr, text: &[u8], prefix: &str) -> io::Result<(Staged, File)> {
        // The process's mask applies to these permissions of a new file.
        let (temporary, mut file) = Temporary::make(directory, prefix, |name| directory.create_file(name, 0o666))?;
        file.write_all(text)?;
        if let Some(old) = directory.entry(name)?.filter(Entry::is_regular) {
            if let Some(own) = directory.entry(&temporary.name)?
                && (own.user, own.group) != (old.user, old.group)
            {
                // Only root can do this; another user becomes the owner. It also clears bits of the
                // mode.
                let _ = fchown(&file, Some(old.user), Some(old.group));
            }
            file.set_permissions(std::fs::Permissions::from_mode(old.mode))?;
            if let Ok(source) = directory.open_file(name) {
                copy_attributes(&source, &file)?;
            }
        }
        Ok((Staged { temporary, name: name.to_owned() }, file))
    }

    /// Moves the new text to the file's place, where nothing may be, and lets only the user read it.
    ///
    /// # Errors
    ///
    /// The file system reports an error, or something is there.
    pub fn put_new_in(self, directory: &Directory) -> io::Result<()> {
        directory.open_file(&self.temporary.name)?.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        match directory.link(&self.temporary.name, &self.name) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            // Some file systems have no links.
            Err(_) if directory.entry(&self.name)?.is_none() => self.put_in(directory),
            Err(error) => Err(error),
        }
    }

    /// The name of the temporary file.
    pub fn temporary_name(&self) -> &OsStr {
        &self.temporary.name
    }

    /// Moves the new text into the file's place, in one step. It survives a crash of the machine
    /// once the directory is synchronised too. The directory is the one of [`Staged::write_in`].
    ///
    /// # Errors
    ///
    /// The file system reports an error; the file is unchanged then.
    pub fn put_in(self, directory: &Directory) -> io::Result<()> {
        directory.rename(&self.temporary.name, directory, &self.name)?;
        self.temporary.keep();
        Ok(())
    }

    /// Leaves the temporary file to the caller, who knows its name.
    pub fn keep(self) -> OsString {
        self.temporary.keep();
        self.temporary.name.clone()
    }
}

/// Gives a file the extended attributes of another one.
fn copy_attributes(from: &File, to: &File) -> io::Result<()> {
    let names = match read_growing(|buffer| rustix::fs::flistxattr(from, buffer)) {
        Ok(names) => names,
        // The file system has none.
        Err(_) => return Ok(()),
    };
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let copied = read_growing(|buffer| rustix::fs::fgetxattr(from, name, buffer))
            .and_then(|value| rustix::fs::fsetxattr(to, name, &value, rustix::fs::XattrFlags::empty()));
        // What the system keeps for itself, such as labels, it gives to new files by its own rules.
        let is_of_user = name.starts_with(b"user.") || name == b"system.posix_acl_access";
        if let Err(error) = copied
            && is_of_user
        {
            return Err(error.into());
        }
    }
    Ok(())
}

/// What a system call writes to a buffer that is large enough.
fn read_growing(call: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> rustix::io::Result<Vec<u8>> {
    let mut buffer = vec![0; 1024];
    loop {
        match call(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            Err(Errno::RANGE) if buffer.len() < 1 << 20 => buffer.resize(buffer.len() * 4, 0),
            Err(error) => return Err(error),
        }
    }
}

/// A temporary directory. Dropping it removes it with its content.
#[derive(Debug)]
pub struct TemporaryDirectory {
    temporary: Temporary,
}

impl TemporaryDirectory {
    /// Makes one in a directory. Only the user can enter it.
    ///
    /// # Errors
    ///
    /// The file system reports an error.
    pub fn make_in(directory: &Directory) -> io::Result<TemporaryDirectory> {
        let (temporary, ()) = Temporary::make(directory, PREFIX, |name| directory.make_directory(name))?;
        Ok(TemporaryDirectory { temporary })
    }

    /// Makes one in the system's directory for temporary files, and removes those that killed runs
    /// of the user have left there.
    ///
    /// # Errors
    ///
    /// The file system reports an error.
    pub fn make() -> io::Result<TemporaryDirectory> {
        static SWEPT: OnceLock<()> = OnceLock::new();
        let directory = Directory::open(&std::env::temp_dir())?;
        SWEPT.get_or_init(|| remove_abandoned_directories_in(&directory));
        TemporaryDirectory::make_in(&directory)
    }

    /// Its path; absolute.
    pub fn path(&self) -> &Path {
        &self.temporary.path
    }

    /// Its name.
    pub fn name(&self) -> &OsStr {
        &self.temporary.name
    }
}

/// Something with a temporary name. Dropping it removes it, and so does [`remove_temporaries`].
#[derive(Debug)]
struct Temporary {
    name: OsString,
    path: PathBuf,
}

impl Temporary {
    fn make<T>(
        directory: &Directory,
        prefix: &str,
        make: impl Fn(&OsStr) -> io::Result<T>,
    ) -> io::Result<(Temporary, T)> {
        for _ in 0..MOST_NAMES {
            let random = RandomState::new().hash_one(std::process::id());
            let name = OsString::from(format!("{prefix}{}-{random:016x}", maker()));
            let path = std::path::absolute(directory.path().join(&name))?;
            // Nothing is made once the run is being ended.
            let mut live = live();
            match make(&name) {
                Ok(made) => {
                    live.insert(path.clone());
                    return Ok((Temporary { name, path }, made));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// It is not temporary any more, or not there.
    fn keep(&self) {
        live().remove(&self.path);
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let mut live = live();
        if live.remove(&self.path) {
            remove(&self.path);
        }
    }
}

/// The temporary files and directories of this process that exist.
fn live() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    static LIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Held while files are changed that belong together.
static CHANGING: Mutex<()> = Mutex::new(());

/// Runs what must not be left half done when the user interrupts the program.
pub fn uninterrupted<T>(run: impl FnOnce() -> T) -> T {
    let _changing = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    run()
}

/// Removes all temporary files of this process, which is about to end: from now on, it can make no
/// more. It waits for the end of [`uninterrupted`].
pub fn remove_temporaries() {
    let changing = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    let live = live();
    live.iter().for_each(|path| remove(path));
    std::mem::forget((changing, live));
}

/// Removes a temporary file or directory. A failure does no harm.
fn remove(path: &Path) {
    let _ = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        _ => std::fs::remove_file(path),
    };
}

/// Removes the temporary files in a directory, not below it, whose process has ended. Files that
/// cannot be read or removed stay, and do no harm.
///
/// If another process has the same number now, the file stays for a later run. Files of other
/// machines, and of containers with their own processes, stay for an hour.
pub fn remove_abandoned(directory: &Path) {
    if let Ok(directory) = Directory::open(directory) {
        remove_abandoned_in(&directory);
    }
}

/// The same for an open directory.
pub fn remove_abandoned_in(directory: &Directory) {
    for (name, _) in abandoned(directory, PREFIX, true).filter(|(_, entry)| entry.is_regular()) {
        let _ = directory.remove(&name);
    }
}

/// Removes what changes of many files have left in a directory, if their process has ended. The
/// caller knows that none of them is to be finished.
pub fn remove_abandoned_parts_in(directory: &Directory) {
    for (name, _) in abandoned(directory, OF_A_CHANGE, true).filter(|(_, entry)| entry.is_regular()) {
        let _ = directory.remove(&name);
    }
}

/// Whether a name is that of a temporary file that is a part of a change of many files.
pub fn is_part_of_change(name: &str) -> bool {
    Maker::of(name, OF_A_CHANGE).is_some()
}

/// Whether another process made such a file and is running; `None` if it is one of another machine
/// or container.
pub fn is_maker_running(name: &str) -> Option<bool> {
    let maker = Maker::of(name, OF_A_CHANGE)?;
    let is_this = maker.process == std::process::id() && maker.started == start();
    (maker.is_of_this_system == Some(true)).then(|| !is_this && !maker.has_ended())
}

/// Removes the user's temporary directories in a directory whose process has ended; see
/// [`remove_abandoned`].
pub fn remove_abandoned_directories_in(directory: &Directory) {
    let user = geteuid().as_raw();
    // Other machines share directories such as a cache's with this one.
    for (name, _) in abandoned(directory, PREFIX, false).filter(|(_, entry)| entry.is_directory() && entry.user == user)
    {
        let _ = std::fs::remove_dir_all(directory.path().join(name));
    }
}

/// What is in a directory with the name of a temporary file or directory whose process has ended.
/// The name begins with `prefix`. `unnamed` says whether names without a system, of earlier versions,
/// count as names of this one.
fn abandoned(directory: &Directory, prefix: &'static str, unnamed: bool) -> impl Iterator<Item = (OsString, Entry)> {
    let names = directory.names().unwrap_or_default().into_iter();
    names.filter_map(move |name| {
        let maker = Maker::of(name.to_str()?, prefix)?;
        let entry = directory.entry(&name).ok()??;
        maker.is_gone(&entry, unnamed).then_some((name, entry))
    })
}

/// Whether a name is one of this program's temporary files or directories.
pub fn is_temporary(name: &str) -> bool {
    Maker::of(name, PREFIX).is_some()
}

/// What the names of this process's temporary files say of it.
fn maker() -> String {
    format!("{}-{:x}-{}", std::process::id(), start(), system())
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

/// Where the numbers of processes mean what they mean here: this machine since it was started, and
/// this container.
fn system() -> &'static str {
    static SYSTEM: OnceLock<String> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let boot = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let processes = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let digest = Digest::of(&[boot, processes.into_os_string().into_encoded_bytes()].concat());
        digest.to_string()[..8].to_owned()
    })
}

/// The process that made a temporary file.
struct Maker {
    process: u32,
    started: u128,
    /// Whether the number of the process means something here; `None` if the name does not say.
    is_of_this_system: Option<bool>,
}

impl Maker {
    /// The maker that a name names. Names of earlier versions name no system.
    fn of(name: &str, prefix: &str) -> Option<Maker> {
        let parts: Vec<&str> = name.strip_prefix(prefix)?.split('-').collect();
        let (process, started, is_of_this_system) = match *parts.as_slice() {
            [process, started, _] => (process, started, None),
            [process, started, of, _] => (process, started, Some(of == system())),
            _ => return None,
        };
        let started = u128::from_str_radix(started, 16).ok()?;
        Some(Maker { process: process.parse().ok()?, started, is_of_this_system })
    }

    /// Whether the process has ended, or seems to because its file is old; see [`abandoned`].
    fn is_gone(&self, entry: &Entry, unnamed: bool) -> bool {
        let is_old = || SystemTime::now().duration_since(entry.modified).is_ok_and(|age| age > OLD);
        match self.is_of_this_system {
            Some(false) => return is_old(),
            None if !unnamed && !is_old() => return false,
            _ => {}
        }
        self.has_ended()
    }

    /// Whether there is no such process on this machine.
    fn has_ended(&self) -> bool {
        if self.process == std::process::id() {
            return self.started != start();
        }
        let Some(process) = i32::try_from(self.process).ok().and_then(Pid::from_raw) else { return false };
        // For a living process of another user, the error is another one.
        test_kill_process(process) == Err(Errno::SRCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(scratch: &tempfile::TempDir) -> Directory {
        Directory::open(scratch.path()).unwrap()
    }

    #[test]
    fn what_is_staged_appears_when_it_is_put() {
        let scratch = tempfile::tempdir().unwrap();
        let (path, directory) = (scratch.path().join("a.c"), open(&scratch));
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        drop(Staged::sync_in(&directory, "a.c".as_ref(), b"dropped").unwrap());
        let staged = Staged::sync_in(&directory, "a.c".as_ref(), b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        staged.put_in(&directory).unwrap();
        directory.sync().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1);
    }

    #[test]
    fn attributes_are_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let (path, directory) = (scratch.path().join("a.c"), open(&scratch));
        std::fs::write(&path, "old").unwrap();
        let set =
            |value: &[u8]| rustix::fs::setxattr(&path, "user.cowrap", value, rustix::fs::XattrFlags::empty()).is_ok();
        // Some file systems have no attributes.
        if !set(&[7; 3000]) && !set(b"short") {
            return;
        }
        let value = || {
            let mut buffer = vec![0; 4096];
            let length = rustix::fs::getxattr(&path, "user.cowrap", &mut buffer).unwrap();
            buffer[..length].to_vec()
        };
        let before = value();
        Staged::write_in(&directory, "a.c".as_ref(), b"new").unwrap().put_in(&directory).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(value(), before);
    }

    #[test]
    fn only_files_of_dead_processes_are_abandoned() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = open(&scratch);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = child.id();
        child.wait().unwrap();
        let own = std::process::id();
        let staged = Staged::write_in(&directory, "a.c".as_ref(), b"new").unwrap();
        let gone = [
            format!(".cowrap-{dead}-1f-abcdef"),
            format!(".cowrap-{own}-1f-abcdef"),
            format!(".cowrap-{dead}-1f-{}-abcdef", system()),
            ".cowrap-1-1f-00000000-old".to_owned(),
        ];
        // Process 1 always exists; the last ones are of another machine, or not this program's.
        let stay = [
            ".cowrap-1-1f-abcdef",
            &format!(".cowrap-1-1f-{}-abcdef", system()),
            &format!(".cowrap-{dead}-1f-00000000-abcdef"),
            ".cowrap-abcdef",
            ".cowrap-0-1f-abcdef",
            ".cowrap-4294967295-1f-a",
            "a.c-1",
        ];
        for name in gone.iter().map(String::as_str).chain(stay) {
            std::fs::write(scratch.path().join(name), "").unwrap();
        }
        let old = File::options().write(true).open(scratch.path().join(&gone[3])).unwrap();
        old.set_modified(SystemTime::now() - 2 * OLD).unwrap();
        let made = scratch.path().join(format!(".cowrap-{dead}-1f-{}-direct", system()));
        std::fs::create_dir(&made).unwrap();
        remove_abandoned_in(&directory);
        for name in &gone {
            assert!(!scratch.path().join(name).exists(), "{name}");
        }
        for name in stay {
            assert!(scratch.path().join(name).exists(), "{name}");
        }
        assert!(made.exists());
        remove_abandoned_directories_in(&directory);
        assert!(!made.exists());
        staged.put_in(&directory).unwrap();
        remove_abandoned(&scratch.path().join("none"));
    }

    #[test]
    fn temporary_directories_go_with_their_content() {
        let scratch = tempfile::tempdir().unwrap();
        let made = TemporaryDirectory::make_in(&open(&scratch)).unwrap();
        std::fs::create_dir(made.path().join("d")).unwrap();
        std::fs::write(made.path().join("d/file"), "").unwrap();
        let mode = std::fs::metadata(made.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(is_temporary(made.name().to_str().unwrap()));
        drop(made);
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}
