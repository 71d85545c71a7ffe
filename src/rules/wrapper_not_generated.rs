//! `wrapper-not-generated`: a wrapper is declared, and nothing generates it.

use crate::effects::{DeclaredWrapper, Effects};
use crate::findings::{Finding, Level};

use super::Rule;
use super::words::{Report, name};

/// The rule.
pub const RULE: Rule = Rule {
    name: "wrapper-not-generated",
    level: Level::Error,
    summary: "a wrapper is declared, but no unit defines it",
    page: include_str!("../../rules/wrapper-not-generated.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let wrappers = effects.wrappers();
    // Without any generated file, nothing can be said: it may just not be part of what was read.
    let bodies = |wrapper: &DeclaredWrapper<'_>| effects.program.function(wrapper.function).bodies.clone();
    let is_generated = |wrapper: &DeclaredWrapper<'_>| {
        bodies(wrapper).iter().any(|body| effects.is_generated(effects.program.body(*body).place))
    };
    if !wrappers.iter().any(is_generated) {
        return Vec::new();
    }
    let missing = wrappers.iter().filter(|wrapper| bodies(wrapper).is_empty());
    missing.map(|wrapper| finding(effects, wrapper)).collect()
}

fn finding(effects: &Effects<'_>, wrapper: &DeclaredWrapper<'_>) -> Finding {
    let function = name(effects, wrapper.function);
    let mark = &effects.pack.mark(wrapper.mark.mark).name;
    let message = format!("the wrapper `{function}` is declared, but not generated");
    let label = format!("marked `{mark}` here");
    let mut report = Report::new(effects, RULE.name, RULE.level, function, wrapper.mark.place, message, label);
    report.help("give this header to the generator, and generate again");
    report.finish()
}
