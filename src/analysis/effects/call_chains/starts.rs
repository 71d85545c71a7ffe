//! The chains that start in a body: the best one for each function, slot or callback that it calls.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use rustc_hash::FxHashSet;

use crate::program::{Argument, Body, BodyId, FunctionId, IndexVec, SlotId};
use cowrap_facts::{Context, ContextSet, PathCondition, single_values};

use super::super::Callee;
use super::super::entry_contexts::passed_values;
use super::callbacks::Passing;
use super::graph::{CallRef, IncomingCall, Node, Reasons, Via};
use super::witness::CallOf;
use super::worklist::Worklist;
use super::{Ambiguity, CallChain, Search, Step, is_open};

/// Where a call leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    /// To the goal itself: a slot points to it.
    Goal(FunctionId),
    /// To a node that leads to the goal.
    Node(Node),
}

/// How a call leads there: how surely, by how many calls, and where to.
type Leading = (Ambiguity, u32, Next);

/// What chains of a body have in common: what the body calls, and the function that it passes there.
type GroupKey = (Callee, Option<FunctionId>);

/// A call in a body that has changed to the search's context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ChangingCall {
    ambiguity: Ambiguity,
    length: u32,
    body: BodyId,
    at: CallRef,
    /// What it enters.
    to: Node,
}

/// What may lead to the goal: most bodies call nothing of this where a chain can start, so that none starts there.
struct Leads {
    functions: IndexVec<FunctionId, bool>,
    slots: IndexVec<SlotId, bool>,
    /// The bodies that pass functions to callbacks.
    passing: FxHashSet<BodyId>,
}

/// Which calls of a body a chain may start with.
struct Start<'w> {
    body: BodyId,
    /// For each context, the values of the body's flags with which it is entered there, a bit for each.
    entered: [(Context, u8); 2],
    /// Whether a call with this condition may be the first, if it is made in this context.
    is_wanted: &'w dyn Fn(PathCondition, Context) -> bool,
}

impl Search<'_, '_> {
    /// The chains that start where the program's context is certain: for each body, those of each function, slot or
    /// callback that it calls, by body and location. Direct calls of the goal are violations, and not among them.
    pub fn chains(&self) -> Vec<Vec<CallChain>> {
        let (effects, program) = (self.graph.effects, self.graph.effects.program);
        let leads = self.leads();
        let of_body = |body: BodyId| {
            let function = effects.calls.body(body).function;
            let start = effects.certain_start(function);
            let is_certain = |condition: PathCondition, at: Context| condition.contexts_from(start) == at.into();
            let is_start = |condition, is_leading| is_leading && is_certain(condition, self.graph.context);
            let mut named = effects.calls.named(body).iter();
            let mut through = effects.calls.through_slots(body).iter();
            let starts_here = named.any(|call| is_start(call.condition, leads.functions[call.called]))
                || through.any(|call| is_start(call.condition, call.called.is_some_and(|slot| leads.slots[slot])))
                || leads.passing.contains(&body);
            if !starts_here || effects.is_modelled_as_mixed(function) {
                return Vec::new();
            }
            let possible = &effects.entry_contexts().possible;
            let entered = Context::ALL.map(|entry| (entry, possible.values(entry, body)));
            self.chains_of(&Start { body, entered, is_wanted: &is_certain })
        };
        let bodies = (0..program.bodies.len() as u32).into_par_iter().map(BodyId);
        bodies.flat_map_iter(of_body).map(|(_, chains)| chains).collect()
    }

    /// What may lead to the goal if a body calls it.
    fn leads(&self) -> Leads {
        let (effects, program) = (self.graph.effects, self.graph.effects.program);
        let mut leads = Leads {
            functions: IndexVec::from_elem(false, program.functions.len()),
            slots: IndexVec::from_elem(false, program.slots.len()),
            passing: self.graph.passing.iter().map(|passing| passing.from.body).collect(),
        };
        for body in self.reasons.settled_bodies() {
            let function = effects.calls.body(body).function;
            leads.functions[function] = effects.is_traversable(function);
        }
        for function in program.function_ids() {
            if leads.functions[function] || self.is_goal(function) {
                effects.points_to.slots(function).iter().for_each(|slot| leads.slots[*slot] = true);
            }
        }
        leads
    }

