//! Chains of calls: which bodies condition, in one context, something that demands the other one, through functions that
//! demand nothing; and the call by which each does.
//!
//! One search backward from the offending calls. What a body reaches only grows from what its callees condition, so the
//! first time that the search comes to a world of a body is the answer, cycles included: no fixpoint has to be
//! iterated, and no component condensed. It goes through calls by name first, then through slots with few candidates, then
//! through those with many; within one ambiguity, nearest first. So each witness has the best ambiguity that there is, and is the
//! shortest of those whose parts are so, too.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rustc_hash::FxHashMap;

use crate::program::{Argument, ArgumentValue, BodyId, FunctionId, Location, SlotCall, SlotId, SlotKey};
use cowrap_facts::{CallKind, Context, ContextSet, PathCondition};
use cowrap_packs::Effect;

use super::entry_contexts::{all_values, passed_values, single_values as values};
use super::{Callee, Effects, Provenance};

/// In how many ways the slots of a chain can be filled, of which one makes the chain: the product of what each of them
/// may hold. [`Ambiguity::NONE`] when all calls name what they call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ambiguity(u32);

impl Ambiguity {
    /// All calls name what they call.
    pub const NONE: Ambiguity = Ambiguity(0);

    /// Where it stops to be counted.
    const MOST: u32 = 1 << 16;

    /// Through a slot that may hold so many functions.
    fn of_candidates(candidates: usize) -> Ambiguity {
        Ambiguity(u32::try_from(candidates).map_or(Ambiguity::MOST, |count| count.clamp(1, Ambiguity::MOST)))
    }

    /// Of a chain that is made of two.
    #[must_use]
    fn and(self, other: Ambiguity) -> Ambiguity {
        match (self, other) {
            (Ambiguity::NONE, ambiguity) | (ambiguity, Ambiguity::NONE) => ambiguity,
            (Ambiguity(one), Ambiguity(other)) => Ambiguity(one.saturating_mul(other).min(Ambiguity::MOST)),
        }
    }

    /// In how many ways the slots can be filled; 0 when there are none.
    pub fn ways(self) -> u32 {
        self.0
    }
}

/// A call on a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Whose body the call is in.
    pub caller: FunctionId,
    /// Where the call is.
    pub location: Location,
    /// The slot that it goes through.
    pub through: Option<SlotId>,
    /// Whether the slot is a parameter, and holds what an earlier step of the chain passed.
    pub passed: bool,
    /// What is called; the last step of a chain calls what demands the other context.
    pub callee: Callee,
}

/// The first call of a chain out of a body of which the context is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallChain {
    /// The body.
    pub body: BodyId,
    /// How sure it is.
    pub ambiguity: Ambiguity,
    /// Whether only some values of the body's flags lead to it.
    pub conditional: bool,
    /// The calls, from that of the body to that of what demands the other context. A single one goes through a slot.
    pub steps: Vec<Step>,
}

/// A call of a body: by name, or through a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum At {
    Named(u32),
    Slot(u32),
}

/// A body with one value of its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Node {
    body: BodyId,
    value: u8,
}

/// How a body calls the next function of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// By a call.
    Call(At),
    /// By a call that passes the next function to a callback, which calls it.
    Passing { at: At, function: FunctionId, to: Callback },
    /// By a call through a slot that may hold what is searched for.
    Holding { at: At, function: FunctionId },
}

/// Where a call goes to on a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    /// What is searched for itself: a slot holds it.
    End(FunctionId),
    /// Something that leads to it.
    Node(Node),
}

/// A node that calls its parameter at this position, itself or through others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Callback {
    node: Node,
    position: u16,
}

/// Why a node reaches something: by a call, which goes to another node, or to the offender itself.
#[derive(Clone, Copy, Debug)]
struct Reason {
    how: How,
    next: Option<Node>,
    ambiguity: Ambiguity,
    length: u32,
}

/// Why a callback is called: by a call, which passes the parameter on, or calls it.
#[derive(Clone, Copy, Debug)]
struct CallbackReason {
    at: At,
    next: Option<Callback>,
    ambiguity: Ambiguity,
    length: u32,
}

/// A call that passes a function to a callback.
#[derive(Clone, Copy, Debug)]
struct Passing {
    from: Node,
    at: At,
    function: FunctionId,
    to: Callback,
    ambiguity: Ambiguity,
    length: u32,
}

