//! In which worlds each body is entered: from whom, in which context, and with which constants.
//!
//! Two answers. *Possible*: every world that some caller could make, where a function whose callers are not all in the
//! program may be entered in any. *Known*: only what follows from marks, along calls by name.

use crate::program::{Adjacency, Argument, ArgumentValue, Body, BodyId, FunctionId, Program, SlotId};
use cowrap_facts::{CallKind, Context, ContextSet, PathCondition};
use cowrap_packs::Effect;

use super::Effects;

/// For each body and context, the values of the body's flags with which it is entered, a bit for each.
#[derive(Clone, Debug, Default)]
pub struct EntryStates {
    values: Vec<[u8; 2]>,
}

/// The worlds of all bodies.
#[derive(Clone, Debug, Default)]
pub struct EntryContexts {
    /// Those that may be.
    pub possible: EntryStates,
    /// Those that are: from a marked function, along calls by name.
    pub known: EntryStates,
}

impl EntryStates {
    fn new(program: &Program) -> Self {
        EntryStates { values: vec![[0; 2]; program.bodies.len()] }
    }

    /// The values of a body's flags with which it is entered in a context.
    pub fn values(&self, context: Context, body: BodyId) -> u8 {
        self.values[body.0 as usize][number(context)]
    }

    /// The contexts in which a function is entered.
    pub fn contexts(&self, program: &Program, function: FunctionId) -> ContextSet {
        let bodies = &program.function(function).bodies;
        let entered = |context: &Context| bodies.iter().any(|body| self.values(*context, *body) != 0);
        Context::ALL.into_iter().filter(entered).fold(ContextSet::EMPTY, |set, context| set.or(context.into()))
    }
}

/// The position of a context in arrays.
pub fn number(context: Context) -> usize {
    match context {
        Context::Coroutine => 0,
        Context::NonCoroutine => 1,
    }
}

/// All values of a body's flags.
pub fn all_values(body: &Body) -> u8 {
    ((1u16 << (1 << body.flags.len())) - 1) as u8
}

/// The single values of a set of them.
pub fn single_values(set: u8) -> impl Iterator<Item = u8> {
    (0..8u8).filter(move |value| set & (1 << value) != 0)
}

/// The values of the flags of `callee` that a call with these arguments can give, when it is made in a context and
/// with one value of its own body's flags.
pub fn passed_values(arguments: &[Argument], context: Context, value: u8, callee: &Body) -> u8 {
    // For each flag, the values in which it is set.
    const SET: [u8; 3] = [0b1010_1010, 0b1100_1100, 0b1111_0000];
    let mut values = all_values(callee);
    if arguments.is_empty() {
        return values;
    }
    for (flag, position) in callee.flags.iter().enumerate() {
        for argument in arguments.iter().filter(|argument| argument.position == *position) {
            let ArgumentValue::Truth { may_be_true, may_be_false } = argument.value else { continue };
            if !may_be_true.contains(context, value) {
                values &= !SET[flag];
            }
            if !may_be_false.contains(context, value) {
                values &= SET[flag];
            }
        }
    }
    values
}

/// Finds the worlds of all bodies.
pub(super) fn entry_contexts(effects: &Effects<'_>) -> EntryContexts {
    let edges = Edges::new(effects);
    let (possible, known) = rayon::join(|| possible(effects, &edges), || known(effects, &edges));
    EntryContexts { possible, known }
}

fn known(effects: &Effects<'_>, edges: &Edges) -> EntryStates {
    let mut spread = Spread::new(effects, edges, false);
    for function in effects.program.function_ids() {
        let Some(context) = effects.start(function).only() else { continue };
        spread.enter_any(function, context);
    }
    spread.run();
    spread.entered
}

fn possible(effects: &Effects<'_>, edges: &Edges) -> EntryStates {
    let mut spread = Spread::new(effects, edges, true);
    // In a region the predicate says that this is a coroutine, and nothing may suspend: neither is to be relied on.
    for body in &effects.program.bodies {
        let calls = body.calls.iter().filter(|call| call.kind == CallKind::Region);
        calls.for_each(|call| spread.enter(call.callee, ContextSet::BOTH));
        let slot_calls = body.slot_calls.iter().filter(|call| call.kind == CallKind::Region);
        for candidate in slot_calls.filter_map(|call| call.slot).flat_map(|slot| effects.points_to.candidates(slot)) {
            spread.enter(*candidate, ContextSet::BOTH);
        }
    }
    let external = external_contexts(effects);
    for function in effects.program.function_ids() {
        let start = effects.start(function);
        let nobody = || if effects.program.has_callers(function) { ContextSet::EMPTY } else { start };
        spread.enter(function, external[function.0 as usize].unwrap_or_else(nobody));
    }
    spread.run();
    // What is left is only entered from itself: who enters it first is not known.
    for function in effects.program.function_ids() {
        if spread.entered.contexts(effects.program, function).is_empty() {
            spread.enter(function, effects.start(function));
            spread.run();
        }
    }
    spread.entered
}

/// For each function whose address is taken, the contexts in which it may be entered from outside of the program, since
/// its address goes where nobody can follow it.
fn external_contexts(effects: &Effects<'_>) -> Vec<Option<ContextSet>> {
    let mut external = vec![None; effects.program.functions.len()];
    for store in &effects.program.stores {
        let contexts = match (effects.store_requirement(store), store.slot) {
            (Some(Effect::CoroutineOnly), _) => ContextSet::COROUTINE,
            (Some(Effect::NonCoroutineOnly), _) => ContextSet::NON_COROUTINE,
            (_, Some(slot)) if effects.points_to.leads_to_call(slot) => ContextSet::EMPTY,
            _ => ContextSet::BOTH,
        };
        let known = &mut external[store.function.0 as usize];
        *known = Some(known.unwrap_or(ContextSet::EMPTY).or(contexts));
    }
    external
}

