//! An index: a tree as it was read, and the file that it can be kept in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use cowrap_analysis::program::Program;
use cowrap_base::files::{Tree, write_whole};
use cowrap_packs::Pack;

use cowrap_report::{Details, Problem};

use crate::file_format::{FileFormat, PackNames, damaged};

const FORMAT: FileFormat = FileFormat { magic: b"cowrap index ", name: "index" };

/// A tree as it was read.
#[derive(Debug)]
pub struct Index {
    /// The program.
    pub program: Program,
    /// The pack that it was read with.
    pub pack: Pack,
    /// Where the tree is.
    pub tree: Tree,
    /// What `--verbose` tells.
    pub details: Details,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// How much there was to read.
    pub coverage: Coverage,
}

/// How much there was to read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Units, read or not.
    pub units: usize,
    /// Entries of other languages, by language.
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
    /// It is none, or damaged, or of another version.
    #[error("{path} {problem}; make it again with `cowrap index`")]
    Unusable {
        /// Its file.
        path: String,
        /// What is the matter with it.
        problem: String,
    },
}

/// What is in the file.
#[derive(Serialize, Deserialize)]
struct Saved<P> {
    names: PackNames,
    root: PathBuf,
    build: Option<PathBuf>,
    details: Details,
    problems: Vec<Problem>,
    coverage: Coverage,
    program: P,
}

/// Keeps an index in a file, whole or not at all.
pub fn save(index: Index, path: &Path) -> Result<(), IndexError> {
    let failed = |source| IndexError::Write { path: path.display().to_string(), source };
    let saved = Saved {
        names: PackNames::of(&index.pack),
        root: index.tree.root,
        build: index.tree.build,
        details: index.details,
        problems: index.problems,
        coverage: index.coverage,
        program: &index.program,
    };
    let body = postcard::to_stdvec(&saved).map_err(|error| failed(std::io::Error::other(error)))?;
    write_whole(path, &FORMAT.encode(body)).map_err(failed)?;
    Ok(())
}

/// Reads an index that was saved, for use with `pack`.
pub(super) fn load(path: &Path, pack: Pack) -> Result<Index, IndexError> {
    let bytes = std::fs::read(path).map_err(|source| IndexError::Read { path: path.display().to_string(), source })?;
    let unusable = |problem| IndexError::Unusable { path: path.display().to_string(), problem };
    let body = FORMAT.decode(&bytes).map_err(unusable)?;
    let saved: Saved<Program> = postcard::from_bytes(body).map_err(|_| unusable(damaged()))?;
    saved.names.check(&pack).map_err(unusable)?;
    let mut program = saved.program;
    program.connect();
    Ok(Index {
        program,
        pack,
        tree: Tree { root: saved.root, build: saved.build },
        details: saved.details,
        problems: saved.problems,
        coverage: saved.coverage,
    })
}
