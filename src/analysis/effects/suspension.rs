//! Which functions may suspend the coroutine that they run in.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use crate::program::{FunctionId, IndexVec, Location};
use cowrap_facts::CallKind;

use super::{Callee, Effects, Step};

/// Why a function may suspend, apart from the functions that it calls by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuspensionCause {
    /// The pack lists it.
    Listed,
    /// It calls through a pointer at this location.
    FunctionPointer(Location),
    /// A selection at this location may call something, and cowrap cannot resolve which arm runs.
    Unresolved(Location),
    /// The program does not have its body.
    NoBody,
}

/// For each function, whether it may suspend: by itself, or since it calls one that may.
///
/// A function that the tree does not declare comes from a library, which does not suspend coroutines.
pub(super) fn may_suspend(effects: &Effects<'_>) -> IndexVec<FunctionId, bool> {
    let program = effects.program;
    let mut may: IndexVec<FunctionId, bool> =
        program.function_ids().map(|function| effects.suspends_itself(function).is_some()).collect();
    let mut work: Vec<FunctionId> = program.function_ids().filter(|function| may[*function]).collect();
    while let Some(callee) = work.pop() {
        for (_, caller) in program.sites_of(callee) {
            if !std::mem::replace(&mut may[caller], true) {
                work.push(caller);
            }
        }
    }
    may
}

impl Effects<'_> {
    /// Why a function may suspend, apart from the functions that it calls by name.
    fn suspends_itself(&self, function: FunctionId) -> Option<SuspensionCause> {
        let linked = self.program.function(function);
        if self.pack.suspending.contains(&linked.name) {
            return Some(SuspensionCause::Listed);
        }
        if linked.bodies.is_empty() && !linked.declarations.is_empty() {
            return Some(SuspensionCause::NoBody);
        }
        let pointer = self.program.bodies_of(function).flat_map(|body| &body.slot_calls).next();
        let mut calls = self.program.bodies_of(function).flat_map(|body| &body.calls);
        let unresolved = calls.find(|call| call.kind == CallKind::Unresolved);
        let pointer = pointer.map(|call| SuspensionCause::FunctionPointer(call.location));
        pointer.or(unresolved.map(|call| SuspensionCause::Unresolved(call.location)))
    }

    /// Why a function may suspend: the shortest chain of calls by name to a function that suspends by itself, that
    /// function, and its cause. `None` if it certainly never suspends.
    pub fn suspension(&self, function: FunctionId) -> Option<(Vec<Step>, FunctionId, SuspensionCause)> {
        let mut from: HashMap<FunctionId, Option<Step>> = HashMap::from([(function, None)]);
        let mut open = VecDeque::from([function]);
        while let Some(at) = open.pop_front() {
            if let Some(cause) = self.suspends_itself(at) {
                let mut steps = Vec::new();
                let mut back = from.get(&at).copied().flatten();
                while let Some(step) = back {
                    steps.push(step);
                    back = from.get(&step.caller).copied().flatten();
                }
                steps.reverse();
                return Some((steps, at, cause));
            }
            for call in self.program.bodies_of(at).flat_map(|body| &body.calls) {
                let callee = Callee::Function(call.callee);
                let step = Step { caller: at, location: call.location, through: None, passed: false, callee };
                if let Entry::Vacant(entry) = from.entry(call.callee) {
                    entry.insert(Some(step));
                    open.push_back(call.callee);
                }
            }
        }
        None
    }
}
