//! Each file is scanned once.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::memo::Memo;
use super::{Names, Scan, SkippedLines, scan, scan_active};
use cowrap_base::files::{Digest, LONGEST_TEXT, ReadRefusal, read_source, refusal};

/// What the texts of files say, each read when it is first asked for, and never again.
#[derive(Debug)]
pub struct Scans {
    names: Names,
    texts: HashMap<PathBuf, Arc<Vec<u8>>>,
    /// By paths as texts: these are quicker to compare.
    known: Memo<OsString, Option<Arc<Scan>>>,
    /// The same without lines that a compiler skipped, by the digest of the text.
    active: Memo<(Digest, Vec<SkippedLines>), Option<Arc<Scan>>>,
    /// The most that is read of one file, in bytes.
    most: u64,
    /// The files that exist and were not read.
    refused: Mutex<HashMap<PathBuf, ReadRefusal>>,
}

impl Default for Scans {
    fn default() -> Scans {
        Scans {
            names: Names::default(),
            texts: HashMap::new(),
            known: Memo::default(),
            active: Memo::default(),
            most: LONGEST_TEXT,
            refused: Mutex::default(),
        }
    }
}

impl Scans {
    /// Scans of files. Texts that are not to be taken from the disk are given by their paths.
    pub fn new(texts: HashMap<PathBuf, Arc<Vec<u8>>>) -> Scans {
        Scans { texts, ..Scans::default() }
    }

    /// The same scans, with another limit on the length of a file, in bytes.
    pub fn with_limit(self, most: u64) -> Scans {
        Scans { most, ..self }
    }

    /// What a file's text says; `None` for what cannot be read or is no file. Files are told apart
    /// by their paths as they are given.
    pub fn get(&self, path: &Path) -> Option<Arc<Scan>> {
        self.known.get(path.as_os_str(), || match self.texts.get(path) {
            Some(text) => Some(Arc::new(scan(text, &self.names))),
            None => {
                let text = read_source(path, self.most).inspect_err(|error| {
                    if let Some(refusal) = refusal(error) {
                        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
                        refused.insert(path.to_path_buf(), refusal);
                    }
                });
                Some(Arc::new(scan(&text.ok()?, &self.names)))
            }
        })
    }

    /// The same as [`Scans::get`] without what a compiler skipped in the file. If the file is not as
    /// it was, nothing counts as skipped.
    pub fn get_active(&self, path: &Path, skipped: &[SkippedLines]) -> Option<Arc<Scan>> {
        let whole = self.get(path)?;
        if skipped.is_empty() {
            return Some(whole);
        }
        let active = self.active.get(&(whole.content, skipped.to_vec()), || {
            let read;
            let text = match self.texts.get(path) {
                Some(text) => text,
                None => {
                    read = read_source(path, self.most).ok()?;
                    &read
                }
            };
            let is_same = Digest::of(text) == whole.content;
            is_same.then(|| Arc::new(scan_active(text, &self.names, skipped)))
        });
        active.or(Some(whole))
    }

    /// Why a file was not read although it exists, if [`Scans::get`] was asked for it.
    pub fn refusal(&self, path: &Path) -> Option<ReadRefusal> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).get(path).copied()
    }

    /// Whether any file was not read although it exists.
    pub fn has_refusals(&self) -> bool {
        !self.refused.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
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
        assert!(scans.refusal(scratch.path()).is_some() && scans.refusal(&disk).is_none());
        assert_eq!(scans.get(&scratch.path().join("none.h")), None);
        assert_eq!(Scans::default().with_limit(0).get(&disk), None);
    }
}
