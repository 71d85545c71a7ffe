//! A cache within one process: what comes back, and what does not. `tests/cache.rs` has several
//! processes.

use std::fs::{File, OpenOptions};
use std::io::Write;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const LARGE: u64 = 1 << 30;

fn key(number: usize) -> Digest {
    Digest::of(&number.to_le_bytes())
}

/// The value that tests keep under a key: none other is right.
fn value(number: usize, length: usize) -> Vec<u8> {
    key(number).bytes().iter().copied().cycle().take(length).collect()
}

fn scratch() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

fn open(root: &Path) -> Cache {
    Cache::open(root, LARGE).unwrap()
}

/// Keeps values of a kind in a cache that is opened for it.
fn keep(root: &Path, limit: u64, kind: EntryKind, numbers: impl IntoIterator<Item = usize>, length: usize) {
    let cache = Cache::open(root, limit).unwrap();
    numbers.into_iter().for_each(|number| cache.put(kind, key(number), value(number, length)));
    cache.flush().unwrap();
}

/// Which of these values are there; fails when one is not what was kept.
fn there(root: &Path, kind: EntryKind, numbers: impl IntoIterator<Item = usize>, length: usize) -> Vec<usize> {
    found(&open(root), kind, numbers, length)
}

/// As [`there`], in a cache that is open.
fn found(cache: &Cache, kind: EntryKind, numbers: impl IntoIterator<Item = usize>, length: usize) -> Vec<usize> {
    let is_there = |number: &usize| match cache.get(kind, &key(*number)) {
        Some(found) => {
            assert_eq!(found, value(*number, length), "{number}");
            true
        }
        None => false,
    };
    numbers.into_iter().filter(is_there).collect()
}

fn write_header(text: &[u8]) -> impl FnOnce(&Path) -> bool {
    move |path| std::fs::write(path, text).is_ok()
}

/// Every file of the store.
fn files(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root.join("v1")) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn set_time(path: &Path, time: SystemTime) {
    File::open(path).unwrap().set_times(FileTimes::new().set_modified(time).set_accessed(time)).unwrap();
}

// --- what comes back
// --------------------------------------------------------------------------------------------

#[test]
fn values_come_back() {
    let root = scratch();
    let cache = open(root.path());
    for kind in EntryKind::ALL {
        assert_eq!(cache.get(kind, &key(1)), None);
        cache.put(kind, key(1), vec![kind as u8]);
        cache.put(kind, key(2), Vec::new());
        assert_eq!(cache.get(kind, &key(1)), Some(vec![kind as u8]), "before it is written");
    }
    cache.flush().unwrap();
    for cache in [&cache, &open(root.path())] {
        for kind in EntryKind::ALL {
            assert_eq!(cache.get(kind, &key(1)), Some(vec![kind as u8]));
            assert_eq!(cache.get(kind, &key(2)), Some(Vec::new()));
            assert_eq!(cache.get(kind, &key(3)), None);
        }
    }
}

#[test]
fn the_last_value_counts() {
    let root = scratch();
    let (one, other) = (open(root.path()), open(root.path()));
    for kind in EntryKind::ALL {
        one.put(kind, key(1), b"first".to_vec());
        one.put(kind, key(1), b"second".to_vec());
        other.put(kind, key(1), b"third".to_vec());
        other.put(kind, key(2), b"else".to_vec());
    }
    one.flush().unwrap();
    other.flush().unwrap();
    for kind in EntryKind::ALL {
        assert_eq!(one.get(kind, &key(1)).as_deref(), Some(&b"third"[..]));
        assert_eq!(one.get(kind, &key(2)).as_deref(), Some(&b"else"[..]));
    }
}

#[test]
fn what_is_there_already_is_not_written_again() {
    let root = scratch();
    keep(root.path(), LARGE, EntryKind::FileFacts, 0..20, 100);
    let before: Vec<_> = files(root.path()).iter().map(|file| std::fs::read(file).unwrap()).collect();
    keep(root.path(), LARGE, EntryKind::FileFacts, 0..20, 100);
    let after: Vec<_> = files(root.path()).iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert!(before == after);
}

