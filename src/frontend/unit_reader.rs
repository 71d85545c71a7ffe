//! One translation unit into its facts, without sharing any work with other units.
//!
//! It must never know other units, precompiled headers or threads.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::clang::{Purpose, UnsavedFile};
use crate::compdb::Unit;
use crate::compiler_input::{CompilerInput, c_string};
use crate::extract::Vocabulary;
use crate::failure::Failure;
use crate::tree_paths::TreePaths;
use crate::worker::{Parse, SharingInput, Workers};
use cowrap_facts::{SharedFileFacts, UnitFacts};

/// The result of reading one unit.
#[derive(Debug)]
pub enum UnitOutcome {
    /// Its facts, which also say whether it parsed without errors.
    Read(Box<UnitFacts>),
    /// Why there are none.
    Failed(Failure),
}

impl From<Result<UnitFacts, Failure>> for UnitOutcome {
    fn from(read: Result<UnitFacts, Failure>) -> UnitOutcome {
        match read {
            Ok(facts) => UnitOutcome::Read(Box::new(facts)),
            Err(failure) => UnitOutcome::Failed(failure),
        }
    }
}

/// The facts of a unit, completed with those of headers that were read before it.
pub(crate) fn with_headers(
    mut facts: UnitFacts,
    headers: impl IntoIterator<Item = SharedFileFacts>,
    files: impl IntoIterator<Item = PathBuf>,
) -> Option<UnitFacts> {
    let main = facts.files.first()?.clone();
    facts.file_facts.extend(headers);
    facts.files.extend(files);
    // As in a plain parse: the main file, and the others sorted.
    facts.files[1..].sort();
    facts.files.dedup();
    facts.file_facts.sort_by_key(|of_file| {
        let file = of_file.facts().files.first().cloned();
        (file.as_ref() != Some(&main), file)
    });
    Some(facts)
}

/// What is parsed with a unit's arguments, and for which purpose.
pub(crate) struct Input<'a> {
    /// What the result is used for.
    pub purpose: Purpose,
    /// A precompiled header to start from.
    pub pch: Option<&'a CStr>,
    /// A file in memory that replaces the unit's own file.
    pub source: Option<(CString, UnsavedFile)>,
    /// Additional arguments.
    pub more: &'a [&'a str],
    /// For a unit that takes part in sharing.
    pub sharing: Option<SharingInput>,
}

/// Reads the units of one tree.
#[derive(Debug)]
pub(crate) struct UnitReader {
    /// The processes that parse.
    pub workers: Workers,
    /// What units are parsed with.
    pub input: CompilerInput,
    /// The words that extraction looks for.
    pub vocabulary: Vocabulary,
    /// The paths of the tree.
    pub paths: TreePaths,
}

impl UnitReader {
    /// Reads a unit, without sharing any work with other units.
    pub fn read(&self, unit: &Unit) -> UnitOutcome {
        let input = || Input { purpose: Purpose::Walk, pch: None, source: None, more: &[], sharing: None };
        let read = self.workers.with(|conversation| Ok(conversation.parse(self.request(unit, input())?)?.0));
        read.into()
    }

    /// What a worker is asked to parse.
    pub fn request(&self, unit: &Unit, input: Input<'_>) -> Result<Parse, Failure> {
        let Input { purpose, pch, source, more, sharing } = input;
        let arguments = self.input.arguments_with(unit, pch, more)?;
        let (file, source) = match source {
            Some((file, source)) => (file, Some(source)),
            None => (c_string(unit.file.as_os_str().as_bytes())?, None),
        };
        Ok(Parse { file, directory: unit.directory.clone().into(), arguments, source, purpose, sharing })
    }
}
