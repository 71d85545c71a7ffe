//! The report of a run as plain data: findings, problems, and what was covered. Field names are
//! keys of the JSON format.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use cowrap_base::files::{Overlay, Tree};

use crate::findings::{Finding, Level, Safety, Span, lossy};

/// The report of a run.
#[derive(Debug)]
pub struct Report {
    /// The findings, in the order in which they are shown.
    pub findings: Vec<Finding>,
    /// The translation units that could not be read.
    pub problems: Vec<Problem>,
    /// What was covered.
    pub summary: Summary,
    /// The tree, for reading sources.
    pub tree: Tree,
    /// What `--verbose` adds.
    pub details: Details,
    /// Whether only some of the tree's translation units were to be read.
    pub is_partial: bool,
    /// The rules of all packs, sorted by name, those of one name in the order of the packs.
    pub rules: Vec<RuleInfo>,
    /// The texts that were checked instead of those on the disk.
    pub overlay: Overlay,
    /// The files that were read, by identity.
    pub files: HashSet<PathBuf>,
}

impl Report {
    /// The name of a finding's rule, for people: with the pack if there are several.
    pub fn rule_name<'f>(&self, finding: &'f Finding) -> Cow<'f, str> {
        match &finding.pack {
            Some(pack) if self.summary.packs.len() > 1 => Cow::Owned(format!("{pack}/{}", finding.rule)),
            _ => Cow::Borrowed(&finding.rule),
        }
    }
}

/// What a report says about a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its id, which is the same with every pack.
    pub id: &'static str,
    /// The pack that it checks; `None` for a rule about comments or the baseline, which no pack changes.
    pub pack: Option<String>,
    /// Its name, as findings have it.
    pub name: String,
    /// The highest level that it reports.
    pub level: Level,
    /// What it reports, in one line.
    pub summary: String,
    /// Whether it runs only if it is enabled.
    pub opt_in: bool,
    /// The safest kind of fix that it offers, if any.
    pub fixes: Option<Safety>,
    /// Its page, in Markdown.
    pub page: String,
}

impl RuleInfo {
    /// Whether a user means this rule with a name: `rule`, or `pack/rule`.
    pub fn is_named(&self, name: &str) -> bool {
        is_meant(name, self.pack.as_deref(), &self.name)
    }
}

/// Whether a user means the rule of a pack with a name: `rule`, or `pack/rule`.
pub(crate) fn is_meant(name: &str, pack: Option<&str>, rule: &str) -> bool {
    match name.split_once('/') {
        Some((of, name)) => name == rule && pack == Some(of),
        None => name == rule,
    }
}

/// A translation unit that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// Its file, relative to the root.
    #[serde(with = "lossy")]
    pub file: PathBuf,
    /// The kind of problem.
    pub kind: ProblemKind,
    /// The problem; for a parse error, the message of the compiler.
    pub message: String,
    /// The location that the compiler gives, if any.
    pub at: Option<Span>,
    /// What to do about it.
    pub help: Option<String>,
}

/// The kinds of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProblemKind {
    /// Its entry in the database has an argument that cowrap refuses.
    Refused,
    /// The compiler reported errors.
    Parse,
    /// libclang could not read it at all.
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
    /// Translation units to be read.
    pub units: usize,
    /// Translation units that could not be read: refused, with errors, or crashed.
    pub failed_units: usize,
    /// Entries of the database in other languages, by language; they are not read.
    pub other_languages: BTreeMap<String, usize>,
    /// Functions with a body.
    pub functions: usize,
    /// Calls of functions by name.
    pub calls: usize,
    /// Findings at the level of an error.
    pub errors: usize,
    /// Findings at the level of a warning.
    pub warnings: usize,
    /// Findings at the level of a note.
    pub notes: usize,
    /// What could not be decided, whatever the pack.
    pub unknown: Unknown,
    /// What each pack adds, in the order of the packs.
    pub packs: Vec<PackSummary>,
    /// The result of the comparison with a baseline or with git.
    pub compared: Option<Comparison>,
}

