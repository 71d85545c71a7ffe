//! `assert-contradicts-mark`: a function asserts a context that its mark excludes.

use crate::effects::{Effects, Provenance};
use crate::wording::{context_noun, name};
use cowrap_facts::Context;
use cowrap_packs::Effect;
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    id: "assert-contradicts-mark",
    level: Level::Warning,
    summary: "a function asserts a context that its mark excludes",
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
        let agrees = match context {
            Context::Inside => effect == Effect::InsideOnly,
            Context::Outside => effect == Effect::OutsideOnly,
        };
        // A generated body that contradicts its mark is out of date, which `wrapper-stale` reports once for the file.
        if agrees || effects.is_generated(location) {
            continue;
        }
        let function = name(effects, function);
        let mark_name = &effects.pack.mark(mark.mark).name;
        let subjects = vec![Role::Function.of(function), Role::Mark.of(mark_name)];
        let text = format!("`{mark_name}` `{function}` asserts {}", context_noun(effects, context));
        let mut report = Report::new(effects, &RULE, location, "asserted here", Message { function, subjects, text });
        report.label(mark.location, format!("marked `{mark_name}` ({}) here", effects.pack.words.effect(effect)));
        report.help("correct the mark or the assertion: they contradict each other");
        findings.push(report.finish());
    }
    findings
}
