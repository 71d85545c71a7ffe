//! `eligible-mark`: a function that is only called {inside} is unmarked.

use crate::effects::{Callee, Effects, Provenance};
use crate::program::FunctionId;
use crate::wording::{mark_for_callee, name};
use cowrap_facts::ContextSet;
use cowrap_packs::Effect;
use cowrap_report::{Finding, Level, Role, Safety};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    id: "eligible-mark",
    level: Level::Warning,
    summary: "an unmarked function is only called {inside}",
    opt_in: true,
    fixes: Some(Safety::Safe),
    page: include_str!("../../../rules/eligible-mark.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.program.function_ids().filter_map(|function| finding(effects, function)).collect()
}

fn finding(effects: &Effects<'_>, function: FunctionId) -> Option<Finding> {
    let program = effects.program;
    if effects.requirement(function).provenance != Provenance::Unmarked {
        return None;
    }
    // Every caller counts, those through slots too; a function that nobody calls may be entered in either.
    if effects.entry_contexts().possible.contexts(function) != ContextSet::INSIDE {
        return None;
    }
    // Without a mark in the pack there is nothing to write.
    let mark = mark_for_callee(effects, Callee::Function(function), Effect::InsideOnly)?;
    let body = program.body(*program.function(function).bodies.first()?);
    if effects.is_generated(body.location) {
        return None;
    }
    let function_name = name(effects, function);
    let text = format!("unmarked `{function_name}` is only called {}", effects.pack.words.inside);
    let subjects = vec![Role::Function.of(function_name)];
    let message = Message { function: function_name, subjects, text };
    let mut report = Report::new(effects, &RULE, body.location, "defined here", message);
    report.note_calls(&program.calls_of(function), |caller| format!("`{caller}` calls it here"));
    report
        .note_stores(program.stores_of(function), |_| format!("stored here, and called {}", effects.pack.words.inside));
    let closure = effects.mark_closure(Callee::Function(function));
    report.note_required_marks(&closure);
    report.fix_by_marks(Callee::Function(function), &closure);
    report.help(format!("mark `{function_name}` as `{mark}`"));
    Some(report.finish())
}
