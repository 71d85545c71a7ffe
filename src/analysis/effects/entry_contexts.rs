//! Entry contexts: the contexts in which control can enter each body, and the constants that callers pass.
//!
//! An *entry state* of a body is a context and a value for each of its flags. A call enters its callee in the context
//! at the point of the call, which is not that of the entry state behind a change.
//!
//! There are two forward searches over the call graph: *possible* states are those that some caller can cause, and any
//! state where the program does not have all callers of a function; *certain* states follow from marks and entries,
//! along calls by name.

use crate::program::{Argument, ArgumentValue, Body, BodyId, FunctionId, IndexVec, Program, SlotId};
use cowrap_facts::{CallKind, Context, ContextSet, FlagTest, PathCondition, single_values, values_with};
use cowrap_packs::Effect;

use super::Effects;
use super::calls::BodyOutline;

/// The entry states of all bodies, as two answers.
#[derive(Clone, Debug, Default)]
pub struct EntryContexts {
    /// The states that can occur.
    pub possible: EntryStates,
    /// The states that do occur: from marked functions, along calls by name.
    pub certain: EntryStates,
}

/// The entry states of all bodies.
#[derive(Clone, Debug, Default)]
pub struct EntryStates {
    /// For each body and context, the values of the body's flags, a bit for each value.
    values: IndexVec<BodyId, [u8; 2]>,
    /// For each function, the contexts of the entry states of its bodies.
    contexts: IndexVec<FunctionId, ContextSet>,
}

impl EntryStates {
    fn new(program: &Program) -> Self {
        let contexts = IndexVec::from_elem(ContextSet::EMPTY, program.functions.len());
        EntryStates { values: IndexVec::from_elem([0; 2], program.bodies.len()), contexts }
    }

    /// The values of a body's flags in its entry states of this context, a bit for each value.
    pub fn values(&self, context: Context, body: BodyId) -> u8 {
        self.values[body][position(context)]
    }

    /// The contexts of a function's entry states.
    pub fn contexts(&self, function: FunctionId) -> ContextSet {
        self.contexts[function]
    }
}

/// The position of a context in arrays.
fn position(context: Context) -> usize {
    match context {
        Context::Inside => 0,
        Context::Outside => 1,
    }
}

/// The values that a call with these arguments can give to the flags of `callee`, when the caller was entered in this
/// context and its own flags have this value.
pub fn passed_values(arguments: &[Argument], entry: Context, value: u8, callee: &Body) -> u8 {
    let mut values = callee.values;
    if arguments.is_empty() {
        return values;
    }
    for (number, flag) in callee.flags.iter().enumerate() {
        for argument in arguments.iter().filter(|argument| argument.position == flag.position) {
            let (may_be_set, may_be_unset) = match argument.value {
                ArgumentValue::Number(passed) => (flag.test.holds(passed), !flag.test.holds(passed)),
                ArgumentValue::Truth { may_be_true, may_be_false } => {
                    let [may_be_true, may_be_false] =
                        [may_be_true, may_be_false].map(|condition| condition.contains(entry, value));
                    match flag.test {
                        FlagTest::True | FlagTest::NonZero => (may_be_true, may_be_false),
                        // Only 0 is false.
                        test => (may_be_true || test.holds(0), may_be_true || !test.holds(0)),
                    }
                }
                ArgumentValue::Flag { test, number } if test == flag.test => {
                    let is_set = value >> number & 1 != 0;
                    (is_set, !is_set)
                }
                _ => continue,
            };
            if !may_be_set {
                values &= !values_with(number);
            }
            if !may_be_unset {
                values &= values_with(number);
            }
        }
    }
    values
}

/// Finds the entry states of all bodies.
pub(super) fn entry_contexts(effects: &Effects<'_>) -> EntryContexts {
    let (possible, certain) = rayon::join(|| possible(effects), || certain(effects));
    EntryContexts { possible, certain }
}