#[test]
fn nothing_is_made_before_something_is_written() {
    let root = scratch();
    let directory = root.path().join("a/b");
    let cache = open(&directory);
    assert_eq!((cache.get(EntryKind::Change, &key(1)), cache.file(&key(1))), (None, None));
    cache.flush().unwrap();
    assert!(!root.path().join("a").exists());
    cache.put(EntryKind::Change, key(1), b"x".to_vec());
    cache.flush().unwrap();
    assert_eq!(cache.get(EntryKind::Change, &key(1)).as_deref(), Some(&b"x"[..]));
}

#[test]
fn a_cache_can_be_moved() {
    let root = scratch();
    let (old, new) = (root.path().join("old"), root.path().join("new"));
    keep(&old, LARGE, EntryKind::FileFacts, 0..10, 100);
    open(&old).put_file(key(1), write_header(b"text")).unwrap();
    std::fs::rename(&old, &new).unwrap();
    assert_eq!(there(&new, EntryKind::FileFacts, 0..10, 100).len(), 10);
    assert!(open(&new).file(&key(1)).unwrap().starts_with(&new));
    for file in files(&new) {
        let text = std::fs::read(&file).unwrap();
        let path = old.to_str().unwrap().as_bytes();
        assert!(!text.windows(path.len()).any(|window| window == path), "{}", file.display());
    }
}

#[test]
fn threads_share_a_cache() {
    let root = scratch();
    let cache = open(root.path());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let cache = &cache;
            scope.spawn(move || {
                for number in thread * 100..thread * 100 + 100 {
                    cache.put(EntryKind::FileFacts, key(number), value(number, number));
                    if number % 25 == 0 {
                        cache.flush().unwrap();
                    }
                    cache.put_file(key(number % 10), write_header(b"the same"));
                    assert_eq!(std::fs::read(cache.file(&key(number % 10)).unwrap()).unwrap(), b"the same");
                }
            });
        }
    });
    cache.flush().unwrap();
    let other = open(root.path());
    assert!((0..800).all(|number| other.get(EntryKind::FileFacts, &key(number)) == Some(value(number, number))));
    assert_eq!((0..10).filter(|number| other.file(&key(*number)).is_some()).count(), 10);
}

// --- precompiled headers
// ----------------------------------------------------------------------------------------

#[test]
fn files_come_back() {
    let root = scratch();
    let cache = open(root.path());
    let made = cache.put_file(key(1), |path| {
        // As clang does: the directory is for this file alone.
        std::fs::write(path.with_extension("tmp"), "half").unwrap();
        std::fs::write(path, "whole").is_ok()
    });
    let path = made.unwrap();
    assert_eq!(cache.file(&key(1)).as_ref(), Some(&path));
    assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    assert_eq!(open(root.path()).file(&key(1)), Some(path.clone()));
    assert_eq!(cache.put_file(key(2), |_| false), None);
    assert_eq!(files(root.path()), std::slice::from_ref(&path));
    cache.flush().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(cache.file(&key(1)), None);
    assert!(cache.put_file(key(1), |_| true).is_none(), "no file was written");
    assert!(matches!(cache.flush(), Err(CacheError::Write { .. })));
    cache.flush().unwrap();
}

#[test]
fn a_file_that_is_used_gets_a_new_time_now_and_then() {
    let root = scratch();
    let path = open(root.path()).put_file(key(1), write_header(b"text")).unwrap();
    keep(root.path(), LARGE, EntryKind::Tree, [1], 10);
    let tree = root.path().join("v1").join(format!("tree-{}", key(1)));
    let age = |path: &Path| {
        let found = path.metadata().unwrap();
        // Precompiled headers keep the other time.
        let used = if path == tree { found.modified() } else { found.accessed() };
        SystemTime::now().duration_since(used.unwrap())
    };
    let now = SystemTime::now();
    let times = [(now - 2 * HOUR, true), (now - HOUR / 2, false), (now + 100 * HOUR, true)];
    for (time, is_renewed) in times {
        set_time(&path, time);
        set_time(&tree, time);
        let cache = open(root.path());
        assert!(cache.file(&key(1)).is_some() && cache.get(EntryKind::Tree, &key(1)).is_some());
        // The system sets the time of an access, too.
        for path in [&path, &tree].into_iter().filter(|path| is_renewed || *path == &tree) {
            assert_eq!(age(path).is_ok_and(|age| age < HOUR / 4), is_renewed, "{time:?}");
        }
    }
}

