//! `mark-mismatch`: the declarations of one function disagree on its mark.

use std::collections::BTreeSet;

use crate::effects::{Callee, Dispute, Effects, Provenance};
use crate::program::FunctionId;
use crate::wording::name;
use cowrap_report::{Finding, Level, Role, Safety};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    id: "mark-mismatch",
    level: Level::Error,
    summary: "the declarations of a function have contradictory marks, or one of them lacks the mark",
    opt_in: false,
    fixes: Some(Safety::Safe),
    page: include_str!("../../../rules/mark-mismatch.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let suspects: BTreeSet<FunctionId> = effects.suspects().iter().map(|suspect| suspect.function).collect();
    let mut findings = Vec::new();
    for function in effects.program.function_ids() {
        match effects.requirement(function).provenance {
            Provenance::Contradictory(..) => findings.extend(contradiction(effects, function)),
            Provenance::Marked(_) if !suspects.contains(&function) => findings.extend(missing(effects, function)),
            _ => {}
        }
    }
    findings
}

fn contradiction(effects: &Effects<'_>, function: FunctionId) -> Option<Finding> {
    let Provenance::Contradictory(first, second) = effects.requirement(function).provenance else { return None };
    let function = name(effects, function);
    let (one, other) = (&effects.pack.mark(first.mark).name, &effects.pack.mark(second.mark).name);
    let text = format!("`{function}` is marked both `{one}` and `{other}`");
    let label = format!("marked `{other}` here");
    let subjects = vec![Role::Function.of(function), Role::Mark.of(one), Role::Mark.of(other)];
    let mut report = Report::new(effects, &RULE, second.location, label, Message { function, subjects, text });
    report.label(first.location, format!("marked `{one}` here"));
    report.help(format!("keep the correct mark; until then, cowrap checks no calls to or from `{function}`"));
    Some(report.finish())
}

fn missing(effects: &Effects<'_>, function: FunctionId) -> Option<Finding> {
    let location = effects.unmarked_declaration(function)?;
    let Provenance::Marked(mark) = effects.requirement(function).provenance else { return None };
    let declarations = &effects.program.function(function).declarations;
    let is_definition = declarations.iter().any(|declared| declared.location == location && declared.definition);
    let id = function;
    let function = name(effects, id);
    let mark_name = &effects.pack.mark(mark.mark).name;
    // A prototype that lacks the mark as well may be the next one that a person meets, and is not what bears it.
    let is_on_prototype = declarations.iter().any(|declared| declared.marks.contains(&mark) && !declared.definition);
    let (this, that) = match (is_definition, is_on_prototype) {
        (true, true) => ("definition", "prototype"),
        (true, false) => ("definition", "other definition"),
        (false, _) => ("prototype", "other declaration"),
    };
    let text = format!("{this} of `{function}` lacks `{mark_name}`, which its {that} has");
    let subjects = vec![Role::Function.of(function), Role::Mark.of(mark_name)];
    let message = Message { function, subjects, text };
    let mut report = Report::new(effects, &RULE, location, "unmarked here", message).level(Level::Warning);
    report.label(mark.location, format!("marked `{mark_name}` here"));
    report.help(format!("write `{mark_name}` on both"));
    // What a generator makes of a wrapper mark is not to be marked again; and where others call the function
    // outside, it may be the mark that is wrong.
    if effects.pack.mark(mark.mark).wrapper.is_none() && effects.dispute(id) != Some(Dispute::Direct) {
        let action = report.mark_action(Callee::Function(id), mark_name);
        report.fix(Safety::Safe, format!("mark every declaration of `{function}` as `{mark_name}`"), vec![action]);
    }
    Some(report.finish())
}
