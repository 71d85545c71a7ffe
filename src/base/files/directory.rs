//! Directories that stay open, and the files in them.
//!
//! A path is looked up anew each time it is used, and a link may have taken the place of a part of
//! it. So what is checked once stays open, and names in it are looked up without following links.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::read::{FileKind, ReadRefusal};

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    handle: OwnedFd,
    path: PathBuf,
}

/// What is under a name in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is, if it is no regular file.
    pub kind: Option<FileKind>,
    /// The device and the inode, which identify a file under all its names.
    pub identity: (u64, u64),
    /// The number of its names.
    pub links: u64,
    /// The user that it belongs to.
    pub user: u32,
    /// The group that it belongs to.
    pub group: u32,
    /// Its permissions.
    pub mode: u32,
    /// Its size in bytes.
    pub size: u64,
    /// When its content changed.
    pub modified: SystemTime,
    /// When it was read, if the file system notes that.
    pub accessed: SystemTime,
}

impl Entry {
    /// Whether it is a regular file.
    pub fn is_regular(&self) -> bool {
        self.kind.is_none()
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.kind == Some(FileKind::Directory)
    }

    /// Whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.kind == Some(FileKind::Link)
    }

    // The width of the fields differs between systems.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    fn of(stat: &rustix::fs::Stat) -> Entry {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => None,
            FileType::Directory => Some(FileKind::Directory),
            FileType::Symlink => Some(FileKind::Link),
            FileType::Fifo => Some(FileKind::Pipe),
            FileType::Socket => Some(FileKind::Socket),
            FileType::CharacterDevice | FileType::BlockDevice => Some(FileKind::Device),
            _ => Some(FileKind::Other),
        };
        Entry {
            kind,
            identity: (stat.st_dev as u64, stat.st_ino as u64),
            links: stat.st_nlink as u64,
            user: stat.st_uid,
            group: stat.st_gid,
            mode: u32::from(stat.st_mode) & 0o7777,
            size: stat.st_size as u64,
            modified: time(stat.st_mtime as i64, stat.st_mtime_nsec as u64),
            accessed: time(stat.st_atime as i64, stat.st_atime_nsec as u64),
        }
    }
}

/// A time since 1970; earlier ones, and those that are too late, count as 1970.
fn time(seconds: i64, nanoseconds: u64) -> SystemTime {
    let since = u64::try_from(seconds).ok().map(|seconds| Duration::new(seconds, nanoseconds as u32 % 1_000_000_000));
    since.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)).unwrap_or(SystemTime::UNIX_EPOCH)
}

