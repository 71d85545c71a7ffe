//! What a run reports, as plain data: findings, problems, and what was covered. Its names are those of the JSON format.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use cowrap_base::files::{Overlay, Tree};

use crate::findings::{Finding, Level, Safety, Span, lossy};

/// What a run has to say.
#[derive(Debug)]
pub struct Report {
    /// What was found, in the order in which it is shown.
    pub findings: Vec<Finding>,
    /// What could not be done.
    pub problems: Vec<Problem>,
    /// What was covered.
    pub summary: Summary,
    /// The tree, for reading sources.
    pub tree: Tree,
    /// What `--verbose` tells.
    pub details: Details,
    /// The rules that there are, sorted by name.
    pub rules: Vec<RuleInfo>,
    /// What was checked, where it is not what is on the disk.
    pub overlay: Overlay,
    /// The files that were read, by their identities.
    pub files: HashSet<PathBuf>,
}

/// What readers of a report want to know of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its name, as findings have it.
    pub name: &'static str,
    /// The gravest level that it reports.
    pub level: Level,
    /// What it says, in one line.
    pub summary: &'static str,
    /// Whether it runs only when somebody asks for it.
    pub opt_in: bool,
    /// Whether there are fixes for some of its findings: the safest that there is.
    pub fixes: Option<Safety>,
    /// Its page, in Markdown.
    pub page: &'static str,
}

/// A unit of which nothing is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// The unit's file, relative to the root.
    #[serde(with = "lossy")]
    pub file: PathBuf,
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// What is wrong; for a parse error, the compiler's own words.
    pub message: String,
    /// Where, when the compiler said so.
    pub at: Option<Span>,
    /// What to do about it.
    pub help: Option<String>,
}

/// The kinds of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProblemKind {
    /// The entry of the database has arguments that are not accepted.
    Refused,
    /// The compiler reported errors.
    Parse,
    /// Nothing came out of the unit.
    Failed,
}

/// What was covered, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Units that were to be read.
    pub units: usize,
    /// Units of which nothing is known: refused, not parsed cleanly, crashed.
    pub failed_units: usize,
    /// Entries of other languages, by language; they are not read.
    pub other_languages: BTreeMap<String, usize>,
    /// Functions with a body.
    pub functions: usize,
    /// Calls of functions by name.
    pub calls: usize,
    /// Functions that are coroutine only.
    pub coroutine_only: usize,
    /// Generated wrappers through which coroutine only functions are entered from outside.
    pub wrappers: usize,
    /// Calls that create a coroutine, outside of generated files.
    pub creations: usize,
    /// Findings at the level of an error.
    pub errors: usize,
    /// Findings at the level of a warning.
    pub warnings: usize,
    /// Findings at the level of a note.
    pub notes: usize,
    /// What could not be decided.
    pub unknown: Unknown,
    /// What came of comparing with a baseline or with git.
    pub compared: Option<Compared>,
}

/// What could not be decided, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// Calls through function pointers; what they reach is not followed.
    pub pointer_calls: usize,
    /// Calls in arms of `_Generic` and `__builtin_choose_expr` of which it is not known whether they are made.
    pub unresolved_calls: usize,
    /// Functions that the tree declares and calls, and whose body was not read.
    pub bodies: usize,
    /// Generated files that could not be compared with what they should be; `--verbose` says why.
    pub generated_files: usize,
}

/// What `--verbose` tells.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Details {
    /// The libclang in use.
    pub clang: String,
    /// Where each mark is defined: mark, file relative to the root, line.
    pub marks: Vec<(String, PathBuf, u32)>,
    /// Names of models that matched nothing.
    pub unused_models: Vec<String>,
    /// Cuts of calls that are not there: caller and callee.
    #[serde(skip)]
    pub unused_cuts: Vec<(String, String)>,
    /// Whether only some of the tree's units were to be read.
    pub is_partial: bool,
    /// Generated files that could not be compared with what they should be, and why.
    pub not_compared: Vec<String>,
    /// Arguments that were left out because libclang does not know them, with the number of units.
    pub unknown_arguments: BTreeMap<String, usize>,
    /// What became of sharing.
    #[serde(skip)]
    pub shared: Shared,
    /// Why nothing could be kept for the next run.
    #[serde(skip)]
    pub cache: Option<String>,
}

/// What came of comparing, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// The baseline, and how many findings were in it.
    pub baseline: Option<(String, usize)>,
    /// The state that git has, in words.
    pub since: Option<String>,
    /// How many findings were there before.
    pub known: usize,
    /// Files that changed and that no unit reads, by their paths relative to the root.
    pub not_read: Vec<String>,
    /// Why only lines were compared; none when it is known what was found before.
    pub by_lines: Option<String>,
}

/// What became of sharing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Units whose facts were had by way of precompiled headers.
    pub units: usize,
    /// Precompiled headers that were made.
    pub headers: usize,
    /// Those of them that an earlier run made.
    pub kept: usize,
    /// Why units were parsed plainly after all, and precompiled headers not made or made without some headers; and how often.
    pub refusals: BTreeMap<String, usize>,
    /// Units whose facts were not those of a plain parse, and the first file whose facts are others. There must be none.
    pub differing: Vec<(PathBuf, PathBuf)>,
}
