//! The call hierarchy: callers and callees of a function or slot, through function pointers, with contexts.

use std::collections::BTreeMap;

use crate::effects::Effects;
use crate::program::{BodyId, FunctionId, Location, SlotId, SlotKey};
use crate::wording::{name, span};
use cowrap_facts::ContextSet;
use cowrap_report::{CallItem, CallRelation, Span};

use super::super::paths::home;
use super::{LISTED, Symbol, Word, in_contexts, symbol_at};

/// The item of the function or slot at a word; empty if the word names neither.
pub fn call_item(effects: &Effects<'_>, word: &Word<'_>) -> Vec<CallItem> {
    symbol_at(effects, word).and_then(|symbol| item(effects, symbol)).into_iter().collect()
}

/// The callers of an item; `None` if the program does not have it any more. Slots that may point to a function are
/// among its callers if anything is called through them.
pub fn incoming(effects: &Effects<'_>, to: &CallItem) -> Option<Vec<CallRelation>> {
    let program = effects.program;
    let mut found = Relations::default();
    match symbol_of(effects, to)? {
        Symbol::Function(function) => {
            for call in program.incoming(function) {
                let contexts = effects.possible_at(call.site.body, call.condition);
                found.add(Symbol::Function(call.caller), contexts, false, program.call(call.site).location);
            }
            let slots = effects.points_to.slots(function).iter();
            for slot in slots.filter(|slot| !program.calls_through(**slot).is_empty()) {
                found.add_candidate(effects, Symbol::Slot(*slot), *slot, function);
            }
        }
        Symbol::Slot(slot) => {
            for (body, position) in program.calls_through(slot) {
                let (caller, call) =
                    (program.body(*body).function, &program.body(*body).slot_calls[*position as usize]);
                let contexts = effects.possible_at(*body, call.condition);
                found.add(Symbol::Function(caller), contexts, true, call.location);
            }
        }
    }
    Some(found.finish(effects))
}

/// What an item calls; `None` if the program does not have it any more. What a slot may point to is what it calls.
pub fn outgoing(effects: &Effects<'_>, from: &CallItem) -> Option<Vec<CallRelation>> {
    let program = effects.program;
    let mut found = Relations::default();
    match symbol_of(effects, from)? {
        Symbol::Function(function) => {
            for body in &program.function(function).bodies {
                found.add_calls_of(effects, *body);
            }
        }
        Symbol::Slot(slot) => {
            for candidate in effects.points_to.candidates(slot) {
                found.add_candidate(effects, Symbol::Function(*candidate), slot, *candidate);
            }
        }
    }
    Some(found.finish(effects))
}

/// The item of a function or slot; `None` if it has no location.
pub(super) fn item(effects: &Effects<'_>, symbol: Symbol) -> Option<CallItem> {
    Some(CallItem {
        name: name_of(effects, symbol),
        detail: detail(effects, symbol),
        at: span(effects, location_of(effects, symbol)?),
        lines: lines_of(effects, symbol),
        is_slot: matches!(symbol, Symbol::Slot(_)),
    })
}

/// The marks of a function or slot, or what it requires.
fn detail(effects: &Effects<'_>, symbol: Symbol) -> String {
    let (marks, effect): (Vec<&str>, _) = match symbol {
        Symbol::Function(function) => (effects.marks_of(function).into_iter().collect(), effects.effect(function)),
        Symbol::Slot(slot) => {
            let marks = effects.mark_names(&effects.program.slot(slot).marks).collect();
            (marks, effects.slot_effect(slot))
        }
    };
    match effect {
        Some(effect) if marks.is_empty() => effects.pack.words.effect(effect).to_owned(),
        _ => marks.join(", "),
    }
}

/// The first and the last line of a function's first body, which is where its item is.
fn lines_of(effects: &Effects<'_>, symbol: Symbol) -> Option<(u32, u32)> {
    let Symbol::Function(function) = symbol else { return None };
    effects.program.bodies_of(function).next().map(|body| (body.location.line, body.last_line()))
}

