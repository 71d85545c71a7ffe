//! `outside-call`: something outside-only is called, or may be reached, inside.

use std::collections::BTreeMap;

use rayon::iter::{IntoParallelRefIterator, ParallelExtend, ParallelIterator};

use crate::effects::{
    Ambiguity, CallChain, Callee, Effects, Goal, PollingThread, Search, Step, Violation, ViolationKind,
};
use crate::program::{BodyId, FunctionId, SlotId};
use crate::wording::{
    MOST_LISTED, call_head, call_of, called, called_name, described, described_callee, mark_for_callee, name, pointers,
};
use cowrap_facts::{Context, ContextSet};
use cowrap_packs::{Effect, Help, with_article};
use cowrap_report::{Finding, Level, Role, Subject};

use super::Rule;
use super::report::{Message, Report, callee_subject, gravest_level, slot_subject};

/// The rule.
pub const RULE: Rule = Rule {
    id: "outside-call",
    level: Level::Error,
    summary: "{a outside_only} function is called {inside}",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/outside-call.md"),
    check,
};

/// The largest ambiguity of a chain that is reported as a warning. A more ambiguous one is a note.
const MOST_WAYS: u32 = 4;

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let blocking = effects.violations().iter().filter(|violation| violation.kind == ViolationKind::OutsideCall);
    let mut findings: Vec<Finding> = blocking.map(|violation| finding(effects, violation)).collect();
    let mut by_slot: BTreeMap<(SlotId, Callee), Vec<Vec<CallChain>>> = BTreeMap::new();
    let mut alone: Vec<Vec<CallChain>> = Vec::new();
    // An assertion that fails and a wait that takes long are two things: neither may hide the other.
    let mut levels: Vec<Level> = effects.pack.models.iter().map(|model| model.level.unwrap_or(Level::Error)).collect();
    levels.sort_unstable();
    levels.dedup();
    let goals = std::iter::once(Goal::DeclaredRequirement).chain(levels.into_iter().map(Goal::ModelledRequirement));
    let searches = Search::for_each(effects, Context::Inside, goals.collect());
    let chains = searches.par_iter().map(|search| {
        let mut found = search.chains();
        found.iter_mut().for_each(|chains| chains.sort_by_key(|chain| (chain.conditional, chain.ambiguity)));
        found
    });
    let mut found: Vec<Vec<Vec<CallChain>>> = chains.collect();
    let modelled = found.split_off(1);
    for chains in found.into_iter().flatten().chain(gravest(effects, modelled)) {
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
    findings.extend(effects.polling_threads().iter().filter_map(|polling| in_thread(effects, polling)));
    findings.par_extend(alone.par_iter().filter_map(|chains| through_others(effects, chains)));
    findings
}

/// Of the chains of one call to functions with different levels, the gravest. The lists are sorted by these levels.
fn gravest(effects: &Effects<'_>, lists: Vec<Vec<Vec<CallChain>>>) -> Vec<Vec<CallChain>> {
    if let [] | [_] = lists.as_slice() {
        return lists.into_iter().flatten().collect();
    }
    // The body, what it calls, and the function that it passes there.
    type Call = (BodyId, Callee, Option<Callee>);
    let mut by_call: BTreeMap<Call, (Level, Vec<CallChain>)> = BTreeMap::new();
    for chains in lists.into_iter().flatten() {
        let Some((best, first)) = chains.first().and_then(|best| Some((best, best.steps.first()?))) else { continue };
        let passed = best.steps.iter().find(|step| step.passed).map(|step| step.callee);
        let (key, level) = ((best.body, first_called(first), passed), level(effects, best));
        if by_call.get(&key).is_none_or(|(known, _)| level < *known) {
            by_call.insert(key, (level, chains));
        }
    }
    by_call.into_values().map(|(_, chains)| chains).collect()
}

/// The last slot that a chain goes through, and what it ends at.
fn last_slot(chain: &CallChain) -> Option<(SlotId, Callee)> {
    let slot = chain.steps.iter().rev().filter(|step| !step.passed).find_map(|step| step.through)?;
    Some((slot, chain.steps.last()?.callee))
}

