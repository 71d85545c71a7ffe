//! Why a run has no result.

use thiserror::Error;

use cowrap_base::files::{MesonError, WriteRefusal};
use cowrap_base::git::GitError;
use cowrap_frontend::compdb;
use cowrap_frontend::worker::StartError;
use cowrap_packs::{PackError, SettingsError};
use cowrap_report::BaselineError;

use crate::index_file::IndexError;

/// Why a run has no result.
#[derive(Debug, Error)]
pub enum Error {
    /// libclang cannot be loaded, or the process that loads it cannot be started.
    #[error(transparent)]
    Clang(#[from] StartError),
    /// The pack cannot be used.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// Two packs have the same name, so that findings of one would look like findings of the other.
    #[error("two packs are named `{name}`: {one} and {other}; give one of them another name")]
    SamePackName {
        /// The name.
        name: String,
        /// The file of one.
        one: String,
        /// The file of the other.
        other: String,
    },
    /// A model or a cut in the settings does not fit its pack.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The compilation database cannot be used.
    #[error(transparent)]
    Database(#[from] compdb::Error),
    /// What meson says of the tree cannot be used.
    #[error(transparent)]
    Meson(#[from] MesonError),
    /// A given path does not exist.
    #[error("{path}: no such file or directory")]
    NoSuchPath {
        /// The path as given.
        path: String,
    },
    /// A given name is not the name of a rule.
    #[error("unknown rule `{name}`; the opt-in rules are {opt_in}")]
    NoSuchRule {
        /// The name.
        name: String,
        /// The names of the opt-in rules.
        opt_in: String,
    },
    /// There are no translation units to read.
    #[error("{0}")]
    NoUnits(String),
    /// A ninja file needs a compilation database.
    #[error("`--emit-ninja` needs a compilation database; name the build directory with -p")]
    NotADatabase,
    /// The tree defines none of the pack's marks, so a check could not find anything.
    #[error(
        "no mark of the pack `{pack}` is defined below {root}\n  searched for {marks} in the files that `headers` of \
         the pack names\n  name the root of the tree with --root, or another pack with --pack"
    )]
    NoMarks {
        /// The pack's name.
        pack: String,
        /// The root.
        root: String,
        /// The marks.
        marks: String,
    },
    /// The saved index cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// git cannot say what changed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The baseline cannot be used.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// The baseline cannot be read.
    #[error("cannot read the baseline {path}: {source}; write one with `cowrap baseline`")]
    ReadBaseline {
        /// Its file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The baseline that the tree names is a file elsewhere.
    #[error("the baseline {path} is outside of the tree; name it on the command line: --baseline {path}")]
    ForeignBaseline {
        /// Its file.
        path: String,
    },
    /// Nothing can be added to the baseline.
    #[error("the baseline {path} is in the previous format; run `cowrap baseline` to write it anew")]
    PreviousBaseline {
        /// Its file.
        path: String,
    },
    /// The baseline cannot be written.
    #[error("cannot write the baseline {path}: {source}")]
    WriteBaseline {
        /// Its file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The baseline must not be written where the tree wants it.
    #[error("the baseline {path} will not be written: {refusal}; name it with --output")]
    RefuseBaseline {
        /// Its file.
        path: String,
        /// Why.
        refusal: WriteRefusal,
    },
    /// The file to overwrite is something else.
    #[error("{path} is not a baseline and will not be overwritten; remove it, or name another file with --output")]
    NotABaseline {
        /// The file.
        path: String,
    },
    /// A saved index does not have the staged state.
    #[error(
        "--staged needs the tree, which an index does not contain; name the build directory with -p instead of --index"
    )]
    StagedIndex,
    /// The texts of a snapshot cannot be passed to libclang.
    #[error("cannot write temporary files: {0}; set TMPDIR to a writable directory")]
    Snapshot(std::io::Error),
    /// More units would have to be parsed than is allowed.
    #[error("{units} translation units would have to be parsed")]
    TooManyUnits {
        /// How many.
        units: usize,
    },
    /// libclang is another one than an earlier run found. Whoever reads a tree opens it again then.
    #[error("libclang has been replaced; run again")]
    LibraryReplaced,
    /// The reading of units was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The threads cannot be started.
    #[error("cannot start threads: {0}; start fewer with --jobs")]
    Workers(#[from] rayon::ThreadPoolBuildError),
}
