//! What cowrap stores, and somebody else may have changed: facts, programs, the cache; and what meson stored.
//!
//! Checksums and digests only show accidents, so these checks make new ones.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cowrap_analysis::program::{PackCounts, Program};
use cowrap_base::cache::{Cache, EntryKind, PathState, SavedStatCache, StatCache};
use cowrap_base::files::{Digest, Tree};
use cowrap_facts::{ReadingId, SharedFileFacts, UnitFacts};
use cowrap_session::build_jobs;

use crate::program::{self, QEMU};
use crate::two_parts;

/// The stored form of facts that have something of everything.
static FACTS: LazyLock<Vec<u8>> =
    LazyLock::new(|| postcard::to_stdvec(&program::facts(&QEMU)).expect("plain data can be stored"));

/// The stored form of their program.
static PROGRAM: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let program = program::link([&SharedFileFacts::new(program::facts(&QEMU))]);
    assert!(program.is_consistent(packs()));
    postcard::to_stdvec(&program).expect("plain data can be stored")
});

/// Facts are refused, or can be linked and checked, alone and with others.
pub fn facts(bytes: &[u8]) {
    let bytes = changed(&FACTS, bytes);
    if let Ok(unit) = postcard::from_bytes::<UnitFacts>(&bytes) {
        let again = postcard::to_stdvec(&unit).expect("plain data can be stored");
        assert_eq!(postcard::from_bytes::<UnitFacts>(&again).as_ref(), Ok(&unit));
    }
    let Some(facts) = SharedFileFacts::from_bytes(Digest::of(&bytes), &bytes) else { return };
    // Bytes that nobody else writes can have other ones as their canonical form.
    let canonical = facts.to_bytes();
    let again = SharedFileFacts::from_bytes(Digest::of(&canonical), &canonical).expect("it was written by cowrap");
    assert_eq!(again.facts(), facts.facts());
    let others = SharedFileFacts::new(program::facts(&QEMU));
    assert!(others.facts().are_consistent());
    for units in [vec![&facts], vec![&others, &facts, &facts]] {
        let program = program::link(units);
        // The facts may number marks that no pack has.
        if program.is_consistent(packs()) {
            use_program(&program);
        }
    }
}

/// A program is refused, or can be checked.
pub fn program(bytes: &[u8]) {
    let bytes = changed(&PROGRAM, bytes);
    let Ok(mut program) = postcard::from_bytes::<Program>(&bytes) else { return };
    if program.is_consistent(packs()) {
        program.connect();
        use_program(&program);
    }
}

/// How much QEMU's pack numbers.
fn packs() -> PackCounts {
    PackCounts { marks: QEMU.marks.len(), locks: QEMU.locks.len(), slots: QEMU.slots.len() }
}

/// Asks everything of a program.
fn use_program(program: &Program) {
    for reading in 0..3 {
        let read = program.read_as(ReadingId(reading));
        program::check(&read, &QEMU);
        program::ask(&read, &QEMU);
    }
}

/// The number of values in a cache.
const VALUES: usize = 6;

/// The limit of a cache: larger than all values.
const LIMIT: u64 = 1 << 20;

/// The files of a cache with some values, by their paths in it.
static CACHE: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
    let scratch = scratch();
    let directory = scratch.path().join("cache");
    let cache = Cache::open(&directory, LIMIT).expect("a new cache");
    for (kind, key, value) in values() {
        cache.put(kind, key, value);
    }
    cache.flush().expect("it can be written");
    drop(cache);
    let mut files = Vec::new();
    let mut open = vec![directory.clone()];
    while let Some(current) = open.pop() {
        for entry in std::fs::read_dir(current).expect("a directory") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    let text = std::fs::read(&path).expect("a file");
                    files.push((path.strip_prefix(&directory).expect("it is below").to_path_buf(), text));
                }
            }
        }
    }
    files.sort();
    files
});

fn values() -> impl Iterator<Item = (EntryKind, Digest, Vec<u8>)> {
    (0..VALUES).map(|number| {
        let key = Digest::of(&number.to_le_bytes());
        let value = key.bytes().iter().copied().cycle().take(number * 30).collect();
        (EntryKind::ALL[number % EntryKind::ALL.len()], key, value)
    })
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a scratch directory")
}

