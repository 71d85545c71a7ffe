//! The directory of a cache: where it is, whether it is cowrap's, what it holds, and how to clear
//! it.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::files::{is_temporary, remove_abandoned, write_whole};

use super::log::Log;
use super::names::{Name, list};
use super::{CacheError, EntryKind};

/// The default limit of a cache, in bytes.
pub const DEFAULT_LIMIT: u64 = 1 << 30;

/// The file that marks a directory as a cache (<https://bford.info/cachedir/>).
const TAG: &str = "CACHEDIR.TAG";

/// Its content: the signature that every such file begins with, and a remark that only cowrap's
/// has.
const TAG_TEXT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # This is the cache of cowrap, which can be deleted at any time.\n\
    # Such files are explained at https://bford.info/cachedir/\n";

/// The subdirectory of the files, named for their format: another version has another subdirectory.
const STORE: &str = "v1";

/// How long a process waits for others that write, before it continues without writing.
const PATIENCE: Duration = Duration::from_secs(5);

/// The directory of a cache, and its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheLocation {
    /// Its directory, which need not exist.
    pub directory: PathBuf,
    /// How many bytes its files may have.
    pub limit: u64,
}

/// The cache's directory when no option names it: `COWRAP_CACHE`, or `cowrap` in the user's cache
/// directory. `None` when the environment names neither, and when `COWRAP_CACHE` is set and empty.
/// `variable` looks up an environment variable; other empty variables count as not set.
pub fn default_directory(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // The base directories must be absolute: they must not depend on the working directory.
    let base = |name: &str| path(name).filter(|path| path.is_absolute());
    let user = || {
        if cfg!(target_os = "macos") {
            base("HOME").map(|home| home.join("Library/Caches"))
        } else {
            base("XDG_CACHE_HOME").or_else(|| base("HOME").map(|home| home.join(".cache")))
        }
    };
    if variable("COWRAP_CACHE").is_some_and(|value| value.is_empty()) {
        return None;
    }
    path("COWRAP_CACHE").or_else(|| user().map(|caches| caches.join("cowrap")))
}

/// Whom a directory belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It has cowrap's tag.
    Own,
    /// It does not exist, or is empty except for remains of a cache.
    Vacant,
    /// It holds something else.
    Foreign,
}

fn standing(directory: &Path) -> io::Result<Standing> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Vacant),
        Err(error) => return Err(error),
    };
    let names: Vec<OsString> = entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    // The tag is written before everything else, so it is checked after the names were listed.
    if has_tag(directory) {
        return Ok(Standing::Own);
    }
    // Another process may be writing the tag under a temporary name, or the cache is being removed
    // and a part is left or was made again.
    let is_own = |name: &OsString| match name.to_str() {
        Some(TAG) => !directory.join(TAG).exists(),
        Some(STORE) => is_store(&store(directory)),
        name => name.is_some_and(is_temporary),
    };
    Ok(if names.iter().all(is_own) { Standing::Vacant } else { Standing::Foreign })
}

