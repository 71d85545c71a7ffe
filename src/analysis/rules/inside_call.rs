//! `inside-call`: something inside-only is called where it may run outside.

use std::collections::{BTreeMap, BTreeSet};

use crate::effects::{CallThrough, Callee, Callers, Effects, Violation, ViolationKind};
use crate::program::{BodyId, FunctionId, Location};
use crate::wording::{
    MOST_LISTED, call_head, call_of, called_name, described, in_context, mark_for_callee, name, span,
};
use cowrap_facts::ContextSet;
use cowrap_packs::{Effect, Help, with_article};
use cowrap_report::{Action, Finding, Level, Role, Safety};

use super::Rule;
use super::report::{Message, Report, callee_subject, gravest_level};

/// The rule.
pub const RULE: Rule = Rule {
    id: "inside-call",
    level: Level::Error,
    summary: "{a inside_only} function is called where it may run {outside}",
    opt_in: false,
    fixes: Some(Safety::Safe),
    page: include_str!("../../../rules/inside-call.md"),
    check,
};

/// What to do about an unmarked function that calls something inside-only.
enum Advice {
    /// Give it the mark: all its known callers run inside.
    Mark,
    /// Go through the wrapper at each call: it is called outside.
    Wrapper,
    /// Guard the calls or split the function: it is called in both contexts.
    Guard,
}

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    let explained: BTreeSet<(Location, BodyId, Callee)> =
        effects.suspects().iter().flat_map(|suspect| suspect.calls.iter().map(key)).collect();
    // By definition: two bodies of one name (a stub, a test's double) are two things to fix.
    let mut by_caller: BTreeMap<(FunctionId, Location), Vec<Violation>> = BTreeMap::new();
    for violation in effects.violations() {
        if violation.kind == ViolationKind::InsideCall && !explained.contains(&key(violation)) {
            let definition = effects.program.body(violation.body).location;
            by_caller.entry((violation.caller, definition)).or_default().push(*violation);
        }
    }
    let in_regions = effects.violations().iter().filter(|violation| violation.kind == ViolationKind::RegionCall);
    let mut findings: Vec<Finding> = in_regions.map(|violation| one_call(effects, violation)).collect();
    for ((caller, _), mut violations) in by_caller {
        violations.sort_by_key(key);
        let unmarked = effects.requirement(caller).effect.is_none();
        let (open, known): (Vec<Violation>, Vec<Violation>) =
            violations.into_iter().partition(|violation| violation.contexts == ContextSet::BOTH);
        findings.extend(known.iter().map(|violation| one_call(effects, violation)));
        if open.is_empty() {
            continue;
        }
        if !unmarked {
            findings.extend(open.iter().map(|violation| one_call(effects, violation)));
            continue;
        }
        if effects.thread_of(caller).is_some() {
            findings.extend(open.iter().map(|violation| one_call(effects, violation)));
            continue;
        }
        let callers = effects.callers(caller);
        match advice(&callers) {
            Advice::Wrapper => findings.extend(open.iter().map(|violation| one_call(effects, violation))),
            advice => {
                // A call that callers' constants decide is another matter than one that is always made.
                let (conditional, plain): (Vec<Violation>, Vec<Violation>) =
                    open.into_iter().partition(|violation| violation.conditional);
                for group in [plain, conditional] {
                    findings.extend(all_calls(effects, caller, &group, &callers, &advice));
                }
            }
        }
    }
    findings
}

/// What tells one call from another, in the order in which they are reported.
fn key(violation: &Violation) -> (Location, BodyId, Callee) {
    (violation.location, violation.body, violation.callee)
}

fn advice(callers: &Callers) -> Advice {
    match callers.known() {
        ContextSet::OUTSIDE => Advice::Wrapper,
        ContextSet::BOTH => Advice::Guard,
        _ => Advice::Mark,
    }
}

/// A call that needs an edit of its own.
fn one_call(effects: &Effects<'_>, violation: &Violation) -> Finding {
    let (caller, words) = (name(effects, violation.caller), &effects.pack.words);
    let mut report = start(effects, violation);
    report.label_callee(violation.callee);
    report.note_spelling(violation);
    if effects.requirement(violation.caller).effect.is_some() {
        report.label_requirement(violation.caller);
    }
    let known_outside = violation.contexts == ContextSet::OUTSIDE;
    if violation.kind == ViolationKind::RegionCall {
        report.help(format!("move the {} out of the block", call_of(effects, violation.callee)));
    } else if let Some((_, slot)) = effects.thread_of(violation.caller) {
        report.label_passed_to_thread(violation.caller, slot);
        report.help(help(effects, Help::LeaveThread, violation));
    } else if known_outside || effects.requirement(violation.caller).effect.is_none() {
        if !known_outside {
            let callers = effects.callers(violation.caller);
            report.note_calls(&callers.outside, |from| format!("`{from}` calls `{caller}` {}", words.outside));
        }
        report.help(through_wrapper(effects, violation));
        fix_by_wrapper(&mut report, effects, violation);
    } else {
        if effects.is_entry(violation.caller) {
            let callers = effects.callers(violation.caller);
            report.note_calls(&callers.outside, |from| format!("`{from}` calls `{caller}` {}", words.outside));
        }
        report.help(only_inside(effects, violation));
    }
    report.finish()
}