    /// The chains that start in the bodies of a function, in all entry states of the search's context: one for each
    /// function, slot or callback that they call, direct calls of the goal too; the least ambiguous first.
    pub fn chains_from(&self, function: FunctionId) -> Vec<CallChain> {
        let (effects, program) = (self.graph.effects, self.graph.effects.program);
        let mut found: Vec<CallChain> = Vec::new();
        let start = effects.start(function);
        for body in &program.function(function).bodies {
            let entered = Context::ALL.map(|entry| {
                let possible = effects.entry_contexts().possible.values(entry, *body);
                let values = if possible == 0 { program.body(*body).values } else { possible };
                (entry, if start.contains(entry) { values } else { 0 })
            });
            let is_reached = |condition: PathCondition, at: Context| {
                entered.into_iter().any(|(entry, values)| condition.values_at(entry, at) & values != 0)
            };
            let is_here = |(condition, _): &(PathCondition, CallRef)| is_reached(*condition, self.graph.context);
            let direct = self.direct_calls(*body).into_iter().filter(is_here);
            found.extend(direct.map(|(condition, at)| CallChain {
                body: *body,
                ambiguity: Ambiguity::NONE,
                changes: false,
                conditional: self.is_conditional(program.body(*body), entered, |entry, values| {
                    condition.values_at(entry, self.graph.context) & values
                }),
                steps: self.step(*body, Via::Call(at), None),
            }));
            for (_, chains) in self.chains_of(&Start { body: *body, entered, is_wanted: &is_reached }) {
                let order = |chain: &CallChain| (chain.conditional, chain.ambiguity, chain.steps.len());
                found.extend(chains.into_iter().min_by_key(order));
            }
        }
        found.sort_by_key(|chain| (chain.conditional, chain.ambiguity, chain.steps.len(), chain.body));
        found
    }

    /// The least ambiguous chain of calls to a function, in the search's context, from a function that only runs in
    /// that context.
    pub fn entry(&self, function: FunctionId) -> Option<(Ambiguity, Vec<Step>)> {
        let (effects, program) = (self.graph.effects, self.graph.effects.program);
        let mut open = Worklist::new();
        let mut reasons = Reasons::new(program.bodies.len());
        // The best call by a body that changes to the context before it.
        let mut changing: Option<ChangingCall> = None;
        for body in &program.function(function).bodies {
            for value in single_values(program.body(*body).values) {
                let node = Node { body: *body, value };
                self.add_callers(node, Ambiguity::NONE, 0, &mut reasons, &mut open);
                changing = self.changing_calls(node, Ambiguity::NONE, 0).into_iter().chain(changing).min();
            }
        }
        while let Some((ambiguity, length, node)) = open.pop() {
            if changing.is_some_and(|call| (call.ambiguity, call.length) <= (ambiguity, length)) {
                break;
            }
            let caller = program.body(node.body).function;
            if caller == function || !reasons.settle(node) {
                continue;
            }
            if effects.certain_start(caller) == ContextSet::from(self.graph.context) {
                return Some((ambiguity, self.follow(&reasons, node)));
            }
            if effects.is_traversable(caller) {
                self.add_callers(node, ambiguity, length, &mut reasons, &mut open);
                changing = self.changing_calls(node, ambiguity, length).into_iter().chain(changing).min();
            }
        }
        changing.map(|call| {
            let first = self.step(call.body, Via::Call(call.at), Some(call.to));
            (call.ambiguity, [first, self.follow(&reasons, call.to)].concat())
        })
    }

