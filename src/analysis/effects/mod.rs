//! What each function demands of its caller, and what follows from it for each call.
//!
//! It must never know any code base's own names, which are in the pack, nor rules or findings.

mod calls;
mod chains;
mod generation;
mod holding;
mod required;
mod slots;
mod suspension;
mod worlds;
mod wrappers;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rustc_hash::FxHashSet;

use crate::program::{Candidates, FunctionId, Location, Mark, Program, SlotId};
use cowrap_base::files::Tree;
use cowrap_facts::{Context, ContextSet, MarkId};
use cowrap_packs::{Cut, Effect, LockMode, MarkSpec, Pack};

pub use calls::{Breach, BreachKind, Callee, Callers, Contest, Suspect};
pub use chains::{Chain, Doubt, Ends, Search, Step};
pub use generation::{Difference, Generation, StaleFile};
pub use holding::HeldAcross;
pub use required::{Closure, MOST_OBLIGED, Obliged};
pub use slots::{Misfit, MisfitKind};
pub use suspension::Suspends;
pub use worlds::{Entered, Worlds};
pub use wrappers::DeclaredWrapper;

/// What a function demands of its caller, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What it demands; none for a function that nothing is known of.
    pub effect: Option<Effect>,
    /// How that is known.
    pub origin: Origin,
}

/// How a demand is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
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

