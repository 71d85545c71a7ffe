//! The compilation database: finding, reading, vetting and normalising it.
//!
//! A database comes with the change under review, so its arguments may be an attacker's. Nothing
//! that it names is ever run. Only options of a fixed list reach libclang, rewritten so that
//! libclang cannot read them differently (see [`Unit::arguments`]). It must never know the content
//! of a C file.
//!
//! The format is from <https://clang.llvm.org/docs/JSONCompilationDatabase.html>; facts about
//! options are from clang's "Clang command line argument reference" and GCC's "GCC Command Options"
//! unless a comment names another source.

mod compiler;
mod find;
mod language;
mod options;
mod read;
mod saved;
mod vet;
mod command_line;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use cowrap_base::files::Shown;
use thiserror::Error;

pub use find::{FILE_NAME, find, is_build_name};
pub use language::Language;
pub use read::{parse, read, single};

/// A compilation database, with its entries sorted into units and others.
#[derive(Clone, Debug)]
pub struct Database {
    /// The JSON file, absolute.
    pub path: PathBuf,
    /// The C translation units, in the order of the file; no two have the same file, directory and
    /// arguments.
    pub units: Vec<Unit>,
    /// The C entries that libclang must not get, in the order of the file.
    pub refused: Vec<RefusedEntry>,
    /// The number of entries of each language other than C.
    pub other_languages: BTreeMap<Language, usize>,
    /// Whether response files (`@file`) may be part of it. Then an unchanged JSON file does not
    /// mean an unchanged database.
    pub may_be_indirect: bool,
}

/// A translation unit: one C file, compiled in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The C file: absolute, without `.` and `..`, symbolic links kept.
    pub file: PathBuf,
    /// The directory that relative paths in the arguments start from: absolute, without `.` and
    /// `..`.
    pub directory: PathBuf,
    /// The arguments that change what the code means, without the compiler, the C file and the
    /// output.
    ///
    /// Every argument that begins with `-` is an option of the fixed list, and none begins with
    /// `@`: the value of an option begins with neither. So leaving out any of them (such as an
    /// option that a libclang does not know) can lose meaning, but cannot turn a value into an
    /// option.
    ///
    /// Units of a database with the same arguments share them.
    pub arguments: Arc<[OsString]>,
    /// The absolute paths of the compiler's output: one for each entry that became this unit, if it
    /// names one.
    pub outputs: Vec<PathBuf>,
    /// The number of the first entry that became this unit, counted from 0.
    pub entry: usize,
    /// The arguments that were left out because they do not change what the code means.
    pub dropped: Vec<OsString>,
}

/// An entry that libclang must not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedEntry {
    /// The number of the entry, counted from 0.
    pub entry: usize,
    /// The C file: absolute, without `.` and `..`, symbolic links kept.
    pub file: PathBuf,
    /// The refused argument as the entry has it, or two arguments where one passes the other to a
    /// later stage (`-Xclang -load`).
    pub argument: String,
    /// The reason, as a clause that follows the argument.
    pub reason: String,
}

/// Why a database could not be found or read.
#[derive(Debug, Error)]
pub enum Error {
    /// The given path does not exist.
    #[error(
        "{}: no such file or directory\n  pass the directory that holds compile_commands.json, or the file itself",
        .path.shown()
    )]
    NoSuchPath {
        /// The path.
        path: PathBuf,
    },
    /// The given directory has no database.
    #[error(
        "{}: no compile_commands.json in this directory\n  configure the build first (meson and configure write it; \
         cmake needs -DCMAKE_EXPORT_COMPILE_COMMANDS=ON; for make, run `bear -- make`)",
        .directory.shown()
    )]
    NotInDirectory {
        /// The directory.
        directory: PathBuf,
    },
    /// No database is in the usual places.
    #[error(
        "no compile_commands.json found\n  looked in {}, its build/ and its build*/\n  configure the build first \
         (meson and configure write it; cmake needs -DCMAKE_EXPORT_COMPILE_COMMANDS=ON; for make, run \
         `bear -- make`), or pass -p with the build directory",
        .start.shown()
    )]
    NotFound {
        /// The directory in which the search began.
        start: PathBuf,
    },
    /// There are several databases, and none is the obvious one.
    #[error("several compilation databases found\n{}\n  pass -p with the build directory to use", list(.candidates))]
    Several {
        /// The databases, sorted.
        candidates: Vec<PathBuf>,
    },
    /// The file cannot be read.
    #[error("{}: cannot read the compilation database: {source}", .path.shown())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is not a JSON compilation database.
    #[error(
        "{}:{line}:{column}: not a compilation database: {message}\n  configure the build again",
        .path.shown()
    )]
    Syntax {
        /// The database.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column in bytes, counted from 1.
        column: usize,
        /// The message of the JSON reader.
        message: String,
    },
    /// The database has more entries than the limit.
    #[error("{}: {entries} entries, which exceeds --limit-entries {most}", .path.shown())]
    TooManyEntries {
        /// The database.
        path: PathBuf,
        /// The number of entries.
        entries: usize,
        /// The limit.
        most: usize,
    },
    /// An entry names no file.
    #[error(
        "{}: entry {entry} (counted from 0) has no `file`\n  configure the build again",
        .path.shown()
    )]
    NoFile {
        /// The database.
        path: PathBuf,
        /// The number of the entry, counted from 0.
        entry: usize,
    },
    /// An entry has no command.
    #[error(
        "{}: entry {entry} (counted from 0, {}) has neither `command` nor `arguments`, or an empty one\n  configure \
         the build again",
        .path.shown(),
        .file.shown()
    )]
    NoCommand {
        /// The database.
        path: PathBuf,
        /// The number of the entry, counted from 0.
        entry: usize,
        /// The file, as the entry has it.
        file: PathBuf,
    },
    /// A shell could not split a `command`.
    #[error(
        "{}: entry {entry} (counted from 0, {}) has a `command` with an unbalanced quote or a final backslash\n  \
         configure the build again",
        .path.shown(),
        .file.shown()
    )]
    Quotes {
        /// The database.
        path: PathBuf,
        /// The number of the entry, counted from 0.
        entry: usize,
        /// The file, as the entry has it.
        file: PathBuf,
    },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("  {}", path.shown())).collect::<Vec<_>>().join("\n")
}