// --- damage
// -----------------------------------------------------------------------------------------------------

const LENGTHS: usize = 9;

/// A cache with something of everything, small enough to try each bit.
fn specimen() -> TempDir {
    let root = scratch();
    for numbers in [0..3, 3..5] {
        keep(root.path(), LARGE, EntryKind::Change, numbers.clone(), LENGTHS);
        keep(root.path(), LARGE, EntryKind::FileFacts, numbers.clone(), LENGTHS);
        keep(root.path(), LARGE, EntryKind::Precompiled, numbers.clone(), LENGTHS);
        keep(root.path(), LARGE, EntryKind::Report, numbers, LENGTHS);
    }
    keep(root.path(), LARGE, EntryKind::Tree, 0..2, LENGTHS);
    open(root.path()).put_file(key(0), write_header(&value(0, LENGTHS))).unwrap();
    root
}

/// How many of a specimen's entries are there; all are what was kept.
fn count(root: &Path) -> usize {
    let cache = open(root);
    let kept: usize = EntryKind::ALL.into_iter().map(|kind| found(&cache, kind, 0..7, LENGTHS).len()).sum();
    let header = cache.file(&key(0)).map(|path| std::fs::read(path).unwrap());
    assert!(header.as_ref().is_none_or(|header| *header == value(0, LENGTHS)));
    kept + usize::from(header.is_some())
}

/// Does something to a copy of each file's bytes, and looks what is there then, before and after
/// something is written.
fn spoil(root: &Path, each: impl Fn(&Path, &[u8], &mut dyn FnMut(&[u8]))) {
    let all = count(root);
    assert_eq!(all, 5 + 5 + 5 + 5 + 2 + 1);
    let whole: Vec<(PathBuf, Vec<u8>)> =
        files(root).into_iter().map(|file| (file.clone(), std::fs::read(&file).unwrap())).collect();
    for (file, bytes) in &whole {
        each(file, bytes, &mut |spoilt| {
            std::fs::write(file, spoilt).unwrap();
            let left = count(root);
            assert!(left <= all);
            keep(root, LARGE, EntryKind::FileFacts, 5..7, LENGTHS);
            assert_eq!(there(root, EntryKind::FileFacts, 5..7, LENGTHS), [5, 6], "what is written later is found");
            assert!(count(root) >= left + 2);
            // What is not found is found out again, and kept.
            let cache = open(root);
            for kind in EntryKind::ALL {
                for number in 0..if kind == EntryKind::Tree { 2 } else { 5 } {
                    if cache.get(kind, &key(number)).is_none() {
                        cache.put(kind, key(number), value(number, LENGTHS));
                    }
                }
            }
            if cache.file(&key(0)).is_none() {
                cache.put_file(key(0), write_header(&value(0, LENGTHS))).unwrap();
            }
            cache.flush().unwrap();
            assert_eq!(count(root), all + 2);
            files(root).iter().for_each(|file| std::fs::remove_file(file).unwrap());
            whole.iter().for_each(|(file, bytes)| std::fs::write(file, bytes).unwrap());
        });
    }
}

#[test]
fn a_bit_that_flips_is_noticed() {
    let root = specimen();
    spoil(root.path(), |file, bytes, look| {
        for at in 0..bytes.len() * 8 {
            let mut spoilt = bytes.to_vec();
            spoilt[at / 8] ^= 1 << (at % 8);
            if at % 8 == at / 8 % 8 {
                look(&spoilt);
            }
            // One entry at most is lost.
            std::fs::write(file, &spoilt).unwrap();
            assert_eq!(count(root.path()), 22, "{} {at}", file.display());
            std::fs::write(file, bytes).unwrap();
        }
    });
}

#[test]
fn a_file_that_is_cut_off_has_what_is_before() {
    let root = specimen();
    spoil(root.path(), |file, bytes, look| {
        for length in 0..bytes.len() {
            look(&bytes[..length]);
            std::fs::write(file, &bytes[..length]).unwrap();
            let lost = if file.extension().is_some_and(|end| end == "index") { 20 - length / RECORD } else { 20 };
            assert!(count(root.path()) >= 23 - lost, "{} {length}", file.display());
            std::fs::write(file, bytes).unwrap();
        }
    });
}

