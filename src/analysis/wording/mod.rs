//! Phrases about the program that findings and answers of queries share.
//!
//! This module must never know why something is reported, or how it is shown.

use crate::effects::{Ambiguity, Callee, Effects, Provenance, SlotProvenance, SlotRequirement, Step, StoredValue};
use crate::program::{FunctionId, Location, Origin, SlotId};
use cowrap_facts::{Context, PairedFlag};
use cowrap_packs::Effect;
use cowrap_report::Span;

/// How many locations or names a message lists. It only counts the others.
pub const MOST_LISTED: usize = 8;

/// A location as findings name it.
pub fn span(effects: &Effects<'_>, location: Location) -> Span {
    let path = effects.tree.relative(effects.program.path(location.file)).to_path_buf();
    Span { path, line: location.line, column: location.column }
}

/// A function's name.
pub fn name<'p>(effects: &Effects<'p>, function: FunctionId) -> &'p str {
    &effects.program.function(function).name
}

/// A function with its mark: "`MARK` `x`". An unmarked function is "inside-only `x`" if its requirement is
/// inferred or modelled, and "`x`" if it has none.
pub fn described(effects: &Effects<'_>, function: FunctionId) -> String {
    let name = name(effects, function);
    let requirement = effects.requirement(function);
    match (requirement.provenance, requirement.effect) {
        (Provenance::Marked(mark), _) => format!("`{}` `{name}`", effects.pack.mark(mark.mark).name),
        (_, Some(effect)) => format!("{} `{name}`", effects.pack.words.effect(effect)),
        (_, None) => format!("`{name}`"),
    }
}

/// A slot with its mark: "`MARK` `Struct::field`".
pub fn described_slot(effects: &Effects<'_>, slot: SlotId) -> String {
    let name = effects.slot_name(slot);
    match effects.slot_requirement(slot) {
        Some(SlotRequirement { provenance: SlotProvenance::Marked(mark), .. }) => {
            format!("`{}` {name}", effects.pack.mark(mark.mark).name)
        }
        Some(SlotRequirement { effect: Effect::Entry, .. }) | None => name,
        Some(SlotRequirement { effect, .. }) => format!("{} {name}", effects.pack.words.effect(effect)),
    }
}

/// What is called, with what it requires.
pub fn described_callee(effects: &Effects<'_>, callee: Callee) -> String {
    match callee {
        Callee::Function(function) => described(effects, function),
        Callee::Slot(slot) => format!("the target of {}", described_slot(effects, slot)),
    }
}

/// What is called: a function's name, or what a slot points to.
pub fn called(effects: &Effects<'_>, callee: Callee) -> String {
    match callee {
        Callee::Function(function) => format!("`{}`", name(effects, function)),
        Callee::Slot(slot) => format!("the target of {}", effects.slot_name(slot)),
    }
}

/// The beginning of a message about a call: "`MARK` `x` called", "call through `MARK` `Struct::field`".
pub fn call_head(effects: &Effects<'_>, callee: Callee) -> String {
    match callee {
        Callee::Function(function) => format!("{} called", described(effects, function)),
        Callee::Slot(slot) => format!("call through {}", described_slot(effects, slot)),
    }
}

/// A call, without what the callee requires: "call of `x`", "call through `Struct::field`".
pub fn call_of(effects: &Effects<'_>, callee: Callee) -> String {
    match callee {
        Callee::Function(function) => format!("call of `{}`", name(effects, function)),
        Callee::Slot(slot) => format!("call through {}", effects.slot_name(slot)),
    }
}

/// What a caller does, as a part of a sentence: "calls `x`", "calls through `Struct::field`".
pub fn calls(effects: &Effects<'_>, callee: Callee) -> String {
    match callee {
        Callee::Function(function) => format!("calls `{}`", name(effects, function)),
        Callee::Slot(slot) => format!("calls through {}", effects.slot_name(slot)),
    }
}

/// The pack's plain mark for an effect, or the effect in words if the pack has none. Where the advice is to write the
/// mark, [`mark_for_callee`] says whether there is one.
pub fn mark_for<'p>(effects: &Effects<'p>, effect: Effect) -> &'p str {
    effects.plain_mark(effect).map_or(effects.pack.words.effect(effect), |mark| effects.pack.mark(mark).name.as_str())
}

/// The pack's plain mark for an effect, for a function or for a slot; `None` if the pack has none. A slot cannot bear a
/// mark that is a statement.
pub fn mark_for_callee<'p>(effects: &Effects<'p>, callee: Callee, effect: Effect) -> Option<&'p str> {
    let mark = effects.pack.mark(effects.plain_mark(effect)?);
    let can_bear = matches!(callee, Callee::Function(_)) || !mark.statement;
    can_bear.then_some(mark.name.as_str())
}

/// Where a context is, after a verb: "in the inside context".
pub fn in_context<'p>(effects: &Effects<'p>, context: Context) -> &'p str {
    match context {
        Context::Inside => &effects.pack.words.inside,
        Context::Outside => &effects.pack.words.outside,
    }
}

/// A context as a noun: "the inside context".
pub fn context_noun<'p>(effects: &Effects<'p>, context: Context) -> &'p str {
    match context {
        Context::Inside => &effects.pack.words.inside_context,
        Context::Outside => &effects.pack.words.outside_context,
    }
}

