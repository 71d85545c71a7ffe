//! Locksets: calls that can reach a primitive while the body holds a lock of its thread.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::program::{Body, CriticalSection, FunctionId, IndexVec, Location, Program, SlotId};
use cowrap_facts::{CallKind, Context, ContextSet, LockId, PathCondition, Release};
use cowrap_packs::Effect;

use super::{Callee, Effects, Provenance};

/// A lock that a body holds across calls that can reach a primitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockAcrossPrimitive {
    /// The function of the body.
    pub caller: FunctionId,
    /// The lock.
    pub lock: LockId,
    /// Where the body takes it.
    pub taken: Location,
    /// The calls, in source order.
    pub calls: Vec<(Location, Callee)>,
}

/// The functions that may release a lock for their caller, themselves or through what they call by name. They are found
/// for each lock that somebody asks for.
struct Releases<'p> {
    program: &'p Program,
    /// The functions whose own bodies may.
    own: FxHashMap<&'p Release, Vec<FunctionId>>,
    all: FxHashMap<Release, FxHashSet<FunctionId>>,
}

impl Releases<'_> {
    fn of(&mut self, lock: &Release) -> &FxHashSet<FunctionId> {
        self.all.entry(lock.clone()).or_insert_with_key(|lock| {
            let mut work = self.own.get(lock).cloned().unwrap_or_default();
            let mut releasing = FxHashSet::default();
            while let Some(function) = work.pop() {
                if releasing.insert(function) {
                    work.extend(self.program.sites_of(function).map(|(_, caller)| caller));
                }
            }
            releasing
        })
    }
}

