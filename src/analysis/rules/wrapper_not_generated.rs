//! `wrapper-not-generated`: a wrapper is declared, but not generated.

use crate::effects::{DeclaredWrapper, Effects};
use crate::wording::name;
use cowrap_report::{Action, Finding, Level, Role, Safety};

use super::Rule;
use super::report::{Message, Report};
use cowrap_base::files::Shown;

/// The rule.
pub const RULE: Rule = Rule {
    id: "wrapper-not-generated",
    level: Level::Error,
    summary: "a wrapper is declared, but not generated",
    opt_in: false,
    fixes: Some(Safety::Safe),
    page: include_str!("../../../rules/wrapper-not-generated.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let wrappers = effects.wrappers();
    let bodies = |wrapper: &DeclaredWrapper<'_>| effects.program.function(wrapper.function).bodies.clone();
    let is_generated = |wrapper: &DeclaredWrapper<'_>| {
        bodies(wrapper).iter().any(|body| effects.is_generated(effects.program.body(*body).location))
    };
    // Without any generated file, nothing can be said of a header that the generator reads: its output may just not
    // be part of what was read.
    let output_was_read = wrappers.iter().any(is_generated);
    let missing = wrappers.iter().filter(|wrapper| bodies(wrapper).is_empty());
    missing.filter_map(|wrapper| finding(effects, wrapper, output_was_read)).collect()
}

fn finding(effects: &Effects<'_>, wrapper: &DeclaredWrapper<'_>, output_was_read: bool) -> Option<Finding> {
    let function = name(effects, wrapper.function);
    let mark = &effects.pack.mark(wrapper.mark.mark).name;
    let header = effects.program.path(wrapper.mark.location.file);
    let shown = effects.tree.relative(header).shown();
    let mut is_input = true;
    let help = match &effects.generation.inputs {
        Some(inputs) if !inputs.contains(header) => {
            is_input = false;
            format!("add {shown} to the generator's inputs")
        }
        Some(_) if output_was_read => "run the generator again: it already reads this header".to_owned(),
        None if output_was_read => format!("add {shown} to the generator's inputs, and run it again"),
        _ => return None,
    };
    let text = format!("wrapper `{function}` is declared, but not generated");
    let label = format!("marked `{mark}` here");
    let message = Message { function, subjects: vec![Role::Wrapper.of(function)], text };
    let mut report = Report::new(effects, &RULE, wrapper.mark.location, label, message);
    report.help(help);
    if !is_input {
        let action = Action::AddInput { header: effects.tree.relative(header).to_path_buf() };
        report.fix(Safety::Safe, format!("add {shown} to the generator's inputs"), vec![action]);
    }
    Some(report.finish())
}
