//! Judging calls: which of them violation what their callee demands, and what is known of a function's callers.

use std::collections::{BTreeMap, BTreeSet};

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::program::{BodyId, CallSite, Declaration, FunctionId, Location, Mark, SlotId, Store};
use cowrap_facts::{CallKind, Context, ContextSet, PathCondition};
use cowrap_packs::Effect;

use super::{Effects, Provenance, StoreMismatchKind};

/// How many unmarked callers make a mark suspect.
const SUSPECT_CALLERS: usize = 5;

/// How many unmarked callers make a mark suspect that certainly does no harm anywhere, when they are at least half of all.
const HARMLESS_SUSPECT_CALLERS: usize = 2;

/// The unmarked callers of a suspect that may suspend are at least one in this many of all its callers.
const SUSPECT_SHARE: usize = 4;

/// A call in a context that its callee does not allow, or that should call something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The body that the call is in.
    pub body: BodyId,
    /// Whose body that is.
    pub caller: FunctionId,
    /// Where the call is.
    pub location: Location,
    /// What is called.
    pub callee: Callee,
    /// In what way.
    pub kind: ViolationKind,
    /// The contexts in which control can be at the call.
    pub contexts: ContextSet,
    /// Whether the violation needs a condition on a boolean parameter to hold, which the callers decide.
    pub conditional: bool,
}

/// What is called: a function by its name, or whatever a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Callee {
    /// A function.
    Function(FunctionId),
    /// A slot.
    Slot(SlotId),
}

impl Callee {
    /// The function, unless it is a slot.
    pub fn function(self) -> Option<FunctionId> {
        match self {
            Callee::Function(function) => Some(function),
            Callee::Slot(_) => None,
        }
    }
}

/// In what way a call is in violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ViolationKind {
    /// Something coroutine only, where control can be outside.
    CoroutineCall,
    /// Something non-coroutine only, where control is or can be inside.
    BlockingCall,
    /// A wrapper, where control is inside and its target could be called.
    MixedCall,
    /// Something coroutine only in a region, where nothing can suspend.
    RegionCall,
}

/// A function whose mark explains many breaches better than its callers do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The function.
    pub function: FunctionId,
    /// Its mark.
    pub mark: Mark,
    /// Whether it certainly never suspends.
    pub never_suspends: bool,
    /// A declaration of it that bears no mark.
    pub unmarked_declaration: Option<Location>,
    /// How many functions without a mark call it where that is in violation.
    pub unmarked_callers: usize,
    /// How many functions with a mark call it.
    pub marked_callers: usize,
    /// The calls in violation that its mark explains, sorted by location; they are not reported on their own.
    pub calls: Vec<Violation>,
}

/// What is known of the contexts in which a function is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callers {
    /// Calls in known coroutine context.
    pub coroutine: Vec<(CallSite, FunctionId)>,
    /// Calls in known non-coroutine context.
    pub outside: Vec<(CallSite, FunctionId)>,
    /// Unguarded calls from functions that run in either.
    pub mixed: Vec<(CallSite, FunctionId)>,
    /// Calls from functions of which nothing is known.
    pub unmarked: Vec<(CallSite, FunctionId)>,
    /// Places where its address is taken, with what the slot's marks say.
    pub stores: Vec<(Store, Option<Effect>)>,
    /// The contexts in which it may be entered, over all callers in turn and through slots; both where not all of them
    /// are known.
    pub possible: ContextSet,
}

impl Callers {
    /// Whether it is certain that it is only called in these contexts, and that it is called at all.
    pub fn are_all(&self, contexts: ContextSet) -> bool {
        self.possible == contexts
    }

    /// The contexts in which it is known to be called.
    pub fn known(&self) -> ContextSet {
        let stored = |effect| self.stores.iter().any(|(_, stored)| *stored == Some(effect));
        let mut known = ContextSet::EMPTY;
        if !self.coroutine.is_empty() || stored(Effect::CoroutineOnly) {
            known = known.or(ContextSet::COROUTINE);
        }
        if !self.outside.is_empty() || stored(Effect::NonCoroutineOnly) {
            known = known.or(ContextSet::NON_COROUTINE);
        }
        if !self.mixed.is_empty() || stored(Effect::Mixed) {
            known = ContextSet::BOTH;
        }
        known
    }
}