impl Directory {
    /// Opens a directory. Links in the path are followed: whoever names it is trusted.
    ///
    /// # Errors
    ///
    /// The file system reports an error, or it is no directory.
    pub fn open(path: &Path) -> io::Result<Directory> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        Ok(Directory { handle: open_directory(CWD, path, OFlags::empty())?, path: path.to_path_buf() })
    }

    /// Opens a directory below this one. No part of the path may be a link.
    ///
    /// # Errors
    ///
    /// The file system reports an error, a part is no directory, or the path leads out.
    pub fn below(&self, relative: &Path) -> io::Result<Directory> {
        let mut at = Directory { handle: self.handle.try_clone()?, path: self.path.clone() };
        for component in relative.components() {
            let name = match component {
                Component::CurDir => continue,
                Component::Normal(name) => name,
                _ => return Err(io::ErrorKind::InvalidInput.into()),
            };
            let handle = open_directory(&at.handle, Path::new(name), OFlags::NOFOLLOW)?;
            at = Directory { handle, path: at.path.join(name) };
        }
        Ok(at)
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the directory itself is.
    ///
    /// # Errors
    ///
    /// The file system reports an error.
    pub fn own_entry(&self) -> io::Result<Entry> {
        Ok(Entry::of(&rustix::fs::fstat(&self.handle)?))
    }

    /// What is under a name; `None` if nothing is.
    ///
    /// # Errors
    ///
    /// The file system reports an error.
    pub fn entry(&self, name: &OsStr) -> io::Result<Option<Entry>> {
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Entry::of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in the directory, in no order.
    ///
    /// # Errors
    ///
    /// The file system reports an error.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        use std::os::unix::ffi::OsStrExt;
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.handle)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsStr::from_bytes(name).to_owned());
            }
        }
        Ok(names)
    }

    /// Opens a regular file for reading, without following a link and without waiting.
    ///
    /// # Errors
    ///
    /// The file system reports an error, or it is no regular file ([`ReadRefusal`]).
    pub fn open_file(&self, name: &OsStr) -> io::Result<File> {
        self.open_regular(name, OFlags::RDONLY)
    }

    /// Opens a regular file for writing, without changing it.
    ///
    /// # Errors
    ///
    /// As [`Directory::open_file`].
    pub fn open_to_write(&self, name: &OsStr) -> io::Result<File> {
        self.open_regular(name, OFlags::WRONLY)
    }

    /// Opens a regular file for appending, and makes it if nothing is there. A file with other names
    /// (hard links) may be one of somewhere else, and is refused as what is no regular file is.
    ///
    /// # Errors
    ///
    /// As [`Directory::open_file`].
    pub fn append_to(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        let file = self.open_to_append(name, mode)?;
        match file.metadata()?.nlink() {
            0 | 1 => Ok(file),
            _ => Err(io::Error::other(ReadRefusal::NotRegular(FileKind::Other))),
        }
    }

    fn open_to_append(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::APPEND;
        match self.open_regular(name, flags) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match self.create(name, flags, mode) {
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.open_regular(name, flags),
                other => other,
            },
            other => other,
        }
    }

    /// Makes a new file.
    ///
    /// # Errors
    ///
    /// The file system reports an error, or something is there.
    pub fn create_file(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        self.create(name, OFlags::WRONLY, mode)
    }

    fn create(&self, name: &OsStr, flags: OFlags, mode: u32) -> io::Result<File> {
        let flags = flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.handle, name, flags, Mode::from_raw_mode(mode as _))?))
    }

    fn open_regular(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
        // Opening a device can have effects, so its kind is looked up first, and again after opening.
        let require = |entry: Entry| match entry.kind {
            None => Ok(()),
            Some(kind) => Err(io::Error::other(ReadRefusal::NotRegular(kind))),
        };
        require(self.entry(name)?.ok_or(io::ErrorKind::NotFound)?)?;
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.handle, name, flags, Mode::empty())?);
        require(Entry::of(&rustix::fs::fstat(&file)?))?;
        Ok(file)
    }

    /// Opens something else than a regular file for writing, such as a pipe or a device.
    pub(super) fn open_special(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.handle, name, flags, Mode::empty())?))
    }

    /// Makes a directory that only the user can enter.
    ///
    /// # Errors
    ///
    /// The file system reports an error, or something is there.
    pub fn make_directory(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.handle, name, Mode::RWXU)?)
    }

    /// Renames a file to a name in a directory. What is there is replaced, also a link.
    ///
    /// # Errors
    ///
    /// The file system reports an error; nothing has changed then.
    pub fn rename(&self, from: &OsStr, to_directory: &Directory, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.handle, from, &to_directory.handle, to)?)
    }

    /// Exchanges two files in the directory, in one step.
    ///
    /// # Errors
    ///
    /// The file system reports an error, such as that it has no such step
    /// ([`io::ErrorKind::Unsupported`]); nothing has changed then.
    pub fn exchange(&self, one: &OsStr, other: &OsStr) -> io::Result<()> {
        match rustix::fs::renameat_with(&self.handle, one, &self.handle, other, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(()),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Err(io::ErrorKind::Unsupported.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a file a second name in the directory.
    ///
    /// # Errors
    ///
    /// The file system reports an error, or something is there.
    pub fn link(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.handle, from, &self.handle, to, AtFlags::empty())?)
    }

    /// Removes a file or a link. Nothing there is no error.
    ///
    /// # Errors
    ///
    /// The file system reports an error.
    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()) {
            Err(Errno::NOENT) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    ///
    /// The file system reports an error.
    pub fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::REMOVEDIR)?)
    }

    /// Waits until the disk has the directory's entries.
    ///
    /// # Errors
    ///
    /// The file system reports an error; the entries may be lost in a crash of the machine.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.handle)?)
    }
}

