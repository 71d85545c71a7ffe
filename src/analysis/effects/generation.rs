//! What is known of generating the wrappers: what a generator reads, and where its output is out of date.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::program::Location;

/// What is known of the generator's inputs and outputs. It is found out from files, so whoever makes the effects adds
/// it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generation {
    /// The headers that a generator reads, by identity; `None` when nothing says so.
    pub inputs: Option<BTreeSet<PathBuf>>,
    /// Generated files that are not what their declarations ask for, in the order of their names.
    pub stale: Vec<StaleFile>,
}

/// A generated file that is not what its declarations ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleFile {
    /// The headers that it was compared with, by identity.
    pub inputs: Vec<PathBuf>,
    /// Where it differs, by location; there is at least one.
    pub differences: Vec<Difference>,
}

/// A function of a generated file that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub function: String,
    /// Where its name is.
    pub location: Location,
    /// Whether some declaration asks for it, though in another way.
    pub is_asked_for: bool,
}
