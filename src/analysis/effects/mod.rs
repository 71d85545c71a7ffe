//! What each function demands of its caller, and what follows from it for each call.
//!
//! It must never know any code base's own names, which are in the pack, nor rules or findings.

mod calls;
mod call_chains;
mod generation;
mod lockset;
mod mark_closure;
mod slots;
mod suspension;
mod entry_contexts;
mod wrappers;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rustc_hash::FxHashSet;

use crate::program::{FunctionId, Location, Mark, PointsTo, Program, SlotId};
use cowrap_base::files::Tree;
use cowrap_facts::{Context, ContextSet, MarkId};
use cowrap_packs::{Cut, Effect, LockMode, MarkSpec, Pack};

pub use call_chains::{Ambiguity, CallChain, Goal, Search, Step};
pub use calls::{Callee, Callers, Dispute, Suspect, Violation, ViolationKind};
pub use entry_contexts::{EntryContexts, EntryStates};
pub use generation::{Difference, Generation, StaleFile};
pub use lockset::LockAcrossYield;
pub use mark_closure::{MAX_REQUIRED_MARKS, MarkClosure, RequiredMark};
pub use slots::{StoreMismatch, StoreMismatchKind};
pub use suspension::SuspensionCause;
pub use wrappers::DeclaredWrapper;

/// What a function demands of its caller, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// What it demands; none for a function that nothing is known of.
    pub effect: Option<Effect>,
    /// How that is known.
    pub provenance: Provenance,
}

/// How a demand is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// It is not: the function bears no mark.
    Unmarked,
    /// By a mark.
    Marked(Mark),
    /// By an assertion that every path passes.
    Inferred(Location),
    /// By a model of the pack, at this position.
    Modelled(usize),
    /// Two marks contradict each other. Nothing is demanded, and nothing inside is judged.
    Contradictory(Mark, Mark),
}

/// The effects of all functions, and the calls that violation them.
#[derive(Debug)]
pub struct Effects<'a> {
    /// The program.
    pub program: &'a Program,
    /// The pack.
    pub pack: &'a Pack,
    /// The tree, for paths.
    pub tree: &'a Tree,
    /// What is known of generating wrappers; nothing, until somebody adds it.
    pub generation: Generation,
    /// What each slot may hold.
    pub points_to: PointsTo,
    requirements: Vec<Requirement>,
    /// The effects of the demands alone: every call asks for one, and these fit into a cache.
    required_effects: Vec<Option<Effect>>,
    slot_requirements: Vec<Option<(Effect, Mark)>>,
    starts: Vec<ContextSet>,
    /// For each function, the contexts in which slots that hold it may call it.
    slot_contexts: Vec<ContextSet>,
    /// The functions of which some body asserts its context; they are few.
    asserting: FxHashSet<FunctionId>,
    /// The pack's models, by the names of their functions.
    models: HashMap<&'a str, usize>,
    /// What not every question needs is computed when it is asked for.
    entry_contexts: OnceLock<EntryContexts>,
    may_suspend: OnceLock<Vec<bool>>,
    inferred_starts: OnceLock<Vec<ContextSet>>,
    traversable: OnceLock<Vec<bool>>,
    violations: OnceLock<Vec<Violation>>,
    suspects: OnceLock<Vec<Suspect>>,
    store_mismatches: OnceLock<Vec<StoreMismatch>>,
    disputes: OnceLock<Vec<Option<Dispute>>>,
    used_models: HashSet<String>,
    /// The pack's cuts: caller and callee.
    cuts: HashSet<(FunctionId, FunctionId)>,
}

