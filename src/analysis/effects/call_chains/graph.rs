//! The graph that the search visits: bodies with one value of their flags, and the calls that lead to them.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use crate::program::{Argument, BodyId, FunctionId, IndexVec, SlotId};
use cowrap_facts::{Context, PathCondition, single_values};

use super::super::entry_contexts::passed_values;
use super::callbacks::Callback;
use super::{Ambiguity, Search, allows};

/// A body with one value of its flags, entered in the search's context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Node {
    pub body: BodyId,
    pub value: u8,
}

/// A call of a body, by its position: a call by name, or one through a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum CallRef {
    Named(u32),
    Slot(u32),
}

/// How a body calls the next function of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Via {
    /// By a call.
    Call(CallRef),
    /// By a call that passes the next function to a callback parameter, whose function calls it.
    Passing { at: CallRef, function: FunctionId, to: Callback },
    /// By a call through a slot that may point to the goal.
    Pointer { at: CallRef, function: FunctionId },
}

/// Why a node leads to the goal: by a call, which enters another node or is a call of the goal itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reason {
    pub via: Via,
    pub next: Option<Node>,
    pub ambiguity: Ambiguity,
    pub length: u32,
}

/// The settled nodes, and why each leads to the goal.
#[derive(Debug)]
pub(super) struct Reasons {
    /// For each body, the settled values. Most calls lead back to settled nodes, and this is close together in memory.
    settled: IndexVec<BodyId, u8>,
    why: FxHashMap<Node, Reason>,
    /// For each slot, the best node that its calls are known to lead to. All calls through a slot lead to all of its
    /// candidates, and there can be many of both. A node that is no better for one call is no better for any.
    slots: FxHashMap<SlotId, (Ambiguity, u32, Node)>,
}

impl Reasons {
    pub(super) fn new(bodies: usize) -> Self {
        let settled = IndexVec::from_elem(0, bodies);
        Reasons { settled, why: FxHashMap::default(), slots: FxHashMap::default() }
    }

    /// Whether this is better than what a slot's calls are known to lead to. If so, it is known from now on.
    pub(super) fn improves(&mut self, slot: SlotId, candidate: (Ambiguity, u32, Node)) -> bool {
        match self.slots.entry(slot) {
            Entry::Vacant(entry) => {
                entry.insert(candidate);
                true
            }
            Entry::Occupied(mut entry) if candidate < *entry.get() => {
                entry.insert(candidate);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    pub(super) fn contains(&self, node: Node) -> bool {
        self.settled[node.body] & (1 << node.value) != 0
    }

    pub(super) fn insert(&mut self, node: Node, reason: Reason) {
        self.settled[node.body] |= 1 << node.value;
        self.why.insert(node, reason);
    }

    pub(super) fn get(&self, node: Node) -> Option<&Reason> {
        if self.contains(node) { self.why.get(&node) } else { None }
    }
}

/// A call that may enter a function.
pub(super) struct IncomingCall<'e> {
    pub body: BodyId,
    pub caller: FunctionId,
    pub at: CallRef,
    pub condition: PathCondition,
    pub arguments: &'e [Argument],
    pub ambiguity: Ambiguity,
}

impl<'e, 'a> Search<'e, 'a> {
    /// The calls of a function, by its name and through slots that may point to it, in no particular order. Calls
    /// behind which the program ends are on no chain: nothing waits for what they do.
    pub(super) fn calls_of(&self, function: FunctionId) -> impl Iterator<Item = IncomingCall<'e>> {
        let through = self.slots_of(function).flat_map(move |slot| self.calls_through(slot, function));
        self.calls_by_name(function).chain(through)
    }

    /// The same calls, and those through parameters that may point to the function: what such a call passes on is not
    /// followed from caller to caller, so that all that the parameter may point to counts.
    pub(super) fn calls_of_callback(&self, function: FunctionId) -> impl Iterator<Item = IncomingCall<'e>> {
        let slots = self.effects.points_to.slots(function).iter().copied();
        let parameters =
            slots.filter(|slot| self.parameters.contains_key(slot) && allows(self.effects, *slot, self.context));
        let through = parameters.flat_map(move |slot| self.calls_through(slot, function));
        self.calls_of(function).chain(through)
    }

    pub(super) fn calls_by_name(&self, function: FunctionId) -> impl Iterator<Item = IncomingCall<'e>> + use<'e, 'a> {
        let (effects, program) = (self.effects, self.effects.program);
        let calls = program.incoming(function).iter().filter(|call| call.kind.is_in_place() && !call.ends);
        let calls = calls.filter(move |call| !effects.is_cut(call.caller, function));
        calls.map(|call| {
            let arguments: &[Argument] = if call.has_arguments { &program.call(call.site).arguments } else { &[] };
            let (body, at) = (call.site.body, CallRef::Named(call.site.call));
            let (caller, condition) = (call.caller, call.condition.settled());
            IncomingCall { body, caller, at, condition, arguments, ambiguity: Ambiguity::NONE }
        })
    }

    /// The slots that may point to a function and allow calls in the search's context. Parameters are not among them:
    /// the search follows what callers pass.
    pub(super) fn slots_of(&self, function: FunctionId) -> impl Iterator<Item = SlotId> {
        let is_allowed = self.effects.slot_contexts(function).contains(self.context);
        let slots = self.effects.points_to.slots(function).iter().copied().filter(move |_| is_allowed);
        slots.filter(|slot| allows(self.effects, *slot, self.context) && !self.parameters.contains_key(slot))
    }

    /// The calls through a slot that points to this function.
    pub(super) fn calls_through(
        &self,
        slot: SlotId,
        function: FunctionId,
    ) -> impl Iterator<Item = IncomingCall<'e>> + use<'e, 'a> {
        let (effects, program) = (self.effects, self.effects.program);
        let ambiguity = self.ambiguity(slot);
        program.calls_through(slot).iter().filter_map(move |(id, position)| {
            let body = program.body(*id);
            let call = &body.slot_calls[*position as usize];
            let (caller, at, arguments) = (body.function, CallRef::Slot(*position), call.arguments.as_slice());
            let condition = call.condition.settled();
            let incoming = IncomingCall { body: *id, caller, at, condition, arguments, ambiguity };
            let is_on_a_chain = call.kind.is_in_place() && !call.ends;
            (is_on_a_chain && !effects.is_cut(caller, function)).then_some(incoming)
        })
    }

    /// The values of the flags of a caller, entered in this context, with which a call in the search's context enters a
    /// node.
    pub(super) fn leading(
        &self,
        entry: Context,
        condition: PathCondition,
        arguments: &[Argument],
        to: Node,
    ) -> impl Iterator<Item = u8> {
        self.leading_to(entry, self.context, condition, arguments, to)
    }

    /// The same for a call in any context.
    pub(super) fn leading_to(
        &self,
        entry: Context,
        at: Context,
        condition: PathCondition,
        arguments: &[Argument],
        to: Node,
    ) -> impl Iterator<Item = u8> + use<> {
        let callee = self.effects.program.body(to.body);
        let reached = condition.values_at(entry, at);
        let enters = |value: &u8| passed_values(arguments, entry, *value, callee) & (1 << to.value) != 0;
        let leading = single_values(reached).filter(enters).fold(0u8, |leading, value| leading | 1 << value);
        single_values(leading)
    }

    /// Whether the bodies of a function may run in the search's context.
    pub(super) fn may_run(&self, function: FunctionId) -> bool {
        self.effects.start(function).contains(self.context)
    }
}
