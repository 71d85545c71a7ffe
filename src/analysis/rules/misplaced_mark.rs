//! `misplaced-mark`: a mark on something that is neither a function nor a function pointer.

use crate::effects::Effects;
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    id: "misplaced-mark",
    level: Level::Warning,
    summary: "a mark is on something that is neither a function, nor a function pointer, nor a typedef of either",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/misplaced-mark.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for mark in &effects.program.misplaced {
        let spec = effects.pack.mark(mark.mark);
        if spec.effect.is_none() {
            continue;
        }
        let text = format!("`{}` on a declaration that is neither a function nor a function pointer", spec.name);
        let message = Message { function: "", subjects: vec![Role::Mark.of(&spec.name)], text };
        let mut report = Report::new(effects, &RULE, mark.location, "this mark has no effect", message);
        report.help("move the mark to a function, a function pointer, or a typedef of either");
        findings.push(report.finish());
    }
    findings
}
