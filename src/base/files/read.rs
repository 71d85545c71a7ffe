//! Reading files: regular ones only, and not more than a limit.
//!
//! A tree may come from a stranger. A pipe or a device in it would hang the program that opens it,
//! or never end. So files are opened without waiting, and it is checked after opening, on the open
//! file, that they are regular.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use thiserror::Error;

/// The most that is read of one file of C or of settings, in bytes.
pub const LONGEST_TEXT: u64 = 64 << 20;

/// The most that is read of a file that a program wrote, such as a database or an index, in bytes.
pub const LONGEST_DATA: u64 = 4 << 30;

/// Why a file is not read although it exists. It is the inner error of an [`io::Error`]; see
/// [`refusal`].
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ReadRefusal {
    /// It is no regular file.
    #[error("it is {0}, not a regular file")]
    NotRegular(FileKind),
    /// It is larger than the limit.
    #[error("it has more than {most} bytes")]
    TooLarge {
        /// The limit.
        most: u64,
    },
}

/// The types of file systems whose files the kernel makes, by their numbers in `linux/magic.h`:
/// those of `/proc` and `/sys`. They have the environment of processes, and reading them can have
/// effects.
#[cfg(target_os = "linux")]
const OF_KERNEL: &[rustix::fs::FsWord] =
    &[0x9fa0, 0x6265_6572, 0x6462_6720, 0x7472_6163, 0x7363_6673, 0x0027_e0eb, 0x6367_7270];

/// What is at a path, if it is no regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum FileKind {
    Directory,
    Link,
    Pipe,
    Socket,
    Device,
    Kernel,
    Other,
}

impl std::fmt::Display for FileKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            FileKind::Directory => "a directory",
            FileKind::Link => "a symbolic link",
            FileKind::Pipe => "a pipe",
            FileKind::Socket => "a socket",
            FileKind::Device => "a device",
            FileKind::Kernel => "a file of the kernel",
            FileKind::Other => "something else",
        })
    }
}

/// Opens a regular file for reading. It follows symbolic links. Files of the kernel count as not
/// regular: a tree could name `/proc/self/environ`, and see it in a message.
///
/// # Errors
///
/// The file cannot be opened, or it is no regular file ([`ReadRefusal`]).
pub fn open_regular(path: &Path) -> io::Result<File> {
    // Opening a device can have effects, so its kind is looked up first. It is looked up again in
    // case that another file took its place.
    require_regular(std::fs::metadata(path)?.file_type())?;
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)?;
    require_regular(file.metadata()?.file_type())?;
    match is_of_kernel(&file) {
        true => Err(io::Error::other(ReadRefusal::NotRegular(FileKind::Kernel))),
        false => Ok(file),
    }
}

/// Whether the kernel makes a file's content when it is read.
#[cfg(target_os = "linux")]
fn is_of_kernel(file: &File) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|found| OF_KERNEL.contains(&found.f_type))
}

/// Other systems have no such files.
#[cfg(not(target_os = "linux"))]
fn is_of_kernel(_: &File) -> bool {
    false
}

/// Reads a regular file with at most `most` bytes. It follows symbolic links.
///
/// # Errors
///
/// As [`open_regular`]; the file is too large ([`ReadRefusal`]), or cannot be read.
pub fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_from(&open_regular(path)?, most)
}

/// Reads what is left of an open file, of at most `most` bytes.
///
/// # Errors
///
/// It is too large ([`ReadRefusal`]), or cannot be read.
pub fn read_from(file: &File, most: u64) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    let too_large = || io::Error::other(ReadRefusal::TooLarge { most });
    if length > most {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(length as usize);
    // It may grow meanwhile.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large()) } else { Ok(bytes) }
}

/// Reads a file of C. As [`read_regular`], but the null device is an empty file: builds use it in
/// place of a header that they do not need, and reading it ends at once.
///
/// # Errors
///
/// As [`read_regular`].
pub fn read_source(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    match read_regular(path, most) {
        Err(error) if refusal(&error) == Some(ReadRefusal::NotRegular(FileKind::Device)) && is_null(path) => {
            Ok(Vec::new())
        }
        read => read,
    }
}

/// Whether a path leads to the null device.
fn is_null(path: &Path) -> bool {
    path.canonicalize().is_ok_and(|real| real == Path::new("/dev/null"))
}

/// Reads a regular file with UTF-8 text of at most [`LONGEST_TEXT`] bytes.
///
/// # Errors
///
/// As [`read_regular`], or the text is not UTF-8 ([`io::ErrorKind::InvalidData`]).
pub fn read_text(path: &Path) -> io::Result<String> {
    let bytes = read_regular(path, LONGEST_TEXT)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

/// Why a file is not read although it exists, if that is what the error says.
pub fn refusal(error: &io::Error) -> Option<ReadRefusal> {
    error.get_ref()?.downcast_ref().copied()
}

fn require_regular(found: std::fs::FileType) -> io::Result<()> {
    if found.is_file() {
        return Ok(());
    }
    let kind = match found {
        found if found.is_dir() => FileKind::Directory,
        found if found.is_fifo() => FileKind::Pipe,
        found if found.is_socket() => FileKind::Socket,
        found if found.is_block_device() || found.is_char_device() => FileKind::Device,
        _ => FileKind::Other,
    };
    Err(io::Error::other(ReadRefusal::NotRegular(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_read() {
        let scratch = tempfile::tempdir().unwrap();
        let path = |name: &str| scratch.path().join(name);
        std::fs::write(path("file"), "text").unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        assert_eq!(read_regular(&path("file"), 4).unwrap(), b"text");
        assert_eq!(read_text(&path("link")).unwrap(), "text");

        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), mode).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        let why = |path: &Path| refusal(&read_regular(path, 4).unwrap_err());
        assert_eq!(why(&path("pipe")), Some(ReadRefusal::NotRegular(FileKind::Pipe)));
        assert_eq!(why(&path("socket")), Some(ReadRefusal::NotRegular(FileKind::Socket)));
        assert_eq!(why(scratch.path()), Some(ReadRefusal::NotRegular(FileKind::Directory)));
        assert_eq!(why(Path::new("/dev/zero")), Some(ReadRefusal::NotRegular(FileKind::Device)));
        assert_eq!(why(&path("none")), None);
    }

    #[test]
    fn the_null_device_is_an_empty_source() {
        let scratch = tempfile::tempdir().unwrap();
        let link = scratch.path().join("config.h");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        assert_eq!(read_source(&link, 4).unwrap(), b"");
        let why = |path: &Path| refusal(&read_source(path, 4).unwrap_err());
        assert_eq!(why(Path::new("/dev/zero")), Some(ReadRefusal::NotRegular(FileKind::Device)));
        let environment = Path::new("/proc/self/environ");
        if environment.exists() {
            let why = refusal(&read_regular(environment, LONGEST_TEXT).unwrap_err());
            assert_eq!(why, Some(ReadRefusal::NotRegular(FileKind::Kernel)));
        }
    }

    #[test]
    fn a_limit_holds_for_what_is_read() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file");
        std::fs::write(&path, "text").unwrap();
        assert_eq!(refusal(&read_regular(&path, 3).unwrap_err()), Some(ReadRefusal::TooLarge { most: 3 }));
    }

    #[test]
    fn what_is_not_utf8_is_no_text() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::write(scratch.path().join("a"), b"\xff").unwrap();
        assert_eq!(read_text(&scratch.path().join("a")).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
