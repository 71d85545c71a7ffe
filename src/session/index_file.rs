//! Indexes: the program of a tree, and the file that it can be saved in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use cowrap_analysis::program::{PackCounts, Program};
use cowrap_base::files::{LONGEST_DATA, Place, Shown, Tree, read_regular};
use cowrap_facts::ReadingId;
use cowrap_packs::PackSet;
use cowrap_report::{Details, Problem};

use crate::file_format::{FileFormat, ReadWith, damaged};
use crate::outputs::refuse_program;

const FORMAT: FileFormat = FileFormat { magic: b"cowrap index ", name: "an index" };

/// The program of a tree, with what a report needs to know about the tree.
#[derive(Debug)]
pub struct Index {
    /// The program.
    pub program: Program,
    /// The packs.
    pub packs: PackSet,
    /// How each pack reads bodies.
    pub readings: Vec<ReadingId>,
    /// All packs that the program was read with; `packs` may be some of them.
    pub(crate) read_with: ReadWith,
    /// The directories of the tree.
    pub tree: Tree,
    /// Details for `--verbose`.
    pub details: Details,
    /// The units that could not be read.
    pub problems: Vec<Problem>,
    /// How much of the tree was read.
    pub coverage: Coverage,
}

/// How much of a tree was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The number of units, read or not.
    pub units: usize,
    /// The number of entries of the database in other languages, by language.
    pub other_languages: BTreeMap<String, usize>,
    /// Whether these are all units of the tree.
    pub is_whole: bool,
}

/// Why a saved index cannot be used.
#[derive(Debug, Error)]
pub enum IndexError {
    /// It cannot be read.
    #[error("cannot read the index {path}: {source}")]
    Read {
        /// Its file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// It cannot be written.
    #[error("cannot write the index {path}: {source}")]
    Write {
        /// Its file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The file is not an index, is damaged, or was written by another version or without a
    /// pack.
    #[error("{path} {problem}; write it again with `cowrap index`")]
    Unusable {
        /// Its file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// The content of the file.
#[derive(Serialize, Deserialize)]
struct IndexContent<P> {
    read_with: ReadWith,
    root: PathBuf,
    build: Option<PathBuf>,
    details: Details,
    problems: Vec<Problem>,
    coverage: Coverage,
    program: P,
}

/// Writes an index to a file, whole or not at all.
///
/// # Errors
///
/// The file cannot be written, or the index was made from it.
pub fn save(index: Index, place: &Place) -> Result<(), IndexError> {
    let failed = |source| IndexError::Write { path: place.path().shown().to_string(), source };
    let files: Vec<PathBuf> = index.program.files.iter().cloned().collect();
    refuse_program(place, &index.tree, &files).map_err(failed)?;
    let content = IndexContent {
        read_with: index.read_with,
        root: index.tree.root,
        build: index.tree.build,
        details: index.details,
        problems: index.problems,
        coverage: index.coverage,
        program: &index.program,
    };
    let bytes = postcard::to_stdvec(&content).map_err(|error| failed(std::io::Error::other(error)))?;
    place.write(&FORMAT.encode(bytes)).map_err(failed)?;
    Ok(())
}

/// How much the packs number; all of them have the same numbers.
pub(crate) fn counts_of(packs: &PackSet) -> PackCounts {
    let pack = packs.first();
    PackCounts { marks: pack.marks.len(), locks: pack.locks.len(), slots: pack.slots.len() }
}

/// Reads a saved index, for use with packs.
pub(super) fn load(path: &Path, packs: PackSet) -> Result<Index, IndexError> {
    let bytes = read_regular(path, LONGEST_DATA)
        .map_err(|source| IndexError::Read { path: path.shown().to_string(), source })?;
    let unusable = |problem| IndexError::Unusable { path: path.shown().to_string(), problem };
    let content = FORMAT.decode(&bytes).map_err(unusable)?;
    let saved: IndexContent<Program> = postcard::from_bytes(content).map_err(|_| unusable(damaged()))?;
    let (packs, readings) = saved.read_with.select(packs).map_err(unusable)?;
    let mut program = saved.program;
    if !program.is_consistent(counts_of(&packs)) {
        return Err(unusable(damaged()));
    }
    program.connect();
    Ok(Index {
        program,
        packs,
        readings,
        read_with: saved.read_with,
        tree: Tree { root: saved.root, build: saved.build },
        details: saved.details,
        problems: saved.problems,
        coverage: saved.coverage,
    })
}
