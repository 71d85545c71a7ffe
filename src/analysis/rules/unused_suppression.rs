//! `unused-suppression`: a suppression comment suppresses nothing.

use cowrap_report::{Finding, Label, Level, Role, Span};

use super::{Rule, beside_the_program, without_effects};

/// The rule. Its findings are made where comments are read.
pub const RULE: Rule = Rule {
    id: "unused-suppression",
    level: Level::Warning,
    summary: "a suppression comment suppresses nothing",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/unused-suppression.md"),
    check: without_effects,
};

/// A comment without which there would be as many findings of a rule.
pub fn finding(at: Span, rule: &str) -> Finding {
    let message = format!("suppression of `{rule}` matches no finding");
    let label = Label { at, text: "no such finding here".to_owned() };
    beside_the_program(
        &RULE,
        vec![Role::Rule.of(rule)],
        message,
        label,
        "remove the comment, or move it to the code that it is about".to_owned(),
    )
}