fn certain(effects: &Effects<'_>) -> EntryStates {
    let mut search = ForwardSearch::new(effects, false);
    for function in effects.program.function_ids() {
        if let Some(context) = effects.start(function).only() {
            search.enter_any(function, context);
        }
    }
    // A function that is stored where it starts inside may require something of its callers all the same.
    let entries = effects.program.function_ids().filter(|function| effects.is_entry(*function));
    entries.chain(effects.installed.functions()).for_each(|function| search.enter(function, ContextSet::INSIDE));
    for function in effects.threads.functions() {
        if effects.passed_to_thread(function).is_some() {
            search.enter(function, ContextSet::OUTSIDE);
        }
    }
    search.run();
    search.entered
}

fn possible(effects: &Effects<'_>) -> EntryStates {
    let mut search = ForwardSearch::new(effects, true);
    // In a region, the predicate says that this is the inside context, but the code must not reach a primitive. It
    // could be either.
    for (body, _) in effects.calls.bodies().filter(|(_, body)| body.has_regions) {
        let calls = effects.calls.named(body).iter().filter(|call| call.kind == CallKind::Region);
        calls.for_each(|call| search.enter(call.called, ContextSet::BOTH));
        let slot_calls = effects.calls.through_slots(body).iter().filter(|call| call.kind == CallKind::Region);
        for candidate in slot_calls.filter_map(|call| call.called).flat_map(|slot| effects.points_to.candidates(slot)) {
            search.enter(*candidate, ContextSet::BOTH);
        }
    }
    effects.threads.functions().for_each(|function| search.enter(function, ContextSet::OUTSIDE));
    // What an unread unit names an entry for is most likely to install it.
    let named = effects.named_elsewhere.iter().filter(|function| !effects.is_entry(**function));
    named.for_each(|function| search.enter(*function, ContextSet::BOTH));
    effects.installed.functions().for_each(|function| search.enter(function, ContextSet::INSIDE));
    let external = external_contexts(effects);
    for function in effects.program.function_ids() {
        let start = if effects.is_entry(function) { ContextSet::INSIDE } else { effects.start(function) };
        let by_nobody = || if effects.program.has_callers(function) { ContextSet::EMPTY } else { start };
        search.enter(function, external[function].unwrap_or_else(by_nobody));
        if effects.is_entry(function) {
            search.enter(function, ContextSet::INSIDE);
        }
    }
    search.run();
    // What is still not entered has only recursive callers. Its first caller is unknown.
    for function in effects.program.function_ids() {
        if search.entered.contexts(function).is_empty() {
            search.enter(function, effects.start(function));
            search.run();
        }
    }
    search.entered
}

/// For each function that is stored somewhere, the contexts in which code outside the program may call it, because the
/// program passes its address out of sight.
fn external_contexts(effects: &Effects<'_>) -> IndexVec<FunctionId, Option<ContextSet>> {
    let mut external: IndexVec<_, Option<ContextSet>> = IndexVec::from_elem(None, effects.program.functions.len());
    for store in &effects.program.stores {
        let contexts = match (effects.store_requirement(store), store.slot) {
            (Some(Effect::InsideOnly | Effect::Entry), _) => ContextSet::INSIDE,
            (Some(Effect::OutsideOnly), _) => ContextSet::OUTSIDE,
            (_, Some(slot)) if effects.points_to.leads_to_call(slot) && !effects.points_to.escapes(slot) => {
                ContextSet::EMPTY
            }
            (_, Some(slot)) if effects.is_installed(store.function) && effects.leads_to_entry_slot(slot) => {
                ContextSet::INSIDE
            }
            _ => ContextSet::BOTH,
        };
        let known = &mut external[store.function];
        *known = Some(known.unwrap_or(ContextSet::EMPTY).or(contexts));
    }
    external
}

/// A search forward from the bodies that are entered first.
struct ForwardSearch<'e, 'a> {
    effects: &'e Effects<'a>,
    entered: EntryStates,
    through_slots: bool,
    /// For each slot, the contexts in which the search found a call through it.
    slots: IndexVec<SlotId, ContextSet>,
    /// For each body, the entry states whose calls are still to be followed.
    pending: IndexVec<BodyId, [u8; 2]>,
    /// The bodies with pending states.
    work: Vec<BodyId>,
}

