//! Calls that can suspend while a thread's lock is held.

use crate::program::{Body, FunctionId, Location, SlotId};
use cowrap_facts::{CallKind, Context, LockId, PathCondition, Release};
use cowrap_packs::Effect;

use super::{Callee, Effects};

/// A lock that is held across calls that can suspend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockAcrossYield {
    /// Whose body that is.
    pub caller: FunctionId,
    /// The lock.
    pub lock: LockId,
    /// Where it is taken.
    pub taken: Location,
    /// The calls, in source order.
    pub calls: Vec<(Location, Callee)>,
}

impl Effects<'_> {
    /// Every lock that is certainly held across calls of something coroutine only that may suspend, by body and location.
    pub fn locks_across_yields(&self) -> Vec<LockAcrossYield> {
        let (releases, suspending) = (self.releases(), self.suspending());
        let bodies = self.program.bodies.iter().filter(|body| !body.critical_sections.is_empty());
        let mut found: Vec<LockAcrossYield> = Vec::new();
        for body in bodies.filter(|body| self.start(body.function).contains(Context::Coroutine)) {
            let calls = self.calls_of_body(body);
            for hold in &body.critical_sections {
                let held = calls.iter().filter(|(location, ..)| hold.calls.contains(location));
                let mut across = Vec::new();
                for (location, callee, condition) in held {
                    // From here on, it may not be held any more.
                    if let Callee::Function(function) = callee
                        && releases[function.0 as usize]
                            .iter()
                            .any(|release| release.lock == hold.lock && release.name == hold.name)
                    {
                        break;
                    }
                    let suspends = match callee {
                        Callee::Function(function) => suspending[function.0 as usize],
                        Callee::Slot(slot) => self.is_suspending_slot(Some(*slot)),
                    };
                    if is_inside(*condition) && suspends {
                        across.push((*location, *callee));
                    }
                }
                if !across.is_empty() {
                    let (caller, lock, taken) = (body.function, hold.lock, hold.taken);
                    found.push(LockAcrossYield { caller, lock, taken, calls: across });
                }
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

    /// For each function, whether it is coroutine only and there is a way for it to suspend, through what is coroutine only
    /// as well: to one of the pack's suspending functions, a slot, or a body that was not read.
    ///
    /// What bears no mark is not gone through: by the rules it cannot suspend, and through pointers it could do anything.
    fn suspending(&self) -> Vec<bool> {
        let program = self.program;
        let is_coroutine_only = |function: FunctionId| self.requirement(function).effect == Some(Effect::CoroutineOnly);
        let mut suspending = vec![false; program.functions.len()];
        let suspends_itself = |function: &FunctionId| {
            let linked = program.function(*function);
            let mut slot_calls = linked.bodies.iter().flat_map(|body| &program.body(*body).slot_calls);
            linked.bodies.is_empty()
                || self.pack.suspending.contains(&linked.name)
                || slot_calls.any(|call| {
                    call.kind.is_in_place() && is_inside(call.condition) && self.is_suspending_slot(call.slot)
                })
        };
        let mut work: Vec<FunctionId> =
            program.function_ids().filter(|function| is_coroutine_only(*function)).filter(suspends_itself).collect();
        while let Some(function) = work.pop() {
            if std::mem::replace(&mut suspending[function.0 as usize], true) {
                continue;
            }
            let callers = program.sites_of(function).filter(|(site, caller)| {
                let call = program.call(*site);
                call.kind == CallKind::Written && is_inside(call.condition) && is_coroutine_only(*caller)
            });
            work.extend(callers.map(|(_, caller)| caller));
        }
        suspending
    }

    /// Whether what is called through a slot may suspend: its mark says so.
    fn is_suspending_slot(&self, slot: Option<SlotId>) -> bool {
        let requirement = slot.and_then(|slot| self.slot_requirement(slot));
        requirement.is_some_and(|(effect, _)| effect == Effect::CoroutineOnly)
    }

    /// For each function, the locks that it may release for its caller: itself, or through what it calls by name.
    fn releases(&self) -> Vec<Vec<&'_ Release>> {
        let program = self.program;
        let mut releases: Vec<Vec<&Release>> = vec![Vec::new(); program.functions.len()];
        let mut work: Vec<(FunctionId, &Release)> = Vec::new();
        for body in &program.bodies {
            work.extend(body.releases.iter().map(|release| (body.function, release)));
        }
        while let Some((function, release)) = work.pop() {
            let known = &mut releases[function.0 as usize];
            if !known.contains(&release) {
                known.push(release);
                work.extend(program.sites_of(function).map(|(_, caller)| (caller, release)));
            }
        }
        releases
    }
}

fn is_inside(condition: PathCondition) -> bool {
    condition.contexts().contains(Context::Coroutine)
}
