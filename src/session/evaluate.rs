//! From a program to a report: runs the rules and applies the diagnostics policy.
//!
//! It must never know where a program comes from, or what a report is compared with.

use cowrap_analysis::effects::Effects;
use cowrap_analysis::program::Program;
use cowrap_base::files::{Overlay, Texts, Tree};
use cowrap_frontend::worker::peak_memory;
use cowrap_packs::PackSet;
use cowrap_report::{Details, Problem, Report};

use crate::comments::FileComment;
use crate::generate::Introspection;
use crate::generated_files::compare_generated;
use crate::index_file::Coverage;
use crate::policy::apply_policy;
use crate::readings::Readings;
use crate::request::Request;
use crate::rule_names::rules_of;
use crate::snapshot::Snapshot;
use crate::summary::{find_unmatched, summarise};

/// A program, and the state of the tree that it was read from.
pub(crate) struct EvaluationInput<'s> {
    pub(crate) request: &'s Request,
    pub(crate) program: &'s Program,
    pub(crate) packs: &'s PackSet,
    pub(crate) tree: &'s Tree,
    pub(crate) texts: &'s Texts,
    pub(crate) overlay: &'s Overlay,
}

/// What follows from a program.
pub(crate) struct Evaluated<'p> {
    /// The report, without the edits of fixes, and before it is compared with anything.
    pub(crate) report: Report,
    /// What follows with each pack, in the order of the packs.
    pub(crate) effects: Vec<Effects<'p>>,
    pub(crate) introspection: Option<Introspection>,
}

/// The texts of a snapshot.
pub(crate) fn texts_of(snapshot: &Snapshot, tree: &Tree) -> Texts {
    let mut texts = Texts::new(&tree.root, None);
    for (path, text) in snapshot.overlay().texts() {
        texts.change(tree.relative(path), Some(text.clone()));
    }
    texts
}

/// Runs the rules on a program, as each pack reads it. `problems` are the units that could not be read.
pub(crate) fn evaluate<'p>(
    state: &EvaluationInput<'p>,
    programs: &'p Readings<'p>,
    comments: &[FileComment],
    problems: Vec<Problem>,
    coverage: &Coverage,
    mut details: Details,
) -> Evaluated<'p> {
    let EvaluationInput { request, program, packs, tree, texts, overlay } = *state;
    let mut effects = programs.effects(tree, &problems, texts);
    let introspection = tree.build.as_deref().map(Introspection::new);
    details.not_compared = compare_generated(&mut effects, request, introspection.as_ref(), texts, &[]);
    let is_whole = coverage.is_whole && problems.is_empty();
    let findings = apply_policy(&effects, request, &request.enable, comments, is_whole);
    details.unmatched = find_unmatched(&effects, &details.parsing.marks);
    let summary = summarise(&effects, &findings, &problems, coverage, details.not_compared.len());
    details.memory.own = peak_memory().unwrap_or(0);
    let report = Report {
        findings,
        problems,
        summary,
        tree: tree.clone(),
        details,
        is_partial: !coverage.is_whole,
        rules: rules_of(packs),
        overlay: overlay.clone(),
        files: program.files.iter().cloned().collect(),
    };
    Evaluated { report, effects, introspection }
}
