//! The names of the cache's files. A file with another name is not the cache's, and stays.

use std::ffi::OsString;
use std::fmt;
use std::time::{Duration, SystemTime};

use crate::files::{Digest, Directory, Entry, is_temporary};

/// A file of the cache, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Name {
    /// The file that processes lock.
    Lock,
    /// The values of a segment of the log.
    Data(u32),
    /// The records of a segment.
    Index(u32),
    /// A value with a file of its own.
    Alone(Digest),
    /// A precompiled header.
    Header(Header),
}

/// What the name of a precompiled header says about it.
///
/// clang's file has no room for a checksum. In the name, file and checksum cannot come apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Header {
    /// Its key.
    pub key: Digest,
    /// Its size in bytes.
    pub length: u64,
    /// Their CRC-32.
    pub sum: u32,
}

impl Name {
    /// The file with this name, if it is one of the cache's.
    pub(super) fn read(text: &str) -> Option<Name> {
        let name = if text == "lock" {
            Name::Lock
        } else if let Some(rest) = text.strip_prefix("log-") {
            let (number, end) = rest.split_once('.')?;
            let number = number.parse().ok()?;
            if end == "data" { Name::Data(number) } else { Name::Index(number) }
        } else if let Some(rest) = text.strip_prefix("tree-") {
            Name::Alone(digest(rest)?)
        } else {
            let mut parts = text.strip_prefix("header-")?.strip_suffix(".pch")?.split('-');
            let key = digest(parts.next()?)?;
            let length = u64::from_str_radix(parts.next()?, 16).ok()?;
            Name::Header(Header { key, length, sum: u32::from_str_radix(parts.next()?, 16).ok()? })
        };
        // Each file has one name only.
        (name.to_string() == text).then_some(name)
    }
}

impl Name {
    /// The time of the last use, by the file's times.
    pub(super) fn used(&self, entry: &Entry) -> SystemTime {
        // Some file systems have no access times. The modification time remains.
        if let Name::Header(_) = self { entry.modified.max(entry.accessed) } else { entry.modified }
    }

    /// The name as the file system has it.
    pub(super) fn file(&self) -> OsString {
        OsString::from(self.to_string())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Lock => f.write_str("lock"),
            Name::Data(number) => write!(f, "log-{number}.data"),
            Name::Index(number) => write!(f, "log-{number}.index"),
            Name::Alone(key) => write!(f, "tree-{key}"),
            Name::Header(Header { key, length, sum }) => write!(f, "header-{key}-{length:x}-{sum:08x}.pch"),
        }
    }
}

/// The digest in a name.
fn digest(text: &str) -> Option<Digest> {
    let mut bytes = [0; 16];
    if text.len() != 2 * bytes.len() || !text.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(Digest::from_bytes(bytes))
}

/// A file of the cache on disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Its name.
    pub name: Name,
    /// Its size in bytes.
    pub size: u64,
    /// The approximate time of the last use; for a segment, the time of the last write.
    pub time: SystemTime,
}

/// How far in the future a time may be: clocks of machines differ.
const SLACK: Duration = Duration::from_secs(3600);

/// The cache's files in a directory, and the names of temporary files of any process.
///
/// Both are empty when the directory cannot be read. Links, pipes and the like are not the cache's.
pub(super) fn list(directory: &Directory) -> (Vec<Item>, Vec<OsString>) {
    let (mut items, mut temporary) = (Vec::new(), Vec::new());
    let now = SystemTime::now();
    for file_name in directory.names().unwrap_or_default() {
        let Some(text) = file_name.to_str() else { continue };
        if is_temporary(text) {
            temporary.push(file_name);
            continue;
        }
        let Some(name) = Name::read(text) else { continue };
        if let Ok(Some(entry)) = directory.entry(&file_name)
            && entry.is_regular()
        {
            let time = name.used(&entry);
            // The clock was wrong. The entry may be old, and must not stay for ever.
            let time = if time > now + SLACK { SystemTime::UNIX_EPOCH } else { time };
            items.push(Item { name, size: entry.size, time });
        }
    }
    (items, temporary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        let key = Digest::of(b"x");
        let header = Header { key, length: 0x1f, sum: 7 };
        for name in [Name::Lock, Name::Data(0), Name::Index(12), Name::Alone(key), Name::Header(header)] {
            assert_eq!(Name::read(&name.to_string()), Some(name));
        }
    }

    #[test]
    fn other_names_are_not_the_caches() {
        let key = Digest::of(b"x");
        let upper = key.to_string().to_uppercase();
        let foreign = [
            "",
            "Lock",
            "lock ",
            "log-1",
            "log-01.data",
            "log-+1.data",
            "log-1.dat",
            "log--1.data",
            "log-99999999999.data",
            "tree-",
            "tree-12",
            "header-.pch",
            "notes.txt",
        ];
        let made = [
            format!("tree-{upper}"),
            format!("tree-{key}0"),
            format!("header-{key}-1f-7.pch"),
            format!("header-{key}-01f-00000007.pch"),
            format!("header-{key}-1f-00000007.pch.tmp"),
            format!("header-{key}-1f-00000007-1.pch"),
            format!("tree-ü{}", &key.to_string()[2..]),
        ];
        for name in foreign.into_iter().chain(made.iter().map(String::as_str)) {
            assert_eq!(Name::read(name), None, "{name}");
        }
    }
}
