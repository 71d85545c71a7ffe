//! `superfluous-mark`: an inside-only function certainly reaches no primitive.

use crate::effects::{Effects, Provenance};
use crate::program::FunctionId;
use crate::wording::{name, span};
use cowrap_packs::Effect;
use cowrap_report::{Action, Finding, Level, Role, Safety};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    id: "superfluous-mark",
    level: Level::Warning,
    summary: "{a inside_only} function {never}",
    opt_in: true,
    fixes: Some(Safety::Unsafe),
    page: include_str!("../../../rules/superfluous-mark.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.program.function_ids().filter_map(|function| finding(effects, function)).collect()
}

fn finding(effects: &Effects<'_>, function: FunctionId) -> Option<Finding> {
    let program = effects.program;
    let requirement = effects.requirement(function);
    let Provenance::Marked(mark) = requirement.provenance else { return None };
    if requirement.effect != Some(Effect::InsideOnly) || effects.pack.mark(mark.mark).wrapper.is_some() {
        return None;
    }
    let linked = program.function(function);
    if linked.bodies.is_empty() || effects.may_reach_primitive(function) {
        return None;
    }
    // What is stored must have the type that the slot asks for; what is suspect is reported as such.
    let suspect = effects.suspects().iter().any(|suspect| suspect.function == function);
    if suspect || !program.stores_of(function).is_empty() {
        return None;
    }
    // Without its own mark, a call of what still bears one would be wrong; that one comes first.
    let mut calls = linked.bodies.iter().flat_map(|body| &program.body(*body).calls);
    if calls.any(|call| effects.requirement(call.callee).effect == Some(Effect::InsideOnly)) {
        return None;
    }
    let (function_name, mark_name) = (name(effects, function), &effects.pack.mark(mark.mark).name);
    let text = format!("`{mark_name}` `{function_name}` {}", effects.pack.words.never);
    let subjects = vec![Role::Function.of(function_name), Role::Mark.of(mark_name)];
    let message = Message { function: function_name, subjects, text };
    let mut report = Report::new(effects, &RULE, mark.location, "marked here", message);
    if let Some(body) = linked.bodies.first() {
        report.label(program.body(*body).location, format!("`{function_name}` is defined here"));
    }
    report.help(format!(
        "remove `{mark_name}` from `{function_name}`, unless it needs {} for another reason",
        effects.pack.words.inside_context
    ));
    let marks = effects.context_marks(function);
    let at = marks.iter().map(|(mark, _)| span(effects, mark.location)).collect();
    let action = Action::Unmark { mark: mark_name.clone(), at };
    report.fix(Safety::Unsafe, format!("remove `{mark_name}` from `{function_name}`"), vec![action]);
    Some(report.finish())
}
