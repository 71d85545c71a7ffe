//! The graph that the search visits: bodies with one value of their flags, and the calls that lead to them.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use crate::program::{Argument, BodyId, FunctionId, IndexVec, SlotId};
use cowrap_facts::{Context, PathCondition, single_values};

use super::super::Effects;
use super::super::entry_contexts::passed_values;
use super::callbacks::{self, Callback, CallbackReason, Passing};
use super::{Ambiguity, allows, ambiguity};

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

/// Why a node leads to the goal: by a call, which enters another node or is a call of the goal itself. The best reason
/// is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reason {
    pub ambiguity: Ambiguity,
    pub length: u32,
    pub via: Via,
    pub next: Option<Node>,
}

/// Why nodes lead to the goal, by the best chain that is known of each.
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

    /// Notes a reason of a node that is not settled, if it is the best so far. The result says whether the node has to
    /// be visited for it: it was not known to lead to the goal by so good a chain.
    pub(super) fn offer(&mut self, node: Node, reason: Reason) -> bool {
        match self.why.entry(node) {
            Entry::Vacant(entry) => {
                entry.insert(reason);
                true
            }
            Entry::Occupied(mut entry) if reason < *entry.get() => {
                let known = entry.insert(reason);
                (reason.ambiguity, reason.length) < (known.ambiguity, known.length)
            }
            Entry::Occupied(_) => false,
        }
    }

    /// The settled values of a body.
    pub(super) fn settled(&self, body: BodyId) -> u8 {
        self.settled[body]
    }

    pub(super) fn is_settled(&self, node: Node) -> bool {
        self.settled(node.body) & (1 << node.value) != 0
    }

    /// Settles a node: its best reason is the one that is known. The result is false if it was settled before.
    pub(super) fn settle(&mut self, node: Node) -> bool {
        let is_new = !self.is_settled(node);
        self.settled[node.body] |= 1 << node.value;
        is_new
    }

    /// The bodies with settled nodes.
    pub(super) fn settled_bodies(&self) -> impl Iterator<Item = BodyId> {
        self.settled.enumerated().filter(|(_, values)| **values != 0).map(|(body, _)| body)
    }

    /// Why a settled node leads to the goal.
    pub(super) fn get(&self, node: Node) -> Option<&Reason> {
        if self.is_settled(node) { self.why.get(&node) } else { None }
    }
}

/// The graph that searches in one context visit, whatever they look for.
pub(super) struct Graph<'e, 'a> {
    pub effects: &'e Effects<'a>,
    pub context: Context,
    /// The ambiguity of a call through each slot, in this context.
    pub ambiguities: IndexVec<SlotId, Ambiguity>,
    /// The parameters that slots stand for.
    pub parameters: FxHashMap<SlotId, Vec<(FunctionId, u16)>>,
    pub callbacks: FxHashMap<Callback, CallbackReason>,
    /// The calls that pass functions to callbacks, sorted by body and call.
    pub passing: Vec<Passing>,
    /// Positions in `passing`, by the function that is passed.
    pub passed: FxHashMap<FunctionId, Vec<usize>>,
}

/// A call that may enter a function.
pub(super) struct IncomingCall {
    pub body: BodyId,
    pub caller: FunctionId,
    pub at: CallRef,
    pub condition: PathCondition,
    pub ambiguity: Ambiguity,
    has_arguments: bool,
}

impl<'e, 'a> Graph<'e, 'a> {
    /// The graph of a program in a context.
    pub(super) fn new(effects: &'e Effects<'a>, context: Context) -> Self {
        let mut graph = Graph {
            effects,
            context,
            ambiguities: effects.program.slots.ids().map(|slot| ambiguity(effects, context, slot)).collect(),
            parameters: callbacks::parameters(effects),
            callbacks: FxHashMap::default(),
            passing: Vec::new(),
            passed: FxHashMap::default(),
        };
        graph.find_callbacks();
        graph.find_passing();
        graph
    }

    /// The ambiguity of a call through a slot.
    pub(super) fn ambiguity(&self, slot: SlotId) -> Ambiguity {
        self.ambiguities[slot]
    }

