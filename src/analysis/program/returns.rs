//! Calls that return in one context only, and what that says of the calls behind them.
//!
//! A function whose bodies all assert a context returns in that context alone. So does one whose bodies all pass a call
//! of such a function on every path to their end. Behind a call of it, control is in that context, or nowhere: the
//! calls behind it are not reached in the other one. Marks say nothing here, since a call that breaks them returns.

use cowrap_facts::{Context, ContextSet};

use super::{Adjacency, Body, BodyId, FunctionId, IndexVec, Program};

impl Program {
    /// Takes from the conditions of all calls the entry states in which control does not come back from a call before
    /// them. Doing it again changes nothing.
    pub(super) fn narrow(&mut self) {
        let returns = self.returns();
        if returns.as_slice().iter().all(Option::is_none) {
            return;
        }
        for body in &mut self.bodies {
            if body.calls.iter().any(|call| returns[call.callee].is_some()) {
                narrow(body.make_mut(), &returns);
            }
        }
    }

    /// For each function, the only context in which it returns.
    fn returns(&self) -> IndexVec<FunctionId, Option<Context>> {
        let mut returns: IndexVec<FunctionId, Option<Context>> = IndexVec::from_elem(None, self.functions.len());
        // The functions of whose bodies each function is called before the end.
        let passed = self.bodies.enumerated().flat_map(|(_, body)| {
            chain(body, body.returns_after).map(|call| (body.calls[call].callee, body.function)).collect::<Vec<_>>()
        });
        let passed = Adjacency::new(self.functions.len(), passed);
        let asserting = self.bodies.enumerated().filter(|(_, body)| body.assertion.is_some());
        let mut open: Vec<FunctionId> = asserting.map(|(_, body)| body.function).collect();
        while let Some(function) = open.pop() {
            if returns[function].is_some() {
                continue;
            }
            let mut contexts = self.function(function).bodies.iter().map(|body| self.returns_in(*body, &returns));
            let Some(Some(first)) = contexts.next() else { continue };
            if contexts.all(|other| other == Some(first)) {
                returns[function] = Some(first);
                open.extend(passed.of(function));
            }
        }
        returns
    }

    /// The only context in which a body returns.
    fn returns_in(&self, body: BodyId, returns: &IndexVec<FunctionId, Option<Context>>) -> Option<Context> {
        let body = self.body(body);
        let asserted = body.assertion.map(|(assertion, _)| assertion.context);
        asserted.or_else(|| chain(body, body.returns_after).find_map(|call| returns[body.calls[call].callee]))
    }
}

/// The positions of the calls that control passes one before the other, from the last one on.
fn chain(body: &Body, last: Option<u32>) -> impl Iterator<Item = usize> {
    let before = |call: &usize| body.calls.get(*call).and_then(|call| call.after).map(|call| call as usize);
    // A stored program can be broken, and the chain a cycle.
    std::iter::successors(last.map(|call| call as usize), before)
        .take_while(|call| *call < body.calls.len())
        .take(body.calls.len())
}

fn narrow(body: &mut Body, returns: &IndexVec<FunctionId, Option<Context>>) {
    let reached = behind_calls(body, returns);
    let before = |after: Option<u32>| match after {
        Some(call) => reached.get(call as usize).copied().unwrap_or(ContextSet::BOTH),
        None => ContextSet::BOTH,
    };
    for call in &mut body.calls {
        call.condition = call.condition.within(before(call.after));
    }
    for call in &mut body.slot_calls {
        call.condition = call.condition.within(before(call.after));
    }
}

/// For each call, the contexts in which control comes back from it, and from all before it.
fn behind_calls(body: &Body, returns: &IndexVec<FunctionId, Option<Context>>) -> Vec<ContextSet> {
    let mut known: Vec<Option<ContextSet>> = vec![None; body.calls.len()];
    for call in 0..body.calls.len() {
        let unknown: Vec<usize> = chain(body, Some(call as u32)).take_while(|call| known[*call].is_none()).collect();
        for call in unknown.into_iter().rev() {
            let before = body.calls[call].after.and_then(|before| known.get(before as usize).copied().flatten());
            let returns = returns[body.calls[call].callee].map_or(ContextSet::BOTH, ContextSet::from);
            known[call] = Some(before.unwrap_or(ContextSet::BOTH).and(returns));
        }
    }
    known.into_iter().map(|contexts| contexts.unwrap_or(ContextSet::BOTH)).collect()
}
