//! Which functions may reach a primitive: a function that needs the inside context itself.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use crate::program::{FunctionId, IndexVec, Location, SlotId, SlotKey};
use cowrap_facts::CallKind;
use cowrap_packs::Effect;

use super::{Callee, Effects, Step};

/// Why a function may reach a primitive, apart from the functions that it may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrimitiveCause {
    /// The pack lists it.
    Listed,
    /// It calls through a pointer at this location. The pointer is a parameter, or cowrap does not know all functions
    /// that it may point to, or a mark says that they may reach a primitive.
    FunctionPointer(Location),
    /// A selection at this location may call something, and cowrap cannot resolve which arm runs.
    Unresolved(Location),
    /// The program does not have its body.
    NoBody,
}

/// For each function, whether it may reach a primitive: by itself, or since it calls one that may.
///
/// A function that the tree does not declare comes from a library, which knows nothing of primitives.
pub(super) fn may_reach_primitive(effects: &Effects<'_>) -> IndexVec<FunctionId, bool> {
    let program = effects.program;
    let mut may: IndexVec<FunctionId, bool> =
        program.function_ids().map(|function| effects.own_cause(function).is_some()).collect();
    let mut work: Vec<FunctionId> = program.function_ids().filter(|function| may[*function]).collect();
    let mut slots = IndexVec::from_elem(false, program.slots.len());
    while let Some(callee) = work.pop() {
        let mut add = |caller: FunctionId| {
            if !std::mem::replace(&mut may[caller], true) {
                work.push(caller);
            }
        };
        program.sites_of(callee).for_each(|(_, caller)| add(caller));
        for slot in effects.points_to.slots(callee) {
            if !std::mem::replace(&mut slots[*slot], true) {
                program.calls_through(*slot).iter().for_each(|(body, _)| add(effects.calls.body(*body).function));
            }
        }
    }
    may
}

impl Effects<'_> {
    /// Why a function may reach a primitive, apart from the functions that it may call.
    fn own_cause(&self, function: FunctionId) -> Option<PrimitiveCause> {
        if self.is_primitive(function) {
            return Some(PrimitiveCause::Listed);
        }
        let bodies = self.calls.bodies_of(function);
        if bodies.is_empty() && !self.program.function(function).declarations.is_empty() {
            return Some(PrimitiveCause::NoBody);
        }
        let pointer = bodies.iter().find_map(|body| {
            let mut calls = self.calls.through_slots(*body).iter();
            let position = calls.position(|call| !self.names_all_targets(call.called))?;
            Some(PrimitiveCause::FunctionPointer(self.program.body(*body).slot_calls[position].location))
        });
        let unresolved = || {
            bodies.iter().find_map(|body| {
                let position = self.calls.named(*body).iter().position(|call| call.kind == CallKind::Unresolved)?;
                Some(PrimitiveCause::Unresolved(self.program.body(*body).calls[position].location))
            })
        };
        pointer.or_else(unresolved)
    }

    /// Whether calls through a slot call its candidates and nothing else, and no mark says that these may reach a
    /// primitive. A function that calls its parameter does not decide what it calls, whatever today's callers pass.
    fn names_all_targets(&self, slot: Option<SlotId>) -> bool {
        slot.is_some_and(|slot| {
            let may_reach_primitive = self.slot_effect(slot) == Some(Effect::InsideOnly);
            let is_parameter = matches!(self.program.slot(slot).key, SlotKey::Parameter { .. });
            let is_known = !self.points_to.candidates(slot).is_empty() && !self.points_to.may_hold_unknown(slot);
            is_known && !may_reach_primitive && !is_parameter
        })
    }

    /// Why a function may reach a primitive: the shortest chain of calls to a function with a cause of its own, that
    /// function, and its cause. `None` if it certainly reaches none.
    pub fn path_to_primitive(&self, function: FunctionId) -> Option<(Vec<Step>, FunctionId, PrimitiveCause)> {
        let mut from: HashMap<FunctionId, Option<Step>> = HashMap::from([(function, None)]);
        let mut open = VecDeque::from([function]);
        while let Some(at) = open.pop_front() {
            if let Some(cause) = self.own_cause(at) {
                let mut steps = Vec::new();
                let mut back = from.get(&at).copied().flatten();
                while let Some(step) = back {
                    steps.push(step);
                    back = from.get(&step.caller).copied().flatten();
                }
                steps.reverse();
                return Some((steps, at, cause));
            }
            let mut add = |called: FunctionId, location: Location, through: Option<SlotId>| {
                let callee = Callee::Function(called);
                let step = Step { caller: at, location, through, passed: false, callee };
                if let Entry::Vacant(entry) = from.entry(called) {
                    entry.insert(Some(step));
                    open.push_back(called);
                }
            };
            for body in self.program.bodies_of(at) {
                body.calls.iter().for_each(|call| add(call.callee, call.location, None));
                for call in &body.slot_calls {
                    let candidates = call.slot.into_iter().flat_map(|slot| self.points_to.candidates(slot));
                    candidates.for_each(|candidate| add(*candidate, call.location, call.slot));
                }
            }
        }
        None
    }
}
