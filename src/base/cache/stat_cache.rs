//! The state of paths on disk, without reading unchanged files again.
//!
//! A file counts as unchanged while its size, times and inode are the same. There is one gap: a
//! file that is written twice within the resolution of its times looks the same. So a file that was
//! written just before it was read is *racy*, and is read again.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::files::{Digest, LONGEST_DATA, open_regular, read_from};

/// How many seconds before it is read a file must have been written. FAT has the coarsest times, of
/// two seconds.
const RACY: i64 = 2;

/// The state of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PathState {
    /// Nothing.
    Absent,
    /// A file with content of this digest.
    File(Digest),
    /// A directory; the digest is that of the names in it, and of which of them are directories.
    Directory(Digest),
}

/// What shows that a file is unchanged. The device number is not part of it: on some file systems
/// it changes with each boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    /// In bytes.
    size: u64,
    /// The modification time: seconds since 1970, and nanoseconds.
    modified: (i64, i64),
    /// The change time. Unlike the modification time, no program can set it.
    changed: (i64, i64),
    inode: u64,
}

impl Stamp {
    fn of(found: &Metadata) -> Stamp {
        Stamp {
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
            inode: found.ino(),
        }
    }

    /// Whether a write after `now` could leave the file looking the same. Times in the future
    /// count: clocks are put back.
    fn is_racy(&self, now: i64) -> bool {
        // Only whole seconds are compared, so the fraction may add one.
        self.modified.0 >= now - RACY || self.changed.0 >= now - RACY
    }
}

/// What is known about a path that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    stamp: Stamp,
    state: PathState,
    /// Whether the stamp cannot be relied on.
    is_racy: bool,
}

/// What one process knows about a path.
#[derive(Debug)]
struct Known {
    entry: Entry,
    /// Whether this process has compared it with the disk.
    is_current: AtomicBool,
    /// Whether it was learned since the stat cache was stored as a whole.
    is_new: bool,
}

/// The state of paths on disk. Each is looked at once: a run sees each path in one state. Threads share it without
/// further locking. Paths are absolute, and symbolic links are followed.
#[derive(Debug, Default)]
pub struct StatCache {
    known: RwLock<FxHashMap<PathBuf, Known>>,
    /// The paths where this process found nothing.
    absent: RwLock<FxHashSet<PathBuf>>,
    has_news: AtomicBool,
}

/// A stat cache to be stored: with the same bytes for the same content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedStatCache(Vec<(Vec<u8>, Entry)>);

impl SavedStatCache {
    /// How many paths it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A directory's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The names in it.
    pub names: FxHashSet<OsString>,
    /// The digest of [`PathState::Directory`].
    pub digest: Digest,
}

impl StatCache {
    /// Restores a stat cache that was saved as a whole, with what was learned since then.
    pub fn restore(whole: SavedStatCache, news: SavedStatCache) -> StatCache {
        let mut known = FxHashMap::default();
        known.reserve(whole.0.len() + news.0.len());
        for (saved, is_new) in [(whole, false), (news, true)] {
            known.extend(saved.0.into_iter().map(|(bytes, entry)| {
                let known = Known { entry, is_current: AtomicBool::new(false), is_new };
                (PathBuf::from(OsString::from_vec(bytes)), known)
            }));
        }
        StatCache { known: RwLock::new(known), ..StatCache::default() }
    }

    /// Saves the stat cache as a whole.
    pub fn save(&self) -> SavedStatCache {
        self.saved(|_| true)
    }

    /// Saves what was learned since the stat cache was saved as a whole.
    pub fn save_news(&self) -> SavedStatCache {
        self.saved(|known| known.is_new)
    }

    fn saved(&self, is_wanted: impl Fn(&Known) -> bool) -> SavedStatCache {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let wanted = known.iter().filter(|(path, known)| path.is_absolute() && is_wanted(known));
        let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
        let mut saved: Vec<(Vec<u8>, Entry)> = wanted.map(|(path, known)| (bytes(path), known.entry)).collect();
        saved.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        SavedStatCache(saved)
    }

