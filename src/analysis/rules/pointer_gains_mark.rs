//! `pointer-gains-mark`: a non-coroutine-only function is stored in a slot that is called in coroutine context.

use crate::effects::{Effects, StoreMismatch, StoreMismatchKind};
use crate::wording::{described, flag, name};
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report, slot_subject};

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
    let (function, slot) = (name(effects, mismatch.store.function), effects.slot_name(mismatch.slot));
    let flag = flag(effects, &mismatch.store).map(|flag| format!(" {flag}")).unwrap_or_default();
    let text = format!("{} stored in {slot}{flag}, {what}", described(effects, mismatch.store.function));
    let subjects = vec![Role::Function.of(function), slot_subject(effects, mismatch.slot)];
    let message = Message { function, subjects, text };
    let mut report = Report::new(effects, &RULE, mismatch.store.location, "stored here", message).level(level);
    report.mention_slot(mismatch.slot);
    report.label_requirement(mismatch.store.function);
    if let Some((_, mark)) = effects.slot_requirement(mismatch.slot) {
        let mark_name = &effects.pack.mark(mark.mark).name;
        report.label(mark.location, format!("{slot} is marked `{mark_name}` here"));
    }
    report.help("store a function that may run in coroutine context");
    Some(report.finish())
}
