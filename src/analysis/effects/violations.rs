//! Calls that violate what their callee requires.

use std::collections::HashMap;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::program::{Body, BodyId, FunctionId, IndexVec, Location, SlotId, Store};
use cowrap_facts::{CallKind, Context, ContextSet, PathCondition};
use cowrap_packs::Effect;

use super::{Effects, EntryContexts, Provenance};

/// A call in a context that its callee does not allow, or a call that should name another function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The body with the call.
    pub body: BodyId,
    /// The function of that body.
    pub caller: FunctionId,
    /// The location of the call.
    pub location: Location,
    /// What is called.
    pub callee: Callee,
    /// What is wrong.
    pub kind: ViolationKind,
    /// The contexts in which the call may run.
    pub contexts: ContextSet,
    /// Whether the call only violates the requirement for some values of a boolean parameter of the caller.
    pub conditional: bool,
    /// For a call out of a macro, its location in the macro's definition. Of several such calls of one function at one
    /// location, that of the first.
    pub spelling: Option<Location>,
}

/// What is called: a function by its name, or the function in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Callee {
    /// A function.
    Function(FunctionId),
    /// A slot.
    Slot(SlotId),
}

impl Callee {
    /// The function, unless it is a slot.
    pub fn function(self) -> Option<FunctionId> {
        match self {
            Callee::Function(function) => Some(function),
            Callee::Slot(_) => None,
        }
    }
}

/// What is wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ViolationKind {
    /// An inside-only callee may be called outside.
    InsideCall,
    /// An outside-only callee is or may be called inside.
    OutsideCall,
    /// A wrapper is called inside, which could call the wrapper's target.
    MixedCall,
    /// An inside-only callee is called in a region, which runs in another thread and must reach no primitive.
    RegionCall,
}

/// Checks every call of the program.
pub(super) fn violations(effects: &Effects<'_>) -> Vec<Violation> {
    // This uses all threads. It must not start while they wait for it, so it comes before the parallel loop.
    effects.entry_contexts();
    let bodies = (0..effects.program.bodies.len() as u32).into_par_iter().map(BodyId);
    bodies.flat_map_iter(|body| violations_of(effects, body)).collect()
}

/// Checks the calls of a body.
fn violations_of(effects: &Effects<'_>, id: BodyId) -> Vec<Violation> {
    let caller = effects.calls.body(id).function;
    let mut found = Vec::new();
    if effects.start(caller).is_empty() || effects.is_modelled_as_mixed(caller) {
        return found;
    }
    let mut add = |location: Location, callee: Callee, condition: PathCondition, checked: (ViolationKind, bool)| {
        let (kind, conditional) = checked;
        let start = match kind {
            // It certainly starts inside, wherever else it may run.
            ViolationKind::OutsideCall if effects.is_entry(caller) => ContextSet::INSIDE,
            ViolationKind::OutsideCall => effects.inferred_start(caller),
            ViolationKind::MixedCall => effects.judged_start(id),
            ViolationKind::InsideCall | ViolationKind::RegionCall => effects.start(caller),
        };
        let contexts = effects.contexts_at(id, condition.settled(), start);
        found.push(Violation { body: id, caller, location, callee, kind, contexts, conditional, spelling: None });
    };
    // What a body does before a crash does not matter, if the pack says what a crash is.
    let matters = |ends: bool| !ends || effects.pack.crashes.is_none();
    let body = effects.program.body(id);
    for (position, call) in effects.calls.named(id).iter().enumerate().filter(|(_, call)| matters(call.ends)) {
        let Some(effect) = effects.effect(call.called) else { continue };
        let Some(checked) = check_call(effects, id, effect, call.kind, call.condition) else { continue };
        if checked.0 == ViolationKind::MixedCall && effects.direct_target(call.called).is_none() {
            continue;
        }
        add(body.calls[position].location, Callee::Function(call.called), call.condition, checked);
    }
    for (position, call) in effects.calls.through_slots(id).iter().enumerate().filter(|(_, call)| matters(call.ends)) {
        let Some(slot) = call.called else { continue };
        let Some(effect) = effects.slot_effect(slot) else { continue };
        let Some(checked) = check_call(effects, id, effect, call.kind, call.condition) else { continue };
        // The wrapper in a slot can be any, so that its target is unknown.
        if checked.0 == ViolationKind::MixedCall {
            continue;
        }
        add(body.slot_calls[position].location, Callee::Slot(slot), call.condition, checked);
    }
    add_spellings(&mut found, body);
    found
}

/// Adds where the calls of a body that come out of macros are written.
fn add_spellings(violations: &mut [Violation], body: &Body) {
    if violations.is_empty() {
        return;
    }
    let mut spellings: HashMap<(Location, Callee), Location> = HashMap::new();
    for call in &body.calls {
        if let Some(spelling) = call.spelling {
            spellings.entry((call.location, Callee::Function(call.callee))).or_insert(spelling);
        }
    }
    for violation in violations {
        violation.spelling = spellings.get(&(violation.location, violation.callee)).copied();
    }
}

