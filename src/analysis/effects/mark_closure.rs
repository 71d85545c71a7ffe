//! The other marks that a new inside-only mark requires: those of unmarked callers that may run outside, of their
//! callers, of the slots that point to any of these, of the slots that these are copied to, and of
//! those that have the same typedef.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::program::{FunctionId, Location, SlotId};
use cowrap_facts::{Context, ContextSet};
use cowrap_packs::Effect;

use super::{Callee, Effects};

/// The largest closure that is computed. A larger one is no plan that anybody would follow, and in a program where all
/// functions lead to one another each finding would visit all of it.
pub const MAX_REQUIRED_MARKS: usize = 1000;

/// What follows from marking one function or slot as inside-only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarkClosure {
    /// The other marks: the nearest first, then by location.
    pub required_marks: Vec<RequiredMark>,
    /// A location that no mark makes correct: a call outside, or a slot with another requirement.
    pub obstacle: Option<Location>,
    /// Whether there are more than [`MAX_REQUIRED_MARKS`].
    pub is_truncated: bool,
}

/// A mark that another mark requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequiredMark {
    /// The function or slot to mark.
    pub what: Callee,
    /// The marked function or slot that it calls or points to.
    pub because: Callee,
    /// The first of those calls, or where the function is stored or the slot is copied.
    pub location: Location,
}

