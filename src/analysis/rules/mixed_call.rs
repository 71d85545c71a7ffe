//! `mixed-call`: a wrapper is called where control is in a coroutine, and could be spared.

use crate::effects::{Breach, BreachKind, Callee, Contest, Effects};
use crate::words::name;
use cowrap_report::findings::{Finding, Level, Safety};

use super::Rule;
use super::report::Report;

/// The rule.
pub const RULE: Rule = Rule {
    name: "mixed-call",
    level: Level::Warning,
    summary: "a function for either context is called in a coroutine, where its coroutine only target could be",
    opt_in: false,
    fixes: Some(Safety::Safe),
    page: include_str!("../../../rules/mixed-call.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let mixed = effects.breaches().iter().filter(|breach| breach.kind == BreachKind::MixedCall);
    mixed.filter_map(|breach| finding(effects, breach)).collect()
}

fn finding(effects: &Effects<'_>, breach: &Breach) -> Option<Finding> {
    // Nobody knows the target of what a slot holds.
    let Callee::Function(callee) = breach.callee else { return None };
    let direct = effects.direct_target(callee)?;
    let (caller, callee_name) = (name(effects, breach.caller), name(effects, callee));
    let target = name(effects, direct);
    if target == caller {
        // The wrapped function itself may have a reason to go round through its wrapper.
        return None;
    }
    let message = format!("`{callee_name}` is called from `{caller}` in a coroutine, where `{target}` could be called");
    let mut report = Report::new(effects, RULE.name, RULE.level, caller, breach.location, message, "called here");
    report.label_demand(callee);
    report.label_demand(breach.caller);
    report.help(format!("call `{target}` instead"));
    // A caller that others call outside of coroutines needs the wrapper, whatever its mark says.
    let contest = effects.contest(breach.caller);
    if effects.have_one_type(callee, direct) && contest != Some(Contest::Direct) {
        // In a coroutine, what is generated does nothing but call its target, unless a lock comes in between.
        let wraps = effects.context_marks(callee).iter().find_map(|(mark, _)| effects.wraps(mark));
        let is_same = wraps.is_some_and(|wraps| wraps.lock.is_none()) && effects.required_lock(direct).is_none();
        let safety = if is_same && contest.is_none() { Safety::Safe } else { Safety::Unsafe };
        report.fix_call(safety, breach.location, callee_name, target);
    }
    Some(report.finish())
}