    /// The calls of a function, by its name and through slots that may point to it, in no particular order. Calls
    /// behind which the program ends are on no chain: nothing waits for what they do.
    pub(super) fn calls_of(&self, function: FunctionId) -> impl Iterator<Item = IncomingCall> {
        let through = self.slots_of(function).flat_map(move |slot| self.calls_through(slot, function));
        self.calls_by_name(function).chain(through)
    }

    /// The same calls, and those through parameters that may point to the function: what such a call passes on is not
    /// followed from caller to caller, so that all that the parameter may point to counts.
    pub(super) fn calls_of_callback(&self, function: FunctionId) -> impl Iterator<Item = IncomingCall> {
        let slots = self.effects.points_to.slots(function).iter().copied();
        let parameters =
            slots.filter(|slot| self.parameters.contains_key(slot) && allows(self.effects, *slot, self.context));
        let through = parameters.flat_map(move |slot| self.calls_through(slot, function));
        self.calls_of(function).chain(through)
    }

    pub(super) fn calls_by_name(&self, function: FunctionId) -> impl Iterator<Item = IncomingCall> + use<'e, 'a> {
        let (effects, program) = (self.effects, self.effects.program);
        let calls = program.incoming(function).iter().filter(|call| call.kind.is_in_place() && !call.ends);
        let calls = calls.filter(move |call| !effects.is_cut(call.caller, function));
        calls.map(|call| {
            let (body, at) = (call.site.body, CallRef::Named(call.site.call));
            let (caller, condition, has_arguments) = (call.caller, call.condition.settled(), call.has_arguments);
            IncomingCall { body, caller, at, condition, ambiguity: Ambiguity::NONE, has_arguments }
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
    ) -> impl Iterator<Item = IncomingCall> + use<'e, 'a> {
        let (effects, program) = (self.effects, self.effects.program);
        let ambiguity = self.ambiguity(slot);
        program.calls_through(slot).iter().filter_map(move |(body, position)| {
            let call = &effects.calls.through_slots(*body)[*position as usize];
            let (caller, at) = (effects.calls.body(*body).function, CallRef::Slot(*position));
            let (condition, has_arguments) = (call.condition.settled(), call.has_arguments);
            let incoming = IncomingCall { body: *body, caller, at, condition, ambiguity, has_arguments };
            let is_on_a_chain = call.kind.is_in_place() && !call.ends;
            (is_on_a_chain && !effects.is_cut(caller, function)).then_some(incoming)
        })
    }

    /// The arguments of a call that can matter.
    pub(super) fn arguments(&self, call: &IncomingCall) -> &'e [Argument] {
        let body = || self.effects.program.body(call.body);
        match call.at {
            _ if !call.has_arguments => &[],
            CallRef::Named(position) => &body().calls[position as usize].arguments,
            CallRef::Slot(position) => &body().slot_calls[position as usize].arguments,
        }
    }

    /// The values of the flags of a caller, entered in a context, with which a call that is made in another one enters
    /// a node.
    pub(super) fn leading(
        &self,
        (entry, at): (Context, Context),
        call: &IncomingCall,
        to: Node,
    ) -> impl Iterator<Item = u8> + use<> {
        self.leading_of(call.condition.values_at(entry, at), entry, call, to)
    }

    /// The same of those of these values of a caller with which control comes to the call.
    pub(super) fn leading_of(
        &self,
        reached: u8,
        entry: Context,
        call: &IncomingCall,
        to: Node,
    ) -> impl Iterator<Item = u8> + use<> {
        let callee = self.effects.calls.body(to.body);
        let leading = match callee.has_flags && call.has_arguments {
            _ if reached == 0 => 0,
            false if callee.values & (1 << to.value) != 0 => reached,
            false => 0,
            true => {
                let (arguments, callee) = (self.arguments(call), self.effects.program.body(to.body));
                let enters = |value: &u8| passed_values(arguments, entry, *value, callee) & (1 << to.value) != 0;
                single_values(reached).filter(enters).fold(0, |leading, value| leading | 1 << value)
            }
        };
        single_values(leading)
    }

    /// Whether the bodies of a function may run in the search's context.
    pub(super) fn may_run(&self, function: FunctionId) -> bool {
        self.effects.start(function).contains(self.context)
    }
}
