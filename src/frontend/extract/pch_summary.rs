//! What a precompiled header declares, as far as the extraction of what is compiled on top of it
//! needs to know.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use cowrap_facts::MarkId;

/// A file of facts, and a line in it.
pub type FileLine = (PathBuf, u32);

/// What a precompiled header declares.
///
/// Precompiled headers stand on one another. Each summary has what its own header adds, and a
/// reference to the one below.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct PchSummary {
    #[serde(skip)]
    pub(super) below: Option<Arc<PchSummary>>,
    /// The files that were read, with the paths that facts use.
    pub(super) files: HashSet<PathBuf>,
    /// The tree's own functions by name, with the file of `static` ones.
    pub(super) functions: HashMap<String, Option<PathBuf>>,
    /// The marks that are written on declarations of functions, by the function's name.
    pub(super) marks: HashMap<String, Vec<(MarkId, PathBuf, u32, u32)>>,
    /// The declarations at file scope, by name.
    pub(super) declarations: HashMap<String, Vec<FileLine>>,
    /// Names with several declarations, where facts depend on which declaration comes first.
    pub(super) redeclared: HashSet<String>,
    /// Files with names that macros paste together and that contain a digit.
    pub(super) pasted_names: HashSet<PathBuf>,
    /// Files whose functions use fields of records that other files define, these files, and the
    /// first line that does so.
    pub(super) field_uses: HashMap<(PathBuf, PathBuf), u32>,
}

impl PchSummary {
    /// The same on top of another summary. A summary that was read from disk has lost the one
    /// below.
    pub fn on(self, below: Option<Arc<PchSummary>>) -> PchSummary {
        PchSummary { below, ..self }
    }

    /// This one, and those below it.
    fn chain(&self) -> impl Iterator<Item = &PchSummary> {
        std::iter::successors(Some(self), |summary| summary.below.as_deref())
    }

    /// Whether this precompiled header or one below it read the file.
    pub fn has_read(&self, file: &Path) -> bool {
        self.chain().any(|summary| summary.files.contains(file))
    }

    /// The names that this header declares at file scope, with their declarations.
    pub fn declarations(&self) -> impl Iterator<Item = (&str, &[FileLine])> {
        self.declarations.iter().map(|(name, declarations)| (name.as_str(), declarations.as_slice()))
    }

    /// The names that this header declares although they were declared before, where facts depend
    /// on which declaration comes first. Each comes with all declarations so far.
    pub fn redeclarations(&self) -> impl Iterator<Item = (&str, Vec<&FileLine>)> {
        let all = |name: &str| self.chain().filter_map(|summary| summary.declarations.get(name)).flatten().collect();
        self.redeclared.iter().map(move |name| (name.as_str(), all(name)))
    }

    /// The files with names in facts that macros paste together and that contain a digit:
    /// `__COUNTER__` may be the reason.
    pub fn files_with_pasted_names(&self) -> impl Iterator<Item = &Path> {
        self.pasted_names.iter().map(PathBuf::as_path)
    }

    /// The files whose functions use fields of records that other files define, these files, and
    /// the first line that does so.
    pub fn field_uses(&self) -> impl Iterator<Item = (&Path, &Path, u32)> {
        self.field_uses.iter().map(|((user, definer), line)| (user.as_path(), definer.as_path(), *line))
    }

    /// The file of a function of the tree, if it is `static`; `None` for a name that no header here
    /// declares.
    pub(super) fn function(&self, name: &str) -> Option<Option<&PathBuf>> {
        self.chain().find_map(|summary| summary.functions.get(name)).map(Option::as_ref)
    }

    /// Whether a mark of a function was written at this place.
    pub(super) fn has_mark(&self, name: &str, mark: MarkId, file: &Path, line: u32, column: u32) -> bool {
        let known = self.chain().filter_map(|summary| summary.marks.get(name)).flatten();
        known.into_iter().any(|(m, f, l, c)| *m == mark && f == file && (*l, *c) == (line, column))
    }
}

/// Why facts of a precompiled header may not be those of its headers in a unit that uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PchMismatch {
    /// A function that a header declares as `static` is defined in another file.
    StaticElsewhere,
    /// A file of the precompiled header was read again.
    ReadAgain,
}
