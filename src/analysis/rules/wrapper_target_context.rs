//! `wrapper-target-context`: a wrapper calls its target in a context that the target does not require.

use crate::effects::{DeclaredWrapper, Effects, Provenance};
use crate::wording::name;
use cowrap_packs::Effect;
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    id: "wrapper-target-context",
    level: Level::Error,
    summary: "a wrapper calls its target in the wrong context",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/wrapper-target-context.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.wrappers().iter().filter_map(|wrapper| finding(effects, wrapper)).collect()
}

fn finding(effects: &Effects<'_>, wrapper: &DeclaredWrapper<'_>) -> Option<Finding> {
    let target = wrapper.target?;
    let requirement = effects.requirement(target);
    if matches!(requirement.provenance, Provenance::Contradictory(..)) {
        return None;
    }
    let is_inside_only = requirement.effect == Some(Effect::InsideOnly);
    let words = &effects.pack.words;
    let (wrong, says, place) = match wrapper.spec.calls {
        Effect::InsideOnly => (!is_inside_only, "is not", &words.inside),
        Effect::Mixed | Effect::OutsideOnly | Effect::Entry => (is_inside_only, "is", &words.outside),
    };
    if !wrong {
        return None;
    }
    let (function, target_name) = (name(effects, wrapper.function), name(effects, target));
    let mark = &effects.pack.mark(wrapper.mark.mark).name;
    let only = &words.inside_only;
    let text = format!("wrapper `{function}` calls `{target_name}` {place}, but `{target_name}` {says} {only}");
    let label = format!("marked `{mark}` here");
    let subjects = vec![Role::Wrapper.of(function), Role::Target.of(target_name)];
    let message = Message { function, subjects, text };
    let mut report = Report::new(effects, &RULE, wrapper.mark.location, label, message);
    match requirement.effect {
        Some(_) => report.label_requirement(target),
        None => {
            if let Some(declaration) = effects.program.function(target).declarations.first() {
                report.label(declaration.location, format!("`{target_name}` is unmarked here"));
            }
        }
    }
    match wrapper.spec.calls {
        Effect::InsideOnly => {
            report.help(format!("mark `{target_name}`, or call it directly instead of through a wrapper"));
        }
        Effect::Mixed | Effect::OutsideOnly | Effect::Entry => {
            report.help(format!("call `{target_name}` directly {}, and remove the wrapper", words.inside));
        }
    }
    Some(report.finish())
}
