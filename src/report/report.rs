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
    /// What `--verbose` adds.
    pub details: Details,
    /// Whether only some of the tree's translation units were to be read.
    pub is_partial: bool,
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

impl ProblemKind {
    /// Its name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            ProblemKind::Refused => "refused",
            ProblemKind::Parse => "parse",
            ProblemKind::Failed => "failed",
        }
    }
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
    pub compared: Option<Comparison>,
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

/// What `--verbose` adds to a report.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Details {
    /// How the translation units were parsed.
    pub parsing: ParseDetails,
    /// Entries of the pack and of the settings that matched nothing.
    pub unmatched: UnmatchedEntries,
    /// Generated files that could not be compared with what they should be, and why.
    pub not_compared: Vec<String>,
    /// What precompiled header sharing saved.
    #[serde(skip)]
    pub sharing: SharingStats,
    /// Why nothing could be stored in the cache.
    #[serde(skip)]
    pub cache_failure: Option<String>,
}

/// How translation units were parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseDetails {
    /// The libclang in use.
    pub clang: String,
    /// Where each mark is defined.
    pub marks: Vec<MarkLocation>,
    /// Arguments that were left out because libclang does not know them, with the number of units.
    pub unknown_arguments: BTreeMap<String, usize>,
}

/// A definition of a mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkLocation {
    /// The mark.
    pub mark: String,
    /// The file, relative to the root.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: u32,
}

/// Entries of the pack and of `cowrap.toml` that matched nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmatchedEntries {
    /// Models, by the names of their functions.
    pub models: Vec<String>,
    /// Cuts.
    pub cuts: Vec<UnmatchedCut>,
}

/// A cut that no call matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmatchedCut {
    /// The caller that it names.
    pub caller: String,
    /// The callee that it names.
    pub callee: String,
}

/// What came of comparing, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The baseline, and how many findings were in it.
    pub baseline: Option<(String, usize)>,
    /// What became of a baseline in the previous version of its format; nothing of one in today's.
    pub upgrade: Option<Upgrade>,
    /// The state that git has, in words.
    pub since: Option<String>,
    /// How many findings were there before.
    pub known: usize,
    /// Files that changed and that no unit reads, by their paths relative to the root.
    pub not_read: Vec<String>,
    /// Why only lines were compared; none when it is known what was found before.
    pub by_lines: Option<String>,
}

/// What became of a baseline in the previous version of its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Upgrade {
    /// It was written anew in today's version: nothing of it is lost.
    Rewritten,
    /// It is as it was.
    Pending,
}

/// What became of sharing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharingStats {
    /// Units whose facts were had by way of precompiled headers.
    pub units: usize,
    /// Precompiled headers that were made.
    pub headers: usize,
    /// Those of them that an earlier run made.
    pub reused: usize,
    /// Why units were parsed plainly after all, and precompiled headers not made or made without some headers; and how often.
    pub refusals: BTreeMap<String, usize>,
    /// Units whose facts were not those of a plain parse, and the first file whose facts are others. There must be none.
    pub differing: Vec<(PathBuf, PathBuf)>,
}
