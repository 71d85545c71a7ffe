//! `wrapper-target-missing`: a wrapper wraps a function that the tree does not have.

use crate::effects::{DeclaredWrapper, Effects};
use crate::wording::name;
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    name: "wrapper-target-missing",
    level: Level::Error,
    summary: "a wrapper is declared, but the function that it wraps is not",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/wrapper-target-missing.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.wrappers().iter().filter_map(|wrapper| finding(effects, wrapper)).collect()
}

fn finding(effects: &Effects<'_>, wrapper: &DeclaredWrapper<'_>) -> Option<Finding> {
    if wrapper.target.is_some() {
        return None;
    }
    let function = name(effects, wrapper.function);
    let mark = &effects.pack.mark(wrapper.mark.mark).name;
    let label = format!("marked `{mark}` here");
    let location = wrapper.mark.location;
    let report = match &wrapper.target_name {
        Some(target) => {
            let text = format!("the wrapper `{function}` wraps `{target}`, which is declared nowhere");
            let subjects = vec![Role::Wrapper.of(function), Role::Target.of(target)];
            let message = Message { function, subjects, text };
            let mut report = Report::new(effects, &RULE, location, label, message);
            report.help(format!("declare `{target}` where the generated file sees it, or rename the wrapper"));
            report
        }
        None => {
            let text = format!("the name of the wrapper `{function}` does not tell what it wraps");
            let message = Message { function, subjects: vec![Role::Wrapper.of(function)], text };
            let mut report = Report::new(effects, &RULE, location, label, message);
            report.help("name it after its target: the subsystem before the first `_` joins the two");
            report
        }
    };
    Some(report.finish())
}