impl Effects<'_> {
    /// What follows from marking `first` as inside-only.
    pub fn mark_closure(&self, first: Callee) -> MarkClosure {
        let mut closure = MarkClosure::default();
        let mut known = BTreeSet::from([first]);
        let mut open = VecDeque::from([first]);
        while let Some(marked) = open.pop_front() {
            for (what, location) in self.next_to_mark(marked, &mut closure.obstacle) {
                if known.insert(what) {
                    if closure.required_marks.len() == MAX_REQUIRED_MARKS {
                        closure.is_truncated = true;
                        return closure;
                    }
                    closure.required_marks.push(RequiredMark { what, because: marked, location });
                    open.push_back(what);
                }
            }
        }
        closure
    }

    /// What must be marked as soon as `marked` is: the slots that point to it, and the functions that call it.
    fn next_to_mark(&self, marked: Callee, obstacle: &mut Option<Location>) -> Vec<(Callee, Location)> {
        let mut next = Vec::new();
        let mut calls = match marked {
            Callee::Function(function) => {
                self.slots_to_mark(function, &mut next, obstacle);
                self.calls_in_context(function)
            }
            Callee::Slot(slot) => {
                *obstacle = obstacle.or_else(|| self.store_of_outside_only(slot));
                self.copies_to_mark(slot, &mut next, obstacle);
                self.shared_to_mark(slot, &mut next);
                let calls = self.slot_calls_of(slot).map(|(body, call)| {
                    let caller = self.program.body(body).function;
                    (call.location, caller, self.contexts_at_call(body, call.condition))
                });
                calls.collect()
            }
        };
        calls.sort_unstable();
        for (location, caller, contexts) in calls {
            if !contexts.contains(Context::Outside) {
                continue;
            }
            match self.effect(caller) {
                None if self.start(caller) == ContextSet::BOTH => next.push((Callee::Function(caller), location)),
                _ => *obstacle = obstacle.or(Some(location)),
            }
        }
        next
    }

    /// The calls of a function by name, with the contexts in which they may run.
    fn calls_in_context(&self, function: FunctionId) -> Vec<(Location, FunctionId, ContextSet)> {
        let calls = self.program.sites_of(function).filter_map(|(site, caller)| {
            let call = self.program.call(site);
            let is_other = call.kind.is_in_place() && caller != function;
            is_other.then(|| (call.location, caller, self.contexts_at_call(site.body, call.condition)))
        });
        calls.collect()
    }

    fn slots_to_mark(&self, function: FunctionId, next: &mut Vec<(Callee, Location)>, obstacle: &mut Option<Location>) {
        for store in self.program.stores_of(function) {
            match (self.store_requirement(store), store.slot) {
                (Some(Effect::InsideOnly | Effect::Entry), _) => {}
                (None, Some(slot)) => next.push((Callee::Slot(slot), store.location)),
                (Some(_), _) => *obstacle = obstacle.or(Some(store.location)),
                // An unidentified slot cannot be marked, and stores into it are not checked.
                (None, None) => {}
            }
        }
    }

    /// The slots that a slot is copied to.
    fn copies_to_mark(&self, slot: SlotId, next: &mut Vec<(Callee, Location)>, obstacle: &mut Option<Location>) {
        for copy in self.program.copies_from(slot) {
            for to in self.points_to.destinations(self.program, copy.to) {
                match self.slot_effect(to) {
                    Some(Effect::InsideOnly | Effect::Entry) => {}
                    None => next.push((Callee::Slot(to), copy.location)),
                    Some(_) => *obstacle = obstacle.or(Some(copy.location)),
                }
            }
        }
    }

    /// The slots that have the mark as soon as a slot has: it is written on a typedef that they share.
    fn shared_to_mark(&self, slot: SlotId, next: &mut Vec<(Callee, Location)>) {
        for declared in &self.program.slot(slot).declared {
            let others = self.slots_declared_at(*declared).iter().filter(|other| **other != slot);
            next.extend(others.map(|other| (Callee::Slot(*other), *declared)));
        }
    }

    /// The slots whose mark is written at this location, if they are several.
    fn slots_declared_at(&self, declared: Location) -> &[SlotId] {
        let shared = self.shared_declarations.get_or_init(|| {
            let mut slots: HashMap<Location, Vec<SlotId>> = HashMap::new();
            for (id, slot) in self.program.slots.enumerated() {
                slot.declared.iter().for_each(|declared| slots.entry(*declared).or_default().push(id));
            }
            slots.retain(|_, slots| slots.len() > 1);
            slots
        });
        shared.get(&declared).map_or(&[], Vec::as_slice)
    }

    /// Where an outside-only function comes into a slot: by a store, or by a copy.
    fn store_of_outside_only(&self, slot: SlotId) -> Option<Location> {
        let is_misfit = |function: &&FunctionId| self.effect(**function) == Some(Effect::OutsideOnly);
        let function = self.points_to.candidates(slot).iter().find(is_misfit)?;
        let origin = self.points_to.origin(self.program, slot, *function, self.home(*function))?;
        Some(origin.copies.last().map_or(origin.store.location, |copy| copy.location))
    }

    /// Whether something is certainly only called inside, and everything in its closure as well.
    pub fn can_be_marked(&self, first: Callee, closure: &MarkClosure) -> bool {
        let others = closure.required_marks.iter().map(|required| required.what);
        closure.obstacle.is_none()
            && !closure.is_truncated
            && others.chain([first]).all(|what| self.called_in(what) == ContextSet::INSIDE)
    }

    /// The contexts in which something may be called. For a slot, calls through the slots that it is copied to count,
    /// and those outside the program.
    fn called_in(&self, what: Callee) -> ContextSet {
        let possible = &self.entry_contexts().possible;
        let first = match what {
            Callee::Function(function) => return possible.contexts(function),
            Callee::Slot(slot) if self.points_to.escapes(slot) => return ContextSet::BOTH,
            Callee::Slot(slot) => slot,
        };
        let mut contexts = ContextSet::EMPTY;
        let mut known = BTreeSet::from([first]);
        let mut open = vec![first];
        while let Some(slot) = open.pop() {
            for (body, call) in self.slot_calls_of(slot) {
                let is_reached = |at: Context| {
                    Context::ALL.map(|entry| call.condition.values_at(entry, at) & possible.values(entry, body) != 0)
                };
                contexts = contexts.or(Context::ALL.into_iter().filter(|at| is_reached(*at).contains(&true)).collect());
            }
            let copied = self.points_to.copied_to(self.program, slot).into_iter();
            open.extend(copied.filter(|to| known.insert(*to)));
        }
        contexts
    }
}
