//! Witnesses: the calls of a chain, from the settled reasons.

use crate::program::{BodyId, FunctionId, SlotCall, SlotId};
use cowrap_facts::{Context, single_values};

use super::super::Callee;
use super::super::entry_contexts::passed_values;
use super::graph::{CallRef, Node, Reason, Reasons, Via};
use super::{Search, Step};

/// A call of a body, in an entry state of the body.
#[derive(Clone, Copy)]
pub(super) struct CallOf {
    pub body: BodyId,
    pub state: (Context, u8),
    pub at: CallRef,
}

impl Search<'_, '_> {
    /// The calls from a node to the goal.
    pub(super) fn steps(&self, from: Node) -> Vec<Step> {
        self.follow(&self.reasons, from)
    }

    pub(super) fn follow(&self, reasons: &Reasons, from: Node) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = Some(from);
        while let Some(node) = at {
            let Some(reason) = reasons.get(node) else { break };
            let next = match (reason.via, reason.next) {
                (Via::Call(at), Some(next)) => {
                    let state = (self.graph.context, node.value);
                    Some(self.nearest(reasons, CallOf { body: node.body, state, at }, next))
                }
                (_, next) => next,
            };
            steps.extend(self.step(node.body, reason.via, next));
            at = next;
        }
        steps
    }

    /// Of the nodes that a call through a slot enters and that are as good as this one, with the same end, the one whose
    /// function is stored nearest to the call.
    pub(super) fn nearest(&self, reasons: &Reasons, call: CallOf, next: Node) -> Node {
        let (effects, program) = (self.graph.effects, self.graph.effects.program);
        let body = program.body(call.body);
        let CallRef::Slot(position) = call.at else { return next };
        let SlotCall { slot, arguments, location, .. } = &body.slot_calls[position as usize];
        let (Some(slot), Some(best)) = (*slot, reasons.get(next)) else { return next };
        let candidates = effects.points_to.candidates(slot);
        if candidates.len() < 2 || self.graph.parameters.contains_key(&slot) {
            return next;
        }
        let distance = |function: FunctionId| {
            let stores = program.stores_of(function).iter();
            stores.map(|store| program.distance(store.location.file, location.file)).min().unwrap_or(u8::MAX)
        };
        let is_called = |function: &FunctionId| {
            effects.slot_contexts(*function).contains(self.graph.context)
                && !effects.is_cut(body.function, *function)
                && effects.is_traversable(*function)
        };
        let own = distance(program.body(next.body).function);
        let nodes = candidates.iter().filter(|function| is_called(function)).flat_map(|function| {
            program.function(*function).bodies.iter().flat_map(|body| {
                let entered = passed_values(arguments, call.state.0, call.state.1, program.body(*body));
                single_values(entered).map(|value| Node { body: *body, value })
            })
        });
        let is_as_good = |why: &Reason| (why.ambiguity, why.length) == (best.ambiguity, best.length);
        let as_good = nodes.filter(|node| reasons.get(*node).is_some_and(is_as_good));
        let nearer = as_good.map(|node| (distance(effects.calls.body(node.body).function), node));
        let end = self.end(reasons, next);
        let nearer = nearer.filter(|(distance, node)| *distance < own && self.end(reasons, *node) == end);
        nearer.min().map_or(next, |(_, node)| node)
    }

    /// What identifies the end of the chain from a node: what it calls last, and the last function that calls through a
    /// slot, with the slot.
    fn end(&self, reasons: &Reasons, from: Node) -> (Option<Callee>, Option<(FunctionId, SlotId)>) {
        let (mut callee, mut through) = (None, None);
        let mut at = Some(from);
        while let Some(node) = at {
            let Some(reason) = reasons.get(node) else { break };
            for step in self.step(node.body, reason.via, reason.next) {
                callee = Some(step.callee);
                through = step.through.filter(|_| !step.passed).map(|slot| (step.caller, slot)).or(through);
            }
            at = reason.next;
        }
        (callee, through)
    }

    /// The calls from a body to the next node, or to the goal.
    pub(super) fn step(&self, body: BodyId, via: Via, next: Option<Node>) -> Vec<Step> {
        let function_of = |node: Node| self.graph.effects.program.body(node.body).function;
        match via {
            Via::Call(at) => vec![self.call(body, at, next.map(function_of), false)],
            Via::Pointer { at, function } => vec![self.call(body, at, Some(function), false)],
            Via::Passing { at, function, to } => {
                let mut steps = vec![self.call(body, at, Some(function_of(to.node)), false)];
                let mut callback = Some(to);
                while let Some(at) = callback {
                    let Some(reason) = self.graph.callbacks.get(&at) else { break };
                    let called = reason.next.map_or(function, |next| function_of(next.node));
                    // A callback that is called through a parameter was passed in it as well.
                    let passed = reason.next.is_none() || self.is_through_parameter(at.node.body, reason.at);
                    steps.push(self.call(at.node.body, reason.at, Some(called), passed));
                    callback = reason.next;
                }
                steps
            }
        }
    }

    fn is_through_parameter(&self, body: BodyId, at: CallRef) -> bool {
        match at {
            CallRef::Named(_) => false,
            CallRef::Slot(position) => {
                let slot = self.graph.effects.program.body(body).slot_calls[position as usize].slot;
                slot.is_some_and(|slot| self.graph.parameters.contains_key(&slot))
            }
        }
    }

    fn call(&self, body: BodyId, at: CallRef, callee: Option<FunctionId>, passed: bool) -> Step {
        let body = self.graph.effects.program.body(body);
        match at {
            CallRef::Named(position) => {
                let call = &body.calls[position as usize];
                let callee = Callee::Function(call.callee);
                Step { caller: body.function, location: call.location, through: None, passed, callee }
            }
            CallRef::Slot(position) => {
                let SlotCall { slot, location, .. } = &body.slot_calls[position as usize];
                let target = callee.map(Callee::Function).or(slot.map(Callee::Slot));
                let callee = target.unwrap_or(Callee::Function(body.function));
                Step { caller: body.function, location: *location, through: *slot, passed, callee }
            }
        }
    }
}
