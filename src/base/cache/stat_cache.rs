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

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::files::{Digest, LONGEST_DATA, Tree, open_regular, read_from};

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
    /// A directory; the digest is that of the names in it.
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

/// The known state of paths on disk. Threads share it without further locking. Paths are absolute,
/// and symbolic links are followed.
#[derive(Debug, Default)]
pub struct StatCache {
    known: RwLock<FxHashMap<PathBuf, Entry>>,
    has_news: AtomicBool,
}

/// A stat cache to be stored: independent of where the tree is, and with the same bytes for the
/// same content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedStatCache(Vec<(Vec<u8>, Entry)>);

impl StatCache {
    /// Restores a saved stat cache.
    pub fn restore(saved: SavedStatCache, tree: &Tree) -> StatCache {
        let path = |bytes| tree.absolute(Path::new(&OsString::from_vec(bytes))).components().collect();
        let known = saved.0.into_iter().map(|(bytes, known)| (path(bytes), known)).collect();
        StatCache { known: RwLock::new(known), has_news: AtomicBool::new(false) }
    }

    /// Saves the stat cache.
    pub fn save(&self, tree: &Tree) -> SavedStatCache {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let absolute = known.iter().filter(|(path, _)| path.is_absolute());
        let portable = absolute.map(|(path, known)| (tree.portable(path).into_os_string().into_vec(), *known));
        let mut saved: Vec<(Vec<u8>, Entry)> = portable.collect();
        saved.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        SavedStatCache(saved)
    }

    /// Whether saving is of use: something was learned since this was made or restored.
    pub fn has_news(&self) -> bool {
        self.has_news.load(Ordering::Relaxed)
    }

    /// The state of a path. It always looks at the disk, and reads a file only if it is new or
    /// changed. `None` when that fails, and for anything that is neither a file nor a directory.
    pub fn state(&self, path: &Path) -> Option<PathState> {
        let found = match std::fs::metadata(path) {
            Ok(found) => found,
            Err(error) => return is_absence(&error).then_some(PathState::Absent),
        };
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(path).copied();
        match known {
            Some(known) if known.is_believed(&found) => Some(known.state),
            _ => self.learn(path, &found).ok(),
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

    /// Whether nothing is at a path. This is not stored.
    pub fn absent(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_err_and(|error| is_absence(&error))
    }

    /// The positions of the paths whose state is not the expected one any more. A path that cannot
    /// be read counts as changed.
    pub fn changed<P: AsRef<Path> + Sync>(&self, expected: &[(P, PathState)]) -> Vec<usize> {
        let is_changed = |(path, state): &(P, PathState)| match state {
            PathState::Absent => !self.absent(path.as_ref()),
            state => self.state(path.as_ref()) != Some(*state),
        };
        let places = expected.par_iter().enumerate().with_min_len(64);
        places.filter(|(_, expected)| is_changed(expected)).map(|(place, _)| place).collect()
    }

    /// Reads a path, and stores its state.
    fn learn(&self, path: &Path, found: &Metadata) -> io::Result<PathState> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
        let (state, after) = if found.is_dir() {
            let names: Vec<OsString> =
                std::fs::read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
            (PathState::Directory(digest_of_names(names)), std::fs::metadata(path)?)
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
        let known = Entry { stamp, state, is_racy };
        let old = self.known.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_path_buf(), known);
        if old != Some(known) {
            self.has_news.store(true, Ordering::Relaxed);
        }
        Ok(state)
    }
}

impl Entry {
    fn is_believed(&self, found: &Metadata) -> bool {
        !self.is_racy && self.stamp == Stamp::of(found)
    }
}

/// The digest of the names in a directory, in any order.
fn digest_of_names(mut names: Vec<OsString>) -> Digest {
    names.sort_unstable();
    // No name contains this byte.
    let text: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
    Digest::of(&text.join(&0))
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

    /// Makes all stamps reliable, as if their files were old.
    fn age(stamps: &StatCache) {
        // The change time cannot be set, so this sets what follows from it.
        for known in stamps.known.write().unwrap().values_mut() {
            known.is_racy = false;
        }
    }

    fn tree(root: &Path) -> Tree {
        Tree { root: root.to_path_buf(), build: None }
    }

    #[test]
    fn what_is_unchanged_is_not_read_again() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a.c");
        std::fs::write(&path, "one").unwrap();
        let stamps = StatCache::default();
        assert_eq!(stamps.digest(&path), Some(Digest::of(b"one")));
        age(&stamps);
        // Not the content of the file: this shows where the answer comes from.
        let lie = PathState::File(Digest::of(b"lie"));
        stamps.known.write().unwrap().get_mut(&path).unwrap().state = lie;
        assert_eq!(stamps.state(&path), Some(lie));
        std::fs::write(&path, "two").unwrap();
        assert_eq!(stamps.digest(&path), Some(Digest::of(b"two")));
        std::fs::remove_file(&path).unwrap();
        assert!(stamps.absent(&path) && stamps.digest(&path).is_none());
        assert!(stamps.absent(&path.join("below")), "no directory is in the way");
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
            age(&stamps);
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
        stamps.known.write().unwrap().get_mut(&path).unwrap().state = PathState::Absent;
        assert_eq!(stamps.digest(&path), Some(Digest::of(b"one")));
        // A time in the future: the file is read each time.
        File::open(&path).unwrap().set_modified(SystemTime::now() + Duration::from_secs(100_000)).unwrap();
        for _ in 0..2 {
            assert_eq!(stamps.digest(&path), Some(Digest::of(b"one")));
            assert!(stamps.known.read().unwrap()[&path].is_racy);
        }
    }

