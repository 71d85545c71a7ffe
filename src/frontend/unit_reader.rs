//! One translation unit into its facts: parsing, then extraction. A crash or a panic costs this
//! unit alone.
//!
//! It must never know other units, precompiled headers or threads.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::clang::{Purpose, UnsavedFile};
use crate::compdb::Unit;
use crate::extract::{Paths, Vocabulary, extract};
use crate::parse::{Failure, Input, Parser};
use cowrap_base::files::{Identities, LONGEST_TEXT, Tree, read_source};
use cowrap_facts::UnitFacts;

/// The result of reading one unit.
#[derive(Debug)]
pub enum UnitOutcome {
    /// Its facts, which also say whether it parsed without errors.
    Read(Box<UnitFacts>),
    /// Why there are none.
    Failed(Failure),
}

/// Reads the units of one tree.
#[derive(Debug)]
pub(crate) struct UnitReader {
    /// Parses.
    pub parser: Parser,
    /// The words that extraction looks for.
    pub vocabulary: Vocabulary,
    /// The paths of the tree.
    pub paths: TreePaths,
}

impl UnitReader {
    /// Reads a unit, without sharing any work with other units.
    pub fn read(&self, unit: &Unit) -> UnitOutcome {
        guarded(|| {
            let input = Input { purpose: Purpose::Walk, pch: None, source: None, more: &[] };
            self.parser.parse(unit, input, |parsed, unknown_arguments| {
                let mut facts = extract(parsed, &unit.directory, &self.paths, &self.vocabulary, None).facts;
                facts.parse_status.unknown_arguments = unknown_arguments;
                facts
            })
        })
    }
}

/// The paths of the tree, as extraction asks for them.
#[derive(Debug)]
pub(crate) struct TreePaths {
    /// The tree.
    pub tree: Tree,
    /// The identities of its files.
    pub identities: Identities,
    /// Texts of files that were asked for, and those in memory, by their absolute paths.
    texts: Mutex<HashMap<PathBuf, Arc<[u8]>>>,
}

impl TreePaths {
    /// The paths of a tree; `texts` replace files on disk.
    pub fn new(tree: Tree, texts: &[UnsavedFile]) -> TreePaths {
        let mut paths = TreePaths { tree, identities: Identities::default(), texts: Mutex::default() };
        paths.set_texts(texts);
        paths
    }

    /// Replaces the texts in memory, and forgets those of files on disk.
    pub fn set_texts(&mut self, texts: &[UnsavedFile]) {
        let texts = texts.iter().map(|text| (text.path(), Arc::from(text.contents()))).collect();
        self.texts = Mutex::new(texts);
    }
}

impl Paths for TreePaths {
    fn text(&self, file: &Path) -> Arc<[u8]> {
        let path = self.tree.absolute(file);
        let Ok(mut texts) = self.texts.lock() else { return Arc::default() };
        let text = || Arc::from(read_source(&path, LONGEST_TEXT).unwrap_or_default());
        Arc::clone(texts.entry(path.clone()).or_insert_with(text))
    }

    fn identify(&self, directory: &Path, path: &Path) -> PathBuf {
        self.tree.portable(&self.identities.identify(directory, path))
    }

    fn absolute(&self, file: &Path) -> PathBuf {
        self.tree.absolute(file)
    }

    fn is_own(&self, file: &Path) -> bool {
        self.tree.is_own(&self.tree.absolute(file))
    }
}

/// Runs something that may fail or panic.
fn guarded(read: impl FnOnce() -> Result<UnitFacts, Failure>) -> UnitOutcome {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(facts)) => UnitOutcome::Read(Box::new(facts)),
        Ok(Err(failure)) => UnitOutcome::Failed(failure),
        Err(panic) => {
            let message = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_else(|| "no message".to_owned());
            UnitOutcome::Failed(Failure::Panic(message))
        }
    }
}
