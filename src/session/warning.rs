//! What the user should know although it stops nothing.

use std::path::PathBuf;

use thiserror::Error;

use cowrap_base::cache::CacheError;
use cowrap_fix::UnsyncedDirectory;

/// Something that the user should know although it stops nothing.
#[derive(Debug, Error)]
pub enum Warning {
    /// The cache cannot be used.
    #[error("running without a cache: {0}")]
    NoCache(CacheError),
    /// A killed run of `cowrap fix` has left the tree half changed.
    #[error("{}: an earlier `cowrap fix` was killed and left this tree half changed; `cowrap fix` finishes it", .0.display())]
    UnfinishedFix(PathBuf),
    /// What such a run had begun is finished.
    #[error("{}: finished what an earlier `cowrap fix` began, which was killed", .0.display())]
    FinishedFix(PathBuf),
    /// What such a run had begun is undone.
    #[error("{}: undid what an earlier `cowrap fix` began, which was killed", .0.display())]
    UndoneFix(PathBuf),
    /// A changed file had other names.
    #[error("{}: has another name (a hard link), which keeps the old text", .0.display())]
    Separated(PathBuf),
    /// A crash of the machine may undo what was written.
    #[error(transparent)]
    Unsynced(UnsyncedDirectory),
}
