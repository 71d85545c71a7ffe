//! Call chains: how a body leads, in one context, to something that requires the other context, through functions
//! without a requirement.
//!
//! One search goes backward from the calls of the goal (`Search::new`). It settles nodes, which are bodies with one
//! value of their flags, in a fixed order: the least ambiguous chain first, then the shortest. What a body leads to
//! depends only on what its callees lead to, so the first chain that the search finds for a node is the node's best.
//! This also holds in cycles, so that nothing is iterated up to a fixpoint.
//!
//! A body can change its context. A node is a body that is entered in the search's context, and a chain goes on only
//! through calls that certainly still are in this context. A chain starts at a call that certainly is in the context:
//! the body is entered there, or has changed to it. It can also start at a call in the other context that passes a
//! function on: the callee certainly changes the context before it calls what it was passed.
//!
//! The result is a witness for each chain: its calls, with their locations.

mod starts;
mod witness;
mod callbacks;
mod graph;
mod worklist;
mod ambiguity;

use std::sync::Arc;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::program::{BodyId, FunctionId, IndexVec, Location, SlotId};
use cowrap_facts::{CallKind, Context, PathCondition, single_values};
use cowrap_packs::Effect;
use cowrap_report::Level;

use super::crashes::crashing;
use super::{Callee, Effects, Provenance};
use callbacks::Passing;
use graph::{CallRef, Graph, IncomingCall, Node, Reason, Reasons, Via};
use worklist::Worklist;

pub use ambiguity::Ambiguity;

/// A call chain, from a body whose context is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallChain {
    /// The body.
    pub body: BodyId,
    /// How ambiguous the chain is.
    pub ambiguity: Ambiguity,
    /// Whether the first call is made in the other context, and what it calls changes to the search's context.
    pub changes: bool,
    /// Whether it needs some values of the body's flags.
    pub conditional: bool,
    /// The calls, from that of the body to that of the goal. A chain of a single call goes through a slot.
    pub steps: Vec<Step>,
}

/// A call on a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The function that calls.
    pub caller: FunctionId,
    /// The location of the call.
    pub location: Location,
    /// The slot that the call goes through.
    pub through: Option<SlotId>,
    /// Whether the slot is a parameter, and an earlier step of the chain passed the function in it.
    pub passed: bool,
    /// What is called. The last step of a chain calls the goal.
    pub callee: Callee,
}

/// What a search looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Everything that requires the other context.
    AnyRequirement,
    /// What requires it by a mark or an assertion in the source.
    DeclaredRequirement,
    /// What requires it by a model of the pack, with this gravest level.
    ModelledRequirement(Level),
    /// These functions.
    Functions(Vec<FunctionId>),
}

impl Goal {
    /// Whether slots with marks are part of the goal.
    fn includes_slots(&self) -> bool {
        matches!(self, Goal::AnyRequirement | Goal::DeclaredRequirement)
    }
}

/// A search for everything that leads to a goal in one context.
pub struct Search<'e, 'a> {
    graph: Arc<Graph<'e, 'a>>,
    goal: Goal,
    reasons: Reasons,
}

impl<'e, 'a> Search<'e, 'a> {
    /// Searches the whole program.
    pub fn new(effects: &'e Effects<'a>, context: Context, goal: Goal) -> Self {
        Self::in_graph(Arc::new(Graph::new(effects, context)), goal)
    }

    /// Searches the whole program for several goals, at the same time.
    pub fn for_each(effects: &'e Effects<'a>, context: Context, goals: Vec<Goal>) -> Vec<Self> {
        let graph = Arc::new(Graph::new(effects, context));
        goals.into_par_iter().map(|goal| Self::in_graph(Arc::clone(&graph), goal)).collect()
    }

    fn in_graph(graph: Arc<Graph<'e, 'a>>, goal: Goal) -> Self {
        let mut search = Search { reasons: Reasons::new(graph.effects.program.bodies.len()), graph, goal };
        search.reasons = search.run();
        search
    }

    fn run(&self) -> Reasons {
        let effects = self.graph.effects;
        let mut open = Worklist::new();
        let mut reasons = Reasons::new(effects.program.bodies.len());
        self.add_calls_of_the_goal(&mut reasons, &mut open);
        self.add_pointers_to_the_goal(&mut reasons, &mut open);
        while let Some((ambiguity, length, node)) = open.pop() {
            if reasons.settle(node) && effects.is_traversable(effects.calls.body(node.body).function) {
                self.add_callers(node, ambiguity, length, &mut reasons, &mut open);
            }
        }
        reasons
    }