/// The name of what is called, without quotes: for help texts of packs, which quote it themselves.
pub fn called_name(effects: &Effects<'_>, callee: Callee) -> String {
    match callee {
        Callee::Function(function) => name(effects, function).to_owned(),
        Callee::Slot(slot) => effects.slot_name(slot).replace('`', ""),
    }
}

/// The names of functions, quoted and joined by commas. Of a long list only the first.
pub fn names(effects: &Effects<'_>, functions: &[FunctionId]) -> String {
    let mut names: Vec<&str> = functions.iter().map(|function| name(effects, *function)).collect();
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(MOST_LISTED);
    let listed: Vec<String> = names.iter().take(MOST_LISTED).map(|name| format!("`{name}`")).collect();
    match more {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

/// A call of a chain.
pub fn step(effects: &Effects<'_>, step: &Step) -> String {
    let caller = name(effects, step.caller);
    match step.through.filter(|slot| step.callee != Callee::Slot(*slot)) {
        Some(_) if step.passed => format!("`{caller}` {}, which it was passed", calls(effects, step.callee)),
        Some(slot) => {
            let (callee, slot_name) = (called(effects, step.callee), effects.slot_name(slot));
            format!("`{caller}` calls through {slot_name}, which may be {callee}: {}", one_of(effects, slot))
        }
        None => format!("`{caller}` {}", calls(effects, step.callee)),
    }
}

/// How the function that a step calls through a slot comes into the slot: where it is stored, and each copy. `None` if
/// the step calls by name, or an earlier step passed the function.
pub fn origin_of_step(effects: &Effects<'_>, step: &Step) -> Option<Origin> {
    let (slot, function) = (step.through.filter(|_| !step.passed)?, step.callee.function()?);
    effects.points_to.origin(effects.program, slot, function, step.location.file)
}

/// The store and the copies by which a function comes into a slot, with their locations.
pub fn origin(effects: &Effects<'_>, origin: &Origin) -> Vec<(Location, String)> {
    let store = origin.store;
    let stored = store.slot.map(|slot| {
        let text = format!("`{}` is stored in {} here", name(effects, store.function), effects.slot_name(slot));
        (store.location, text)
    });
    let copies = origin.copies.iter().map(|copy| {
        let (from, to) = (effects.slot_name(copy.from), effects.slot_name(copy.to));
        (copy.location, format!("{from} is copied to {to} here"))
    });
    stored.into_iter().chain(copies).collect()
}

/// A value that is stored, with what it requires: "`MARK` `x`", "the value of `MARK` `Struct::field`".
pub fn described_value(effects: &Effects<'_>, value: StoredValue) -> String {
    match value {
        StoredValue::Function(function) => described(effects, function),
        StoredValue::Copy(slot) => format!("the value of {}", described_slot(effects, slot)),
        StoredValue::Candidate(function, slot) => {
            format!("{} out of {}", described(effects, function), effects.slot_name(slot))
        }
        StoredValue::Address(slot) => format!("the address of {}", described_slot(effects, slot)),
    }
}

/// The same without what it requires: "`x`", "the value of `Struct::field`".
pub fn value(effects: &Effects<'_>, value: StoredValue) -> String {
    match value {
        StoredValue::Function(function) => format!("`{}`", name(effects, function)),
        StoredValue::Copy(slot) => format!("the value of {}", effects.slot_name(slot)),
        StoredValue::Candidate(function, slot) => {
            format!("`{}` out of {}", name(effects, function), effects.slot_name(slot))
        }
        StoredValue::Address(slot) => format!("the address of {}", effects.slot_name(slot)),
    }
}

/// What a slot's candidate is among the others.
pub fn one_of(effects: &Effects<'_>, slot: SlotId) -> String {
    match effects.points_to.candidates(slot).len() {
        0 | 1 => "the only candidate".to_owned(),
        count => format!("one of {count} candidates"),
    }
}

/// The function pointers on a chain: "through 3 function pointers with 24, 11 and 13 candidates".
pub fn pointers(effects: &Effects<'_>, ambiguity: Ambiguity, steps: &[Step]) -> String {
    // The target of a slot with a mark does not matter, and an earlier step passed the target of a parameter.
    let is_chosen = |step: &&Step| !step.passed && step.callee.function().is_some();
    let slots = steps.iter().filter(is_chosen).filter_map(|step| step.through);
    let counts: Vec<String> = slots.map(|slot| effects.points_to.candidates(slot).len().to_string()).collect();
    match counts.as_slice() {
        [] => format!("one of {} possible combinations of targets", ambiguity.ways()),
        [count] => format!("through a function pointer with {count} candidates"),
        [counts @ .., last] => {
            format!("through {} function pointers with {} and {last} candidates", counts.len() + 1, counts.join(", "))
        }
    }
}

/// The value of the flag beside a slot, for a store: "with `FLAG_INSIDE`". `None` if the pack pairs no flag with the
/// slot, or the value is unknown.
pub fn flag(effects: &Effects<'_>, paired: Option<PairedFlag>) -> Option<String> {
    let paired = paired?;
    let pair = &effects.pack.slots[usize::from(paired.model.0)];
    Some(match (&pair.constant, &pair.flag) {
        (Some(constant), _) if paired.set => format!("with `{constant}`"),
        (Some(constant), _) => format!("without `{constant}`"),
        (None, flag) => {
            let not = if paired.set { "" } else { "not " };
            format!("where `{}` is {not}set", flag.as_ref()?)
        }
    })
}