impl<'a> Effects<'a> {
    /// Decides what every function demands.
    pub fn new(program: &'a Program, pack: &'a Pack, tree: &'a Tree) -> Self {
        let mut models = HashMap::new();
        for (number, model) in pack.models.iter().enumerate() {
            for name in &model.functions {
                // A pack that extends another one has the last word.
                models.insert(name.as_str(), number);
            }
        }
        let asserting = program.bodies.iter().filter(|body| body.assertion.is_some());
        let mut effects = Effects {
            program,
            pack,
            tree,
            generation: Generation::default(),
            points_to: PointsTo::new(program),
            requirements: Vec::new(),
            required_effects: Vec::new(),
            slot_requirements: Vec::new(),
            starts: Vec::new(),
            slot_contexts: Vec::new(),
            asserting: asserting.map(|body| body.function).collect(),
            models,
            entry_contexts: OnceLock::new(),
            may_suspend: OnceLock::new(),
            inferred_starts: OnceLock::new(),
            traversable: OnceLock::new(),
            violations: OnceLock::new(),
            suspects: OnceLock::new(),
            store_mismatches: OnceLock::new(),
            disputes: OnceLock::new(),
            used_models: HashSet::new(),
            cuts: HashSet::new(),
        };
        let functions = || (0..program.functions.len() as u32).into_par_iter().map(FunctionId);
        effects.requirements = functions().map(|function| effects.decide(function)).collect();
        effects.required_effects = effects.requirements.iter().map(|requirement| requirement.effect).collect();
        let slots = (0..program.slots.len() as u32).map(SlotId);
        effects.slot_requirements = slots.map(|slot| effects.decide_slot(slot)).collect();
        for (position, function) in program.functions.iter().enumerate() {
            if matches!(effects.requirements[position].provenance, Provenance::Modelled(_)) {
                effects.used_models.insert(function.name.clone());
            }
        }
        for cut in &pack.cuts {
            let callees = || program.named(&cut.callee);
            effects
                .cuts
                .extend(program.named(&cut.caller).flat_map(|caller| callees().map(move |callee| (caller, callee))));
        }
        effects.starts = functions().map(|function| effects.decide_start(function)).collect();
        effects.slot_contexts = functions().map(|function| effects.decide_slot_contexts(function)).collect();
        effects
    }

    /// What a function demands.
    pub fn requirement(&self, function: FunctionId) -> Requirement {
        self.requirements[function.0 as usize]
    }

    /// What a function demands, without how that is known.
    pub fn effect(&self, function: FunctionId) -> Option<Effect> {
        self.required_effects[function.0 as usize]
    }

    /// The contexts in which a function's body starts.
    pub fn start(&self, function: FunctionId) -> ContextSet {
        self.starts[function.0 as usize]
    }

    /// The contexts in which slots that hold a function may call it: flags beside them can say so.
    fn slot_contexts(&self, function: FunctionId) -> ContextSet {
        self.slot_contexts[function.0 as usize]
    }

    fn decide_start(&self, function: FunctionId) -> ContextSet {
        let requirement = self.requirement(function);
        if self.pack.trampolines.contains(&self.program.function(function).name) {
            return ContextSet::EMPTY;
        }
        match (requirement.provenance, requirement.effect) {
            (Provenance::Contradictory(..), _) => ContextSet::EMPTY,
            (_, Some(Effect::CoroutineOnly)) => ContextSet::COROUTINE,
            (_, Some(Effect::NonCoroutineOnly)) => ContextSet::NON_COROUTINE,
            (_, Some(Effect::Mixed) | None) => ContextSet::BOTH,
        }
    }

    /// In which worlds each body is entered.
    pub fn entry_contexts(&self) -> &EntryContexts {
        self.entry_contexts.get_or_init(|| entry_contexts::entry_contexts(self))
    }

    /// Whether a function may suspend the coroutine it runs in. `false` only when that is certain.
    pub fn may_suspend(&self, function: FunctionId) -> bool {
        self.may_suspend.get_or_init(|| suspension::may_suspend(self))[function.0 as usize]
    }

    /// Every call that breaches what its callee demands, sorted by body and position.
    pub fn violations(&self) -> &[Violation] {
        self.violations.get_or_init(|| calls::violations(self))
    }

    /// The contexts in which a function's body starts, where also a slot says so: a function without a mark that is stored
    /// into something coroutine only, and that is entered in no other way.
    pub fn inferred_start(&self, function: FunctionId) -> ContextSet {
        self.inferred_starts.get_or_init(|| calls::inferred_starts(self))[function.0 as usize]
    }

    /// Whether a chain of calls may go on through a function: it demands nothing, no slot says where it starts, and its
    /// body is what runs. Where a function never returns, the program ends, and it does not matter whether it waits before.
    fn is_traversable(&self, function: FunctionId) -> bool {
        self.traversable.get_or_init(|| call_chains::traversable(self))[function.0 as usize]
    }

    /// Every function that does not fit into the slot that it is stored into, by slot and location.
    ///
    /// What is stored into something that is not known as a slot is not judged.
    pub fn store_mismatches(&self) -> &[StoreMismatch] {
        self.store_mismatches.get_or_init(|| slots::store_mismatches(self))
    }

    /// The functions whose mark is more likely wrong than their callers, sorted.
    pub fn suspects(&self) -> &[Suspect] {
        self.suspects.get_or_init(|| calls::suspects(self))
    }

    /// Whether a coroutine only function may run outside of coroutines all the same. Then its mark is no ground for changing what
    /// it does.
    pub fn dispute(&self, function: FunctionId) -> Option<Dispute> {
        self.disputes.get_or_init(|| calls::disputes(self))[function.0 as usize]
    }

