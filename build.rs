//! Gives the program a name for its own sources: what one build found out is not believed by another.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

fn main() {
    let mut texts = BTreeMap::new();
    for place in ["src", "rules", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={place}");
        read(Path::new(place), &mut texts);
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
