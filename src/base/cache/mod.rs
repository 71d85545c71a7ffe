//! The cache on disk: small values by key, precompiled headers, and the state of files.
//!
//! It must never know what the values mean. Damage to its files costs time and nothing else:
//! several processes use them at once, processes are killed while they write, and people delete
//! them. So everything has a checksum, and a value whose checksum does not fit counts as missing.
//!
//! Small values are in a log (`log`); values of whole trees and precompiled headers have files of
//! their own. When the cache is too large, the oldest entries are removed: segments of the log, and
//! files, by the time of their last use. The time of a segment is that of the last write, so that
//! reading alone writes nothing. A value that is used and whose segment will be removed soon is
//! written again at the end of the log: at most once while half of the limit is written, and never
//! in a cache that is less than half full. The log needs no compaction, since a replaced value goes
//! with its segment.

mod log;
mod names;
mod directory;
mod layers;
mod stat_cache;

use std::fs::FileTimes;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustc_hash::{FxHashMap, FxHashSet};
use thiserror::Error;

use crate::files::{
    Digest, Directory, LONGEST_DATA, Shown, Staged, TemporaryDirectory, read_from, remove_abandoned_directories_in,
    remove_abandoned_in,
};

pub use directory::{CacheInfo, CacheLocation, Cleaned, DEFAULT_LIMIT, clean, default_directory, info};
pub use layers::Layers;
use log::{Key, Log, RECORD, Record, append};
use names::{Header, Item, Name, list};
pub use stat_cache::{Listing, PathState, SavedStatCache, StatCache, list_directory};

/// How long a file counts as just used. Until then its time is not renewed, and a file that looks
/// abandoned may belong to another machine.
const HOUR: Duration = Duration::from_secs(3600);

/// The kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    /// What changed in the result of a run over a whole tree since it was stored; see [`Layers`].
    Change = 1,
    /// The facts of one file.
    FileFacts = 2,
    /// The result of a run over a whole tree. It is large and most runs replace it, so each has a
    /// file of its own.
    Tree = 3,
    /// The record of a precompiled header.
    Precompiled = 4,
    /// The report on a tree in one state.
    Report = 5,
}

impl EntryKind {
    /// All kinds. Their numbers are stored in files and must keep their meaning.
    pub const ALL: [EntryKind; 5] =
        [EntryKind::Change, EntryKind::FileFacts, EntryKind::Tree, EntryKind::Precompiled, EntryKind::Report];

    /// The plural of the kind, for people.
    pub fn plural(self) -> &'static str {
        match self {
            EntryKind::Change => "changes of whole-tree results",
            EntryKind::FileFacts => "facts of files",
            EntryKind::Tree => "whole-tree results",
            EntryKind::Precompiled => "precompiled header checks",
            EntryKind::Report => "reports",
        }
    }
}

/// Why a cache cannot be read or written. The run continues without it.
#[derive(Debug, Error)]
pub enum CacheError {
    /// The directory holds something else.
    #[error(
        "{directory} is not a cache of cowrap: it is not empty and has no CACHEDIR.TAG of cowrap; \
         choose another directory"
    )]
    Foreign {
        /// The directory.
        directory: String,
    },
    /// It belongs to another user, who could decide what runs report.
    #[error("the cache {directory} belongs to another user; name another directory with --cache-dir")]
    OtherOwner {
        /// The directory.
        directory: String,
    },
    /// Others can write to it, and so decide what runs report.
    #[error(
        "others can write to the cache {directory}; run `chmod go-w` on it if nobody else has written there, or name \
         another directory with --cache-dir"
    )]
    Writable {
        /// The directory.
        directory: String,
    },
    /// The tree brings it, and so decides what runs report.
    #[error("git tracks the cache {directory}, so the tree brings it; name another directory with --cache-dir")]
    Tracked {
        /// The directory.
        directory: String,
    },
    /// The tree may bring it.
    #[error(
        "cannot find out whether git tracks the cache {directory}: {reason}\n  name another directory with --cache-dir"
    )]
    Unknown {
        /// The directory.
        directory: String,
        /// The reason.
        reason: String,
    },
    /// It cannot be read.
    #[error("cannot read the cache {directory}: {source}")]
    Read {
        /// The directory.
        directory: String,
        /// The reason.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write the cache {directory}: {source}")]
    Write {
        /// The directory.
        directory: String,
        /// The reason.
        source: io::Error,
    },
    /// Another process has held the lock for too long.
    #[error("cannot write the cache {directory}: another process has held its lock for too long")]
    Busy {
        /// The directory.
        directory: String,
    },
}

