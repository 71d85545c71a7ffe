//! `blocking-call`: something non-coroutine only is called where control is, or can be, in a coroutine.

use std::collections::BTreeMap;

use rayon::iter::{IntoParallelRefIterator, ParallelExtend, ParallelIterator};

use crate::effects::{Ambiguity, CallChain, Callee, Effects, Goal, Search, Step, Violation, ViolationKind};
use crate::program::SlotId;
use crate::wording::{MOST_LISTED, called, demanding, name};
use cowrap_facts::{Context, ContextSet};
use cowrap_packs::Effect;
use cowrap_report::{Finding, Level, Role, Subject};

use super::Rule;
use super::report::{Message, Report, callee_subject, slot_subject};

/// The rule.
pub const RULE: Rule = Rule {
    name: "blocking-call",
    level: Level::Error,
    summary: "a non-coroutine only function is called where control is in a coroutine",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/blocking-call.md"),
    check,
};

/// In how many ways the slots of a chain may be filled so that it is more than a note.
const MOST_WAYS: u32 = 4;

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let blocking = effects.violations().iter().filter(|violation| violation.kind == ViolationKind::BlockingCall);
    let mut findings: Vec<Finding> = blocking.map(|violation| finding(effects, violation)).collect();
    let mut by_slot: BTreeMap<(SlotId, Callee), Vec<Vec<CallChain>>> = BTreeMap::new();
    let mut alone: Vec<Vec<CallChain>> = Vec::new();
    // An assertion that fails and a wait that takes long are two things: neither may hide the other.
    effects.entry_contexts();
    let search = |ends: Goal| Search::new(effects, Context::Coroutine, ends).chains();
    let (declared, modelled) = rayon::join(|| search(Goal::DeclaredRequirement), || search(Goal::ModelledRequirement));
    for mut chains in declared.into_iter().chain(modelled) {
        chains.sort_by_key(|chain| (chain.conditional, chain.ambiguity));
        match chains.first().and_then(last_slot) {
            Some(cause) => by_slot.entry(cause).or_default().push(chains),
            None => alone.push(chains),
        }
    }
    // What goes through one slot to one function has one cause, however many calls come to it.
    for mut groups in by_slot.into_values() {
        match groups.len() {
            1 => alone.append(&mut groups),
            _ => findings.extend(through_slot(effects, &groups)),
        }
    }
    findings.par_extend(alone.par_iter().filter_map(|chains| through_others(effects, chains)));
    findings
}

/// The last slot that a chain goes through, and what it ends at.
fn last_slot(chain: &CallChain) -> Option<(SlotId, Callee)> {
    let slot = chain.steps.iter().rev().filter(|step| !step.passed).find_map(|step| step.through)?;
    Some((slot, chain.steps.last()?.callee))
}

/// One slot that leads to something that blocks, and the calls in coroutines that come to it.
fn through_slot(effects: &Effects<'_>, groups: &[Vec<CallChain>]) -> Option<Finding> {
    let surest = |chain: &&CallChain| (chain.conditional, chain.ambiguity, chain.steps.len());
    let best = groups.iter().filter_map(|chains| chains.first()).min_by_key(surest)?;
    let (slot, offender) = last_slot(best)?;
    let at = best.steps.iter().rposition(|step| step.through == Some(slot) && !step.passed)?;
    let (step, caller) = (&best.steps[at], name(effects, best.steps[at].caller));
    let (slot_words, callee) = (called(effects, Callee::Slot(slot)), called(effects, step.callee));
    let leads = match step.callee == offender {
        true => format!("may be non-coroutine only {callee}"),
        false => format!("may be {callee}, which leads to non-coroutine only {}", called(effects, offender)),
    };
    let count = groups.len();
    let subjects = vec![Role::Caller.of(caller), slot_subject(effects, slot), reached(effects, offender)];
    let text = format!("{slot_words} is called from `{caller}`, where {count} calls in coroutines lead, and {leads}");
    let message = Message { function: caller, subjects, text };
    let mut report = Report::new(effects, &RULE, step.location, "called through here", message).level(level(best));
    report.mention_callee(step.callee);
    report.label_callee(offender);
    note_chain(&mut report, best);
    let others = groups.iter().filter_map(|chains| chains.first()).filter(|chain| *chain != best);
    for first in others.clone().filter_map(|chain| chain.steps.first()).take(MOST_LISTED) {
        let (caller, callee) = (name(effects, first.caller), called(effects, first_called(first)));
        report.mention(first.caller);
        report.mention_callee(first_called(first));
        report.note_at(first.location, format!("`{caller}` comes there in a coroutine, by its call of {callee}"));
    }
    if count - 1 > MOST_LISTED {
        report.note(format!("and {} more", count - 1 - MOST_LISTED));
    }
    report.help(format!(
        "if {} is never called in coroutines, mark it; else leave the coroutine, or guard the call that blocks",
        effects.slot_name(slot)
    ));
    Some(report.finish())
}

