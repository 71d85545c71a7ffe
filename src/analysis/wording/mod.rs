//! The words for what is known of a program: the same in findings and in answers.
//!
//! It must never know why something is told, or how it will be shown.

use crate::effects::{Callee, Effects, Step};
use crate::program::{FunctionId, Location, SlotId, Store};
use cowrap_packs::Effect;
use cowrap_report::Span;

/// How many locations of one kind are listed before they are only counted.
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

/// What is called, in words: a function's name, or what is called through a slot.
pub fn called(effects: &Effects<'_>, callee: Callee) -> String {
    match callee {
        Callee::Function(function) => format!("`{}`", name(effects, function)),
        Callee::Slot(slot) => format!("what {} holds", effects.slot_name(slot)),
    }
}

/// What is called, as the beginning of a message: with what it demands.
pub fn demanding(effects: &Effects<'_>, callee: Callee, effect: Effect) -> String {
    let (callee_words, effect) = (called(effects, callee), effect.describe());
    match callee {
        Callee::Function(_) => format!("{effect} {callee_words} is called"),
        Callee::Slot(_) => format!("{callee_words} is {effect}, and is called"),
    }
}

/// The name of the plain mark for an effect, or the words for it when the pack has none.
pub fn mark_for<'p>(effects: &Effects<'p>, effect: Effect) -> &'p str {
    effects.plain_mark(effect).map_or(effect.describe(), |mark| effects.pack.mark(mark).name.as_str())
}

/// The names of functions, quoted, joined by commas; long lists are cut and counted.
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

/// A call on a chain, in words.
pub fn step(effects: &Effects<'_>, step: &Step) -> String {
    let caller = name(effects, step.caller);
    let callee = called(effects, step.callee);
    match step.through.filter(|slot| step.callee != Callee::Slot(*slot)) {
        Some(_) if step.passed => format!("`{caller}` calls what it was passed: {callee}"),
        Some(slot) => {
            let slot_name = effects.slot_name(slot);
            format!("`{caller}` calls through {slot_name}, which may be {callee}: {}", one_of(effects, slot))
        }
        None => format!("`{caller}` calls {callee}"),
    }
}

/// How many functions a slot may hold, said of one of them.
pub fn one_of(effects: &Effects<'_>, slot: SlotId) -> String {
    match effects.points_to.candidates(slot).len() {
        0 | 1 => "the only function that is stored there".to_owned(),
        count => format!("one of {count} functions that are stored there"),
    }
}

/// What a flag beside a slot says where a function is stored: "with `QCO_COROUTINE`". Nothing when the pack pairs no flag with
/// the slot, or its value is not known.
pub fn flag(effects: &Effects<'_>, store: &Store) -> Option<String> {
    let paired = store.paired_flag?;
    let pair = &effects.pack.pairs[usize::from(paired.pair.0)];
    Some(match (&pair.constant, &pair.flag) {
        (Some(constant), _) if paired.set => format!("with `{constant}`"),
        (Some(constant), _) => format!("without `{constant}`"),
        (None, flag) => {
            let not = if paired.set { "" } else { "not " };
            format!("where `{}` is {not}set", flag.as_ref()?)
        }
    })
}
