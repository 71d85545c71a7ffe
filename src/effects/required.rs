//! What follows from what a function calls: an unmarked function that calls something coroutine only where control can be
//! outside is coroutine only itself, and so are its callers.

use std::collections::{BTreeMap, VecDeque};

use crate::facts::{Context, ContextSet};
use crate::program::{FunctionId, Place};

use super::Effects;

/// A function that has to bear a mark as soon as another one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obliged {
    /// The function.
    pub function: FunctionId,
    /// The function that it calls, which is marked before.
    pub callee: FunctionId,
    /// Where: the first of its calls.
    pub place: Place,
}

impl Effects<'_> {
    /// The functions that have to be marked coroutine only when `function` is, since they bear no mark and call it, or one
    /// another, where control can be outside as far as their own bodies tell: the nearest first, by place among those
    /// that are equally near. `function` is not among them.
    pub fn obliged(&self, function: FunctionId) -> Vec<Obliged> {
        let mut found: BTreeMap<FunctionId, Obliged> = BTreeMap::new();
        let mut order = Vec::new();
        let mut open = VecDeque::from([function]);
        while let Some(callee) = open.pop_front() {
            for (site, caller) in self.program.calls_of(callee) {
                let call = self.program.call(site);
                let is_open = call.kind.is_in_place()
                    && self.demand(caller).effect.is_none()
                    && self.start(caller) == ContextSet::BOTH
                    && self.possible_at(site.body, call.reach).contains(Context::Outside);
                if is_open && caller != function && !found.contains_key(&caller) {
                    let obliged = Obliged { function: caller, callee, place: call.place };
                    found.insert(caller, obliged);
                    order.push(obliged);
                    open.push_back(caller);
                }
            }
        }
        order
    }

    /// Whether it is certain that a function only runs in coroutines, and likewise all whom its mark would oblige.
    pub fn can_be_marked(&self, function: FunctionId) -> bool {
        let only_inside =
            |function: FunctionId| self.worlds().possible.contexts(self.program, function) == ContextSet::COROUTINE;
        only_inside(function) && self.obliged(function).iter().all(|obliged| only_inside(obliged.function))
    }
}