    #[test]
    fn directories_have_names() {
        let scratch = tempfile::tempdir().unwrap();
        let stamps = StatCache::default();
        let names = || stamps.names(scratch.path()).unwrap();
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
        let digest = |names: &[&str]| digest_of_names(names.iter().map(OsString::from).collect());
        assert_eq!(digest(&["b", "a"]), digest(&["a", "b"]));
        assert_ne!(digest(&["ab"]), digest(&["a", "b"]));
        assert_eq!((stamps.digest(scratch.path()), stamps.names(&scratch.path().join("b"))), (None, None));
    }

    #[test]
    fn a_list_is_compared_at_once() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        let stamps = StatCache::default();
        let mut expected = Vec::new();
        for number in 0..500 {
            let path = root.join(format!("{number}.h"));
            std::fs::write(&path, number.to_string()).unwrap();
            expected.push((path.clone(), stamps.state(&path).unwrap()));
        }
        for number in 500..600 {
            expected.push((root.join(format!("{number}.h")), PathState::Absent));
        }
        std::fs::create_dir(root.join("d")).unwrap();
        expected.push((root.join("d"), stamps.state(&root.join("d")).unwrap()));
        assert_eq!(stamps.changed(&expected), [] as [usize; 0]);
        std::fs::write(root.join("7.h"), "other").unwrap();
        std::fs::remove_file(root.join("8.h")).unwrap();
        std::fs::write(root.join("9.h"), "9").unwrap();
        std::fs::write(root.join("555.h"), "").unwrap();
        std::fs::create_dir(root.join("d/e")).unwrap();
        assert_eq!(stamps.changed(&expected), [7, 8, 555, 600]);
    }

    #[test]
    fn what_is_known_is_kept_and_moves_with_the_tree() {
        let scratch = tempfile::tempdir().unwrap();
        let (old, new) = (scratch.path().join("old"), scratch.path().join("new"));
        std::fs::create_dir_all(old.join("d")).unwrap();
        let odd = Path::new(std::ffi::OsStr::from_bytes(b"\xff.c"));
        for name in [Path::new("d/a.c"), Path::new("b.c"), odd] {
            std::fs::write(old.join(name), "x").unwrap();
        }
        let stamps = StatCache::default();
        let names = ["b.c", "d/a.c", "d", ""].map(PathBuf::from);
        for name in names.iter().map(PathBuf::as_path).chain([odd]) {
            stamps.state(&old.join(name).components().collect::<PathBuf>()).unwrap();
        }
        assert!(stamps.has_news());
        age(&stamps);
        let saved = stamps.save(&tree(&old));
        let bytes = serde_json::to_vec(&saved).unwrap();
        assert_eq!(bytes, serde_json::to_vec(&stamps.save(&tree(&old))).unwrap());

        std::fs::rename(&old, &new).unwrap();
        let restored = StatCache::restore(serde_json::from_slice(&bytes).unwrap(), &tree(&new));
        assert_eq!(restored.save(&tree(&new)), saved);
        for name in ["b.c", "d/a.c"] {
            assert_eq!(restored.digest(&new.join(name)), Some(Digest::of(b"x")));
        }
        assert_eq!(restored.digest(&new.join(odd)), Some(Digest::of(b"x")));
        assert!(restored.names(&new.join("d")).is_some() && !restored.has_news());
        restored.digest(&new.join("none.c"));
        assert!(!restored.has_news());
        // The renamed directory has another time.
        assert!(restored.names(&new).is_some() && restored.has_news());
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let stamps = StatCache::default();
        assert_eq!(stamps.state(Path::new("/dev/zero")), None);
        assert!(!stamps.absent(Path::new("/dev/zero")));
        assert_eq!(stamps.changed(&[("/dev/zero", PathState::Absent)]), [0]);
    }
}
