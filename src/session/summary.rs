//! The summary of a report: what was checked and found, in numbers.

use rayon::prelude::*;

use cowrap_analysis::effects::{Effects, Resolution};
use cowrap_facts::CallKind;
use cowrap_packs::{Cut, Effect, Pack};
use cowrap_report::{
    Finding, Level, MarkLocation, PackSummary, Problem, Summary, SummaryWords, Unknown, UnmatchedCut, UnmatchedEntries,
};

use crate::index_file::Coverage;
use crate::session::missing_marks;

/// Counts what was checked and found with several packs. `not_compared` is the number of generated files that could
/// not be compared.
pub(crate) fn summarise(
    effects: &[Effects<'_>],
    findings: &[Finding],
    problems: &[Problem],
    coverage: &Coverage,
    not_compared: usize,
) -> Summary {
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
    summary.packs = effects.par_iter().map(summarise_pack).collect();
    // What is counted here is the same for all packs.
    let Some(program) = effects.first().map(|effects| effects.program) else { return summary };
    for function in program.function_ids() {
        let linked = program.function(function);
        summary.functions += usize::from(!linked.bodies.is_empty());
        let incoming = program.incoming(function);
        let no_body = linked.bodies.is_empty() && !linked.declarations.is_empty();
        summary.unknown.bodies += usize::from(!incoming.is_empty() && no_body);
        let unresolved = incoming.iter().filter(|call| call.kind == CallKind::Unresolved).count();
        summary.unknown.unresolved_calls += unresolved;
        summary.calls += incoming.len() - unresolved;
    }
    summary
}

/// Counts what was covered with one pack.
fn summarise_pack(effects: &Effects<'_>) -> PackSummary {
    let program = effects.program;
    let (name, words) = (effects.pack.name.clone(), summary_words(effects.pack));
    let mut summary = PackSummary { name, words, ..PackSummary::default() };
    for function in program.function_ids() {
        match effects.effect(function) {
            Some(Effect::InsideOnly) => summary.inside_only += 1,
            Some(Effect::OutsideOnly) => summary.outside_only += 1,
            Some(Effect::Entry) => summary.entries += 1,
            Some(Effect::Mixed) | None => {}
        }
        if effects.is_creator(function) {
            let locations = program.incoming(function).iter().map(|call| program.call(call.site).location);
            summary.creations += locations.filter(|location| !effects.is_generated(*location)).count();
        }
    }
    for wrapper in effects.wrappers() {
        let wraps = effects.context_marks(wrapper.function).iter().any(|(mark, _)| {
            effects.pack.mark(mark.mark).wrapper.as_ref().is_some_and(|wraps| wraps.calls == Effect::InsideOnly)
        });
        let mut bodies = program.bodies_of(wrapper.function);
        summary.wrappers += usize::from(wraps && bodies.any(|body| effects.is_generated(body.location)));
    }
    for slot in effects.slots_called() {
        match effects.resolution(slot) {
            Resolution::Known => {}
            Resolution::PartlyKnown => summary.partly_known_calls += 1,
            Resolution::NoCandidate => summary.pointer_calls += 1,
        }
    }
    summary
}

/// What the pack calls what a summary counts: words for the effects that it gives to something.
fn summary_words(pack: &Pack) -> SummaryWords {
    let of_marks = pack.marks.iter().filter(|mark| !mark.is_foreign).filter_map(|mark| mark.effect);
    let of_models = pack.models.iter().map(|model| model.effect);
    let slots = pack.slots.iter().filter(|slot| !slot.is_foreign);
    let of_slots = slots.flat_map(|slot| [slot.effect, slot.set, slot.unset]).flatten();
    let known: Vec<Effect> = of_marks.chain(of_models).chain(of_slots).collect();
    let word = |effect: Effect| known.contains(&effect).then(|| pack.words.effect(effect).to_owned());
    let wraps = pack.marks.iter().any(|mark| mark.wrapper.is_some());
    SummaryWords {
        inside_only: word(Effect::InsideOnly),
        outside_only: word(Effect::OutsideOnly),
        entry: word(Effect::Entry),
        creation: (wraps || !pack.creators.is_empty()).then(|| pack.words.creation.clone()),
    }
}

/// What matches nothing in the tree, for each pack. `marks` are those that the tree defines.
pub(crate) fn find_unmatched(effects: &[Effects<'_>], marks: &[MarkLocation]) -> Vec<UnmatchedEntries> {
    let of_pack = |effects: &Effects<'_>| {
        let cut = |cut: &Cut| UnmatchedCut { caller: cut.caller.clone(), callee: cut.callee.clone() };
        UnmatchedEntries {
            pack: effects.pack.name.clone(),
            marks: missing_marks(effects.pack, marks),
            models: effects.unused_models().into_iter().map(str::to_owned).collect(),
            cuts: effects.unused_cuts().into_iter().map(cut).collect(),
        }
    };
    effects.iter().map(of_pack).collect()
}