impl<'e, 'a> ForwardSearch<'e, 'a> {
    fn new(effects: &'e Effects<'a>, through_slots: bool) -> Self {
        ForwardSearch {
            effects,
            entered: EntryStates::new(effects.program),
            through_slots,
            slots: IndexVec::from_elem(ContextSet::EMPTY, effects.program.slots.len()),
            pending: IndexVec::from_elem([0; 2], effects.program.bodies.len()),
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
        for body in self.effects.calls.bodies_of(function) {
            // Calls by the program itself, which can pass anything, are followed one by one.
            let values = match context {
                Context::Inside => self.effects.entry_values(*body),
                Context::Outside => self.effects.calls.body(*body).values,
            };
            self.add(context, function, *body, values);
        }
    }

    /// Adds entry states of a body of a function.
    fn add(&mut self, context: Context, function: FunctionId, body: BodyId, values: u8) {
        let known = &mut self.entered.values[body][position(context)];
        let new = values & !*known;
        *known |= new;
        if new != 0 {
            let contexts = &mut self.entered.contexts[function];
            *contexts = contexts.or(context.into());
            let pending = &mut self.pending[body];
            if *pending == [0; 2] {
                self.work.push(body);
            }
            pending[position(context)] |= new;
        }
    }

    fn run(&mut self) {
        while let Some(body) = self.work.pop() {
            let pending = std::mem::take(&mut self.pending[body]);
            self.follow_names(body, pending);
            if self.through_slots {
                self.follow_slots(body, pending);
            }
        }
    }

    fn follow_names(&mut self, body: BodyId, pending: [u8; 2]) {
        let (effects, calls) = (self.effects, &self.effects.calls);
        for (position, call) in calls.named(body).iter().enumerate().filter(|(_, call)| call.kind.is_in_place()) {
            // Where nobody knows the context behind a call, it could be either, and neither is certain.
            let condition = if self.through_slots { call.condition } else { call.condition.settled() };
            let reached = condition.entered(pending[0], pending[1]);
            let contexts = reached.contexts().and(effects.start(call.called));
            if contexts.is_empty() {
                continue;
            }
            for callee in calls.bodies_of(call.called) {
                let BodyOutline { values, has_flags, .. } = *calls.body(*callee);
                for at in Context::ALL.into_iter().filter(|at| contexts.contains(*at)) {
                    let values = match call.has_arguments && has_flags {
                        true => self.passed_by(body, position, reached, at, *callee),
                        false => values,
                    };
                    self.add(at, call.called, *callee, values);
                }
            }
        }
    }

    /// The values that a call of a body can give to the flags of its callee, when it is made in this context.
    fn passed_by(&self, body: BodyId, call: usize, reached: PathCondition, at: Context, callee: BodyId) -> u8 {
        let program = self.effects.program;
        let (arguments, callee) = (&program.body(body).calls[call].arguments, program.body(callee));
        let states = Context::ALL.into_iter().flat_map(|entry| {
            let values = single_values(reached.values_at(entry, at));
            values.map(move |value| passed_values(arguments, entry, value, callee))
        });
        states.fold(0, |all, values| all | values)
    }

    fn follow_slots(&mut self, body: BodyId, pending: [u8; 2]) {
        let effects = self.effects;
        for call in effects.calls.through_slots(body).iter().filter(|call| call.kind.is_in_place()) {
            let Some(slot) = call.called else { continue };
            let reached = call.condition.entered(pending[0], pending[1]).contexts();
            for at in Context::ALL.into_iter().filter(|at| reached.contains(*at)) {
                if !self.slots[slot].contains(at) && callable_in(effects, slot).contains(at) {
                    self.slots[slot] = self.slots[slot].or(at.into());
                    for candidate in effects.points_to.candidates(slot) {
                        self.enter(*candidate, effects.slot_contexts(*candidate).and(at.into()));
                    }
                }
            }
        }
    }
}

/// The contexts in which a slot allows calls.
pub(super) fn callable_in(effects: &Effects<'_>, slot: SlotId) -> ContextSet {
    match (effects.slot_effect(slot), effects.thread_of_slot(slot)) {
        // What is stored there starts inside; who calls through it owes nothing.
        (Some(Effect::Entry), _) => ContextSet::BOTH,
        (Some(effect), _) => effect.contexts(),
        // Another thread makes the call.
        (None, Some(_)) => ContextSet::EMPTY,
        (None, None) => ContextSet::BOTH,
    }
}
