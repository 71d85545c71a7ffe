//! `mixed-call`: a mixed function is called inside, where its target can be called directly.

use crate::effects::{Callee, Dispute, Effects, Violation, ViolationKind};
use crate::wording::{described, mark_for, name, span};
use cowrap_packs::Effect;
use cowrap_report::{Action, Finding, Level, Role, Safety};

use super::Rule;
use super::report::{Message, Report, call_instead};

/// The rule.
pub const RULE: Rule = Rule {
    id: "mixed-call",
    level: Level::Warning,
    summary: "{a mixed} function is called {inside} instead of its {inside_only} target",
    opt_in: false,
    fixes: Some(Safety::Safe),
    page: include_str!("../../../rules/mixed-call.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let mixed = effects.violations().iter().filter(|violation| violation.kind == ViolationKind::MixedCall);
    mixed.filter_map(|violation| finding(effects, violation)).collect()
}

fn finding(effects: &Effects<'_>, violation: &Violation) -> Option<Finding> {
    // The target of what a slot points to is unknown.
    let Callee::Function(callee) = violation.callee else { return None };
    let direct = effects.direct_target(callee)?;
    let (caller, callee_name) = (name(effects, violation.caller), name(effects, callee));
    let target = name(effects, direct);
    if target == caller {
        // The wrapped function itself may have a reason to go round through its wrapper.
        return None;
    }
    let words = &effects.pack.words;
    let is_inferred = effects.runs_only_inside(violation.caller);
    let place = match effects.requirement(violation.caller).effect {
        Some(Effect::InsideOnly) => format!("from {}", described(effects, violation.caller)),
        _ if is_inferred => format!("from unmarked `{caller}`, which runs only {},", words.inside),
        _ => format!("{} in `{caller}`", words.inside),
    };
    let text = format!("{} called {place} instead of `{target}`", described(effects, callee));
    let subjects = vec![Role::Caller.of(caller), Role::Callee.of(callee_name), Role::Target.of(target)];
    let message = Message { function: caller, subjects, text };
    let mut report = Report::new(effects, &RULE, violation.location, "called here", message);
    report.label_requirement(callee);
    report.label_requirement(violation.caller);
    let closure = is_inferred.then(|| effects.mark_closure(Callee::Function(violation.caller)));
    match &closure {
        None => report.help(format!("call `{target}` instead")),
        Some(closure) => {
            report.note_only_inside(violation.caller);
            report.note_required_marks(closure);
            let mark = mark_for(effects, Effect::InsideOnly);
            report.help(format!("mark `{caller}` as `{mark}`, and call `{target}` instead"));
        }
    }
    // A caller that others call outside needs the wrapper, whatever its mark says.
    let contest = effects.dispute(violation.caller);
    if effects.have_one_type(callee, direct) && contest != Some(Dispute::Direct) {
        // In the inside context, what is generated does nothing but call its target, unless a lock comes in between.
        let wraps = effects.context_marks(callee).iter().find_map(|(mark, _)| effects.wraps(mark));
        let is_same = wraps.is_some_and(|wraps| wraps.lock.is_none()) && effects.required_lock(direct).is_none();
        let safety = if is_same && contest.is_none() { Safety::Safe } else { Safety::Unsafe };
        match &closure {
            None => report.fix_call(safety, violation.location, callee_name, target),
            Some(closure) => {
                let at = span(effects, violation.location);
                let call = Action::CallInstead { old: callee_name.to_owned(), new: target.to_owned(), at };
                let change = (call_instead(callee_name, target), call);
                report.fix_by_marks_and(safety, Callee::Function(violation.caller), closure, change);
            }
        }
    }
    Some(report.finish())
}
