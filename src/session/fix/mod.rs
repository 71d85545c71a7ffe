//! Fixing a tree: fixes are planned on the whole program, applied in memory, checked, and only then
//! written.
//!
//! One round applies all fixes of the findings that do not overlap. Each fix is a group of edits
//! that is applied whole or not at all. The units that read a changed file are read again with the
//! new texts. A fix that does not have the planned effect is dropped, together with the fixes that
//! depend on it. Rounds go on until there is nothing left to fix.

mod rounds;
mod blame;
mod outcome;
mod finish;
mod inputs;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::SystemTime;

use rayon::prelude::*;
use thiserror::Error as ThisError;

use cowrap_base::files::{Texts, Tree};
use cowrap_base::git::GitError;
use cowrap_fix::{Change, Planner, RecoverError, Recovered, recover};
use cowrap_packs::PackSet;
use cowrap_report::{Action, Finding, Level, Report, Safety, Span};

use crate::Error;
use crate::generate::Introspection;
use crate::inputs::{identify_paths, tree_of};
use crate::request::{Input, Progress, Request};
use crate::rule_names::require_rules;
use crate::session::Session;
use crate::warning::Warning;

use inputs::{input_lists, is_generated, jobs};
use rounds::FixSession;

/// How a tree is to be fixed.
#[derive(Clone, Debug)]
pub struct FixRequest {
    /// What to check. Only findings that it reports are fixed.
    pub check: Request,
    /// The rules whose findings are fixed, by name, perhaps with the pack; all if there are none.
    pub rules: Vec<String>,
    /// Whether to apply unsafe fixes, too.
    pub with_unsafe: bool,
    /// Whether files with uncommitted changes may be changed.
    pub allow_dirty: bool,
    /// The most rounds.
    pub max_rounds: usize,
    /// Whether to write files.
    pub write: bool,
}

/// The result of fixing.
#[derive(Debug)]
pub struct Fixed {
    /// The fixes that were applied, by the location of their findings.
    pub applied: Vec<Applied>,
    /// The fixes that were not applied.
    pub not_applied: Vec<NotApplied>,
    /// Every file that changed, before and after.
    pub changes: Vec<Change>,
    /// The same in steps, one for each rule and top-level directory.
    pub steps: Vec<Step>,
    /// The number of rounds.
    pub rounds: usize,
    /// The number of errors, warnings and notes before fixing.
    pub before: [usize; 3],
    /// The report on the fixed tree.
    pub report: Report,
}

/// A fix that was applied.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The rule.
    pub rule: String,
    /// What it did.
    pub title: String,
    /// Its actions; the first is the main one.
    pub actions: Vec<Action>,
    /// Whether it is safe without a review.
    pub safety: Safety,
    /// The finding that it fixed.
    pub finding: Finding,
}

/// A fix that was not applied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotApplied {
    /// Where the finding is.
    pub at: Span,
    /// The rule.
    pub rule: String,
    /// What it would have done.
    pub title: String,
    /// Why it was not applied.
    pub reason: String,
}

/// The fixes of one rule for findings in one top-level directory.
#[derive(Debug)]
pub struct Step {
    /// The rule.
    pub rule: String,
    /// The directory, or the file if it is not in one.
    pub top: PathBuf,
    /// The fixes.
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
    /// A saved index has no sources to fix.
    #[error(
        "fixing needs the tree, which an index does not contain; name the build directory with -p instead of --index"
    )]
    FromIndex,
    /// Files have changes that git could not restore.
    #[error("these files have uncommitted changes: {0}\n  commit or stash them, or use --allow-dirty")]
    Dirty(String),
    /// git cannot say whether files have uncommitted changes.
    #[error("cannot find out whether files have uncommitted changes: {0}\n  use --allow-dirty to fix them anyway")]
    Git(GitError),
    /// What a killed run began can be neither finished nor undone.
    #[error(transparent)]
    Unfinished(#[from] RecoverError),
    /// Files cannot be written, and none was.
    #[error("no file was written:\n  {0}")]
    NotWritten(String),
    /// Some files were written and cannot be brought back, and the others were not.
    #[error(
        "{written} of {all} files were written and cannot be brought back; run again to write the others:\n  {reasons}"
    )]
    HalfWritten {
        /// The number of files that were written.
        written: usize,
        /// The number of files to write.
        all: usize,
        /// Why the others were not written.
        reasons: String,
    },
}

/// Fixes a tree.
///
/// # Errors
///
/// No file is changed, unless the error says so.
pub fn fix(request: &FixRequest, progress: &dyn Progress) -> Result<Fixed, FixError> {
    let check = &request.check;
    if matches!(check.input, Input::Index(_)) {
        return Err(FixError::FromIndex);
    }
    let report_on = identify_paths(check, &check.report_on)?;
    identify_paths(check, &check.inputs)?;
    let since = SystemTime::now();
    let session = open(request)?;
    require_rules(&check.enable, &session.packs)?;
    require_rules(&request.rules, &session.packs)?;
    let mut session = FixSession::open(request, session, report_on, since, progress)?;
    let mut current = session.check(&BTreeSet::new());
    let before = counts(&current.report.findings);
    let mut rounds = 0;
    while rounds < request.max_rounds && session.round(&mut current, progress)? {
        rounds += 1;
    }
    session.finish(current, before, rounds)
}

/// Opens the tree of a request. If a killed run has left it half changed, that is finished first, or
/// undone: what is read must be whole.
fn open(request: &FixRequest) -> Result<Session<'_>, FixError> {
    let check = &request.check;
    if !request.write {
        return Ok(Session::open(check)?);
    }
    let tree = tree_of(check)?;
    match recover(&tree.root)? {
        Recovered::Nothing => {}
        Recovered::Finished(_) => (check.warn)(&Warning::FinishedFix(tree.root)),
        Recovered::Undone(_) => (check.warn)(&Warning::UndoneFix(tree.root)),
    }
    Ok(Session::open(check)?)
}

fn counts(findings: &[Finding]) -> [usize; 3] {
    [Level::Error, Level::Warning, Level::Note]
        .map(|level| findings.iter().filter(|finding| finding.level == level).count())
}

/// Plans the edits of all fixes of findings, for the report. No file is changed.
pub(crate) fn plan_edits(
    findings: &mut [Finding],
    texts: &Texts,
    tree: &Tree,
    packs: &PackSet,
    request: &Request,
    introspection: Option<&Introspection>,
) {
    if findings.iter().all(|finding| finding.fixes.is_empty()) {
        return;
    }
    let lists = input_lists(tree, &jobs(request, introspection));
    let includes = BTreeSet::new();
    findings.par_iter_mut().for_each(|finding| {
        let is_generated = is_generated(tree, packs, finding.pack.as_deref());
        let planner = Planner { texts, is_generated: &is_generated, lists: &lists, includes: &includes };
        for fix in &mut finding.fixes {
            match planner.edits(fix) {
                Ok(edits) => fix.edits = edits,
                Err(error) => fix.obstacle = Some(error.to_string()),
            }
        }
    });
}