    /// The calls that enter a node, in bodies that are entered in the other context and certainly have changed to the
    /// search's context.
    fn changing_calls(&self, to: Node, ambiguity: Ambiguity, length: u32) -> Vec<ChangingCall> {
        let (effects, program) = (self.graph.effects, self.graph.effects.program);
        let function = program.body(to.body).function;
        let slots = self.graph.slots_of(function).filter(|slot| is_open(effects, self.graph.context, *slot));
        let through = slots.flat_map(|slot| self.graph.calls_through(slot, function));
        let entry = self.graph.context.other();
        let changes = |call: &IncomingCall| {
            let start = effects.start(call.caller);
            let possible = effects.entry_contexts().possible.values(entry, call.body);
            call.condition.contexts_from(start) == ContextSet::from(self.graph.context)
                && self.graph.leading((entry, self.graph.context), call, to).any(|value| possible & (1 << value) != 0)
        };
        let changing = self.graph.calls_by_name(function).chain(through).filter(changes);
        let changing = changing.map(|call| ChangingCall {
            ambiguity: ambiguity.and(call.ambiguity),
            length: length + 1,
            body: call.body,
            at: call.at,
            to,
        });
        changing.collect()
    }

    /// The chains that start in a body, in groups by what it calls.
    fn chains_of(&self, start: &Start<'_>) -> Vec<(GroupKey, Vec<CallChain>)> {
        let mut groups: Vec<(GroupKey, Vec<CallChain>)> = Vec::new();
        let called = self.called_chains(start).into_iter();
        for (key, chain) in called.chain(self.passing_chains(start)) {
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, chains)) => chains.push(chain),
                None => groups.push((key, vec![chain])),
            }
        }
        groups
    }

    /// The chains that start with a call by name or through a slot.
    fn called_chains(&self, start: &Start<'_>) -> Vec<(GroupKey, CallChain)> {
        let body = self.graph.effects.program.body(start.body);
        let named = body.calls.iter().enumerate().filter(|(_, call)| call.kind.is_in_place() && !call.ends);
        let named = named.map(|(at, call)| {
            (CallRef::Named(at as u32), call.condition, &call.arguments, Callee::Function(call.callee))
        });
        let through = body.slot_calls.iter().enumerate().filter(|(_, call)| call.kind.is_in_place() && !call.ends);
        let through = through.filter_map(|(at, call)| {
            Some((CallRef::Slot(at as u32), call.condition, &call.arguments, Callee::Slot(call.slot?)))
        });
        let mut found = Vec::new();
        for (at, condition, arguments, callee) in named.chain(through) {
            if !(start.is_wanted)(condition, self.graph.context) {
                continue;
            }
            let mut best: Option<(Leading, (Context, u8))> = None;
            let conditional = self.is_conditional(body, start.entered, |entry, entered| {
                let mut leading = 0u8;
                for value in single_values(condition.values_at(entry, self.graph.context) & entered) {
                    if let Some(next) = self.next(body.function, callee, arguments, (entry, value)) {
                        leading |= 1 << value;
                        if best.is_none_or(|(known, _)| next < known) {
                            best = Some((next, (entry, value)));
                        }
                    }
                }
                leading
            });
            let Some(((ambiguity, _, next), state)) = best else { continue };
            let steps = match next {
                Next::Goal(function) => self.step(start.body, Via::Pointer { at, function }, None),
                Next::Node(node) => {
                    let node = self.nearest(&self.reasons, CallOf { body: start.body, state, at }, node);
                    [self.step(start.body, Via::Call(at), Some(node)), self.steps(node)].concat()
                }
            };
            let chain = CallChain { body: start.body, ambiguity, changes: false, conditional, steps };
            found.push(((callee, None), chain));
        }
        found
    }

    /// The chains that start with a call that passes a function to a callback.
    fn passing_chains(&self, start: &Start<'_>) -> Vec<(GroupKey, CallChain)> {
        let body = self.graph.effects.program.body(start.body);
        let mut found = Vec::new();
        for &Passing { from, entry, at, function, to, ambiguity, .. } in self.graph.passing_of(start.body) {
            let condition = match at {
                CallRef::Named(at) => body.calls[at as usize].condition,
                CallRef::Slot(at) => body.slot_calls[at as usize].condition,
            };
            let entered = start.entered.into_iter().find(|(known, _)| *known == entry).map_or(0, |(_, values)| values);
            let called = to.entry(self.graph.context);
            if !(start.is_wanted)(condition, called) || entered & (1 << from.value) == 0 {
                continue;
            }
            let next = match self.next(body.function, Callee::Function(function), &[], (entry, 0)) {
                _ if self.is_goal(function) => None,
                Some((ambiguity, _, Next::Node(node))) => Some((ambiguity, node)),
                Some(_) | None => continue,
            };
            let mut steps = self.step(start.body, Via::Passing { at, function, to }, next.map(|(_, node)| node));
            let ambiguity = next.map_or(ambiguity, |(rest, _)| rest.and(ambiguity));
            steps.extend(next.into_iter().flat_map(|(_, node)| self.steps(node)));
            let Some(callee) = steps.first().map(|step| step.callee) else { continue };
            let conditional = body.is_conditional(condition.values_at(entry, called) & entered, entered);
            let chain = CallChain { body: start.body, ambiguity, changes: to.changes, conditional, steps };
            found.push(((callee, Some(function)), chain));
        }
        found
    }

    /// Whether a chain needs some values of the flags of a body, in each of the contexts in which the body is entered and
    /// the chain exists. `leading` gives those of these values with which it does.
    fn is_conditional(
        &self,
        body: &Body,
        entered: [(Context, u8); 2],
        mut leading: impl FnMut(Context, u8) -> u8,
    ) -> bool {
        let states = entered.map(|(entry, values)| (leading(entry, values), values));
        let mut states = states.into_iter().filter(|(leading, _)| *leading != 0);
        states.all(|(leading, values)| body.is_conditional(leading, values))
    }

    /// Where a call leads to: to the best of the nodes that it enters. A call that names the goal is a violation, and
    /// does not count; a call through a slot that points to the goal does.
    fn next(
        &self,
        caller: FunctionId,
        callee: Callee,
        arguments: &[Argument],
        (entry, value): (Context, u8),
    ) -> Option<Leading> {
        let (effects, program) = (self.graph.effects, self.graph.effects.program);
        let (functions, own): (&[FunctionId], Ambiguity) = match &callee {
            Callee::Function(function) => (std::slice::from_ref(function), Ambiguity::NONE),
            Callee::Slot(slot)
                if is_open(effects, self.graph.context, *slot) && !self.graph.parameters.contains_key(slot) =>
            {
                (effects.points_to.candidates(*slot), self.graph.ambiguity(*slot))
            }
            Callee::Slot(_) => return None,
        };
        let is_named = matches!(callee, Callee::Function(_));
        let is_called = |function: &&FunctionId| {
            let is_allowed = is_named || effects.slot_contexts(**function).contains(self.graph.context);
            is_allowed && !effects.is_cut(caller, **function)
        };
        let mut goals = functions.iter().filter(is_called).filter(|function| !is_named && self.is_goal(**function));
        if let Some(goal) = goals.by_ref().min() {
            return Some((own, 0, Next::Goal(*goal)));
        }
        let traversable = functions.iter().filter(is_called).filter(|function| effects.is_traversable(**function));
        let bodies = traversable.flat_map(|function| &program.function(*function).bodies);
        let nodes = bodies.flat_map(|body| {
            let entered = passed_values(arguments, entry, value, program.body(*body));
            single_values(entered).map(|value| Node { body: *body, value })
        });
        let settled = nodes.filter_map(|node| Some((self.reasons.get(node)?, node)));
        settled.map(|(why, node)| (why.ambiguity.and(own), why.length, Next::Node(node))).min()
    }
}
