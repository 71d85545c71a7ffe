//! What a report is compared with: a baseline, and what git has.

use std::path::PathBuf;

/// The name of the baseline that counts when none is named.
pub const BASELINE: &str = ".cowrap-baseline.json";

/// What a report is compared with, so that only news is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// The findings that are known.
    pub baseline: BaselineRequest,
    /// Whether it is an error that the baseline could be shorter.
    pub ratchet: bool,
    /// What git has.
    pub since: Option<Since>,
}

/// Which baseline counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BaselineRequest {
    /// The one at the root of the tree, if there is one.
    #[default]
    IfThere,
    /// This one.
    File(PathBuf),
    /// None.
    No,
}

/// A state of the tree that git has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// Where HEAD and this revision come from; what is on the disk is compared with it.
    Fork(String),
    /// HEAD; what is staged is compared with it.
    Staged,
}
