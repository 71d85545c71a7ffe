//! `wrapper-stale`: a generated file differs from what its declarations would generate.

use crate::effects::{Effects, StaleFile};
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report};
use cowrap_base::files::Shown;

/// The rule.
pub const RULE: Rule = Rule {
    id: "wrapper-stale",
    level: Level::Warning,
    summary: "a generated file is out of date",
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
    let path = effects.tree.relative(effects.program.path(first.location.file)).to_string_lossy();
    let text = format!("generated file {path} is out of date");
    let says = |function: &str, is_asked_for: bool| match is_asked_for {
        true => format!("`{function}` would be generated differently"),
        false => format!("no declaration asks for `{function}`"),
    };
    let label = says(&first.function, first.is_asked_for);
    let message = Message { function: &first.function, subjects: vec![Role::File.of(path.as_ref())], text };
    let mut report = Report::new(effects, &RULE, first.location, label, message);
    for other in others {
        report.mention_name(&other.function);
        report.note_at(other.location, says(&other.function, other.is_asked_for));
    }
    let inputs: Vec<String> =
        file.inputs.iter().map(|input| effects.tree.relative(input).shown().to_string()).collect();
    report.help(format!("regenerate it from {}", inputs.join(", ")));
    Some(report.finish())
}
