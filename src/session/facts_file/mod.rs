//! Facts files: the facts of some units of a tree, on disk.
//!
//! Several processes, on one machine or on many, extract the facts of a part of a tree each.
//! [`link`] makes the same index of their files as one process would make. A unit is identified by
//! a digest of its entry in the database, so its facts remain valid when other units are added or
//! removed. The order of all units is in a list, which each shard has, and the file [`UNIT_LIST`]
//! of a ninja file.

mod extract;
mod link;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use cowrap_base::files::{Digest, Place, Shown};
use cowrap_facts::paths;
use cowrap_packs::PackError;
use cowrap_report::{MarkLocation, Problem};

use crate::Error as ReadError;
use crate::file_format::{FileFormat, ReadWith};
use crate::session::Session;

use extract::digest;
pub(crate) use extract::list_file;
pub use extract::{Extracted, Shard, UnitSelection, extract};
pub(crate) use link::files;
pub use link::{LinkRequest, link};

const FORMAT: FileFormat = FileFormat { magic: b"cowrap facts ", name: "a facts file" };

/// The extension of facts files.
const EXTENSION: &str = "facts";

/// The name of the file that lists all units, in a directory of facts files. It has no facts.
pub(crate) const UNIT_LIST: &str = "units.facts";

/// Why facts files cannot be written or linked.
#[derive(Debug, Error)]
pub enum FactsError {
    /// The tree could not be read.
    #[error(transparent)]
    Tree(#[from] ReadError),
    /// The pack cannot be used.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The database has no such unit.
    #[error(
        "the compilation database has no unit {digest}; write the ninja file again with `cowrap index --emit-ninja`"
    )]
    NoSuchUnit {
        /// Its digest.
        digest: Digest,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// A depfile or ninja file cannot contain a path.
    #[error("a {in_what} cannot contain the path {path:?}; use a path without line breaks and special characters")]
    Unnameable {
        /// The path.
        path: PathBuf,
        /// The kind of file that cannot name it.
        in_what: &'static str,
    },
    /// The file is not a facts file, is damaged, or was written by another version or with another
    /// pack.
    #[error("{path} {problem}; write it again with `cowrap index`")]
    Unusable {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Two files are not of the same tree.
    #[error("{path} and {other} cannot be linked: {problem}")]
    Mismatch {
        /// One file.
        path: String,
        /// The other one.
        other: String,
        /// What differs.
        problem: String,
    },
    /// A directory has no facts file.
    #[error("{path}: no facts file (*.facts) in this directory")]
    Empty {
        /// The directory.
        path: String,
    },
    /// No file lists the units.
    #[error("no file lists the units of the tree: add {UNIT_LIST}, which `--emit-ninja` writes")]
    NoList,
    /// Units are missing.
    #[error("facts of {missing} of {all} units are missing: {what}\n  add them, or use --allow-incomplete")]
    Missing {
        /// The number of missing units.
        missing: usize,
        /// The number of all units.
        all: usize,
        /// Their names, or those of their shards.
        what: String,
    },
}

/// The units of a tree, and what is known about the tree without reading them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnitList {
    /// Their files, in the order of the database.
    #[serde(with = "paths")]
    pub files: Vec<PathBuf>,
    /// Their digests, in the same order.
    pub units: Vec<Digest>,
    /// The entries of the database that are refused.
    refused: Vec<Problem>,
    other_languages: BTreeMap<String, usize>,
    /// Where each mark is defined.
    marks: Vec<MarkLocation>,
    /// Whether these are all units of the tree.
    is_whole: bool,
}

impl UnitList {
    /// The list of a tree.
    pub fn of(session: &Session<'_>) -> UnitList {
        let Session { inputs, tree, details, refused, .. } = session;
        UnitList {
            files: inputs.units.iter().map(|unit| tree.portable(&unit.file)).collect(),
            units: inputs.units.iter().map(|unit| digest(unit, tree)).collect(),
            refused: refused.clone(),
            other_languages: inputs.other_languages.clone(),
            marks: details.parsing.marks.clone(),
            is_whole: inputs.is_whole,
        }
    }
}

/// The content of a facts file.
#[derive(Serialize, Deserialize)]
struct FactsFile<'a> {
    read_with: ReadWith,
    /// The version of libclang, and the same with its path for messages.
    version: String,
    clang: String,
    root: PathBuf,
    build: Option<PathBuf>,
    shard: Option<Shard>,
    list: Option<UnitList>,
    /// The facts of each file once.
    #[serde(borrow)]
    file_facts: Vec<EncodedFileFacts<'a>>,
    units: Vec<EncodedUnit>,
}

/// The facts of one source file. Most are in many facts files, so they are decoded only when they
/// are new.
#[derive(Serialize, Deserialize)]
struct EncodedFileFacts<'a> {
    digest: Digest,
    #[serde(borrow)]
    facts: Cow<'a, [u8]>,
}

/// The facts of a unit, or why there are none.
#[derive(Serialize, Deserialize)]
struct EncodedUnit {
    digest: Digest,
    unknown_arguments: BTreeMap<String, usize>,
    /// The facts of its files, as positions in [`FactsFile::file_facts`].
    facts: Result<Vec<u32>, Problem>,
}

/// The name of a unit's own facts file.
pub(crate) fn file_name(unit: Digest) -> String {
    format!("{unit}.{EXTENSION}")
}

/// The unit whose facts file has this name; `None` if it is not the name of such a file.
pub(crate) fn named_unit(name: &OsStr) -> Option<&str> {
    let stem = name.to_str()?.strip_suffix(EXTENSION)?.strip_suffix('.')?;
    (stem.len() == 32 && stem.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(stem)
}

/// Writes a file, whole or not at all.
pub(crate) fn write(place: &Place, bytes: &[u8]) -> Result<(), FactsError> {
    place.write(bytes).map(|_| ()).map_err(|source| not_written(place.path(), source))
}

/// The error that a file cannot be written.
pub(crate) fn not_written(path: &Path, source: std::io::Error) -> FactsError {
    FactsError::Write { path: path.shown().to_string(), source }
}