/// A cache on disk. Threads share it without further locking.
///
/// It lists its files when something is first looked up, and again after a [`Cache::flush`] that
/// wrote.
#[derive(Debug)]
pub struct Cache {
    directory: PathBuf,
    limit: u64,
    view: RwLock<Option<Arc<View>>>,
    /// Values that are not written yet.
    pending: Mutex<FxHashMap<Key, Vec<u8>>>,
    used: Mutex<Used>,
    /// The precompiled headers that were looked up, each checked once.
    headers: Mutex<FxHashMap<Digest, Arc<OnceLock<Option<PathBuf>>>>>,
    /// Whether flushing has something to do besides writing `pending`: a used value must be written
    /// again, or a file was added.
    is_due: AtomicBool,
    /// The first error that [`Cache::flush`] has not returned yet.
    trouble: Mutex<Option<CacheError>>,
}

/// What this process has used, and so must not remove.
#[derive(Debug, Default)]
struct Used {
    keys: FxHashSet<Key>,
    files: FxHashSet<Name>,
    /// Values whose checksum does not fit.
    damaged: FxHashSet<Key>,
}

/// The content of the cache when it was listed.
#[derive(Debug, Default)]
struct View {
    log: Log,
    headers: FxHashMap<Digest, Vec<Header>>,
}

impl Cache {
    /// Opens the cache in a directory, which is made by the first write. `limit` is how many bytes
    /// its files may have; entries that one run uses stay even beyond it.
    ///
    /// # Errors
    ///
    /// The directory cannot be read, or holds something other than a cache.
    pub fn open(directory: &Path, limit: u64) -> Result<Cache, CacheError> {
        directory::open(directory)?;
        Ok(Cache {
            directory: directory.to_path_buf(),
            limit,
            view: RwLock::default(),
            pending: Mutex::default(),
            used: Mutex::default(),
            headers: Mutex::default(),
            is_due: AtomicBool::new(false),
            trouble: Mutex::default(),
        })
    }

    /// The value under a key, written by this process or another one.
    pub fn get(&self, kind: EntryKind, key: &Digest) -> Option<Vec<u8>> {
        let key = (kind, *key);
        if let Some(value) = held(&self.pending).get(&key) {
            return Some(value.clone());
        }
        if kind == EntryKind::Tree {
            return self.get_alone(key);
        }
        let view = self.view();
        let (segment, record) = view.log.records.get(&key)?;
        let Some(value) = view.log.value(*segment, record) else {
            held(&self.used).damaged.insert(key);
            return None;
        };
        held(&self.used).keys.insert(key);
        if view.log.segments[*segment].is_old {
            self.is_due.store(true, Ordering::Relaxed);
        }
        Some(value)
    }

    /// Stores a value under a key and replaces any older one. [`Cache::flush`] writes it.
    pub fn put(&self, kind: EntryKind, key: Digest, value: Vec<u8>) {
        held(&self.pending).insert((kind, key), value);
    }