/// One slot that leads to something that blocks, and the calls inside that come to it.
fn through_slot(effects: &Effects<'_>, groups: &[Vec<CallChain>]) -> Option<Finding> {
    let surest = |chain: &&CallChain| (chain.conditional, chain.ambiguity, chain.steps.len());
    let best = groups.iter().filter_map(|chains| chains.first()).min_by_key(surest)?;
    let (slot, offender) = last_slot(best)?;
    let at = best.steps.iter().rposition(|step| step.through == Some(slot) && !step.passed)?;
    let (step, caller) = (&best.steps[at], name(effects, best.steps[at].caller));
    let count = groups.len();
    let subjects = vec![Role::Caller.of(caller), slot_subject(effects, slot), reached(effects, offender)];
    let text = shared_slot_message(effects, slot, caller, step.callee, offender, count);
    let message = Message { function: caller, subjects, text };
    let mut report =
        Report::new(effects, &RULE, step.location, "called through here", message).level(level(effects, best));
    report.mention_slot(slot);
    report.mention_callee(step.callee);
    report.mention_callee(offender);
    report.label_callee(offender);
    note_chain(&mut report, best);
    let others = groups.iter().filter_map(|chains| chains.first()).filter(|chain| *chain != best);
    for first in others.clone().filter_map(|chain| chain.steps.first()).take(MOST_LISTED) {
        let (caller, call) = (name(effects, first.caller), call_of(effects, first_called(first)));
        report.mention(first.caller);
        report.mention_callee(first_called(first));
        report.note_at(first.location, format!("`{caller}` leads there {}, by its {call}", effects.pack.words.inside));
    }
    report.note_more(count - 1);
    report.help(match mark_for_callee(effects, Callee::Slot(slot), Effect::OutsideOnly) {
        Some(mark) => {
            let slot = effects.slot_name(slot);
            let reached = called(effects, offender);
            effects.pack.help(Help::MoveOutOfSlot, &[("slot", &slot), ("mark", mark), ("reached", &reached)])
        }
        None => help(effects, Help::MoveOutOfChain, step.caller, Callee::Slot(slot), offender),
    });
    Some(report.finish())
}

/// The message about a slot that several calls inside lead to.
fn shared_slot_message(
    effects: &Effects<'_>,
    slot: SlotId,
    caller: &str,
    candidate: Callee,
    blocking: Callee,
    count: usize,
) -> String {
    let (slot, blocking_words) = (effects.slot_name(slot), described_callee(effects, blocking));
    let inside = &effects.pack.words.inside;
    let reaches = match candidate == blocking {
        true => blocking_words,
        false => format!("{}, which leads to {blocking_words}", called(effects, candidate)),
    };
    format!("call through {slot} in `{caller}` may reach {reaches}; {count} calls {inside} lead to it")
}

/// How grave it is when a chain is the best that there is.
fn level(effects: &Effects<'_>, best: &CallChain) -> Level {
    let by_chain = match best.ambiguity {
        Ambiguity::NONE if !best.conditional => Level::Error,
        ambiguity if ambiguity.ways() <= MOST_WAYS => Level::Warning,
        _ => Level::Note,
    };
    best.steps.last().map_or(by_chain, |last| gravest_level(effects, last.callee, by_chain))
}

