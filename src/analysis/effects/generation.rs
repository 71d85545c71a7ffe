//! The inputs and outputs of the wrapper generator: what it reads, and where its output is out of date.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::program::Location;

/// The inputs and outputs of the wrapper generator. The caller reads them from files and sets them in the effects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generation {
    /// The headers that a generator reads, by identity; `None` if neither the build nor the settings name them.
    pub inputs: Option<BTreeSet<PathBuf>>,
    /// Generated files that are out of date, sorted by name.
    pub stale: Vec<StaleFile>,
}

/// A generated file that does not match the declarations in its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleFile {
    /// The headers, by identity.
    pub inputs: Vec<PathBuf>,
    /// The functions that differ, sorted by location; at least one.
    pub differences: Vec<Difference>,
}

/// A function in a generated file that does not match its declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub function: String,
    /// The location of its name.
    pub location: Location,
    /// Whether a declaration asks for a function of this name.
    pub is_asked_for: bool,
}