    /// Writes the stored values, and removes old entries beyond the limit. It waits a few seconds
    /// at most for other processes that write. Without anything to write it does next to nothing.
    ///
    /// # Errors
    ///
    /// The first error since the last call, here or in [`Cache::put_file`]. The values may be lost
    /// then. The caller may report the error and continue.
    pub fn flush(&self) -> Result<(), CacheError> {
        let pending = std::mem::take(&mut *held(&self.pending));
        let is_due = self.is_due.swap(false, Ordering::Relaxed);
        let written = if pending.is_empty() && !is_due { Ok(()) } else { self.write(pending) };
        held(&self.trouble).take().map_or(written, Err)
    }

    /// The precompiled header under a key. The first lookup checks the whole file.
    ///
    /// The file may be gone by the time it is opened: people delete caches.
    pub fn file(&self, key: &Digest) -> Option<PathBuf> {
        let known = Arc::clone(held(&self.headers).entry(*key).or_default());
        let path = known.get_or_init(|| {
            let view = self.view();
            view.headers.get(key)?.iter().find_map(|header| self.check(header))
        });
        path.clone().filter(|path| path.exists())
    }

    /// Stores a precompiled header under a key. `write` gets a path in a directory of its own, and
    /// returns whether it wrote the file there. Returns the final path; `None` when `write` failed,
    /// or when the cache cannot be written, which the next [`Cache::flush`] reports.
    pub fn put_file(&self, key: Digest, write: impl FnOnce(&Path) -> bool) -> Option<PathBuf> {
        let made = directory::prepare(&self.directory).and_then(|store| {
            self.make(&store, key, write).map_err(|source| CacheError::Write { directory: self.shown(), source })
        });
        match made {
            Ok(path) => path,
            Err(error) => {
                held(&self.trouble).get_or_insert(error);
                None
            }
        }
    }

    /// Removes the precompiled header under a key, if there is one.
    pub fn remove_file(&self, key: &Digest) {
        let Some(store) = self.store() else { return };
        held(&self.headers).remove(key);
        for item in list(&store).0 {
            if let Name::Header(header) = item.name
                && header.key == *key
            {
                // What cannot be removed now is removed when the cache is full.
                let _ = store.remove(&item.name.file());
            }
        }
    }

    /// Lets a precompiled header be written, and moves it to its final path.
    fn make(&self, store: &Directory, key: Digest, write: impl FnOnce(&Path) -> bool) -> io::Result<Option<PathBuf>> {
        const FILE: &str = "header.pch";
        // In a directory of its own, which only the user can enter: clang writes by path, makes temporary
        // files beside it, and may be killed too.
        let scratch = TemporaryDirectory::make_in(store)?;
        if !write(&scratch.path().join(FILE)) {
            return Ok(None);
        }
        let written = store.below(scratch.name().as_ref())?;
        let bytes = read_from(&written.open_file(FILE.as_ref())?, LONGEST_DATA)?;
        let name = Name::Header(Header { key, length: bytes.len() as u64, sum: crc32fast::hash(&bytes) });
        written.rename(FILE.as_ref(), store, &name.file())?;
        let path = store.path().join(name.file());
        held(&self.used).files.insert(name);
        held(&self.headers).insert(key, Arc::new(OnceLock::from(Some(path.clone()))));
        self.is_due.store(true, Ordering::Relaxed);
        Ok(Some(path))
    }

    /// The path of a precompiled header if its checksum fits. A damaged file is removed.
    fn check(&self, header: &Header) -> Option<PathBuf> {
        let name = Name::Header(*header);
        let store = self.store()?;
        let file = store.open_file(&name.file()).ok()?;
        let bytes = read_from(&file, header.length);
        if !bytes.is_ok_and(|bytes| bytes.len() as u64 == header.length && crc32fast::hash(&bytes) == header.sum) {
            let _ = store.remove(&name.file());
            return None;
        }
        self.use_file(&store, name);
        Some(store.path().join(name.file()))
    }

