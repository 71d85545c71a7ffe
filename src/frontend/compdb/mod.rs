//! The compilation database: finding, reading, vetting and normalising it, and choosing translation units.
//!
//! A database comes with the change under review, so its words are an attacker's words. Nothing it names is ever
//! run, and only options of a fixed list reach libclang, rewritten so that libclang cannot read them differently
//! (see [`Unit::arguments`]).
//! It must never know what is inside a C file.
//!
//! The format is from <https://clang.llvm.org/docs/JSONCompilationDatabase.html>; facts about options are from
//! clang's "Clang command line argument reference" and GCC's "GCC Command Options" unless a comment names another
//! source.

mod compiler;
mod find;
mod language;
mod options;
mod read;
mod vet;
mod command_line;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

pub use find::find;
pub use language::Language;
pub use read::{read, single};

/// A database, with its entries sorted out.
#[derive(Clone, Debug)]
pub struct Database {
    /// The JSON file, absolute.
    pub path: PathBuf,
    /// The C translation units, in the order of the file; no two have the same file, directory and arguments.
    pub units: Vec<Unit>,
    /// The C entries that must not be given to libclang, in the order of the file.
    pub refused: Vec<RefusedEntry>,
    /// How many entries there are of each language that is not C.
    pub other_languages: BTreeMap<Language, usize>,
    /// Whether response files may say some of it (`@file`): then it is not enough to look at the JSON file to know that nothing
    /// has changed.
    pub may_be_indirect: bool,
}

/// One C file, compiled one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The C file: absolute, without `.` and `..`, symbolic links kept.
    pub file: PathBuf,
    /// The directory that the arguments' relative paths start from: absolute, without `.` and `..`.
    pub directory: PathBuf,
    /// The arguments that change what the code means, without the compiler, the C file and the output.
    ///
    /// Every word that begins with `-` is an option that the list of options allows, and no word begins with `@`:
    /// an option's value never does either. So leaving out any of these words (an option that one libclang does
    /// not know) can lose meaning, but cannot make an option out of a value.
    pub arguments: Vec<OsString>,
    /// What the compiler writes, absolute: one for each entry that became this unit, as far as they say.
    pub outputs: Vec<PathBuf>,
    /// The number of the first entry that became this unit, counted from 0.
    pub entry: usize,
    /// The words that were left out because they do not change what the code means.
    pub dropped: Vec<OsString>,
}

/// An entry that must not be given to libclang.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedEntry {
    /// The number of the entry, counted from 0.
    pub entry: usize,
    /// The C file: absolute, without `.` and `..`, symbolic links kept.
    pub file: PathBuf,
    /// The argument that is refused, as the entry has it: a word, or two where one carries the other to a later
    /// stage (`-Xclang -load`).
    pub argument: String,
    /// Why, as a clause that follows the word.
    pub reason: String,
}

/// Why a database could not be found or read.
#[derive(Debug, Error)]
pub enum Error {
    /// The path given is not there.
    #[error(
        "{}: no such file or directory\n  pass the directory that holds compile_commands.json, or the file itself",
        .path.display()
    )]
    NoSuchPath {
        /// The path.
        path: PathBuf,
    },
    /// The directory given holds no database.
    #[error(
        "{}: no compile_commands.json in this directory\n  configure the build first (meson and configure write it; \
         cmake needs -DCMAKE_EXPORT_COMPILE_COMMANDS=ON; for make, run `bear -- make`)",
        .directory.display()
    )]
    NotInDirectory {
        /// The directory.
        directory: PathBuf,
    },
    /// There is none in the usual places.
    #[error(
        "no compile_commands.json found\n  looked in {}, its build/ and its build*/\n  configure the build first \
         (meson and configure write it; cmake needs -DCMAKE_EXPORT_COMPILE_COMMANDS=ON; for make, run \
         `bear -- make`), or pass -p with the build directory",
        .start.display()
    )]
    NotFound {
        /// Where the search began.
        start: PathBuf,
    },
    /// There are several, and none is the obvious one.
    #[error("several compilation databases found\n{}\n  pass -p with the build directory to use", list(.candidates))]
    Several {
        /// The databases, sorted.
        candidates: Vec<PathBuf>,
    },
    /// The file cannot be read.
    #[error("{}: cannot read the compilation database: {source}", .path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is not the JSON that a database is.
    #[error(
        "{}:{line}:{column}: not a compilation database: {message}\n  configure the build again to write it anew",
        .path.display()
    )]
    Syntax {
        /// The database.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column in bytes, counted from 1.
        column: usize,
        /// What the JSON reader says.
        message: String,
    },
    /// An entry names no file.
    #[error(
        "{}: entry {entry} (counted from 0) has no `file`\n  configure the build again to write it anew",
        .path.display()
    )]
    NoFile {
        /// The database.
        path: PathBuf,
        /// The number of the entry, counted from 0.
        entry: usize,
    },
    /// An entry has no words.
    #[error(
        "{}: entry {entry} (counted from 0, {}) has neither `command` nor `arguments`, or an empty one\n  configure \
         the build again to write it anew",
        .path.display(),
        .file.display()
    )]
    NoCommand {
        /// The database.
        path: PathBuf,
        /// The number of the entry, counted from 0.
        entry: usize,
        /// The file, as the entry has it.
        file: PathBuf,
    },
    /// A `command` is not what a shell could split.
    #[error(
        "{}: entry {entry} (counted from 0, {}) has a `command` with an unbalanced quote or a backslash at its end\n  \
         configure the build again to write it anew",
        .path.display(),
        .file.display()
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
    paths.iter().map(|path| format!("  {}", path.display())).collect::<Vec<_>>().join("\n")
}