    /// Whether saving is of use: something was learned since this was made or restored.
    pub fn has_news(&self) -> bool {
        self.has_news.load(Ordering::Relaxed)
    }

    /// Says that the news was stored.
    pub fn is_saved(&self) {
        self.has_news.store(false, Ordering::Relaxed);
    }

    /// Says that the whole was stored.
    pub fn is_saved_whole(&self) {
        self.is_saved();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.values_mut().for_each(|known| known.is_new = false);
    }

    /// The state of a path. The first time, it looks at the disk, and reads a file only if it is new or
    /// changed. `None` when that fails, and for anything that is neither a file nor a directory.
    pub fn state(&self, path: &Path) -> Option<PathState> {
        self.state_of(path, || std::fs::metadata(path))
    }

    /// The digest of the content of a file that is no symbolic link; `None` otherwise. The path must not lead through
    /// links.
    pub fn digest_of_identity(&self, path: &Path) -> Option<Digest> {
        let found = std::fs::symlink_metadata(path).ok().filter(Metadata::is_file)?;
        match self.state_of(path, || Ok(found.clone())) {
            Some(PathState::File(digest)) => Some(digest),
            _ => None,
        }
    }

    /// Looks at every path again when it is asked for next: files may have changed since the process looked.
    pub fn look_again(&mut self) {
        let known = self.known.get_mut().unwrap_or_else(PoisonError::into_inner);
        known.values_mut().for_each(|known| *known.is_current.get_mut() = false);
        self.absent.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn state_of(&self, path: &Path, look: impl Fn() -> io::Result<Metadata>) -> Option<PathState> {
        let read = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = read.get(path).map(|known| (known.entry, known.is_current.load(Ordering::Relaxed)));
        if let Some((entry, true)) = known {
            return Some(entry.state);
        }
        if self.is_known_absent(path) {
            return Some(PathState::Absent);
        }
        match look() {
            Ok(found) => {
                if let Some((entry, _)) = known
                    && entry.is_believed(&found)
                {
                    read.get(path).inspect(|known| known.is_current.store(true, Ordering::Relaxed));
                    return Some(entry.state);
                }
                drop(read);
                self.learn(path, &found).ok()
            }
            Err(error) => is_absence(&error).then(|| self.learn_absence(path)),
        }
    }

    /// The digest of a file's content; `None` when it cannot be read or is not a file.
    pub fn digest(&self, path: &Path) -> Option<Digest> {
        match self.state(path) {
            Some(PathState::File(digest)) => Some(digest),
            _ => None,
        }
    }

    /// The digest of the names in a directory; `None` when it cannot be read or is not a directory.
    pub fn names(&self, path: &Path) -> Option<Digest> {
        match self.state(path) {
            Some(PathState::Directory(digest)) => Some(digest),
            _ => None,
        }
    }

    /// Whether nothing is at a path.
    pub fn absent(&self, path: &Path) -> bool {
        self.is_known_absent(path)
            || std::fs::metadata(path).is_err_and(|error| is_absence(&error)) && {
                self.learn_absence(path);
                true
            }
    }

    fn is_known_absent(&self, path: &Path) -> bool {
        self.absent.read().unwrap_or_else(PoisonError::into_inner).contains(path)
    }

    fn learn_absence(&self, path: &Path) -> PathState {
        self.absent.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_path_buf());
        PathState::Absent
    }

