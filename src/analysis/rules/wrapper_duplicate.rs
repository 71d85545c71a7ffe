//! `wrapper-duplicate`: a wrapper would be generated twice, or is also written by hand.

use crate::effects::{DeclaredWrapper, Effects};
use crate::program::Declaration;
use crate::wording::name;
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    id: "wrapper-duplicate",
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
            format!("wrapper `{function}` is declared twice with a wrapper mark"),
            "declared again here",
        ),
        (None, Some(definition)) => {
            (definition.location, format!("wrapper `{function}` is both generated and written by hand"), "defined here")
        }
        (None, None) => return None,
    };
    let message = Message { function, subjects: vec![Role::Wrapper.of(function)], text };
    let mut report = Report::new(effects, &RULE, location, label, message);
    report.label(first.location, "declared as a wrapper here");
    report.help("keep only one of the two");
    Some(report.finish())
}