/// What is still to be settled: the surest first, then the nearest, and what is equally sure and near by its own order.
///
/// What is added comes after what is taken, so that all of one ambiguity and length can be sorted at once.
#[derive(Debug)]
struct Open<T> {
    later: BTreeMap<(Ambiguity, u32), Vec<T>>,
    now: (Ambiguity, u32),
    /// In reverse order.
    rest: Vec<T>,
}

impl<T: Ord> Open<T> {
    fn new() -> Self {
        Open { later: BTreeMap::new(), now: (Ambiguity::NONE, 0), rest: Vec::new() }
    }

    fn push(&mut self, ambiguity: Ambiguity, length: u32, item: T) {
        debug_assert!((ambiguity, length) > self.now, "what was settled is not settled again");
        self.later.entry((ambiguity, length)).or_default().push(item);
    }

    fn pop(&mut self) -> Option<(Ambiguity, u32, T)> {
        if self.rest.is_empty() {
            (self.now, self.rest) = self.later.pop_first()?;
            self.rest.sort_unstable_by(|one, other| other.cmp(one));
        }
        let (ambiguity, length) = self.now;
        self.rest.pop().map(|item| (ambiguity, length, item))
    }
}

/// What is settled, and why.
#[derive(Debug)]
struct Reasons {
    /// For each body, the values for which it is settled: what most calls lead back to is, and this is close together.
    settled: Vec<u8>,
    why: FxHashMap<Node, Reason>,
    /// The best that each slot is known to lead to. The calls through it lead to all that it may hold, and there can be
    /// many of both: what is no better for one of them is no better for any.
    slots: FxHashMap<SlotId, (Ambiguity, u32, Node)>,
}

impl Reasons {
    fn new(bodies: usize) -> Self {
        Reasons { settled: vec![0; bodies], why: FxHashMap::default(), slots: FxHashMap::default() }
    }

    /// Whether this is better than what a slot is known to lead to; then it is known, too.
    fn improves(&mut self, slot: SlotId, way: (Ambiguity, u32, Node)) -> bool {
        match self.slots.entry(slot) {
            Entry::Vacant(entry) => {
                entry.insert(way);
                true
            }
            Entry::Occupied(mut entry) if way < *entry.get() => {
                entry.insert(way);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    fn contains(&self, node: Node) -> bool {
        self.settled[node.body.0 as usize] & (1 << node.value) != 0
    }

    fn insert(&mut self, node: Node, reason: Reason) {
        self.settled[node.body.0 as usize] |= 1 << node.value;
        self.why.insert(node, reason);
    }

    fn get(&self, node: Node) -> Option<&Reason> {
        if self.contains(node) { self.why.get(&node) } else { None }
    }
}

/// A call that may enter a function.
struct Entering<'e> {
    body: BodyId,
    caller: FunctionId,
    at: At,
    condition: PathCondition,
    arguments: &'e [Argument],
    ambiguity: Ambiguity,
}

type OpenNodes = Open<(Node, How, Option<Node>)>;
type OpenCallbacks = Open<(Callback, At, Option<Callback>)>;

/// What a search ends at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// All that demands the other context.
    AnyRequirement,
    /// What demands it in the code base's own words: by a mark or an assertion.
    DeclaredRequirement,
    /// What demands it by a model of the pack.
    ModelledRequirement,
    /// These functions.
    Functions(Vec<FunctionId>),
}

impl Goal {
    /// Whether slots are among them: by their marks.
    fn has_slots(&self) -> bool {
        matches!(self, Goal::AnyRequirement | Goal::DeclaredRequirement)
    }
}

/// What reaches something that demands the other context than `context`, in `context`.
pub struct Search<'e, 'a> {
    effects: &'e Effects<'a>,
    context: Context,
    goal: Goal,
    reasons: Reasons,
    /// For each slot, how many functions it may hold that are called through it in the context.
    ambiguities: Vec<Ambiguity>,
    /// The parameters that slots stand for: a parameter for itself, a local variable for those that are copied to it.
    parameters: FxHashMap<SlotId, Vec<(FunctionId, u16)>>,
    callbacks: FxHashMap<Callback, CallbackReason>,
    /// The calls that pass functions to callbacks, by body and location.
    passing: Vec<Passing>,
    /// Positions in `passing`, by the function that is passed.
    passed: FxHashMap<FunctionId, Vec<usize>>,
}

impl<'e, 'a> Search<'e, 'a> {
    /// Searches the whole program for what reaches one of these ends.
    pub fn new(effects: &'e Effects<'a>, context: Context, goal: Goal) -> Self {
        let program = effects.program;
        let mut parameters: FxHashMap<SlotId, Vec<(FunctionId, u16)>> = FxHashMap::default();
        for (number, slot) in program.slots.iter().enumerate() {
            if let SlotKey::Parameter { function, position } = slot.key {
                parameters.insert(SlotId(number as u32), vec![(function, position)]);
            }
        }
        for copy in &program.copies {
            if let SlotKey::Parameter { function, position } = program.slot(copy.from).key
                && matches!(program.slot(copy.to).key, SlotKey::Local { .. })
            {
                parameters.entry(copy.to).or_default().push((function, position));
            }
        }
        let mut search = Search {
            effects,
            context,
            goal,
            reasons: Reasons::new(program.bodies.len()),
            ambiguities: ambiguities(effects, context),
            parameters,
            callbacks: FxHashMap::default(),
            passing: Vec::new(),
            passed: FxHashMap::default(),
        };
        search.find_callbacks();
        search.find_passing();
        search.run();
        search
    }

