//! How control comes to a function in a context: the nearest call chain from a function whose context is known.
//!
//! Whoever asks waits for the answer, so this searches backward from the one function. Nodes are entry states. Which of
//! them occur is known already ([`EntryContexts`](super::EntryContexts)); the search only finds out why.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::program::{BodyId, FunctionId, SlotId};
use cowrap_facts::{Context, ContextSet, PathCondition, single_values};

use super::entry_contexts::{EntryStates, callable_in, passed_values};
use super::{Callee, Effects, Step};

/// How control comes to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Whether it certainly does: every call is one by name.
    pub is_certain: bool,
    /// The calls, from the function whose context is known.
    pub steps: Vec<Step>,
}

/// How many entry states a search visits at most. The chains that people read are found long before.
const MOST_VISITED: usize = 10_000;

/// An entry state of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Node {
    body: BodyId,
    entry: Context,
    value: u8,
}

/// How a node leads to the function.
#[derive(Clone, Copy)]
struct Lead {
    /// Through how many function pointers.
    pointers: u32,
    /// The call, and the node that it enters; `None` for a node of the function itself.
    call: Option<(Step, Node)>,
}

/// A search backward.
struct Search<'e, 'a> {
    effects: &'e Effects<'a>,
    /// The states that occur.
    states: &'e EntryStates,
    through_slots: bool,
    /// For each node that leads to the function, how.
    next: FxHashMap<Node, Lead>,
    /// The slots whose calls are known, in the context of the call: they enter all states of all candidates.
    slots: FxHashSet<(SlotId, Context)>,
    /// The nodes to visit: those that need no further function pointer, and those that need one.
    near: VecDeque<Node>,
    far: VecDeque<Node>,
}

impl Effects<'_> {
    /// The nearest chain of calls by which control comes to a function in a context, from a function that only runs in
    /// one: by as few function pointers as possible. `None` if there is none, or if it is very long.
    pub fn arrival(&self, function: FunctionId, context: Context) -> Option<Arrival> {
        let states = self.entry_contexts();
        let search = |states, through_slots| {
            let slots = FxHashSet::default();
            let (near, far) = (VecDeque::new(), VecDeque::new());
            let search = Search { effects: self, states, through_slots, next: FxHashMap::default(), slots, near, far };
            search.run(function, context)
        };
        let certain = search(&states.certain, false).map(|steps| Arrival { is_certain: true, steps });
        certain.or_else(|| search(&states.possible, true).map(|steps| Arrival { is_certain: false, steps }))
    }

    /// The contexts in which control can be at a point of a body, with what callers can pass. If nobody calls the body,
    /// these are the contexts that its function allows.
    pub fn possible_at(&self, body: BodyId, condition: PathCondition) -> ContextSet {
        let outline = self.calls.body(body);
        let start = match self.start(outline.function) {
            // Marks contradict each other, or the pack says that the body is not checked.
            ContextSet::EMPTY => ContextSet::BOTH,
            start => start,
        };
        let possible = &self.entry_contexts().possible;
        let entered = |entry: Context| if start.contains(entry) { possible.values(entry, body) } else { 0 };
        let allowed = |entry: Context| if start.contains(entry) { outline.values } else { 0 };
        let is_entered = Context::ALL.iter().any(|entry| entered(*entry) != 0);
        let values = |entry: Context| if is_entered { entered(entry) } else { allowed(entry) };
        let [inside, outside] = [Context::Inside, Context::Outside].map(values);
        condition.entered(inside, outside).contexts()
    }

    /// The calls through a slot, with the contexts in which each may run.
    pub fn calls_through(&self, slot: SlotId) -> Vec<(BodyId, ContextSet)> {
        self.slot_calls_of(slot).map(|(body, call)| (body, self.possible_at(body, call.condition))).collect()
    }

    /// Whether a function certainly starts in a context, if it runs at all.
    fn is_known_start(&self, function: FunctionId, context: Context) -> bool {
        let by_itself = self.start(function).only() == Some(context);
        by_itself
            || match context {
                Context::Inside => self.is_entry(function) || self.is_installed(function),
                Context::Outside => self.passed_to_thread(function).is_some(),
            }
    }
}

