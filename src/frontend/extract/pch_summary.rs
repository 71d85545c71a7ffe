//! What a precompiled header declares, as far as the extraction of what is compiled on top of it
//! needs to know.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use cowrap_facts::MarkId;

/// A file, by its number in [`PchSummary::files`], and a line in it.
pub type FileLine = (u32, u32);

/// What a precompiled header declares.
///
/// Precompiled headers stand on one another. Each summary has what its own header adds, and a
/// reference to the one below.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct PchSummary {
    #[serde(skip)]
    pub(super) below: Option<Arc<PchSummary>>,
    /// The files that were read, with the paths that facts use.
    #[serde(with = "cowrap_facts::paths")]
    pub(super) files: Vec<PathBuf>,
    /// The same, to be found quickly.
    #[serde(skip)]
    pub(super) known: HashSet<PathBuf>,
    /// The tree's own functions by name, with the file of `static` ones.
    pub(super) functions: HashMap<String, Option<u32>>,
    /// The marks that are written on declarations of functions, by the function's name, with their
    /// files, lines and columns.
    pub(super) marks: HashMap<String, Vec<(MarkId, u32, u32, u32)>>,
    /// The declarations at file scope, by name.
    pub(super) declarations: HashMap<String, Vec<FileLine>>,
    /// Names with several declarations, where facts depend on which declaration comes first.
    pub(super) redeclared: HashSet<String>,
    /// Files with names that macros paste together and that contain a digit.
    pub(super) pasted_names: HashSet<u32>,
    /// Files whose functions use fields of records that other files define, these files, and the
    /// first line that does so.
    pub(super) field_uses: HashMap<(u32, u32), u32>,
    /// The tree's own functions that a declaration makes weak.
    pub(super) weak: HashSet<String>,
    /// The constants of enumerations that are declared here and that the packs name, with their numbers.
    pub(super) constants: HashMap<String, i64>,
    /// What facts rest on, and what is declared or defined later could change.
    pub(super) open: OpenQuestions,
}

/// What facts rest on although it was not settled when they were read.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct OpenQuestions {
    /// The records that were asked for slots, and were not defined.
    pub records: HashSet<String>,
    /// The functions that were only known by name, and were not declared.
    pub functions: HashSet<String>,
    /// The numbers of macros that were asked for.
    pub macros: HashMap<String, Option<i64>>,
    /// The constants of enumerations that were asked for, and were not declared.
    pub constants: HashSet<String>,
}

impl PchSummary {
    /// The same on top of another summary. A summary that was new or serialised has lost the one
    /// below.
    pub fn on(self, below: Option<Arc<PchSummary>>) -> PchSummary {
        PchSummary { below, known: self.files.iter().cloned().collect(), ..self }
    }

    /// This one, and those below it.
    fn chain(&self) -> impl Iterator<Item = &PchSummary> {
        std::iter::successors(Some(self), |summary| summary.below.as_deref())
    }

    /// Whether this precompiled header or one below it read the file.
    pub fn has_read(&self, file: &Path) -> bool {
        self.chain().any(|summary| summary.known.contains(file))
    }

    /// The files that this header read, with the paths that facts use.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The names that this header declares at file scope, with their declarations.
    pub fn declarations(&self) -> impl Iterator<Item = (&str, &[FileLine])> {
        self.declarations.iter().map(|(name, declarations)| (name.as_str(), declarations.as_slice()))
    }

    /// The names that this header declares although they were declared before, where facts depend
    /// on which declaration comes first. Each comes with all declarations so far.
    pub fn redeclarations(&self) -> impl Iterator<Item = (&str, Vec<(&Path, u32)>)> {
        self.redeclared.iter().map(|name| (name.as_str(), self.all_declarations(name)))
    }

    /// The declarations of a name here and below.
    fn all_declarations(&self, name: &str) -> Vec<(&Path, u32)> {
        let mut found = Vec::new();
        for summary in self.chain() {
            let declarations = summary.declarations.get(name).into_iter().flatten();
            found.extend(declarations.filter_map(|(file, line)| Some((summary.file(*file)?, *line))));
        }
        found
    }

    /// The files with names in facts that macros paste together and that contain a digit:
    /// `__COUNTER__` may be the reason.
    pub fn files_with_pasted_names(&self) -> impl Iterator<Item = &Path> {
        self.pasted_names.iter().filter_map(|file| self.file(*file))
    }

    /// The files whose functions use fields of records that other files define, these files, and
    /// the first line that does so.
    pub fn field_uses(&self) -> impl Iterator<Item = (&Path, &Path, u32)> {
        let uses = self.field_uses.iter();
        uses.filter_map(|((user, definer), line)| Some((self.file(*user)?, self.file(*definer)?, *line)))
    }

    /// The file of a function of the tree, if it is `static`; `None` for a name that no header here
    /// declares.
    pub(super) fn function(&self, name: &str) -> Option<Option<&Path>> {
        let mut found = self.chain().filter_map(|summary| Some((summary, summary.functions.get(name)?)));
        found.next().map(|(summary, file)| file.and_then(|file| summary.file(file)))
    }

    /// Whether a declaration of a function makes it weak.
    pub(super) fn is_weak(&self, name: &str) -> bool {
        self.chain().any(|summary| summary.weak.contains(name))
    }

    /// The number of a constant of an enumeration: of the first one with this name.
    pub(super) fn constant(&self, name: &str) -> Option<i64> {
        self.chain().filter_map(|summary| summary.constants.get(name)).last().copied()
    }

    /// The files of this precompiled header and of those below it.
    pub(super) fn all_files(&self) -> impl Iterator<Item = &Path> {
        let files = self.chain().flat_map(|summary| &summary.files).map(PathBuf::as_path);
        files.filter(|file| !file.as_os_str().is_empty())
    }

    /// What facts of this precompiled header and of those below it rest on.
    pub(super) fn open(&self) -> impl Iterator<Item = &OpenQuestions> {
        self.chain().map(|summary| &summary.open)
    }

    /// The same for a unit whose own file this was made from: without that file, which the unit reads
    /// itself, and without what only the certification of sharing asks for.
    pub fn of_preamble(mut self) -> PchSummary {
        if let Some(main) = self.files.first_mut() {
            *main = PathBuf::new();
        }
        let PchSummary { files, functions, marks, weak, constants, open, .. } = self;
        PchSummary { files, functions, marks, weak, constants, open, ..PchSummary::default() }
    }

    /// Whether a mark of a function was written at this place.
    pub(super) fn has_mark(&self, name: &str, mark: MarkId, file: &Path, line: u32, column: u32) -> bool {
        let has_it = |summary: &PchSummary| {
            let known = summary.marks.get(name).into_iter().flatten();
            let mut here = known.filter(|(known, _, at, across)| (*known, *at, *across) == (mark, line, column));
            here.any(|(_, known, ..)| summary.file(*known) == Some(file))
        };
        self.chain().any(has_it)
    }

    fn file(&self, number: u32) -> Option<&Path> {
        self.files.get(number as usize).map(PathBuf::as_path)
    }
}

/// Why facts of a precompiled header may not be those of its headers in a unit that uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PchMismatch {
    /// A function that a header declares as `static` is defined in another file.
    StaticElsewhere,
    /// A file of the precompiled header was read again.
    ReadAgain,
    /// Something is declared or defined that the header's facts depend on.
    DeclaredLater,
    /// A constant of a header gets its value. That matters only to expressions of the header that clang
    /// evaluates as a whole.
    ConstantDefined,
}
