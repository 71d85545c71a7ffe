//! Points-to analysis: the functions that each slot may point to, over the whole program.
//!
//! Subset constraints, as in Andersen's analysis: a slot's points-to set has the functions that the program stores into
//! the slot, and the points-to sets of all slots that it copies to this one. Fields are distinguished by record type,
//! not by object. A call through a slot passes its arguments to every function in the slot's set.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::{Adjacency, ArgumentValue, FunctionId, IndexVec, Program, SlotId};

/// The points-to sets of all slots.
#[derive(Debug, Default)]
pub struct PointsTo {
    candidates: Adjacency<SlotId, FunctionId>,
    slots: Adjacency<FunctionId, SlotId>,
    leads_to_call: IndexVec<SlotId, bool>,
}

impl PointsTo {
    /// Solves the constraints of a program.
    pub fn new(program: &Program) -> Self {
        let mut solver = Solver::new(program);
        solver.run();
        let mut candidates = Adjacency::default();
        solver.sets.iter().for_each(|set| candidates.push(set.iter().copied()));
        let pairs = solver.sets.enumerated();
        let pairs = pairs.flat_map(|(slot, set)| set.iter().map(move |function| (*function, slot)));
        let slots = Adjacency::new(program.functions.len(), pairs);
        let leads_to_call = leads_to_call(program, &solver.copies);
        PointsTo { candidates, slots, leads_to_call }
    }

    /// The functions that a slot may point to, sorted.
    pub fn candidates(&self, slot: SlotId) -> &[FunctionId] {
        self.candidates.of(slot)
    }

    /// The slots that may point to a function, sorted.
    pub fn slots(&self, function: FunctionId) -> &[SlotId] {
        self.slots.of(function)
    }

    /// Whether the program calls through a slot, or through a slot that it copies this one to. If not, the program does
    /// not show in which context the slot's functions run.
    pub fn leads_to_call(&self, slot: SlotId) -> bool {
        self.leads_to_call[slot]
    }
}

struct Solver<'p> {
    program: &'p Program,
    /// The points-to sets, as far as they are known.
    sets: IndexVec<SlotId, BTreeSet<FunctionId>>,
    /// For each slot, the slots that the program copies it to.
    copies: IndexVec<SlotId, FxHashSet<SlotId>>,
    /// For each slot, the arguments of the calls through it.
    passed: IndexVec<SlotId, Vec<(u16, ArgumentValue)>>,
    /// Functions that were added to a set, and not yet to the sets that depend on it.
    work: Vec<(SlotId, FunctionId)>,
}

impl<'p> Solver<'p> {
    fn new(program: &'p Program) -> Self {
        let count = program.slots.len();
        let mut solver = Solver {
            program,
            sets: IndexVec::from_elem(BTreeSet::new(), count),
            copies: IndexVec::from_elem(FxHashSet::default(), count),
            passed: IndexVec::from_elem(Vec::new(), count),
            work: Vec::new(),
        };
        for copy in &program.copies {
            solver.copies[copy.from].insert(copy.to);
        }
        for body in &program.bodies {
            for call in &body.calls {
                for argument in &call.arguments {
                    let ArgumentValue::Slot(from) = argument.value else { continue };
                    if let Some(to) = program.parameter(call.callee, argument.position) {
                        solver.copies[from].insert(to);
                    }
                }
            }
            for call in &body.slot_calls {
                let Some(slot) = call.slot else { continue };
                let arguments = call.arguments.iter().map(|argument| (argument.position, argument.value));
                solver.passed[slot].extend(arguments);
            }
        }
        for passed in &mut solver.passed {
            passed.sort_unstable();
            passed.dedup();
        }
        solver
    }

    fn run(&mut self) {
        for store in &self.program.stores {
            if let Some(slot) = store.slot {
                self.add(slot, store.function);
            }
        }
        while let Some((slot, function)) = self.work.pop() {
            for to in self.copies[slot].clone() {
                self.add(to, function);
            }
            for (position, value) in self.passed[slot].clone() {
                let Some(parameter) = self.program.parameter(function, position) else { continue };
                match value {
                    ArgumentValue::Function(passed) => self.add(parameter, passed),
                    ArgumentValue::Slot(from) => self.copy(from, parameter),
                    ArgumentValue::Number(_) | ArgumentValue::Truth { .. } => {}
                }
            }
        }
    }

    fn add(&mut self, slot: SlotId, function: FunctionId) {
        if self.sets[slot].insert(function) {
            self.work.push((slot, function));
        }
    }

    fn copy(&mut self, from: SlotId, to: SlotId) {
        if from != to && self.copies[from].insert(to) {
            for function in self.sets[from].clone() {
                self.add(to, function);
            }
        }
    }
}

/// For each slot, whether the program calls through it, or through a slot that it copies this one to.
fn leads_to_call(program: &Program, copies: &IndexVec<SlotId, FxHashSet<SlotId>>) -> IndexVec<SlotId, bool> {
    let mut sources: IndexVec<SlotId, Vec<SlotId>> = IndexVec::from_elem(Vec::new(), copies.len());
    for (from, targets) in copies.enumerated() {
        for to in targets {
            sources[*to].push(from);
        }
    }
    let mut leads = IndexVec::from_elem(false, copies.len());
    let is_called = |slot: &SlotId| !program.calls_through(*slot).is_empty();
    let mut work: Vec<SlotId> = copies.ids().filter(is_called).collect();
    while let Some(slot) = work.pop() {
        if !std::mem::replace(&mut leads[slot], true) {
            work.extend(&sources[slot]);
        }
    }
    leads
}
