//! Witnesses: the calls of a chain, from the settled reasons.

use crate::program::{BodyId, FunctionId, SlotCall};

use super::super::Callee;
use super::graph::{CallRef, Node, Reasons, Via};
use super::{Search, Step};

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
            steps.extend(self.step(node.body, reason.via, reason.next));
            at = reason.next;
        }
        steps
    }

    /// The calls from a body to the next node, or to the goal.
    pub(super) fn step(&self, body: BodyId, via: Via, next: Option<Node>) -> Vec<Step> {
        let function_of = |node: Node| self.effects.program.body(node.body).function;
        match via {
            Via::Call(at) => vec![self.call(body, at, next.map(function_of), false)],
            Via::Pointer { at, function } => vec![self.call(body, at, Some(function), false)],
            Via::Passing { at, function, to } => {
                let mut steps = vec![self.call(body, at, Some(function_of(to.node)), false)];
                let mut callback = Some(to);
                while let Some(at) = callback {
                    let Some(reason) = self.callbacks.get(&at) else { break };
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
                let slot = self.effects.program.body(body).slot_calls[position as usize].slot;
                slot.is_some_and(|slot| self.parameters.contains_key(&slot))
            }
        }
    }

    fn call(&self, body: BodyId, at: CallRef, callee: Option<FunctionId>, passed: bool) -> Step {
        let body = self.effects.program.body(body);
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
