//! `wrapper-stale`: a generated file is not what its declarations ask for.

use crate::effects::{Effects, StaleFile};
use cowrap_report::{Finding, Level};

use super::Rule;
use super::report::Report;

/// The rule.
pub const RULE: Rule = Rule {
    name: "wrapper-stale",
    level: Level::Warning,
    summary: "a generated file is not what its declarations ask for",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/wrapper-stale.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.generation.stale.iter().filter_map(|file| finding(effects, file)).collect()
}

fn finding(effects: &Effects<'_>, file: &StaleFile) -> Option<Finding> {
    let (first, others) = file.differences.split_first()?;
    let path = effects.tree.relative(effects.program.path(first.location.file)).display();
    let message = format!("the generated file {path} is not what its declarations ask for");
    let says = |function: &str, is_asked_for: bool| match is_asked_for {
        true => format!("`{function}` would be generated differently"),
        false => format!("nothing asks for `{function}`"),
    };
    let label = says(&first.function, first.is_asked_for);
    let mut report = Report::new(effects, RULE.name, RULE.level, &first.function, first.location, message, label);
    for other in others {
        report.note_at(other.location, says(&other.function, other.is_asked_for));
    }
    let inputs: Vec<String> =
        file.inputs.iter().map(|input| effects.tree.relative(input).display().to_string()).collect();
    report.help(format!("generate it again from {}", inputs.join(", ")));
    Some(report.finish())
}
