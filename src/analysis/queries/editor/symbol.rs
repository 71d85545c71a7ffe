//! Which function or slot a word names.

use crate::effects::Effects;
use crate::program::{BodyId, FileId, FunctionId, Location, Slot, SlotId, SlotKey};

use super::{Symbol, Word};

/// The function or slot that a word names: by the call, declaration or store that the program has at its location, else
/// by its name, if that names only one.
pub fn symbol_at(effects: &Effects<'_>, word: &Word<'_>) -> Option<Symbol> {
    let program = effects.program;
    let named: Vec<FunctionId> = if word.is_member { Vec::new() } else { program.named(word.word).collect() };
    let slots = slots_named(effects, word.word);
    let file = program.file(word.path);
    if let Some(file) = file {
        let at = Location { file, line: word.line, column: word.column };
        let located = named.iter().find(|function| is_declared(effects, **function, at));
        if let Some(function) = located.copied().or_else(|| called_at(effects, word, at)) {
            return Some(Symbol::Function(function));
        }
        let declared = only(slots.iter().copied().filter(|slot| program.slot(*slot).declared.contains(&at)));
        if let Some(slot) = declared.or_else(|| slot_at(effects, at, &slots)) {
            return Some(Symbol::Slot(slot));
        }
    }
    let by_name = || named.iter().copied().find(|function| file.is_some() && program.function(*function).file == file);
    let function = by_name().or_else(|| program.by_name(word.word).filter(|_| !word.is_member));
    // Without its location, a word that is not behind `.` or `->` may also be a member's name in an initialiser.
    match (function, only(slots.iter().copied())) {
        (Some(function), None) if slots.is_empty() => Some(Symbol::Function(function)),
        (None, Some(slot)) => Some(Symbol::Slot(slot)),
        _ => None,
    }
}

/// The only one of some items.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next();
    if items.next().is_some() { None } else { first }
}

/// The name by which the source writes a slot.
fn written_name(slot: &Slot) -> Option<&str> {
    match &slot.key {
        SlotKey::Field { field, .. } => Some(field),
        SlotKey::Global { name, .. } | SlotKey::Local { name, .. } => Some(name),
        _ => None,
    }
}

fn slots_named(effects: &Effects<'_>, name: &str) -> Vec<SlotId> {
    let slots = effects.program.slots.enumerated();
    slots.filter(|(_, slot)| written_name(slot) == Some(name)).map(|(id, _)| id).collect()
}

fn is_declared(effects: &Effects<'_>, function: FunctionId, at: Location) -> bool {
    let mut declared = effects.program.function(function).declarations.iter();
    declared.any(|declaration| declaration.location == at)
        || effects.program.bodies_of(function).any(|body| body.location == at)
        || effects.program.stores_of(function).iter().any(|store| store.location == at)
}

/// The bodies that can contain a line: those whose name is nearest above it.
fn bodies_at(effects: &Effects<'_>, file: FileId, line: u32) -> Vec<BodyId> {
    let program = effects.program;
    let above = program.bodies_in(file).filter(|body| program.body(*body).location.line <= line);
    let above: Vec<BodyId> = above.collect();
    let nearest = above.last().map(|body| program.body(*body).location);
    above.into_iter().filter(|body| Some(program.body(*body).location) == nearest).collect()
}

/// The function that a call names at a location. A call out of a macro is at the macro's use, and its name is spelled in
/// the macro's definition.
fn called_at(effects: &Effects<'_>, word: &Word<'_>, at: Location) -> Option<FunctionId> {
    let program = effects.program;
    let bodies = bodies_at(effects, at.file, at.line);
    let calls = || bodies.iter().flat_map(|body| &program.body(*body).calls).filter(|call| call.location == at);
    let is_named = |function: FunctionId| {
        let function = program.function(function);
        function.name == word.word || function.aliases.iter().any(|alias| alias == word.word)
    };
    let by_name = calls().map(|call| call.callee).find(|callee| is_named(*callee));
    let mut from_macro: Vec<FunctionId> =
        calls().filter(|call| call.spelling.is_some()).map(|call| call.callee).collect();
    from_macro.sort_unstable();
    from_macro.dedup();
    let spelled = || {
        let named = program.named(word.word);
        named.into_iter().find(|function| {
            let mut incoming = program.incoming(*function).iter();
            incoming.any(|call| program.call(call.site).spelling == Some(at))
        })
    };
    by_name.or_else(spelled).or_else(|| only(from_macro.into_iter()))
}

/// The slot of these that is called through, or stored into, at a location. The call of `a->b()` is where it begins.
fn slot_at(effects: &Effects<'_>, at: Location, slots: &[SlotId]) -> Option<SlotId> {
    let program = effects.program;
    let bodies = bodies_at(effects, at.file, at.line);
    let calls = bodies.iter().flat_map(|body| &program.body(*body).slot_calls);
    let before = calls.filter(|call| call.location.line == at.line && call.location <= at);
    let mut called = before.filter_map(|call| call.slot.filter(|slot| slots.contains(slot)));
    let stored = program.stores.iter().filter(|store| store.location.file == at.file && store.location.line == at.line);
    let mut stored = stored.filter_map(|store| store.slot.filter(|slot| slots.contains(slot)));
    called.next_back().or_else(|| stored.next_back())
}