/// Whether a directory holds the cache's files and no others. A missing directory does.
fn is_store(directory: &Path) -> bool {
    let is_own = |name: &str| Name::read(name).is_some() || is_temporary(name);
    match std::fs::read_dir(directory) {
        Ok(entries) => entries.flatten().all(|entry| entry.file_name().to_str().is_some_and(is_own)),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn has_tag(directory: &Path) -> bool {
    let mut text = Vec::new();
    let read = File::open(directory.join(TAG)).and_then(|file| file.take(TAG_TEXT.len() as u64).read_to_end(&mut text));
    read.is_ok() && text == TAG_TEXT.as_bytes()
}

/// The subdirectory of the files.
pub(super) fn store(directory: &Path) -> PathBuf {
    directory.join(STORE)
}

/// Fails when a directory cannot be used as a cache.
pub(super) fn vet(directory: &Path) -> Result<(), CacheError> {
    match standing(directory) {
        Ok(Standing::Own | Standing::Vacant) => Ok(()),
        Ok(Standing::Foreign) => Err(CacheError::Foreign { directory: directory.display().to_string() }),
        Err(source) => Err(CacheError::Read { directory: directory.display().to_string(), source }),
    }
}

/// Makes the directory of a cache with its tag and subdirectory. Only the user can read it, since
/// it tells about sources.
pub(super) fn prepare(directory: &Path) -> Result<(), CacheError> {
    vet(directory)?;
    let make = || {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        if !has_tag(directory) {
            write_whole(&directory.join(TAG), TAG_TEXT.as_bytes())?;
        }
        DirBuilder::new().recursive(true).mode(0o700).create(store(directory))
    };
    make().map_err(|source| CacheError::Write { directory: directory.display().to_string(), source })
}

/// Waits until no other process writes to the cache. The lock lasts until the returned file is
/// closed or the process ends.
pub(super) fn lock(directory: &Path) -> Result<File, CacheError> {
    let failed = |source| CacheError::Write { directory: directory.display().to_string(), source };
    let path = store(directory).join(Name::Lock.to_string());
    let deadline = Instant::now() + PATIENCE;
    loop {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            // Removing the cache removes the locked file, and others then lock a new one.
            Ok(()) => {
                let inode = |found: io::Result<std::fs::Metadata>| found.map(|found| found.ino()).ok();
                if inode(file.metadata()) == inode(std::fs::metadata(&path)) {
                    return Ok(file);
                }
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        if Instant::now() > deadline {
            return Err(CacheError::Busy { directory: directory.display().to_string() });
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The content of a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheInfo {
    /// The size of its files in bytes.
    pub size: u64,
    /// For each kind of entry: its plural, how many there are, and their size together. Replaced
    /// entries that are not removed yet do not count.
    pub kinds: Vec<(&'static str, usize, u64)>,
}

/// The content of a cache; empty when it does not exist.
///
/// # Errors
///
/// The directory cannot be read, or holds something else.
pub fn info(directory: &Path) -> Result<CacheInfo, CacheError> {
    vet(directory)?;
    let (items, _) = list(&store(directory));
    let log = Log::load(&store(directory), &items, u64::MAX);
    let sum = |sizes: Vec<u64>| (sizes.len(), sizes.iter().sum());
    let mut kinds = Vec::new();
    for kind in EntryKind::ALL {
        let own = |record: &&(usize, super::log::Record)| record.1.key.0 == kind;
        let kept = log.records.values().filter(own).map(|(_, record)| u64::from(record.length));
        let alone = items.iter().filter(|item| kind == EntryKind::Tree && matches!(item.name, Name::Alone(_)));
        let (count, size) = sum(kept.chain(alone.map(|item| item.size)).collect());
        kinds.push((kind.plural(), count, size));
    }
    let headers = items.iter().filter(|item| matches!(item.name, Name::Header(_)));
    let (count, size) = sum(headers.map(|item| item.size).collect());
    kinds.push(("precompiled headers", count, size));
    Ok(CacheInfo { size: items.iter().map(|item| item.size).sum(), kinds })
}

/// What [`clean`] removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// The number of files.
    pub files: usize,
    /// Their size in bytes.
    pub size: u64,
    /// Whether the directory still exists: it holds other files, or cannot be removed.
    pub is_left: bool,
}

/// Removes a cache: its own files, and the directory if nothing else is in it. A missing cache is
/// no error.
///
/// # Errors
///
/// The directory holds something else and has no tag of cowrap's, a process writes to the cache for
/// long, or the file system reports an error.
pub fn clean(directory: &Path) -> Result<Cleaned, CacheError> {
    vet(directory)?;
    let store = store(directory);
    let mut cleaned = Cleaned::default();
    if store.is_dir() {
        let _lock = lock(directory)?;
        let failed = |source| CacheError::Write { directory: directory.display().to_string(), source };
        let (items, temporary) = list(&store);
        for name in temporary {
            remove_temporary(&store.join(name));
        }
        for item in items {
            match std::fs::remove_file(store.join(item.name.to_string())) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
            cleaned.files += usize::from(item.name != Name::Lock);
            cleaned.size += item.size;
        }
        let _ = std::fs::remove_dir(&store);
    }
    remove_abandoned(directory);
    // The tag stays as long as anything does: it marks the directory as usable.
    let others = |entry: io::Result<std::fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name() != TAG);
    if has_tag(directory) && !std::fs::read_dir(directory).is_ok_and(|mut entries| entries.any(others)) {
        let _ = std::fs::remove_file(directory.join(TAG));
        let _ = std::fs::remove_dir(directory);
    }
    cleaned.is_left = directory.exists();
    Ok(cleaned)
}

/// Removes a temporary file or directory. A failure does no harm.
pub(super) fn remove_temporary(path: &Path) {
    let _ = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        _ => std::fs::remove_file(path),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_tells_the_directory() {
        let find = |variables: &[(&str, &str)]| {
            let variables: Vec<(String, OsString)> =
                variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let value = move |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, v)| v.clone());
            default_directory(value).map(|path| path.display().to_string())
        };
        let home = if cfg!(target_os = "macos") { "/h/Library/Caches/cowrap" } else { "/h/.cache/cowrap" };
        assert_eq!(find(&[("HOME", "/h")]).as_deref(), Some(home));
        assert_eq!(find(&[("HOME", "/h"), ("XDG_CACHE_HOME", "")]).as_deref(), Some(home));
        assert_eq!(find(&[("HOME", "/h"), ("XDG_CACHE_HOME", "relative")]).as_deref(), Some(home));
        assert_eq!(find(&[("HOME", "/h"), ("COWRAP_CACHE", "/c")]).as_deref(), Some("/c"));
        assert_eq!(find(&[("COWRAP_CACHE", "here")]).as_deref(), Some("here"));
        assert_eq!(find(&[("HOME", "/h"), ("COWRAP_CACHE", "")]), None);
        assert_eq!(find(&[]), None);
        assert_eq!(find(&[("HOME", "")]), None);
        assert_eq!(find(&[("HOME", "relative")]), None);
        if cfg!(not(target_os = "macos")) {
            assert_eq!(find(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]).as_deref(), Some("/x/cowrap"));
            assert_eq!(find(&[("XDG_CACHE_HOME", "/x")]).as_deref(), Some("/x/cowrap"));
        }
    }

    #[test]
    fn a_directory_with_something_else_in_it_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        assert_eq!(standing(scratch.path()).unwrap(), Standing::Vacant);
        assert_eq!(standing(&scratch.path().join("none/none")).unwrap(), Standing::Vacant);
        std::fs::write(scratch.path().join("notes.txt"), "").unwrap();
        assert!(matches!(vet(scratch.path()), Err(CacheError::Foreign { .. })));
        assert!(matches!(prepare(scratch.path()), Err(CacheError::Foreign { .. })));
        assert!(matches!(clean(scratch.path()), Err(CacheError::Foreign { .. })));
        assert!(matches!(info(scratch.path()), Err(CacheError::Foreign { .. })));
        // The tag of another program.
        std::fs::write(scratch.path().join(TAG), TAG_TEXT.replace("cowrap", "others")).unwrap();
        assert_eq!(standing(scratch.path()).unwrap(), Standing::Foreign);
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 2);
        // A directory that happens to have the same name.
        let other = tempfile::tempdir().unwrap();
        std::fs::create_dir(store(other.path())).unwrap();
        std::fs::write(store(other.path()).join("api.h"), "").unwrap();
        assert_eq!(standing(other.path()).unwrap(), Standing::Foreign);
        let file = scratch.path().join("notes.txt");
        assert!(matches!(vet(&file), Err(CacheError::Read { .. })));
    }

    #[test]
    fn cleaning_leaves_what_is_not_the_caches() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("a/cache");
        prepare(&root).unwrap();
        for name in ["log-0.data", "log-0.index", "lock"] {
            std::fs::write(store(&root).join(name), "12").unwrap();
        }
        std::fs::create_dir(store(&root).join(".cowrap-1-1f-abcdef")).unwrap();
        let foreign = [root.join("README"), store(&root).join("notes.txt"), store(&root).join("log-7.data/x")];
        std::fs::create_dir(store(&root).join("log-7.data")).unwrap();
        for file in &foreign {
            std::fs::write(file, "mine").unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", store(&root).join("log-8.data")).unwrap();
        let cleaned = clean(&root).unwrap();
        assert_eq!(cleaned, Cleaned { files: 2, size: 6, is_left: true });
        assert!(foreign.iter().all(|file| file.exists()) && Path::new("/etc/passwd").exists());
        assert!(store(&root).join("log-8.data").is_symlink());
        assert_eq!(standing(&root).unwrap(), Standing::Own);
        foreign.iter().for_each(|file| std::fs::remove_file(file).unwrap());
        std::fs::remove_dir(store(&root).join("log-7.data")).unwrap();
        std::fs::remove_file(store(&root).join("log-8.data")).unwrap();
        assert_eq!(clean(&root).unwrap(), Cleaned::default());
        assert!(!root.exists() && scratch.path().join("a").exists());
        assert_eq!(clean(&root).unwrap(), Cleaned::default());
    }

    /// As when `rm -r` and a run meet.
    #[test]
    fn what_is_left_of_a_cache_becomes_one_again() {
        let scratch = tempfile::tempdir().unwrap();
        prepare(scratch.path()).unwrap();
        std::fs::write(store(scratch.path()).join("log-0.data"), "").unwrap();
        std::fs::remove_file(scratch.path().join(TAG)).unwrap();
        std::fs::write(scratch.path().join(".cowrap-1-1f-abcdef"), "").unwrap();
        assert_eq!(standing(scratch.path()).unwrap(), Standing::Vacant);
        prepare(scratch.path()).unwrap();
        assert_eq!(standing(scratch.path()).unwrap(), Standing::Own);
    }

    #[test]
    fn a_lock_on_a_file_that_was_removed_is_none() {
        let scratch = tempfile::tempdir().unwrap();
        prepare(scratch.path()).unwrap();
        let first = lock(scratch.path()).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| lock(scratch.path()).unwrap().metadata().unwrap().ino());
            std::thread::sleep(Duration::from_millis(50));
            std::fs::remove_file(store(scratch.path()).join("lock")).unwrap();
            let inode = first.metadata().unwrap().ino();
            assert_ne!(second.join().unwrap(), inode, "the new file is another");
        });
    }
}