    /// Adds the calls that name the goal, and those through slots that belong to it.
    fn add_calls_of_the_goal(&self, reasons: &mut Reasons, open: &mut Worklist<Node>) {
        let (effects, program) = (self.graph.effects, self.graph.effects.program);
        let mut push = |body: BodyId, caller: FunctionId, at: CallRef, kind: CallKind, condition: PathCondition| {
            if kind.is_in_place() && self.graph.may_run(caller) {
                for value in single_values(condition.settled().values(self.graph.context)) {
                    let (ambiguity, length, via) = (Ambiguity::NONE, 1, Via::Call(at));
                    offer(reasons, open, Node { body, value }, Reason { ambiguity, length, via, next: None });
                }
            }
        };
        for function in program.function_ids().filter(|function| self.is_goal(*function)) {
            for call in program.incoming(function).iter().filter(|call| !call.ends) {
                push(call.site.body, call.caller, CallRef::Named(call.site.call), call.kind, call.condition);
            }
        }
        let is_goal = |slot: &SlotId| self.goal.includes_slots() && !allows(effects, *slot, self.graph.context);
        for slot in program.slots.ids().filter(is_goal) {
            for (body, position) in program.calls_through(slot) {
                let call = &effects.calls.through_slots(*body)[*position as usize];
                if !call.ends {
                    let caller = effects.calls.body(*body).function;
                    push(*body, caller, CallRef::Slot(*position), call.kind, call.condition);
                }
            }
        }
    }

    /// Adds the calls through slots that may point to the goal, and the calls that pass the goal to a callback.
    fn add_pointers_to_the_goal(&self, reasons: &mut Reasons, open: &mut Worklist<Node>) {
        let graph = &*self.graph;
        let (effects, context) = (graph.effects, graph.context);
        for function in effects.program.function_ids().filter(|function| self.is_goal(*function)) {
            for slot in graph.slots_of(function).filter(|slot| is_open(effects, context, *slot)) {
                for call in graph.calls_through(slot, function).filter(|call| graph.may_run(call.caller)) {
                    for value in single_values(call.condition.values(context)) {
                        let (ambiguity, via) = (call.ambiguity, Via::Pointer { at: call.at, function });
                        let reason = Reason { ambiguity, length: 1, via, next: None };
                        offer(reasons, open, Node { body: call.body, value }, reason);
                    }
                }
            }
        }
        let is_on_a_chain = |passing: &&Passing| passing.entry == context && self.is_goal(passing.function);
        for passing in graph.passing.iter().filter(is_on_a_chain) {
            let &Passing { from, at, function, to, ambiguity, length, .. } = passing;
            if graph.may_run(effects.calls.body(from.body).function) {
                let via = Via::Passing { at, function, to };
                offer(reasons, open, from, Reason { ambiguity, length, via, next: None });
            }
        }
    }

    /// Adds the calls that enter a node.
    fn add_callers(
        &self,
        to: Node,
        ambiguity: Ambiguity,
        length: u32,
        reasons: &mut Reasons,
        open: &mut Worklist<Node>,
    ) {
        let graph = &*self.graph;
        let (effects, context) = (graph.effects, graph.context);
        let function = effects.calls.body(to.body).function;
        let mut push = |reasons: &mut Reasons, call: IncomingCall| {
            if !graph.may_run(call.caller) {
                return;
            }
            // Most calls are of bodies that are settled.
            let reached = call.condition.values(context) & !reasons.settled(call.body);
            for value in graph.leading_of(reached, context, &call, to) {
                let (ambiguity, length) = (ambiguity.and(call.ambiguity), length + 1);
                let reason = Reason { ambiguity, length, via: Via::Call(call.at), next: Some(to) };
                offer(reasons, open, Node { body: call.body, value }, reason);
            }
        };
        graph.calls_by_name(function).for_each(|call| push(reasons, call));
        // Every call through a slot that points to a function without flags enters the same node.
        let is_plain = !effects.calls.body(to.body).has_flags && !effects.is_ever_cut(function);
        for slot in graph.slots_of(function).filter(|slot| is_open(effects, context, *slot)) {
            if !is_plain || reasons.improves(slot, (ambiguity.and(graph.ambiguity(slot)), length, to)) {
                graph.calls_through(slot, function).for_each(|call| push(reasons, call));
            }
        }
        for position in graph.passed.get(&function).into_iter().flatten() {
            let Passing { from, entry, at, function, to: callback, ambiguity: own, length: more } =
                graph.passing[*position];
            if entry == context && graph.may_run(effects.calls.body(from.body).function) {
                let via = Via::Passing { at, function, to: callback };
                let (ambiguity, length) = (ambiguity.and(own), length + more);
                offer(reasons, open, from, Reason { ambiguity, length, via, next: Some(to) });
            }
        }
    }