impl Effects<'_> {
    /// What is known of the contexts in which a function is called.
    pub fn callers(&self, function: FunctionId) -> Callers {
        let possible = self.entry_contexts().possible.contexts(self.program, function);
        let mut callers = Callers { possible, ..Callers::default() };
        for (site, caller) in self.program.calls_of(function) {
            let call = self.program.call(site);
            if !call.kind.is_in_place() || caller == function {
                continue;
            }
            let contexts = self.possible_at(site.body, call.condition).and(self.start(caller));
            let unmarked = self.requirement(caller).effect.is_none();
            let list = match contexts {
                ContextSet::COROUTINE => &mut callers.coroutine,
                ContextSet::NON_COROUTINE => &mut callers.outside,
                // Its own callers may be known, though not all of them.
                ContextSet::BOTH if unmarked => match self.known_contexts(site.body, call.condition) {
                    ContextSet::BOTH => &mut callers.mixed,
                    ContextSet::NON_COROUTINE => &mut callers.outside,
                    _ => &mut callers.unmarked,
                },
                ContextSet::BOTH => &mut callers.mixed,
                _ => continue,
            };
            list.push((site, caller));
        }
        for store in self.program.stores_of(function) {
            callers.stores.push((*store, self.store_requirement(store)));
        }
        callers
    }
}

/// For each function, the contexts in which its body starts, where also a slot says so.
pub(super) fn inferred_starts(effects: &Effects<'_>) -> Vec<ContextSet> {
    let program = effects.program;
    let mut starts: Vec<ContextSet> = program.function_ids().map(|function| effects.start(function)).collect();
    for store in &program.stores {
        if effects.store_requirement(store) == Some(Effect::CoroutineOnly)
            && effects.requirement(store.function).provenance == Provenance::Unmarked
            && effects.entry_contexts().possible.contexts(program, store.function) == ContextSet::COROUTINE
        {
            starts[store.function.0 as usize] = ContextSet::COROUTINE;
        }
    }
    starts
}

/// Judges every call of the program.
pub(super) fn violations(effects: &Effects<'_>) -> Vec<Violation> {
    // What all bodies need is made once, before them: its own threads must not wait for these.
    effects.entry_contexts();
    let bodies = (0..effects.program.bodies.len() as u32).into_par_iter().map(BodyId);
    bodies.flat_map_iter(|body| violations_of(effects, body)).collect()
}

/// Judges the calls of a body. A model says what a function does, whatever its body says: one that may run in either context is
/// not looked into.
fn violations_of(effects: &Effects<'_>, id: BodyId) -> Vec<Violation> {
    let body = effects.program.body(id);
    let caller = body.function;
    let mut found = Vec::new();
    let requirement = effects.requirement(caller);
    let is_believed =
        matches!(requirement.provenance, Provenance::Modelled(_)) && requirement.effect == Some(Effect::Mixed);
    if effects.start(caller).is_empty() || is_believed {
        return found;
    }
    let contexts_of = |kind: ViolationKind, condition: PathCondition| {
        let start = match kind {
            ViolationKind::BlockingCall => effects.inferred_start(caller),
            ViolationKind::CoroutineCall | ViolationKind::MixedCall | ViolationKind::RegionCall => {
                effects.start(caller)
            }
        };
        start.and(effects.possible_at(id, condition))
    };
    for call in &body.calls {
        let Some(effect) = effects.effect(call.callee) else { continue };
        let Some((kind, conditional)) = violation_kind(effects, id, effect, call.kind, call.condition) else {
            continue;
        };
        if kind == ViolationKind::MixedCall && effects.direct_target(call.callee).is_none() {
            continue;
        }
        let (location, callee) = (call.location, Callee::Function(call.callee));
        let contexts = contexts_of(kind, call.condition);
        found.push(Violation { body: id, caller, location, callee, kind, contexts, conditional });
    }
    for call in &body.slot_calls {
        let Some(slot) = call.slot else { continue };
        let Some((effect, _)) = effects.slot_requirement(slot) else { continue };
        let Some((kind, conditional)) = violation_kind(effects, id, effect, call.kind, call.condition) else {
            continue;
        };
        // Nobody knows the target of what a slot holds.
        if kind == ViolationKind::MixedCall {
            continue;
        }
        let (location, callee) = (call.location, Callee::Slot(slot));
        let contexts = contexts_of(kind, call.condition);
        found.push(Violation { body: id, caller, location, callee, kind, contexts, conditional });
    }
    found
}