    /// The functions of the pack's models that the program does not have.
    pub fn unused_models(&self) -> Vec<&str> {
        let names = self.pack.models.iter().flat_map(|model| &model.functions);
        names.map(String::as_str).filter(|name| !self.used_models.contains(*name)).collect()
    }

    /// Whether the pack says that a call does no harm.
    fn is_cut(&self, caller: FunctionId, callee: FunctionId) -> bool {
        !self.cuts.is_empty() && self.cuts.contains(&(caller, callee))
    }

    /// Whether the pack says so of any call of a function.
    fn is_ever_cut(&self, callee: FunctionId) -> bool {
        self.cuts.iter().any(|(_, cut)| *cut == callee)
    }

    /// The pack's cuts of calls that the program does not have.
    pub fn unused_cuts(&self) -> Vec<&'a Cut> {
        let calls = |caller: FunctionId, callee: FunctionId| {
            let by_name = self.program.sites_of(callee).any(|(_, from)| from == caller);
            let slots = self.points_to.slots(callee);
            let bodies = self.program.function(caller).bodies.iter().map(|body| self.program.body(*body));
            let through = || bodies.flat_map(|body| &body.slot_calls).filter_map(|call| call.slot);
            by_name || through().any(|slot| slots.contains(&slot))
        };
        let is_used = |cut: &&Cut| {
            let callers = self.program.named(&cut.caller);
            callers
                .flat_map(|caller| self.program.named(&cut.callee).map(move |callee| (caller, callee)))
                .any(|(caller, callee)| calls(caller, callee))
        };
        self.pack.cuts.iter().filter(|cut| !is_used(cut)).collect()
    }

    /// The marks of a function that demand a context, over all its declarations: those of prototypes before
    /// those of definitions, as a reader meets them, and by location among themselves.
    pub fn context_marks(&self, function: FunctionId) -> Vec<(Mark, Effect)> {
        let declarations = &self.program.function(function).declarations;
        let mut marks: Vec<(bool, Mark, Effect)> = declarations
            .iter()
            .flat_map(|declaration| declaration.marks.iter().map(|mark| (declaration.definition, *mark)))
            .filter_map(|(definition, mark)| Some((definition, mark, self.pack.mark(mark.mark).effect?)))
            .collect();
        marks.sort_unstable();
        marks.into_iter().map(|(_, mark, effect)| (mark, effect)).collect()
    }

    /// The function whose name says that it is what another one wraps, when there is one and it is coroutine only.
    pub fn direct_target(&self, wrapper: FunctionId) -> Option<FunctionId> {
        let name = self.pack.target_name(&self.program.function(wrapper).name)?;
        let target = self.program.by_name(&name)?;
        (self.requirement(target).effect == Some(Effect::CoroutineOnly)).then_some(target)
    }

    /// The wrapper of a coroutine only function: a function with the name for it, and with a wrapper mark.
    pub fn wrapper_of(&self, target: FunctionId) -> Option<FunctionId> {
        let name = self.pack.wrapper_name(&self.program.function(target).name)?;
        let wrapper = self.program.by_name(&name)?;
        let marked = self.context_marks(wrapper).iter().any(|(mark, _)| {
            let wraps = self.pack.mark(mark.mark).wrapper.as_ref();
            wraps.is_some_and(|wraps| wraps.calls == Effect::CoroutineOnly)
        });
        marked.then_some(wrapper)
    }

    /// Whether a tree defines the pack's first mark for an effect, as far as it is used somewhere; its name.
    pub fn usable_mark(&self, effect: Effect) -> Option<&'a str> {
        let mark = self.plain_mark(effect).filter(|mark| self.program.declares_mark(*mark))?;
        Some(&self.pack.mark(mark).name)
    }

    /// The pack's first mark for an effect that generates nothing.
    pub fn plain_mark(&self, effect: Effect) -> Option<MarkId> {
        self.find_mark(|_, mark| mark.effect == Some(effect) && mark.wrapper.is_none())
    }

    /// The pack's first mark that this program uses for wrappers of coroutine only functions that take a lock, or none; for
    /// both contexts where `mixed` asks for that. In a tree whose only wrapper mark is for both, that one serves for all.
    pub fn wrapper_mark_for(&self, mixed: bool, lock: Option<LockMode>) -> Option<&'a str> {
        let fits = |mark: &MarkSpec, effect: Effect| {
            let wraps = mark.wrapper.as_ref();
            mark.effect == Some(effect)
                && wraps.is_some_and(|wraps| wraps.calls == Effect::CoroutineOnly && wraps.lock == lock)
        };
        let find = |effect| {
            self.find_mark(|id, mark| fits(mark, effect) && self.program.declares_mark(id))
                .map(|id| self.pack.mark(id).name.as_str())
        };
        if mixed { find(Effect::Mixed) } else { find(Effect::NonCoroutineOnly).or_else(|| find(Effect::Mixed)) }
    }

    /// Where a function is declared without being defined, in a file that no generator wrote.
    pub fn prototype(&self, function: FunctionId) -> Option<Location> {
        let declarations = self.program.function(function).declarations.iter();
        let mut locations = declarations.filter(|declared| !declared.definition).map(|declared| declared.location);
        locations.find(|location| !self.is_generated(*location))
    }

    /// The names of all marks that a function bears, lock marks too; sorted.
    pub fn marks_of(&self, function: FunctionId) -> BTreeSet<&'a str> {
        let declarations = self.program.function(function).declarations.iter();
        declarations.flat_map(|declared| &declared.marks).map(|mark| self.pack.mark(mark.mark).name.as_str()).collect()
    }

    /// The pack's first mark that this program uses and that generates wrappers of functions with an effect.
    pub fn wrapper_mark(&self, calls: Effect) -> Option<MarkId> {
        let wraps = |mark: &MarkSpec| mark.wrapper.as_ref().is_some_and(|wrapper| wrapper.calls == calls);
        self.find_mark(|id, mark| wraps(mark) && self.program.declares_mark(id))
    }

    fn find_mark(&self, wanted: impl Fn(MarkId, &MarkSpec) -> bool) -> Option<MarkId> {
        let mut numbered = self.pack.marks.iter().enumerate().map(|(number, mark)| (MarkId(number as u16), mark));
        numbered.find(|(id, mark)| wanted(*id, mark)).map(|(id, _)| id)
    }

    /// Whether a location is in a file that a generator wrote.
    pub fn is_generated(&self, location: Location) -> bool {
        let path = self.program.path(location.file);
        self.tree.is_built(path) || self.pack.is_generated(self.tree.relative(path))
    }

    fn decide(&self, function: FunctionId) -> Requirement {
        let marks = self.context_marks(function);
        let coroutine = marks.iter().find(|(_, effect)| *effect == Effect::CoroutineOnly);
        let other = marks.iter().find(|(_, effect)| *effect != Effect::CoroutineOnly);
        match (coroutine, other) {
            (Some((one, _)), Some((other, _))) => {
                let order = |mark: &Mark| marks.iter().position(|(known, _)| known == mark);
                let (first, second) = if order(one) <= order(other) { (*one, *other) } else { (*other, *one) };
                return Requirement { effect: None, provenance: Provenance::Contradictory(first, second) };
            }
            (Some((mark, effect)), None) => {
                return Requirement { effect: Some(*effect), provenance: Provenance::Marked(*mark) };
            }
            (None, Some(_)) => {
                // *Either* with *non-coroutine only* is *either*.
                let weakest = marks.iter().find(|(_, effect)| *effect == Effect::Mixed).or(marks.first());
                if let Some((mark, effect)) = weakest {
                    return Requirement { effect: Some(*effect), provenance: Provenance::Marked(*mark) };
                }
            }
            (None, None) => {}
        }
        let model = self.models.get(self.program.function(function).name.as_str());
        if let Some(&model) = model {
            return Requirement {
                effect: Some(self.pack.models[model].effect),
                provenance: Provenance::Modelled(model),
            };
        }
        if let Some((context, location)) = self.asserted(function) {
            let effect = match context {
                Context::Coroutine => Effect::CoroutineOnly,
                Context::NonCoroutine => Effect::NonCoroutineOnly,
            };
            return Requirement { effect: Some(effect), provenance: Provenance::Inferred(location) };
        }
        Requirement { effect: None, provenance: Provenance::Unmarked }
    }

    /// The context that a function asserts, and where its first body that does so does. A stub or a test's
    /// double without the assertion does not take it back; one that asserts the opposite does.
    pub fn asserted(&self, function: FunctionId) -> Option<(Context, Location)> {
        if !self.asserting.contains(&function) {
            return None;
        }
        let bodies = &self.program.function(function).bodies;
        let mut asserted = bodies.iter().filter_map(|body| self.program.body(*body).assertion);
        let (first, location) = asserted.next()?;
        asserted.all(|(other, _)| other.context == first.context).then_some((first.context, location))
    }

    /// Whether a function bears a mark that demands a context.
    pub fn is_marked(&self, function: FunctionId) -> bool {
        matches!(self.requirement(function).provenance, Provenance::Marked(_))
    }
}