/// All calls by which a function without a mark breaks the rule.
fn all_calls(
    effects: &Effects<'_>,
    caller: FunctionId,
    violations: &[Violation],
    callers: &Callers,
    advice: &Advice,
) -> Option<Finding> {
    let first = violations.first()?;
    let (caller_name, words) = (name(effects, caller), &effects.pack.words);
    let mut report = start(effects, first);
    report.label_callee(first.callee);
    report.note_spelling(first);
    for violation in &violations[1..] {
        report.mention_callee(violation.callee);
        report.label_further(violation.location, format!("{} here too", call_of(effects, violation.callee)));
    }
    report.note_calls(&callers.inside, |from| format!("`{from}` calls `{caller_name}` {}", words.inside));
    report.note_calls(&callers.outside, |from| format!("`{from}` calls `{caller_name}` {}", words.outside));
    report.note_calls(&callers.mixed, |from| format!("`{from}` calls `{caller_name}` in both contexts"));
    for CallThrough { location, caller: from, slot, context } in callers.through.iter().take(MOST_LISTED) {
        report.mention(*from);
        report.mention_slot(*slot);
        let (from, slot) = (name(effects, *from), effects.slot_name(*slot));
        let place = in_context(effects, *context);
        report.note_at(*location, format!("`{from}` calls through {slot}, which may be `{caller_name}`, {place}"));
    }
    report.note_more(callers.through.len());
    for (store, effect) in callers.stores.iter().take(MOST_LISTED) {
        let slot = match effect {
            Some(effect) => format!("{} slot", with_article(words.effect(*effect))),
            None => "an unmarked slot".to_owned(),
        };
        report.note_at(store.location, format!("`{caller_name}` is stored in {slot} here"));
    }
    report.note_more(callers.stores.len());
    let closure = effects.mark_closure(Callee::Function(caller));
    let mark = mark_for_callee(effects, Callee::Function(caller), Effect::InsideOnly);
    match (advice, mark) {
        (Advice::Guard, _) => {
            let caller = ("caller", caller_name);
            report.help(match predicate(effects) {
                Some(predicate) => effects.pack.help(Help::GuardOrSplit, &[caller, ("predicate", &predicate)]),
                None => effects.pack.help(Help::Split, &[caller]),
            });
        }
        (_, None) => report.help(only_inside(effects, first)),
        (Advice::Mark | Advice::Wrapper, Some(mark)) if callers.are_all(ContextSet::INSIDE) => {
            report.help(format!("mark `{caller_name}` as `{mark}`: all its callers run {}", words.inside));
            report.fix_by_marks(Callee::Function(caller), &closure);
            report.note_required_marks(&closure);
        }
        (Advice::Mark | Advice::Wrapper, Some(mark)) => {
            report.help(format!("mark `{caller_name}` as `{mark}` if it only runs {}", words.inside));
            report.note_required_marks(&closure);
            report.help(format!("otherwise, {}", through_wrapper(effects, first)));
        }
    }
    Some(report.finish())
}

/// The message and the location, by what is known of the caller.
fn start<'e, 'a>(effects: &'e Effects<'a>, violation: &Violation) -> Report<'e, 'a> {
    let (caller, words) = (name(effects, violation.caller), &effects.pack.words);
    let known = effects.requirement(violation.caller).effect;
    let level = if violation.conditional { Level::Warning } else { Level::Error };
    let level = gravest_level(effects, violation.callee, level);
    let described = described(effects, violation.caller);
    let place = match (violation.contexts, known) {
        _ if violation.kind == ViolationKind::RegionCall => {
            format!("from `{caller}` in a block that runs in another thread")
        }
        _ if violation.conditional => {
            format!("from `{caller}`, which may run {}, under a condition on a parameter", words.outside)
        }
        _ if effects.thread_of(violation.caller).is_some() => format!("from `{caller}`, which runs in another thread"),
        (ContextSet::OUTSIDE, Some(Effect::OutsideOnly)) => format!("from {described}"),
        (ContextSet::OUTSIDE, _) => format!("{} in `{caller}`", words.outside),
        (_, Some(Effect::Mixed | Effect::Entry)) => format!("without a guard from {described}"),
        _ => format!("from unmarked `{caller}`"),
    };
    let text = format!("{} {place}", call_head(effects, violation.callee));
    let subjects = vec![Role::Caller.of(caller), callee_subject(effects, violation.callee)];
    let message = Message { function: caller, subjects, text };
    let mut report = Report::new(effects, &RULE, violation.location, "called here", message).level(level);
    report.mention_callee(violation.callee);
    report
}