    /// Reads a path, and stores its state.
    fn learn(&self, path: &Path, found: &Metadata) -> io::Result<PathState> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
        let (state, after) = if found.is_dir() {
            (PathState::Directory(list_directory(path)?.digest), std::fs::metadata(path)?)
        } else if found.is_file() {
            let file = open_regular(path)?;
            let text = read_from(&file, LONGEST_DATA)?;
            (PathState::File(Digest::of(&text)), file.metadata()?)
        } else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let (stamp, after) = (Stamp::of(found), Stamp::of(&after));
        // If it was written while it was read, nobody knows which state this was.
        let is_racy = stamp != after || stamp.is_racy(now);
        let entry = Entry { stamp, state, is_racy };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let old = known.get(path);
        if let Some(old) = old
            && old.is_current.load(Ordering::Relaxed)
        {
            // Another thread was faster.
            return Ok(old.entry.state);
        }
        let is_same = old.is_some_and(|old| old.entry == entry);
        let is_new = !is_same || old.is_some_and(|old| old.is_new);
        known.insert(path.to_path_buf(), Known { entry, is_current: AtomicBool::new(true), is_new });
        if !is_same {
            self.has_news.store(true, Ordering::Relaxed);
        }
        Ok(state)
    }
}

/// Lists a directory.
///
/// # Errors
///
/// It cannot be read, or is not a directory.
pub fn list_directory(path: &Path) -> io::Result<Listing> {
    let mut listed: Vec<(OsString, bool)> = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        listed.push((entry.file_name(), entry.file_type().is_ok_and(|kind| kind.is_dir())));
    }
    let digest = digest_of_names(&mut listed);
    Ok(Listing { names: listed.into_iter().map(|(name, _)| name).collect(), digest })
}

impl Entry {
    fn is_believed(&self, found: &Metadata) -> bool {
        !self.is_racy && self.stamp == Stamp::of(found)
    }
}

/// The digest of the names in a directory, in any order, and of which of them are directories.
fn digest_of_names(names: &mut [(OsString, bool)]) -> Digest {
    names.sort_unstable();
    let mut text = Vec::new();
    for (name, is_directory) in names {
        text.extend_from_slice(name.as_bytes());
        // No name contains these bytes.
        text.extend_from_slice(if *is_directory { b"/\0" } else { b"\0" });
    }
    Digest::of(&text)
}