fn name_of(effects: &Effects<'_>, symbol: Symbol) -> String {
    match symbol {
        Symbol::Function(function) => name(effects, function).to_owned(),
        Symbol::Slot(slot) => effects.slot_name(slot).replace('`', ""),
    }
}

fn location_of(effects: &Effects<'_>, symbol: Symbol) -> Option<Location> {
    match symbol {
        Symbol::Function(function) => home(effects, function),
        Symbol::Slot(slot) => slot_home(effects, slot),
    }
}

/// Where a slot is declared, or else what it is a part of.
pub(in super::super) fn slot_home(effects: &Effects<'_>, slot: SlotId) -> Option<Location> {
    let linked = effects.program.slot(slot);
    let declared = linked.declared.first().copied();
    declared.or_else(|| match &linked.key {
        SlotKey::Field { record, .. } => Some(*record),
        SlotKey::Local { declared, .. } => Some(*declared),
        SlotKey::Parameter { function, .. } | SlotKey::Result { function } => home(effects, *function),
        SlotKey::Global { .. } => None,
        SlotKey::PointedParameter { .. } | SlotKey::PointedResult { .. } | SlotKey::Target(_) => {
            slot_home(effects, linked.base?)
        }
    })
}

/// The function or slot of an item, by its name and location.
fn symbol_of(effects: &Effects<'_>, item: &CallItem) -> Option<Symbol> {
    let is_same = |symbol: &Symbol| {
        location_of(effects, *symbol).map(|location| span(effects, location)).as_ref() == Some(&item.at)
    };
    match item.is_slot {
        false => effects.program.named(&item.name).map(Symbol::Function).find(is_same),
        true => {
            let slots = effects.program.slots.ids().map(Symbol::Slot);
            slots.into_iter().filter(is_same).find(|slot| name_of(effects, *slot) == item.name)
        }
    }
}

/// Whether a relation goes through a pointer, its other end, and the position of the contexts among those listed.
type Key = (bool, Symbol, usize);

/// The relations of an item, each with the locations of its calls.
#[derive(Default)]
struct Relations {
    found: BTreeMap<Key, Vec<Location>>,
}

/// The position of the contexts of what a slot may point to.
const NO_CONTEXT: usize = LISTED.len();

impl Relations {
    fn add(&mut self, other: Symbol, contexts: ContextSet, through_pointer: bool, location: Location) {
        let position = LISTED.iter().position(|listed| *listed == contexts).unwrap_or(NO_CONTEXT);
        self.found.entry((through_pointer, other, position)).or_default().push(location);
    }

    /// Adds a slot that may point to a function, or the function.
    fn add_candidate(&mut self, effects: &Effects<'_>, other: Symbol, slot: SlotId, function: FunctionId) {
        let near = location_of(effects, other).map(|location| location.file);
        let origin = near.and_then(|near| effects.points_to.origin(effects.program, slot, function, near));
        let sites = self.found.entry((true, other, NO_CONTEXT)).or_default();
        sites.extend(origin.map(|origin| origin.store.location));
    }

    fn add_calls_of(&mut self, effects: &Effects<'_>, body: BodyId) {
        let linked = effects.program.body(body);
        for call in &linked.calls {
            let contexts = effects.possible_at(body, call.condition);
            self.add(Symbol::Function(call.callee), contexts, false, call.location);
        }
        for call in &linked.slot_calls {
            if let Some(slot) = call.slot {
                self.add(Symbol::Slot(slot), effects.possible_at(body, call.condition), true, call.location);
            }
        }
    }

    fn finish(self, effects: &Effects<'_>) -> Vec<CallRelation> {
        let relation = |((through_pointer, other, position), mut locations): (Key, Vec<Location>)| {
            locations.sort_unstable();
            locations.dedup();
            let sites: Vec<Span> = locations.into_iter().map(|location| span(effects, location)).collect();
            let context = LISTED.get(position).map_or("", |contexts| in_contexts(effects, *contexts)).to_owned();
            Some(CallRelation { item: item(effects, other)?, sites, context, through_pointer })
        };
        self.found.into_iter().filter_map(relation).collect()
    }
}
