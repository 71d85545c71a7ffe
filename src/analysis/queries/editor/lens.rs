//! How many callers the functions of a file have, by context.

use std::collections::BTreeSet;
use std::path::Path;

use crate::effects::Effects;
use crate::program::FunctionId;
use crate::wording::{name, span};
use cowrap_report::Lens;

use super::{LISTED, counted, in_contexts};

/// The callers by context of each function that a file defines.
pub fn lenses(effects: &Effects<'_>, path: &Path) -> Vec<Lens> {
    let program = effects.program;
    let Some(file) = program.file(path) else { return Vec::new() };
    let mut found: Vec<Lens> = Vec::new();
    for body in program.bodies_in(file).map(|body| program.body(body)) {
        let at = span(effects, body.location);
        // A function can have several bodies at one location, in different units.
        if found.last().is_none_or(|last| last.at != at) {
            let function = name(effects, body.function).to_owned();
            found.push(Lens { at, text: callers(effects, body.function), function });
        }
    }
    found
}

/// The callers of a function by context, and the function pointers that lead to it.
fn callers(effects: &Effects<'_>, function: FunctionId) -> String {
    let program = effects.program;
    let mut callers: [BTreeSet<FunctionId>; LISTED.len()] = Default::default();
    for call in program.incoming(function).iter().filter(|call| call.caller != function) {
        let contexts = effects.possible_at(call.site.body, call.condition);
        if let Some(position) = LISTED.iter().position(|listed| *listed == contexts) {
            callers[position].insert(call.caller);
        }
    }
    let counts = LISTED.iter().zip(&callers).filter(|(_, callers)| !callers.is_empty());
    let mut parts: Vec<String> = Vec::new();
    for (contexts, callers) in counts {
        let context = in_contexts(effects, *contexts);
        parts.push(match parts.is_empty() {
            true => format!("{} {context}", counted(callers.len(), "caller")),
            false => format!("{} {context}", callers.len()),
        });
    }
    let slots = effects.points_to.slots(function).iter().filter(|slot| !program.calls_through(**slot).is_empty());
    match (slots.count(), parts.is_empty()) {
        (0, true) => parts.extend(["no callers".to_owned()].into_iter().chain(stored(effects, function))),
        (0, false) => {}
        (count, true) => parts.push(format!("called through {}", counted(count, "function pointer"))),
        (count, false) => parts.push(format!("and through {}", counted(count, "function pointer"))),
    }
    parts.join(", ")
}

/// Where a function is stored that nothing in the program calls.
fn stored(effects: &Effects<'_>, function: FunctionId) -> Option<String> {
    match effects.program.stores_of(function) {
        [] => None,
        [store] => store.slot.map(|slot| format!("stored in {}", effects.slot_name(slot))),
        stores => Some(format!("stored in {} places", stores.len())),
    }
}