    /// A body's own calls of the goal.
    fn direct_calls(&self, body: BodyId) -> Vec<(PathCondition, CallRef)> {
        let body = self.graph.effects.program.body(body);
        let named =
            body.calls.iter().enumerate().filter(|(_, call)| call.kind.is_in_place() && self.is_goal(call.callee));
        let named = named.map(|(position, call)| (call.condition, CallRef::Named(position as u32)));
        let through = body.slot_calls.iter().enumerate().filter(|(_, call)| {
            self.goal.includes_slots()
                && call.kind.is_in_place()
                && call.slot.is_some_and(|slot| !allows(self.graph.effects, slot, self.graph.context))
        });
        let through = through.map(|(position, call)| (call.condition, CallRef::Slot(position as u32)));
        named.chain(through).collect()
    }

    /// Whether a function is part of the goal.
    fn is_goal(&self, function: FunctionId) -> bool {
        let Graph { effects, context, .. } = *self.graph;
        let provenance = || effects.requirement(function).provenance;
        let is_modelled = || matches!(provenance(), Provenance::Modelled(_));
        let requires = || effects.effect(function).is_some_and(|effect| !effect.allows(context));
        match &self.goal {
            Goal::AnyRequirement => requires(),
            Goal::DeclaredRequirement => requires() && !is_modelled(),
            Goal::ModelledRequirement(level) => {
                requires() && is_modelled() && effects.level_of(function).unwrap_or(Level::Error) == *level
            }
            Goal::Functions(functions) => functions.contains(&function),
        }
    }
}

/// Notes a reason of a node, and puts the node on the list if it has to be visited for it.
fn offer(reasons: &mut Reasons, open: &mut Worklist<Node>, node: Node, reason: Reason) {
    if !reasons.is_settled(node) && reasons.offer(node, reason) {
        open.push(reason.ambiguity, reason.length, node);
    }
}

/// For each function, whether a call chain may continue through it.
pub(super) fn traversable(effects: &Effects<'_>) -> IndexVec<FunctionId, bool> {
    let crashing = crashing(effects.program, effects.pack);
    let is_traversable = |function: FunctionId| {
        let requirement = effects.requirement(function);
        // A model replaces the body, unless it only says where the body starts.
        let is_replaced = matches!(requirement.provenance, Provenance::Modelled(_));
        matches!((requirement.effect, is_replaced), (None | Some(Effect::Mixed), false) | (Some(Effect::Entry), _))
            && effects.inferred_start(function) == effects.start(function)
            && !effects.start(function).is_empty()
            && !crashing.contains(&function)
    };
    effects.program.function_ids().map(is_traversable).collect()
}

/// The ambiguity of a call through a slot in a context.
fn ambiguity(effects: &Effects<'_>, context: Context, slot: SlotId) -> Ambiguity {
    let candidates = effects.points_to.candidates(slot).iter();
    let called = candidates.filter(|function| effects.slot_contexts(**function).contains(context));
    Ambiguity::of_candidates(called.count())
}

/// Whether a slot's marks leave the context of its callers open, calls through it run in their thread, and the pack lets
/// call chains go through it. What a slot makes entries starts inside whoever calls through the slot, so that chains
/// start there.
fn is_open(effects: &Effects<'_>, context: Context, slot: SlotId) -> bool {
    let is_open = match effects.slot_effect(slot) {
        None | Some(Effect::Mixed) => true,
        Some(Effect::Entry) => context == Context::Outside,
        Some(Effect::InsideOnly | Effect::OutsideOnly) => false,
    };
    is_open && effects.thread_of_slot(slot).is_none() && !effects.own_models(slot).any(|(_, model)| model.opaque)
}

/// Whether a slot allows calls in a context.
fn allows(effects: &Effects<'_>, slot: SlotId, context: Context) -> bool {
    effects.slot_effect(slot).is_none_or(|effect| effect.allows(context))
}
