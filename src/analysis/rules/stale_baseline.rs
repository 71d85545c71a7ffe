//! `stale-baseline`: a baseline entry matches no finding.

use cowrap_report::{BaselineEntry, Finding, Label, Level, Role, Span};

use super::{Rule, beside_the_program, without_effects};
use cowrap_base::files::Shown;

/// The rule. Its findings are made where the baseline is read.
pub const RULE: Rule = Rule {
    id: "stale-baseline",
    level: Level::Warning,
    summary: "a baseline entry matches no finding",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/stale-baseline.md"),
    check: without_effects,
};

/// An entry of a baseline that matches no finding.
pub fn finding(at: Span, entry: &BaselineEntry) -> Finding {
    let path = entry.path.shown();
    let function = match entry.function.as_str() {
        "" => String::new(),
        function => format!(", function `{function}`"),
    };
    let message = format!("baseline entry matches no finding: `{}` in {path}{function}", entry.rule);
    let label = Label { at, text: format!("recorded message: {}", entry.message) };
    let subjects = vec![Role::Rule.of(&entry.rule), Role::BaselineEntry.of(&entry.fingerprint)];
    beside_the_program(&RULE, subjects, message, label, "run `cowrap baseline` to rewrite the baseline".to_owned())
}