/// Whatever happens to the files of a cache, a value is the one that was stored, or missing. What is stored then is
/// there, if the cache can be opened.
///
/// The input has changes for each file, separated by cuts.
pub fn cache(bytes: &[u8]) {
    thread_local! {
        static SCRATCH: tempfile::TempDir = scratch();
    }
    SCRATCH.with(|scratch| {
        let directory = scratch.path().join("cache");
        let _ = std::fs::remove_dir_all(&directory);
        let mut rest = bytes;
        for (path, text) in &*CACHE {
            let path = directory.join(path);
            std::fs::create_dir_all(path.parent().expect("it is in the cache")).expect("a directory");
            let (changes, others) = two_parts(rest);
            rest = others;
            if changes != b"gone" {
                std::fs::write(path, changed(text, changes)).expect("a file");
            }
        }
        let Ok(cache) = Cache::open(&directory, LIMIT) else { return };
        for (kind, key, value) in values() {
            if let Some(found) = cache.get(kind, &key) {
                assert_eq!(found, value, "{kind:?}");
            }
        }
        let (kind, key, value) = (EntryKind::Change, Digest::of(b"new"), b"a new value".to_vec());
        cache.put(kind, key, value.clone());
        assert_eq!(cache.get(kind, &key), Some(value.clone()));
        if cache.flush().is_ok() {
            let again = Cache::open(&directory, LIMIT).expect("it was open");
            assert_eq!(again.get(kind, &key), Some(value));
        }
    });
}

/// A stat cache is refused, or says of each path what is there.
pub fn stat_cache(bytes: &[u8]) {
    thread_local! {
        static SCRATCH: tempfile::TempDir = scratch();
    }
    SCRATCH.with(|scratch| {
        let file = scratch.path().join("a.c");
        if !file.exists() {
            std::fs::write(&file, "int x;\n").expect("a file");
        }
        let known = StatCache::default();
        let state = known.state(&file).expect("it is there");
        assert_eq!(state, PathState::File(Digest::of(b"int x;\n")));
        let base = postcard::to_stdvec(&known.save()).expect("plain data can be stored");
        // Whoever knows a file's inode and times can lie about it.
        let changed = changed(&base, bytes);
        let Ok(saved) = postcard::from_bytes::<SavedStatCache>(&changed) else { return };
        let restored = StatCache::restore(saved.clone(), SavedStatCache::default());
        let (absent, directory) = (scratch.path().join("none"), scratch.path().to_path_buf());
        assert!(restored.absent(&absent) && !restored.absent(&file));
        assert_eq!(restored.state(&absent), Some(PathState::Absent));
        assert!(restored.state(&file).is_some() && restored.state(&directory).is_some());
        let again = StatCache::restore(restored.save(), restored.save_news()).save();
        assert_eq!(again, restored.save());
    });
}

/// What meson says of a build is refused with the file's name, or becomes jobs with inputs and outputs.
///
/// The input has the targets and, behind a cut, what else meson says.
pub fn meson(bytes: &[u8]) {
    thread_local! {
        static SCRATCH: tempfile::TempDir = scratch();
    }
    SCRATCH.with(|scratch| {
        let (targets, info) = two_parts(bytes);
        let directory = scratch.path().join("meson-info");
        std::fs::create_dir_all(&directory).expect("a directory");
        std::fs::write(directory.join("intro-targets.json"), targets).expect("a file");
        std::fs::write(directory.join("meson-info.json"), info).expect("a file");
        match build_jobs(scratch.path(), &[]) {
            Ok(jobs) => {
                assert_eq!(jobs.jobs.len(), jobs.commands.len());
                assert!(jobs.jobs.iter().all(|job| job.output.is_some() && !job.inputs.is_empty()));
            }
            Err(error) => assert!(error.to_string().contains("intro-targets.json"), "{error}"),
        }
        of_meson(scratch.path());
    });
}

fn of_meson(build: &Path) {
    if let Ok(Some(tree)) = Tree::of_meson(build) {
        assert!(tree.root.is_absolute());
    }
}

/// Some bytes with changes: each has a kind, a position, a length, and the bytes that it needs. With `raw` at the
/// beginning, the rest takes the place of all bytes.
fn changed(base: &[u8], changes: &[u8]) -> Vec<u8> {
    if let Some(raw) = changes.strip_prefix(b"raw") {
        return raw.to_vec();
    }
    let mut rest = changes;
    let mut bytes = base.to_vec();
    while let [kind, low, high, length, more @ ..] = rest {
        rest = more;
        let at = usize::from(u16::from_le_bytes([*low, *high])) % (bytes.len() + 1);
        let end = (at + usize::from(*length)).min(bytes.len());
        let new = &rest[..rest.len().min(usize::from(*length))];
        match kind % 5 {
            0 => {
                bytes.splice(at..(at + new.len()).min(bytes.len()), new.iter().copied());
                rest = &rest[new.len()..];
            }
            1 => {
                bytes.splice(at..at, new.iter().copied());
                rest = &rest[new.len()..];
            }
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            // A number becomes a large one.
            _ => {
                bytes.splice(at..(at + 1).min(bytes.len()), [0xff, 0xff, 0x03]);
            }
        }
    }
    bytes
}
