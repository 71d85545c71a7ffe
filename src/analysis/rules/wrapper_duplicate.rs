//! `wrapper-duplicate`: a wrapper would be generated more than once, or is there already.

use crate::effects::{DeclaredWrapper, Effects};
use crate::program::Declaration;
use crate::wording::name;
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    name: "wrapper-duplicate",
    level: Level::Error,
    summary: "a wrapper is declared twice with a wrapper mark, or also written by hand",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/wrapper-duplicate.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.wrappers().iter().filter_map(|wrapper| finding(effects, wrapper)).collect()
}

fn finding(effects: &Effects<'_>, wrapper: &DeclaredWrapper<'_>) -> Option<Finding> {
    let declarations = &effects.program.function(wrapper.function).declarations;
    let asks = |declaration: &&Declaration| declaration.marks.iter().any(|mark| effects.wraps(mark).is_some());
    let mut asking = declarations.iter().filter(asks);
    let first = asking.next()?;
    let by_hand =
        declarations.iter().find(|declaration| declaration.definition && !effects.is_generated(declaration.location));
    let function = name(effects, wrapper.function);
    let (location, text, label) = match (asking.next(), by_hand) {
        (Some(second), _) => (
            second.location,
            format!("the wrapper `{function}` is asked for twice, and would be generated twice"),
            "asked for again here",
        ),
        (None, Some(definition)) => (
            definition.location,
            format!("`{function}` is written by hand, and is asked for as a generated wrapper as well"),
            "defined here",
        ),
        (None, None) => return None,
    };
    let message = Message { function, subjects: vec![Role::Wrapper.of(function)], text };
    let mut report = Report::new(effects, &RULE, location, label, message);
    report.label(first.location, "asked for here");
    report.help("keep one of the two");
    Some(report.finish())
}
