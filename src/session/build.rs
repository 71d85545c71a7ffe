//! Makes a digest of the sources of the crates: a build does not read what another build cached.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// The sources that decide the results of a run, relative to this crate. The command line does not:
/// a change of it need not rebuild this crate.
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