impl Search<'_, '_> {
    fn run(mut self, function: FunctionId, context: Context) -> Option<Vec<Step>> {
        for body in self.effects.calls.bodies_of(function) {
            for value in single_values(self.states.values(context, *body)) {
                let node = Node { body: *body, entry: context, value };
                self.next.insert(node, Lead { pointers: 0, call: None });
                self.near.push_back(node);
            }
        }
        while self.next.len() < MOST_VISITED {
            let Some(node) = self.near.pop_front().or_else(|| {
                std::mem::swap(&mut self.near, &mut self.far);
                self.near.pop_front()
            }) else {
                break;
            };
            let caller = self.effects.calls.body(node.body).function;
            if caller != function && self.effects.is_known_start(caller, node.entry) {
                return Some(self.steps(node));
            }
            self.add_calls_by_name(node);
            if self.through_slots {
                self.add_calls_through_slots(node);
            }
        }
        None
    }

    fn add_calls_by_name(&mut self, to: Node) {
        let (effects, program) = (self.effects, self.effects.program);
        let callee = effects.calls.body(to.body);
        for call in program.incoming(callee.function).iter().filter(|call| call.kind.is_in_place()) {
            let condition = if self.through_slots { call.condition } else { call.condition.settled() };
            for entry in Context::ALL {
                let reached = condition.values_at(entry, to.entry) & self.states.values(entry, call.site.body);
                if reached == 0 {
                    continue;
                }
                let made = program.call(call.site);
                let passes = |value: &u8| {
                    !callee.has_flags
                        || passed_values(&made.arguments, entry, *value, program.body(to.body)) & (1 << to.value) != 0
                };
                let (location, callee) = (made.location, Callee::Function(callee.function));
                let step = Step { caller: call.caller, location, through: None, passed: false, callee };
                for value in single_values(reached).filter(passes) {
                    self.add(Node { body: call.site.body, entry, value }, step, to);
                }
            }
        }
    }

    fn add_calls_through_slots(&mut self, to: Node) {
        let effects = self.effects;
        let function = effects.calls.body(to.body).function;
        if !effects.slot_contexts(function).contains(to.entry) {
            return;
        }
        for slot in effects.points_to.slots(function) {
            if !callable_in(effects, *slot).contains(to.entry) || !self.slots.insert((*slot, to.entry)) {
                continue;
            }
            for (body, call) in effects.slot_calls_of(*slot) {
                let (caller, callee) = (effects.calls.body(body).function, Callee::Function(function));
                let step = Step { caller, location: call.location, through: Some(*slot), passed: false, callee };
                for entry in Context::ALL {
                    let reached = call.condition.values_at(entry, to.entry) & self.states.values(entry, body);
                    for value in single_values(reached) {
                        self.add(Node { body, entry, value }, step, to);
                    }
                }
            }
        }
    }

    /// Adds a node with the call by which it leads to another.
    fn add(&mut self, node: Node, step: Step, to: Node) {
        let is_far = step.through.is_some();
        let pointers = self.next.get(&to).map_or(0, |lead| lead.pointers) + u32::from(is_far);
        let lead = Lead { pointers, call: Some((step, to)) };
        match self.next.entry(node) {
            Entry::Occupied(known) if known.get().pointers <= pointers => return,
            Entry::Occupied(mut known) => drop(known.insert(lead)),
            Entry::Vacant(free) => drop(free.insert(lead)),
        }
        if is_far { self.far.push_back(node) } else { self.near.push_back(node) }
    }

    /// The calls from a node to the function.
    fn steps(&self, from: Node) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = from;
        while let Some(Lead { call: Some((step, next)), .. }) = self.next.get(&at) {
            steps.push(*step);
            at = *next;
        }
        steps
    }
}
