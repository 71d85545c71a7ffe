//! An index: a tree as it was read, and the file that it can be kept in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::{Lock, Pack, Pair};
use crate::facts::SCHEMA;
use crate::program::Program;
use crate::source::{Tree, write_whole};

use super::{Details, Problem};

/// What a saved index begins with; the number behind it is the version of what follows.
const MAGIC: &[u8] = b"cowrap index ";

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

/// The words of a pack that decide what is read: the names of marks, in their order, of predicates, of what takes locks, of
/// regions, and of pairs.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Words {
    marks: Vec<String>,
    predicates: Vec<String>,
    locks: Vec<Lock>,
    regions: Vec<String>,
    pairs: Vec<Pair>,
}

/// The words of a pack.
pub(super) fn words(pack: &Pack) -> Words {
    Words {
        marks: pack.marks.iter().map(|mark| mark.name.clone()).collect(),
        predicates: pack.predicates.clone(),
        locks: pack.locks.clone(),
        regions: pack.regions.clone(),
        pairs: pack.pairs.clone(),
    }
}

/// What is in the file.
#[derive(Serialize, Deserialize)]
struct Saved<P> {
    words: Words,
    root: PathBuf,
    build: Option<PathBuf>,
    details: Details,
    problems: Vec<Problem>,
    coverage: Coverage,
    program: P,
}

/// The first line of the file.
fn header() -> Vec<u8> {
    [MAGIC, format!("{SCHEMA} {}\n", env!("CARGO_PKG_VERSION")).as_bytes()].concat()
}

/// Keeps an index in a file, whole or not at all.
pub fn save(index: Index, path: &Path) -> Result<(), IndexError> {
    let failed = |source| IndexError::Write { path: path.display().to_string(), source };
    let saved = Saved {
        words: words(&index.pack),
        root: index.tree.root,
        build: index.tree.build,
        details: index.details,
        problems: index.problems,
        coverage: index.coverage,
        program: &index.program,
    };
    let body = postcard::to_stdvec(&saved).map_err(|error| failed(std::io::Error::other(error)))?;
    let sum = crc32fast::hash(&body).to_le_bytes().to_vec();
    write_whole(path, &[header(), body, sum].concat()).map_err(failed)?;
    Ok(())
}

/// Reads an index that was saved, for use with `pack`.
pub(super) fn load(path: &Path, pack: Pack) -> Result<Index, IndexError> {
    let bytes = std::fs::read(path).map_err(|source| IndexError::Read { path: path.display().to_string(), source })?;
    let unusable = |problem: &str| IndexError::Unusable { path: path.display().to_string(), problem: problem.into() };
    if !bytes.starts_with(MAGIC) {
        return Err(unusable("is no index"));
    }
    let Some(body) = bytes.strip_prefix(header().as_slice()) else {
        return Err(unusable("was made by another version of cowrap"));
    };
    let (body, sum) = body.split_last_chunk().ok_or_else(|| unusable("is damaged"))?;
    if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
        return Err(unusable("is damaged"));
    }
    let saved: Saved<Program> = postcard::from_bytes(body).map_err(|_| unusable("is damaged"))?;
    if saved.words != words(&pack) {
        return Err(unusable(&format!("was made with another pack than `{}`", pack.name)));
    }
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