/// How grave it is when a chain is the best that there is.
fn level(best: &CallChain) -> Level {
    match best.ambiguity {
        Ambiguity::NONE if !best.conditional => Level::Error,
        ambiguity if ambiguity.ways() <= MOST_WAYS => Level::Warning,
        _ => Level::Note,
    }
}

/// Tells the calls of a chain, and how sure it is.
fn note_chain(report: &mut Report<'_, '_>, chain: &CallChain) {
    for step in &chain.steps {
        report.note_step(step);
    }
    if chain.ambiguity.ways() > 1 {
        report.note(format!("it is one of {} ways to fill the slots on the way", chain.ambiguity.ways()));
    }
    if chain.conditional {
        report.note("whether it is reached depends on a parameter of the function".to_owned());
    }
}

/// What the first call of a chain calls, as it is written.
fn first_called(first: &Step) -> Callee {
    first.through.map_or(first.callee, Callee::Slot)
}

/// What a chain leads to, as a subject.
fn reached(effects: &Effects<'_>, last: Callee) -> Subject {
    match last {
        Callee::Function(function) => Role::Reached.of(name(effects, function)),
        Callee::Slot(slot) => slot_subject(effects, slot),
    }
}

/// One function that blocks through others, called by a body where control is in a coroutine.
fn through_others(effects: &Effects<'_>, chains: &[CallChain]) -> Option<Finding> {
    let best = chains.first()?;
    let (first, last) = (best.steps.first()?, best.steps.last()?);
    let caller = name(effects, first.caller);
    let callee = called(effects, first_called(first));
    let why = match effects.requirement(first.caller).effect {
        Some(Effect::CoroutineOnly) => "which runs in a coroutine",
        _ if effects.inferred_start(first.caller) == ContextSet::COROUTINE => {
            "which is stored where it runs in a coroutine"
        }
        _ => "where control is in a coroutine",
    };
    let offender = called(effects, last.callee);
    let leads = if best.steps.len() == 1 { "may be" } else { "leads to" };
    let text = format!("{callee} is called from `{caller}`, {why}, and {leads} non-coroutine only {offender}");
    let subjects =
        vec![Role::Caller.of(caller), callee_subject(effects, first_called(first)), reached(effects, last.callee)];
    let message = Message { function: caller, subjects, text };
    let mut report = Report::new(effects, &RULE, first.location, "called here", message).level(level(best));
    for chain in chains.iter().filter(|chain| chain.steps.first().is_some_and(|step| step.location != first.location)) {
        if let Some(step) = chain.steps.first() {
            report.label_further(step.location, format!("so is {callee} here"));
        }
    }
    report.label_callee(last.callee);
    report.label_requirement(first.caller);
    note_chain(&mut report, best);
    report.help(format!(
        "leave the coroutine for {callee}, in a bottom half or through a wrapper, or guard the call that blocks"
    ));
    Some(report.finish())
}

fn finding(effects: &Effects<'_>, violation: &Violation) -> Finding {
    let (caller, callee) = (name(effects, violation.caller), called(effects, violation.callee));
    let (level, why) = match violation.contexts {
        ContextSet::COROUTINE if effects.requirement(violation.caller).effect == Some(Effect::CoroutineOnly) => {
            (Level::Error, "which runs in a coroutine")
        }
        ContextSet::COROUTINE if effects.inferred_start(violation.caller) == ContextSet::COROUTINE => {
            (Level::Error, "which is stored where it runs in a coroutine")
        }
        ContextSet::COROUTINE => (Level::Error, "where control is in a coroutine"),
        _ => (Level::Warning, "which runs in either context, without a guard"),
    };
    let demanding = demanding(effects, violation.callee, Effect::NonCoroutineOnly);
    let text = format!("{demanding} from `{caller}`, {why}");
    let subjects = vec![Role::Caller.of(caller), callee_subject(effects, violation.callee)];
    let message = Message { function: caller, subjects, text };
    let mut report = Report::new(effects, &RULE, violation.location, "called here", message).level(level);
    report.label_callee(violation.callee);
    report.note_spelling(violation);
    report.label_requirement(violation.caller);
    let target = match violation.callee {
        Callee::Function(function) => effects.direct_target(function),
        Callee::Slot(_) => None,
    };
    match target {
        Some(target) => report.help(format!("in a coroutine, call `{}` instead", name(effects, target))),
        None => report.help(format!("leave the coroutine for {callee}, in a bottom half or through a wrapper")),
    }
    report.finish()
}
