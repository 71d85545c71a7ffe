//! `wrapper-target-missing`: the target of a wrapper is not declared.

use crate::effects::{DeclaredWrapper, Effects};
use crate::wording::name;
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    id: "wrapper-target-missing",
    level: Level::Error,
    summary: "the target of a wrapper is not declared",
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
            let text = format!("target `{target}` of wrapper `{function}` is not declared");
            let subjects = vec![Role::Wrapper.of(function), Role::Target.of(target)];
            let message = Message { function, subjects, text };
            let mut report = Report::new(effects, &RULE, location, label, message);
            report.help(format!(
                "declare `{target}` in a header that the generated file includes, or rename the wrapper"
            ));
            report
        }
        None => {
            let text = format!("no target follows from the name of wrapper `{function}`");
            let message = Message { function, subjects: vec![Role::Wrapper.of(function)], text };
            let mut report = Report::new(effects, &RULE, location, label, message);
            report.help(match effects.pack.target_name("prefix_name") {
                Some(target) => format!("name the wrapper after its target, as `prefix_name` after `{target}`"),
                None => "name the wrapper after its target".to_owned(),
            });
            report
        }
    };
    Some(report.finish())
}
