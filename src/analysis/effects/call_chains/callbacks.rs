//! Callbacks: functions that call their own parameters, and the calls that pass functions to them.
//!
//! A parameter's points-to set mixes the arguments of all callers. The search does better for a chain through a
//! callback: it follows what the call on this chain passes.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::program::{ArgumentValue, BodyId, FunctionId, SlotId, SlotKey};
use cowrap_facts::{Context, single_values};

use super::super::Effects;
use super::graph::{CallRef, Graph, IncomingCall, Node};
use super::worklist::Worklist;
use super::{Ambiguity, is_open};

/// A body that calls its parameter at this position in the search's context, itself or through other functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Callback {
    pub node: Node,
    pub position: u16,
    /// Whether the body is entered in the other context, and has changed to the search's context before the call.
    pub changes: bool,
}

impl Callback {
    /// The context in which the body is entered, for a search in this context.
    pub(super) fn entry(self, context: Context) -> Context {
        if self.changes { context.other() } else { context }
    }
}

/// How a callback calls its parameter: by a call of it, or by a call that passes it to another callback.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallbackReason {
    pub at: CallRef,
    pub next: Option<Callback>,
    pub ambiguity: Ambiguity,
    pub length: u32,
}

/// A call that passes a function to a callback.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passing {
    pub from: Node,
    /// The context in which the body of `from` is entered: another than the search's if the body changes to it.
    pub entry: Context,
    pub at: CallRef,
    pub function: FunctionId,
    pub to: Callback,
    pub ambiguity: Ambiguity,
    pub length: u32,
}

/// For each slot that stands for parameters, these: a parameter stands for itself, a local variable for the parameters
/// that its function copies to it. A slot that can get its value in another way as well does not stand for parameters:
/// what callers pass is then not all that it holds.
pub(super) fn parameters(effects: &Effects<'_>) -> FxHashMap<SlotId, Vec<(FunctionId, u16)>> {
    let program = effects.program;
    let mut parameters: FxHashMap<SlotId, Vec<(FunctionId, u16)>> = FxHashMap::default();
    let is_shared = |slot: SlotId| !effects.points_to.pointers(slot).is_empty();
    for (id, slot) in program.slots.enumerated() {
        if let SlotKey::Parameter { function, position } = slot.key
            && !slot.is_assigned
            && !is_shared(id)
        {
            parameters.insert(id, vec![(function, position)]);
        }
    }
    let is_local = |slot: SlotId| matches!(program.slot(slot).key, SlotKey::Local { .. });
    let mut others: FxHashSet<SlotId> = program.stores.iter().filter_map(|store| store.slot).collect();
    others.extend(program.unknown_stores.iter().map(|store| store.slot));
    let mut locals: FxHashMap<SlotId, Vec<(FunctionId, u16)>> = FxHashMap::default();
    for copy in program.copies.iter().filter(|copy| is_local(copy.to)) {
        match parameters.get(&copy.from) {
            Some(own) => locals.entry(copy.to).or_default().extend(own),
            None => drop(others.insert(copy.to)),
        }
    }
    let locals = locals.into_iter().filter(|(slot, _)| !others.contains(slot) && !is_shared(*slot));
    parameters.extend(locals.map(|(slot, mut own)| {
        own.sort_unstable();
        own.dedup();
        (slot, own)
    }));
    parameters
}

impl Graph<'_, '_> {
    /// The positions of the parameters of `function` that a slot stands for.
    fn own_parameters(&self, slot: SlotId, function: FunctionId) -> impl Iterator<Item = u16> {
        let parameters = self.parameters.get(&slot).into_iter().flatten();
        parameters.filter(move |(owner, _)| *owner == function).map(|(_, position)| *position)
    }

    /// The contexts in which a callback can be entered, the search's context first.
    fn entries(&self) -> [Context; 2] {
        [self.context, self.context.other()]
    }