    /// The ambiguity of a call through a slot.
    fn ambiguity(&self, slot: SlotId) -> Ambiguity {
        self.ambiguities[slot.0 as usize]
    }

    /// The position of the parameter of `function` that a slot stands for.
    fn own_parameters(&self, slot: SlotId, function: FunctionId) -> impl Iterator<Item = u16> {
        let parameters = self.parameters.get(&slot).into_iter().flatten();
        parameters.filter(move |(owner, _)| *owner == function).map(|(_, position)| *position)
    }

    /// Finds what calls its own parameters.
    fn find_callbacks(&mut self) {
        let (effects, program, context) = (self.effects, self.effects.program, self.context);
        let mut open = OpenCallbacks::new();
        for slot in self.parameters.keys().filter(|slot| is_open(effects, **slot)) {
            for (id, at) in program.calls_through(*slot) {
                let body = program.body(*id);
                let call = &body.slot_calls[*at as usize];
                if !call.kind.is_in_place() {
                    continue;
                }
                for position in self.own_parameters(*slot, body.function) {
                    for value in values(call.condition.values(context)) {
                        let callback = Callback { node: Node { body: *id, value }, position };
                        open.push(Ambiguity::NONE, 1, (callback, At::Slot(*at), None));
                    }
                }
            }
        }
        while let Some((ambiguity, length, (callback, at, next))) = open.pop() {
            let function = program.body(callback.node.body).function;
            if self.callbacks.contains_key(&callback) || !effects.start(function).contains(context) {
                continue;
            }
            self.callbacks.insert(callback, CallbackReason { at, next, ambiguity, length });
            for Entering { body, caller, at, condition, arguments, ambiguity: least } in self.calls_of(function) {
                for argument in arguments.iter().filter(|argument| argument.position == callback.position) {
                    let ArgumentValue::Slot(slot) = argument.value else { continue };
                    for position in self.own_parameters(slot, caller) {
                        for value in self.leading(condition.values(context), arguments, callback.node) {
                            let outer = Callback { node: Node { body, value }, position };
                            open.push(ambiguity.and(least), length + 1, (outer, at, Some(callback)));
                        }
                    }
                }
            }
        }
    }

    /// The calls of a function, by its name and through slots that may hold it, in no particular order.
    fn calls_of(&self, function: FunctionId) -> impl Iterator<Item = Entering<'e>> {
        let through = self.slots_of(function).flat_map(move |slot| self.calls_through(slot, function));
        self.calls_by_name(function).chain(through)
    }

