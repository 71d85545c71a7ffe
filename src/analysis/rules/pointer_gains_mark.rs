//! `pointer-gains-mark`: a non-coroutine only function is stored where it is called in coroutines.

use crate::effects::{Effects, Misfit, MisfitKind};
use crate::words::{flag, name};
use cowrap_report::findings::{Finding, Level};

use super::Rule;
use super::report::Report;

/// The rule.
pub const RULE: Rule = Rule {
    name: "pointer-gains-mark",
    level: Level::Error,
    summary: "a non-coroutine only function is stored into a slot that is called in coroutines",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/pointer-gains-mark.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.misfits().iter().filter_map(|misfit| finding(effects, misfit)).collect()
}

fn finding(effects: &Effects<'_>, misfit: &Misfit) -> Option<Finding> {
    let (level, what) = match misfit.kind {
        MisfitKind::GainsMark => (Level::Error, "which is called in coroutines"),
        MisfitKind::GainsEither => (Level::Warning, "which may be called in coroutines"),
        MisfitKind::LosesMark | MisfitKind::UnmarkedEntry => return None,
    };
    let (function, slot) = (name(effects, misfit.store.function), effects.slot_name(misfit.slot));
    let flag = flag(effects, &misfit.store).map(|flag| format!(" {flag}")).unwrap_or_default();
    let message = format!("non-coroutine only `{function}` is stored into {slot}{flag}, {what}");
    let mut report = Report::new(effects, RULE.name, level, function, misfit.store.location, message, "stored here");
    report.label_demand(misfit.store.function);
    if let Some((_, mark)) = effects.slot_demand(misfit.slot) {
        let mark_name = &effects.pack.mark(mark.mark).name;
        report.label(mark.location, format!("{slot} is marked `{mark_name}` here"));
    }
    report.help("store a function that may run in a coroutine, or one that leaves it");
    Some(report.finish())
}
