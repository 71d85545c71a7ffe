//! `blocking-call`: something non-coroutine only is called where control is, or can be, in a coroutine.

use crate::config::Effect;
use crate::effects::{Breach, BreachKind, Callee, Effects};
use crate::facts::ContextSet;
use crate::findings::{Finding, Level};

use super::Rule;
use super::words::{Report, called, demanding, name};

/// The rule.
pub const RULE: Rule = Rule {
    name: "blocking-call",
    level: Level::Error,
    summary: "a non-coroutine only function is called where control is in a coroutine",
    page: include_str!("../../rules/blocking-call.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let blocking = effects.breaches().iter().filter(|breach| breach.kind == BreachKind::BlockingCall);
    blocking.map(|breach| finding(effects, breach)).collect()
}

fn finding(effects: &Effects<'_>, breach: &Breach) -> Finding {
    let (caller, callee) = (name(effects, breach.caller), called(effects, breach.callee));
    let (level, why) = match breach.contexts {
        ContextSet::COROUTINE if effects.demand(breach.caller).effect == Some(Effect::CoroutineOnly) => {
            (Level::Error, "which runs in a coroutine")
        }
        ContextSet::COROUTINE => (Level::Error, "where control is in a coroutine"),
        _ => (Level::Warning, "which runs in either context, without a guard"),
    };
    let demanding = demanding(effects, breach.callee, Effect::NonCoroutineOnly);
    let message = format!("{demanding} from `{caller}`, {why}");
    let mut report = Report::new(effects, RULE.name, level, caller, breach.place, message, "called here");
    report.label_callee(breach.callee);
    report.label_demand(breach.caller);
    let target = match breach.callee {
        Callee::Function(function) => effects.direct_target(function),
        Callee::Slot(_) => None,
    };
    match target {
        Some(target) => report.help(format!("in a coroutine, call `{}` instead", name(effects, target))),
        None => report.help(format!("leave the coroutine for {callee}, in a bottom half or through a wrapper")),
    }
    report.finish()
}