#[test]
fn a_file_that_has_more_is_whole() {
    let root = specimen();
    spoil(root.path(), |_, bytes, look| {
        for more in 1..RECORD + 2 {
            look(&[bytes, &vec![7; more]].concat());
            look(&[bytes, &vec![0; more]].concat());
        }
    });
}

#[test]
fn a_file_of_something_else_is_nothing() {
    let root = specimen();
    spoil(root.path(), |_, bytes, look| {
        look(b"#!/bin/sh\nexit 0\n");
        look(&vec![0; bytes.len()]);
        look(&vec![0xff; bytes.len()]);
        let mut turned = bytes.to_vec();
        turned.reverse();
        look(&turned);
    });
    // The files of another segment, of another tree, of another header.
    let others = scratch();
    keep(others.path(), LARGE, EntryKind::FileFacts, 0..5, LENGTHS + 1);
    let store = root.path().join("v1");
    std::fs::copy(others.path().join("v1/log-0.data"), store.join("log-0.data")).unwrap();
    std::fs::copy(store.join(format!("tree-{}", key(0))), store.join(format!("tree-{}", key(1)))).unwrap();
    assert_eq!(there(root.path(), EntryKind::FileFacts, 0..5, LENGTHS), [] as [usize; 0]);
    assert_eq!(there(root.path(), EntryKind::Tree, 0..2, LENGTHS), [0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_in_the_files_nothing_wrong_comes_back(
        index in prop::collection::vec(any::<u8>(), 0..200),
        records in prop::collection::vec((0u64..300, any::<u32>(), any::<u32>(), 0usize..8), 0..8),
        data in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let root = specimen();
        let store = root.path().join("v1");
        // Records that are whole, and speak of what is not there.
        let lies = records.iter().flat_map(|(offset, length, sum, number)| {
            Record { key: (EntryKind::FileFacts, key(*number)), offset: *offset, length: *length, sum: *sum }.write()
        });
        let bytes: Vec<u8> = lies.chain(index).collect();
        for (name, bytes) in [("log-0.index", &bytes), ("log-1.index", &bytes), ("log-1.data", &data)] {
            OpenOptions::new().create(true).append(true).open(store.join(name)).unwrap().write_all(bytes).unwrap();
        }
        let left = count(root.path());
        prop_assert!(left >= 3, "trees and the header are not touched");
        keep(root.path(), LARGE, EntryKind::Change, 5..7, LENGTHS);
        prop_assert_eq!(there(root.path(), EntryKind::Change, 5..7, LENGTHS), [5, 6]);
    }
}

#[test]
fn foreign_files_are_let_alone() {
    let root = specimen();
    let store = root.path().join("v1");
    let names = ["notes.txt", "log-0", "log-00.data", "log-1.data~", "tree-1", "header-.pch", ".git"];
    for name in names {
        std::fs::write(store.join(name), "mine").unwrap();
    }
    std::fs::create_dir(store.join("log-9.data")).unwrap();
    std::fs::create_dir(store.join(format!("tree-{}", key(9)))).unwrap();
    assert_eq!(count(root.path()), 23);
    keep(root.path(), 1, EntryKind::Tree, [1], 10);
    for name in names {
        assert_eq!(std::fs::read(store.join(name)).unwrap(), b"mine");
    }
}

#[test]
fn a_cache_that_is_removed_meanwhile_is_made_again() {
    let root = scratch();
    let directory = root.path().join("cache");
    keep(&directory, LARGE, EntryKind::FileFacts, 0..10, 100);
    let cache = open(&directory);
    let path = cache.put_file(key(1), write_header(b"text")).unwrap();
    assert_eq!(cache.get(EntryKind::FileFacts, &key(1)), Some(value(1, 100)));
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(cache.get(EntryKind::FileFacts, &key(2)), Some(value(2, 100)), "its file is open");
    assert_eq!(cache.file(&key(1)), None);
    cache.put(EntryKind::FileFacts, key(20), value(20, 100));
    cache.flush().unwrap();
    assert_eq!(there(&directory, EntryKind::FileFacts, 0..21, 100), [20]);
    assert_eq!(cache.put_file(key(1), write_header(b"text")), Some(path));
}

// --- room
// -------------------------------------------------------------------------------------------------------

/// How many bytes the files have.
fn size(root: &Path) -> u64 {
    info(root).unwrap().size
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let root = scratch();
    let limit = 100_000;
    for round in 0..40 {
        // Something that every run uses, and something new.
        let cache = Cache::open(root.path(), limit).unwrap();
        for number in [0, 1, 2] {
            match cache.get(EntryKind::Change, &key(number)) {
                Some(found) => assert_eq!(found, value(number, 500)),
                None => {
                    assert_eq!(round, 0, "what is used stays");
                    cache.put(EntryKind::Change, key(number), value(number, 500));
                }
            }
        }
        for number in 100 + round * 10..110 + round * 10 {
            cache.put(EntryKind::FileFacts, key(number), value(number, 1000));
        }
        cache.flush().unwrap();
        assert!(size(root.path()) <= limit, "{round}: {}", size(root.path()));
    }
    let left = there(root.path(), EntryKind::FileFacts, 100..500, 1000);
    assert_eq!(left.last(), Some(&499));
    assert!(left.len() > 60 && left.windows(2).all(|pair| pair[0] + 1 == pair[1]), "the newest are there: {left:?}");
}

#[test]
fn nothing_is_written_for_what_is_only_read_in_a_cache_with_room() {
    let root = scratch();
    keep(root.path(), LARGE, EntryKind::FileFacts, 0..100, 100);
    let before = files(root.path());
    let sizes = size(root.path());
    let cache = open(root.path());
    assert!((0..100).all(|number| cache.get(EntryKind::FileFacts, &key(number)).is_some()));
    assert!(!cache.is_due.load(Ordering::Relaxed));
    cache.flush().unwrap();
    assert_eq!((files(root.path()), size(root.path())), (before, sizes));
}

#[test]
fn what_is_used_and_will_be_removed_before_long_is_added_again() {
    let root = scratch();
    let limit = 100_000;
    keep(root.path(), limit, EntryKind::FileFacts, [0, 1], 500);
    let segments = || {
        let view = Cache::open(root.path(), limit).unwrap().view();
        [0, 1].map(|number| view.log.records[&(EntryKind::FileFacts, key(number))].0)
    };
    for round in 1..7 {
        std::thread::sleep(Duration::from_millis(20));
        keep(root.path(), limit, EntryKind::FileFacts, round * 10..round * 10 + 10, 1000);
        let cache = Cache::open(root.path(), limit).unwrap();
        assert_eq!(cache.get(EntryKind::FileFacts, &key(0)), Some(value(0, 500)));
        cache.flush().unwrap();
        let [used, unused] = segments();
        // Once: what was added again is not old.
        assert_eq!((used > unused, unused), (round >= 6, 0), "{round}");
    }
    let before = size(root.path());
    let cache = Cache::open(root.path(), limit).unwrap();
    assert_eq!(cache.get(EntryKind::FileFacts, &key(0)), Some(value(0, 500)));
    cache.flush().unwrap();
    assert_eq!(size(root.path()), before);
}

#[test]
fn files_of_their_own_are_removed_by_age_too() {
    let root = scratch();
    let now = SystemTime::now();
    let mut paths = Vec::new();
    for number in 0..10 {
        let path = open(root.path()).put_file(key(number), write_header(&value(number, 10_000))).unwrap();
        // 3 was used last before those that the run below uses.
        set_time(&path, now - HOUR * if number == 3 { 2 } else { 100 - u32::try_from(number).unwrap() });
        paths.push(path);
    }
    let cache = Cache::open(root.path(), 60_000).unwrap();
    // The oldest, and it is used now.
    assert!(cache.file(&key(0)).is_some());
    cache.put(EntryKind::Tree, key(50), value(50, 10_000));
    cache.flush().unwrap();
    let left: Vec<usize> = (0..10).filter(|number| paths[*number].exists()).collect();
    assert_eq!(left, [0, 3, 8, 9]);
    assert_eq!(there(root.path(), EntryKind::Tree, [50], 10_000), [50]);
}

#[test]
fn what_this_run_uses_stays_even_if_it_is_too_much() {
    let root = scratch();
    let cache = Cache::open(root.path(), 10_000).unwrap();
    for number in 0..50 {
        cache.put(EntryKind::FileFacts, key(number), value(number, 1000));
        cache.put_file(key(number), write_header(&value(number, 1000))).unwrap();
        if number % 10 == 0 {
            cache.flush().unwrap();
        }
    }
    cache.flush().unwrap();
    assert_eq!(there(root.path(), EntryKind::FileFacts, 0..50, 1000).len(), 50);
    assert!((0..50).all(|number| cache.file(&key(number)).is_some()));
    // Another run has no use for it.
    keep(root.path(), 10_000, EntryKind::FileFacts, [100], 1000);
    assert_eq!(there(root.path(), EntryKind::FileFacts, [100], 1000), [100]);
    keep(root.path(), 10_000, EntryKind::FileFacts, [101], 1000);
    assert!(size(root.path()) <= 10_000, "{}", size(root.path()));
}

#[test]
fn each_run_has_its_own_limit() {
    let root = scratch();
    for round in 0..10 {
        keep(root.path(), 1_000_000, EntryKind::FileFacts, round * 100..round * 100 + 100, 1000);
    }
    let full = size(root.path());
    assert!(full > 800_000 && full <= 1_000_000, "{full}");
    keep(root.path(), 200_000, EntryKind::FileFacts, [5000], 1000);
    assert!(size(root.path()) <= 200_000);
    assert_eq!(there(root.path(), EntryKind::FileFacts, [5000], 1000), [5000]);
    keep(root.path(), 1_000_000, EntryKind::FileFacts, 6000..6100, 1000);
    assert_eq!(there(root.path(), EntryKind::FileFacts, 6000..6100, 1000).len(), 100);
}

#[test]
fn a_clock_that_was_put_back_does_no_harm() {
    let root = specimen();
    let future = SystemTime::now() + 1000 * HOUR;
    files(root.path()).iter().for_each(|file| set_time(file, future));
    assert_eq!(count(root.path()), 23);
    // In the future is as old as can be: these go before what is new.
    files(root.path()).iter().for_each(|file| set_time(file, future));
    for number in 100..120 {
        keep(root.path(), 15_000, EntryKind::FileFacts, [number], 2000);
    }
    assert!(size(root.path()) <= 15_000);
    assert_eq!(there(root.path(), EntryKind::Tree, 0..2, LENGTHS), [] as [usize; 0]);
    assert_eq!(there(root.path(), EntryKind::FileFacts, 118..120, 2000), [118, 119]);
}

#[test]
fn what_killed_runs_left_is_removed() {
    let root = scratch();
    keep(root.path(), LARGE, EntryKind::Change, [1], 10);
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let dead = child.id();
    child.wait().unwrap();
    let store = root.path().join("v1");
    let left = store.join(format!(".cowrap-{dead}-1f-abcdef"));
    let alive = store.join(".cowrap-1-1f-abcdef");
    for directory in [&left, &alive] {
        std::fs::create_dir(directory).unwrap();
        std::fs::write(directory.join("header.pch"), "x").unwrap();
    }
    keep(root.path(), LARGE, EntryKind::Change, [2], 10);
    assert!(left.exists(), "it is too young to be sure");
    for directory in [&left, &alive] {
        set_time(directory, SystemTime::now() - 2 * HOUR);
    }
    keep(root.path(), LARGE, EntryKind::Change, [3], 10);
    assert!(!left.exists() && alive.exists());
}

#[test]
fn what_is_in_a_cache_is_told() {
    let root = specimen();
    let told = info(root.path()).unwrap();
    let length = LENGTHS as u64;
    let tree = length + 16 + RECORD as u64;
    let expected = [
        ("changes of whole-tree results", 5, 5 * length),
        ("facts of files", 5, 5 * length),
        ("whole-tree results", 2, 2 * tree),
        ("precompiled header checks", 5, 5 * length),
        ("reports", 5, 5 * length),
        ("precompiled headers", 1, length),
    ];
    assert_eq!(told.kinds, expected);
    assert_eq!(told.size, files(root.path()).iter().map(|file| file.metadata().unwrap().len()).sum::<u64>());
    assert_eq!(info(&root.path().join("none")).unwrap().size, 0);
}