impl Effects<'_> {
    /// Every lock that a body certainly holds across calls that may reach a primitive, by body and location.
    pub fn locks_across_primitives(&self) -> Vec<LockAcrossPrimitive> {
        let (mut releases, reaching) = (self.releases(), self.reaching());
        let bodies = self.calls.bodies().filter(|(_, body)| body.has_critical_sections);
        let mut found: Vec<LockAcrossPrimitive> = Vec::new();
        for (id, _) in bodies.filter(|(_, body)| self.start(body.function).contains(Context::Inside)) {
            let body = self.program.body(id);
            let calls = self.calls_of_body(body);
            let start = self.judged_start(id);
            let own = |section: &&CriticalSection| {
                self.pack.locks.get(usize::from(section.lock.0)).is_some_and(|lock| !lock.is_foreign)
            };
            for section in body.critical_sections.iter().filter(own) {
                let may_reach_primitive = |callee, condition: PathCondition| {
                    let is_certain = condition.contexts_from(start) == ContextSet::INSIDE;
                    self.may_reach(callee, is_certain, &reaching)
                };
                let across = reaching_calls(section, &calls, &mut releases, may_reach_primitive);
                if !across.is_empty() {
                    let (caller, lock, taken) = (body.function, section.lock, section.taken);
                    found.push(LockAcrossPrimitive { caller, lock, taken, calls: across });
                }
            }
        }
        found
    }

    /// Whether a call may reach a primitive, if it is made inside. A call of something inside-only is made there. Other
    /// functions reach one only if the call certainly is inside.
    fn may_reach(&self, callee: Callee, is_certain: bool, reaching: &IndexVec<FunctionId, bool>) -> bool {
        match callee {
            Callee::Function(function) => {
                reaching[function] && (is_certain || self.effect(function) == Some(Effect::InsideOnly))
            }
            Callee::Slot(slot) => self.may_reach_primitive_through(Some(slot)),
        }
    }

    /// The calls of a body, by location.
    fn calls_of_body(&self, body: &Body) -> Vec<(Location, Callee, PathCondition)> {
        let named = body.calls.iter().filter(|call| call.kind == CallKind::Written);
        let named = named.map(|call| (call.location, Callee::Function(call.callee), call.condition));
        let through = body.slot_calls.iter().filter(|call| call.kind == CallKind::Written);
        let through = through.filter_map(|call| Some((call.location, Callee::Slot(call.slot?), call.condition)));
        let mut calls: Vec<(Location, Callee, PathCondition)> = named.chain(through).collect();
        calls.sort_by_key(|(location, callee, _)| (*location, *callee));
        calls
    }

    /// For each function, whether it leads to a primitive inside: to one that the pack lists, an inside-only slot, or an
    /// inside-only function without a body.
    ///
    /// The search goes through functions that are inside-only, mixed or entries, and through those that only run inside.
    /// It does not go through other unmarked functions. By the rules they reach no primitive, and their pointers
    /// could point to anything.
    fn reaching(&self) -> IndexVec<FunctionId, bool> {
        let program = self.program;
        let is_inside_only = |function: FunctionId| self.effect(function) == Some(Effect::InsideOnly);
        let is_modelled =
            |function: FunctionId| matches!(self.requirement(function).provenance, Provenance::Modelled(_));
        let may_reach_primitive = |function: FunctionId| match self.effect(function) {
            Some(Effect::InsideOnly | Effect::Entry) => true,
            Some(Effect::Mixed) => !is_modelled(function),
            Some(Effect::OutsideOnly) => false,
            None => self.runs_only_inside(function),
        };
        let calls_primitive = |function: &FunctionId| {
            let bodies = self.calls.bodies_of(*function);
            let mut slot_calls = bodies.iter().flat_map(|body| self.calls.through_slots(*body));
            (bodies.is_empty() && is_inside_only(*function))
                || self.is_primitive(*function)
                || slot_calls.any(|call| {
                    let is_in_place = call.kind.is_in_place() && is_inside(call.condition);
                    is_in_place && self.may_reach_primitive_through(call.called)
                })
        };
        let functions = program.function_ids().filter(|function| may_reach_primitive(*function));
        let mut work: Vec<FunctionId> = functions.filter(calls_primitive).collect();
        let mut reaching = IndexVec::from_elem(false, program.functions.len());
        while let Some(function) = work.pop() {
            if std::mem::replace(&mut reaching[function], true) {
                continue;
            }
            let calls = program.incoming(function).iter().filter(|call| {
                call.kind == CallKind::Written && is_inside(call.condition) && may_reach_primitive(call.caller)
            });
            work.extend(calls.map(|call| call.caller));
            // In the inside context, a generated wrapper calls its target, whether or not its body was read.
            work.extend(self.wrapper_of(function).filter(|wrapper| self.effect(*wrapper) == Some(Effect::Mixed)));
        }
        reaching
    }

    /// Whether a function in a slot may reach a primitive: the slot's mark or the pack says so.
    fn may_reach_primitive_through(&self, slot: Option<SlotId>) -> bool {
        slot.and_then(|slot| self.slot_effect(slot)) == Some(Effect::InsideOnly)
    }

    fn releases(&self) -> Releases<'_> {
        let mut own: FxHashMap<&Release, Vec<FunctionId>> = FxHashMap::default();
        for (id, body) in self.calls.bodies().filter(|(_, body)| body.has_releases) {
            for release in &self.program.body(id).releases {
                own.entry(release).or_default().push(body.function);
            }
        }
        Releases { program: self.program, own, all: FxHashMap::default() }
    }
}

/// The calls in a critical section that may reach a primitive, up to a call that may release the lock.
fn reaching_calls(
    section: &CriticalSection,
    calls: &[(Location, Callee, PathCondition)],
    releases: &mut Releases<'_>,
    may_reach_primitive: impl Fn(Callee, PathCondition) -> bool,
) -> Vec<(Location, Callee)> {
    // Both lists are sorted by location.
    let at = |location: Location| {
        let first = calls.partition_point(|(known, ..)| *known < location);
        calls[first..].iter().take_while(move |(known, ..)| *known == location)
    };
    let called = || section.calls.iter().copied().flat_map(at);
    let is_reaching =
        |(_, callee, condition): &&(_, _, _)| is_inside(*condition) && may_reach_primitive(*callee, *condition);
    // In most sections, there is none.
    if !called().any(|call| is_reaching(&call)) {
        return Vec::new();
    }
    let releasing = releases.of(&Release { lock: section.lock, name: section.name.clone() });
    let is_released = |callee: &Callee| callee.function().is_some_and(|function| releasing.contains(&function));
    let held = called().take_while(|(_, callee, _)| !is_released(callee));
    held.filter(is_reaching).map(|(location, callee, _)| (*location, *callee)).collect()
}

fn is_inside(condition: PathCondition) -> bool {
    condition.contexts().contains(Context::Inside)
}
