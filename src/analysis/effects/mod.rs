//! What each function requires of its caller's context, and which calls violate that.
//!
//! This module must never know the names of any code base (the pack has them), nor rules or findings: it answers
//! questions about the program, and rules turn the answers into findings.

mod calls;
mod names;
mod requirements;
mod marks;
mod slots;
mod entries;
mod threads;
mod polling;
mod entry_contexts;
mod violations;
mod callers;
mod arrivals;
mod crashes;
mod pointers;
mod suspects;
mod disputes;
mod call_chains;
mod primitives;
mod lockset;
mod mark_closure;
mod wrappers;
mod generation;
mod pack_usage;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rustc_hash::FxHashSet;

use crate::program::{FunctionId, IndexVec, Location, PointsTo, Program, SlotId};
use cowrap_base::files::Tree;
use cowrap_facts::ContextSet;
use cowrap_packs::{Effect, Pack};

pub use arrivals::Arrival;
pub use call_chains::{Ambiguity, CallChain, Goal, Search, Step};
pub use callers::{CallThrough, Callers};
pub use disputes::Dispute;
pub use entries::Installation;
pub use entry_contexts::{EntryContexts, EntryStates};
pub use generation::{Difference, Generation, StaleFile};
pub use lockset::LockAcrossPrimitive;
pub use mark_closure::{MAX_REQUIRED_MARKS, MarkClosure, RequiredMark};
pub use names::functions_named;
pub use pointers::changed_through_pointers;
pub use polling::PollingThread;
pub use primitives::PrimitiveCause;
pub use requirements::{Provenance, Requirement};
pub use slots::{Resolution, SlotProvenance, SlotRequirement, StoreMismatch, StoreMismatchKind, StoredValue};
pub use suspects::Suspect;
pub use threads::Thread;
pub use violations::{Callee, Violation, ViolationKind};
pub use wrappers::DeclaredWrapper;

/// The requirements of all functions, and what follows from them.
///
/// What most runs need is computed when this is built, everything else on first use. A thread that waits for the first
/// use by another one takes up no other work, so that what is computed on first use must not wait for other threads:
/// [`Effects::prepare`] computes what does.
#[derive(Debug)]
pub struct Effects<'a> {
    /// The program.
    pub program: &'a Program,
    /// The pack.
    pub pack: &'a Pack,
    /// The tree, for paths.
    pub tree: &'a Tree,
    /// The inputs and outputs of the wrapper generator. Empty until the caller sets it.
    pub generation: Generation,
    /// The points-to sets of all slots.
    pub points_to: Arc<PointsTo>,
    /// The calls of all bodies.
    calls: calls::Calls,
    /// The functions with external linkage that a unit names whose facts the program lacks.
    named_elsewhere: FxHashSet<FunctionId>,
    threads: threads::Threads,
    requirements: IndexVec<FunctionId, Requirement>,
    /// The effects alone. Every call needs one, and these fit into the processor's cache.
    required_effects: IndexVec<FunctionId, Option<Effect>>,
    slot_requirements: IndexVec<SlotId, Option<SlotRequirement>>,
    installed: entries::Installed,
    starts: IndexVec<FunctionId, ContextSet>,
    slot_contexts: IndexVec<FunctionId, ContextSet>,
    /// The functions with a body that asserts its context. They are few.
    asserting: FxHashSet<FunctionId>,
    /// The positions of the pack's models, by the names of their functions.
    models: names::NameMap<'a, usize>,
    listed: names::ListedFunctions,
    /// The names of the functions whose requirement a model decides.
    modelled: HashSet<&'a str>,
    /// The caller and callee of each of the pack's cuts.
    cuts: HashSet<(FunctionId, FunctionId)>,
    entry_contexts: OnceLock<EntryContexts>,
    may_reach_primitive: OnceLock<IndexVec<FunctionId, bool>>,
    inferred_starts: OnceLock<IndexVec<FunctionId, ContextSet>>,
    traversable: OnceLock<IndexVec<FunctionId, bool>>,
    violations: OnceLock<Vec<Violation>>,
    suspects: OnceLock<Vec<Suspect>>,
    store_mismatches: OnceLock<Vec<StoreMismatch>>,
    /// The slots whose mark is written at one location: that of a typedef.
    shared_declarations: OnceLock<HashMap<Location, Vec<SlotId>>>,
    disputes: OnceLock<IndexVec<FunctionId, Option<Dispute>>>,
}

impl<'a> Effects<'a> {
    /// Decides what every function requires.
    pub fn new(program: &'a Program, pack: &'a Pack, tree: &'a Tree) -> Self {
        Self::with_points_to(program, pack, tree, Arc::new(PointsTo::new(program)))
    }

