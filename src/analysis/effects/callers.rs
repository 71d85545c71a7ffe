//! The callers of a function, by the context that they call it in.

use rustc_hash::FxHashSet;

use crate::program::{BodyId, CallSite, FunctionId, Location, SlotId, Store};
use cowrap_facts::{Context, ContextSet};
use cowrap_packs::Effect;

use super::{Effects, Provenance};

/// The callers of a function, by the context that they call it in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callers {
    /// Calls inside.
    pub inside: Vec<(CallSite, FunctionId)>,
    /// Calls outside.
    pub outside: Vec<(CallSite, FunctionId)>,
    /// Calls without a guard in functions that run in both contexts.
    pub mixed: Vec<(CallSite, FunctionId)>,
    /// Calls in functions whose context is unknown.
    pub unmarked: Vec<(CallSite, FunctionId)>,
    /// The function's stores, each with the requirement that the slot's callers see.
    pub stores: Vec<(Store, Option<Effect>)>,
    /// Calls through slots that may point to the function, by callers with a known context.
    pub through: Vec<CallThrough>,
    /// The contexts in which the function may be entered, by all callers of callers and through slots; both if the
    /// program does not have all of its callers.
    pub possible: ContextSet,
}

/// A call through a slot that may point to a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallThrough {
    /// The location of the call.
    pub location: Location,
    /// The function that calls.
    pub caller: FunctionId,
    /// The slot.
    pub slot: SlotId,
    /// The context of the call.
    pub context: Context,
}

impl Callers {
    /// Whether the function is called, and certainly in these contexts only.
    pub fn are_all(&self, contexts: ContextSet) -> bool {
        self.possible == contexts
    }

    /// The contexts in which the function is certainly called; and if there are any, those in which slots may call it.
    pub fn known(&self) -> ContextSet {
        let is_stored_as = |effect| self.stores.iter().any(|(_, stored)| *stored == Some(effect));
        let mut known = ContextSet::EMPTY;
        if !self.inside.is_empty() || is_stored_as(Effect::InsideOnly) || is_stored_as(Effect::Entry) {
            known = known.or(ContextSet::INSIDE);
        }
        if !self.outside.is_empty() || is_stored_as(Effect::OutsideOnly) {
            known = known.or(ContextSet::OUTSIDE);
        }
        if !self.mixed.is_empty() || is_stored_as(Effect::Mixed) {
            known = ContextSet::BOTH;
        }
        // That some slot may call the function is not enough to say that it runs in one context only.
        let through = self.through.iter().fold(known, |all, call| all.or(call.context.into()));
        if known.is_empty() { known } else { through }
    }
}

impl Effects<'_> {
    /// Whether a function without a requirement runs only inside: the program has all of its callers, and all of them
    /// call it there.
    pub fn runs_only_inside(&self, function: FunctionId) -> bool {
        self.requirement(function).provenance == Provenance::Unmarked
            && self.start(function) == ContextSet::BOTH
            && !self.calls.bodies_of(function).is_empty()
            && self.entry_contexts().possible.contexts(function) == ContextSet::INSIDE
    }

    /// Notes the text of a unit whose facts the program lacks. Whatever the text names may be called there, in any
    /// context. This must come before the first question about entry contexts.
    pub fn add_unread_text(&mut self, text: &[u8]) {
        let words: FxHashSet<&[u8]> = text.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').collect();
        let names = words.into_iter().filter_map(|word| std::str::from_utf8(word).ok());
        let program = self.program;
        self.named_elsewhere.extend(names.filter_map(|name| program.external(name)));
    }

    /// The contexts in which a body runs, by the function's requirement or else by its callers. Nobody can mark a
    /// function in a generated file, so that its callers do not matter.
    pub(super) fn judged_start(&self, body: BodyId) -> ContextSet {
        let function = self.calls.body(body).function;
        if self.runs_only_inside(function) && !self.is_generated(self.program.body(body).location) {
            return ContextSet::INSIDE;
        }
        self.runs_in(function)
    }

    /// The contexts in which a function's body starts; for an entry, by its callers in the program. This may decide all
    /// entry contexts.
    pub fn runs_in(&self, function: FunctionId) -> ContextSet {
        match self.is_entry(function) {
            true => self.entry_contexts().possible.contexts(function),
            false => self.start(function),
        }
    }

    /// The callers of a function, by the context that they call it in.
    pub fn callers(&self, function: FunctionId) -> Callers {
        let possible = self.entry_contexts().possible.contexts(function);
        let mut callers = Callers { possible, ..Callers::default() };
        for (site, caller) in self.program.calls_of(function) {
            let call = self.program.call(site);
            if !call.kind.is_in_place() || caller == function {
                continue;
            }
            let contexts = self.contexts_at_call(site.body, call.condition);
            let list = match contexts {
                ContextSet::INSIDE => &mut callers.inside,
                ContextSet::OUTSIDE => &mut callers.outside,
                // Some of the caller's own callers may be marked.
                ContextSet::BOTH if self.effect(caller).is_none() => match self.certain_at(site.body, call.condition) {
                    ContextSet::BOTH => &mut callers.mixed,
                    ContextSet::OUTSIDE => &mut callers.outside,
                    _ => &mut callers.unmarked,
                },
                ContextSet::BOTH => &mut callers.mixed,
                _ => continue,
            };
            list.push((site, caller));
        }
        callers.through = self.calls_through_slots(function);
        let stores = self.program.stores_of(function).iter();
        callers.stores = stores.map(|store| (*store, self.store_requirement(store))).collect();
        callers
    }

    /// The calls through slots that may point to a function, by callers with a known context.
    fn calls_through_slots(&self, function: FunctionId) -> Vec<CallThrough> {
        let mut found = Vec::new();
        for slot in self.points_to.slots(function) {
            for (body, call) in self.slot_calls_of(*slot) {
                let caller = self.program.body(body).function;
                let contexts = self.contexts_at_call(body, call.condition);
                let context = contexts.only().filter(|context| self.slot_contexts(function).contains(*context));
                let location = call.location;
                found.extend(context.map(|context| CallThrough { location, caller, slot: *slot, context }));
            }
        }
        found.sort_unstable();
        found
    }
}
