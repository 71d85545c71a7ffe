//! `pointer-loses-mark`: an inside-only function is stored in a slot that is not inside-only.

use std::collections::BTreeMap;

use crate::effects::{Callee, Effects, StoreMismatch, StoreMismatchKind};
use crate::program::SlotId;
use crate::wording::{self, described_slot, described_value, flag, mark_for_callee, name};
use cowrap_packs::{Effect, Help};
use cowrap_report::{Finding, Level, Safety};

use super::Rule;
use super::report::{Message, Report, slot_subject, stored_here, value_subject};

/// The rule.
pub const RULE: Rule = Rule {
    id: "pointer-loses-mark",
    level: Level::Error,
    summary: "{a inside_only} function is stored in a slot that is not {inside_only}",
    opt_in: false,
    fixes: Some(Safety::Safe),
    page: include_str!("../../../rules/pointer-loses-mark.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let mut by_slot: BTreeMap<SlotId, Vec<StoreMismatch>> = BTreeMap::new();
    let mut findings = Vec::new();
    for mismatch in effects.store_mismatches().iter().filter(|mismatch| mismatch.kind == StoreMismatchKind::LosesMark) {
        match flag(effects, mismatch.paired_flag) {
            _ if effects.thread_of_slot(mismatch.slot).is_some() => findings.push(to_thread(effects, mismatch)),
            Some(flag) => findings.push(beside_flag(effects, mismatch, &flag)),
            None => by_slot.entry(mismatch.slot).or_default().push(*mismatch),
        }
    }
    findings
        .extend(by_slot.into_iter().filter_map(|(slot, store_mismatches)| finding(effects, slot, &store_mismatches)));
    findings
}

/// Where a flag beside the slot says what it demands, each store is one thing to fix.
fn beside_flag(effects: &Effects<'_>, mismatch: &StoreMismatch, flag: &str) -> Finding {
    let (value, slot) = (described_value(effects, mismatch.value), effects.slot_name(mismatch.slot));
    let text = format!("{value} stored in {slot} {flag}");
    let mut report = start(effects, mismatch, text);
    report.help(help(effects, Help::SetFlag, mismatch));
    report.finish()
}

/// A help text about one store.
fn help(effects: &Effects<'_>, help: Help, mismatch: &StoreMismatch) -> String {
    let (slot, value) = (effects.slot_name(mismatch.slot), wording::value(effects, mismatch.value));
    effects.pack.help(help, &[("slot", &slot), ("value", &value)])
}

/// A finding without advice.
fn start<'e, 'a>(effects: &'e Effects<'a>, mismatch: &StoreMismatch, text: String) -> Report<'e, 'a> {
    let function = mismatch.value.function().map_or("", |function| name(effects, function));
    let subjects = vec![value_subject(effects, mismatch.value), slot_subject(effects, mismatch.slot)];
    let message = Message { function, subjects, text };
    let mut report = Report::new(effects, &RULE, mismatch.location, stored_here(mismatch.value), message);
    report.mention_slot(mismatch.slot);
    report.label_value(mismatch.value);
    report
}

/// What another thread runs is never inside: each store is one thing to fix.
fn to_thread(effects: &Effects<'_>, mismatch: &StoreMismatch) -> Finding {
    let (value, slot) = (described_value(effects, mismatch.value), effects.slot_name(mismatch.slot));
    let text = format!("{value} passed to {slot}, which runs it in another thread");
    let mut report = start(effects, mismatch, text);
    report.help(help(effects, Help::PassOutside, mismatch));
    report.finish()
}

/// One finding for each slot: its missing mark is the one thing to fix.
fn finding(effects: &Effects<'_>, slot: SlotId, store_mismatches: &[StoreMismatch]) -> Option<Finding> {
    let (first, others) = store_mismatches.split_first()?;
    let slot_name = effects.slot_name(slot);
    let requirement = effects.slot_requirement(slot);
    let mark = mark_for_callee(effects, Callee::Slot(slot), Effect::InsideOnly);
    // If the pack has no mark for slots, an unmarked one says nothing.
    if requirement.is_none() && mark.is_none() {
        return None;
    }
    let what = match requirement {
        Some(_) => described_slot(effects, slot),
        None => format!("unmarked {slot_name}"),
    };
    let text = format!("{} stored in {what}", described_value(effects, first.value));
    let mut report = start(effects, first, text);
    report.label_slot_requirement(slot);
    report.note_mismatches(others);
    let closure = effects.mark_closure(Callee::Slot(slot));
    if requirement.is_none() {
        report.note_required_marks(&closure);
        report.fix_by_marks(Callee::Slot(slot), &closure);
    }
    let instead = if first.value.function().is_some() { ", or store a wrapper" } else { "" };
    report.help(match mark {
        Some(mark) => format!("mark {slot_name} as `{mark}`{instead}"),
        None => format!("store a function that may run {}", effects.pack.words.outside),
    });
    Some(report.finish())
}
