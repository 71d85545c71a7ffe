//! `malformed-suppression`: a `cowrap:` comment is not a valid suppression, or gives no reason.

use cowrap_report::{Finding, Label, Level, Role, Span};

use super::{Rule, beside_the_program, without_effects};

/// The rule. Its findings are made where comments are read.
pub const RULE: Rule = Rule {
    id: "malformed-suppression",
    level: Level::Error,
    summary: "a `cowrap:` comment is not a valid suppression, or gives no reason",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/malformed-suppression.md"),
    check: without_effects,
};

/// The valid form.
const FORM: &str = "write `cowrap: allow(rule) reason`";

/// A comment that is not a valid suppression.
pub fn not_understood(at: Span, problem: &str) -> Finding {
    let message = "comment begins with `cowrap:` but is not a valid suppression".to_owned();
    beside_the_program(&RULE, Vec::new(), message, Label { at, text: problem.to_owned() }, FORM.to_owned())
}

/// A comment that names an unknown rule; `nearest` is what may have been meant.
pub fn no_such_rule(at: Span, rule: &str, nearest: Option<&str>) -> Finding {
    let help = match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "`cowrap rules` lists all rules".to_owned(),
    };
    let message = format!("suppression of unknown rule `{rule}`");
    let subjects = vec![Role::UnknownRule.of(rule)];
    beside_the_program(&RULE, subjects, message, Label { at, text: "unknown rule".to_owned() }, help)
}

/// A comment that gives no reason.
pub fn without_reason(at: Span, rules: &[String]) -> Finding {
    let message = format!("suppression of `{}` without a reason", rules.join("`, `"));
    let label = Label { at, text: "reason missing".to_owned() };
    let subjects = rules.iter().map(|rule| Role::Rule.of(rule)).collect();
    beside_the_program(&RULE, subjects, message, label, "write the reason after the closing parenthesis".to_owned())
}
