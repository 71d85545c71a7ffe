//! What the user should know although it stops nothing.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use cowrap_base::cache::CacheError;
use cowrap_base::files::Shown;
use cowrap_fix::UnsyncedDirectory;

/// Something that the user should know although it stops nothing.
#[derive(Debug, Error)]
pub enum Warning {
    /// The cache cannot be used.
    #[error("running without a cache: {0}")]
    NoCache(CacheError),
    /// Nothing can be written to the directory for temporary files.
    #[error("cannot make precompiled headers, which save time: {0}; set TMPDIR to a writable directory")]
    NoSharing(io::Error),
    /// Precompiled headers could not be written.
    #[error(
        "{0} precompiled headers, which save time, could not be written; is the disk of TMPDIR or of the cache full?"
    )]
    Unsaved(usize),
    /// A killed run of `cowrap fix` has left the tree half changed.
    #[error("{}: an earlier `cowrap fix` was killed and left this tree half changed; `cowrap fix` finishes it", .0.shown())]
    UnfinishedFix(PathBuf),
    /// What such a run had begun is finished.
    #[error("{}: finished what an earlier `cowrap fix` began, which was killed", .0.shown())]
    FinishedFix(PathBuf),
    /// What such a run had begun is undone.
    #[error("{}: undid what an earlier `cowrap fix` began, which was killed", .0.shown())]
    UndoneFix(PathBuf),
    /// A changed file had other names.
    #[error("{}: has another name (a hard link), which keeps the old text", .0.shown())]
    Separated(PathBuf),
    /// A crash of the machine may undo what was written.
    #[error(transparent)]
    Unsynced(UnsyncedDirectory),
}
