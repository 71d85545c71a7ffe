//! `lock-across-yield`: a coroutine may suspend while it holds a thread's lock.

use crate::effects::{Effects, LockAcrossYield};
use crate::wording::{called, name};
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report, callee_subject};

/// The rule.
pub const RULE: Rule = Rule {
    name: "lock-across-yield",
    level: Level::Warning,
    summary: "a coroutine may suspend while it holds a thread's lock",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/lock-across-yield.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.locks_across_yields().iter().filter_map(|held| finding(effects, held)).collect()
}

fn finding(effects: &Effects<'_>, held: &LockAcrossYield) -> Option<Finding> {
    let (location, callee) = *held.calls.first()?;
    let caller = name(effects, held.caller);
    let lock = &effects.pack.locks[usize::from(held.lock.0)].name;
    let callee_words = called(effects, callee);
    let text = format!("{callee_words} is called from `{caller}` while it holds a {lock}, and may suspend");
    let subjects = vec![Role::Caller.of(caller), callee_subject(effects, callee), Role::Lock.of(lock)];
    let message = Message { function: caller, subjects, text };
    let mut report = Report::new(effects, &RULE, location, "called here", message);
    report.label(held.taken, format!("the {lock} is taken here"));
    for (location, callee) in &held.calls[1..] {
        report.mention_callee(*callee);
        report.label_further(*location, format!("so is {} here", called(effects, *callee)));
    }
    report.label_callee(callee);
    report.help(format!("release the {lock} before the call, or take a lock that belongs to the coroutine"));
    Some(report.finish())
}