/// What was covered with one pack, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackSummary {
    /// The pack's name.
    pub name: String,
    /// What the pack calls what is counted here.
    pub words: SummaryWords,
    /// Inside-only functions.
    pub inside_only: usize,
    /// Outside-only functions.
    pub outside_only: usize,
    /// Functions that start inside, and owe nothing to their callers.
    pub entries: usize,
    /// Generated wrappers of inside-only functions.
    pub wrappers: usize,
    /// Calls that create the inside context, outside of generated files.
    pub creations: usize,
    /// Calls through function pointers without a known candidate, to which the pack gives no requirement.
    pub pointer_calls: usize,
    /// Calls through function pointers with known candidates that may also point to something
    /// that cowrap cannot see.
    pub partly_known_calls: usize,
}

/// What a pack calls what a summary counts, in the singular. It has no word for what it says nothing about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryWords {
    /// What an inside-only function is, before "function".
    pub inside_only: Option<String>,
    /// What an outside-only function is, before "function".
    pub outside_only: Option<String>,
    /// What an entry is.
    pub entry: Option<String>,
    /// What a call of a creator is.
    pub creation: Option<String>,
}

/// What could not be decided, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// Calls in branches of `_Generic` and `__builtin_choose_expr` that cowrap cannot resolve.
    pub unresolved_calls: usize,
    /// Functions that the tree declares and calls, but whose body was not read.
    pub bodies: usize,
    /// Generated files that could not be compared with what they should be; `--verbose` shows why.
    pub generated_files: usize,
}

/// What `--verbose` adds to a report.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Details {
    /// How the translation units were parsed.
    pub parsing: ParseDetails,
    /// What matched nothing, for each pack in the order of the packs.
    pub unmatched: Vec<UnmatchedEntries>,
    /// Generated files that could not be compared with what they should be, and why.
    pub not_compared: Vec<String>,
    /// What precompiled header sharing saved.
    #[serde(skip)]
    pub sharing: SharingStats,
    /// Why nothing could be stored in the cache.
    #[serde(skip)]
    pub cache_failure: Option<String>,
    /// How much memory the run took.
    #[serde(skip)]
    pub memory: MemoryUse,
}

/// The most memory that a run took so far, in bytes; 0 where that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// This process.
    pub own: u64,
    /// The largest of the processes that read translation units.
    pub worker: u64,
    /// The limit for each of these.
    pub limit: u64,
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

/// Entries of a pack, and of `cowrap.toml` for this pack, that matched nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmatchedEntries {
    /// The pack's name.
    pub pack: String,
    /// Its marks, if it has some and the tree defines none of them.
    pub marks: Vec<String>,
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

/// The result of the comparison with a baseline or with git.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The baseline, and how many findings it lists.
    pub baseline: Option<(String, usize)>,
    /// What became of a baseline in the previous format; `None` for one in the current format.
    pub upgrade: Option<Upgrade>,
    /// The state in git that the report is compared with.
    pub since: Option<String>,
    /// How many findings existed before.
    pub known: usize,
    /// Changed files that no translation unit includes, relative to the root.
    pub not_read: Vec<String>,
    /// Why only changed lines were compared; `None` if the earlier findings are known.
    pub by_lines: Option<String>,
}

/// What became of a baseline in the previous format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Upgrade {
    /// It was rewritten in the current format; no entry was lost.
    Rewritten,
    /// It is unchanged.
    Pending,
}

/// What precompiled header sharing achieved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharingStats {
    /// Translation units that were read with a precompiled header.
    pub units: usize,
    /// Precompiled headers.
    pub headers: usize,
    /// Precompiled headers that earlier runs made.
    pub reused: usize,
    /// Reasons for which precompiled headers were not made or not used, and how often.
    pub refusals: BTreeMap<String, usize>,
    /// Translation units whose facts differ from those without precompiled headers, with the first
    /// such file. There must be none.
    pub differing: Vec<(PathBuf, PathBuf)>,
}
