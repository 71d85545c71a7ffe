//! Which functions may suspend the coroutine that they run in.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use crate::program::{FunctionId, Location};
use cowrap_facts::CallKind;

use super::{Callee, Effects, Step};

/// Why a function may suspend, apart from what it calls by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuspensionCause {
    /// The pack says so.
    Listed,
    /// It calls through a pointer here.
    FunctionPointer(Location),
    /// It may call something here; which arm of a selection is taken is not known.
    Unresolved(Location),
    /// Its body was not read.
    NoBody,
}

/// For each function, whether it may suspend: it does by itself, or calls one that may.
///
/// A function that is declared nowhere in the tree comes from a library, which knows no coroutines.
pub fn may_suspend(effects: &Effects<'_>) -> Vec<bool> {
    let program = effects.program;
    let mut may: Vec<bool> =
        program.function_ids().map(|function| effects.suspends_itself(function).is_some()).collect();
    let mut work: Vec<FunctionId> = program.function_ids().filter(|function| may[function.0 as usize]).collect();
    while let Some(callee) = work.pop() {
        for (_, caller) in program.sites_of(callee) {
            if !std::mem::replace(&mut may[caller.0 as usize], true) {
                work.push(caller);
            }
        }
    }
    may
}

impl Effects<'_> {
    /// Why a function may suspend without regard to what it calls by name; nothing when it does not.
    fn suspends_itself(&self, function: FunctionId) -> Option<SuspensionCause> {
        let linked = self.program.function(function);
        if self.pack.suspending.contains(&linked.name) {
            return Some(SuspensionCause::Listed);
        }
        if linked.bodies.is_empty() && !linked.declarations.is_empty() {
            return Some(SuspensionCause::NoBody);
        }
        let bodies = || linked.bodies.iter().map(|body| self.program.body(*body));
        let pointer = bodies().flat_map(|body| &body.slot_calls).next();
        let unresolved = bodies().flat_map(|body| &body.calls).find(|call| call.kind == CallKind::Unresolved);
        let pointer = pointer.map(|call| SuspensionCause::FunctionPointer(call.location));
        pointer.or(unresolved.map(|call| SuspensionCause::Unresolved(call.location)))
    }

    /// Why a function may suspend: the shortest chain of calls by name to one that does by itself, that one, and why it
    /// does.
    /// Nothing when it certainly never
    /// suspends.
    pub fn suspension(&self, function: FunctionId) -> Option<(Vec<Step>, FunctionId, SuspensionCause)> {
        let mut from: HashMap<FunctionId, Option<Step>> = HashMap::from([(function, None)]);
        let mut open = VecDeque::from([function]);
        while let Some(at) = open.pop_front() {
            if let Some(why) = self.suspends_itself(at) {
                let mut steps = Vec::new();
                let mut back = from.get(&at).copied().flatten();
                while let Some(step) = back {
                    steps.push(step);
                    back = from.get(&step.caller).copied().flatten();
                }
                steps.reverse();
                return Some((steps, at, why));
            }
            for body in &self.program.function(at).bodies {
                for call in &self.program.body(*body).calls {
                    let callee = Callee::Function(call.callee);
                    let step = Step { caller: at, location: call.location, through: None, passed: false, callee };
                    if let Entry::Vacant(entry) = from.entry(call.callee) {
                        entry.insert(Some(step));
                        open.push_back(call.callee);
                    }
                }
            }
        }
        None
    }
}
