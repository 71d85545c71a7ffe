//! `malformed-suppression`: a comment for cowrap cannot be understood, or gives no reason.

use cowrap_report::{Finding, Label, Level, Role, Span};

use super::{Rule, beside_the_program, without_effects};

/// The rule. Its findings are made where comments are read.
pub const RULE: Rule = Rule {
    name: "malformed-suppression",
    level: Level::Error,
    summary: "a comment for cowrap cannot be understood, or gives no reason",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/malformed-suppression.md"),
    check: without_effects,
};

/// The form that is asked for.
const FORM: &str = "write `cowrap: allow(rule) reason`";

/// A comment that says nothing that could be understood.
pub fn not_understood(at: Span, problem: &str) -> Finding {
    let message = "a comment begins with `cowrap:` and cannot be understood".to_owned();
    beside_the_program(&RULE, Vec::new(), message, Label { at, text: problem.to_owned() }, FORM.to_owned())
}

/// A comment that names a rule which is not there; `nearest` is what may have been meant.
pub fn no_such_rule(at: Span, rule: &str, nearest: Option<&str>) -> Finding {
    let help = match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "`cowrap rules` lists them".to_owned(),
    };
    let message = format!("a comment allows `{rule}`, which is no rule");
    let subjects = vec![Role::UnknownRule.of(rule)];
    beside_the_program(&RULE, subjects, message, Label { at, text: format!("there is no rule `{rule}`") }, help)
}

/// A comment that does not say why.
pub fn without_reason(at: Span, rules: &[String]) -> Finding {
    let message = format!("a comment allows `{}` and gives no reason", rules.join("`, `"));
    let label = Label { at, text: "the reason is missing".to_owned() };
    let subjects = rules.iter().map(|rule| Role::Rule.of(rule)).collect();
    beside_the_program(&RULE, subjects, message, label, "say behind the parentheses why it does no harm".to_owned())
}
