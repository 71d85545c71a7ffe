//! Each file is scanned once.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::memo::Memo;
use super::{Names, Scan, scan};

/// What the texts of files say, each read when it is first asked for, and never again.
#[derive(Debug, Default)]
pub struct Scans {
    names: Names,
    texts: HashMap<PathBuf, Arc<Vec<u8>>>,
    /// By paths as texts: these are quicker to compare.
    known: Memo<OsString, Option<Arc<Scan>>>,
}

impl Scans {
    /// Scans of files. Texts that are not to be taken from the disk are given by their paths.
    pub fn new(texts: HashMap<PathBuf, Arc<Vec<u8>>>) -> Scans {
        Scans { texts, ..Scans::default() }
    }

    /// What a file's text says; `None` for what cannot be read or is no file. Files are told apart
    /// by their paths as they are given.
    pub fn get(&self, path: &Path) -> Option<Arc<Scan>> {
        self.known.get(path.as_os_str(), || match self.texts.get(path) {
            Some(text) => Some(Arc::new(scan(text, &self.names))),
            None => {
                // What is no file, such as a pipe, could have no end.
                let is_file = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
                let text = is_file.then(|| std::fs::read(path)).and_then(Result::ok)?;
                Some(Arc::new(scan(&text, &self.names)))
            }
        })
    }

    /// The names in all these scans.
    pub fn names(&self) -> &Names {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_once() {
        let scratch = tempfile::tempdir().unwrap();
        let (disk, memory) = (scratch.path().join("a.h"), scratch.path().join("b.h"));
        std::fs::write(&disk, "x").unwrap();
        let scans = Scans::new(HashMap::from([(memory.clone(), Arc::new(b"y".to_vec()))]));
        let first = scans.get(&disk).unwrap();
        std::fs::write(&disk, "z").unwrap();
        assert!(Arc::ptr_eq(&first, &scans.get(&disk).unwrap()));
        assert_eq!(first.words, [(scans.names().intern(b"x"), 1)]);
        assert_eq!(scans.get(&memory).unwrap().words, [(scans.names().intern(b"y"), 1)]);
        assert_eq!(scans.get(scratch.path()), None);
        assert_eq!(scans.get(&scratch.path().join("none.h")), None);
    }
}