/// The advice to make a call inside only.
fn only_inside(effects: &Effects<'_>, violation: &Violation) -> String {
    match predicate(effects) {
        Some(_) => help(effects, Help::Guard, violation),
        None => help(effects, Help::OnlyInside, violation),
    }
}

/// A help text about one call.
fn help(effects: &Effects<'_>, help: Help, violation: &Violation) -> String {
    let (call, predicate) = (call_of(effects, violation.callee), predicate(effects).unwrap_or_default());
    let values = [
        ("caller", name(effects, violation.caller)),
        ("callee", &called_name(effects, violation.callee)),
        ("call", &call),
        ("predicate", &predicate),
    ];
    effects.pack.help(help, &values)
}

/// The advice to go through the wrapper: by its name, or by the declaration that would generate it.
fn through_wrapper(effects: &Effects<'_>, violation: &Violation) -> String {
    // A code base without wrappers has other ways to enter the context.
    let has_wrappers = effects.pack.infix.is_some() || effects.wrapper_mark(Effect::InsideOnly).is_some();
    let Callee::Function(callee) = violation.callee else {
        return match effects.plain_mark(Effect::InsideOnly).filter(|_| has_wrappers) {
            Some(mark) => {
                let mark = &effects.pack.mark(mark).name;
                format!("move the call into a function marked `{mark}`, and call that through a wrapper")
            }
            None => help(effects, Help::OnlyInside, violation),
        };
    };
    if !has_wrappers {
        return help(effects, Help::OnlyInside, violation);
    }
    let target = name(effects, callee);
    if let Some(wrapper) = effects.wrapper_of(callee) {
        return format!("call the wrapper `{}` instead of `{target}`", name(effects, wrapper));
    }
    let Some(wrapper) = effects.pack.wrapper_name(target) else {
        return format!("call `{target}` through a wrapper; its name does not follow the naming scheme for wrappers");
    };
    if effects.program.by_name(&wrapper).is_some() {
        return format!("call `{target}` through a wrapper; another function already has the name `{wrapper}`");
    }
    match effects.wrapper_mark(Effect::InsideOnly) {
        Some(mark) => {
            let mark = &effects.pack.mark(mark).name;
            format!("declare the wrapper `{wrapper}` with `{mark}` and call it instead of `{target}`")
        }
        None => format!("call a wrapper `{wrapper}` instead of `{target}`"),
    }
}

/// Offers to go through the wrapper, and to declare it when there is none. It is another call: not safe.
fn fix_by_wrapper(report: &mut Report<'_, '_>, effects: &Effects<'_>, violation: &Violation) {
    let Callee::Function(callee) = violation.callee else { return };
    let target = name(effects, callee);
    if let Some(wrapper) = effects.wrapper_of(callee) {
        if effects.have_one_type(callee, wrapper) {
            report.fix_call(Safety::Unsafe, violation.location, target, name(effects, wrapper));
        }
        return;
    }
    let Some(wrapper) = effects.pack.wrapper_name(target) else { return };
    let lock = effects.required_lock(callee).map(|(lock, _)| lock);
    let mark =
        effects.wrapper_mark_for(effects.requirement(violation.caller).effect != Some(Effect::OutsideOnly), lock);
    let prototype = effects.prototype(callee);
    if let (None, Some(mark), Some(prototype)) = (effects.program.by_name(&wrapper), mark, prototype) {
        let without = effects.marks_of(callee).into_iter().map(str::to_owned).collect();
        let (target, at) = (target.to_owned(), span(effects, prototype));
        let call =
            Action::CallInstead { old: target.clone(), new: wrapper.clone(), at: span(effects, violation.location) };
        let title = format!("declare the wrapper `{wrapper}` and call it instead of `{target}`");
        let declare = Action::DeclareWrapper { target, wrapper, mark: mark.to_owned(), without, at };
        report.fix(Safety::Unsafe, title, vec![declare, call]);
    }
}

fn predicate(effects: &Effects<'_>) -> Option<String> {
    effects.pack.predicates.first().map(ToString::to_string)
}