fn open_directory(at: impl AsFd, path: &Path, more: OFlags) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | more;
    let opened = rustix::fs::openat(&at, path, flags | OFlags::RDONLY, Mode::empty());
    // A directory need not be readable to make files in it.
    #[cfg(target_os = "linux")]
    let opened = match opened {
        Err(Errno::ACCESS) => rustix::fs::openat(&at, path, flags | OFlags::PATH, Mode::empty()),
        other => other,
    };
    Ok(opened?)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::fs::symlink;

    use super::super::read::refusal;
    use super::*;

    #[test]
    fn links_and_pipes_are_not_opened() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        std::fs::create_dir(root.join("d")).unwrap();
        std::fs::write(root.join("d/file"), "text").unwrap();
        symlink("file", root.join("d/link")).unwrap();
        symlink("d", root.join("linked")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(root.join("d/pipe")).status().unwrap().success());
        let open = Directory::open(root).unwrap();
        let d = open.below(Path::new("./d")).unwrap();
        let mut text = String::new();
        d.open_file("file".as_ref()).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
        for name in ["link", "pipe", "none"] {
            assert!(d.open_file(name.as_ref()).is_err(), "{name}");
        }
        for name in ["link", "pipe"] {
            assert!(d.append_to(name.as_ref(), 0o600).is_err(), "{name}");
            assert!(d.create_file(name.as_ref(), 0o600).is_err(), "{name}");
        }
        for path in ["linked", "../d", "/d", "d/file", "none"] {
            assert!(open.below(Path::new(path)).is_err(), "{path}");
        }
        assert!(Directory::open(&root.join("linked")).is_ok());
        d.append_to("new".as_ref(), 0o600).unwrap().write_all(b"a").unwrap();
        d.append_to("new".as_ref(), 0o600).unwrap().write_all(b"b").unwrap();
        assert_eq!(std::fs::read(root.join("d/new")).unwrap(), b"ab");
        std::fs::hard_link(root.join("d/file"), root.join("d/other")).unwrap();
        assert!(d.append_to("other".as_ref(), 0o600).is_err_and(|error| refusal(&error).is_some()));
        let mut names = d.names().unwrap();
        names.sort();
        assert_eq!(names, ["file", "link", "new", "other", "pipe"]);
    }

    #[test]
    fn what_is_open_stays_what_it_was() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        std::fs::create_dir(root.join("d")).unwrap();
        std::fs::create_dir(root.join("other")).unwrap();
        let d = Directory::open(root).unwrap().below(Path::new("d")).unwrap();
        std::fs::rename(root.join("d"), root.join("moved")).unwrap();
        symlink("other", root.join("d")).unwrap();
        d.create_file("new".as_ref(), 0o600).unwrap();
        assert!(root.join("moved/new").exists() && !root.join("other/new").exists());
    }

    #[test]
    fn two_files_are_exchanged() {
        let scratch = tempfile::tempdir().unwrap();
        let d = Directory::open(scratch.path()).unwrap();
        std::fs::write(scratch.path().join("a"), "a").unwrap();
        std::fs::write(scratch.path().join("b"), "b").unwrap();
        match d.exchange("a".as_ref(), "b".as_ref()) {
            Ok(()) => assert_eq!(std::fs::read(scratch.path().join("a")).unwrap(), b"b"),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::Unsupported),
        }
    }
}