/// The calls from body to body, close together in memory: what follows walks over them many times.
struct Edges {
    /// The calls by name of each body.
    named: Adjacency<Edge>,
    /// The calls through slots of each body.
    through: Adjacency<SlotEdge>,
    /// The bodies of each function.
    bodies: Adjacency<BodyId>,
    /// All values of each body's flags.
    values: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Edge {
    callee: BodyId,
    /// The position of the call in its body, where what it passes matters.
    passing: Option<u32>,
    condition: PathCondition,
    /// The contexts in which the callee starts.
    contexts: ContextSet,
}

#[derive(Clone, Copy)]
struct SlotEdge {
    slot: SlotId,
    condition: PathCondition,
    /// The contexts in which the slot may be called through.
    contexts: ContextSet,
}

impl Edges {
    fn new(effects: &Effects<'_>) -> Edges {
        let program = effects.program;
        let numbered = program.bodies.iter().zip(0..).map(|(body, number)| (body.function.0 as usize, BodyId(number)));
        let bodies = Adjacency::new(program.functions.len(), numbered);
        let (mut named, mut through) = (Adjacency::default(), Adjacency::default());
        for body in &program.bodies {
            let calls = body.calls.iter().enumerate().filter(|(_, call)| call.kind.is_in_place());
            named.push(calls.flat_map(|(position, call)| {
                let contexts = effects.start(call.callee);
                let passing = (!call.arguments.is_empty()).then_some(position as u32);
                let callees = bodies.of(call.callee.0 as usize).iter().filter(move |_| !contexts.is_empty());
                callees.map(move |callee| Edge { callee: *callee, passing, condition: call.condition, contexts })
            }));
            let slot_calls = body.slot_calls.iter().filter(|call| call.kind.is_in_place());
            through.push(slot_calls.filter_map(|call| {
                let slot = call.slot?;
                let requirement = effects.slot_requirement(slot);
                let contexts = requirement.map_or(ContextSet::BOTH, |(effect, _)| effect.contexts());
                Some(SlotEdge { slot, condition: call.condition, contexts })
            }));
        }
        let values = program.bodies.iter().map(all_values).collect();
        Edges { named, through, bodies, values }
    }
}

/// A search forward from where bodies are entered.
struct Spread<'e, 'a> {
    effects: &'e Effects<'a>,
    edges: &'e Edges,
    entered: EntryStates,
    through_slots: bool,
    /// For each slot, the contexts in which something is known to call through it.
    slots: Vec<ContextSet>,
    /// What is entered and not yet followed, for each body and context.
    pending: Vec<[u8; 2]>,
    /// The bodies with something pending.
    work: Vec<BodyId>,
}

impl<'e, 'a> Spread<'e, 'a> {
    fn new(effects: &'e Effects<'a>, edges: &'e Edges, through_slots: bool) -> Self {
        Spread {
            effects,
            edges,
            entered: EntryStates::new(effects.program),
            through_slots,
            slots: vec![ContextSet::EMPTY; effects.program.slots.len()],
            pending: vec![[0; 2]; effects.program.bodies.len()],
            work: Vec::new(),
        }
    }

    /// Enters a function in these contexts, with any values of its flags.
    fn enter(&mut self, function: FunctionId, contexts: ContextSet) {
        for context in Context::ALL {
            if contexts.and(self.effects.start(function)).contains(context) {
                self.enter_any(function, context);
            }
        }
    }

    fn enter_any(&mut self, function: FunctionId, context: Context) {
        for body in self.edges.bodies.of(function.0 as usize) {
            self.add(context, *body, self.edges.values[body.0 as usize]);
        }
    }

    fn add(&mut self, context: Context, body: BodyId, values: u8) {
        let known = &mut self.entered.values[body.0 as usize][number(context)];
        let new = values & !*known;
        *known |= new;
        if new != 0 {
            let pending = &mut self.pending[body.0 as usize];
            if *pending == [0; 2] {
                self.work.push(body);
            }
            pending[number(context)] |= new;
        }
    }

    fn run(&mut self) {
        let (effects, program) = (self.effects, self.effects.program);
        while let Some(id) = self.work.pop() {
            let pending = std::mem::take(&mut self.pending[id.0 as usize]);
            let reached =
                |context: Context, condition: PathCondition| condition.values(context) & pending[number(context)];
            for edge in self.edges.named.of(id.0 as usize) {
                for context in Context::ALL {
                    let reached = reached(context, edge.condition);
                    if reached == 0 || !edge.contexts.contains(context) {
                        continue;
                    }
                    let values = match edge.passing {
                        None => self.edges.values[edge.callee.0 as usize],
                        Some(call) => {
                            let arguments = &program.body(id).calls[call as usize].arguments;
                            let passed = |value| passed_values(arguments, context, value, program.body(edge.callee));
                            single_values(reached).map(passed).fold(0, |all, values| all | values)
                        }
                    };
                    self.add(context, edge.callee, values);
                }
            }
            if !self.through_slots {
                continue;
            }
            for edge in self.edges.through.of(id.0 as usize) {
                for context in Context::ALL {
                    let known = &mut self.slots[edge.slot.0 as usize];
                    let is_reached = reached(context, edge.condition) != 0 && edge.contexts.contains(context);
                    if is_reached && !known.contains(context) {
                        *known = known.or(context.into());
                        for candidate in effects.points_to.candidates(edge.slot) {
                            self.enter(*candidate, effects.slot_contexts(*candidate).and(context.into()));
                        }
                    }
                }
            }
        }
    }
}
