//! The summary of a report: what was checked and found, in numbers.

use cowrap_analysis::effects::{Effects, Resolution};
use cowrap_facts::CallKind;
use cowrap_packs::Effect;
use cowrap_report::{Finding, Level, Problem, Summary, Unknown};

use crate::index_file::Coverage;

/// Counts what was checked and found. `not_compared` is the number of generated files that could
/// not be compared.
pub(crate) fn summarise(
    effects: &Effects<'_>,
    findings: &[Finding],
    problems: &[Problem],
    coverage: &Coverage,
    not_compared: usize,
) -> Summary {
    let program = effects.program;
    let at = |level| findings.iter().filter(|finding| finding.level == level).count();
    let mut summary = Summary {
        units: coverage.units,
        failed_units: problems.len(),
        other_languages: coverage.other_languages.clone(),
        errors: at(Level::Error),
        warnings: at(Level::Warning),
        notes: at(Level::Note),
        unknown: Unknown { generated_files: not_compared, ..Unknown::default() },
        ..Summary::default()
    };
    for function in program.function_ids() {
        let linked = program.function(function);
        summary.functions += usize::from(!linked.bodies.is_empty());
        summary.inside_only += usize::from(effects.requirement(function).effect == Some(Effect::InsideOnly));
        let wraps = effects.context_marks(function).iter().any(|(mark, _)| {
            effects.pack.mark(mark.mark).wrapper.as_ref().is_some_and(|wraps| wraps.calls == Effect::InsideOnly)
        });
        let generated = || linked.bodies.iter().any(|body| effects.is_generated(program.body(*body).location));
        summary.wrappers += usize::from(wraps && generated());
        let called = !program.incoming(function).is_empty();
        let no_body = linked.bodies.is_empty() && !linked.declarations.is_empty();
        summary.unknown.bodies += usize::from(called && no_body);
    }
    for body in &program.bodies {
        for call in &body.slot_calls {
            match effects.resolution(call) {
                Resolution::Known => {}
                Resolution::PartlyKnown => summary.unknown.partly_known_calls += 1,
                Resolution::NoCandidate => summary.unknown.pointer_calls += 1,
            }
        }
        for call in &body.calls {
            match call.kind {
                CallKind::Unresolved => summary.unknown.unresolved_calls += 1,
                CallKind::Written | CallKind::Cleanup | CallKind::Region => summary.calls += 1,
            }
            let creates = effects.is_creator(call.callee);
            summary.creations += usize::from(creates && !effects.is_generated(call.location));
        }
    }
    summary
}