    /// Reads a value that has a file of its own.
    fn get_alone(&self, key: Key) -> Option<Vec<u8>> {
        let name = Name::Alone(key.1);
        let store = self.store()?;
        let file = store.open_file(&name.file()).ok()?;
        let mut record = [0; RECORD];
        (&file).read_exact(&mut record).ok()?;
        let record = Record::read(&record).filter(|record| record.key == key)?;
        // Large values are copied as seldom as possible.
        let value = record.value(read_from(&file, LONGEST_DATA).ok()?)?;
        self.use_file(&store, name);
        Some(value)
    }

    /// Notes that a file is used. Its time tells other runs; it is renewed once an hour at most.
    /// For a precompiled header it is the access time: clang compares the modification times of
    /// precompiled headers that stand on one another.
    fn use_file(&self, store: &Directory, name: Name) {
        held(&self.used).files.insert(name);
        let now = SystemTime::now();
        let renew = || {
            let Some(entry) = store.entry(&name.file())? else { return Ok(()) };
            // A time in the future is renewed too.
            let age = now.duration_since(name.used(&entry));
            let file = || store.open_file(&name.file());
            match name {
                _ if age.is_ok_and(|age| age < HOUR) => Ok(()),
                Name::Header(_) => file()?.set_times(FileTimes::new().set_accessed(now)),
                _ => file()?.set_modified(now),
            }
        };
        // The file belongs to somebody else, or the disk is read-only: then it is removed earlier
        // than it should be.
        let _: io::Result<()> = renew();
    }

    /// The directory of the files, if it exists and can be used.
    fn store(&self) -> Option<Directory> {
        directory::open(&self.directory).ok()??.store
    }

    /// The content of the cache, listed at the first call.
    fn view(&self) -> Arc<View> {
        if let Some(view) = &*self.view.read().unwrap_or_else(PoisonError::into_inner) {
            return Arc::clone(view);
        }
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(view.get_or_insert_with(|| {
            let Some(store) = self.store() else { return Arc::default() };
            let (items, _) = list(&store);
            let mut headers: FxHashMap<Digest, Vec<Header>> = FxHashMap::default();
            for item in &items {
                if let Name::Header(header) = item.name {
                    headers.entry(header.key).or_default().push(header);
                }
            }
            headers.values_mut().for_each(|headers| headers.sort_unstable());
            Arc::new(View { log: Log::load(&store, &items, self.limit), headers })
        }))
    }

    /// Writes the pending values, under the lock.
    fn write(&self, pending: FxHashMap<Key, Vec<u8>>) -> Result<(), CacheError> {
        let store = directory::prepare(&self.directory)?;
        let _lock = directory::lock(&store)?;
        let written = self.write_locked(&store, pending);
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = None;
        written.map_err(|source| CacheError::Write { directory: self.shown(), source })
    }

    fn write_locked(&self, store: &Directory, pending: FxHashMap<Key, Vec<u8>>) -> io::Result<()> {
        let (items, _) = list(store);
        // Other processes may have written meanwhile.
        let log = Log::load(store, &items, self.limit);
        let mut used = held(&self.used);
        used.keys.extend(pending.keys());
        let (alone, pending): (Vec<_>, Vec<_>) = pending.into_iter().partition(|(key, _)| key.0 == EntryKind::Tree);
        let mut values = Vec::new();
        for (key, value) in pending {
            let is_same = |(_, known): &(usize, Record)| Record::of(key, &value, known.offset) == Some(*known);
            if used.damaged.remove(&key) || !log.records.get(&key).is_some_and(is_same) {
                values.push((key, value));
            }
        }
        let new: FxHashSet<Key> = values.iter().map(|(key, _)| *key).collect();
        for key in used.keys.iter().filter(|key| !new.contains(key)) {
            if let Some((segment, record)) = log.records.get(key)
                && log.segments[*segment].is_old
                && let Some(value) = log.value(*segment, record)
            {
                values.push((*key, value));
            }
        }
        let mut written = self.append(store, values);
        for (key, value) in alone {
            // What cannot be written costs only itself.
            let of_value = self.write_alone(store, key, &value);
            used.files.insert(Name::Alone(key.1));
            written = written.and(of_value);
        }
        // On a full disk, room is what is missing.
        let made = self.make_room(store, &used);
        written.and(made)
    }