/// Notes the calls of a chain, and how sure it is.
fn note_chain(report: &mut Report<'_, '_>, chain: &CallChain) {
    for step in &chain.steps {
        report.note_step(step);
    }
    if chain.ambiguity.ways() > 1 {
        report.note(pointers(report.effects(), chain.ambiguity, &chain.steps));
    }
    if chain.ambiguity.ways() > MOST_WAYS {
        report.note("most call chains with so many candidates never happen");
    }
    if chain.conditional {
        report.note("the call chain depends on the value of a parameter".to_owned());
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

/// One function that blocks through others, called by a body where control is inside.
fn through_others(effects: &Effects<'_>, chains: &[CallChain]) -> Option<Finding> {
    let best = chains.first()?;
    let (first, last) = (best.steps.first()?, best.steps.last()?);
    let caller = name(effects, first.caller);
    let callee = first_called(first);
    let leads = match best.steps.iter().any(|step| step.through.is_some()) {
        true if best.steps.len() == 1 => "may reach",
        true => "may lead to",
        false => "leads to",
    };
    let place = if best.changes { format!("from `{caller}`") } else { inside(effects, first.caller) };
    let head = call_head(effects, callee);
    let text = format!("{head} {place} {leads} {}", described_callee(effects, last.callee));
    let subjects = vec![Role::Caller.of(caller), callee_subject(effects, callee), reached(effects, last.callee)];
    let message = Message { function: caller, subjects, text };
    let mut report = Report::new(effects, &RULE, first.location, "called here", message).level(level(effects, best));
    report.mention_callee(callee);
    report.mention_callee(last.callee);
    for chain in chains.iter().filter(|chain| chain.steps.first().is_some_and(|step| step.location != first.location)) {
        if let Some(step) = chain.steps.first() {
            report.label_further(step.location, format!("{} here too", call_of(effects, callee)));
        }
    }
    report.label_callee(last.callee);
    report.label_requirement(first.caller);
    note_chain(&mut report, best);
    report.help(help(effects, Help::MoveOutOfChain, first.caller, callee, last.callee));
    Some(report.finish())
}

/// Code in another thread that polls an event loop, itself or through others.
fn in_thread(effects: &Effects<'_>, polling: &PollingThread) -> Option<Finding> {
    let (first, last) = (polling.steps.first()?, polling.steps.last()?);
    let caller = name(effects, polling.function);
    let place = match polling.parameter {
        Some(_) => format!("from `{caller}`, which runs in another thread"),
        None => format!("from `{caller}` in a block that runs in another thread"),
    };
    let head = call_head(effects, first.callee);
    let text = match polling.steps.len() {
        1 => format!("{head} {place}"),
        _ => format!("{head} {place}, leads to {}", described_callee(effects, last.callee)),
    };
    let level = if polling.conditional { Level::Warning } else { Level::Error };
    let level = gravest_level(effects, last.callee, level);
    let mut subjects = vec![Role::Caller.of(caller), callee_subject(effects, first.callee)];
    subjects.extend((polling.steps.len() > 1).then(|| reached(effects, last.callee)));
    let message = Message { function: caller, subjects, text };
    let mut report = Report::new(effects, &RULE, first.location, "called here", message).level(level);
    report.mention_callee(first.callee);
    report.mention_callee(last.callee);
    report.label_callee(last.callee);
    if let Some(parameter) = polling.parameter {
        report.label_passed_to_thread(polling.function, parameter);
    }
    for step in polling.steps.iter().filter(|_| polling.steps.len() > 1) {
        report.note_step(step);
    }
    if polling.conditional {
        report.note("the call chain depends on the value of a parameter".to_owned());
    }
    let call = call_of(effects, first.callee);
    let from = if polling.parameter.is_some() { format!("`{caller}`") } else { "the block".to_owned() };
    report.help(format!("move the {call} out of {from}: it polls an event loop, and that thread has none"));
    Some(report.finish())
}

fn finding(effects: &Effects<'_>, violation: &Violation) -> Finding {
    let caller = name(effects, violation.caller);
    let (level, place) = match violation.contexts {
        ContextSet::INSIDE => (Level::Error, inside(effects, violation.caller)),
        _ => (Level::Warning, format!("without a guard from {}", described(effects, violation.caller))),
    };
    let level = gravest_level(effects, violation.callee, level);
    let text = format!("{} {place}", call_head(effects, violation.callee));
    let subjects = vec![Role::Caller.of(caller), callee_subject(effects, violation.callee)];
    let message = Message { function: caller, subjects, text };
    let mut report = Report::new(effects, &RULE, violation.location, "called here", message).level(level);
    report.mention_callee(violation.callee);
    report.label_callee(violation.callee);
    report.note_spelling(violation);
    report.label_requirement(violation.caller);
    let target = match violation.callee {
        Callee::Function(function) => effects.direct_target(function),
        Callee::Slot(_) => None,
    };
    match target {
        Some(target) => {
            report.help(format!("{}, call `{}` instead", effects.pack.words.inside, name(effects, target)));
        }
        None => report.help(help(effects, Help::MoveOut, violation.caller, violation.callee, violation.callee)),
    }
    report.finish()
}

/// Where a call is made that is inside, as a part of a message.
fn inside(effects: &Effects<'_>, caller: FunctionId) -> String {
    let name = name(effects, caller);
    match effects.requirement(caller).effect {
        Some(Effect::InsideOnly) => format!("from {}", described(effects, caller)),
        // Where the context can change in a body, the entry alone does not say it.
        Some(Effect::Entry) if effects.pack.changes.is_empty() => format!("from {}", described(effects, caller)),
        _ if effects.inferred_start(caller) == ContextSet::INSIDE => {
            format!("from `{name}` (stored in {} slot)", with_article(&effects.pack.words.inside_only))
        }
        _ => format!("{} in `{name}`", effects.pack.words.inside),
    }
}

/// The advice to make a call elsewhere, which leads to what is reached.
fn help(effects: &Effects<'_>, help: Help, caller: FunctionId, callee: Callee, reached: Callee) -> String {
    let values = [
        ("caller", name(effects, caller)),
        ("callee", &called_name(effects, callee)),
        ("call", &call_of(effects, callee)),
        ("reached", &called(effects, reached)),
    ];
    effects.pack.help(help, &values)
}
