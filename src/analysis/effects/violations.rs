//! Calls that violate what their callee requires.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::program::{BodyId, FunctionId, IndexVec, Location, SlotId, Store};
use cowrap_facts::{CallKind, Context, ContextSet, PathCondition};
use cowrap_packs::Effect;

use super::{Effects, Provenance};

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
    let body = effects.program.body(id);
    let caller = body.function;
    let mut found = Vec::new();
    let requirement = effects.requirement(caller);
    // A model replaces the body. The body of a function that a model declares mixed is not checked.
    let is_modelled = matches!(requirement.provenance, Provenance::Modelled(_));
    if effects.start(caller).is_empty() || (is_modelled && requirement.effect == Some(Effect::Mixed)) {
        return found;
    }
    let mut add = |location: Location, callee: Callee, condition: PathCondition, checked: (ViolationKind, bool)| {
        let (kind, conditional) = checked;
        let start = match kind {
            ViolationKind::OutsideCall => effects.inferred_start(caller),
            ViolationKind::MixedCall => effects.judged_start(body),
            ViolationKind::InsideCall | ViolationKind::RegionCall => effects.start(caller),
        };
        let contexts = start.and(effects.possible_at(id, condition));
        found.push(Violation { body: id, caller, location, callee, kind, contexts, conditional });
    };
    for call in &body.calls {
        let Some(effect) = effects.effect(call.callee) else { continue };
        let Some(checked) = check_call(effects, id, effect, call.kind, call.condition) else { continue };
        if checked.0 == ViolationKind::MixedCall && effects.direct_target(call.callee).is_none() {
            continue;
        }
        add(call.location, Callee::Function(call.callee), call.condition, checked);
    }
    for call in &body.slot_calls {
        let Some(slot) = call.slot else { continue };
        let Some((effect, _)) = effects.slot_requirement(slot) else { continue };
        let Some(checked) = check_call(effects, id, effect, call.kind, call.condition) else { continue };
        // The wrapper in a slot can be any, so that its target is unknown.
        if checked.0 == ViolationKind::MixedCall {
            continue;
        }
        add(call.location, Callee::Slot(slot), call.condition, checked);
    }
    found
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
    let possible = effects.possible_at(body, condition);
    let linked = effects.program.body(body);
    let caller = linked.function;
    let contexts = effects.start(caller).and(possible);
    match effect {
        // Nobody can mark a function in a generated file. It is enough that it runs inside.
        Effect::InsideOnly
            if contexts.contains(Context::Outside)
                && effects.inferred_start(caller) == ContextSet::INSIDE
                && effects.is_generated(linked.location) =>
        {
            None
        }
        Effect::InsideOnly if contexts.contains(Context::Outside) => {
            let conditional = contexts == ContextSet::BOTH && effects.is_conditional(body, Context::Outside, condition);
            Some((ViolationKind::InsideCall, conditional))
        }
        Effect::OutsideOnly
            if effects.inferred_start(caller).and(possible) == ContextSet::INSIDE
                || (contexts == ContextSet::BOTH && effects.effect(caller) == Some(Effect::Mixed)) =>
        {
            Some((ViolationKind::OutsideCall, false))
        }
        Effect::Mixed if effects.judged_start(linked).and(possible) == ContextSet::INSIDE => {
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
    let has_mark = |slot: &SlotId| matches!(effects.slot_requirement(*slot), Some((Effect::InsideOnly, _)));
    let held = program.slots.ids().filter(has_mark).flat_map(|slot| effects.points_to.candidates(slot)).copied();
    for function in by_name.chain(held) {
        if effects.requirement(function).provenance == Provenance::Unmarked
            && effects.entry_contexts().possible.contexts(program, function) == ContextSet::INSIDE
        {
            starts[function] = ContextSet::INSIDE;
        }
    }
    starts
}

impl Effects<'_> {
    /// The contexts in which control can reach a point of a body, with the values of the body's flags that callers can
    /// pass.
    pub(super) fn possible_at(&self, body: BodyId, condition: PathCondition) -> ContextSet {
        let is_possible = |context: &Context| {
            let entered = self.entry_contexts().possible.values(*context, body);
            let reached = condition.values(*context);
            // If nobody enters the body in a context, any value could be passed there.
            reached != 0 && (entered == 0 || reached & entered != 0)
        };
        Context::ALL.into_iter().filter(is_possible).collect()
    }

    /// The contexts in which control reaches a point of a body from a marked function, along calls by name.
    pub(super) fn certain_at(&self, body: BodyId, condition: PathCondition) -> ContextSet {
        let is_certain =
            |context: &Context| condition.values(*context) & self.entry_contexts().certain.values(*context, body) != 0;
        Context::ALL.into_iter().filter(is_certain).collect()
    }

    /// Whether control reaches a point of a body, in this context, only for some values that callers can pass, and no
    /// caller certainly passes one of them.
    pub(super) fn is_conditional(&self, body: BodyId, context: Context, condition: PathCondition) -> bool {
        let possible = self.entry_contexts().possible.values(context, body);
        let reached = condition.values(context) & possible;
        self.program.body(body).is_conditional(reached, possible)
            && reached & self.entry_contexts().certain.values(context, body) == 0
    }
}