    /// The same with points-to sets that are known already. They are the same for all readings of a program.
    pub fn with_points_to(program: &'a Program, pack: &'a Pack, tree: &'a Tree, points_to: Arc<PointsTo>) -> Self {
        let calls = calls::Calls::new(program);
        let asserting = calls.bodies().filter(|(_, body)| body.has_assertion);
        let mut effects = Effects {
            program,
            pack,
            tree,
            generation: Generation::default(),
            points_to,
            named_elsewhere: FxHashSet::default(),
            threads: threads::Threads::default(),
            requirements: IndexVec::default(),
            required_effects: IndexVec::default(),
            slot_requirements: IndexVec::default(),
            installed: entries::Installed::default(),
            starts: IndexVec::default(),
            slot_contexts: IndexVec::default(),
            asserting: asserting.map(|(_, body)| body.function).collect(),
            calls,
            models: pack_usage::models(pack),
            listed: names::ListedFunctions::new(program, pack),
            modelled: HashSet::new(),
            cuts: pack_usage::cuts(program, pack),
            entry_contexts: OnceLock::new(),
            may_reach_primitive: OnceLock::new(),
            inferred_starts: OnceLock::new(),
            traversable: OnceLock::new(),
            violations: OnceLock::new(),
            suspects: OnceLock::new(),
            store_mismatches: OnceLock::new(),
            shared_declarations: OnceLock::new(),
            disputes: OnceLock::new(),
        };
        effects.threads = threads::Threads::new(&effects);
        effects.slot_requirements = effects.decide_slots();
        effects.installed = entries::Installed::new(&effects);
        let functions = || (0..program.functions.len() as u32).into_par_iter().map(FunctionId);
        let requirements: Vec<Requirement> = functions().map(|function| effects.decide(function)).collect();
        effects.requirements = requirements.into();
        effects.required_effects = effects.requirements.iter().map(|requirement| requirement.effect).collect();
        effects.modelled = effects.functions_with_models();
        let starts: Vec<ContextSet> = functions().map(|function| effects.decide_start(function)).collect();
        effects.starts = starts.into();
        let contexts: Vec<ContextSet> = functions().map(|function| effects.decide_slot_contexts(function)).collect();
        effects.slot_contexts = contexts.into();
        effects
    }

    /// Computes what most rules ask for and what takes long, with all threads. This must come before several threads
    /// ask questions at the same time.
    pub fn prepare(&self) {
        rayon::join(|| self.entry_contexts(), || self.primitives());
        rayon::join(|| self.violations(), || self.traversable());
    }

    /// What a function requires, and why.
    pub fn requirement(&self, function: FunctionId) -> Requirement {
        self.requirements[function]
    }

    /// What a function requires.
    pub fn effect(&self, function: FunctionId) -> Option<Effect> {
        self.required_effects[function]
    }

    /// The contexts in which a function's body starts.
    pub fn start(&self, function: FunctionId) -> ContextSet {
        self.starts[function]
    }

    /// Whether the pack lists a function as one that needs the inside context itself.
    pub fn is_primitive(&self, function: FunctionId) -> bool {
        self.listed.primitives.contains(&function)
    }

    /// Whether the pack lists a function as one that creates the inside context.
    pub fn is_creator(&self, function: FunctionId) -> bool {
        self.listed.creators.contains(&function)
    }

    /// Whether the pack lists a function as one that runs the event loop.
    pub fn is_polling(&self, function: FunctionId) -> bool {
        self.listed.polling.contains(&function)
    }

    /// The contexts in which a function's body starts, also as inferred from slots: an unmarked function starts inside
    /// if it is stored into something inside-only and is entered in no other way.
    pub fn inferred_start(&self, function: FunctionId) -> ContextSet {
        self.inferred_starts.get_or_init(|| violations::inferred_starts(self))[function]
    }

    /// The contexts in which a function's body certainly starts, if it is entered at all. An entry certainly starts
    /// inside, wherever else it may run.
    fn certain_start(&self, function: FunctionId) -> ContextSet {
        if self.is_entry(function) { ContextSet::INSIDE } else { self.inferred_start(function) }
    }

    /// The contexts in which slots may call a function, by the flags that the pack pairs with the slots.
    fn slot_contexts(&self, function: FunctionId) -> ContextSet {
        self.slot_contexts[function]
    }

    /// The contexts and constants with which control enters each body.
    pub fn entry_contexts(&self) -> &EntryContexts {
        self.entry_contexts.get_or_init(|| entry_contexts::entry_contexts(self))
    }

    /// Whether a function may reach a primitive. `false` only if it certainly does not.
    pub fn may_reach_primitive(&self, function: FunctionId) -> bool {
        self.primitives()[function]
    }

    fn primitives(&self) -> &IndexVec<FunctionId, bool> {
        self.may_reach_primitive.get_or_init(|| primitives::may_reach_primitive(self))
    }

    /// Every call that violates a requirement of its callee, sorted by body and position.
    pub fn violations(&self) -> &[Violation] {
        self.violations.get_or_init(|| violations::violations(self))
    }

    /// Every function, and every value of another slot, that does not fit the slot that it is stored into, sorted by
    /// slot and location. Stores into places that cannot be followed are not among them.
    pub fn store_mismatches(&self) -> &[StoreMismatch] {
        self.store_mismatches.get_or_init(|| slots::store_mismatches(self))
    }

    /// The functions whose mark is more likely wrong than their callers, sorted.
    pub fn suspects(&self) -> &[Suspect] {
        self.suspects.get_or_init(|| suspects::suspects(self))
    }

    /// Whether an inside-only function may run outside all the same. If so, its mark does not
    /// justify a change of its body.
    pub fn dispute(&self, function: FunctionId) -> Option<Dispute> {
        self.disputes.get_or_init(|| disputes::disputes(self))[function]
    }

    /// Whether a call chain may continue through a function: it requires nothing, no slot determines where it starts,
    /// and its body is what runs. What a body calls before the program certainly ends is no part of chains
    /// ([`Call::ends`](crate::program::Call::ends)).
    fn is_traversable(&self, function: FunctionId) -> bool {
        self.traversable()[function]
    }

    fn traversable(&self) -> &IndexVec<FunctionId, bool> {
        self.traversable.get_or_init(|| call_chains::traversable(self))
    }
}
