//! `unused-suppression`: a comment suppresses nothing.

use cowrap_report::{Finding, Label, Level, Role, Span};

use super::{Rule, beside_the_program, without_effects};

/// The rule. Its findings are made where comments are read.
pub const RULE: Rule = Rule {
    name: "unused-suppression",
    level: Level::Warning,
    summary: "a comment suppresses nothing",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/unused-suppression.md"),
    check: without_effects,
};

/// A comment without which there would be as many findings of a rule.
pub fn finding(at: Span, rule: &str) -> Finding {
    let message = format!("a comment allows `{rule}` where nothing breaks it");
    let label = Label { at, text: format!("no finding of `{rule}` is here") };
    beside_the_program(
        &RULE,
        vec![Role::Rule.of(rule)],
        message,
        label,
        "take it out, or move it to what it is about".to_owned(),
    )
}