    /// Finds all callbacks.
    pub(super) fn find_callbacks(&mut self) {
        let program = self.effects.program;
        let mut open = self.direct_callbacks();
        while let Some((ambiguity, length, (callback, at, next))) = open.pop() {
            let function = program.body(callback.node.body).function;
            let entry = callback.entry(self.context);
            if self.callbacks.contains_key(&callback) || !self.effects.start(function).contains(entry) {
                continue;
            }
            self.callbacks.insert(callback, CallbackReason { at, next, ambiguity, length });
            for call in self.calls_of_callback(function) {
                let IncomingCall { body, caller, at, ambiguity: own, .. } = call;
                for argument in self.arguments(&call).iter().filter(|argument| argument.position == callback.position) {
                    let ArgumentValue::Slot(slot) = argument.value else { continue };
                    for (position, outer) in
                        self.own_parameters(slot, caller).flat_map(|at| self.entries().map(|of| (at, of)))
                    {
                        for value in self.leading((outer, entry), &call, callback.node) {
                            let changes = outer != self.context;
                            let outer = Callback { node: Node { body, value }, position, changes };
                            open.push(ambiguity.and(own), length + 1, (outer, at, Some(callback)));
                        }
                    }
                }
            }
        }
    }

    /// The functions that call their own parameters themselves.
    fn direct_callbacks(&self) -> Worklist<(Callback, CallRef, Option<Callback>)> {
        let (effects, program) = (self.effects, self.effects.program);
        let mut open = Worklist::new();
        for slot in self.parameters.keys().filter(|slot| is_open(effects, self.context, **slot)) {
            for (id, at) in program.calls_through(*slot) {
                let body = program.body(*id);
                let call = &body.slot_calls[*at as usize];
                if !call.kind.is_in_place() || call.ends {
                    continue;
                }
                let parameters = self.own_parameters(*slot, body.function);
                for (position, entry) in parameters.flat_map(|position| self.entries().map(|entry| (position, entry))) {
                    for value in single_values(call.condition.settled().values_at(entry, self.context)) {
                        let changes = entry != self.context;
                        let callback = Callback { node: Node { body: *id, value }, position, changes };
                        open.push(Ambiguity::NONE, 1, (callback, CallRef::Slot(*at), None));
                    }
                }
            }
        }
        open
    }

    /// Finds the calls that pass functions to callbacks.
    pub(super) fn find_passing(&mut self) {
        let mut callbacks: Vec<(Callback, Ambiguity, u32)> =
            self.callbacks.iter().map(|(callback, why)| (*callback, why.ambiguity, why.length)).collect();
        callbacks.sort_unstable();
        let mut found = Vec::new();
        for (to, ambiguity, length) in callbacks {
            let called = self.effects.program.body(to.node.body).function;
            for call in self.calls_of_callback(called) {
                self.passing_to(to, &call, ambiguity, length, &mut found);
            }
        }
        found.sort_unstable_by_key(|passing| {
            let Passing { from, entry, at, function, to, ambiguity, length } = *passing;
            (from.body, at, function, ambiguity, length, entry == Context::Outside, from, to)
        });
        for (position, passing) in found.iter().enumerate() {
            self.passed.entry(passing.function).or_default().push(position);
        }
        self.passing = found;
    }

    /// The functions that a call passes to a callback.
    fn passing_to(
        &self,
        to: Callback,
        call: &IncomingCall,
        ambiguity: Ambiguity,
        length: u32,
        found: &mut Vec<Passing>,
    ) {
        for argument in self.arguments(call).iter().filter(|argument| argument.position == to.position) {
            let (functions, of_slot): (&[FunctionId], Ambiguity) = match &argument.value {
                ArgumentValue::Function(function) => (std::slice::from_ref(function), Ambiguity::NONE),
                ArgumentValue::Slot(slot) if self.own_parameters(*slot, call.caller).next().is_none() => {
                    (self.effects.points_to.candidates(*slot), self.ambiguity(*slot))
                }
                _ => continue,
            };
            let states = Context::ALL.into_iter().flat_map(|entry| {
                let at = to.entry(self.context);
                self.leading((entry, at), call, to.node).map(move |value| (entry, value))
            });
            for (entry, value) in states {
                let from = Node { body: call.body, value };
                let ambiguity = ambiguity.and(call.ambiguity).and(of_slot);
                let (at, length) = (call.at, length + 1);
                let passing = |function: &FunctionId| {
                    let function = *function;
                    Passing { from, entry, at, function, to, ambiguity, length }
                };
                found.extend(functions.iter().map(passing));
            }
        }
    }

    /// The calls of a body that pass functions to callbacks.
    pub(super) fn passing_of(&self, body: BodyId) -> &[Passing] {
        let start = self.passing.partition_point(|passing| passing.from.body < body);
        let end = self.passing.partition_point(|passing| passing.from.body <= body);
        &self.passing[start..end]
    }
}
