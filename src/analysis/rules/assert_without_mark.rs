//! `assert-without-mark`: an unmarked function asserts its context and relies on it.

use crate::effects::{Callee, Effects, Provenance, ViolationKind};
use crate::program::{FunctionId, Location};
use crate::wording::{described, mark_for, mark_for_callee, name};
use cowrap_facts::ContextSet;
use cowrap_packs::Effect;
use cowrap_report::{Finding, Level, Role, Safety};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    id: "assert-without-mark",
    level: Level::Warning,
    summary: "an unmarked function asserts in which context it runs",
    opt_in: false,
    fixes: Some(Safety::Safe),
    page: include_str!("../../../rules/assert-without-mark.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for function in effects.program.function_ids() {
        let Provenance::Inferred(location) = effects.requirement(function).provenance else { continue };
        findings.extend(match effects.requirement(function).effect {
            Some(Effect::InsideOnly) => inside(effects, function, location),
            Some(Effect::OutsideOnly) => outside(effects, function, location),
            _ => None,
        });
    }
    findings
}

/// A function that asserts the inside context, and calls something inside-only.
fn inside(effects: &Effects<'_>, function: FunctionId, location: Location) -> Option<Finding> {
    // Without a mark in the pack there is nothing to write.
    let mark = mark_for_callee(effects, Callee::Function(function), Effect::InsideOnly)?;
    let bodies = &effects.program.function(function).bodies;
    let calls = bodies.iter().flat_map(|body| &effects.program.body(*body).calls);
    let mut demanding = calls.filter(|call| {
        call.kind.is_in_place()
            && effects.requirement(call.callee).effect == Some(Effect::InsideOnly)
            && !call.condition.contexts().is_empty()
    });
    let first = demanding.next()?;
    let name_of = name(effects, function);
    let text = format!("unmarked `{name_of}` asserts {}", effects.pack.words.inside_context);
    let message = Message { function: name_of, subjects: vec![Role::Function.of(name_of)], text };
    let mut report = Report::new(effects, &RULE, location, "asserted here", message);
    report.mention(first.callee);
    report.label(first.location, format!("{} called here", described(effects, first.callee)));
    report.help(format!("mark `{name_of}` as `{mark}`"));
    fix(&mut report, effects, function, Effect::InsideOnly);
    Some(report.finish())
}

/// A function that asserts the outside context, and is called from marked functions.
fn outside(effects: &Effects<'_>, function: FunctionId, location: Location) -> Option<Finding> {
    // A tree without the mark (QEMU before 8.0) can only say it by the assertion.
    effects.plain_mark(Effect::OutsideOnly).filter(|mark| effects.program.declares_mark(*mark))?;
    let calls = effects.program.calls_of(function);
    let (site, caller) = calls.iter().find(|(site, caller)| {
        let call = effects.program.call(*site);
        effects.is_marked(*caller)
            && call.kind.is_in_place()
            && !call.condition.contexts_from(effects.start(*caller)).is_empty()
    })?;
    let name_of = name(effects, function);
    let text = format!("unmarked `{name_of}` asserts {}", effects.pack.words.outside_context);
    let message = Message { function: name_of, subjects: vec![Role::Function.of(name_of)], text };
    let mut report = Report::new(effects, &RULE, location, "asserted here", message);
    let from = described(effects, *caller);
    report.mention(*caller);
    report.label(effects.program.call(*site).location, format!("called from {from} here"));
    let breached = effects.violations().iter().any(|violation| {
        violation.callee == Callee::Function(function)
            && violation.kind == ViolationKind::OutsideCall
            && violation.contexts == ContextSet::INSIDE
    });
    if breached {
        report.note(format!("its calls {} are reported separately", effects.pack.words.inside));
    }
    report.help(format!("mark `{name_of}` as `{}`", mark_for(effects, Effect::OutsideOnly)));
    fix(&mut report, effects, function, Effect::OutsideOnly);
    Some(report.finish())
}

/// The mark says what was inferred already, so that no caller needs one.
fn fix(report: &mut Report<'_, '_>, effects: &Effects<'_>, function: FunctionId, effect: Effect) {
    if let Some(mark) = effects.usable_mark(effect) {
        let action = report.mark_action(Callee::Function(function), mark);
        report.fix(Safety::Safe, format!("mark `{}` as `{mark}`", name(effects, function)), vec![action]);
    }
}
