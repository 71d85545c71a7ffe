//! Locksets: calls that can suspend while the body holds a lock of its thread.

use crate::program::{Body, CriticalSection, FunctionId, IndexVec, Location, SlotId};
use cowrap_facts::{CallKind, Context, LockId, PathCondition, Release};
use cowrap_packs::Effect;

use super::{Callee, Effects};

/// A lock that a body holds across calls that can suspend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockAcrossYield {
    /// The function of the body.
    pub caller: FunctionId,
    /// The lock.
    pub lock: LockId,
    /// Where the body takes it.
    pub taken: Location,
    /// The calls, in source order.
    pub calls: Vec<(Location, Callee)>,
}

/// For each function, the locks that it may release for its caller, itself or through what it calls by name.
type Releases<'p> = IndexVec<FunctionId, Vec<&'p Release>>;

impl Effects<'_> {
    /// Every lock that a body certainly holds across calls of something coroutine-only that may suspend, by body and
    /// location.
    pub fn locks_across_yields(&self) -> Vec<LockAcrossYield> {
        let (releases, suspending) = (self.releases(), self.suspending());
        let bodies = self.program.bodies.iter().filter(|body| !body.critical_sections.is_empty());
        let mut found: Vec<LockAcrossYield> = Vec::new();
        for body in bodies.filter(|body| self.start(body.function).contains(Context::Coroutine)) {
            let calls = self.calls_of_body(body);
            for section in &body.critical_sections {
                let across = self.suspending_calls(section, &calls, &releases, &suspending);
                if !across.is_empty() {
                    let (caller, lock, taken) = (body.function, section.lock, section.taken);
                    found.push(LockAcrossYield { caller, lock, taken, calls: across });
                }
            }
        }
        found
    }

    /// The calls in a critical section that can suspend, up to a call that may release the lock.
    fn suspending_calls(
        &self,
        section: &CriticalSection,
        calls: &[(Location, Callee, PathCondition)],
        releases: &Releases<'_>,
        suspending: &IndexVec<FunctionId, bool>,
    ) -> Vec<(Location, Callee)> {
        let mut found = Vec::new();
        for (location, callee, condition) in calls.iter().filter(|(location, ..)| section.calls.contains(location)) {
            let suspends = match callee {
                Callee::Function(function) => {
                    let mut released = releases[*function].iter();
                    if released.any(|release| release.lock == section.lock && release.name == section.name) {
                        break;
                    }
                    suspending[*function]
                }
                Callee::Slot(slot) => self.is_suspending_slot(Some(*slot)),
            };
            if is_in_coroutine(*condition) && suspends {
                found.push((*location, *callee));
            }
        }
        found
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

    /// For each function, whether it is coroutine-only and leads through coroutine-only functions to something that
    /// suspends: one of the pack's suspending functions, a coroutine-only slot, or a function without a body.
    ///
    /// The search does not go through unmarked functions. By the rules they cannot suspend, and their pointers could
    /// point to anything.
    fn suspending(&self) -> IndexVec<FunctionId, bool> {
        let program = self.program;
        let is_coroutine_only = |function: FunctionId| self.effect(function) == Some(Effect::CoroutineOnly);
        let suspends_itself = |function: &FunctionId| {
            let linked = program.function(*function);
            let mut slot_calls = program.bodies_of(*function).flat_map(|body| &body.slot_calls);
            linked.bodies.is_empty()
                || self.pack.suspending.contains(&linked.name)
                || slot_calls.any(|call| {
                    call.kind.is_in_place() && is_in_coroutine(call.condition) && self.is_suspending_slot(call.slot)
                })
        };
        let coroutine_only = program.function_ids().filter(|function| is_coroutine_only(*function));
        let mut work: Vec<FunctionId> = coroutine_only.filter(suspends_itself).collect();
        let mut suspending = IndexVec::from_elem(false, program.functions.len());
        while let Some(function) = work.pop() {
            if std::mem::replace(&mut suspending[function], true) {
                continue;
            }
            let callers = program.sites_of(function).filter(|(site, caller)| {
                let call = program.call(*site);
                call.kind == CallKind::Written && is_in_coroutine(call.condition) && is_coroutine_only(*caller)
            });
            work.extend(callers.map(|(_, caller)| caller));
        }
        suspending
    }

    /// Whether a function in a slot may suspend: the slot's mark says so.
    fn is_suspending_slot(&self, slot: Option<SlotId>) -> bool {
        let requirement = slot.and_then(|slot| self.slot_requirement(slot));
        requirement.is_some_and(|(effect, _)| effect == Effect::CoroutineOnly)
    }

    fn releases(&self) -> Releases<'_> {
        let program = self.program;
        let mut releases: Releases<'_> = IndexVec::from_elem(Vec::new(), program.functions.len());
        let mut work: Vec<(FunctionId, &Release)> = Vec::new();
        for body in &program.bodies {
            work.extend(body.releases.iter().map(|release| (body.function, release)));
        }
        while let Some((function, release)) = work.pop() {
            let known = &mut releases[function];
            if !known.contains(&release) {
                known.push(release);
                work.extend(program.sites_of(function).map(|(_, caller)| (caller, release)));
            }
        }
        releases
    }
}

fn is_in_coroutine(condition: PathCondition) -> bool {
    condition.contexts().contains(Context::Coroutine)
}
