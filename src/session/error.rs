//! Why a run has no result.

use thiserror::Error;

use cowrap_base::git::GitError;
use cowrap_frontend::clang::LoadError;
use cowrap_frontend::compdb;
use cowrap_packs::PackError;
use cowrap_report::BaselineError;

use crate::index_file::IndexError;

/// Why there is no report at all.
#[derive(Debug, Error)]
pub enum Error {
    /// No libclang.
    #[error(transparent)]
    Clang(#[from] LoadError),
    /// No usable pack.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// No usable database.
    #[error(transparent)]
    Database(#[from] compdb::Error),
    /// A path on the command line is not there.
    #[error("{path}: no such file or directory")]
    NoSuchPath {
        /// The path as given.
        path: String,
    },
    /// A rule that is to be enabled is not there.
    #[error("there is no rule `{name}`; those that run only when they are enabled are {opt_in}")]
    NoSuchRule {
        /// The name.
        name: String,
        /// The rules that there are.
        opt_in: String,
    },
    /// There is nothing to read.
    #[error("{0}")]
    Nothing(String),
    /// The tree defines none of the pack's marks, so that nothing could ever be found.
    #[error(
        "no mark of the pack `{pack}` is defined below {root}\n  looked for {marks}\n  give the tree's root with \
         --root, or the code base's own pack with --pack"
    )]
    NoMarks {
        /// The pack's name.
        pack: String,
        /// The root.
        root: String,
        /// The marks.
        marks: String,
    },
    /// The index that was saved cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Git cannot tell what changed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The baseline is none.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// The baseline cannot be read.
    #[error("cannot read the baseline {path}: {source}; `cowrap baseline` writes one")]
    ReadBaseline {
        /// Its file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The baseline cannot be written.
    #[error("cannot write the baseline {path}: {source}")]
    WriteBaseline {
        /// Its file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// What is to be overwritten is something else.
    #[error("{path} is no baseline, and would be lost; remove it, or name another file with --output")]
    PreciousBaseline {
        /// The file.
        path: String,
    },
    /// What is staged cannot be told from an index of something else.
    #[error("an index does not hold what is staged; name the build directory with -p instead of --index")]
    StagedIndex,
    /// A snapshot that is not on the disk cannot be made known to libclang.
    #[error("cannot write temporary files: {0}; set TMPDIR to a directory that can be written to")]
    Snapshot(std::io::Error),
    /// More units would have to be parsed than is allowed.
    #[error("{units} translation units would have to be parsed")]
    TooManyUnits {
        /// How many.
        units: usize,
    },
    /// No workers could be started.
    #[error("cannot start workers: {0}")]
    Workers(#[from] rayon::ThreadPoolBuildError),
}