/// Whether an error means that nothing is there.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;

    /// The stat cache as the next process has it, with all stamps reliable, as if their files were old.
    fn aged(stamps: &StatCache) -> StatCache {
        // The change time cannot be set, so this sets what follows from it.
        let mut saved = stamps.save();
        saved.0.iter_mut().for_each(|(_, entry)| entry.is_racy = false);
        StatCache::restore(saved, SavedStatCache::default())
    }

    /// The stat cache as the next process has it.
    fn next(stamps: &StatCache) -> StatCache {
        StatCache::restore(stamps.save(), SavedStatCache::default())
    }

    /// Stores another state for a path, which shows where an answer comes from.
    fn lie(stamps: &StatCache, path: &Path, state: PathState) {
        stamps.known.write().unwrap().get_mut(path).unwrap().entry.state = state;
    }

    #[test]
    fn what_is_unchanged_is_not_read_again() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a.c");
        std::fs::write(&path, "one").unwrap();
        let stamps = StatCache::default();
        assert_eq!(stamps.digest(&path), Some(Digest::of(b"one")));
        let stamps = aged(&stamps);
        let other = PathState::File(Digest::of(b"lie"));
        lie(&stamps, &path, other);
        assert_eq!(stamps.state(&path), Some(other));
        std::fs::write(&path, "two").unwrap();
        assert_eq!(stamps.state(&path), Some(other), "a process looks once");
        let stamps = next(&stamps);
        assert_eq!(stamps.digest(&path), Some(Digest::of(b"two")));
        std::fs::remove_file(&path).unwrap();
        let stamps = next(&stamps);
        assert!(stamps.absent(&path) && stamps.digest(&path).is_none());
        assert!(stamps.absent(&path.join("below")), "no directory is in the way");
        std::fs::write(&path, "two").unwrap();
        assert!(stamps.absent(&path) && stamps.state(&path) == Some(PathState::Absent));
        assert!(!next(&stamps).absent(&path));
        let mut stamps = stamps;
        stamps.look_again();
        assert_eq!(stamps.digest(&path), Some(Digest::of(b"two")));
        std::fs::write(&path, "three").unwrap();
        stamps.look_again();
        assert_eq!(stamps.digest(&path), Some(Digest::of(b"three")));
    }

    #[test]
    fn news_are_saved_by_themselves() {
        let scratch = tempfile::tempdir().unwrap();
        let [a, b] = ["a.c", "b.c"].map(|name| scratch.path().join(name));
        [&a, &b].into_iter().for_each(|path| std::fs::write(path, "x").unwrap());
        let stamps = StatCache::default();
        stamps.digest(&a);
        let whole = aged(&stamps).save();
        let stamps = StatCache::restore(whole.clone(), SavedStatCache::default());
        stamps.digest(&a);
        assert!(!stamps.has_news() && stamps.save_news().0.is_empty());
        stamps.digest(&b);
        let news = stamps.save_news();
        assert!(stamps.has_news() && news.0.len() == 1);
        let restored = StatCache::restore(whole, news.clone());
        assert_eq!((restored.save(), restored.save_news()), (stamps.save(), news));
    }

    #[test]
    fn every_way_to_change_a_file_is_seen() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a.c");
        let other = scratch.path().join("b.c");
        type Edit = fn(&Path, &Path);
        let changes: [Edit; 4] = [
            |path, _| std::fs::write(path, "new").unwrap(),
            |path, other| {
                std::fs::write(other, "new").unwrap();
                std::fs::rename(other, path).unwrap();
            },
            |path, other| {
                std::fs::write(other, "new").unwrap();
                std::fs::remove_file(path).unwrap();
                std::os::unix::fs::symlink(other, path).unwrap();
            },
            // As with `touch -r` and `cp -p`: the same size and the same modification time.
            |path, _| {
                let time = path.metadata().unwrap().modified().unwrap();
                std::fs::write(path, "new").unwrap();
                File::open(path).unwrap().set_modified(time).unwrap();
            },
        ];
        for (number, change) in changes.iter().enumerate() {
            let _ = (std::fs::remove_file(&path), std::fs::remove_file(&other));
            std::fs::write(&path, "old").unwrap();
            let stamps = StatCache::default();
            assert_eq!(stamps.digest(&path), Some(Digest::of(b"old")));
            let stamps = aged(&stamps);
            std::thread::sleep(Duration::from_millis(20));
            change(&path, &other);
            assert_eq!(stamps.digest(&path), Some(Digest::of(b"new")), "change {number}");
        }
    }

    #[test]
    fn a_file_that_was_just_written_is_read_again() {
        let now = 1_000_000;
        let stamp = |modified, changed| Stamp { size: 1, modified: (modified, 0), changed: (changed, 0), inode: 1 };
        let racy = |modified, changed| stamp(modified, changed).is_racy(now);
        assert!(racy(now, now) && racy(now - 2, now - 9) && racy(now - 9, now - 2));
        assert!(racy(now + 1000, now - 9) && racy(now - 9, now + 1000), "the clock was put back");
        assert!(!racy(now - 3, now - 3));

        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a.c");
        std::fs::write(&path, "one").unwrap();
        let stamps = StatCache::default();
        stamps.digest(&path).unwrap();
        lie(&stamps, &path, PathState::Absent);
        let mut stamps = next(&stamps);
        assert_eq!(stamps.digest(&path), Some(Digest::of(b"one")));
        // A time in the future: each process reads the file.
        File::open(&path).unwrap().set_modified(SystemTime::now() + Duration::from_secs(100_000)).unwrap();
        for _ in 0..2 {
            stamps = next(&stamps);
            assert_eq!(stamps.digest(&path), Some(Digest::of(b"one")));
            assert!(stamps.known.read().unwrap()[&path].entry.is_racy);
        }
    }

    #[test]
    fn directories_have_names() {
        let scratch = tempfile::tempdir().unwrap();
        let names = || StatCache::default().names(scratch.path()).unwrap();
        let empty = names();
        std::fs::write(scratch.path().join("b"), "").unwrap();
        let one = names();
        std::fs::write(scratch.path().join("a"), "").unwrap();
        let two = names();
        assert!(empty != one && one != two && empty != two);
        std::fs::write(scratch.path().join("a"), "content is another thing").unwrap();
        assert_eq!(names(), two);
        std::fs::remove_file(scratch.path().join("a")).unwrap();
        assert_eq!(names(), one);
        std::fs::remove_file(scratch.path().join("b")).unwrap();
        std::fs::create_dir(scratch.path().join("b")).unwrap();
        assert_ne!(names(), one, "a directory is in the place of a file");
        std::fs::remove_dir(scratch.path().join("b")).unwrap();
        std::fs::write(scratch.path().join("b"), "").unwrap();
        let stamps = StatCache::default();
        let digest = |names: &[&str]| {
            digest_of_names(&mut names.iter().map(|name| (OsString::from(name), false)).collect::<Vec<_>>())
        };
        assert_eq!(digest(&["b", "a"]), digest(&["a", "b"]));
        assert_ne!(digest(&["ab"]), digest(&["a", "b"]));
        assert_eq!((stamps.digest(scratch.path()), stamps.names(&scratch.path().join("b"))), (None, None));
    }

    #[test]
    fn what_is_known_is_stored() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        std::fs::create_dir_all(root.join("d")).unwrap();
        let odd = Path::new(std::ffi::OsStr::from_bytes(b"\xff.c"));
        for name in [Path::new("d/a.c"), Path::new("b.c"), odd] {
            std::fs::write(root.join(name), "x").unwrap();
        }
        let stamps = StatCache::default();
        let names = ["b.c", "d/a.c", "d"].map(Path::new);
        for name in names.into_iter().chain([odd]) {
            assert!(stamps.state(&root.join(name)).is_some());
        }
        let stamps = aged(&stamps);
        let saved = stamps.save();
        let bytes = serde_json::to_vec(&saved).unwrap();
        assert_eq!(bytes, serde_json::to_vec(&stamps.save()).unwrap());
        let restored = StatCache::restore(serde_json::from_slice(&bytes).unwrap(), SavedStatCache::default());
        assert_eq!(restored.save(), saved);
        for name in ["b.c", "d/a.c"].map(Path::new).into_iter().chain([odd]) {
            assert_eq!(restored.digest(&root.join(name)), Some(Digest::of(b"x")));
        }
        assert!(restored.names(&root.join("d")).is_some() && !restored.has_news());
        restored.digest(&root.join("none.c"));
        assert!(!restored.has_news());
        std::fs::write(root.join("d/b.c"), "x").unwrap();
        let restored = next(&restored);
        assert!(restored.names(&root.join("d")).is_some() && restored.has_news());
    }

    #[test]
    fn a_link_is_not_the_file_that_it_leads_to() {
        let scratch = tempfile::tempdir().unwrap();
        let [file, link] = ["a.h", "b.h"].map(|name| scratch.path().join(name));
        std::fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let stamps = StatCache::default();
        let content = Some(Digest::of(b"x"));
        assert_eq!((stamps.digest(&link), stamps.digest_of_identity(&link)), (content, None));
        assert_eq!((stamps.digest_of_identity(&file), stamps.digest(&file)), (content, content));
        assert_eq!(stamps.digest_of_identity(scratch.path()), None);
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let stamps = StatCache::default();
        assert_eq!(stamps.state(Path::new("/dev/zero")), None);
        assert!(!stamps.absent(Path::new("/dev/zero")));
    }
}