    fn calls_by_name(&self, function: FunctionId) -> impl Iterator<Item = Entering<'e>> + use<'e, 'a> {
        let (effects, program) = (self.effects, self.effects.program);
        let calls = program.incoming(function).iter().filter(|call| call.kind.is_in_place());
        let calls = calls.filter(move |call| !effects.is_cut(call.caller, function));
        calls.map(|call| {
            let arguments: &[Argument] = if call.has_arguments { &program.call(call.site).arguments } else { &[] };
            let (body, at) = (call.site.body, At::Named(call.site.call));
            Entering { body, caller: call.caller, at, condition: call.condition, arguments, ambiguity: Ambiguity::NONE }
        })
    }

    /// The slots that may hold a function and be called through in the search's context. What parameters hold is found
    /// by who passes it.
    fn slots_of(&self, function: FunctionId) -> impl Iterator<Item = SlotId> {
        let is_held = self.effects.slot_contexts(function).contains(self.context);
        let slots = self.effects.points_to.slots(function).iter().copied().filter(move |_| is_held);
        slots.filter(|slot| allows(self.effects, *slot, self.context) && !self.parameters.contains_key(slot))
    }

    /// The calls through a slot, when it holds this function.
    fn calls_through(&self, slot: SlotId, function: FunctionId) -> impl Iterator<Item = Entering<'e>> + use<'e, 'a> {
        let (effects, program) = (self.effects, self.effects.program);
        let ambiguity = self.ambiguity(slot);
        program.calls_through(slot).iter().filter_map(move |(id, position)| {
            let body = program.body(*id);
            let call = &body.slot_calls[*position as usize];
            let (caller, at, arguments) = (body.function, At::Slot(*position), call.arguments.as_slice());
            let entering = Entering { body: *id, caller, at, condition: call.condition, arguments, ambiguity };
            (call.kind.is_in_place() && !effects.is_cut(caller, function)).then_some(entering)
        })
    }

    /// Finds the calls that pass functions to what calls them.
    fn find_passing(&mut self) {
        let program = self.effects.program;
        let mut callbacks: Vec<(Callback, Ambiguity, u32)> =
            self.callbacks.iter().map(|(callback, why)| (*callback, why.ambiguity, why.length)).collect();
        callbacks.sort_unstable();
        let mut found = Vec::new();
        for (to, ambiguity, length) in callbacks {
            let called = program.body(to.node.body).function;
            for Entering { body, caller, at, condition, arguments, ambiguity: least } in self.calls_of(called) {
                for argument in arguments.iter().filter(|argument| argument.position == to.position) {
                    let (functions, slot): (&[FunctionId], Ambiguity) = match &argument.value {
                        ArgumentValue::Function(function) => (std::slice::from_ref(function), Ambiguity::NONE),
                        ArgumentValue::Slot(slot) if self.own_parameters(*slot, caller).next().is_none() => {
                            (self.effects.points_to.candidates(*slot), self.ambiguity(*slot))
                        }
                        ArgumentValue::Slot(_) | ArgumentValue::Truth { .. } => continue,
                    };
                    for value in self.leading(condition.values(self.context), arguments, to.node) {
                        let from = Node { body, value };
                        let ambiguity = ambiguity.and(least).and(slot);
                        let passing = functions.iter().map(|function| Passing {
                            from,
                            at,
                            function: *function,
                            to,
                            ambiguity,
                            length: length + 1,
                        });
                        found.extend(passing);
                    }
                }
            }
        }
        self.passing = found;
        self.passing.sort_unstable_by_key(|passing| {
            (
                passing.from.body,
                passing.at,
                passing.function,
                passing.ambiguity,
                passing.length,
                passing.from,
                passing.to,
            )
        });
        for (position, passing) in self.passing.iter().enumerate() {
            self.passed.entry(passing.function).or_default().push(position);
        }
    }

    fn run(&mut self) {
        let mut open = OpenNodes::new();
        let mut reasons = Reasons::new(self.effects.program.bodies.len());
        self.seed(&mut open);
        while let Some((ambiguity, length, (node, how, next))) = open.pop() {
            if reasons.contains(node) {
                continue;
            }
            reasons.insert(node, Reason { how, next, ambiguity, length });
            self.callers(node, ambiguity, length, &mut reasons, &mut open);
        }
        self.reasons = reasons;
    }

    /// Calls of what demands the other context.
    fn seed(&self, open: &mut OpenNodes) {
        let (effects, program, context) = (self.effects, self.effects.program, self.context);
        let mut push = |body: BodyId, caller: FunctionId, at: At, kind: CallKind, condition: PathCondition| {
            if kind.is_in_place() && effects.start(caller).contains(context) {
                for value in values(condition.values(context)) {
                    open.push(Ambiguity::NONE, 1, (Node { body, value }, How::Call(at), None));
                }
            }
        };
        for function in program.function_ids().filter(|function| self.offends(*function)) {
            for call in program.incoming(function) {
                push(call.site.body, call.caller, At::Named(call.site.call), call.kind, call.condition);
            }
        }
        let slots = (0..program.slots.len() as u32).map(SlotId);
        for slot in slots.filter(|slot| self.goal.has_slots() && !allows(effects, *slot, context)) {
            for (id, position) in program.calls_through(slot) {
                let body = program.body(*id);
                let call = &body.slot_calls[*position as usize];
                push(*id, body.function, At::Slot(*position), call.kind, call.condition);
            }
        }
        for function in program.function_ids().filter(|function| self.offends(*function)) {
            for slot in self.slots_of(function).filter(|slot| is_open(effects, *slot)) {
                for call in self.calls_through(slot, function) {
                    if !effects.start(call.caller).contains(context) {
                        continue;
                    }
                    for value in values(call.condition.values(context)) {
                        let how = How::Holding { at: call.at, function };
                        open.push(call.ambiguity, 1, (Node { body: call.body, value }, how, None));
                    }
                }
            }
        }
        for passing in self.passing.iter().filter(|passing| self.offends(passing.function)) {
            let &Passing { from, at, function, to, ambiguity, length } = passing;
            if effects.start(effects.program.body(from.body).function).contains(context) {
                open.push(ambiguity, length, (from, How::Passing { at, function, to }, None));
            }
        }
    }

    /// A body's own calls of what demands the other context.
    fn offending(&self, body: BodyId) -> Vec<(PathCondition, At)> {
        let (effects, context) = (self.effects, self.context);
        let body = effects.program.body(body);
        let mut found = Vec::new();
        for (position, call) in body.calls.iter().enumerate() {
            if call.kind.is_in_place() && self.offends(call.callee) {
                found.push((call.condition, At::Named(position as u32)));
            }
        }
        for (position, call) in body.slot_calls.iter().enumerate() {
            let requirement = call.slot.and_then(|slot| effects.slot_requirement(slot));
            if self.goal.has_slots()
                && call.kind.is_in_place()
                && requirement.is_some_and(|(effect, _)| !effect.allows(context))
            {
                found.push((call.condition, At::Slot(position as u32)));
            }
        }
        found
    }

    /// Whether a function is what is searched for.
    fn offends(&self, function: FunctionId) -> bool {
        let is_modelled = || matches!(self.effects.requirement(function).provenance, Provenance::Modelled(_));
        let demands = || self.effects.effect(function).is_some_and(|effect| !effect.allows(self.context));
        match &self.goal {
            Goal::AnyRequirement => demands(),
            Goal::DeclaredRequirement => demands() && !is_modelled(),
            Goal::ModelledRequirement => demands() && is_modelled(),
            Goal::Functions(functions) => functions.contains(&function),
        }
    }

    /// The calls that lead to a node.
    fn callers(&self, to: Node, ambiguity: Ambiguity, length: u32, settled: &mut Reasons, open: &mut OpenNodes) {
        if self.effects.is_traversable(self.effects.program.body(to.body).function) {
            self.incoming(to, ambiguity, length, settled, open);
        }
    }

    /// The same, whatever the function of the node is.
    fn incoming(&self, to: Node, ambiguity: Ambiguity, length: u32, settled: &mut Reasons, open: &mut OpenNodes) {
        let (effects, program) = (self.effects, self.effects.program);
        let function = program.body(to.body).function;
        let mut push = |settled: &Reasons, call: Entering<'_>| {
            if !effects.start(call.caller).contains(self.context) {
                return;
            }
            for value in self.leading(call.condition.values(self.context), call.arguments, to) {
                let from = Node { body: call.body, value };
                if !settled.contains(from) {
                    open.push(ambiguity.and(call.ambiguity), length + 1, (from, How::Call(call.at), Some(to)));
                }
            }
        };
        self.calls_by_name(function).for_each(|call| push(settled, call));
        // What has no flags is entered by every call through a slot that holds it.
        let is_plain = program.body(to.body).flags.is_empty() && !effects.is_ever_cut(function);
        for slot in self.slots_of(function).filter(|slot| is_open(effects, *slot)) {
            if !is_plain || settled.improves(slot, (ambiguity.and(self.ambiguity(slot)), length, to)) {
                self.calls_through(slot, function).for_each(|call| push(settled, call));
            }
        }
        for position in self.passed.get(&function).into_iter().flatten() {
            let Passing { from, at, function, to: callback, ambiguity: least, length: more } = self.passing[*position];
            if effects.start(program.body(from.body).function).contains(self.context) {
                let how = How::Passing { at, function, to: callback };
                open.push(ambiguity.and(least), length + more, (from, how, Some(to)));
            }
        }
    }

    /// The values of a caller's flags with which a call enters a node.
    fn leading(&self, reached: u8, arguments: &[Argument], to: Node) -> impl Iterator<Item = u8> {
        let callee = self.effects.program.body(to.body);
        let mut leading = 0u8;
        for value in values(reached) {
            if passed_values(arguments, self.context, value, callee) & (1 << to.value) != 0 {
                leading |= 1 << value;
            }
        }
        values(leading)
    }

    /// The chains that start where the context is known: one for each function or slot that a body calls, by body and
    /// location. What a body calls directly is judged as a call, and is not among them.
    pub fn chains(&self) -> Vec<Vec<CallChain>> {
        let (effects, program) = (self.effects, self.effects.program);
        let of_body = |id: BodyId| {
            let start = effects.inferred_start(program.body(id).function);
            let known = |condition: PathCondition| start.and(condition.contexts()) == ContextSet::from(self.context);
            let entered = effects.entry_contexts().possible.values(self.context, id);
            self.chains_of(id, entered, &known).into_iter().map(|(_, chains)| chains)
        };
        (0..program.bodies.len() as u32).into_par_iter().map(BodyId).flat_map_iter(of_body).collect()
    }

    /// The chains that start in the bodies of a function, wherever it may be entered in the search's context: one for
    /// each function, slot or callback that is called, with what the bodies call directly; the surest first.
    pub fn chains_from(&self, function: FunctionId) -> Vec<CallChain> {
        let (effects, program) = (self.effects, self.effects.program);
        let mut found: Vec<CallChain> = Vec::new();
        if !effects.start(function).contains(self.context) {
            return found;
        }
        for body in &program.function(function).bodies {
            let possible = effects.entry_contexts().possible.values(self.context, *body);
            let entered = if possible == 0 { all_values(program.body(*body)) } else { possible };
            let reached = |condition: PathCondition| condition.values(self.context) & entered != 0;
            let direct = self.offending(*body).into_iter().filter(|(condition, _)| reached(*condition)).map(
                |(condition, at)| CallChain {
                    body: *body,
                    ambiguity: Ambiguity::NONE,
                    conditional: condition.values(self.context) & entered != entered,
                    steps: self.step(*body, How::Call(at), None),
                },
            );
            found.extend(direct);
            for (_, chains) in self.chains_of(*body, entered, &reached) {
                found.extend(
                    chains.into_iter().min_by_key(|chain| (chain.conditional, chain.ambiguity, chain.steps.len())),
                );
            }
        }
        found.sort_by_key(|chain| (chain.conditional, chain.ambiguity, chain.steps.len(), chain.body));
        found
    }

    /// The surest chain of calls by which control comes to a function in the search's context, from a function that
    /// only runs in that context.
    pub fn entry(&self, function: FunctionId) -> Option<(Ambiguity, Vec<Step>)> {
        let (effects, program) = (self.effects, self.effects.program);
        let mut open = OpenNodes::new();
        let mut reasons = Reasons::new(program.bodies.len());
        for body in &program.function(function).bodies {
            for value in values(all_values(program.body(*body))) {
                self.incoming(Node { body: *body, value }, Ambiguity::NONE, 0, &mut reasons, &mut open);
            }
        }
        while let Some((ambiguity, length, (node, how, next))) = open.pop() {
            let caller = program.body(node.body).function;
            if caller == function || reasons.contains(node) {
                continue;
            }
            reasons.insert(node, Reason { how, next, ambiguity, length });
            if effects.start(caller) == ContextSet::from(self.context) {
                return Some((ambiguity, self.follow(&reasons, node)));
            }
            self.callers(node, ambiguity, length, &mut reasons, &mut open);
        }
        None
    }

    /// The calls of a body for chains, in groups by what is called. Those are taken whose condition is `wanted`, in the
    /// values of the body's flags with which it is `entered`.
    fn chains_of(&self, id: BodyId, entered: u8, wanted: &dyn Fn(PathCondition) -> bool) -> Vec<Group> {
        let body = self.effects.program.body(id);
        let mut groups: Vec<Group> = Vec::new();
        let named = body.calls.iter().enumerate().filter(|(_, call)| call.kind.is_in_place());
        let named = named
            .map(|(at, call)| (At::Named(at as u32), call.condition, &call.arguments, Callee::Function(call.callee)));
        let through = body.slot_calls.iter().enumerate().filter(|(_, call)| call.kind.is_in_place());
        let through = through.filter_map(|(at, call)| {
            Some((At::Slot(at as u32), call.condition, &call.arguments, Callee::Slot(call.slot?)))
        });
        for (at, condition, arguments, callee) in named.chain(through).filter(|(_, condition, ..)| wanted(*condition)) {
            let mut best: Option<(Ambiguity, u32, Next)> = None;
            let mut leading = 0u8;
            for value in values(condition.values(self.context) & entered) {
                if let Some(next) = self.next(body.function, callee, arguments, value) {
                    leading |= 1 << value;
                    best = Some(best.map_or(next, |best| best.min(next)));
                }
            }
            let Some((ambiguity, _, next)) = best else { continue };
            let steps = match next {
                Next::End(function) => self.step(id, How::Holding { at, function }, None),
                Next::Node(node) => [self.step(id, How::Call(at), Some(node)), self.steps(node)].concat(),
            };
            let chain = CallChain { body: id, ambiguity, conditional: leading != entered, steps };
            add_to_group(&mut groups, (callee, None), chain);
        }
        for passing in self.passing_of(id) {
            let condition = match passing.at {
                At::Named(at) => body.calls[at as usize].condition,
                At::Slot(at) => body.slot_calls[at as usize].condition,
            };
            if !wanted(condition) || entered & (1 << passing.from.value) == 0 {
                continue;
            }
            let next = match self.next(body.function, Callee::Function(passing.function), &[], 0) {
                _ if self.offends(passing.function) => None,
                Some((ambiguity, _, Next::Node(node))) => Some((ambiguity, node)),
                Some(_) | None => continue,
            };
            let how = How::Passing { at: passing.at, function: passing.function, to: passing.to };
            let mut steps = self.step(id, how, next.map(|(_, node)| node));
            let ambiguity = next.map_or(passing.ambiguity, |(ambiguity, _)| ambiguity.and(passing.ambiguity));
            steps.extend(next.into_iter().flat_map(|(_, node)| self.steps(node)));
            let Some(callee) = steps.first().map(|step| step.callee) else { continue };
            let conditional = condition.values(self.context) & entered != entered;
            let chain = CallChain { body: id, ambiguity, conditional, steps };
            add_to_group(&mut groups, (callee, Some(passing.function)), chain);
        }
        groups
    }

    /// Where a call goes to on a chain: the best of the nodes that it enters. What a call by name calls itself is judged as a
    /// call, and does not count; what is held by a slot does.
    fn next(
        &self,
        caller: FunctionId,
        callee: Callee,
        arguments: &[Argument],
        value: u8,
    ) -> Option<(Ambiguity, u32, Next)> {
        let (effects, program) = (self.effects, self.effects.program);
        let (functions, least): (&[FunctionId], Ambiguity) = match &callee {
            Callee::Function(function) => (std::slice::from_ref(function), Ambiguity::NONE),
            Callee::Slot(slot) if is_open(effects, *slot) && !self.parameters.contains_key(slot) => {
                (effects.points_to.candidates(*slot), self.ambiguity(*slot))
            }
            Callee::Slot(_) => return None,
        };
        let is_named = matches!(callee, Callee::Function(_));
        let is_called = |function: &&FunctionId| {
            let held = is_named || effects.slot_contexts(**function).contains(self.context);
            held && !effects.is_cut(caller, **function)
        };
        let ends = functions.iter().filter(is_called).filter(|function| !is_named && self.offends(**function));
        if let Some(end) = ends.min() {
            return Some((least, 0, Next::End(*end)));
        }
        let traversable = functions.iter().filter(is_called).filter(|function| effects.is_traversable(**function));
        let bodies = traversable.flat_map(|function| &program.function(*function).bodies);
        let nodes = bodies.flat_map(|body| {
            let entered = passed_values(arguments, self.context, value, program.body(*body));
            values(entered).map(|value| Node { body: *body, value })
        });
        let known = nodes.filter_map(|node| Some((self.reasons.get(node)?, node)));
        known.map(|(why, node)| (why.ambiguity.and(least), why.length, Next::Node(node))).min()
    }

    /// The calls of a body that pass functions to callbacks.
    fn passing_of(&self, body: BodyId) -> &[Passing] {
        let start = self.passing.partition_point(|passing| passing.from.body < body);
        let end = self.passing.partition_point(|passing| passing.from.body <= body);
        &self.passing[start..end]
    }

    fn steps(&self, from: Node) -> Vec<Step> {
        self.follow(&self.reasons, from)
    }

    fn follow(&self, reasons: &Reasons, from: Node) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = Some(from);
        while let Some(node) = at {
            let Some(reason) = reasons.get(node) else { break };
            steps.extend(self.step(node.body, reason.how, reason.next));
            at = reason.next;
        }
        steps
    }

    /// The calls by which a body comes to the next node, or to what offends.
    fn step(&self, body: BodyId, how: How, next: Option<Node>) -> Vec<Step> {
        let program = self.effects.program;
        let function_of = |node: Node| program.body(node.body).function;
        match how {
            How::Call(at) => vec![self.call(body, at, next.map(function_of), false)],
            How::Holding { at, function } => vec![self.call(body, at, Some(function), false)],
            How::Passing { at, function, to } => {
                let mut steps = vec![self.call(body, at, Some(function_of(to.node)), false)];
                let mut callback = Some(to);
                while let Some(at) = callback {
                    let Some(reason) = self.callbacks.get(&at) else { break };
                    let called = reason.next.map_or(function, |next| function_of(next.node));
                    steps.push(self.call(at.node.body, reason.at, Some(called), reason.next.is_none()));
                    callback = reason.next;
                }
                steps
            }
        }
    }

    fn call(&self, body: BodyId, at: At, callee: Option<FunctionId>, passed: bool) -> Step {
        let body = self.effects.program.body(body);
        match at {
            At::Named(position) => {
                let call = &body.calls[position as usize];
                let callee = Callee::Function(call.callee);
                Step { caller: body.function, location: call.location, through: None, passed, callee }
            }
            At::Slot(position) => {
                let SlotCall { slot, location, .. } = &body.slot_calls[position as usize];
                let held = callee.map(Callee::Function).or(slot.map(Callee::Slot));
                let callee = held.unwrap_or(Callee::Function(body.function));
                Step { caller: body.function, location: *location, through: *slot, passed, callee }
            }
        }
    }
}

