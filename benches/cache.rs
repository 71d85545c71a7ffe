//! How long the cache takes: what a run over a tree as large as QEMU asks of it.
//!
//!     cargo bench --bench cache
//!
//! * `COWRAP_BENCH_PLACE`: a directory for the files; that of temporary files by default.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use cowrap_base::cache::{Cache, EntryKind, SavedStatCache, StatCache};
use cowrap_base::files::Digest;
use rayon::prelude::*;

const PIECES: usize = 6000;
const UNITS: usize = 2544;
const FILES: usize = 15_000;
const ROUNDS: usize = 11;

fn main() {
    // `cargo test --benches` passes arguments of its own, and `cargo bench` passes `--bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("skipped: run it with cargo bench");
        return;
    }
    let place = std::env::var_os("COWRAP_BENCH_PLACE").map_or_else(std::env::temp_dir, PathBuf::from);
    let scratch = tempfile::tempdir_in(place).expect("a directory");
    values(&scratch.path().join("cache"));
    files(scratch.path());
}

fn key(number: usize) -> Digest {
    Digest::of(&number.to_le_bytes())
}

/// Bytes of a length from 0.1 to 10 KB, 5 KB in the middle; what they are does not matter.
fn value(number: usize) -> Vec<u8> {
    key(number).bytes().iter().copied().cycle().take(100 + number * 7919 % 9900).collect()
}

fn values(directory: &Path) {
    let open = || Cache::open(directory, 1 << 30).expect("it is its own");
    let cache = open();
    for number in 0..PIECES {
        cache.put(EntryKind::FileFacts, key(number), value(number));
    }
    for number in 0..UNITS {
        cache.put(EntryKind::Change, key(number), value(number % 300));
    }
    time_once("write all", || cache.flush().expect("written"));
    let all = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let median = time(|| {
            let cache = open();
            let pieces = || (0..PIECES).into_par_iter().map(|number| cache.get(EntryKind::FileFacts, &key(number)));
            let bytes: usize = pool.install(|| pieces().map(|piece| piece.expect("it is there").len()).sum());
            bytes
        });
        println!("read {PIECES} pieces, {threads} threads: {median:?}");
    };
    [1, 2].into_iter().for_each(all);
    let median = time(|| {
        let cache = open();
        (0..UNITS).map(|number| cache.get(EntryKind::Change, &key(number)).expect("it is there").len()).sum()
    });
    println!("read {UNITS} units: {median:?}");
    let mut next = PIECES;
    let median = time(|| {
        let cache = open();
        cache.put(EntryKind::Change, key(7), value(next));
        cache.put(EntryKind::FileFacts, key(next), value(next));
        next += 1;
        cache.flush().expect("written");
        next
    });
    println!("change one unit and one piece: {median:?}");
    // A cache that is full, of what is not asked for.
    let mut number = 1 << 20;
    while cowrap_base::cache::info(directory).expect("readable").size < 900 << 20 {
        let cache = open();
        for _ in 0..5000 {
            cache.put(EntryKind::FileFacts, key(number), value(number));
            number += 1;
        }
        cache.flush().expect("written");
    }
    println!("in a cache of {} entries:", number - (1 << 20));
    [1, 2].into_iter().for_each(all);
}

fn files(root: &Path) {
    let stamps = StatCache::default();
    let paths: Vec<PathBuf> =
        (0..FILES).map(|number| root.join(format!("tree/d{}/{number}.h", number % 300))).collect();
    let old = SystemTime::now() - Duration::from_secs(1000);
    for path in &paths {
        std::fs::create_dir_all(path.parent().expect("below the root")).expect("a directory");
        std::fs::write(path, path.as_os_str().as_encoded_bytes().repeat(50)).expect("written");
        std::fs::File::open(path).and_then(|file| file.set_modified(old)).expect("its time is set");
    }
    // So that none is read again for having been written just now.
    std::thread::sleep(Duration::from_secs(4));
    assert!(paths.par_iter().all(|path| stamps.state(path).is_some()));
    let saved = stamps.save();
    let restore = || StatCache::restore(saved.clone(), SavedStatCache::default());
    let look = || {
        let stamps = restore();
        paths.par_iter().with_min_len(64).filter(|path| stamps.state(path).is_some()).count()
    };
    println!("restore, and look at {FILES} files: {:?}", time(look));
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    println!("restore, and look at {FILES} files, 1 thread: {:?}", time(|| one.install(look)));
    let plain = time(|| paths.iter().filter(|path| std::fs::metadata(path).is_ok()).count());
    println!("nothing but stat, 1 thread: {plain:?}");
    let bytes = serde_json::to_vec(&saved).expect("it can be written");
    println!(
        "save: {:?}, {} bytes of JSON",
        time(|| {
            let _ = stamps.save();
            1
        }),
        bytes.len()
    );
    println!(
        "restore: {:?}",
        time(|| {
            let _ = restore();
            1
        })
    );
}

/// The median time of what is done in several rounds. Its result is only there so that nothing is left out.
fn time(mut what: impl FnMut() -> usize) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            assert!(std::hint::black_box(what()) > 0);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

fn time_once(name: &str, what: impl FnOnce()) {
    let start = Instant::now();
    what();
    println!("{name}: {:?}", start.elapsed());
}
