//! `pointer-gains-mark`: an outside-only function is stored in a slot that is called inside.

use std::collections::BTreeMap;

use crate::effects::{Callee, Effects, StoreMismatch, StoreMismatchKind, StoredValue};
use crate::program::SlotId;
use crate::wording::{self, described_value, flag, name};
use cowrap_packs::Help;
use cowrap_report::{Finding, Level};

use super::Rule;
use super::report::{Message, Report, gravest_level, slot_subject, stored_here, value_subject};

/// The rule.
pub const RULE: Rule = Rule {
    id: "pointer-gains-mark",
    level: Level::Error,
    summary: "{a outside_only} function is stored in a slot that is called {inside}",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/pointer-gains-mark.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let mut candidates: BTreeMap<SlotId, Vec<StoreMismatch>> = BTreeMap::new();
    let mut findings = Vec::new();
    for mismatch in effects.store_mismatches() {
        match (mismatch.value, mismatch.kind) {
            (StoredValue::Candidate(..), StoreMismatchKind::GainsMark) => {
                candidates.entry(mismatch.slot).or_default().push(*mismatch);
            }
            _ => findings.extend(finding(effects, mismatch, &[])),
        }
    }
    findings.extend(candidates.values().filter_map(|mismatches| of_candidates(effects, mismatches)));
    findings
}

/// One finding for all that comes into a slot out of unmarked slots.
fn of_candidates(effects: &Effects<'_>, mismatches: &[StoreMismatch]) -> Option<Finding> {
    let surest = mismatches.iter().min_by_key(|mismatch| !is_only_value(effects, mismatch.value))?;
    let others: Vec<StoreMismatch> = mismatches.iter().filter(|mismatch| *mismatch != surest).copied().collect();
    finding(effects, surest, &others)
}

/// Whether nothing else can be copied from the slot than this candidate.
fn is_only_value(effects: &Effects<'_>, value: StoredValue) -> bool {
    let StoredValue::Candidate(_, slot) = value else { return true };
    effects.points_to.candidates(slot).len() == 1 && !effects.points_to.may_hold_unknown(slot)
}

fn finding(effects: &Effects<'_>, mismatch: &StoreMismatch, others: &[StoreMismatch]) -> Option<Finding> {
    let (level, what) = match mismatch.kind {
        StoreMismatchKind::GainsMark => {
            let level = if is_only_value(effects, mismatch.value) { Level::Error } else { Level::Warning };
            (level, "which is called")
        }
        StoreMismatchKind::GainsMixed => (Level::Warning, "which may be called"),
        StoreMismatchKind::LosesMark | StoreMismatchKind::UnmarkedEntry => return None,
    };
    let (value, slot) = (described_value(effects, mismatch.value), effects.slot_name(mismatch.slot));
    let flag = flag(effects, mismatch.paired_flag).map(|flag| format!(" {flag}")).unwrap_or_default();
    let text = format!("{value} stored in {slot}{flag}, {what} {}", effects.pack.words.inside);
    let level = mismatch.value.function().map_or(level, |f| gravest_level(effects, Callee::Function(f), level));
    let function = mismatch.value.function().map_or("", |function| name(effects, function));
    let subjects = vec![value_subject(effects, mismatch.value), slot_subject(effects, mismatch.slot)];
    let message = Message { function, subjects, text };
    let label = stored_here(mismatch.value);
    let mut report = Report::new(effects, &RULE, mismatch.location, label, message).level(level);
    report.mention_slot(mismatch.slot);
    report.label_value(mismatch.value);
    report.label_slot_requirement(mismatch.slot);
    report.note_candidate(mismatch.value, mismatch.location);
    report.note_mismatches(others);
    let described = wording::value(effects, mismatch.value);
    report.help(effects.pack.help(Help::StoreInside, &[("slot", &slot), ("value", &described)]));
    Some(report.finish())
}
