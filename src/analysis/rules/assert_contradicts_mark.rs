//! `assert-contradicts-mark`: a function asserts something else than its mark says.

use crate::effects::{Effects, Provenance};
use crate::wording::name;
use cowrap_facts::Context;
use cowrap_packs::Effect;
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    name: "assert-contradicts-mark",
    level: Level::Warning,
    summary: "a function asserts another context than its mark says",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/assert-contradicts-mark.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for function in effects.program.function_ids() {
        let requirement = effects.requirement(function);
        let (Provenance::Marked(mark), Some(effect)) = (requirement.provenance, requirement.effect) else { continue };
        let Some((context, location)) = effects.asserted(function) else { continue };
        let (agrees, asserted) = match context {
            Context::Coroutine => (effect == Effect::CoroutineOnly, "in a coroutine"),
            Context::NonCoroutine => (effect == Effect::NonCoroutineOnly, "outside of coroutines"),
        };
        // A generated body that contradicts its mark is out of date, which is told once for the whole file.
        if agrees || effects.is_generated(location) {
            continue;
        }
        let function = name(effects, function);
        let mark_name = &effects.pack.mark(mark.mark).name;
        let subjects = vec![Role::Function.of(function), Role::Mark.of(mark_name)];
        let text = format!("`{function}` is marked `{mark_name}`, but asserts that it is {asserted}");
        let mut report = Report::new(effects, &RULE, location, "asserted here", Message { function, subjects, text });
        report.label(mark.location, format!("marked `{mark_name}` ({}) here", effect.describe()));
        report.help("change the mark or the assertion: one of them is wrong");
        findings.push(report.finish());
    }
    findings
}
