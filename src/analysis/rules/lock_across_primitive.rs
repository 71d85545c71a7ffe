//! `lock-across-primitive`: a function may reach a primitive while it holds a lock of its thread.

use crate::effects::{Effects, LockAcrossPrimitive};
use crate::wording::{call_of, name};
use cowrap_packs::Help;
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report, callee_subject};

/// The rule.
pub const RULE: Rule = Rule {
    id: "lock-across-primitive",
    level: Level::Warning,
    summary: "a thread lock is held across a call that {may}",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/lock-across-primitive.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.locks_across_primitives().iter().filter_map(|held| finding(effects, held)).collect()
}

fn finding(effects: &Effects<'_>, held: &LockAcrossPrimitive) -> Option<Finding> {
    let (location, callee) = *held.calls.first()?;
    let caller = name(effects, held.caller);
    let lock = &effects.pack.locks[usize::from(held.lock.0)].name;
    let (call, may) = (call_of(effects, callee), &effects.pack.words.may);
    let text = format!("{call} {may} while `{caller}` holds a thread lock ({lock})");
    let subjects = vec![Role::Caller.of(caller), callee_subject(effects, callee), Role::Lock.of(lock)];
    let message = Message { function: caller, subjects, text };
    let mut report = Report::new(effects, &RULE, location, "called here", message);
    report.label(held.taken, format!("lock taken here ({lock})"));
    for (location, callee) in &held.calls[1..] {
        report.mention_callee(*callee);
        report.label_further(*location, format!("{} {may} here too", call_of(effects, *callee)));
    }
    report.mention_callee(callee);
    report.label_callee(callee);
    if effects.runs_only_inside(held.caller) {
        report.note_only_inside(held.caller);
    }
    report.help(effects.pack.help(Help::ReleaseLock, &[("caller", caller), ("call", &call), ("lock", lock)]));
    Some(report.finish())
}
