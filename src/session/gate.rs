//! What a report is compared with: a baseline, and a state of the tree that git has.

use std::path::PathBuf;

/// The name of the default baseline, at the root of the tree.
pub const BASELINE: &str = ".cowrap-baseline.json";

/// What a report is compared with, so that it has only new findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// The baseline, with findings that are not reported again.
    pub baseline: BaselineRequest,
    /// Whether stale entries of the baseline are errors.
    pub ratchet: bool,
    /// The state of the tree to compare with, if there is one.
    pub since: Option<Since>,
}

/// Which baseline is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BaselineRequest {
    /// [`BASELINE`] at the root of the tree, if it exists.
    #[default]
    IfExists,
    /// This file, which the command line names.
    File(PathBuf),
    /// This file, which the settings of the tree name.
    Configured(PathBuf),
    /// None.
    No,
}

/// A state of the tree that git has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// The merge base of HEAD and this revision; the disk is compared with it.
    Fork(String),
    /// HEAD; git's index is compared with it.
    Staged,
}
