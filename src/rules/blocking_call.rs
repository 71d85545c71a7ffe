//! `blocking-call`: something non-coroutine only is called where control is, or can be, in a coroutine.

use rayon::iter::{IntoParallelRefIterator, ParallelExtend, ParallelIterator};

use crate::config::Effect;
use crate::effects::{Breach, BreachKind, Callee, Chain, Doubt, Effects, Search};
use crate::facts::{Context, ContextSet};
use crate::findings::{Finding, Level};
use crate::words::{called, demanding, name};

use super::Rule;
use super::report::Report;

/// The rule.
pub const RULE: Rule = Rule {
    name: "blocking-call",
    level: Level::Error,
    summary: "a non-coroutine only function is called where control is in a coroutine",
    opt_in: false,
    page: include_str!("../../rules/blocking-call.md"),
    check,
};

/// In how many ways the slots of a chain may be filled so that it is still reported.
const MOST_WAYS: u32 = 4;

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let blocking = effects.breaches().iter().filter(|breach| breach.kind == BreachKind::BlockingCall);
    let mut findings: Vec<Finding> = blocking.map(|breach| finding(effects, breach)).collect();
    let chains = Search::new(effects, Context::Coroutine).chains();
    findings.par_extend(chains.par_iter().filter_map(|chains| through_others(effects, chains)));
    findings
}

/// One function that blocks through others, called by a body where control is in a coroutine.
fn through_others(effects: &Effects<'_>, chains: &[Chain]) -> Option<Finding> {
    let best = chains.iter().min_by_key(|chain| (chain.conditional, chain.doubt))?;
    let (first, last) = (best.steps.first()?, best.steps.last()?);
    let caller = name(effects, first.caller);
    if best.doubt.ways() > MOST_WAYS {
        return None;
    }
    let sure = best.doubt == Doubt::NONE && !best.conditional;
    let level = if sure { Level::Error } else { Level::Warning };
    let callee = match first.through {
        Some(slot) => called(effects, Callee::Slot(slot)),
        None => called(effects, first.callee),
    };
    let why = match effects.demand(first.caller).effect {
        Some(Effect::CoroutineOnly) => "which runs in a coroutine",
        _ if effects.known_start(first.caller) == ContextSet::COROUTINE => {
            "which is stored where it runs in a coroutine"
        }
        _ => "where control is in a coroutine",
    };
    let offender = called(effects, last.callee);
    let message = format!("{callee} is called from `{caller}`, {why}, and leads to non-coroutine only {offender}");
    let mut report = Report::new(effects, RULE.name, level, caller, first.place, message, "called here");
    for chain in chains.iter().filter(|chain| chain.steps.first().is_some_and(|step| step.place != first.place)) {
        if let Some(step) = chain.steps.first() {
            report.label(step.place, format!("so is {callee} here"));
        }
    }
    report.label_callee(last.callee);
    report.label_demand(first.caller);
    for step in &best.steps {
        report.note_step(step);
    }
    if best.conditional {
        report.note("whether it is reached depends on a parameter of the function".to_owned());
    }
    report.help(format!(
        "leave the coroutine for {callee}, in a bottom half or through a wrapper, or guard the call that blocks"
    ));
    Some(report.finish())
}

fn finding(effects: &Effects<'_>, breach: &Breach) -> Finding {
    let (caller, callee) = (name(effects, breach.caller), called(effects, breach.callee));
    let (level, why) = match breach.contexts {
        ContextSet::COROUTINE if effects.demand(breach.caller).effect == Some(Effect::CoroutineOnly) => {
            (Level::Error, "which runs in a coroutine")
        }
        ContextSet::COROUTINE if effects.known_start(breach.caller) == ContextSet::COROUTINE => {
            (Level::Error, "which is stored where it runs in a coroutine")
        }
        ContextSet::COROUTINE => (Level::Error, "where control is in a coroutine"),
        _ => (Level::Warning, "which runs in either context, without a guard"),
    };
    let demanding = demanding(effects, breach.callee, Effect::NonCoroutineOnly);
    let message = format!("{demanding} from `{caller}`, {why}");
    let mut report = Report::new(effects, RULE.name, level, caller, breach.place, message, "called here");
    report.label_callee(breach.callee);
    report.note_spelling(breach);
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
