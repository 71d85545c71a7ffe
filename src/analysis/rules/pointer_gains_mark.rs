//! `pointer-gains-mark`: a non-coroutine-only function is stored in a slot that is called in coroutine context.

use crate::effects::{Effects, StoreMismatch, StoreMismatchKind};
use crate::wording::{described_value, flag, name};
use cowrap_report::{Finding, Level};

use super::Rule;
use super::report::{Message, Report, slot_subject, stored_here, value_subject};

/// The rule.
pub const RULE: Rule = Rule {
    name: "pointer-gains-mark",
    level: Level::Error,
    summary: "a non-coroutine-only function is stored in a slot that is called in coroutine context",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/pointer-gains-mark.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.store_mismatches().iter().filter_map(|mismatch| finding(effects, mismatch)).collect()
}

fn finding(effects: &Effects<'_>, mismatch: &StoreMismatch) -> Option<Finding> {
    let (level, what) = match mismatch.kind {
        StoreMismatchKind::GainsMark => (Level::Error, "which is called in coroutine context"),
        StoreMismatchKind::GainsMixed => (Level::Warning, "which may be called in coroutine context"),
        StoreMismatchKind::LosesMark | StoreMismatchKind::UnmarkedEntry => return None,
    };
    let (value, slot) = (described_value(effects, mismatch.value), effects.slot_name(mismatch.slot));
    let flag = flag(effects, mismatch.paired_flag).map(|flag| format!(" {flag}")).unwrap_or_default();
    let text = format!("{value} stored in {slot}{flag}, {what}");
    let function = mismatch.value.function().map_or("", |function| name(effects, function));
    let subjects = vec![value_subject(effects, mismatch.value), slot_subject(effects, mismatch.slot)];
    let message = Message { function, subjects, text };
    let label = stored_here(mismatch.value);
    let mut report = Report::new(effects, &RULE, mismatch.location, label, message).level(level);
    report.mention_slot(mismatch.slot);
    report.label_value(mismatch.value);
    if let Some((_, mark)) = effects.slot_requirement(mismatch.slot) {
        let mark_name = &effects.pack.mark(mark.mark).name;
        report.label(mark.location, format!("{slot} is marked `{mark_name}` here"));
    }
    report.help("store a function that may run in coroutine context");
    Some(report.finish())
}
