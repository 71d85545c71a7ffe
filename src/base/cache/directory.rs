//! The directory of a cache: where it is, whether it is cowrap's, what it holds, and how to clear
//! it.

use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{getegid, geteuid};

use crate::files::{Directory, Shown, Staged, is_temporary, refusal, remove_abandoned_in};

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

/// What people call precompiled headers.
const HEADERS: &str = "precompiled headers";

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

/// A directory that is missing is vacant.
fn standing(directory: Option<&Directory>) -> io::Result<Standing> {
    let Some(directory) = directory else { return Ok(Standing::Vacant) };
    let names = directory.names()?;
    // The tag is written before everything else, so it is checked after the names were listed.
    if has_tag(directory) {
        return Ok(Standing::Own);
    }
    // Another process may be writing the tag under a temporary name, or the cache is being removed
    // and a part is left or was made again.
    let is_own = |name: &OsString| match name.to_str() {
        Some(TAG) => directory.entry(name).is_ok_and(|entry| entry.is_none()),
        Some(STORE) => is_store(directory),
        name => name.is_some_and(is_temporary),
    };
    Ok(if names.iter().all(is_own) { Standing::Vacant } else { Standing::Foreign })
}

/// Whether the subdirectory has the cache's files and no others. A missing one does.
fn is_store(directory: &Directory) -> bool {
    let is_own = |name: &OsString| name.to_str().is_some_and(|name| Name::read(name).is_some() || is_temporary(name));
    match directory.below(STORE.as_ref()).and_then(|store| store.names()) {
        Ok(names) => names.iter().all(is_own),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn has_tag(directory: &Directory) -> bool {
    let mut text = Vec::new();
    let file = directory.open_file(TAG.as_ref());
    let read = file.and_then(|file| file.take(TAG_TEXT.len() as u64).read_to_end(&mut text));
    read.is_ok() && text == TAG_TEXT.as_bytes()
}

/// A cache's directory while something is done in it. It stays open, so that a link that takes the
/// place of a part of its path leads nowhere.
#[derive(Debug)]
pub(super) struct Opened {
    root: Directory,
    /// The subdirectory of the files; `None` before the first write.
    pub store: Option<Directory>,
}

/// Opens the directory of a cache; `None` if it does not exist.
///
/// # Errors
///
/// It cannot be read, is not a cache, or others than the user can change it.
pub(super) fn open(directory: &Path) -> Result<Option<Opened>, CacheError> {
    let shown = || directory.shown().to_string();
    let failed = |source| CacheError::Read { directory: shown(), source };
    let root = match Directory::open(directory) {
        Ok(root) => root,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    require_private(&root, directory)?;
    match standing(Some(&root)) {
        Ok(Standing::Own | Standing::Vacant) => {}
        Ok(Standing::Foreign) => return Err(CacheError::Foreign { directory: shown() }),
        Err(source) => return Err(failed(source)),
    }
    let store = match root.below(STORE.as_ref()) {
        Ok(store) => Some(store),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    if let Some(store) = &store {
        require_private(store, store.path())?;
    }
    Ok(Some(Opened { root, store }))
}

/// Fails if others than the user can change a directory: they could decide what runs report. Root can
/// in any case. The user's own group may, since on many systems it has no other member.
fn require_private(directory: &Directory, path: &Path) -> Result<(), CacheError> {
    let shown = path.shown().to_string();
    let entry = directory.own_entry().map_err(|source| CacheError::Read { directory: shown.clone(), source })?;
    if entry.user != geteuid().as_raw() && entry.user != 0 {
        return Err(CacheError::OtherOwner { directory: shown });
    }
    let is_open_to_group = entry.mode & 0o020 != 0 && entry.group != getegid().as_raw();
    if entry.mode & 0o002 != 0 || is_open_to_group {
        return Err(CacheError::Writable { directory: shown });
    }
    Ok(())
}

/// Opens the directory of a cache, and makes it with its tag and subdirectory if they are missing.
/// Only the user can read it, since it reveals what is in sources.
pub(super) fn prepare(directory: &Path) -> Result<Directory, CacheError> {
    let failed = |source| CacheError::Write { directory: directory.shown().to_string(), source };
    if open(directory)?.is_none() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    }
    let missing = || failed(io::ErrorKind::NotFound.into());
    let opened = open(directory)?.ok_or_else(missing)?;
    let make = || {
        if !has_tag(&opened.root) {
            Staged::write_in(&opened.root, TAG.as_ref(), TAG_TEXT.as_bytes())?.put_in(&opened.root)?;
        }
        match opened.root.make_directory(STORE.as_ref()) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    };
    if let Some(store) = opened.store
        && has_tag(&opened.root)
    {
        return Ok(store);
    }
    make().map_err(failed)?;
    open(directory)?.and_then(|opened| opened.store).ok_or_else(missing)
}

/// Waits until no other process writes to the cache. The lock lasts until the returned file is
/// closed or the process ends.
pub(super) fn lock(store: &Directory) -> Result<File, CacheError> {
    let shown = || store.path().shown().to_string();
    let failed = |source| CacheError::Write { directory: shown(), source };
    let name = Name::Lock.file();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let file = match store.append_to(&name, 0o600) {
            // A link or a pipe that somebody put there.
            Err(error) if refusal(&error).is_some() => {
                store.remove(&name).and_then(|()| store.append_to(&name, 0o600)).map_err(failed)?
            }
            other => other.map_err(failed)?,
        };
        match file.try_lock() {
            // Removing the cache removes the locked file, and others then lock a new one.
            Ok(()) => {
                let own = file.metadata().map(|found| found.ino()).ok();
                let named = store.entry(&name).ok().flatten().map(|entry| entry.identity.1);
                if own == named {
                    return Ok(file);
                }
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        if Instant::now() > deadline {
            return Err(CacheError::Busy { directory: shown() });
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

impl CacheInfo {
    /// The content of a cache that does not exist.
    fn empty() -> CacheInfo {
        let kinds = EntryKind::ALL.iter().map(|kind| kind.plural()).chain([HEADERS]);
        CacheInfo { size: 0, kinds: kinds.map(|kind| (kind, 0, 0)).collect() }
    }
}

/// The content of a cache; empty when it does not exist.
///
/// # Errors
///
/// The directory cannot be read, or holds something else.
pub fn info(directory: &Path) -> Result<CacheInfo, CacheError> {
    let Some(store) = open(directory)?.and_then(|opened| opened.store) else { return Ok(CacheInfo::empty()) };
    let (items, _) = list(&store);
    let log = Log::load(&store, &items, u64::MAX);
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
    kinds.push((HEADERS, count, size));
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
    let mut cleaned = Cleaned::default();
    let Some(Opened { root, store }) = open(directory)? else { return Ok(cleaned) };
    if let Some(store) = store {
        let _lock = lock(&store)?;
        let failed = |source| CacheError::Write { directory: directory.shown().to_string(), source };
        let (items, temporary) = list(&store);
        for name in temporary {
            remove_temporary(&store, &name);
        }
        for item in items {
            store.remove(&item.name.file()).map_err(failed)?;
            cleaned.files += usize::from(item.name != Name::Lock);
            cleaned.size += item.size;
        }
        let _ = root.remove_directory(STORE.as_ref());
    }
    remove_abandoned_in(&root);
    // The tag stays as long as anything does: it marks the directory as usable.
    if has_tag(&root) && !root.names().is_ok_and(|names| names.iter().any(|name| name != TAG)) {
        let _ = root.remove(TAG.as_ref());
        let _ = std::fs::remove_dir(directory);
    }
    cleaned.is_left = directory.exists();
    Ok(cleaned)
}

/// Removes a temporary file or directory. A failure does no harm.
fn remove_temporary(store: &Directory, name: &OsStr) {
    let _ = match store.entry(name) {
        Ok(Some(entry)) if entry.is_directory() => std::fs::remove_dir_all(store.path().join(name)),
        _ => store.remove(name),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing_of(directory: &Path) -> Standing {
        standing(Some(&Directory::open(directory).unwrap())).unwrap()
    }

    fn store(directory: &Path) -> PathBuf {
        directory.join(STORE)
    }

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
        assert_eq!(standing_of(scratch.path()), Standing::Vacant);
        assert!(open(&scratch.path().join("none/none")).unwrap().is_none());
        std::fs::write(scratch.path().join("notes.txt"), "").unwrap();
        assert!(matches!(open(scratch.path()), Err(CacheError::Foreign { .. })));
        assert!(matches!(prepare(scratch.path()), Err(CacheError::Foreign { .. })));
        assert!(matches!(clean(scratch.path()), Err(CacheError::Foreign { .. })));
        assert!(matches!(info(scratch.path()), Err(CacheError::Foreign { .. })));
        // The tag of another program.
        std::fs::write(scratch.path().join(TAG), TAG_TEXT.replace("cowrap", "others")).unwrap();
        assert_eq!(standing_of(scratch.path()), Standing::Foreign);
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 2);
        // A directory that happens to have the same name.
        let other = tempfile::tempdir().unwrap();
        std::fs::create_dir(store(other.path())).unwrap();
        std::fs::write(store(other.path()).join("api.h"), "").unwrap();
        assert_eq!(standing_of(other.path()), Standing::Foreign);
        let file = scratch.path().join("notes.txt");
        assert!(matches!(open(&file), Err(CacheError::Read { .. })));
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
        assert_eq!(standing_of(&root), Standing::Own);
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
        assert_eq!(standing_of(scratch.path()), Standing::Vacant);
        prepare(scratch.path()).unwrap();
        assert_eq!(standing_of(scratch.path()), Standing::Own);
    }

    #[test]
    fn a_lock_on_a_file_that_was_removed_is_none() {
        let scratch = tempfile::tempdir().unwrap();
        let prepared = prepare(scratch.path()).unwrap();
        let first = lock(&prepared).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| lock(&prepared).unwrap().metadata().unwrap().ino());
            std::thread::sleep(Duration::from_millis(50));
            std::fs::remove_file(store(scratch.path()).join("lock")).unwrap();
            let inode = first.metadata().unwrap().ino();
            assert_ne!(second.join().unwrap(), inode, "the new file is another");
        });
    }

    #[test]
    fn a_directory_that_others_can_change_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = tempfile::tempdir().unwrap();
        prepare(scratch.path()).unwrap();
        let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        for good in [0o700, 0o755, 0o750, 0o770, 0o775] {
            mode(scratch.path(), good);
            assert!(open(scratch.path()).is_ok(), "{good:o}");
        }
        for bad in [0o777, 0o1777, 0o702] {
            mode(scratch.path(), bad);
            assert!(matches!(open(scratch.path()), Err(CacheError::Writable { .. })), "{bad:o}");
            assert!(matches!(prepare(scratch.path()), Err(CacheError::Writable { .. })), "{bad:o}");
        }
        mode(scratch.path(), 0o700);
        mode(&store(scratch.path()), 0o777);
        assert!(matches!(open(scratch.path()), Err(CacheError::Writable { .. })));
        mode(&store(scratch.path()), 0o700);
        // Only root can give it away.
        if std::os::unix::fs::chown(scratch.path(), Some(1234), None).is_ok() {
            assert!(matches!(open(scratch.path()), Err(CacheError::OtherOwner { .. })));
            std::os::unix::fs::chown(scratch.path(), Some(0), Some(1234)).unwrap();
            mode(scratch.path(), 0o770);
            assert!(matches!(open(scratch.path()), Err(CacheError::Writable { .. })));
        }
    }

    #[test]
    fn a_link_in_place_of_the_files_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let (cache, out) = (scratch.path().join("cache"), scratch.path().join("out"));
        prepare(&cache).unwrap();
        std::fs::create_dir(&out).unwrap();
        std::fs::remove_dir(store(&cache)).unwrap();
        std::os::unix::fs::symlink(&out, store(&cache)).unwrap();
        assert!(matches!(prepare(&cache), Err(CacheError::Read { .. })));
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0);
        // The user may name a link.
        std::fs::remove_file(store(&cache)).unwrap();
        std::os::unix::fs::symlink(&cache, scratch.path().join("link")).unwrap();
        assert!(prepare(&scratch.path().join("link")).is_ok());
    }
}
