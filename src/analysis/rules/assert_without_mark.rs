//! `assert-without-mark`: a function asserts its context, acts on it, and bears no mark that says so.

use crate::effects::{Callee, Effects, Provenance, ViolationKind};
use crate::program::{FunctionId, Location};
use crate::wording::{mark_for, name};
use cowrap_facts::ContextSet;
use cowrap_packs::Effect;
use cowrap_report::{Finding, Level, Role, Safety};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    name: "assert-without-mark",
    level: Level::Warning,
    summary: "a function asserts in which context it runs, but bears no mark that says so",
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
            Some(Effect::CoroutineOnly) => in_coroutine(effects, function, location),
            Some(Effect::NonCoroutineOnly) => outside(effects, function, location),
            _ => None,
        });
    }
    findings
}

/// A function that asserts to be in a coroutine, and calls what must be.
fn in_coroutine(effects: &Effects<'_>, function: FunctionId, location: Location) -> Option<Finding> {
    let bodies = &effects.program.function(function).bodies;
    let calls = bodies.iter().flat_map(|body| &effects.program.body(*body).calls);
    let mut demanding = calls.filter(|call| {
        call.kind.is_in_place()
            && effects.requirement(call.callee).effect == Some(Effect::CoroutineOnly)
            && !call.condition.contexts().is_empty()
    });
    let first = demanding.next()?;
    let name_of = name(effects, function);
    let text = format!("`{name_of}` asserts that it is in a coroutine, but bears no mark");
    let message = Message { function: name_of, subjects: vec![Role::Function.of(name_of)], text };
    let mut report = Report::new(effects, &RULE, location, "asserted here", message);
    report.mention(first.callee);
    report.label(first.location, format!("coroutine only `{}` is called here", name(effects, first.callee)));
    report.help(format!("mark `{name_of}` as `{}`", mark_for(effects, Effect::CoroutineOnly)));
    fix(&mut report, effects, function, Effect::CoroutineOnly);
    Some(report.finish())
}

/// A function that asserts to be outside of coroutines, and is called from functions with marks.
fn outside(effects: &Effects<'_>, function: FunctionId, location: Location) -> Option<Finding> {
    // A tree without the mark (QEMU before 8.0) can only say it by the assertion.
    effects.plain_mark(Effect::NonCoroutineOnly).filter(|mark| effects.program.declares_mark(*mark))?;
    let calls = effects.program.calls_of(function);
    let (site, caller) = calls.iter().find(|(site, caller)| {
        let call = effects.program.call(*site);
        effects.is_marked(*caller)
            && call.kind.is_in_place()
            && !effects.start(*caller).and(call.condition.contexts()).is_empty()
    })?;
    let name_of = name(effects, function);
    let text = format!("`{name_of}` asserts that it is outside of coroutines, but bears no mark");
    let message = Message { function: name_of, subjects: vec![Role::Function.of(name_of)], text };
    let mut report = Report::new(effects, &RULE, location, "asserted here", message);
    let from = name(effects, *caller);
    report.mention(*caller);
    report.label(effects.program.call(*site).location, format!("called from `{from}`, which bears one, here"));
    let breached = effects.violations().iter().any(|violation| {
        violation.callee == Callee::Function(function)
            && violation.kind == ViolationKind::BlockingCall
            && violation.contexts == ContextSet::COROUTINE
    });
    if breached {
        report.note("it is called in a coroutine, which is an error of its own");
    }
    report.help(format!("mark `{name_of}` as `{}`", mark_for(effects, Effect::NonCoroutineOnly)));
    fix(&mut report, effects, function, Effect::NonCoroutineOnly);
    Some(report.finish())
}

/// The mark says what was inferred already, and so obliges nobody.
fn fix(report: &mut Report<'_, '_>, effects: &Effects<'_>, function: FunctionId, effect: Effect) {
    if let Some(mark) = effects.usable_mark(effect) {
        let action = report.mark_action(Callee::Function(function), mark);
        report.fix(Safety::Safe, format!("mark `{}` as `{mark}`", name(effects, function)), vec![action]);
    }
}
