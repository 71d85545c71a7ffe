//! Fixing a tree: what can be done is planned on the whole program, made in memory, checked, and only then written.
//!
//! One round takes every fix that the findings offer. Each is a group of edits that is made whole or not at all. The units that
//! read a changed file are read again with the new texts; what does not turn out as planned is taken back, with everything
//! that belongs to it. Rounds go on until there is nothing more to fix.

mod rounds;
mod blame;
mod outcome;
mod finish;
mod inputs;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::SystemTime;

use thiserror::Error as ThisError;

use cowrap_base::files::{Texts, Tree};
use cowrap_base::git::GitError;
use cowrap_fix::{Change, Planner};
use cowrap_packs::Pack;
use cowrap_report::Report;
use cowrap_report::{Action, Finding, Level, Safety, Span};

use crate::Error;
use crate::check::require_rules;
use crate::inputs::identify_paths;
use crate::request::{Input, Progress, Request};
use crate::session::Session;

use inputs::{input_lists, is_generated, jobs};
use rounds::FixSession;

/// How a tree is to be fixed.
#[derive(Clone, Debug)]
pub struct FixRequest {
    /// What to check; findings are fixed where they are reported.
    pub check: Request,
    /// The rules whose findings are fixed, by name; all when there are none.
    pub rules: Vec<String>,
    /// Whether also what can change the program's behaviour is done.
    pub with_unsafe: bool,
    /// Whether files may have changes that git does not have.
    pub allow_dirty: bool,
    /// How many rounds there may be.
    pub max_rounds: usize,
    /// Whether files are written.
    pub write: bool,
}

/// What came of fixing.
#[derive(Debug)]
pub struct Fixed {
    /// What was done, in the order in which it was planned.
    pub applied: Vec<Applied>,
    /// What was offered and not done.
    pub not_applied: Vec<NotApplied>,
    /// Every file that changed, before and after.
    pub changes: Vec<Change>,
    /// The same in steps: for each rule and directory at the top of the tree, what was done and the files before and after.
    pub steps: Vec<Step>,
    /// How many rounds it took.
    pub rounds: usize,
    /// The number of errors, warnings and notes before.
    pub before: [usize; 3],
    /// The state of the tree afterwards.
    pub report: Report,
}

/// A fix that was made.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The rule.
    pub rule: String,
    /// What it did.
    pub title: String,
    /// The same as actions; the first is what the others go with.
    pub actions: Vec<Action>,
    /// Whether it may be done without a person looking at it.
    pub safety: Safety,
    /// The finding that it took away.
    pub finding: Finding,
}

/// A fix that was not made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotApplied {
    /// Where the finding is.
    pub at: Span,
    /// The rule.
    pub rule: String,
    /// What it would have done.
    pub title: String,
    /// Why it was not.
    pub reason: String,
}

/// What one rule's fixes for findings in one directory at the top of the tree changed.
#[derive(Debug)]
pub struct Step {
    /// The rule.
    pub rule: String,
    /// The directory, or the file when it is not in one.
    pub top: PathBuf,
    /// What was done.
    pub applied: Vec<Applied>,
    /// The files that changed.
    pub changes: Vec<Change>,
}

/// Why nothing was fixed.
#[derive(Debug, ThisError)]
pub enum FixError {
    /// The tree cannot be checked.
    #[error(transparent)]
    Check(#[from] Error),
    /// There is nothing to read anew.
    #[error("an index does not hold what fixing needs; name the build directory with -p instead of --index")]
    FromIndex,
    /// Files have changes that nobody could get back.
    #[error("these files have changes that git does not have: {0}\n  commit or stash them, or use --allow-dirty")]
    Dirty(String),
    /// Git cannot tell.
    #[error(transparent)]
    Git(GitError),
    /// Files cannot be written; none was.
    #[error("nothing was written:\n  {0}")]
    NotWritten(String),
    /// Some files were written, and others not.
    #[error("only {written} of {all} files were written, the others are as they were; run again:\n  {reasons}")]
    HalfWritten {
        /// How many were.
        written: usize,
        /// How many should have been.
        all: usize,
        /// Why the others were not.
        reasons: String,
    },
}

/// Fixes a tree.
///
/// # Errors
///
/// Then no file is changed, unless the error says so.
pub fn fix(request: &FixRequest, progress: &dyn Progress) -> Result<Fixed, FixError> {
    let check = &request.check;
    if matches!(check.input, Input::Index(_)) {
        return Err(FixError::FromIndex);
    }
    let report_on = identify_paths(check, &check.report_on)?;
    identify_paths(check, &check.inputs)?;
    require_rules(&check.enable)?;
    require_rules(&request.rules)?;
    let since = SystemTime::now();
    let mut fixes = FixSession::open(request, Session::open(check)?, report_on, since, progress)?;
    let mut state = fixes.check(&BTreeSet::new());
    let before = counts(&state.report.findings);
    let mut rounds = 0;
    while rounds < request.max_rounds && fixes.round(&mut state, progress)? {
        rounds += 1;
    }
    fixes.finish(state, before, rounds)
}

fn counts(findings: &[Finding]) -> [usize; 3] {
    [Level::Error, Level::Warning, Level::Note]
        .map(|level| findings.iter().filter(|finding| finding.level == level).count())
}

/// Writes the edits of all fixes that findings offer; nothing is changed.
pub(crate) fn write_out(findings: &mut [Finding], texts: &Texts, tree: &Tree, pack: &Pack, request: &Request) {
    if findings.iter().all(|finding| finding.fixes.is_empty()) {
        return;
    }
    let lists = input_lists(tree, &jobs(tree, request));
    let (is_generated, includes) = (is_generated(tree, pack), BTreeSet::new());
    let planner = Planner { texts, is_generated: &is_generated, lists: &lists, includes: &includes };
    for fix in findings.iter_mut().flat_map(|finding| &mut finding.fixes) {
        match planner.edits(fix) {
            Ok(edits) => fix.edits = edits,
            Err(error) => fix.obstacle = Some(error.to_string()),
        }
    }
}