/// In what way a call is in violation, in a body, of something with this effect; and whether that depends on a condition on
/// a boolean parameter of which no caller is known to make it true.
fn violation_kind(
    effects: &Effects<'_>,
    body: BodyId,
    effect: Effect,
    call: CallKind,
    condition: PathCondition,
) -> Option<(ViolationKind, bool)> {
    match call {
        CallKind::Written | CallKind::Cleanup => {}
        // Nothing can suspend there, and everything may block.
        CallKind::Region if effect == Effect::CoroutineOnly && !condition.contexts().is_empty() => {
            return Some((ViolationKind::RegionCall, false));
        }
        CallKind::Region | CallKind::Unresolved => return None,
    }
    let caller = effects.program.body(body).function;
    let possible = effects.possible_at(body, condition);
    let contexts = effects.start(caller).and(possible);
    let marked_either = effects.requirement(caller).effect == Some(Effect::Mixed);
    match effect {
        // Nobody can mark what a generator wrote; it is enough that it runs in a coroutine.
        Effect::CoroutineOnly
            if contexts.contains(Context::NonCoroutine)
                && effects.inferred_start(caller) == ContextSet::COROUTINE
                && effects.is_generated(effects.program.body(body).location) =>
        {
            None
        }
        Effect::CoroutineOnly if contexts.contains(Context::NonCoroutine) => {
            let conditional =
                contexts == ContextSet::BOTH && effects.is_conditional(body, Context::NonCoroutine, condition);
            Some((ViolationKind::CoroutineCall, conditional))
        }
        Effect::NonCoroutineOnly
            if effects.inferred_start(caller).and(possible) == ContextSet::COROUTINE
                || (contexts == ContextSet::BOTH && marked_either) =>
        {
            Some((ViolationKind::BlockingCall, false))
        }
        Effect::Mixed if contexts == ContextSet::COROUTINE => Some((ViolationKind::MixedCall, false)),
        _ => None,
    }
}

impl Effects<'_> {
    /// The contexts in which a point is reached with values of the body's flags that some caller can pass.
    pub(super) fn possible_at(&self, body: BodyId, condition: PathCondition) -> ContextSet {
        let possible = |context: &Context| {
            let entered = self.entry_contexts().possible.values(*context, body);
            let reached = condition.values(*context);
            // In a context in which nobody enters the body, nothing is known of what they would pass.
            reached != 0 && (entered == 0 || reached & entered != 0)
        };
        Context::ALL.into_iter().filter(possible).collect()
    }

    /// The contexts in which a point is reached from a marked function, along calls by name.
    fn known_contexts(&self, body: BodyId, condition: PathCondition) -> ContextSet {
        let known =
            |context: &Context| condition.values(*context) & self.entry_contexts().certain.values(*context, body) != 0;
        Context::ALL.into_iter().filter(known).collect()
    }

    /// Whether a point is only reached, in a context, under a condition on what callers pass, and no caller is known to
    /// pass it.
    pub(super) fn is_conditional(&self, body: BodyId, context: Context, condition: PathCondition) -> bool {
        let possible = self.entry_contexts().possible.values(context, body);
        let reached = condition.values(context) & possible;
        reached != possible && reached & self.entry_contexts().certain.values(context, body) == 0
    }
}

/// Finds the marks that are more likely wrong than the calls that they put in violation.
///
/// One wrong mark must not drown what is right: a function that many call without a mark of their own, and
/// that never suspends or bears its mark on one side only, is reported at its mark and not at its callers.
pub(super) fn suspects(effects: &Effects<'_>) -> Vec<Suspect> {
    let mut by_callee: BTreeMap<FunctionId, Vec<&Violation>> = BTreeMap::new();
    for violation in effects.violations().iter().filter(|violation| violation.kind == ViolationKind::CoroutineCall) {
        if let Callee::Function(function) = violation.callee {
            by_callee.entry(function).or_default().push(violation);
        }
    }
    let mut found = Vec::new();
    for (function, violations) in by_callee {
        let Provenance::Marked(mark) = effects.requirement(function).provenance else { continue };
        let unmarked: BTreeSet<FunctionId> = violations
            .iter()
            .map(|violation| violation.caller)
            .filter(|caller| effects.requirement(*caller).effect.is_none())
            .collect();
        let resolved = |site: &CallSite| effects.program.call(*site).kind != CallKind::Unresolved;
        let callers: BTreeSet<FunctionId> = effects
            .program
            .calls_of(function)
            .into_iter()
            .filter(|(site, _)| resolved(site))
            .map(|(_, caller)| caller)
            .collect();
        // What never suspends is as harmless when others of its callers have got marks for their own reasons; of the mark on
        // one side only, the share says whom to believe.
        let never_suspends = !effects.may_suspend(function);
        let share = |part: usize| unmarked.len() * part >= callers.len();
        let is_suspect = match unmarked.len() {
            SUSPECT_CALLERS.. => never_suspends || share(SUSPECT_SHARE),
            HARMLESS_SUSPECT_CALLERS.. => never_suspends && share(2),
            _ => false,
        };
        if !is_suspect {
            continue;
        }
        let unmarked_declaration = effects.unmarked_declaration(function);
        if !never_suspends && unmarked_declaration.is_none() {
            continue;
        }
        // A function that never suspends does no harm anywhere. Of one that may, only the calls by functions
        // without a mark are explained by its mark: to call it outside of coroutines stays an error.
        let explained = |violation: &&&Violation| {
            never_suspends || (violation.contexts == ContextSet::BOTH && unmarked.contains(&violation.caller))
        };
        let mut calls: Vec<Violation> = violations.iter().filter(explained).map(|violation| **violation).collect();
        calls.sort_by_key(|violation| (violation.location, violation.body));
        found.push(Suspect {
            function,
            mark,
            never_suspends,
            unmarked_declaration,
            unmarked_callers: unmarked.len(),
            marked_callers: callers.iter().filter(|caller| effects.is_marked(**caller)).count(),
            calls,
        });
    }
    found
}

