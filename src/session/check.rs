//! Checking a tree: read its program, run the rules, apply the diagnostics policy, and compare with
//! earlier findings.

use std::path::PathBuf;

use cowrap_base::files::{Texts, Tree};
use cowrap_frontend::unit_cache::CachedUnit;
use cowrap_packs::PackSet;
use cowrap_report::{Finding, Report};

use crate::changes::Changes;
use crate::comments::find_comments;
use crate::evaluate::{Evaluated, EvaluationInput, evaluate, texts_of};
use crate::fix;
use crate::generate::Introspection;
use crate::index_file::Index;
use crate::inputs::{identify_paths, tree_of};
use crate::readings::Readings;
use crate::request::{Input, Progress, Request};
use crate::rule_names::require_rules;
use crate::run_cache::Kept;
use crate::session::{ProgramRead, Session, saved_program};
use crate::snapshot::Snapshot;
use crate::{Error, Since, compare};

/// Checks a tree. The report has the findings that the request's gate does not hold back.
///
/// # Errors
///
/// There is nothing to check, or something that the request names cannot be used. A unit that
/// cannot be read is not an error, but one of the report's problems.
pub fn check(request: &Request, progress: &dyn Progress) -> Result<Report, Error> {
    let report_on = identify_paths(request, &request.report_on)?;
    // With a misspelt header, every wrapper would look as if it were not generated.
    identify_paths(request, &request.inputs)?;
    let changes = match &request.gate.since {
        Some(Since::Staged) if matches!(request.input, Input::Index(_)) => return Err(Error::StagedIndex),
        Some(since) => Some(Changes::find(since, &tree_of(request)?)?),
        None => None,
    };
    let snapshot = changes.as_ref().map(|changes| changes.snapshot.clone()).unwrap_or_default();
    let mut checker = Checker::new(request, progress);
    let mut report = checker.report(&snapshot)?;
    compare::apply(&mut checker, &mut report, changes, &report_on)?;
    Ok(report)
}

/// Checks the snapshots of one tree, which is opened when the first snapshot is read.
pub(crate) struct Checker<'r> {
    pub(crate) request: &'r Request,
    progress: &'r dyn Progress,
    session: Option<Session<'r>>,
}

/// A report on a snapshot, with what it was made from.
struct Checked {
    report: Report,
    packs: PackSet,
    texts: Texts,
    introspection: Option<Introspection>,
    /// Its units in the unit cache; `None` if it does not have all of them.
    units: Option<Vec<CachedUnit>>,
}

impl<'r> Checker<'r> {
    fn new(request: &'r Request, progress: &'r dyn Progress) -> Checker<'r> {
        Checker { request, progress, session: None }
    }

    /// The report on a whole snapshot with the edits of its fixes, before it is compared with
    /// anything.
    fn report(&mut self, snapshot: &Snapshot) -> Result<Report, Error> {
        if let Some(report) = self.earlier_report(snapshot, Kept::Report)? {
            return Ok(report);
        }
        let mut checked = self.check(snapshot, None)?;
        let Checked { report: Report { findings, tree, .. }, packs, texts, introspection, .. } = &mut checked;
        fix::plan_edits(findings, texts, tree, packs, self.request, introspection.as_ref());
        Ok(self.keep(checked, Kept::Report))
    }

    /// The report on a snapshot without the edits of fixes. It is an error if more than `limit` units would have to be
    /// parsed.
    pub(crate) fn findings(&mut self, snapshot: &Snapshot, limit: usize) -> Result<Report, Error> {
        for kept in [Kept::Report, Kept::Findings] {
            if let Some(report) = self.earlier_report(snapshot, kept)? {
                return Ok(report);
            }
        }
        let checked = self.check(snapshot, Some(limit))?;
        Ok(self.keep(checked, Kept::Findings))
    }

    /// The report of an earlier run on a snapshot.
    fn earlier_report(&mut self, snapshot: &Snapshot, kept: Kept) -> Result<Option<Report>, Error> {
        if matches!(self.request.input, Input::Index(_)) {
            return Ok(None);
        }
        let session = self.session()?;
        session.enter(snapshot);
        Ok(session.earlier_report(kept))
    }

    /// Stores a report for later runs.
    fn keep(&mut self, checked: Checked, kept: Kept) -> Report {
        let Checked { mut report, texts, units, .. } = checked;
        if let Some(session) = &mut self.session {
            if let Some(units) = units {
                session.store_report(&report, kept, &units, &texts);
            }
            session.flush(&mut report.details);
        }
        report
    }

    /// Checks a snapshot, without the edits of fixes. It is an error if more than `limit` units
    /// would have to be parsed.
    fn check(&mut self, snapshot: &Snapshot, limit: Option<usize>) -> Result<Checked, Error> {
        let ProgramRead { index, units } = self.program(snapshot, limit)?;
        let Index { program, packs, readings, tree, details, problems, coverage, .. } = index;
        let texts = texts_of(snapshot, &tree);
        let checkout = self.session.as_ref().and_then(Session::checkout);
        let (programs, comments) = rayon::join(
            || Readings::of(&program, &packs, &readings),
            || find_comments(&program, &tree, &texts, checkout),
        );
        let overlay = snapshot.overlay();
        let request = self.request;
        let input = EvaluationInput { request, program: &program, packs: &packs, tree: &tree, texts: &texts, overlay };
        let Evaluated { report, effects, introspection } =
            evaluate(&input, &programs, &comments, problems, &coverage, details);
        drop(effects);
        // The process ends soon. To free each part of a program before takes a tenth of a run.
        std::mem::forget(programs);
        std::mem::forget(program);
        Ok(Checked { report, packs, texts, introspection, units })
    }

    fn program(&mut self, snapshot: &Snapshot, limit: Option<usize>) -> Result<ProgramRead, Error> {
        if let Some(saved) = saved_program(self.request)? {
            require_rules(&self.request.enable, &saved.index.packs)?;
            return Ok(saved);
        }
        let progress = self.progress;
        self.session()?.program(snapshot, limit, progress)
    }

    /// The open tree.
    fn session(&mut self) -> Result<&mut Session<'r>, Error> {
        match &mut self.session {
            Some(session) => Ok(session),
            none => {
                let session = Session::open(self.request)?;
                // Before the tree is read, which takes long.
                require_rules(&self.request.enable, &session.packs)?;
                Ok(none.insert(session))
            }
        }
    }
}

/// Whether a finding is in one of the files and directories that the report is limited to.
pub(crate) fn is_reported(finding: &Finding, report_on: &[PathBuf], tree: &Tree) -> bool {
    let path = tree.root.join(&finding.primary.at.path);
    report_on.iter().any(|directory| path.starts_with(directory))
}