/// For each function, whether a chain of calls may go on through it.
pub(super) fn traversable(effects: &Effects<'_>) -> Vec<bool> {
    let is_traversable = |function: FunctionId| {
        let requirement = effects.requirement(function);
        matches!(requirement.effect, None | Some(Effect::Mixed))
            && !matches!(requirement.provenance, Provenance::Modelled(_))
            && effects.inferred_start(function) == effects.start(function)
            && !effects.start(function).is_empty()
            && !effects.program.function(function).declarations.iter().any(|declared| declared.never_returns)
    };
    effects.program.function_ids().map(is_traversable).collect()
}

type Group = ((Callee, Option<FunctionId>), Vec<CallChain>);

fn add_to_group(groups: &mut Vec<Group>, key: (Callee, Option<FunctionId>), chain: CallChain) {
    match groups.iter_mut().find(|(known, _)| *known == key) {
        Some((_, chains)) => chains.push(chain),
        None => groups.push((key, vec![chain])),
    }
}

fn ambiguities(effects: &Effects<'_>, context: Context) -> Vec<Ambiguity> {
    let called = |slot: u32| {
        let held = effects.points_to.candidates(SlotId(slot)).iter();
        held.filter(|function| effects.slot_contexts(**function).contains(context)).count()
    };
    (0..effects.program.slots.len() as u32).map(|slot| Ambiguity::of_candidates(called(slot))).collect()
}

/// Whether no mark says in which context a slot may be called through.
fn is_open(effects: &Effects<'_>, slot: SlotId) -> bool {
    effects.slot_requirement(slot).is_none_or(|(effect, _)| effect == Effect::Mixed)
}

/// Whether a slot may be called through in a context.
fn allows(effects: &Effects<'_>, slot: SlotId, context: Context) -> bool {
    effects.slot_requirement(slot).is_none_or(|(effect, _)| effect.allows(context))
}