/// The effects of all functions, and the calls that breach them.
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
    pub candidates: Candidates,
    demands: Vec<Demand>,
    /// The effects of the demands alone: every call asks for one, and these fit into a cache.
    wants: Vec<Option<Effect>>,
    slot_demands: Vec<Option<(Effect, Mark)>>,
    starts: Vec<ContextSet>,
    /// For each function, the contexts in which slots that hold it may call it.
    held_for: Vec<ContextSet>,
    /// The functions of which some body asserts its context; they are few.
    asserting: FxHashSet<FunctionId>,
    /// The pack's models, by the names of their functions.
    models: HashMap<&'a str, usize>,
    /// What not every question needs is computed when it is asked for.
    worlds: OnceLock<Worlds>,
    may_suspend: OnceLock<Vec<bool>>,
    known_starts: OnceLock<Vec<ContextSet>>,
    traversable: OnceLock<Vec<bool>>,
    breaches: OnceLock<Vec<Breach>>,
    suspects: OnceLock<Vec<Suspect>>,
    misfits: OnceLock<Vec<Misfit>>,
    contested: OnceLock<Vec<Option<Contest>>>,
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
            candidates: Candidates::new(program),
            demands: Vec::new(),
            wants: Vec::new(),
            slot_demands: Vec::new(),
            starts: Vec::new(),
            held_for: Vec::new(),
            asserting: asserting.map(|body| body.function).collect(),
            models,
            worlds: OnceLock::new(),
            may_suspend: OnceLock::new(),
            known_starts: OnceLock::new(),
            traversable: OnceLock::new(),
            breaches: OnceLock::new(),
            suspects: OnceLock::new(),
            misfits: OnceLock::new(),
            contested: OnceLock::new(),
            used_models: HashSet::new(),
            cuts: HashSet::new(),
        };
        let functions = || (0..program.functions.len() as u32).into_par_iter().map(FunctionId);
        effects.demands = functions().map(|function| effects.decide(function)).collect();
        effects.wants = effects.demands.iter().map(|demand| demand.effect).collect();
        let slots = (0..program.slots.len() as u32).map(SlotId);
        effects.slot_demands = slots.map(|slot| effects.decide_slot(slot)).collect();
        for (position, function) in program.functions.iter().enumerate() {
            if matches!(effects.demands[position].origin, Origin::Modelled(_)) {
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
        effects.held_for = functions().map(|function| effects.decide_held_for(function)).collect();
        effects
    }

    /// What a function demands.
    pub fn demand(&self, function: FunctionId) -> Demand {
        self.demands[function.0 as usize]
    }

    /// What a function demands, without how that is known.
    pub fn effect(&self, function: FunctionId) -> Option<Effect> {
        self.wants[function.0 as usize]
    }

    /// The contexts in which a function's body starts.
    pub fn start(&self, function: FunctionId) -> ContextSet {
        self.starts[function.0 as usize]
    }

    /// The contexts in which slots that hold a function may call it: flags beside them can say so.
    fn held_for(&self, function: FunctionId) -> ContextSet {
        self.held_for[function.0 as usize]
    }

    fn decide_start(&self, function: FunctionId) -> ContextSet {
        let demand = self.demand(function);
        if self.pack.trampolines.contains(&self.program.function(function).name) {
            return ContextSet::EMPTY;
        }
        match (demand.origin, demand.effect) {
            (Origin::Contradictory(..), _) => ContextSet::EMPTY,
            (_, Some(Effect::CoroutineOnly)) => ContextSet::COROUTINE,
            (_, Some(Effect::NonCoroutineOnly)) => ContextSet::NON_COROUTINE,
            (_, Some(Effect::Either) | None) => ContextSet::BOTH,
        }
    }

    /// In which worlds each body is entered.
    pub fn worlds(&self) -> &Worlds {
        self.worlds.get_or_init(|| worlds::worlds(self))
    }

    /// Whether a function may suspend the coroutine it runs in. `false` only when that is certain.
    pub fn may_suspend(&self, function: FunctionId) -> bool {
        self.may_suspend.get_or_init(|| suspension::may_suspend(self))[function.0 as usize]
    }

    /// Every call that breaches what its callee demands, sorted by body and position.
    pub fn breaches(&self) -> &[Breach] {
        self.breaches.get_or_init(|| calls::breaches(self))
    }

    /// The contexts in which a function's body starts, where also a slot says so: a function without a mark that is stored
    /// into something coroutine only, and that is entered in no other way.
    pub fn known_start(&self, function: FunctionId) -> ContextSet {
        self.known_starts.get_or_init(|| calls::known_starts(self))[function.0 as usize]
    }

    /// Whether a chain of calls may go on through a function: it demands nothing, no slot says where it starts, and its
    /// body is what runs. Where a function never returns, the program ends, and it does not matter whether it waits before.
    fn is_traversable(&self, function: FunctionId) -> bool {
        self.traversable.get_or_init(|| chains::traversable(self))[function.0 as usize]
    }

    /// Every function that does not fit into the slot that it is stored into, by slot and location.
    ///
    /// What is stored into something that is not known as a slot is not judged.
    pub fn misfits(&self) -> &[Misfit] {
        self.misfits.get_or_init(|| slots::misfits(self))
    }

    /// The functions whose mark is more likely wrong than their callers, sorted.
    pub fn suspects(&self) -> &[Suspect] {
        self.suspects.get_or_init(|| calls::suspects(self))
    }

    /// Whether a coroutine only function may run outside of coroutines all the same. Then its mark is no ground for changing what
    /// it does.
    pub fn contest(&self, function: FunctionId) -> Option<Contest> {
        self.contested.get_or_init(|| calls::contested(self))[function.0 as usize]
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
            let slots = self.candidates.of_function(callee);
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
        let target = self.program.known_as(&name)?;
        (self.demand(target).effect == Some(Effect::CoroutineOnly)).then_some(target)
    }

    /// The wrapper of a coroutine only function: a function with the name for it, and with a wrapper mark.
    pub fn wrapper_of(&self, target: FunctionId) -> Option<FunctionId> {
        let name = self.pack.wrapper_name(&self.program.function(target).name)?;
        let wrapper = self.program.known_as(&name)?;
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
        if mixed { find(Effect::Either) } else { find(Effect::NonCoroutineOnly).or_else(|| find(Effect::Either)) }
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

    fn decide(&self, function: FunctionId) -> Demand {
        let marks = self.context_marks(function);
        let coroutine = marks.iter().find(|(_, effect)| *effect == Effect::CoroutineOnly);
        let other = marks.iter().find(|(_, effect)| *effect != Effect::CoroutineOnly);
        match (coroutine, other) {
            (Some((one, _)), Some((other, _))) => {
                let order = |mark: &Mark| marks.iter().position(|(known, _)| known == mark);
                let (first, second) = if order(one) <= order(other) { (*one, *other) } else { (*other, *one) };
                return Demand { effect: None, origin: Origin::Contradictory(first, second) };
            }
            (Some((mark, effect)), None) => {
                return Demand { effect: Some(*effect), origin: Origin::Marked(*mark) };
            }
            (None, Some(_)) => {
                // *Either* with *non-coroutine only* is *either*.
                let weakest = marks.iter().find(|(_, effect)| *effect == Effect::Either).or(marks.first());
                if let Some((mark, effect)) = weakest {
                    return Demand { effect: Some(*effect), origin: Origin::Marked(*mark) };
                }
            }
            (None, None) => {}
        }
        let model = self.models.get(self.program.function(function).name.as_str());
        if let Some(&model) = model {
            return Demand { effect: Some(self.pack.models[model].effect), origin: Origin::Modelled(model) };
        }
        if let Some((context, location)) = self.asserted(function) {
            let effect = match context {
                Context::Coroutine => Effect::CoroutineOnly,
                Context::NonCoroutine => Effect::NonCoroutineOnly,
            };
            return Demand { effect: Some(effect), origin: Origin::Inferred(location) };
        }
        Demand { effect: None, origin: Origin::Unmarked }
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
        matches!(self.demand(function).origin, Origin::Marked(_))
    }
}