/// How it comes that a coroutine only function may run outside of coroutines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispute {
    /// Somebody calls it there, or stores it where nothing is said: its own mark may be the wrong one.
    Direct,
    /// A function calls it of which that is so.
    Inherited,
}

/// Finds the coroutine only functions that may run outside of coroutines, against their marks.
pub(super) fn disputes(effects: &Effects<'_>) -> Vec<Option<Dispute>> {
    let program = effects.program;
    let outside = effects.violations().iter().filter(|violation| violation.kind == ViolationKind::CoroutineCall);
    let mut open: Vec<FunctionId> = outside
        .flat_map(|violation| match violation.callee {
            Callee::Function(function) => vec![function],
            Callee::Slot(slot) => effects.points_to.candidates(slot).to_vec(),
        })
        .collect();
    let loses_mark = effects.store_mismatches().iter().filter(|mismatch| mismatch.kind == StoreMismatchKind::LosesMark);
    open.extend(loses_mark.map(|mismatch| mismatch.store.function));
    let mut disputes = vec![None; program.functions.len()];
    open.iter().for_each(|function| disputes[function.0 as usize] = Some(Dispute::Direct));
    let mut known = vec![false; program.functions.len()];
    while let Some(function) = open.pop() {
        if std::mem::replace(&mut known[function.0 as usize], true) {
            continue;
        }
        disputes[function.0 as usize].get_or_insert(Dispute::Inherited);
        for body in &program.function(function).bodies {
            let body = program.body(*body);
            open.extend(body.calls.iter().filter(|call| call.kind.is_in_place()).map(|call| call.callee));
            let slots = body.slot_calls.iter().filter_map(|call| call.slot);
            open.extend(slots.flat_map(|slot| effects.points_to.candidates(slot)));
        }
    }
    disputes
}

impl Effects<'_> {
    /// A declaration without a context mark of a function that bears one on another declaration. Definitions
    /// in generated files need none.
    pub fn unmarked_declaration(&self, function: FunctionId) -> Option<Location> {
        let declarations = &self.program.function(function).declarations;
        if !declarations.iter().any(|declaration| self.bears_context_mark(declaration)) {
            return None;
        }
        declarations
            .iter()
            .filter(|declaration| !(declaration.definition && self.is_generated(declaration.location)))
            .find(|declaration| !self.bears_context_mark(declaration))
            .map(|declaration| declaration.location)
    }

    /// All declarations of a function without a context mark, but for those in generated files where there are others.
    pub fn unmarked_declarations(&self, function: FunctionId) -> Vec<Location> {
        let declarations = self.program.function(function).declarations.iter();
        let unmarked = declarations.filter(|declaration| !self.bears_context_mark(declaration));
        let (generated, written): (Vec<Location>, Vec<Location>) =
            unmarked.map(|declaration| declaration.location).partition(|location| self.is_generated(*location));
        if written.is_empty() { generated } else { written }
    }

    fn bears_context_mark(&self, declaration: &Declaration) -> bool {
        declaration.marks.iter().any(|mark| self.pack.mark(mark.mark).effect.is_some())
    }
}
