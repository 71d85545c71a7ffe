//! Trees that are read twice, with sharing and without, and what differs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use cowrap_base::cache::Cache;
use cowrap_base::files::{Digest, ON_DISK, Tree};
use cowrap_base::limits::Limits;
use cowrap_facts::UnitFacts;
use cowrap_frontend::compdb;
use cowrap_frontend::index::Indexer;
use cowrap_frontend::marks::make_visible;
use cowrap_frontend::pch::{Sharing, SharingStats};
use cowrap_frontend::unit_reader::UnitOutcome;
use cowrap_frontend::worker::{Isolation, StartingWorkers, Workers};
use cowrap_packs::{Pack, PackSet};
use cowrap_session::{mark_headers, vocabulary};

/// A tree that was read twice.
#[derive(Debug)]
pub struct Compared {
    /// What became of sharing.
    pub shared: SharingStats,
    /// The same with the precompiled headers of an earlier run.
    pub reused: SharingStats,
    /// Units whose facts differ, each with both.
    pub differing: Vec<(PathBuf, String)>,
    /// The facts of each unit, without sharing.
    pub plain: Vec<(PathBuf, UnitFacts)>,
}

/// Reads a tree with and without sharing, with the pack for QEMU. The tree has a `compile_commands.json`.
pub fn compare(root: &Path) -> Compared {
    static PACKS: OnceLock<PackSet> = OnceLock::new();
    compare_with(root, PACKS.get_or_init(|| PackSet::new(Pack::qemu().expect("it is compiled in"), Vec::new())))
}

/// Reads a tree with and without sharing.
pub fn compare_with(root: &Path, packs: &PackSet) -> Compared {
    let root = root.canonicalize().expect("the tree is there");
    let units = compdb::read(&root.join("compile_commands.json"), usize::MAX).expect("a database").units;
    let tree = Tree { root: root.clone(), build: Some(root.clone()) };
    let visible = make_visible(&root, &mark_headers(packs), &HashMap::new());
    let workers = Workers::start(&Isolation::InProcess, &Limits::default()).and_then(StartingWorkers::ready);
    let workers = workers.expect("libclang");
    let indexer = Indexer::new(workers, vocabulary(packs.packs()).0, visible.headers, tree, 2).expect("workers");
    let read = |shared: Option<&Sharing<'_>>| {
        let mut read = Vec::new();
        let sources = indexer.sources(&ON_DISK, SystemTime::now());
        indexer.run(&units, &sources, shared, None, |number, outcome| match outcome {
            UnitOutcome::Read(facts) => read.push((units[number].file.clone(), *facts)),
            UnitOutcome::Failed(failure) => panic!("{}: {failure}", units[number].file.display()),
        });
        read
    };
    let plain = read(None);
    let sharing = indexer
        .share(&units, &indexer.sources(&ON_DISK, SystemTime::now()), false)
        .expect("a place for precompiled headers");
    let compare = |shared: Vec<(PathBuf, UnitFacts)>| -> Vec<(PathBuf, String)> {
        let differing = plain.iter().zip(shared).filter(|((_, plain), (_, shared))| plain != shared);
        differing.map(|((file, plain), (_, shared))| (file.clone(), difference(plain, &shared))).collect()
    };
    let mut differing = compare(read(Some(&sharing)));
    // Once more with precompiled headers that are kept, and with those that were.
    let kept = tempfile::tempdir().expect("a scratch directory");
    let mut last = SharingStats::default();
    for _ in 0..2 {
        let cache = Cache::open(kept.path(), 1 << 30).expect("a cache");
        let again = indexer
            .share(&units, &indexer.sources(&ON_DISK, SystemTime::now()), false)
            .expect("a place for precompiled headers");
        let again = indexer.keep(again, &cache, Digest::of(b"all"));
        differing.extend(compare(read(Some(&again))));
        cache.flush().expect("it can be written");
        last = again.stats();
    }
    Compared { differing, shared: sharing.stats(), reused: last, plain }
}

/// A header that costs something: many words, none of which is compiled.
pub fn weight(number: u32) -> String {
    let words: Vec<String> = (0..10_000).map(|word| format!("w{number}_{word}")).collect();
    format!("#ifndef WEIGHT{number}_H\n#define WEIGHT{number}_H\n#if 0\n{}\n#endif\n#endif\n", words.join("\n"))
}

/// The first lines in which two units differ, as they are printed.
fn difference(plain: &UnitFacts, shared: &UnitFacts) -> String {
    let (plain, shared) = (format!("{plain:#?}"), format!("{shared:#?}"));
    let pairs = plain.lines().zip(shared.lines());
    let differing: Vec<String> = pairs
        .enumerate()
        .filter(|(_, (plain, shared))| plain != shared)
        .map(|(number, (plain, shared))| format!("  {number}: {} | {}", plain.trim(), shared.trim()))
        .take(5)
        .collect();
    format!("plain | shared\n{}", differing.join("\n"))
}