    fn write_alone(&self, store: &Directory, key: Key, value: &[u8]) -> io::Result<()> {
        let Some(record) = Record::of(key, value, 0) else { return Ok(()) };
        let bytes = [&record.write(), value, key.1.bytes()].concat();
        let name = Name::Alone(key.1).file();
        Staged::write_in(store, &name, &bytes)?.put_in(store)
    }

    /// Appends values to the log in a fixed order. Segments are small compared with the limit,
    /// since they are removed as a whole.
    fn append(&self, store: &Directory, mut values: Vec<(Key, Vec<u8>)>) -> io::Result<()> {
        values.sort_unstable_by_key(|(key, _)| *key);
        append(store, &values, (self.limit / 32).max(4096))
    }

    /// Removes the entries that have not been used for longest, until the cache is a little below
    /// the limit. Entries that this process has used stay: they are appended again, or when they
    /// are most of a segment, the segment stays.
    fn make_room(&self, store: &Directory, used: &Used) -> io::Result<()> {
        let (items, _) = list(store);
        remove_abandoned_in(store);
        remove_abandoned_directories_in(store);
        let mut total: u64 = items.iter().map(|item| item.size).sum();
        if total <= self.limit {
            return Ok(());
        }
        let enough = self.limit - self.limit / 10;
        let log = Log::load(store, &items, self.limit);
        // New values go to the last segment, so it stays.
        let segments =
            log.segments.iter().enumerate().rev().skip(1).map(|(at, segment)| Oldest::Segment(at, segment.time));
        let alone = |item: &&Item| match item.name {
            Name::Alone(_) | Name::Header(_) => !used.files.contains(&item.name),
            // An index is useless without its data.
            Name::Index(number) => log.segments.iter().all(|segment| segment.number != number),
            Name::Data(_) | Name::Lock => false,
        };
        let mut oldest: Vec<Oldest> =
            segments.chain(items.iter().filter(alone).map(|item| Oldest::File(*item))).collect();
        oldest.sort_by_key(Oldest::time);
        for what in oldest {
            if total <= enough {
                break;
            }
            match what {
                Oldest::File(item) => {
                    store.remove(&item.name.file())?;
                    total = total.saturating_sub(item.size);
                }
                Oldest::Segment(at, _) => {
                    let own = |key: &&Key| log.records.get(key).is_some_and(|(segment, _)| *segment == at);
                    let kept: Vec<Key> = used.keys.iter().filter(own).copied().collect();
                    let size = |key: &Key| log.records.get(key).map_or(0, |(_, record)| u64::from(record.length));
                    let kept_size: u64 = kept.iter().map(size).sum();
                    let segment = &log.segments[at];
                    if kept_size > segment.size / 2 {
                        continue;
                    }
                    let value = |key: Key| log.records.get(&key).and_then(|(_, record)| log.value(at, record));
                    self.append(store, kept.into_iter().filter_map(|key| Some((key, value(key)?))).collect())?;
                    // The index first: the data is useless without it.
                    store.remove(&Name::Index(segment.number).file())?;
                    store.remove(&Name::Data(segment.number).file())?;
                    total = total.saturating_sub(segment.size - kept_size);
                }
            }
        }
        Ok(())
    }

    fn shown(&self) -> String {
        self.directory.shown().to_string()
    }
}

/// An entry that can be removed.
#[derive(Clone, Copy, Debug)]
enum Oldest {
    /// A segment, by its position, with its time.
    Segment(usize, SystemTime),
    /// A file.
    File(Item),
}

impl Oldest {
    fn time(&self) -> SystemTime {
        match self {
            Oldest::Segment(_, time) => *time,
            Oldest::File(item) => item.time,
        }
    }
}

/// Locks a mutex. The values in this module's mutexes are consistent even after a panic.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
