//! What an analysis is made with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use cowrap_analysis::program::Program;
use cowrap_base::files::{Texts, Tree};
use cowrap_facts::ReadingId;
use cowrap_packs::PackSet;
use cowrap_report::{Details, Problem};

use super::Analysis;
use crate::caches::Checkout;
use crate::comments::{FileComment, find_comments};
use crate::evaluate::{Evaluated, EvaluationInput, evaluate, texts_of};
use crate::index_file::Coverage;
use crate::inputs::identify_paths;
use crate::readings::Readings;
use crate::request::Request;
use crate::session::Session;
use crate::snapshot::Snapshot;
use crate::{Error, compare, fix};

/// What an analysis is made with. It does not borrow the session, which goes on while the analysis is in use.
pub(super) struct View<'r> {
    request: &'r Request,
    packs: PackSet,
    readings: Vec<ReadingId>,
    tree: Tree,
    snapshot: Snapshot,
    texts: Texts,
    coverage: Coverage,
    is_complete: bool,
}

impl<'r> View<'r> {
    /// The view of the snapshot that a session reads. `open` are the texts of open files: edits are planned on them, even
    /// if the disk has another text by now.
    pub(super) fn of(session: &Session<'r>, open: &BTreeMap<PathBuf, Arc<Vec<u8>>>, is_complete: bool) -> View<'r> {
        let Session { request, packs, readings, tree, .. } = session;
        let coverage = session.coverage();
        let snapshot = session.current.snapshot.clone();
        let mut texts = texts_of(&snapshot, tree);
        for (path, text) in open {
            texts.change(tree.relative(path), Some(Arc::clone(text)));
        }
        View {
            request,
            packs: packs.clone(),
            readings: readings.clone(),
            tree: tree.clone(),
            texts,
            snapshot,
            coverage: Coverage { is_whole: coverage.is_whole && is_complete, ..coverage },
            is_complete,
        }
    }

    /// The program as each pack reads it, and the comments for cowrap in its files.
    pub(super) fn prepare<'v>(
        &'v self,
        program: &'v Program,
        checkout: Option<&Checkout>,
    ) -> (Readings<'v>, Vec<FileComment>) {
        rayon::join(
            || Readings::of(program, &self.packs, &self.readings),
            || find_comments(program, &self.tree, &self.texts, checkout),
        )
    }

    /// What follows from a program.
    ///
    /// # Errors
    ///
    /// The baseline cannot be used.
    pub(super) fn analyse<'v>(
        &'v self,
        program: &'v Program,
        programs: &'v Readings<'v>,
        comments: &[FileComment],
        problems: Vec<Problem>,
        details: Details,
    ) -> Result<Analysis<'v>, Error> {
        let View { request, packs, tree, texts, snapshot, .. } = self;
        let input = EvaluationInput { request, program, packs, tree, texts, overlay: snapshot.overlay() };
        let Evaluated { mut report, effects, introspection } =
            evaluate(&input, programs, comments, problems, &self.coverage, details);
        fix::plan_edits(&mut report.findings, texts, tree, packs, request, introspection.as_ref());
        compare::apply_baseline(request, &mut report, &identify_paths(request, &request.report_on)?)?;
        Ok(Analysis { report, effects, texts, is_complete: self.is_complete })
    }
}