/// What is wrong with a call of something with this effect; and whether that depends on a boolean parameter of the
/// caller, and no caller certainly passes the value.
fn check_call(
    effects: &Effects<'_>,
    body: BodyId,
    effect: Effect,
    call: CallKind,
    condition: PathCondition,
) -> Option<(ViolationKind, bool)> {
    match call {
        CallKind::Written | CallKind::Cleanup => {}
        // A region must reach no primitive, and everything in it may block.
        CallKind::Region if effect == Effect::InsideOnly && !condition.contexts().is_empty() => {
            return Some((ViolationKind::RegionCall, false));
        }
        CallKind::Region | CallKind::Unresolved => return None,
    }
    let caller = effects.calls.body(body).function;
    let contexts_from = |start: ContextSet| effects.contexts_at(body, condition, start);
    // Where a change before the call leaves the context open, no requirement is certainly violated.
    let contexts = effects.contexts_at_call(body, condition.settled());
    match effect {
        // Nobody can mark a function in a generated file. It is enough that it runs inside.
        Effect::InsideOnly
            if contexts.contains(Context::Outside)
                && effects.inferred_start(caller) == ContextSet::INSIDE
                && effects.is_generated(effects.program.body(body).location) =>
        {
            None
        }
        Effect::InsideOnly if contexts.contains(Context::Outside) => {
            let conditional =
                contexts == ContextSet::BOTH && effects.is_conditional(body, Context::Outside, condition.settled());
            Some((ViolationKind::InsideCall, conditional))
        }
        Effect::OutsideOnly
            if contexts_from(effects.inferred_start(caller)) == ContextSet::INSIDE
                || (effects.is_entry(caller) && contexts_from(ContextSet::INSIDE) == ContextSet::INSIDE)
                || (contexts == ContextSet::BOTH && effects.effect(caller) == Some(Effect::Mixed)) =>
        {
            Some((ViolationKind::OutsideCall, false))
        }
        Effect::Mixed if contexts_from(effects.judged_start(body)) == ContextSet::INSIDE => {
            Some((ViolationKind::MixedCall, false))
        }
        _ => None,
    }
}

/// For each function, the contexts in which its body starts, also inferred from the slots that it is stored into.
pub(super) fn inferred_starts(effects: &Effects<'_>) -> IndexVec<FunctionId, ContextSet> {
    let program = effects.program;
    let mut starts: IndexVec<FunctionId, ContextSet> =
        program.function_ids().map(|function| effects.start(function)).collect();
    let is_inside_only = |store: &&Store| effects.store_requirement(store) == Some(Effect::InsideOnly);
    let by_name = program.stores.iter().filter(is_inside_only).map(|store| store.function);
    let has_mark = |slot: &SlotId| effects.slot_effect(*slot) == Some(Effect::InsideOnly);
    let held = program.slots.ids().filter(has_mark).flat_map(|slot| effects.points_to.candidates(slot)).copied();
    for function in by_name.chain(held) {
        if effects.requirement(function).provenance == Provenance::Unmarked
            && effects.entry_contexts().possible.contexts(function) == ContextSet::INSIDE
        {
            starts[function] = ContextSet::INSIDE;
        }
    }
    starts
}

impl Effects<'_> {
    /// Whether a model says that a function is mixed. It replaces the body, which is not checked, and in which no chain
    /// starts.
    pub(super) fn is_modelled_as_mixed(&self, function: FunctionId) -> bool {
        let requirement = self.requirement(function);
        matches!(requirement.provenance, Provenance::Modelled(_)) && requirement.effect == Some(Effect::Mixed)
    }

    /// The contexts in which control can be at a point of a body that starts in these contexts, with the values of the
    /// body's flags that callers can pass.
    pub(super) fn contexts_at(&self, body: BodyId, condition: PathCondition, start: ContextSet) -> ContextSet {
        // If nobody enters the body in a context, those who would pass what is passed in the other one, or anything. All
        // that calls an entry inside is known to exist, and what calls it outside is in the program.
        let is_open = !self.is_entry(self.calls.body(body).function);
        let possible = |entry: Context| self.entry_contexts().possible.values(entry, body);
        let is_reached = |at: Context, entry: Context| {
            let entered = match (possible(entry), possible(entry.other())) {
                (0, _) if !is_open => 0,
                (0, 0) => u8::MAX,
                (0, other) => other,
                (entered, _) => entered,
            };
            condition.values_at(entry, at) & entered != 0
        };
        let entries = |at: Context| Context::ALL.map(|entry| start.contains(entry) && is_reached(at, entry));
        Context::ALL.into_iter().filter(|at| entries(*at).contains(&true)).collect()
    }

    /// The contexts in which control can be at a call of a body, with the values of the body's flags that callers can
    /// pass.
    pub(super) fn contexts_at_call(&self, body: BodyId, condition: PathCondition) -> ContextSet {
        self.contexts_at(body, condition, self.start(self.calls.body(body).function))
    }

    /// The contexts in which control certainly is at a point of a body, for some certain entry state.
    pub(super) fn certain_at(&self, body: BodyId, condition: PathCondition) -> ContextSet {
        let (certain, settled) = (&self.entry_contexts().certain, condition.settled());
        let is_reached =
            |at: Context| Context::ALL.map(|entry| settled.values_at(entry, at) & certain.values(entry, body) != 0);
        Context::ALL.into_iter().filter(|at| is_reached(*at).contains(&true)).collect()
    }

    /// Whether control is at a point of a body, in this context, only for some values that callers can pass, and no
    /// caller certainly passes one of them.
    pub(super) fn is_conditional(&self, body: BodyId, context: Context, condition: PathCondition) -> bool {
        let EntryContexts { possible, certain } = self.entry_contexts();
        let states = Context::ALL.map(|entry| {
            let possible = possible.values(entry, body);
            (condition.values_at(entry, context) & possible, possible, certain.values(entry, body))
        });
        let linked = self.program.body(body);
        let mut reached = states.into_iter().filter(|(reached, ..)| *reached != 0).peekable();
        reached.peek().is_some()
            && reached
                .all(|(reached, possible, certain)| linked.is_conditional(reached, possible) && reached & certain == 0)
    }
}
