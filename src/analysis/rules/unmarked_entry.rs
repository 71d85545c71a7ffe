//! `unmarked-entry`: the entry point of the inside context is unmarked.

use std::collections::BTreeMap;

use crate::effects::{Callee, Effects, StoreMismatch, StoreMismatchKind};
use crate::program::FunctionId;
use crate::wording::{mark_for_callee, name};
use cowrap_packs::Effect;
use cowrap_report::{Finding, Level, Role, Safety};

use super::Rule;
use super::report::{Message, Report, slot_subject};

/// The rule.
pub const RULE: Rule = Rule {
    id: "unmarked-entry",
    level: Level::Warning,
    summary: "the function that is entered {entered} is unmarked",
    opt_in: false,
    fixes: Some(Safety::Safe),
    page: include_str!("../../../rules/unmarked-entry.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let mut by_function: BTreeMap<FunctionId, Vec<StoreMismatch>> = BTreeMap::new();
    for mismatch in effects.store_mismatches() {
        if let (StoreMismatchKind::UnmarkedEntry, Some(function)) = (mismatch.kind, mismatch.value.function()) {
            by_function.entry(function).or_default().push(*mismatch);
        }
    }
    by_function
        .into_iter()
        .filter_map(|(function, store_mismatches)| finding(effects, function, &store_mismatches))
        .collect()
}

fn finding(effects: &Effects<'_>, function: FunctionId, store_mismatches: &[StoreMismatch]) -> Option<Finding> {
    let (first, others) = store_mismatches.split_first()?;
    // Without a mark in the pack there is nothing to write.
    let mark = mark_for_callee(effects, Callee::Function(function), Effect::InsideOnly)?;
    let (function_name, slot) = (name(effects, function), effects.slot_name(first.slot));
    let text = format!("unmarked `{function_name}` passed to {slot}, which runs it {}", effects.pack.words.entered);
    let location = first.location;
    let subjects = vec![Role::Function.of(function_name), slot_subject(effects, first.slot)];
    let message = Message { function: function_name, subjects, text };
    let mut report = Report::new(effects, &RULE, location, "passed here", message);
    report.mention_slot(first.slot);
    if let Some(declaration) = effects.program.function(function).declarations.first() {
        report.label(declaration.location, format!("`{function_name}` is declared here"));
    }
    report.note_candidate(first.value, first.location);
    for other in others {
        report.mention_slot(other.slot);
        report.note_at(other.location, format!("also passed to {} here", effects.slot_name(other.slot)));
    }
    let closure = effects.mark_closure(Callee::Function(function));
    report.note_required_marks(&closure);
    report.fix_by_marks(Callee::Function(function), &closure);
    report.help(format!("mark `{function_name}` as `{mark}`"));
    Some(report.finish())
}
