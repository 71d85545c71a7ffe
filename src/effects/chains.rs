//! Chains of calls: which bodies reach, in one context, something that demands the other one, through functions that
//! demand nothing; and the call by which each does.
//!
//! One search backward from the offending calls. What a body reaches only grows from what its callees reach, so the
//! first time that the search comes to a world of a body is the answer, cycles included: no fixpoint has to be
//! iterated, and no component condensed. It goes through calls by name first, then through slots with few candidates, then
//! through those with many; within one grade, nearest first. So each witness has the best grade that there is, and is the
//! shortest of those whose parts are so, too.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::config::Effect;
use crate::facts::{CallKind, Context, ContextSet, Reach};
use crate::program::{Argument, BodyId, FunctionId, Place, SlotCall, SlotId, SlotKey};

use super::worlds::passed_values;
use super::{Callee, Effects};

/// How many candidates are few.
const FEW_CANDIDATES: usize = 4;

/// How sure it is that a chain of calls is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grade {
    /// All its calls name what they call.
    Named,
    /// A call goes through a slot that holds few functions.
    FewCandidates,
    /// A call goes through a slot that holds many.
    ManyCandidates,
}

/// A call on a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Whose body the call is in.
    pub caller: FunctionId,
    /// Where the call is.
    pub place: Place,
    /// The slot that it goes through.
    pub through: Option<SlotId>,
    /// What is called; the last step of a chain calls what demands the other context.
    pub callee: Callee,
}

/// The first call of a chain out of a body of which the context is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The body.
    pub body: BodyId,
    /// How sure it is.
    pub grade: Grade,
    /// Whether only some values of the body's flags lead to it.
    pub conditional: bool,
    /// The calls, from that of the body to that of what demands the other context. There are at least two.
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

/// Why a node reaches something: by a call, which goes to another node, or to the offender itself.
#[derive(Clone, Copy, Debug)]
struct Reason {
    at: At,
    next: Option<Node>,
    grade: Grade,
    length: u32,
}

type Open = BinaryHeap<Reverse<(Grade, u32, Node, At, Option<Node>)>>;

/// What reaches something that demands the other context than `context`, in `context`.
pub struct Search<'e, 'a> {
    effects: &'e Effects<'a>,
    context: Context,
    reasons: HashMap<Node, Reason>,
    slot_calls: HashMap<SlotId, Vec<(BodyId, u32)>>,
}

impl<'e, 'a> Search<'e, 'a> {
    /// Searches the whole program.
    pub fn new(effects: &'e Effects<'a>, context: Context) -> Self {
        let mut slot_calls: HashMap<SlotId, Vec<(BodyId, u32)>> = HashMap::new();
        for (number, body) in effects.program.bodies.iter().enumerate() {
            for (position, call) in body.slot_calls.iter().enumerate() {
                if let Some(slot) = call.slot.filter(|slot| follows(effects, *slot)) {
                    slot_calls.entry(slot).or_default().push((BodyId(number as u32), position as u32));
                }
            }
        }
        let mut search = Search { effects, context, reasons: HashMap::new(), slot_calls };
        search.run();
        search
    }

    fn run(&mut self) {
        let mut open = Open::new();
        self.seed(&mut open);
        while let Some(Reverse((grade, length, node, at, next))) = open.pop() {
            if self.reasons.contains_key(&node) {
                continue;
            }
            self.reasons.insert(node, Reason { at, next, grade, length });
            self.callers(node, grade, length, &mut open);
        }
    }

    /// Calls of what demands the other context.
    fn seed(&self, open: &mut Open) {
        let (effects, context) = (self.effects, self.context);
        for (number, body) in effects.program.bodies.iter().enumerate() {
            if !effects.start(body.function).contains(context) {
                continue;
            }
            let body_id = BodyId(number as u32);
            let mut add = |reach: Reach, at: At| {
                for value in values(reach.values(context)) {
                    open.push(Reverse((Grade::Named, 1, Node { body: body_id, value }, at, None)));
                }
            };
            for (position, call) in body.calls.iter().enumerate() {
                let demand = effects.demand(call.callee).effect;
                if call.kind != CallKind::Unresolved && demand.is_some_and(|effect| !effect.allows(context)) {
                    add(call.reach, At::Named(position as u32));
                }
            }
            for (position, call) in body.slot_calls.iter().enumerate() {
                let demand = call.slot.and_then(|slot| effects.slot_demand(slot));
                if demand.is_some_and(|(effect, _)| !effect.allows(context)) {
                    add(call.reach, At::Slot(position as u32));
                }
            }
        }
    }

