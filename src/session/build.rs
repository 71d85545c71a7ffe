//! Gives the program a name for its own sources: what one build wrote to the cache is not read by another.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// What decides the results of a run, from this crate's directory. The command line is not among it: editing it need not build
/// this crate again.
const SOURCES: &[&str] = &[
    "../analysis",
    "../base",
    "../csyntax",
    "../facts",
    "../fix",
    "../frontend",
    "../packs",
    "../report",
    "../session",
    "../wrapgen",
    "../../rules",
    "../../Cargo.lock",
];

fn main() {
    let mut texts = BTreeMap::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        read(Path::new(source), &mut texts);
    }
    let mut hasher = DefaultHasher::new();
    texts.hash(&mut hasher);
    println!("cargo::rustc-env=COWRAP_BUILD={:016x}", hasher.finish());
}

fn read(path: &Path, texts: &mut BTreeMap<PathBuf, Vec<u8>>) {
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().for_each(|entry| read(&entry.path(), texts)),
        Err(_) => {
            texts.insert(path.to_path_buf(), std::fs::read(path).unwrap_or_default());
        }
    }
}
