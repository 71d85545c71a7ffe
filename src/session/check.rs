//! Checking a tree: read its program, run the rules, apply the diagnostics policy, and compare with
//! earlier findings.

use std::path::{Path, PathBuf};

use cowrap_analysis::effects::Effects;
use cowrap_analysis::rules;
use cowrap_base::files::{Texts, Tree};
use cowrap_packs::{Cut, Pack};
use cowrap_report::{Finding, Report, RuleInfo, UnmatchedCut};

use crate::caches::FilesRead;
use crate::changes::Changes;
use crate::fix;
use crate::generated_files::generation;
use crate::index_file::Index;
use crate::inputs::{identify_paths, pack_of, tree_of};
use crate::policy::apply_policy;
use crate::problems::note_unread_units;
use crate::request::{Input, Progress, Request};
use crate::run_cache::RunCache;
use crate::session::{ProgramRead, Session, saved_program};
use crate::snapshot::Snapshot;
use crate::summary::summarise;
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
    require_rules(&request.enable, &pack_of(request.pack.as_deref())?)?;
    let changes = match &request.gate.since {
        Some(Since::Staged) if matches!(request.input, Input::Index(_)) => return Err(Error::StagedIndex),
        Some(since) => Some(Changes::find(since, &tree_of(request)?)?),
        None => None,
    };
    let snapshot = changes.as_ref().map(|changes| changes.snapshot.clone()).unwrap_or_default();
    let mut checker = Checker::new(request, progress);
    let run_cache = RunCache::new(request).filter(|_| snapshot.is_disk());
    let mut report = match run_cache.as_ref().and_then(RunCache::report) {
        Some(report) => report,
        None => checker.report(&snapshot, run_cache.as_ref())?,
    };
    compare::apply(&mut checker, &mut report, changes, run_cache.as_ref(), &report_on)?;
    Ok(report)
}

/// Checks the snapshots of one tree, which is opened when the first snapshot is read.
pub(crate) struct Checker<'r> {
    pub(crate) request: &'r Request,
    progress: &'r dyn Progress,
    session: Option<Session<'r>>,
}

/// A report on a snapshot, with what it was made from.
pub(crate) struct Checked {
    pub(crate) report: Report,
    pack: Pack,
    texts: Texts,
    /// The files that its units read; `None` if a later run could not compare them with the disk.
    files_read: Option<FilesRead>,
}

impl<'r> Checker<'r> {
    fn new(request: &'r Request, progress: &'r dyn Progress) -> Checker<'r> {
        Checker { request, progress, session: None }
    }

    /// The report on a whole snapshot with the edits of its fixes, before it is compared with
    /// anything.
    fn report(&mut self, snapshot: &Snapshot, run_cache: Option<&RunCache>) -> Result<Report, Error> {
        let Checked { mut report, pack, texts, files_read } = self.check(snapshot, None)?;
        fix::plan_edits(&mut report.findings, &texts, &report.tree, &pack, self.request);
        if let Some((run_cache, files_read)) = run_cache.zip(files_read) {
            run_cache.record(&report, files_read, &texts);
        }
        Ok(report)
    }

    /// Checks a snapshot, without the edits of fixes. It is an error if more than `limit` units
    /// would have to be parsed.
    pub(crate) fn check(&mut self, snapshot: &Snapshot, limit: Option<usize>) -> Result<Checked, Error> {
        let request = self.request;
        let ProgramRead { index, files_read } = self.program(snapshot, limit)?;
        let Index { program, pack, tree, mut details, problems, coverage } = index;
        let mut texts = Texts::new(&tree.root, None);
        for (path, text) in snapshot.overlay().texts() {
            texts.change(tree.relative(path), Some(text.clone()));
        }
        let mut effects = Effects::new(&program, &pack, &tree);
        note_unread_units(&mut effects, &problems, &texts);
        (effects.generation, details.not_compared) = generation(&effects, request, &texts, &[]);
        let is_whole = coverage.is_whole && problems.is_empty();
        let findings = apply_policy(&effects, request, &request.enable, &texts, is_whole);
        details.unmatched.models = effects.unused_models().into_iter().map(str::to_owned).collect();
        let cuts = effects.unused_cuts().into_iter();
        let cut = |cut: &Cut| UnmatchedCut { caller: cut.caller.clone(), callee: cut.callee.clone() };
        details.unmatched.cuts = cuts.map(cut).collect();
        let summary = summarise(&effects, &findings, &problems, &coverage, details.not_compared.len());
        drop(effects);
        let report = Report {
            findings,
            problems,
            summary,
            tree,
            details,
            is_partial: !coverage.is_whole,
            rules: rules::infos(&pack),
            overlay: snapshot.overlay().clone(),
            files: program.files.iter().cloned().collect(),
        };
        Ok(Checked { report, pack, texts, files_read })
    }

    fn program(&mut self, snapshot: &Snapshot, limit: Option<usize>) -> Result<ProgramRead, Error> {
        if let Some(saved) = saved_program(self.request)? {
            return Ok(saved);
        }
        let session = match &mut self.session {
            Some(session) => session,
            none => none.insert(Session::open(self.request)?),
        };
        session.program(snapshot, limit, self.progress)
    }
}

/// Checks that all names are names of a pack's rules.
pub(crate) fn require_rules(rules: &[String], pack: &Pack) -> Result<(), Error> {
    let infos = rules::infos(pack);
    let Some(unknown) = rules.iter().find(|name| !infos.iter().any(|rule| rule.name == **name)) else {
        return Ok(());
    };
    let opt_in: Vec<&str> = infos.iter().filter(|rule| rule.opt_in).map(|rule| rule.name.as_str()).collect();
    Err(Error::NoSuchRule { name: unknown.clone(), opt_in: opt_in.join(", ") })
}

/// All rules of a pack, sorted by name.
///
/// # Errors
///
/// The pack cannot be read.
pub fn rule_infos(pack: Option<&Path>) -> Result<Vec<RuleInfo>, Error> {
    Ok(rules::infos(&pack_of(pack)?))
}

/// Whether a finding is in one of the files and directories that the report is limited to.
pub(crate) fn is_reported(finding: &Finding, report_on: &[PathBuf], tree: &Tree) -> bool {
    let path = tree.root.join(&finding.primary.at.path);
    report_on.iter().any(|directory| path.starts_with(directory))
}