    /// The calls that lead to a node.
    fn callers(&self, to: Node, grade: Grade, length: u32, open: &mut Open) {
        let (effects, program) = (self.effects, self.effects.program);
        let function = program.body(to.body).function;
        if !effects.is_traversable(function) {
            return;
        }
        let mut add = |body: BodyId, at: At, reach: Reach, arguments: &[Argument], grade: Grade| {
            if !effects.start(program.body(body).function).contains(self.context) {
                return;
            }
            for value in self.leading(reach.values(self.context), arguments, to) {
                open.push(Reverse((grade, length + 1, Node { body, value }, at, Some(to))));
            }
        };
        for (site, _) in program.calls_of(function) {
            let call = program.call(site);
            if call.kind != CallKind::Unresolved {
                add(site.body, At::Named(site.call), call.reach, &call.arguments, grade);
            }
        }
        for slot in effects.candidates.of_function(function) {
            let grade = grade.max(slot_grade(effects, *slot));
            for (body, position) in self.slot_calls.get(slot).into_iter().flatten() {
                let call = &program.body(*body).slot_calls[*position as usize];
                add(*body, At::Slot(*position), call.reach, &call.arguments, grade);
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
    /// place. What a body calls directly is judged as a call, and is not among them.
    pub fn chains(&self) -> Vec<Vec<Chain>> {
        let (effects, program) = (self.effects, self.effects.program);
        let mut found = Vec::new();
        for (number, body) in program.bodies.iter().enumerate() {
            let id = BodyId(number as u32);
            let start = effects.start(body.function);
            let entered = effects.worlds.possible.values(self.context, id);
            let mut groups: Vec<(Callee, Vec<Chain>)> = Vec::new();
            let known = |reach: Reach| start.and(reach.contexts()) == ContextSet::from(self.context);
            let named = body.calls.iter().enumerate().filter(|(_, call)| call.kind != CallKind::Unresolved);
            let named = named
                .map(|(at, call)| (At::Named(at as u32), call.reach, &call.arguments, Callee::Function(call.callee)));
            let through = body.slot_calls.iter().enumerate().filter_map(|(at, call)| {
                Some((At::Slot(at as u32), call.reach, &call.arguments, Callee::Slot(call.slot?)))
            });
            for (at, reach, arguments, callee) in named.chain(through).filter(|(_, reach, ..)| known(*reach)) {
                let reached = reach.values(self.context) & entered;
                let mut best: Option<(Grade, u32, Node)> = None;
                let mut leading = 0u8;
                for value in values(reached) {
                    if let Some(next) = self.next(callee, arguments, value) {
                        leading |= 1 << value;
                        best = Some(best.map_or(next, |best| best.min(next)));
                    }
                }
                let Some((grade, _, next)) = best else { continue };
                let mut steps = vec![self.step(id, at, Some(next))];
                steps.extend(self.steps(next));
                let chain = Chain { body: id, grade, conditional: leading != entered, steps };
                match groups.iter_mut().find(|(known, _)| *known == callee) {
                    Some((_, chains)) => chains.push(chain),
                    None => groups.push((callee, vec![chain])),
                }
            }
            found.extend(groups.into_iter().map(|(_, chains)| chains));
        }
        found
    }

    /// Where a call goes to on a chain: the best of the nodes that it enters.
    fn next(&self, callee: Callee, arguments: &[Argument], value: u8) -> Option<(Grade, u32, Node)> {
        let (effects, program) = (self.effects, self.effects.program);
        let (functions, least): (&[FunctionId], Grade) = match &callee {
            Callee::Function(function) => (std::slice::from_ref(function), Grade::Named),
            Callee::Slot(slot) if follows(effects, *slot) => {
                (effects.candidates.of_slot(*slot), slot_grade(effects, *slot))
            }
            Callee::Slot(_) => return None,
        };
        let traversable = functions.iter().filter(|function| effects.is_traversable(**function));
        let bodies = traversable.flat_map(|function| &program.function(*function).bodies);
        let nodes = bodies.flat_map(|body| {
            let entered = passed_values(arguments, self.context, value, program.body(*body));
            values(entered).map(|value| Node { body: *body, value })
        });
        nodes.filter_map(|node| self.reasons.get(&node).map(|why| (why.grade.max(least), why.length, node))).min()
    }

    fn steps(&self, from: Node) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = Some(from);
        while let Some(node) = at {
            let Some(reason) = self.reasons.get(&node) else { break };
            steps.push(self.step(node.body, reason.at, reason.next));
            at = reason.next;
        }
        steps
    }

    fn step(&self, body: BodyId, at: At, next: Option<Node>) -> Step {
        let program = self.effects.program;
        let body = program.body(body);
        let next = next.map(|next| Callee::Function(program.body(next.body).function));
        match at {
            At::Named(position) => {
                let call = &body.calls[position as usize];
                let callee = Callee::Function(call.callee);
                Step { caller: body.function, place: call.place, through: None, callee }
            }
            At::Slot(position) => {
                let SlotCall { slot, place, .. } = &body.slot_calls[position as usize];
                let callee = next.or(slot.map(Callee::Slot)).unwrap_or(Callee::Function(body.function));
                Step { caller: body.function, place: *place, through: *slot, callee }
            }
        }
    }
}

/// The single values of a set of them.
fn values(set: u8) -> impl Iterator<Item = u8> {
    (0..8u8).filter(move |value| set & (1 << value) != 0)
}

fn slot_grade(effects: &Effects<'_>, slot: SlotId) -> Grade {
    match effects.candidates.of_slot(slot).len() {
        0..=FEW_CANDIDATES => Grade::FewCandidates,
        _ => Grade::ManyCandidates,
    }
}

/// Whether chains go on through a slot: its marks say nothing of what it holds. What a parameter holds is decided by the
/// caller, and not by all the callers that there are.
fn follows(effects: &Effects<'_>, slot: SlotId) -> bool {
    let open = effects.slot_demand(slot).is_none_or(|(effect, _)| effect == Effect::Either);
    open && !matches!(effects.program.slot(slot).key, SlotKey::Parameter { .. })
}
