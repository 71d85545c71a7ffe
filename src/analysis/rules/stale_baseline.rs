//! `stale-baseline`: the baseline has findings that are not there any more.

use cowrap_report::{BaselineEntry, Finding, Label, Level, Role, Span};

use super::{Rule, beside_the_program, without_effects};

/// The rule. Its findings are made where the baseline is read.
pub const RULE: Rule = Rule {
    name: "stale-baseline",
    level: Level::Warning,
    summary: "the baseline has findings that are not there any more",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/stale-baseline.md"),
    check: without_effects,
};

/// An entry of a baseline that is no finding any more.
pub fn finding(at: Span, entry: &BaselineEntry) -> Finding {
    let path = entry.path.display();
    let function = match entry.function.as_str() {
        "" => String::new(),
        function => format!(" in `{function}`"),
    };
    let message =
        format!("the baseline has a finding of `{}` for {path}{function} that is not there any more", entry.rule);
    let label = Label { at, text: format!("it said: {}", entry.message) };
    let subjects = vec![Role::Rule.of(&entry.rule), Role::BaselineEntry.of(&entry.fingerprint)];
    beside_the_program(&RULE, subjects, message, label, "write the baseline anew with `cowrap baseline`".to_owned())
}
