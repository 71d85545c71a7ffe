//! `wrapper-lock-variant`: a wrapper and its target disagree on a lock.

use crate::effects::{DeclaredWrapper, Effects};
use crate::wording::name;
use cowrap_packs::LockMode;
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    id: "wrapper-lock-variant",
    level: Level::Error,
    summary: "a wrapper and its target disagree on a lock",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/wrapper-lock-variant.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.wrappers().iter().filter_map(|wrapper| finding(effects, wrapper)).collect()
}

fn finding(effects: &Effects<'_>, wrapper: &DeclaredWrapper<'_>) -> Option<Finding> {
    let target = wrapper.target?;
    let required = effects.required_lock(target);
    let taken = wrapper.spec.lock;
    let held = effects.required_lock(wrapper.function).map(|(mode, _)| mode);
    let (function, target_name) = (name(effects, wrapper.function), name(effects, target));
    let (level, text) = match (required, taken) {
        // Who holds the lock for writing may read as well.
        (Some((LockMode::Read, _)), Some(_)) => return None,
        (Some((mode, _)), taken) if taken == Some(mode) || held == Some(mode) => return None,
        (Some((mode, _)), _) => {
            let how = describe(mode);
            let text = format!("wrapper `{function}` does not take the lock {how}, which `{target_name}` requires");
            (Level::Error, text)
        }
        (None, Some(mode)) => {
            let how = describe(mode);
            let text = format!("wrapper `{function}` takes the lock {how}, which `{target_name}` does not require");
            (Level::Warning, text)
        }
        (None, None) => return None,
    };
    let mark = &effects.pack.mark(wrapper.mark.mark).name;
    let label = format!("marked `{mark}` here");
    let subjects = vec![Role::Wrapper.of(function), Role::Target.of(target_name)];
    let message = Message { function, subjects, text };
    let mut report = Report::new(effects, &RULE, wrapper.mark.location, label, message).level(level);
    if let Some((_, lock)) = required {
        let lock_name = &effects.pack.mark(lock.mark).name;
        report.label(lock.location, format!("`{target_name}` is marked `{lock_name}` here"));
    }
    let variants = effects.pack.marks.iter().filter(|mark| {
        let effect = effects.requirement(wrapper.function).effect;
        mark.effect == effect
            && mark
                .wrapper
                .as_ref()
                .is_some_and(|spec| spec.calls == wrapper.spec.calls && spec.lock == required.map(|(mode, _)| mode))
    });
    match variants.map(|mark| mark.name.as_str()).next() {
        Some(variant) => report.help(format!("declare the wrapper with `{variant}`")),
        None => report.help("no wrapper mark fits: take the lock in a separate function, and wrap that"),
    }
    Some(report.finish())
}

fn describe(mode: LockMode) -> &'static str {
    match mode {
        LockMode::Read => "for reading",
        LockMode::Write => "for writing",
    }
}
